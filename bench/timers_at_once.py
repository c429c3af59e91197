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
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench/comparison"))
import contenders  # noqa: E402
from measure import run  # noqa: E402

READY_S = 15  # from the start of the flow's command until events flow, about: it passes over those that were sent before
STEP_US = 200_000  # between two events of the history


class WholeChain(contenders.PortraitFull):
    """On wall time, with one rule more."""
    clock = "wall"
    moment = 0.0

    def settings(self):
        rules = self.place.folder / "tags.yaml"
        moment = datetime.datetime.fromtimestamp(self.moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        rules.write_text((ROOT / "deploy/tags.yaml").read_text() +
                         f"- tag: moment\n  about: The moment has come\n  when: now >= timestamp('{moment}')\n")
        return super().settings() + f"tags: {{rules: {rules}}}\n"


def storm(by_second):
    """The first and the last second in which timers had more to say than before: those above a tenth of the most."""
    others = [other for _, _, other in by_second]
    busy = [second for second, other in enumerate(others) if other > max(others) / 10]
    return busy[0], busy[-1]


def measure(arguments, folder, brokers):
    place = contenders.Place(root=ROOT, build=arguments.build.resolve(), java_build=None, folder=folder, brokers=brokers,
                             application=f"timers-{os.getpid()}", results=0, events=arguments.events)
    variant = contenders.Variant("timers", "", customers=arguments.customers, memory_limit=arguments.memory)
    chain = WholeChain(variant, place)
    begin_us = int(time.time() * 1e6) - arguments.events * STEP_US
    contenders.fill(place, arguments.customers, "--begin-us", str(begin_us))
    # The rows have to be there before: as the rule is known from the start, so is its moment.
    chain.moment = time.time() + arguments.fill_seconds + READY_S + arguments.after
    chain.prepare()
    found = {}

    def flow():
        print(f"{arguments.events} events of history are applied", flush=True)
        time.sleep(max(0.0, chain.moment - arguments.after - READY_S - time.time()))
        found.update(contenders.send_paced(chain, arguments.rate, arguments.seconds, "--at-wall-time"))

    run(chain, arguments.fill_seconds, then=flow)
    for second, (results, p99, others) in enumerate(found["by_second"]):
        print(f"  second {second}: {results} results of events, p99 {p99:.0f} ms; {others} of timers")
    first, last = storm(found["by_second"])
    print(f"{sum(other for _, _, other in found['by_second'])} results of timers in seconds {first} to {last}, beside "
          f"{arguments.rate} events/s; the sender was at most {found['behind_ms']:.0f} ms late")
    for name, part in (("before", found["by_second"][5:first]), ("meanwhile", found["by_second"][first:last + 1]),
                       ("after", found["by_second"][last + 1:-1])):
        p99s = [p99 for results, p99, _ in part if results]
        if p99s:
            print(f"  p99 of a second, {name}: median {statistics.median(p99s):.0f} ms, most {max(p99s):.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path, help="the folder of the build, such as build/release")
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--customers", type=int, default=2_000_000, help="5 M events are of 1.1 M of 2 M customers")
    parser.add_argument("--rate", type=float, default=10_000)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--after", type=float, default=20, help="seconds after the first event")
    parser.add_argument("--fill-seconds", type=int, default=400, help="what the history may take at most")
    parser.add_argument("--memory", default="5GB")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portrait-timers-") as folder:
        measure(arguments, pathlib.Path(folder), os.environ["PORTRAIT_TEST_BROKERS"])


if __name__ == "__main__":
    main()
