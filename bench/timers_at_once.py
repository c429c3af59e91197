#!/usr/bin/env python3
"""A moment at which every customer's tags change: what a million timers due at the same second do to the latency of results.

    timers_at_once.py BUILD [--events N] [--customers N] [--rate N] [--seconds N] [--after N]

Needs PORTRAIT_TEST_BROKERS, a broker without topics. Fills the rows of the whole chain, and lets events flow at an even rate, of the
moment at which they go. A rule names a moment, `after` seconds from then: each customer gets a tag at it. Prints what each second was
like, and the latencies before the first result of a timer, meanwhile, and after the last.
"""
import argparse
import datetime
import os
import pathlib
import tempfile
import time

import at_wall_time


def storm(by_second):
    """The first and the last second in which timers had more to say than before: those above a tenth of the most."""
    others = [other for _, _, other in by_second]
    busy = [second for second, other in enumerate(others) if other > max(others) / 10]
    return busy[0], busy[-1]


def measure(arguments, folder, brokers):
    chain = at_wall_time.WholeChain(arguments, folder, brokers)
    chain.fill()
    # The rows have to be there before: as the rule is known from the start, so is its moment.
    until_flow = arguments.fill_seconds + at_wall_time.READY_S + arguments.after
    moment = time.time() + until_flow
    at = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    chain.rules += f"- tag: moment\n  about: The moment has come\n  when: now >= timestamp('{at}')\n"
    chain.prepare()
    by_second = chain.flow_beside(
        lambda: time.sleep(max(0.0, moment - arguments.after - at_wall_time.READY_S - time.time())))
    first, last = storm(by_second)
    print(f"{sum(other for _, _, other in by_second)} results of timers in seconds {first} to {last}")
    at_wall_time.print_latencies(by_second, (("before", 5, first), ("meanwhile", first, last + 1),
                                             ("after", last + 1, len(by_second) - 1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    at_wall_time.add_arguments(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portrait-timers-") as folder:
        measure(arguments, pathlib.Path(folder), os.environ["PORTRAIT_TEST_BROKERS"])


if __name__ == "__main__":
    main()
