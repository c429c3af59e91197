#!/usr/bin/env python3
"""Counts what ctest ran, by label.

    tests/tooling/summary.py NAME=RESULTS.xml=TESTS.json ...

RESULTS.xml is what `ctest --output-junit` wrote, TESTS.json what `ctest --show-only=json-v1` printed. One line for each
NAME and label, each failed or skipped test by name, and as the last line the sum: `N passed, N failed` (and skipped, if any).
Ends with 1 when a test failed, or when none ran.
"""

import collections
import json
import pathlib
import sys
import xml.etree.ElementTree


def labels_of(tests):
    """Maps the name of a test to its first label."""
    labels = {}
    for test in json.loads(tests)["tests"]:
        properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
        labels[test["name"]] = (properties.get("LABELS") or ["other"])[0]
    return labels


def outcome(case):
    if case.get("status") == "run":
        return "passed"
    if case.get("status") in ("notrun", "disabled") and (skipped := case.find("skipped")) is not None:
        # A program that could not be started is no skip, whatever ctest calls it.
        return "failed" if "Unable to find executable" in skipped.get("message", "") else "skipped"
    return "failed"


def count(results, tests):
    """Counters of outcomes by label, and the tests that did not pass."""
    labels = labels_of(tests)
    counters = collections.defaultdict(collections.Counter)
    unhappy = []
    for case in xml.etree.ElementTree.fromstring(results).iter("testcase"):
        name, result = case.get("name"), outcome(case)
        counters[labels.get(name, "other")][result] += 1
        if result != "passed":
            unhappy.append(f"{result}: {name}")
    return counters, unhappy


def told(counter):
    text = f"{counter['passed']} passed, {counter['failed']} failed"
    return text + (f", {counter['skipped']} skipped" if counter["skipped"] else "")


def main(arguments):
    total = collections.Counter()
    for argument in arguments:
        name, results, tests = argument.split("=")
        counters, unhappy = count(pathlib.Path(results).read_text(), pathlib.Path(tests).read_text())
        for line in unhappy:
            print(f"{name}: {line}")
        for label in sorted(counters):
            print(f"{name}: {label}: {told(counters[label])}")
            total.update(counters[label])
    print(told(total))
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
