"""Accounts for every input by the journal, without a line of the engine's code: `portrait journal` gives the entries, kcat
gives the offsets that the source topics hold.

Each source record that can be read (committed) must stand in exactly one run of exactly one entry, in the order of its
offset; entries must follow each other without a gap; their steps must add up.
"""
import json
import subprocess


def read_journal(portrait, config):
    """partition -> entries in order, each with timestamp_ms of its record"""
    out = subprocess.run([portrait, "journal", "--config", config], check=True, capture_output=True, timeout=600).stdout
    journal = {}
    for line in out.decode().splitlines():
        record = json.loads(line)
        entry = record["entry"]
        entry["timestamp_ms"] = record["timestamp_ms"]
        journal.setdefault(record["partition"], []).append(entry)
    return journal


def read_offsets(brokers, topics):
    """(topic, partition) -> offsets of all committed records, in order"""
    offsets = {}
    for topic in topics:
        reader = subprocess.Popen(
            ["kcat", "-C", "-b", brokers, "-t", topic, "-o", "beginning", "-e", "-q", "-X",
             "isolation.level=read_committed", "-f", "%p %o\n"], stdout=subprocess.PIPE, text=True)
        for line in reader.stdout:
            partition, offset = line.split()
            offsets.setdefault((topic, int(partition)), []).append(int(offset))
        assert reader.wait() == 0, f"kcat failed to read {topic}"
    return offsets


def check_entry(entry, before, next_of, offsets, at, problems):
    first, last = int(entry["first"]), int(entry["last"])
    if first != before + 1:
        problems.append(f"{at}: steps begin at {first}, the entry before ended at {before}")
    order = [int(n) for n in entry["order"]]
    steps, taken = 0, {}
    for what, how in zip(order[::2], order[1::2]):
        if what < 4:
            steps += 1
            continue
        steps += how
        taken[what - 4] = taken.get(what - 4, 0) + how
    if steps != last + 1 - first:
        problems.append(f"{at}: holds {steps} steps, says {last + 1 - first}")
    for number, source in enumerate(entry["sources"]):
        count = int(source["count"])
        if count != taken.get(number, 0):
            problems.append(f"{at}: {source['topic']}: {count} records, the order has {taken.get(number, 0)}")
        if count == 0:
            continue
        key = (source["topic"], at[0])
        there = offsets.get(key, [])
        begin = next_of.get(key, 0)
        run = there[begin:begin + count]
        if len(run) != count or run[0] != int(source["first_offset"]) or run[-1] != int(source["last_offset"]):
            problems.append(f"{at}: {source['topic']} says {count} records {source['first_offset']}.."
                            f"{source['last_offset']}, next to be applied were {run[:1]}..{run[-1:]} ({len(run)})")
        next_of[key] = begin + count
    return last


def check(journal, offsets, all_applied=True):
    """What is wrong; empty when every input was applied exactly once, in order. Also: how many inputs stand there."""
    problems, next_of = [], {}
    for partition, entries in sorted(journal.items()):
        before, lineage = 0, entries[0]["lineage"]
        for number, entry in enumerate(entries):
            before = check_entry(entry, before, next_of, offsets, (partition, number), problems)
            if entry["lineage"] != lineage:
                problems.append(f"{(partition, number)}: another lineage")
    for key, there in offsets.items():
        if all_applied and next_of.get(key, 0) != len(there):
            problems.append(f"{key}: {len(there) - next_of.get(key, 0)} of {len(there)} records were never applied")
    return problems, sum(next_of.values())
