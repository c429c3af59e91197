#!/usr/bin/env python3
"""Rules in the shadow, on a real broker. They are put there between two loads of events, and the process is killed in
the middle of the sweep: the tags are those of the rules in force, and what the report says would be is what a run holds that
had the other rules from the start. Promoted, and killed once more while sweeping, they are in force, with a window that
has filled in the shadow; and what went out is what the report said. Needs a real broker: PORTRAIT_TEST_BROKERS.

  shadow_rules_test.py PORTRAIT [--customers N] [--days N] [--seed N]
"""
import json
import sys
import time

import live_rules_test
from live_rules_test import NEW, OLD
from portrait_process import read_topic

# A window that only these rules have: what it counts in the end has all happened while it was in the shadow.
OTHERS = NEW + """
- {tag: looking, when: 'count(product_viewed, "7d") >= 3'}
"""


class Test(live_rules_test.Test):
    def __init__(self, arguments, brokers, folder):
        super().__init__(arguments, brokers, folder)
        self.source = f"{self.name}.events"  # so that there is nothing in it yet that is later than the shadow's beginning

    def rules(self, live, *words, succeeds=True):
        return self.command("rules", *words, "--config", live.config, succeeds=succeeds)

    def report(self, live):
        time.sleep(3)  # until every row is written
        return json.loads(self.rules(live, "shadow", "--report", "--json"))

    def changes(self, live):
        return len(list(read_topic(self.brokers, f"{live.application}.tag-changes")))

    def run(self):
        from_start = {name: self.application(name, rules) for name, rules in (("old", OLD), ("new", OTHERS))}
        live = self.application("live", OLD)
        self.generate(self.arguments.days - 20, "2025-12-12", live)
        live.start()
        live.wait_until_done()
        others = self.write("others.yaml", OTHERS)
        assert "nothing is in the shadow" in self.rules(live, "promote", succeeds=False)
        told = self.rules(live, "shadow", others, "--because", "tried by a test", "--by", "kim")
        print(told, end="")
        assert 'count(product_viewed, "7d"): begins empty, knows all from ' in told, told
        assert "count(page_viewed" not in told, told
        live.wait_until(lambda: live.total("portrait_rows_swept_total") > 0, "the sweep has begun")
        live.kill()
        self.generate(20, "2026-01-01", live, seed=1)  # longer than the window
        live.start()
        live.wait_until_done()
        want, _ = self.tags_from_start(from_start)
        self.same(live, want["old"], "other rules in the shadow, and killed while sweeping")
        report = self.report(live)
        self.told_right(report, want["old"], want["new"])
        assert report["swept"] == report["customers"] and report["comment"] == "tried by a test", report
        assert report["entries"] > 0 and report["exits"] > 0 and live.total("portrait_shadow_changes_total") > 0, report
        print(self.rules(live, "shadow", "--report"), end="")

        before = self.changes(live)
        told = self.rules(live, "promote", "--because", "it did well")
        print(told, end="")
        assert 'count(product_viewed, "7d"): fills since ' in told, told
        live.wait_until(lambda: self.changes(live) > before, "the first customers change", 30)
        live.kill()
        live.start()
        live.wait_until_done()
        self.same(live, want["new"], "promoted, and killed while sweeping")
        went_out = self.changes(live) - before
        said = sum(tag["come"] + tag["go"] for tag in report["tags"].values())
        print(f"promoted: {went_out} changes of tags, the report said {said}", flush=True)
        assert went_out == said
        self.put_back(live, want)
        print(f"stopped in {live.stop():.1f} s")

    def put_back(self, live, want):
        """One shadow takes the place of another, and goes without a trace."""
        old, third = self.write("old.yaml", OLD), self.write("third.yaml", OLD + "- {tag: third, when: purchases.orders >= 3}\n")
        assert "in force" in self.rules(live, "shadow", self.path("others.yaml"), succeeds=False)
        self.rules(live, "shadow", old)
        assert "in the shadow already" in self.rules(live, "shadow", old)
        assert "in place of" in self.rules(live, "shadow", third, "--because", "one more")
        live.wait_until(lambda: live.text().count("rules run in the shadow") >= 2, "the third rules are heard of")
        live.wait_until_done()
        report = self.report(live)
        assert report["swept"] == report["customers"] and report["comment"] == "one more", report
        assert {tag for tag, count in report["tags"].items() if count["come"]} >= {"ordered", "third"}, report
        self.rules(live, "shadow", "--stop", "--because", "enough")
        live.wait_until(lambda: "the rules in the shadow are gone" in live.text(), "the end of the shadow is heard of")
        live.wait_until_done()
        self.same(live, want["new"], "a shadow that came and went")
        assert "nothing is in the shadow" in self.rules(live, "shadow", "--report", succeeds=False)
        history = self.rules(live, "history")
        print(history, end="")
        assert [line.split("  ")[2].split(" by ")[0] for line in history.splitlines()] == [
            "shadow ended", "shadow", "shadow", "promoted", "shadow", "file"], history
        assert [" in force" in line for line in history.splitlines()] == [False, False, False, True, False, False], history


if __name__ == "__main__":
    sys.exit(live_rules_test.main(Test, "rules in the shadow change nothing, and are in force once promoted"))
