"""bench/run.sh: every contender on the same topics, one after the other."""
import argparse
import dataclasses
import datetime
import json
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

import contenders
import report
from measure import ContenderFailed, measure, measure_latency, measure_restore

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build/bench"
TIMEOUT_S = 1800
MORE_EVENTS = 1000  # after a start, to see that it is over


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Portrait beside Kafka Streams and a bare client")
    parser.add_argument("--quick", action="store_true", help="300 000 events, one run, the variant lean")
    parser.add_argument("--events", type=int, help="default: 5 000 000")
    parser.add_argument("--runs", type=int, help="of every contender, in turn; default: 3")
    parser.add_argument("--contenders", default=",".join(contenders.CONTENDERS))
    parser.add_argument("--variants", help="default: all; " + ", ".join(contenders.VARIANTS))
    parser.add_argument("--latency-seconds", type=float, help="of events at half of each contender's rate; default: 30")
    parser.add_argument("--chart", type=pathlib.Path, default=OUT / "results.svg")
    chosen = parser.parse_args()
    chosen.events = chosen.events or (300_000 if chosen.quick else 5_000_000)
    chosen.runs = chosen.runs or (1 if chosen.quick else 3)
    chosen.latency_seconds = chosen.latency_seconds or (6 if chosen.quick else 30)
    chosen.variants = (chosen.variants or ("lean" if chosen.quick else ",".join(contenders.VARIANTS))).split(",")
    chosen.contenders = chosen.contenders.split(",")
    for kind, known in (("contenders", contenders.CONTENDERS), ("variants", contenders.VARIANTS)):
        for name in getattr(chosen, kind):
            if name not in known:
                parser.error(f"--{kind}: no such name: {name}; there are {', '.join(known)}")
    return chosen


def is_built(java_build):
    """Whether Maven need not run: its jar is newer than all that it is made of."""
    jar = java_build / "kafka-streams-lean-1.jar"
    sources = [path for path in (ROOT / "bench/kafka_streams").rglob("*") if path.is_file()]
    sources += (ROOT / "proto/portrait/v1").glob("*.proto")
    return jar.exists() and all(path.stat().st_mtime < jar.stat().st_mtime for path in sources)


def build(chosen):
    """The programs that the chosen contenders need; their folders."""
    others = {"portrait-at-least-once": "portrait-lean-at-least-once", "portrait-full": "portrait"}
    targets = ["portrait-lean", "bench_tool", *(program for name, program in others.items() if name in chosen)]
    (ROOT / "build").mkdir(exist_ok=True)
    with open(OUT / "build.log", "wb") as log:
        for command in (["cmake", "--preset", "release"],
                        ["cmake", "--build", "--preset", "release", "--target", *targets]):
            subprocess.run(command, cwd=ROOT, check=True, stdout=log, stderr=log)
        java_build = OUT / "kafka_streams"
        if "kafka-streams" in chosen and not is_built(java_build):
            subprocess.run(["mvn", "-q", "-B", "-ntp", "-f", "bench/kafka_streams/pom.xml", "package", f"-Dout={java_build}"],
                           cwd=ROOT, check=True, stdout=log, stderr=log)
    return ROOT / "build/release", java_build


