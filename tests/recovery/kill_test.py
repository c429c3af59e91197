#!/usr/bin/env python3
"""Kills portrait with SIGKILL in the middle of a backlog, three times, and compares all results with those of a run that
was left alone, id by id. Needs a real broker: PORTRAIT_TEST_BROKERS.

  kill_test.py PORTRAIT [--customers N] [--days N] [--kills N] [--import FILE --mapping FILE] [--seed N]
"""
import argparse
import os
import random
import subprocess
import sys

from portrait_process import Portrait, folder_with_log, real_brokers, results, write_config


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--import", dest="file")
    parser.add_argument("--mapping")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    brokers = real_brokers()
    print("seed", arguments.seed)
    rng = random.Random(arguments.seed)
    run = f"kill{os.getpid()}"
    with folder_with_log() as (folder, log):
        compare(arguments, brokers, rng, run, folder, log)
    return 0


def command(arguments, *words):
    print("+ portrait", *words, flush=True)
    subprocess.run([arguments.portrait, *words], check=True)


def compare(arguments, brokers, rng, run, folder, log):
    # Waiting for a source that has more never ends before it comes: so the order is that of the backlog alone.
    calm, calm_port = write_config(folder, run + "-calm", brokers, merge="{wait: 60s}")
    shaken, shaken_port = write_config(folder, run + "-shaken", brokers, merge="{wait: 60s}")
    command(arguments, "topics", "--create", "--partitions", "2", "--config", calm)
    command(arguments, "topics", "--create", "--config", shaken)
    if arguments.file:
        command(arguments, "import", "--mapping", arguments.mapping, "--sort", "--config", calm, arguments.file)
    else:
        command(arguments, "generate", "--customers", str(arguments.customers), "--days", str(arguments.days),
                "--to", "2026-01-01", "--seed", str(arguments.seed), "--dirt", "0.01", "--config", calm)

    left_alone = Portrait(arguments.portrait, calm, calm_port, log)
    left_alone.start()
    left_alone.wait_until_done()
    records = left_alone.total("portrait_records_in_total")
    print(f"left alone: {records:.0f} records, stopped in {left_alone.stop():.1f} s")

    killed = Portrait(arguments.portrait, shaken, shaken_port, log)
    for i in range(arguments.kills):
        killed.start()
        # Each life gets a part of the backlog done before it ends.
        share = rng.uniform(0.02, 0.9 / arguments.kills)
        killed.wait_until(lambda: killed.total("portrait_steps_total") >= share * records, f"{share:.0%} of the records")
        metrics = killed.metrics()
        killed.kill()
        print(f"killed {i + 1} of {arguments.kills}, after {metrics['portrait_steps_total']:.0f} committed steps, "
              f"{metrics['portrait_replayed_steps_total']:.0f} replayed before")
    killed.start()
    killed.wait_until_done()
    replayed = killed.total("portrait_replayed_steps_total")
    print(f"replayed {replayed:.0f} steps after the last kill")
    assert replayed > 0, "nothing was left to replay: the kills came too early"
    killed.stop()

    want, got = results(brokers, run + "-calm"), results(brokers, run + "-shaken")
    missing, extra = want.keys() - got.keys(), got.keys() - want.keys()
    differing = [i for i in want.keys() & got.keys() if want[i] != got[i]]
    print(f"results: {len(want)} left alone, {len(got)} killed; {len(missing)} missing, {len(extra)} extra, {len(differing)} differing")
    for i in differing[:3]:
        print("  left alone:", want[i], "\n  killed:    ", got[i])
    assert len(want) > 100, "too few results to say anything"
    assert not missing and not extra and not differing
    print("nothing lost, nothing twice")


if __name__ == "__main__":
    sys.exit(main())
