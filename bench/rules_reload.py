#!/usr/bin/env python3
"""New rules while events flow: how long the sweep over all customers takes, and what it does to the latency of results.

    rules_reload.py BUILD [--events N] [--customers N] [--rate N] [--seconds N] [--rules N] [--after N]

Needs PORTRAIT_TEST_BROKERS, a broker without topics. Fills the rows of the whole chain, lets events flow at an even rate, of the moment
at which they go, brings N new rules into force beside the default ones, and waits until every row has been looked at. Prints what each
second was like, and the latencies before, during the sweep, and after.
"""
import argparse
import math
import os
import pathlib
import subprocess
import tempfile
import threading
import time

import at_wall_time

# Few customers meet one: what is measured is the judging of rows, not a flood of results.
CONDITIONS = ("purchases.spend_365d > {n}000 && purchases.orders >= {small}", "purchases.orders_90d > 2{n} || purchases.spend_365d > {n}500",
              "tags.days_since_activity >= 500 + {n}", "tags.days_known > 400 + {n} && purchases.orders >= {small}")
QUIET_S = 2  # without a row swept: it is over


def rules(count):
    return "".join(f"- tag: rule_{n}\n  about: One of many\n  when: {CONDITIONS[n % len(CONDITIONS)].format(n=n + 1, small=n % 5)}\n"
                   for n in range(count))


class Reload(threading.Thread):
    """Waits for the first event of the flow, and `after` seconds more; then applies the rules, and follows the sweep."""

    def __init__(self, chain, count, after):
        super().__init__(daemon=True)
        self.chain, self.after = chain, after
        self.path = chain.place.folder / "new.yaml"
        self.path.write_text(chain.rules + rules(count))
        self.flows = self.applied = self.over = self.swept = None

    def run(self):
        before = self.chain.process.total("portrait_records_in_total")
        while self.chain.process.total("portrait_records_in_total") == before:
            time.sleep(0.1)
        self.flows = time.time()
        time.sleep(self.after)
        # Not counted before, which would read the whole changelog on the processor that is measured here.
        subprocess.run([self.chain.program(), "rules", "apply", self.path, "--no-count", "--comment", "many", "--config",
                        self.chain.config()], check=True, stdout=subprocess.DEVNULL)
        self.applied = time.time()
        swept, since = 0, time.time()
        while time.time() - since < QUIET_S or swept == 0:
            time.sleep(0.1)
            now = self.chain.process.total("portrait_rows_swept_total")
            if now != swept:
                swept, since = now, time.time()
        self.swept, self.over = swept, since


def measure(arguments, folder, brokers):
    chain = at_wall_time.WholeChain(arguments, folder, brokers)
    chain.fill()
    chain.prepare()
    reload = Reload(chain, arguments.rules, arguments.after)
    by_second = chain.flow_beside(reload.start)
    if reload.over is None:
        raise SystemExit(f"the sweep was not over within {arguments.seconds:.0f} s of events")
    print(f"{reload.swept:.0f} rows swept by {arguments.rules} new rules in {reload.over - reload.applied:.1f} s")
    begin, end = math.floor(reload.applied - reload.flows), math.ceil(reload.over - reload.flows)
    at_wall_time.print_latencies(by_second, (("before", 5, begin), ("during the sweep", begin, end),
                                             ("after", end, len(by_second) - 1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    at_wall_time.add_arguments(parser)
    parser.add_argument("--rules", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portrait-reload-") as folder:
        measure(arguments, pathlib.Path(folder), os.environ["PORTRAIT_TEST_BROKERS"])


if __name__ == "__main__":
    main()
