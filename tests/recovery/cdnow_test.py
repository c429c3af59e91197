#!/usr/bin/env python3
"""All 69 659 purchases of CDNOW through a real Kafka: each is counted once at the end of the chain, and every customer's spend equals, to
the cent, a sum made here from the file. Needs a real broker (PORTRAIT_TEST_BROKERS) and the file (deploy/cdnow.sh, so a network once).

  cdnow_test.py PORTRAIT
"""
import collections
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
from decimal import Decimal

from portrait_process import SKIPPED, Portrait, real_brokers, write_config

ROOT = pathlib.Path(__file__).parents[2]


def purchases(path):
    """customer -> [number of purchases, sum in dollars]"""
    sums = collections.defaultdict(lambda: [0, Decimal(0)])
    for line in open(path):
        fields = line.split()
        if fields[0].isdigit():
            sums[fields[0]][0] += 1
            sums[fields[0]][1] += Decimal(fields[3])
    return sums


def main():
    program = sys.argv[1]
    brokers = real_brokers()
    fetched = subprocess.run([ROOT / "deploy/cdnow.sh"], capture_output=True, text=True)
    if fetched.returncode != 0:
        print("skipped: the file cannot be fetched:", fetched.stderr.strip().splitlines()[-1:])
        return SKIPPED
    want = purchases(fetched.stdout.strip())
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "log"), "wb") as log:
        application = f"cdnow{os.getpid()}"
        source = application + ".purchases"  # other tests write to the topics of the default configuration
        config, port = write_config(folder, application, brokers, sources=f"[{{topic: {source}}}]")

        def portrait(*words):
            return subprocess.run([program, *words, "--config", config], check=True, capture_output=True, text=True).stdout

        portrait("topics", "--create", "--partitions", "4")
        portrait("import", "--mapping", str(ROOT / "deploy/examples/cdnow.yaml"), "--sort", "--topic", source, fetched.stdout.strip())
        service = Portrait(program, config, port, log)
        service.start()
        try:
            service.wait_until_done()
            counted = {name: service.total(f"portrait_{name}_total") for name in ("records_in", "duplicate_events", "dead_letters")}
            service.stop()
        finally:
            if service.process.poll() is None:
                service.kill()
        table = csv.DictReader(portrait("customers", "--features", "purchases.orders,purchases.spend").splitlines())
        got = {row["customer"]: [int(row["purchases.orders"]), Decimal(row["purchases.spend"])] for row in table}

    orders = sum(n for n, _ in got.values())
    print(f"purchases in the file {sum(n for n, _ in want.values())}, read {counted['records_in']:.0f}, "
          f"duplicates {counted['duplicate_events']:.0f}, dead letters {counted['dead_letters']:.0f}, counted at the end {orders}")
    cent = Decimal("0.01")
    differing = [c for c in want.keys() | got.keys()
                 if c not in got or c not in want or want[c][0] != got[c][0] or want[c][1] != got[c][1].quantize(cent)]
    print(f"customers in the file {len(want)}, at the end {len(got)}; whose orders or spend differ: {len(differing)}")
    assert orders + counted["duplicate_events"] + counted["dead_letters"] == 69_659
    assert not differing, [(c, want.get(c), got.get(c)) for c in differing[:5]]
    assert counted["dead_letters"] == 0 and counted["duplicate_events"] == 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
