#!/usr/bin/env python3
"""A model of churn is learned from the stream itself, on a real broker. Examples are collected, also over a kill, each once and
with nothing from after its horizon; `portrait train` learns from the topic and from a file, with the same result; the service
restarted with it writes alerts by the learned model, whose reasons add up to the score. Applied while the service runs, which
is killed while it sweeps, it is in force for every customer from there on, until it is rolled back. Needs a real broker:
PORTRAIT_TEST_BROKERS.

  learned_churn_test.py PORTRAIT [--customers N] [--days N] [--seed N]
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

from portrait_process import Portrait, folder_with_log, read_topic, real_brokers, run_command, write_config

HORIZON_DAYS = 30
DAY_US = 86_400_000_000
OUTPUTS = ("tag-changes", "churn-alerts", "dead-letters", "churn-examples")


class Test:
    def __init__(self, arguments, brokers, folder, log):
        self.arguments, self.brokers, self.folder, self.log = arguments, brokers, folder, log
        self.name = f"learned{os.getpid()}"
        self.source = self.name + ".events"

    def path(self, name):
        return os.path.join(self.folder, name)

    def command(self, *words, succeeds=True):
        return run_command(self.arguments.portrait, *words, succeeds=succeeds)

    def service(self, horizon=HORIZON_DAYS, **more):
        config, port = write_config(self.folder, self.name, self.brokers, outputs=OUTPUTS, checkpoint="{interval: 1s}",
                                    sources=f"[{{topic: {self.source}}}]",
                                    churn=f"{{horizon: {horizon}d, examples: {{every: 15d}}}}", **more)
        return Portrait(self.arguments.portrait, config, port, self.log)

    def generate(self, service, to, seed):
        self.command("generate", "--customers", str(self.arguments.customers), "--days", str(self.arguments.days), "--to", to,
                     "--seed", str(seed), "--topic", self.source, "--config", service.config)

    def collect(self):
        service = self.service()
        self.command("topics", "--create", "--partitions", "2", "--config", service.config)
        self.generate(service, "2024-07-01", self.arguments.seed)
        service.start()
        service.wait_until(lambda: service.total("portrait_steps_total") >= 3000, "some of the records")
        service.kill()
        service.start()
        service.wait_until_done()
        counted = {what: service.total(f"portrait_churn_examples_{what}total") for what in ("", "no_order_", "said_no_order_")}
        print(f"closed since the restart: {counted}", flush=True)
        assert counted[""] > 200 and 0 < counted["no_order_"] < counted[""] and 0 < counted["said_no_order_"] < counted[""], counted
        service.stop()
        return service

    def check_examples(self):
        examples = read_topic(self.brokers, f"{self.name}.churn-examples")
        places = {(e["info"]["customer_id"], e["origin_us"]) for e in examples}
        print(f"{len(examples)} examples of {len({c for c, _ in places})} customers, "
              f"{sum(e.get('no_order', False) for e in examples)} without an order", flush=True)
        assert len(examples) == len(places) > 200, "an example stands twice, or there are too few"
        assert {e.get("no_order", False) for e in examples} == {True, False}
        for example in examples:
            closed = int(example["info"]["event_time_us"])
            assert closed == int(example["origin_us"]) + HORIZON_DAYS * DAY_US, example
            assert len(example["features"]) == 25 and 0 < example["probability"] < 1, example
            assert example["model"] == "mbg_nbd/cdnow", example

    def fit_rows(self, service):
        """Models fitted to the rows: of the customers that the rows have, and such as the service can go by."""
        out = self.path("rows.json")
        shown = self.command("fit", "--from-rows", "--config", service.config, "--name", "rows", "--out", out)
        print(shown, end="")
        table, _ = self.customers(service, "purchases.occasions")
        days = [int(occasions) for occasions in table.values() if int(occasions) > 0]
        found = re.search(r"^(\d+) customers, (\d+) of them with repeats, (\d+) purchase days", shown).groups()
        assert [int(number) for number in found] == [len(days), sum(one > 1 for one in days), sum(days)], (found, len(days))
        assert re.search(r"Gamma-Gamma  p [\d.]+  q [\d.]+  v [\d.]+", shown) and f"from {self.name}.changelog" in shown, shown
        assert "rows do not tell how customers stood before" in self.command("models", "show", out)
        for words in (["--until", "2024-06-01"], ["--horizon", "30d"]):
            assert "does not go with --from-rows" in self.command("fit", "--from-rows", *words, "--config", service.config,
                                                                  succeeds=False)
        assert "--from-rows" in self.command("fit", "--config", service.config, succeeds=False)
        return out

    def train(self, service):
        by_topic, by_file, jsonl = self.path("topic.json"), self.path("file.json"), self.path("examples.jsonl")
        shown = self.command("train", "--from-topic", "--config", service.config, "--name", "shop", "--out", by_topic)
        print(shown)
        assert re.search(r"better than what was said: (regression|trees), by", shown), shown
        assert re.search(r"^  trees +mean of \d windows", shown, re.M), shown
        alone = self.command("train", "--from-topic", "--config", service.config, "--learn", "regression", "--name", "shop",
                             "--out", self.path("regression.json"))
        assert "no trees: they were not asked for" in alone and not re.search(r"^  trees", alone, re.M), alone
        with open(jsonl, "w") as file:
            subprocess.run([self.arguments.portrait, "tail", "churn-examples", "--from-beginning", "--exit", "--json", "--config",
                            service.config], check=True, stdout=file)
        self.command("train", "--examples", jsonl, "--config", service.config, "--name", "shop", "--out", by_file)
        assert open(by_topic).read() == open(by_file).read(), "the same examples gave another model"
        assert "learned churn, version 1" in self.command("models", "show", by_topic)
        self.declined(service, jsonl)
        return by_topic

    def declined(self, service, jsonl):
        """Where what was said is the truth itself, nothing can be better, and nothing is written."""
        perfect, out = self.path("perfect.jsonl"), self.path("declined.json")
        with open(jsonl) as file, open(perfect, "w") as told:
            for line in file:
                example = json.loads(line)
                example["probability"] = 0.999 if example["no_order"] else 0.001
                told.write(json.dumps(example) + "\n")
        done = subprocess.run([self.arguments.portrait, "train", "--examples", perfect, "--config", service.config, "--out", out],
                              capture_output=True, text=True)
        assert done.returncode == 3 and "not better" in done.stderr and not os.path.exists(out), done

    def alerts_by_learned(self, model):
        wrong = self.service(horizon=60, models=f"{{file: {model}}}")
        assert "no order within 30d" in self.command("check", wrong.config, succeeds=False)
        service = self.service(models=f"{{file: {model}}}")
        before = len(read_topic(self.brokers, f"{self.name}.churn-alerts"))
        self.generate(service, "2025-04-01", self.arguments.seed + 1)
        service.start()
        service.wait_until_done()
        service.stop()
        alerts = [a for a in read_topic(self.brokers, f"{self.name}.churn-alerts") if re.match("shop@", a.get("model", ""))]
        print(f"{before} alerts before, {len(alerts)} by the learned model", flush=True)
        assert len(alerts) > 50, "hardly any alert"
        for alert in alerts:
            if alert.get("last_order_us", "0") == "0":
                continue
            total = sum(reason.get("contribution", 0) for reason in alert["info"]["reasons"])
            assert abs(total - alert.get("score", 0)) < 1e-6, alert
            assert any(", usually " in reason.get("text", "") for reason in alert["info"]["reasons"]), alert
        said = [e for e in read_topic(self.brokers, f"{self.name}.churn-examples") if e["model"].startswith("shop@")]
        assert said, "no example says what the learned model said"
        print(self.command("tail", "churn-alerts", "--from-beginning", "--exit", "--config", service.config).splitlines()[-1])

    def customers(self, service, feature):
        """customer -> the feature, and the models that it goes by."""
        lines = self.command("customers", "--features", feature, "--config", service.config).splitlines()
        models = lines[0].removeprefix("by the models ")
        assert lines[1] == f"customer,{feature}", lines[:2]
        return dict(line.split(",") for line in lines[2:]), models

    def told_by(self, service, models):
        """What commands tell goes by these models, which are in force; and `customers` tells what they say."""
        said, by = self.customers(service, "predictions.no_order")
        assert by.split("@")[0] == models, by
        somebody = next(customer for customer, no_order in said.items() if no_order)
        told = self.command("explain", somebody, "dormant", "--config", service.config)
        assert f"by the models {by}" in told, told
        rules = self.path("by_models.yaml")
        with open(rules, "w") as file:
            file.write("- {tag: leaving, when: predictions.no_order >= 0.9}\n")
        compared = json.loads(self.command("rules", "diff", "in-force", rules, "--json", "--config", service.config).splitlines()[-1])
        counted = json.loads(self.command("rules", "apply", rules, "--dry-run", "--json", "--config", service.config).splitlines()[-1])
        assert compared["models"] == counted["models"] == by, (compared["models"], counted["models"], by)
        return said, compared["tags"]["leaving"]["new"]

    def logged(self):
        self.log.flush()
        return open(self.log.name, errors="replace").read()

    def alerts(self):
        """id -> alert, those of a customer in their order; one that stands twice is an error."""
        alerts = read_topic(self.brokers, f"{self.name}.churn-alerts")
        by_id = {alert["info"]["id"]: alert for alert in alerts}
        assert len(by_id) == len(alerts), "an alert stands twice"
        return by_id

    def alerts_since(self, before):
        return [alert for name, alert in self.alerts().items() if name not in before]

    def check_order(self, alerts, then, what):
        """Of each customer, alerts by other models come before those by `then`."""
        gone_over, by = set(), {}
        for alert in alerts:
            customer, model = alert["info"]["customer_id"], alert["model"].split("@")[0]
            by[model, alert["info"]["origin"]] = by.get((model, alert["info"]["origin"]), 0) + 1
            if model == then:
                gone_over.add(customer)
            assert model == then or customer not in gone_over, f"{what}: goes back: {alert}"
        print(f"{what}: {by}", flush=True)
        return by

    def swept_after(self, service, *words):
        """Runs the command, and waits until the sweep that it sets off has begun."""
        before = service.total("portrait_rows_swept_total")
        print(self.command("models", *words, "--config", service.config), end="")
        service.wait_until(lambda: service.total("portrait_rows_swept_total") > before, "the sweep has begun")

    def applied_live(self, model):
        wrong = self.service(horizon=60)
        refused = self.command("models", "apply", model, "--config", wrong.config, succeeds=False)
        assert "no order within 30d" in refused, refused
        service = self.service()
        assert "nothing" in self.command("models", "rollback", "--config", service.config, succeeds=False)
        before = self.alerts().keys()
        self.generate(service, "2026-01-01", self.arguments.seed + 2)
        service.start()
        service.wait_until(lambda: service.total("portrait_steps_total") >= 3000, "some of the records")
        self.swept_after(service, "apply", model, "--author", "kim", "--comment", "better in June")
        service.kill()
        service.start()
        service.wait_until_done()
        assert re.search(r"models in force models=shop@\w+ control_position=[1-9]", self.logged()), "the start does not name them"
        by = self.check_order(self.alerts_since(before), "shop", "applied in a backlog, and killed while sweeping")
        assert by.get(("shop", "LIVE"), 0) + by.get(("shop", "TIMER"), 0) > 50 and by.get(("shop", "SWEEP"), 0) > 0, by
        assert "in force already: shop@" in self.command("models", "apply", model, "--config", service.config)
        time.sleep(3)  # until every row is written
        self.rolled_back(service, *self.told_by(service, "shop"))

    def rolled_back(self, service, said_by_shop, leaving_by_shop):
        before = self.alerts().keys()
        self.swept_after(service, "rollback", "--author", "lou")
        service.wait_until_done()
        service.stop()
        said, leaving = self.told_by(service, "mbg_nbd/cdnow")
        differing = sum(said_by_shop[customer] != no_order for customer, no_order in said.items())
        print(f"{differing} of {len(said)} customers have another probability; leaving: {leaving_by_shop} and {leaving}", flush=True)
        assert said.keys() == said_by_shop.keys() and differing > 50 and leaving != leaving_by_shop
        self.generate(service, "2026-10-01", self.arguments.seed + 3)
        service.start()
        service.wait_until_done()
        by = self.check_order(self.alerts_since(before), "mbg_nbd/cdnow", "rolled back")
        assert sum(count for (model, _), count in by.items() if model != "shop") > 50, by
        history = self.command("models", "history", "--config", service.config)
        print(history, end="")
        told = [re.search(r"(\S+) by (\w+): ", line).groups() for line in history.splitlines()]
        assert told == [("back", "lou"), ("applied", "kim")] and "better in June" in history, told
        assert "mbg_nbd/cdnow in force" in history and "shop@" in history
        rules = self.command("rules", "history", "--config", service.config)
        assert len(rules.splitlines()) == 1 and " in force  " in rules, rules
        service.stop()

    def run(self):
        service = self.collect()
        self.check_examples()
        rows = self.fit_rows(service)
        model = self.train(service)
        self.alerts_by_learned(model)
        self.applied_live(self.path("regression.json"))
        service = self.service()
        assert "models rows@" in self.command("models", "apply", rows, "--config", service.config)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=700)
    parser.add_argument("--days", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    brokers = real_brokers()
    with folder_with_log() as (folder, log):
        Test(arguments, brokers, folder, log).run()
    print("a model of churn was learned from the stream, and alerts go by it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
