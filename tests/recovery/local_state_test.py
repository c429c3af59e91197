#!/usr/bin/env python3
"""What happens to local state on a real broker: a backup made while running is restored into an empty folder, a damaged
file is set aside, a full disk stops the process. Each time the results are those of a run that was left alone. Needs a
real broker: PORTRAIT_TEST_BROKERS; the full disk needs the right to mount a tmpfs, too.

  local_state_test.py PORTRAIT [--customers N] [--days N] [--seed N] [--only backup|damage|full_disk]
"""
import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from portrait_process import Portrait, real_brokers, results, run_command, write_config

# Every changed row gets an image with every commit: much is written, soon.
SETTINGS = {"merge": "{wait: 60s}", "checkpoint": "{interval: 100ms}", "memory": "{limit: 150MB}"}


class Run:
    """One history, processed by one application after another."""

    def __init__(self, arguments, brokers, folder):
        self.arguments, self.brokers, self.folder = arguments, brokers, folder
        self.name = f"local{os.getpid()}"
        config, port = write_config(folder, self.name + "-calm", brokers, **SETTINGS)
        self.command("topics", "--create", "--partitions", "2", "--config", config)
        self.command("generate", "--customers", str(arguments.customers), "--days", str(arguments.days),
                     "--to", "2026-01-01", "--seed", str(arguments.seed), "--config", config)
        with open(os.path.join(folder, "calm.log"), "wb") as log:
            calm = Portrait(arguments.portrait, config, port, log)
            calm.start()
            calm.wait_until_done()
            self.records = calm.total("portrait_records_in_total")
            calm.stop()
        self.want = results(brokers, self.name + "-calm")
        assert len(self.want) > 100, "too few results to say anything"

    def command(self, *words, succeeds=True):
        return run_command(self.arguments.portrait, *words, succeeds=succeeds)

    def application(self, name, state=None):
        """A process of its own on the same input, with its log."""
        application = f"{self.name}-{name}"
        config, port = write_config(self.folder, application, self.brokers, **SETTINGS)
        if state:
            text = open(config).read()
            with open(config, "w") as file:
                file.write(re.sub(r"state: .*", f"state: {{dir: {state}}}", text))
        self.command("topics", "--create", "--config", config)
        log = open(os.path.join(self.folder, name + ".log"), "wb")
        process = Portrait(self.arguments.portrait, config, port, log)
        process.application, process.state = application, os.path.join(state or os.path.join(self.folder, "state"), application)
        process.text = lambda: open(log.name, errors="replace").read()
        return process

    def half_way(self, process):
        process.start()
        process.wait_until(lambda: process.total("portrait_steps_total") >= 0.4 * self.records, "some of the records")

    def same_results(self, process):
        got = results(self.brokers, process.application)
        differing = [i for i in self.want.keys() | got.keys() if self.want.get(i) != got.get(i)]
        assert not differing, f"{len(differing)} results differ, such as {self.want.get(differing[0])} and {got.get(differing[0])}"


def restored_rows(text):
    """Rows that the recoveries of the last start took from the changelog."""
    return sum(int(n) for n in re.findall(r"rows restored from the changelog.* rows=(\d+)", text[text.rindex("started"):]))


def backup(run):
    process = run.application("backup")
    run.half_way(process)
    to = os.path.join(run.folder, "backup")
    said = run.command("backup", "--to", to, "--config", process.config)
    assert "partition 0: changelog up to" in said and "partition 1: changelog up to" in said, said
    again = run.command("backup", "--to", to, "--config", process.config, succeeds=False)
    assert "there is one already" in again, again
    process.wait_until_done()
    images = process.total("portrait_rows_written_total")
    process.stop()
    refused = run.command("restore", "--from", to, "--config", process.config, succeeds=False)
    assert "there is local state already" in refused, refused
    shutil.rmtree(process.state)
    run.command("restore", "--from", to, "--config", process.config)
    process.start()
    process.wait_until_done()
    restored = restored_rows(process.text())
    process.stop()
    assert 0 < restored < images, f"{restored} of {images} rows restored: the backup was of no use"
    run.same_results(process)
    print(f"backup: restored into an empty folder, {restored} of {images:.0f} rows came from the changelog")


def damage(run):
    process = run.application("damage")
    run.half_way(process)
    process.stop()
    tables = glob.glob(os.path.join(process.state, "partition-*", "*.sst"))
    assert tables, "no table on the disk"
    table = max(tables, key=os.path.getsize)
    with open(table, "r+b") as file:  # in the first blocks, which hold rows
        file.seek(min(2000, os.path.getsize(table) // 4))
        file.write(b"\xff" * 200)
    process.start()
    try:
        process.wait_until_done()
    except AssertionError:
        # Found in the middle: it stops, and says where.
        assert process.process.wait() != 0
        assert "Corruption" in process.text() and os.path.dirname(table) in process.text()
        process.start()
        process.wait_until_done()
    aside = glob.glob(os.path.dirname(table) + ".corrupt-*")
    assert len(aside) == 1, aside
    assert process.total("portrait_stores_set_aside_total") == 1
    assert "local state is corrupt" in process.text()
    process.stop()
    run.same_results(process)
    print(f"damage: found, set aside as {os.path.basename(aside[0])}, restored from the changelog")


def full_disk(run):
    disk = os.path.join(run.folder, "small-disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk], stderr=subprocess.DEVNULL).returncode:
        print("full disk: skipped, a tmpfs cannot be mounted here")
        return
    try:
        process = run.application("full", state=disk)
        process.start()
        process.wait_until(lambda: process.total("portrait_steps_total") >= 0.1 * run.records, "some of the records")
        filler = os.path.join(disk, "filler")
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(b"x" * (1 << 16))
                    file.flush()
            except OSError:
                pass
        # However it ends: at the next flush, or with the last commit when the input is at its end before that.
        try:
            process.wait_until_done()
            process.process.terminate()
        except AssertionError:
            pass
        process.process.wait(timeout=60)
        assert "make room and start again" in process.text(), "a full disk was not told"
        os.remove(filler)
        process.start()
        process.wait_until_done()
        process.stop()
        run.same_results(process)
        print("full disk: told, and gone on with once there was room")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--days", type=int, default=60)
    names = ["backup", "damage", "full_disk"]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    brokers = real_brokers()
    print("seed", arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = Run(arguments, brokers, folder)
            for scenario in (backup, damage, full_disk):
                if scenario.__name__ in arguments.only:
                    scenario(run)
        except BaseException:
            for log in glob.glob(os.path.join(folder, "*.log")):
                print("----", log)
                sys.stdout.write(open(log, errors="replace").read()[-3000:])
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
