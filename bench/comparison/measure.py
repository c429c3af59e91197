"""Runs one contender once and measures it."""
import dataclasses
import json
import os
import signal
import subprocess
import time

from contenders import PARTITIONS, SOURCES, length, send_paced

STOP_TIMEOUT_S = 120


class ContenderFailed(RuntimeError):
    pass


@dataclasses.dataclass
class Measurement:
    contender: str
    variant: str
    events: int
    cpu_s: float           # user and system time of the process, from its start to its end
    warm_cpu_s: float      # from the moment when half of the events were committed to the end
    warm_events: int
    wall_s: float          # from the start until all events were committed
    peak_memory_mb: float
    disk_bytes: int        # written by the process to the local disk
    output_bytes: int      # of results as they lie in Kafka, compressed
    internal_bytes: int    # of changelogs and journals, likewise

    def rates(self):
        """What is reported of it: numbers by name, each per event or per second."""
        return {
            "events_per_cpu_s": self.events / self.cpu_s,
            "warm_events_per_cpu_s": self.warm_events / self.warm_cpu_s,
            "events_per_s": self.events / self.wall_s,
            "peak_memory_mb": self.peak_memory_mb,
            "disk_bytes_per_event": self.disk_bytes / self.events,
            "internal_bytes_per_event": self.internal_bytes / self.events,
            "output_bytes_per_event": self.output_bytes / self.events,
        }


def bytes_in_kafka(kafka_dir, topics):
    """Bytes of these topics' logs on the broker's disk."""
    total = 0
    for topic in topics:
        for partition in range(PARTITIONS):
            total += sum(log.stat().st_size for log in (kafka_dir / "data" / f"{topic}-{partition}").glob("*.log"))
    return total


def disk_bytes(pid):
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("write_bytes:"))
    except (OSError, StopIteration):
        return 0


def stop(process):
    """Ends it cleanly. Returns what wait4 says of it, and the last bytes_to_disk seen."""
    process.send_signal(signal.SIGTERM)
    deadline, written = time.monotonic() + STOP_TIMEOUT_S, 0
    while True:
        written = max(written, disk_bytes(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it again
            return process.returncode, usage, written
        if time.monotonic() > deadline:
            process.kill()
            raise ContenderFailed(f"did not end within {STOP_TIMEOUT_S} s of SIGTERM")
        time.sleep(0.01)


def warm_half(samples, events, cpu_s):
    """CPU time and events from the sample at which half was committed to the end of the process."""
    first = next(sample for sample in samples if sample["events"] >= events / 2)
    if first["events"] >= events:  # a short run, over between two samples: nothing to tell warm from cold
        return cpu_s, events
    return cpu_s - first["cpu_s"], events - first["events"]


def watch(contender, process, timeout_s):
    place = contender.place
    watched = subprocess.run(
        [place.build / "bench/bench_tool", "watch", "--brokers", place.brokers, "--group", contender.group(),
         "--topics", ",".join(SOURCES), "--partitions", str(PARTITIONS), "--events", str(place.events),
         "--pid", str(process.pid), "--timeout", str(timeout_s)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if watched.returncode != 0:
        raise ContenderFailed(watched.stderr.strip())
    return [json.loads(line) for line in watched.stdout.splitlines()]


def run(contender, timeout_s, then=lambda: None):
    """Starts it, follows it until all events are committed, does `then`, stops it: samples, usage as of wait4, bytes to
    disk. ContenderFailed with the end of its log."""
    place = contender.place
    log = place.folder / "log"
    try:
        with open(log, "wb") as out:
            process = subprocess.Popen([str(word) for word in contender.command()], stdout=out, stderr=out)
        try:
            samples = watch(contender, process, timeout_s)
            then()
            code, usage, written = stop(process)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if code not in (0, 128 + signal.SIGTERM):  # a JVM tells the signal
            raise ContenderFailed(f"ended with code {code}")
    except ContenderFailed as failed:
        tail = log.read_text(errors="replace")[-2000:]
        raise ContenderFailed(f"{contender.name}, {contender.variant.name}: {failed}\n{tail}") from failed
    return samples, usage, written


def measure(contender, kafka_dir, timeout_s):
    place = contender.place
    contender.prepare()
    samples, usage, written = run(contender, timeout_s)
    cpu_s = usage.ru_utime + usage.ru_stime
    warm_cpu_s, warm_events = warm_half(samples, place.events, cpu_s)
    return Measurement(contender=contender.name, variant=contender.variant.name, events=place.events, cpu_s=cpu_s,
                       warm_cpu_s=warm_cpu_s, warm_events=warm_events, wall_s=samples[-1]["s"],
                       peak_memory_mb=usage.ru_maxrss * 1024 / 1e6, disk_bytes=written,
                       output_bytes=bytes_in_kafka(kafka_dir, contender.outputs()),
                       internal_bytes=bytes_in_kafka(kafka_dir, contender.internal_topics()))


@dataclasses.dataclass
class Restore:
    """What a start with an empty disk took: from Kafka's changelog, and whatever must be replayed."""
    contender: str
    variant: str
    records: int   # of the changelog, as far as it is not compacted
    cpu_s: float   # of the process, from its start to its end
    wall_s: float  # until it had committed a few events more


def measure_restore(contender, timeout_s):
    """For one that has run before; its folder is empty now, and its place counts a few events more."""
    contender.prepare_again()
    samples, usage, _ = run(contender, timeout_s)
    return Restore(contender=contender.name, variant=contender.variant.name,
                   records=length(contender.place, contender.changelogs()), cpu_s=usage.ru_utime + usage.ru_stime,
                   wall_s=samples[-1]["s"])


@dataclasses.dataclass
class Latency:
    """From the moment when an event was due until a reader of what is committed had the result that it caused."""
    contender: str
    variant: str
    rate: float      # events a second
    results: int     # that were timed
    p50_ms: float
    p99_ms: float
    p999_ms: float
    behind_ms: float  # what the sender was late at most, which is in the others
    sent: int
    by_second: list   # of the second in which events were due: [results, p99 in ms, results of other causes]


def measure_latency(contender, rate, seconds, timeout_s):
    """For one that has run before; its folder is empty now, and its place counts all events that have been sent."""
    contender.prepare_again()
    found = {}
    run(contender, timeout_s, then=lambda: found.update(send_paced(contender, rate, seconds)))
    return Latency(contender=contender.name, variant=contender.variant.name, rate=rate, **found)
