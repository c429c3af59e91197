#!/usr/bin/env python3
"""Rules that change while portrait runs, on a real broker. New rules are applied in the middle of a backlog, the process is
killed in the middle of the sweep, and at the end every customer, the silent ones too, has the tags of a run that had the
new rules from the start; rolled back, those of one that had the old ones. A file that is edited takes effect, one that is
no good changes nothing. What is counted before rules are applied is what then happens. Pinned tags outlast
a kill and a change of rules. Needs a real broker: PORTRAIT_TEST_BROKERS.

  live_rules_test.py PORTRAIT [--customers N] [--days N] [--seed N]
"""
import argparse
import json
import os
import random
import sys
import tempfile
import time

from portrait_process import Portrait, read_topic, real_brokers, run_command, write_config

# Without `until`, which would make the tags depend on what was before. The windows of events are named by both, so they go
# on over all changes: new ones would begin empty.
BOTH = """
- {tag: browsing, when: 'count(page_viewed, "7d", has(category)) >= 5'}
- {tag: left_cart, when: 'after(product_added, "2h", absent(order_completed))'}
- {tag: choosing, when: 'distinct(product_viewed.product_id, "30d") >= 6'}
"""
OLD = BOTH + """
- {tag: ordered, when: purchases.orders >= 1}
- {tag: quiet, when: now - tags.last_activity > days(20)}
- {tag: frequent, when: purchases.orders_90d >= 2}
"""
NEW = BOTH + """
- {tag: quiet, when: now - tags.last_activity > days(10)}
- {tag: frequent, when: purchases.orders_90d >= 3}
- {tag: reader, when: email.opened_90d >= 1}
"""


