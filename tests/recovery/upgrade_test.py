#!/usr/bin/env python3
"""Upgrade and rollback between two builds whose chains differ: after a clean stop nothing is replayed; after a crash the other build
refuses and says what to do, and does it when told. Needs a real broker: PORTRAIT_TEST_BROKERS.

  upgrade_test.py PORTRAIT OTHER_PORTRAIT
"""
import os
import subprocess
import sys

from portrait_process import Portrait, folder_with_log, real_brokers, results, write_config


class Upgrade:
    def __init__(self, old, new, brokers, folder, log):
        self.brokers, self.run = brokers, f"upgrade{os.getpid()}"
        # Rows stay unwritten for long, so that a crash leaves a tail.
        self.source = self.run + ".events"  # other tests write to the topics of the default configuration
        self.config, port = write_config(folder, self.run, brokers, checkpoint="{interval: 1h}",
                                         sources=f"[{{topic: {self.source}}}]")
        self.old, self.new = (Portrait(program, self.config, port, log) for program in (old, new))
        self.seed = 0
        self.command("topics", "--create", "--partitions", "2")

    def command(self, *words):
        return subprocess.run([self.old.program, *words, "--config", self.config], check=True, capture_output=True,
                              text=True).stdout

    def send(self):
        """Some more customers, each time others."""
        self.seed += 1
        self.command("generate", "--customers", "200", "--days", "30", "--to", f"2026-0{self.seed}-01", "--seed", str(self.seed), "--topic",
                     self.source)

    def runs(self, build, replayed):
        """Starts the build and waits until it has done everything; `replayed` says whether it must have replayed steps."""
        build.start()
        build.wait_until_done()
        steps = build.total("portrait_replayed_steps_total")
        assert (steps > 0) == replayed, f"{steps:.0f} steps replayed"
        return steps

    def refused(self, build):
        done = subprocess.run([build.program, "run", "--config", self.config], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done
        return done.stderr

    def rows(self, build, feature):
        lines = subprocess.run([build.program, "customers", "--config", self.config, "--features", feature], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        return [line for line in lines[1:] if line.strip()]


def version(program):
    """The chain version, as --version prints it."""
    return subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout


def main():
    old, new = sys.argv[1:3]
    brokers = real_brokers()
    assert version(old) != version(new)
    with folder_with_log() as (folder, log):
        scenario(Upgrade(old, new, brokers, folder, log))
    return 0


def scenario(it):
    it.send()
    it.runs(it.old, replayed=False)
    it.old.stop()
    print("upgrade, after a clean stop")
    it.send()
    it.runs(it.new, replayed=False)
    it.new.stop()
    assert it.rows(it.new, "visits.views"), "the new operator has seen nothing"
    print("rollback, after a clean stop")
    it.send()
    it.runs(it.old, replayed=False)
    it.old.stop()
    assert it.rows(it.new, "visits.views"), "the rollback has lost what the new operator knew"
    print("a crash of the new build, and the old one is started")
    it.send()
    it.runs(it.new, replayed=False)
    it.new.kill()
    told = it.refused(it.old)
    print(told.strip().splitlines()[-1])
    assert "the journal's tail was written by another version" in told
    named = told.split("--replay-tail-of ")[1].split()[0].strip('"')
    print("the new build again, as advised; a crash once more")
    it.runs(it.new, replayed=True)
    it.send()
    it.new.wait_until_done()
    it.new.kill()
    print("the old build is told to replay what", named, "has left")
    it.old.start = start_with(it.old, "--replay-tail-of", named)
    steps = it.runs(it.old, replayed=True)
    it.old.stop()
    print(f"{steps:.0f} steps replayed; {len(results(it.brokers, it.run))} results, none twice")


def start_with(build, *options):
    def start():
        build.process = subprocess.Popen([build.program, "run", "--config", build.config, *options], stdout=build.log,
                                         stderr=build.log)
    return start


if __name__ == "__main__":
    sys.exit(main())
