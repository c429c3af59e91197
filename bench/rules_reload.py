#!/usr/bin/env python3
"""New rules while events flow: how long the sweep over all customers takes, and what it does to the latency of results.

    rules_reload.py PORTRAIT [--customers N] [--days N] [--rules N] [--share S]

Needs PORTRAIT_TEST_BROKERS. Fills the rows, lets events flow at a share of what the engine can take, brings N new rules into force in
addition to the default ones, and waits until every row has been looked at.
"""
import argparse
import os
import tempfile
import time

from committed_results import quantile
from flow import Flow

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
# Few customers meet one: what is measured is the judging of rows, not a flood of results.
CONDITIONS = ("purchases.spend_365d > {n}000 && purchases.orders >= {small}", "purchases.orders_90d > 2{n} || purchases.spend_365d > {n}500",
              "tags.days_since_activity >= 500 + {n}", "tags.days_known > 400 + {n} && purchases.orders >= {small}")


def rules(count):
    return "".join(f"- tag: rule_{n}\n  about: One of many\n  when: {CONDITIONS[n % len(CONDITIONS)].format(n=n + 1, small=n % 5)}\n"
                   for n in range(count))


def measure(arguments, folder, brokers):
    in_force, new = os.path.join(folder, "tags.yaml"), os.path.join(folder, "new.yaml")
    with open(os.path.join(ROOT, "deploy/tags.yaml")) as default, open(in_force, "w") as copy:
        copy.write(default.read())
    with open(new, "w") as file:
        file.write(open(in_force).read() + rules(arguments.rules))
    flow = Flow(arguments.portrait, folder, brokers, f"reload{os.getpid()}", arguments.customers, arguments.days,
                tags=f"{{rules: {in_force}}}", memory=f"{{limit: {arguments.memory}}}")
    process = flow.process
    swept = lambda: process.total("portrait_rows_swept_total")
    with flow.at(arguments.share):
        before = (time.time(), time.time() + arguments.seconds)
        time.sleep(arguments.seconds + 1)
        began = time.time()
        flow.command("rules", "apply", new, "--comment", "many", "--config", flow.config)
        process.wait_until(lambda: swept() > 0, "the sweep's begin", 60)
        last, since = swept(), time.time()
        while time.time() - since < 2:
            time.sleep(0.1)
            if swept() != last:
                last, since = swept(), time.time()
        during = (began, since)
        time.sleep(2)
        after = (time.time(), time.time() + arguments.seconds)
        time.sleep(arguments.seconds + 1)
    print(f"{last:.0f} rows swept by {arguments.rules} new rules in {since - began:.1f} s (from the command on), while {flow.rate:.0f} events/s came, "
          f"{arguments.share:.0%} of {flow.full:.0f}", flush=True)
    for label, found in zip(("before", "during the sweep", "after"), flow.results.latencies(brokers, (before, during, after))):
        print(f"  results {label}: {len(found)}, p50 {1e3 * quantile(found, .5):.0f} ms, p99 {1e3 * quantile(found, .99):.0f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--share", type=float, default=0.25)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--memory", default="2GB")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portrait-reload-") as folder:
        measure(arguments, folder, os.environ["PORTRAIT_TEST_BROKERS"])


if __name__ == "__main__":
    main()
