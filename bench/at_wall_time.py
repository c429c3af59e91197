"""The whole chain at wall time: rows of a history in it, and an even flow of events of now, beside which something happens."""
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench/comparison"))
sys.path.insert(0, str(ROOT / "tests/recovery"))
import contenders  # noqa: E402
from measure import run  # noqa: E402
from portrait_process import Portrait, free_port  # noqa: E402

READY_S = 15  # from the start of the flow's command until events flow, about: it passes over those that were sent before
STEP_US = 200_000  # between two events of the history
DEFAULT_RULES = (ROOT / "deploy/tags.yaml").read_text()


def add_arguments(parser):
    parser.add_argument("build", type=pathlib.Path, help="the folder of the build, such as build/release")
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--customers", type=int, default=2_000_000, help="5 M events are of 1.1 M of 2 M customers")
    parser.add_argument("--rate", type=float, default=10_000)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--after", type=float, default=20, help="seconds from the first event on, then it happens")
    parser.add_argument("--fill-seconds", type=int, default=400, help="what the history may take at most")
    parser.add_argument("--memory", default="5GB")


class WholeChain(contenders.PortraitFull):
    """With rules of its own; `place` as in contenders."""
    clock = "wall"

    def __init__(self, arguments, folder, brokers):
        place = contenders.Place(root=ROOT, build=arguments.build.resolve(), java_build=None, folder=folder, brokers=brokers,
                                 application=f"wall-{os.getpid()}", results=0, events=arguments.events)
        super().__init__(contenders.Variant("wall", "", customers=arguments.customers, memory_limit=arguments.memory), place)
        self.arguments = arguments
        self.rules = DEFAULT_RULES
        self.port = free_port()
        self.process = Portrait(self.program(), self.config(), self.port, None)  # for its metrics: `run` starts it

    def program(self):
        return self.place.build / "pipeline/portrait"

    def settings(self):
        rules = self.place.folder / "tags.yaml"
        rules.write_text(self.rules)
        return super().settings() + f"tags: {{rules: {rules}}}\nhttp: {{listen: {self.port}}}\n"

    def fill(self):
        """The history, which ends now, into the source topics."""
        begin_us = int(time.time() * 1e6) - self.place.events * STEP_US
        contenders.fill(self.place, self.arguments.customers, "--begin-us", str(begin_us))

    def flow_beside(self, before_flow=lambda: None):
        """Applies the history, then lets events flow. What each second was like: [results, their p99 in ms, other results]."""
        found = {}

        def flow():
            print(f"{self.place.events} events of history are applied", flush=True)
            before_flow()
            found.update(contenders.send_paced(self, self.arguments.rate, self.arguments.seconds, "--at-wall-time"))

        run(self, self.arguments.fill_seconds, then=flow)
        print(f"{self.arguments.rate:.0f} events/s; the sender was at most {found['behind_ms']:.0f} ms late")
        return found["by_second"]


def print_latencies(by_second, parts):
    """`parts`: (name, first second, the second after the last) of each stretch of time."""
    for second, (results, p99, others) in enumerate(by_second):
        print(f"  second {second}: {results} results of events, p99 {p99:.0f} ms; {others} others")
    for name, first, end in parts:
        p99s = [p99 for results, p99, _ in by_second[first:end] if results]
        if p99s:
            print(f"  p99 of a second, {name}: median {statistics.median(p99s):.0f} ms, most {max(p99s):.0f} ms")
