"""Medians, the table, the comparison with the last run, and the last line."""
import os
import platform
import statistics

COLUMNS = (  # name of the rate, heading, digits behind the point
    ("events_per_cpu_s", "events per CPU-s", 0),
    ("warm_events_per_cpu_s", "warm half", 0),
    ("events_per_s", "events per s", 0),
    ("peak_memory_mb", "peak MB", 0),
    ("disk_bytes_per_event", "disk B/event", 1),
    ("internal_bytes_per_event", "Kafka B/event", 1),
)


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": model, "cores": os.cpu_count(), "memory_gb": round(memory / 1e9, 1), "system": platform.platform()}


def summarize(measurements):
    """{variant: {contender: {rate: {"median", "low", "high"}}}}, in the order of the runs."""
    grouped = {}
    for measurement in measurements:
        grouped.setdefault(measurement.variant, {}).setdefault(measurement.contender, []).append(measurement.rates())
    return {variant: {contender: {rate: {"median": statistics.median(run[rate] for run in runs),
                                         "low": min(run[rate] for run in runs),
                                         "high": max(run[rate] for run in runs)} for rate in runs[0]}
                      for contender, runs in contenders.items()}
            for variant, contenders in grouped.items()}


def ratio(summary, contender, other, rate="warm_events_per_cpu_s"):
    """How many times the other's rate; None where one of them did not run. Of the warm half, unless told otherwise: it is
    kinder to whoever starts slowly."""
    if contender not in summary or other not in summary:
        return None
    return summary[contender][rate]["median"] / summary[other][rate]["median"]


def number(value, digits):
    return f"{value:,.{digits}f}".replace(",", " ")


def spread(rate):
    middle = rate["median"]
    return max(rate["high"] - middle, middle - rate["low"]) / middle if middle else 0


def table(variant, summary, last):
    """Lines of text for one variant; `last`: the same of the last run, or nothing."""
    heads = ["", *(heading for _, heading, _ in COLUMNS), "spread", "x Kafka Streams", "last run"]
    rows = [heads]
    for contender, rates in summary.items():
        times = ratio(summary, contender, "kafka-streams")
        before = (last or {}).get(contender)
        change = rates["warm_events_per_cpu_s"]["median"] / before["warm_events_per_cpu_s"]["median"] - 1 if before else None
        rows.append([contender, *(number(rates[rate]["median"], digits) for rate, _, digits in COLUMNS),
                     f"{spread(rates['warm_events_per_cpu_s']):.0%}", f"{times:.1f}" if times else "",
                     f"{change:+.0%}" if change is not None else ""])
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]
    return [f"{variant.name}: {variant.about}", *lines, "", *exactly_once(summary)]


def exactly_once(summary):
    """What transactions cost, where both were run."""
    times = ratio(summary, "portrait-at-least-once", "portrait", "events_per_cpu_s")
    return [f"exactly once costs {times - 1:.0%} of CPU time an event", ""] if times else []


def restores(measured):
    """Lines of text on the restores of one variant."""
    other = next((restore for restore in measured if restore.contender == "kafka-streams"), None)
    lines = []
    for restore in measured:
        times = f", {other.cpu_s / restore.cpu_s:.1f} times less than Kafka Streams" if other not in (None, restore) else ""
        lines.append(f"onto an empty disk, {restore.contender}: {restore.cpu_s:.2f} CPU-s, {restore.wall_s:.1f} s, "
                     f"{number(restore.records, 0)} records of the changelog{times}")
    return [*lines, ""]


def latencies(measured):
    """Lines of text on the latencies of one variant."""
    return [*(f"at half of its rate, {latency.contender}, {number(latency.rate, 0)} events/s: p50 {latency.p50_ms:.0f} ms, "
              f"p99 {latency.p99_ms:.0f} ms, p99.9 {latency.p999_ms:.0f} ms, of {number(latency.results, 0)} results"
              for latency in measured), ""]


def last_line(summaries):
    """The line everything is measured by: of the first variant in which both ran."""
    for summary in summaries.values():
        times = ratio(summary, "portrait", "kafka-streams")
        if times is not None:
            return f"portrait / kafka-streams: {times:.1f} events per CPU-second"
    return "portrait / kafka-streams: not both were run"
