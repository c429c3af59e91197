#!/usr/bin/env python3
"""Customers looked up at a steady rate while events flow at half of what the engine can take: how long a look-up takes, with the
rows in memory and with most of them on disk, and what the look-ups cost the pipeline.

    view_lookups.py PORTRAIT [--customers N] [--days N] [--lookups RATE] [--seconds S] [--small LIMIT]

Needs PORTRAIT_TEST_BROKERS. Look-ups are an open loop: one's time counts from when it was due. The pipeline's latency is that of results:
from the record that caused one, as its producer stamped it, until a reader of what is committed has it. Seconds with and without
look-ups take turns.
"""
import argparse
import asyncio
import collections
import os
import random
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "recovery"))
from committed_results import quantile  # noqa: E402
from flow import Flow  # noqa: E402
from portrait_process import free_port  # noqa: E402

CONNECTIONS = 16


class LookUps:
    def __init__(self, port, customers, rate, seconds):
        self.port, self.customers, self.rate, self.seconds = port, customers, rate, seconds
        self.took, self.statuses = [], collections.Counter()

    def run(self):
        asyncio.run(self.all())
        self.took.sort()
        return self

    async def client(self, due):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while (at := await due.get()) is not None:
            customer = f"c{random.randint(1, self.customers):06d}"
            writer.write(f"GET /v1/customers/{customer} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length[15:]))
            self.statuses[int(head[9:12])] += 1
            self.took.append(time.perf_counter() - at)
        writer.close()

    async def all(self):
        due = asyncio.Queue()
        clients = [asyncio.create_task(self.client(due)) for _ in range(CONNECTIONS)]
        begin = time.perf_counter()
        for n in range(int(self.rate * self.seconds)):
            if (pause := begin + n / self.rate - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            due.put_nowait(begin + n / self.rate)
        for _ in clients:
            due.put_nowait(None)
        await asyncio.gather(*clients)


def measure(arguments, folder, brokers, name, memory):
    view = free_port()
    flow = Flow(arguments.portrait, folder, brokers, f"lookups{os.getpid()}{name}", arguments.customers, arguments.days,
                view=f"{{listen: '127.0.0.1:{view}'}}", memory=f"{{limit: {memory}}}")
    process = flow.process
    windows, looked = [], []
    with flow.at(0.5):
        for turn in range(2 * arguments.turns):
            hits_before, misses_before = process.total("portrait_cache_hits_total"), process.total("portrait_cache_misses_total")
            begin = time.time()
            if turn % 2 == 1:
                looked.append(LookUps(view, arguments.customers, arguments.lookups, arguments.seconds).run())
            else:
                time.sleep(arguments.seconds)
            windows.append((begin, time.time()))
            misses = process.total("portrait_cache_misses_total") - misses_before
            hits = process.total("portrait_cache_hits_total") - hits_before
            time.sleep(1)
        rows = process.total("portrait_cache_rows")
    found = flow.results.latencies(brokers, windows)
    took = sorted(t for one in looked for t in one.took)
    statuses = dict(sum((one.statuses for one in looked), collections.Counter()))
    print(f"{name}, memory.limit {memory}: {rows:.0f} of {arguments.customers} rows in memory; {flow.rate:.0f} events/s, half of {flow.full:.0f}; "
          f"steps that found their row in memory: {hits / max(1, hits + misses):.1%}", flush=True)
    print(f"  {len(took)} look-ups at {arguments.lookups}/s: p50 {1e3 * quantile(took, .5):.2f} ms, p90 {1e3 * quantile(took, .9):.2f} ms, "
          f"p99 {1e3 * quantile(took, .99):.2f} ms, most {1e3 * took[-1]:.1f} ms; answers {statuses}", flush=True)
    for label, parts in (("without look-ups", found[0::2]), ("with look-ups", found[1::2])):
        whole = sorted(value for part in parts for value in part)
        print(f"  results {label}: {len(whole)}, p50 {1e3 * quantile(whole, .5):.0f} ms, p99 {1e3 * quantile(whole, .99):.0f} ms (by turn: "
              + ", ".join(f"{1e3 * quantile(part, .99):.0f}" for part in parts) + ")", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("portrait")
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--lookups", type=float, default=500, help="a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--large", default="2GB", help="memory.limit in which all rows fit")
    parser.add_argument("--small", default="300MB", help="memory.limit in which they do not")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portrait-lookups-") as folder:
        for name, memory in (("cached", arguments.large), ("uncached", arguments.small)):
            measure(arguments, folder, os.environ["PORTRAIT_TEST_BROKERS"], name, memory)


if __name__ == "__main__":
    main()
