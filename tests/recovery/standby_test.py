#!/usr/bin/env python3
"""Two processes, each with a warm standby of the other's partitions; one is killed and stays away. The other takes over
with what it has at hand: it restores next to nothing, and goes on with the events that come then. Needs a real broker:
PORTRAIT_TEST_BROKERS.

  standby_test.py PORTRAIT [--customers N]
"""
import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time

from portrait_process import Portrait, real_brokers, recoveries, write_config


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=3000)
    arguments = parser.parse_args()
    brokers = real_brokers()
    with tempfile.TemporaryDirectory() as folder:
        run = f"standby{os.getpid()}"
        logs = {name: os.path.join(folder, name + ".log") for name in ("a", "b")}
        processes = [prepare(arguments, brokers, folder, run, name, log) for name, log in logs.items()]
        try:
            take_over(arguments, *processes, logs)
        except BaseException:
            for name, path in logs.items():
                print(f"---- {name}\n{open(path, errors='replace').read()[-4000:]}")
            raise
    return 0


def prepare(arguments, brokers, folder, run, name, log):
    os.makedirs(os.path.join(folder, name))
    config, port = write_config(os.path.join(folder, name), run, brokers, instance=f"{{id: {run}-{name}}}",
                                standby="{replicas: 1}", checkpoint="{interval: 3s}", session="{timeout: 6s}", transaction="{timeout: 5s}")
    return Portrait(arguments.portrait, config, port, open(log, "wb"))


def portrait(arguments, *words):
    subprocess.run([arguments.portrait, *words], check=True, stdout=subprocess.DEVNULL)


def generate(arguments, config, to):
    # Not the events of another test, which are in the same topics: with their ids, results would have their ids too.
    seed = str(random.randrange(1 << 30))
    print("seed", seed, flush=True)
    portrait(arguments, "generate", "--customers", str(arguments.customers), "--days", "60", "--to", to, "--seed", seed,
             "--config", config)


def lags(process):
    return [v for k, v in process.metrics().items() if k.startswith("portrait_standby_lag_records")]


def running(process):
    return process.metrics().get('portrait_tasks{state="running"}', 0)


def wait(condition, what, seconds=90):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def take_over(arguments, a, b, logs):
    portrait(arguments, "topics", "--create", "--partitions", "2", "--config", a.config)  # or what there is
    a.start()
    b.start()
    partitions = lambda: next(map(int, re.findall(r"partitions=(\d+) workers", open(logs["a"]).read())), 0)  # noqa: E731
    wait(lambda: partitions() > 0 and running(a) + running(b) == partitions() and running(a) and running(b),
         "both have partitions")
    owned_by_b, owned_by_a = running(b), running(a)
    generate(arguments, a.config, "2026-01-01")
    a.wait_until_done()
    b.wait_until_done()
    # Rows are written for as long as checkpoint.interval after the last event.
    wait(lambda: b.metrics()["portrait_rows_written_total"] >= arguments.customers / 4, "b has written rows", 20)
    wait(lambda: lags(a) == [0] * int(owned_by_b) and lags(b) == [0] * int(owned_by_a), "each follows the other's partitions to the end")
    rows = b.metrics()["portrait_rows_written_total"]
    print(f"rows written by b: {rows:.0f}")

    b.kill()
    killed = time.time()
    already = len(recoveries(open(logs["a"]).read()))
    wait(lambda: running(a) == partitions(), "a has all partitions")
    took = time.time() - killed
    recovered = recoveries(open(logs["a"]).read())[already:]
    assert len({r.partition for r in recovered}) == len(recovered) == owned_by_b, recovered
    restored = sum(r.rows_restored for r in recovered)
    print(f"taken over {took:.1f} s after the kill (session time-out 6 s); recovery of each:",
          ", ".join(f"{r.seconds:.2f} s, {r.rows_restored} rows restored, {r.steps_replayed} steps replayed" for r in recovered))
    # What b wrote in its last moments may not have been followed yet.
    assert restored <= rows / 10, f"{restored} rows restored of {rows:.0f}"

    steps = a.metrics()["portrait_steps_total"]
    generate(arguments, a.config, "2026-02-01")
    a.wait_until_done()
    assert a.metrics()["portrait_steps_total"] > steps
    print(f"and went on: {a.metrics()['portrait_steps_total'] - steps:.0f} steps; stopped in {a.stop():.1f} s")


if __name__ == "__main__":
    sys.exit(main())