class Test:
    def __init__(self, arguments, brokers, folder):
        self.arguments, self.brokers, self.folder = arguments, brokers, folder
        self.name = f"rules{os.getpid()}"
        self.source = None  # a topic of its own; none: those of the default configuration, with what other tests left there

    def command(self, *words, succeeds=True):
        return run_command(self.arguments.portrait, *words, succeeds=succeeds)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def application(self, name, rules):
        application = f"{self.name}-{name}"
        more = {"sources": f"[{{topic: {self.source}}}]"} if self.source else {}
        config, port = write_config(self.folder, application, self.brokers, tags=f"{{rules: {self.write(name + '.rules.yaml', rules)}}}",
                                    checkpoint="{interval: 1s}", **more)
        self.command("topics", "--create", "--partitions", "2", "--config", config)
        log = open(self.path(name + ".log"), "wb")
        process = Portrait(self.arguments.portrait, config, port, log)
        process.application = application
        process.text = lambda: open(log.name, errors="replace").read()
        return process

    def tags(self, process):
        """customer -> the tags held; a tag that comes twice or goes without being there is an error."""
        held = {}
        for change in read_topic(self.brokers, f"{process.application}.tag-changes"):
            tags = held.setdefault(change["info"]["customer_id"], set())
            assert (change["tag"] in tags) == change.get("before", False), change
            (tags.add if change.get("after", False) else tags.remove)(change["tag"])
        return {customer: tags for customer, tags in held.items() if tags}

    def swept(self, process):
        process.wait_until_done()
        return process.total("portrait_rows_swept_total")

    def same(self, process, want, what):
        got = self.tags(process)
        differing = [c for c in got.keys() | want.keys() if got.get(c) != want.get(c)]
        print(f"{what}: {len(got)} customers with tags, want {len(want)}; {len(differing)} differing", flush=True)
        for customer in differing[:5]:
            print("  ", customer, got.get(customer), "want", want.get(customer))
        assert not differing and len(want) > 50

    def from_start(self, old, new):
        """The tags of runs that had these rules from the start, and how many records there are."""
        from_start = {name: self.application(name, rules) for name, rules in (("old", old), ("new", new))}
        self.generate(self.arguments.days, "2026-01-01", from_start["old"])
        return self.tags_from_start(from_start)

    def generate(self, days, to, process, seed=0):
        self.command("generate", "--customers", str(self.arguments.customers), "--days", str(days), "--to", to, "--seed",
                     str(self.arguments.seed + seed), *(["--topic", self.source] if self.source else []), "--config", process.config)

    def tags_from_start(self, from_start):
        want = {}
        for name, process in from_start.items():
            process.start()
            process.wait_until_done()
            assert "begins anew" not in process.text(), "the machine is too slow for this test"
            records = process.total("portrait_records_in_total")
            process.stop()
            want[name] = self.tags(process)
        assert want["old"] != want["new"]
        return want, records

    def run(self):
        want, records = self.from_start(OLD, NEW)
        live = self.application("live", OLD)
        live.start()
        live.wait_until(lambda: live.total("portrait_steps_total") >= 0.3 * records, "some of the records")
        new = self.write("new.yaml", NEW)
        self.command("rules", "apply", new, "--comment", "tried by a test", "--config", live.config)
        live.wait_until(lambda: live.total("portrait_rows_swept_total") > 0, "the sweep has begun")
        live.kill()
        live.start()
        live.wait_until_done()
        self.same(live, want["new"], "applied in a backlog, and killed while sweeping")
        assert "in force already" in self.command("rules", "apply", new, "--config", live.config)

        # Nobody comes any more: all are silent.
        self.count_is_right(live, want["new"], want["old"], "rollback")
        self.command("rules", "rollback", "--config", live.config)
        live.wait_until(lambda: live.text().count("rules come into force") >= 3, "the old rules are heard of")
        self.same_after_sweep(live, want["old"], "rolled back")

        file = self.write("live.rules.yaml", NEW + "- {tag: wrong, when: purchases.ordres > 1}\n")
        live.wait_until(lambda: live.total("portrait_rules_refused_total") >= 1, "the file is refused")
        assert "did you mean" in live.text() and file in live.text(), live.text()[-2000:]
        self.same(live, want["old"], "a file that is no good")
        self.write("live.rules.yaml", NEW)
        live.wait_until(lambda: live.text().count("rules come into force") >= 4, "the edited file is heard of")
        self.same_after_sweep(live, want["new"], "the file edited")
        self.pinned(live, want)
        history = self.command("rules", "history", "--config", live.config)
        print(history, end="")
        assert [line.split("  ")[2].split(" by ")[0] for line in history.splitlines()] == [
            "rolled back", "rolled back", "file", "rolled back", "applied", "file"]
        assert "tried by a test" in history
        print(f"stopped in {live.stop():.1f} s")

    def count_is_right(self, live, now, then, *words):
        time.sleep(3)  # until every row is written
        published = self.command("rules", "history", "--config", live.config)
        told = json.loads(self.command("rules", *words, "--dry-run", "--json", "--config", live.config))
        assert self.command("rules", "history", "--config", live.config) == published
        self.told_right(told, now, then)
        print(self.command("rules", *words, "--dry-run", "--config", live.config), end="")

    def told_right(self, told, now, then):
        """What is told about the change from these tags to those."""
        want, changing = {}, 0
        for customer in now.keys() | then.keys():
            had, has = now.get(customer, set()), then.get(customer, set())
            changing += had != has
            for side, tags in (("now", had), ("then", has), ("come", has - had), ("go", had - has)):
                for tag in tags:
                    want.setdefault(tag, dict.fromkeys(("now", "then", "come", "go"), 0))[side] += 1
        got = {tag: {side: count[side] for side in ("now", "then", "come", "go")} for tag, count in told["tags"].items()}
        print(f"counted before: {told['changing']} of {told['customers']} customers change: {got}", flush=True)
        assert told["changing"] == changing > 50 and got == want, (changing, want)

    def pinned(self, live, want):
        """Under the new rules; they are in force again at the end."""
        came = next(c for c, tags in sorted(want["new"].items()) if "frequent" not in tags)
        went = next(c for c, tags in sorted(want["new"].items()) if "frequent" in tags and c in want["old"])

        def with_pins(tags):
            tags = {customer: set(held) for customer, held in tags.items()}
            tags.setdefault(came, set()).add("frequent")
            tags[went].discard("frequent")
            return {customer: held for customer, held in tags.items() if held}

        refused = self.command("rules", "pin", came, "freqent", "--because", "so", "--config", live.config, succeeds=False)
        assert "did you mean frequent" in refused, refused
        assert "why?" in self.command("rules", "pin", came, "frequent", "--config", live.config, succeeds=False)
        print(self.command("rules", "pin", came, "frequent", "--because", "a friend", "--by", "kim", "--config", live.config), end="")
        print(self.command("rules", "pin", went, "frequent", "--absent", "--because", "buys for a company", "--by", "kim", "--config",
                           live.config), end="")
        live.kill()
        live.start()
        live.wait_until_done()
        self.same(live, with_pins(want["new"]), "pinned, and killed")
        change = [c for c in read_topic(self.brokers, f"{live.application}.tag-changes") if c["info"]["customer_id"] == came][-1]
        assert change["info"]["reasons"][0]["text"] == "frequent is PINNED by kim: a friend", change
        assert change["info"]["cause"]["event_kind"] == "tag_pinned", change
        self.command("rules", "rollback", "--no-count", "--config", live.config)
        self.same_after_sweep(live, with_pins(want["old"]), "rolled back under pins")
        time.sleep(3)  # until every row is written
        pins = self.command("rules", "pins", "--config", live.config)
        print(pins, end="")
        assert len(pins.splitlines()) == 2 and "by kim: a friend" in pins and "frequent absent" in pins
        assert self.command("rules", "pins", went, "--config", live.config) in pins
        for customer in (came, went):
            self.command("rules", "unpin", customer, "frequent", "--by", "lou", "--config", live.config)
        self.command("rules", "rollback", "--no-count", "--config", live.config)
        self.same_after_sweep(live, want["new"], "unpinned")

    def same_after_sweep(self, live, want, what):
        before = live.total("portrait_rows_swept_total")
        live.wait_until(lambda: live.total("portrait_rows_swept_total") > before, "rows are swept", 30)
        live.wait_until_done()
        self.same(live, want, what)


def main(test_class, outcome):
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    brokers = real_brokers()
    print("seed", arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        test = test_class(arguments, brokers, folder)
        try:
            test.run()
        except BaseException:
            for name in ("live.log", "old.log", "new.log"):
                if os.path.exists(test.path(name)):
                    print(f"---- {name}\n{open(test.path(name), errors='replace').read()[-4000:]}")
            raise
    print(outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main(Test, "rules change while it runs, and nobody is left behind"))
