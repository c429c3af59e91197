"""A whole chain with rows in it, and events that flow at a share of what it can take."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "recovery"))
from committed_results import CommittedResults  # noqa: E402
from portrait_process import Portrait, write_config  # noqa: E402


class Flow:
    """Events of a topic of its own, in two partitions; `settings` as in write_config. As a context: while it lasts, events come."""

    def __init__(self, program, folder, brokers, run, customers, days, **settings):
        self.program, self.customers, self.topic = program, customers, f"{run}.events"
        self.config, port = write_config(folder, run, brokers, sources=f"[{{topic: {self.topic}, format: protobuf}}]", **settings)
        self.command("topics", "--create", "--partitions", "2", "--config", self.config)
        subprocess.run(self.generate("--days", str(days), "--to", "2026-01-01"), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = Portrait(program, self.config, port, open(os.path.join(folder, run + ".log"), "ab"))
        self.process.start()
        self.process.wait_until(lambda: self.process.total("portrait_steps_total") > 1000, "steps")
        begin, steps = time.time(), self.process.total("portrait_steps_total")
        self.process.wait_until_done(3600)
        # Events a second, as fast as it goes; the end is seen 1.5 s late, for it looks for quiet as long.
        self.full = (self.process.total("portrait_steps_total") - steps) / (time.time() - begin - 1.5)

    def command(self, *words):
        subprocess.run([self.program, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def generate(self, *words):
        return [self.program, "generate", "--customers", str(self.customers), "--topic", self.topic, "--config", self.config, *words]

    def at(self, share):
        self.rate = self.full * share
        return self

    def __enter__(self):
        self.results = CommittedResults(self.program, self.config)
        self.feed = subprocess.Popen(self.generate("--days", "60", "--to", "2026-03-02", "--rate", str(self.rate)), stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        time.sleep(8)
        return self

    def __exit__(self, failed, *_):
        flowing = self.feed.poll() is None
        self.feed.kill()
        self.feed.wait()
        time.sleep(1)
        self.results.close()
        if failed is None:
            assert flowing, "the events ended before the measurement"
            self.process.stop()
