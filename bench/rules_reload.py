#!/usr/bin/env python3
"""New rules while events flow: how long the sweep over all customers takes, and what it does to the latency of results.

    rules_reload.py PORTRAIT [--customers N] [--days N] [--rules N] [--share S]

Needs PORTRAIT_TEST_BROKERS. Fills the rows, lets events flow at a share of what the engine can take, brings N new rules into force in
addition to the default ones, and waits until every row has been looked at.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "recovery"))
from committed_results import CommittedResults, quantile  # noqa: E402
from portrait_process import Portrait, write_config  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
# Few customers meet one: what is measured is the judging of rows, not a flood of results.
CONDITIONS = ("purchases.spend_365d > {n}000 && purchases.orders >= {small}", "purchases.orders_90d > 2{n} || purchases.spend_365d > {n}500",
              "tags.days_since_activity >= 500 + {n}", "tags.days_known > 400 + {n} && purchases.orders >= {small}")


def rules(count):
    return "".join(f"- tag: rule_{n}\n  about: One of many\n  when: {CONDITIONS[n % len(CONDITIONS)].format(n=n + 1, small=n % 5)}\n"
                   for n in range(count))


def command(arguments, *words):
    subprocess.run([arguments.portrait, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(arguments, folder, brokers):
    run = f"reload{os.getpid()}"
    in_force, new = os.path.join(folder, "tags.yaml"), os.path.join(folder, "new.yaml")
    with open(os.path.join(ROOT, "deploy/tags.yaml")) as default, open(in_force, "w") as copy:
        copy.write(default.read())
    with open(new, "w") as file:
        file.write(open(in_force).read() + rules(arguments.rules))
    config, port = write_config(folder, run, brokers, sources=f"[{{topic: {run}.events, format: protobuf}}]", tags=f"{{rules: {in_force}}}", memory=f"{{limit: {arguments.memory}}}")
    command(arguments, "topics", "--create", "--partitions", "2", "--config", config)
    command(arguments, "generate", "--customers", str(arguments.customers), "--days", str(arguments.days), "--to", "2026-01-01",
            "--topic", f"{run}.events", "--config", config)
    process = Portrait(arguments.portrait, config, port, open(os.path.join(folder, "log"), "ab"))
    process.start()
    process.wait_until(lambda: process.total("portrait_steps_total") > 1000, "steps")
    begin, steps = time.time(), process.total("portrait_steps_total")
    process.wait_until_done(3600)
    full = (process.total("portrait_steps_total") - steps) / (time.time() - begin - 1.5)  # it looks for quiet as long
    rate = full * arguments.share
    results = CommittedResults(arguments.portrait, config)
    feed = subprocess.Popen([arguments.portrait, "generate", "--customers", str(arguments.customers), "--days", "60", "--to", "2026-03-02",
                             "--rate", str(rate), "--topic", f"{run}.events", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    swept = lambda: process.total("portrait_rows_swept_total")
    try:
        time.sleep(8)
        before = (time.time(), time.time() + arguments.seconds)
        time.sleep(arguments.seconds + 1)
        began = time.time()
        command(arguments, "rules", "apply", new, "--comment", "many", "--config", config)
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
        assert feed.poll() is None, "the events ended before the measurement"
    finally:
        feed.kill()
        feed.wait()
    time.sleep(1)
    results.close()
    process.stop()
    print(f"{last:.0f} rows swept by {arguments.rules} new rules in {since - began:.1f} s (from the command on), while {rate:.0f} events/s came, "
          f"{arguments.share:.0%} of {full:.0f}", flush=True)
    for label, found in zip(("before", "during the sweep", "after"), results.latencies(brokers, (before, during, after))):
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
