#!/usr/bin/env python3
"""Models in the shadow, on a real broker. A service has them beside those in force from its first event on, and is killed in a
backlog: its alerts are those of a service without them, and what they would have raised is what a service raises that has
them in force from the start. Promoted, and killed while it sweeps, they are in force; others come and go without a trace. Needs
a real broker: PORTRAIT_TEST_BROKERS.

  shadow_models_test.py PORTRAIT [--customers N] [--days N] [--seed N]
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

from portrait_process import Portrait, folder_with_log, read_topic, real_brokers, run_command, write_config

OUTPUTS = ("tag-changes", "churn-alerts", "dead-letters", "churn-examples")


class Test:
    def __init__(self, arguments, brokers, folder, log):
        self.arguments, self.brokers, self.folder, self.log = arguments, brokers, folder, log
        self.name = f"shadowed{os.getpid()}"
        self.source = self.name + ".events"

    def command(self, *words, succeeds=True):
        return run_command(self.arguments.portrait, *words, succeeds=succeeds)

    def path(self, name):
        return os.path.join(self.folder, name)

    def application(self, name, **more):
        # Dropped contacts are looked at when something else happens, too, so a look more could tell them earlier.
        application = f"{self.name}-{name}"
        config, port = write_config(self.folder, application, self.brokers, outputs=OUTPUTS, checkpoint="{interval: 1s}",
                                    sources=f"[{{topic: {self.source}}}]", **more,
                                    churn="{horizon: 30d, examples: {every: 15d}, contacts: {usual: 30}}")
        self.command("topics", "--create", "--partitions", "2", "--config", config)
        process = Portrait(self.arguments.portrait, config, port, self.log)
        process.application = application
        return process

    def models(self, live, *words, succeeds=True):
        return self.command("models", *words, "--config", live.config, succeeds=succeeds)

    def generate(self, live, to, seed):
        self.command("generate", "--customers", str(self.arguments.customers), "--days", str(self.arguments.days), "--to", to,
                     "--seed", str(seed), "--topic", self.source, "--config", live.config)

    def alerts(self, process):
        return read_topic(self.brokers, f"{process.application}.churn-alerts")

    def raised(self, process):
        return sum(alert["phase"] in ("OPENED", "WORSENED") for alert in self.alerts(process))

    def through(self, process):
        process.start()
        process.wait_until_done()
        process.stop()
        return process

    def run(self):
        plain = self.application("plain")
        self.generate(plain, "2025-01-01", self.arguments.seed)
        self.through(plain)
        model = self.path("rows.json")
        self.command("fit", "--from-rows", "--config", plain.config, "--name", "rows", "--out", model)
        alone = self.through(self.application("alone", models=f"{{file: {model}}}"))
        live = self.shadowed(model)
        self.told_right(live, plain, alone)
        self.closed(live)
        self.promoted(live)
        self.gone(live)
        live.stop()

    def shadowed(self, model):
        live = self.application("live")
        refused = self.models(live, "promote", succeeds=False)
        assert "no models are in the shadow" in refused, refused
        assert "no order within 30d" not in self.models(live, "shadow", model, "--because", "tried by a test", "--by", "kim")
        assert "in the shadow already: rows@" in self.models(live, "shadow", model)
        live.start()
        went_out = f'portrait_records_out_total{{topic="{live.application}.churn-alerts"}}'
        live.wait_until(lambda: live.metrics().get(went_out, 0) >= 20, "some of the alerts")
        live.kill()
        live.start()
        live.wait_until_done()
        return live

    def report(self, live):
        time.sleep(3)  # until every row is written
        return json.loads(self.models(live, "shadow", "--report", "--json").splitlines()[-1])

    def told_right(self, live, plain, alone):
        def told(process):
            return sorted((a["info"]["customer_id"], a["info"]["event_time_us"], a["phase"], a["model"], a["probability"])
                          for a in self.alerts(process))
        assert told(live) == told(plain), "the shadow has changed an alert"
        report = self.report(live)
        print(report, flush=True)
        print(self.models(live, "shadow", "--report"), end="")
        assert report["swept"] == report["customers"] > 50 and report["comment"] == "tried by a test", report
        in_force, shadow = self.raised(plain), self.raised(alone)
        print(f"alerts raised: {in_force} in force, {shadow} by a service that has the others in force", flush=True)
        assert report["alerts"] == {"in_force": in_force, "shadow": shadow} and in_force != shadow, report
        assert sum(sum(row.values()) for row in report["bands"].values()) == report["customers"], report
        assert 0 < report["said_no_order"]["shadow"] != report["said_no_order"]["in_force"] > 0, report
        metrics = live.metrics()
        judged = live.total("portrait_shadow_judged_total")
        for by in ("in_force", "shadow"):
            said = metrics[f'portrait_shadow_said_no_order_total{{by="{by}"}}']
            assert 0 < said < judged, (by, said, judged)
        since_killed = {by: sum(metrics[f'portrait_shadow_alerts_total{{by="{by}",phase="{phase}"}}'] for phase in ("opened", "worsened"))
                        for by in ("in_force", "shadow")}
        assert 0 < since_killed["in_force"] < in_force and 0 < since_killed["shadow"] < shadow, since_killed

    def closed(self, live):
        """Both models are judged on what came."""
        examples = read_topic(self.brokers, f"{live.application}.churn-examples")
        assert examples and all(e["model"] == "mbg_nbd/cdnow" and e["shadow_model"].startswith("rows@") for e in examples)
        assert all(0 < e["shadow_probability"] < 1 for e in examples)
        trained = subprocess.run([self.arguments.portrait, "train", "--from-topic", "--config", live.config], capture_output=True, text=True)
        print(trained.stdout.split("learned churn")[0], end="", flush=True)
        rows = re.findall(r"^  in (force|the shadow) +(mbg_nbd/cdnow|rows@\w+) +0\.\d+  0\.\d+", trained.stdout, re.MULTILINE)
        assert [where for where, _ in rows] == ["force", "the shadow"], trained
        counted = [key for key in live.metrics() if key.startswith("portrait_churn_examples_total")]
        assert any("rows@" in key for key in counted) and any("cdnow" in key for key in counted), counted

    def promoted(self, live):
        before = {alert["info"]["id"] for alert in self.alerts(live)}
        swept = live.total("portrait_rows_swept_total")
        assert "models rows@" in self.models(live, "promote", "--because", "it did well")
        live.wait_until(lambda: live.total("portrait_rows_swept_total") > swept, "the sweep has begun")
        live.kill()
        self.generate(live, "2025-06-01", self.arguments.seed + 1)
        live.start()
        live.wait_until_done()
        alerts = self.alerts(live)
        assert len(alerts) == len({alert["info"]["id"] for alert in alerts}), "an alert stands twice"
        since = [alert for alert in alerts if alert["info"]["id"] not in before]
        print(f"{len(since)} alerts since the models were promoted", flush=True)
        assert len(since) > 50 and all(alert["model"].startswith("rows@") for alert in since)
        assert "no models are in the shadow" in self.models(live, "shadow", "--report", succeeds=False)
        assert live.total("portrait_shadow_judged_total") == 0

    def gone(self, live):
        """Others come into the shadow while it runs, and go."""
        fitted = self.path("others.json")
        self.command("fit", "--from-rows", "--config", live.config, "--name", "others", "--out", fitted)
        assert "in force" in self.models(live, "shadow", self.path("rows.json"), succeeds=False)
        self.models(live, "shadow", fitted)
        live.wait_until(lambda: live.total("portrait_shadow_judged_total") > 0, "every customer is judged by both")
        live.wait_until_done()
        report = self.report(live)
        assert report["swept"] == report["customers"] == live.total("portrait_shadow_judged_total"), report
        assert report["models"].startswith("others@") and report["in_force"].startswith("rows@"), report
        assert report["alerts"]["in_force"] == 0, report
        self.models(live, "shadow", "--stop", "--because", "enough")
        swept = live.total("portrait_rows_swept_total")
        live.wait_until(lambda: live.total("portrait_rows_swept_total") > swept, "what it has left is taken away")
        live.wait_until_done()
        history = self.models(live, "history")
        print(history, end="")
        said = [re.search(r"(shadow ended|shadow|promoted) by", line).group(1) for line in history.splitlines()]
        assert said == ["shadow ended", "shadow", "promoted", "shadow"], history
        assert [" in force" in line for line in history.splitlines()] == [False, False, True, False], history


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    brokers = real_brokers()
    with folder_with_log() as (folder, log):
        Test(arguments, brokers, folder, log).run()
    print("models in the shadow change nothing, do what they do in force, and are in force once promoted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
