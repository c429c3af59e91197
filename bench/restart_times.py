#!/usr/bin/env python3
"""How long the whole chain stands still when its process dies, on a real broker: after `kill -9` with the rows on the
local disk, after a clean stop, and where another process with a warm standby takes over.

  restart_times.py PORTRAIT [--customers N] [--days N] [--rate N]

Needs PORTRAIT_TEST_BROKERS. "Processing again" is the first step counted by /metrics that is not replay; seconds from the
start of the new process, or for the take-over from the first line in its log that tells of the new partitions.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "recovery"))
from portrait_process import Portrait, recoveries, write_config  # noqa: E402

POLL = 0.02


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.brokers = os.environ["PORTRAIT_TEST_BROKERS"]
        self.run = f"restart{os.getpid()}"
        self.processes = []

    def command(self, *words):
        subprocess.run([self.arguments.portrait, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)

    def process(self, name):
        os.makedirs(os.path.join(self.folder, name))
        config, port = write_config(os.path.join(self.folder, name), self.run, self.brokers,
                                    instance=f"{{id: {self.run}-{name}}}", memory="{limit: 2GB}", standby="{replicas: 1}")
        log = open(os.path.join(self.folder, name + ".log"), "ab")
        self.processes.append(Portrait(self.arguments.portrait, config, port, log))
        return self.processes[-1]

    def generate(self, config, customers, days, to, seed, *more):
        return [self.arguments.portrait, "generate", "--customers", str(customers), "--days", str(days), "--to", to,
                "--seed", str(seed), "--config", config, *more]

    def log(self, process):
        return open(process.log.name, errors="replace").read()

    def back_after(self, process, what):
        """Starts it; seconds until it processes again."""
        told = len(recoveries(self.log(process)))
        began = time.time()
        process.start()
        process.wait_until(lambda: process.total("portrait_steps_total") > 0, "steps", pause=POLL)
        took = time.time() - began
        found = recoveries(self.log(process))[told:]
        replayed = sum(r.steps_replayed for r in found)
        print(f"{what}: processing again {took:.2f} s after the start; {replayed} steps replayed, "
              f"{sum(r.rows_restored for r in found)} rows restored, partitions in "
              + ", ".join(f"{r.seconds:.2f} s" for r in found), flush=True)


def measure(bench):
    arguments = bench.arguments
    a = bench.process("a")
    bench.command("topics", "--create", "--partitions", "2", "--config", a.config)
    print(f"events of {arguments.customers} customers over {arguments.days} days ...", flush=True)
    subprocess.run(bench.generate(a.config, arguments.customers, arguments.days, "2026-01-01", 1), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    a.start()
    a.wait_until_done(seconds=3600)
    print(f"{a.total('portrait_steps_total'):.0f} steps, {a.total('portrait_rows_written_total'):.0f} row images", flush=True)
    print(f"clean stop in {a.stop():.1f} s", flush=True)

    # A steady stream, so that there is something to be late for; then one as fast as it goes.
    feed = subprocess.Popen(bench.generate(a.config, arguments.customers, 30, "2026-02-01", 2, "--rate", str(arguments.rate)),
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    def tasks(process, *states):
        metrics = process.metrics()
        return sum(metrics.get(f'portrait_tasks{{state="{state}"}}', 0) for state in states)

    try:
        bench.back_after(a, "clean stop")
        # Longer than checkpoint.interval: the tail is as long as it gets.
        a.wait_until(lambda: a.total("portrait_steps_total") > 20 * arguments.rate, "a steady stream", 300)
        a.kill()
        bench.back_after(a, f"kill -9 at {arguments.rate} events/s")
        b = bench.process("b")
        b.start()
        b.wait_until(b.ready, "b ready", 120)
        time.sleep(5)
        b.wait_until(lambda: b.total("portrait_steps_total") > 0 and max(standby_lags(b), default=1) < 100, "b follows", 300)
        time.sleep(60)  # RocksDB still merges what the restore brought; a standby that is warm has done that long ago
        told = len(recoveries(bench.log(b)))
        assert tasks(b, "running") == 1, b.metrics()
        a.kill()
        killed = time.time()
        assigned = None
        while tasks(b, "running") < 2 or len(recoveries(bench.log(b))) == told:
            if assigned is None and tasks(b, "restoring", "running") >= 2:
                assigned = time.time()
            time.sleep(POLL)
        back = time.time()
        found = recoveries(bench.log(b))[told:]
        print(f"take-over by a warm standby: running {back - killed:.1f} s after the kill (session time-out 10 s), "
              f"{back - (assigned or back):.2f} s after the assignment; "
              + ", ".join(f"{r.seconds:.2f} s, {r.rows_restored} rows restored, {r.steps_replayed} steps replayed" for r in found),
              flush=True)
        b.stop()
    finally:
        feed.kill()
        feed.wait()
    subprocess.run(bench.generate(a.config, arguments.customers, 1, "2026-02-02", 3), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    a.start()
    a.wait_until(lambda: a.total("portrait_steps_total") > arguments.customers / 2, "half-way through a backlog", 600)
    a.kill()
    bench.back_after(a, "kill -9 in a backlog, at full speed")
    a.stop()


def standby_lags(process):
    return [v for k, v in process.metrics().items() if k.startswith("portrait_standby_lag_records")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=1_200_000)
    parser.add_argument("--days", type=float, default=3)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--folder", default=None)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(dir=arguments.folder)
    bench = Bench(arguments, folder)
    try:
        measure(bench)
    except BaseException:
        for process in bench.processes:
            print(f"---- {process.log.name}\n{bench.log(process)[-3000:]}")
        raise
    finally:
        for process in bench.processes:
            process.kill_if_alive()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