class Kafka:
    """A Kafka of its own, empty, gone at the end."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        started = subprocess.run([ROOT / "deploy/kafka/local.sh", "start", "--port", "0", "--dir", self.folder],
                                 check=True, stdout=subprocess.PIPE, text=True).stdout
        self.brokers = started.split()[-1]
        return self

    def __exit__(self, *_):
        subprocess.run([ROOT / "deploy/kafka/local.sh", "stop", "--dir", self.folder], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(self.folder)


def check_results(place, expected, actual):
    """The results of two contenders are the same."""
    compared = subprocess.run(
        [place.build / "bench/bench_tool", "compare", "--brokers", place.brokers, "--expected", expected, "--actual",
         actual, "--results", str(place.results)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if compared.returncode != 0:
        raise ContenderFailed(f"the results of {expected} and {actual} are not the same: {compared.stderr.strip()}")
    return json.loads(compared.stdout)


def keeping_state(names):
    return [name for name in names if contenders.CONTENDERS[name].keeps_state]


def again(name, variant, chosen, place):
    """A contender as it was in its last run, but on an empty disk."""
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True)
    return contenders.CONTENDERS[name](variant, dataclasses.replace(place, application=f"{name}-{chosen.runs}"))


def restore_all(variant, chosen, place):
    """All contenders that keep state."""
    contenders.send_more(place, MORE_EVENTS)
    restores = []
    for name in keeping_state(chosen.contenders):
        restores.append(measure_restore(again(name, variant, chosen, place), TIMEOUT_S))
        print(f"  restore, {name}: {restores[-1].cpu_s:.2f} CPU-seconds, {restores[-1].wall_s:.1f} s, "
              f"{restores[-1].records:,} records", flush=True)
    return restores


def time_all(variant, chosen, place, measurements):
    """The latency of each at half of the rate that it reached; the slowest first, for each has to work off what was sent to
    those before."""
    rates = {name: statistics.median(run.rates()["events_per_s"] for run in measurements if run.contender == name) / 2
             for name in keeping_state(chosen.contenders)}
    latencies = []
    for name in sorted(rates, key=rates.get):
        contenders.send_more(place, MORE_EVENTS)  # once they are committed, it is ready
        contender = again(name, variant, chosen, place)
        latencies.append(measure_latency(contender, rates[name], chosen.latency_seconds, TIMEOUT_S))
        place.events += latencies[-1].sent
        print(f"  {name}, {rates[name]:,.0f} events/s: p50 {latencies[-1].p50_ms:.0f} ms, p99 {latencies[-1].p99_ms:.0f} ms, "
              f"p99.9 {latencies[-1].p999_ms:.0f} ms, of {latencies[-1].results:,} results", flush=True)
    return latencies


def run_variant(variant, chosen, build_folder, java_build):
    """All contenders in turn, chosen.runs times, on one Kafka; then their restores, and their latencies."""
    measurements = []
    with Kafka(OUT / "kafka") as kafka:
        work = OUT / "work"
        place = contenders.Place(root=ROOT, build=build_folder, java_build=java_build, folder=work,
                                 brokers=kafka.brokers, application="", results=0, events=chosen.events)
        filled = contenders.fill(place, variant.customers)
        place.results = filled["results"]
        print(f"{variant.name}: {filled['events']:,} events of {filled['bytes'] / filled['events']:.0f} B, "
              f"{filled['results']:,} results", flush=True)
        checked = None
        for run in range(1, chosen.runs + 1):
            for name in chosen.contenders:
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir(parents=True)
                here = dataclasses.replace(place, application=f"{name}-{run}")
                contender = contenders.CONTENDERS[name](variant, here)
                began = time.monotonic()
                measured = measure(contender, kafka.folder, TIMEOUT_S)
                measurements.append(measured)
                rates = measured.rates()
                print(f"  run {run}, {name}: {rates['events_per_cpu_s']:,.0f} events per CPU-second, warm "
                      f"{rates['warm_events_per_cpu_s']:,.0f} ({time.monotonic() - began:.0f} s)", flush=True)
                if contender.lean_results:
                    if checked is not None:
                        same = check_results(here, checked, contender.output())
                        print(f"    the same {same['results']:,} results of {same['customers']:,} customers as "
                              f"{checked}", flush=True)
                    checked = checked or contender.output()
        restores = restore_all(variant, chosen, place)
        latencies = time_all(variant, chosen, place, measurements)
        shutil.rmtree(work, ignore_errors=True)
    return measurements, restores, latencies


def last_results(path, chosen):
    """Summaries of the run before this one; none when it was about another number of events."""
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return before["summaries"] if before.get("events") == chosen.events else {}


def save(path, chosen, measurements, restores, latencies):
    path.write_text(json.dumps({
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "machine": report.machine(),
        "events": chosen.events, "runs": chosen.runs, "summaries": report.summarize(measurements),
        "measurements": [dataclasses.asdict(measurement) for measurement in measurements],
        "restores": [dataclasses.asdict(restore) for restore in restores],
        "latencies": [dataclasses.asdict(latency) for latency in latencies]}, indent=1) + "\n")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that Kafka and contenders end, too
    chosen = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    build_folder, java_build = build(chosen.contenders)
    results = OUT / "results.json"
    last = last_results(results, chosen)
    measurements, restores, latencies = [], [], []
    for name in chosen.variants:
        measured, restored, timed = run_variant(contenders.VARIANTS[name], chosen, build_folder, java_build)
        measurements += measured
        restores += restored
        latencies += timed
        save(results, chosen, measurements, restores, latencies)  # of what takes long, nothing is lost
    summaries, machine = report.summarize(measurements), report.machine()
    from chart import draw  # here, so that a missing library costs the chart and not the figures
    draw(chosen.chart, summaries, contenders.VARIANTS, machine, chosen.events)

    print(f"\n{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}")
    print(f"{chosen.events:,} events, median of {chosen.runs} run{'s' if chosen.runs > 1 else ''}; JSON in "
          f"{results.relative_to(ROOT)}, chart in {chosen.chart}\n")
    for name, summary in summaries.items():
        print("\n".join(report.table(contenders.VARIANTS[name], summary, last.get(name))))
        print("\n".join(report.restores([restore for restore in restores if restore.variant == name])))
        print("\n".join(report.latencies([latency for latency in latencies if latency.variant == name])))
    print(report.last_line(summaries))


if __name__ == "__main__":
    try:
        main()
    except (ContenderFailed, subprocess.CalledProcessError) as error:
        print(f"bench/run.sh: {error}", file=sys.stderr)
        sys.exit(1)
