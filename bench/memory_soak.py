#!/usr/bin/env python3
"""Does the process keep to memory.limit, with many times more customers than rows fit into memory? Sends generated events
of many customers to a real broker while portrait processes them, and looks at its resident memory twice a second.

  memory_soak.py PORTRAIT [--minutes N] [--customers N] [--limit BYTES] [--partitions N] [--workers N]

Needs PORTRAIT_TEST_BROKERS. Ends with 1 when memory was ever more than 10 % above the limit.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "recovery"))
from portrait_process import Portrait, write_config  # noqa: E402


def memory(pid):
    """Resident now, and the most that ever was, in bytes."""
    with open(f"/proc/{pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file if line.startswith("Vm"))
    return (int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portrait")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--customers", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--limit", type=int, default=1_000_000_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", default=None)
    arguments = parser.parse_args()
    brokers = os.environ["PORTRAIT_TEST_BROKERS"]
    folder = tempfile.mkdtemp(dir=arguments.folder)
    generator = process = None
    most = 0
    try:
        config, port = write_config(folder, f"soak{os.getpid()}", brokers, workers=arguments.workers,
                                    memory=f"{{limit: {arguments.limit}B}}")
        subprocess.run([arguments.portrait, "topics", "--create", "--partitions", str(arguments.partitions), "--config",
                        config], check=True, stdout=subprocess.DEVNULL)
        log = open(os.path.join(folder, "log"), "wb")
        generator = subprocess.Popen([arguments.portrait, "generate", "--customers", str(arguments.customers), "--days",
                                      str(arguments.days), "--to", "2026-01-01", "--format", "protobuf", "--config",
                                      config], stdout=log, stderr=log)
        process = Portrait(arguments.portrait, config, port, log)
        process.start()
        began, shown = time.time(), 0
        while time.time() - began < 60 * arguments.minutes:
            time.sleep(0.5)
            if process.process.poll() is not None:
                sys.stdout.write(open(log.name, errors="replace").read()[-3000:])
                raise AssertionError(f"portrait ended with {process.process.returncode}")
            now, most = memory(process.process.pid)
            if time.time() - shown < 15:
                continue
            shown = time.time()
            metrics = process.metrics()
            lag = sum(v for k, v in metrics.items() if k.startswith("portrait_lag_records"))
            print(f"{shown - began:6.0f} s  resident {now / 1e6:7.1f} MB  most {most / 1e6:7.1f} MB  "
                  f"rows in memory {metrics.get('portrait_cache_rows', 0):9.0f} = "
                  f"{metrics.get('portrait_cache_bytes', 0) / 1e6:6.1f} MB  "
                  f"hits {metrics.get('portrait_cache_hits_total', 0):10.0f}  misses {metrics.get('portrait_cache_misses_total', 0):9.0f}  "
                  f"steps {metrics.get('portrait_steps_total', 0):10.0f}  lag {lag:9.0f}", flush=True)
            if lag == 0 and generator.poll() is not None and metrics.get("portrait_steps_total", 0) > 0:
                break
        print(f"most {most / 1e6:.1f} MB of {arguments.limit / 1e6:.1f} MB: {most / arguments.limit:.0%}")
        return 0 if most <= 1.1 * arguments.limit else 1
    finally:
        for child in (generator, process.process if process else None):
            if child is not None and child.poll() is None:
                child.kill()
                child.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
