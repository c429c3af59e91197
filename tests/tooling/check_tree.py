#!/usr/bin/env python3
"""Checks what no compiler checks: the arrows between modules, purity of operators, size and shape of files.

    tests/tooling/check_tree.py [--root DIR] [--build BUILD_DIR]

With --build also that every source is in that build's compile_commands.json, so that no test is left out by accident.
Prints one line for each fault (path:line: what) and ends with 1 when there are any.
"""

import argparse
import pathlib
import re
import sys

from compiled import compiled_sources

# What each folder may include: folders of ours, and other libraries by the beginning of the include. The longest folder
# that contains a file counts. `*` allows every library. Standard headers (no dot, no slash) are always allowed.
PROTO = ("portrait/v1/",)
PURE = ("absl/", "google/protobuf/", "xxhash.h")
ARROWS = {
    "state": (("state/",) + PROTO, PURE + ("rocksdb/",)),
    "operators": (("operators/",) + PROTO, PURE),
    "operators/rules": (("operators/",) + PROTO, PURE + ("tao/pegtl", "re2/re2.h")),
    "operators/models": (("operators/",) + PROTO, PURE + ("boost/math/", "Eigen/", "nlopt.h")),
    "pipeline": (("operators/", "state/", "pipeline/") + PROTO,
                 PURE + ("spdlog/", "prometheus/", "simdjson.h", "nlohmann/", "httplib.h")),
    "pipeline/ports": (("operators/", "pipeline/ports/") + PROTO, PURE),
    "pipeline/config": (("operators/", "state/", "pipeline/") + PROTO, PURE + ("yaml-cpp/", "librdkafka/")),
    "pipeline/tools": (("operators/", "pipeline/") + PROTO, PURE + ("nlohmann/", "csv.h", "zlib.h", "spdlog/")),
    "pipeline/training": (("operators/", "pipeline/") + PROTO, PURE + ("nlohmann/", "xgboost/c_api.h")),
    "pipeline/kafka": (("operators/", "state/", "pipeline/") + PROTO, PURE + ("librdkafka/", "spdlog/", "prometheus/")),
    "pipeline/cli": (("operators/", "state/", "pipeline/", "view/view.h") + PROTO, ("*",)),  # the whole program is put together here
    "view": (("operators/", "state/", "pipeline/", "view/") + PROTO, ("*",)),
    "bench": (("operators/", "state/", "pipeline/", "view/", "bench/") + PROTO, ("*",)),
    "tests/operators": (("operators/", "tests/operators/") + PROTO, PURE + ("catch2/",)),
    "tests/state": (("state/", "tests/state/") + PROTO, PURE + ("catch2/", "rocksdb/")),
    "tests": (("operators/", "state/", "pipeline/", "view/", "tests/") + PROTO, ("*",)),
}
# Only the program itself and its tests know the command line.
CLI_USERS = ("pipeline/cli/", "tests/")

# What a pure operator must not touch: clocks, chance, the outside world, threads. (A broken invariant may be told on std::cerr.)
IMPURE_HEADERS = {"random", "fstream", "filesystem", "thread", "mutex", "future", "atomic", "ctime",
                  "unistd.h", "time.h", "absl/random/random.h", "absl/time/clock.h"}
IMPURE_CALLS = re.compile(r"(_clock::now|absl::Now|std::time\(|\brand\(|random_device|getenv|\bprintf\(|std::cout|std::cin)")
UNORDERED = re.compile(r"std::unordered_(map|set|multimap|multiset)\b")

MAX_LINES = 500
BAD_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|manager|misc)(_|\.|$)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
FOLDERS = ("state", "operators", "pipeline", "view", "bench", "tests")
FOLDERS_AS_PREFIX = tuple(folder + "/" for folder in FOLDERS)
SEPARATE_PROJECTS = ("tests/external_operator/",)  # built by itself, against an installed Portrait


def sources_of(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in (".h", ".cc") and not name.startswith(SEPARATE_PROJECTS):
                yield name, path.read_text(encoding="utf-8").splitlines()


def rule_for(name):
    folder = name
    while "/" in folder:
        folder = folder.rsplit("/", 1)[0]
        if folder in ARROWS:
            return folder, ARROWS[folder]
    return None, None


def check_includes(name, lines):
    folder, rule = rule_for(name)
    if rule is None:
        yield 1, f"no rule says what this folder may include: see ARROWS in {__file__}"
        return
    ours, libraries = rule
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(2)
        if included.startswith(FOLDERS_AS_PREFIX) or included.startswith(PROTO):
            allowed = included.startswith(ours)
            if included.startswith("pipeline/cli/") and not name.startswith(CLI_USERS):
                allowed = False
        else:
            standard = "/" not in included and "." not in included
            system = included.endswith(".h") and match.group(1) == "<" and is_system(included)
            allowed = standard or "*" in libraries or included.startswith(libraries) or (system and folder != "operators")
        if not allowed:
            yield number, f"{folder}/ must not include {included}"


def is_system(header):
    """C and POSIX headers, such as <unistd.h> and <sys/stat.h>."""
    return header.startswith(("sys/", "netinet/", "arpa/", "linux/")) or header in {
        "unistd.h", "signal.h", "fcntl.h", "errno.h", "poll.h", "netdb.h", "time.h", "pthread.h", "termios.h", "stdio.h",
        "stdlib.h", "string.h", "limits.h"}


def check_purity(name, lines):
    if not name.startswith("operators/"):
        return
    harness = name.startswith("operators/testing/")
    for number, line in enumerate(lines, 1):
        code = line.split("//", 1)[0]
        match = INCLUDE.match(line)
        if match and match.group(2) in IMPURE_HEADERS and not harness:
            yield number, f"an operator is pure: it must not include {match.group(2)}"
        if IMPURE_CALLS.search(code) and not harness:
            yield number, f"an operator is pure: {IMPURE_CALLS.search(code).group(1)}"
        if UNORDERED.search(code):
            yield number, "an operator's results must not depend on a hash map's order: use std::map or a sorted vector"


def check_shape(name, lines):
    if len(lines) > MAX_LINES:
        yield len(lines), f"longer than {MAX_LINES} lines"
    if BAD_NAMES.search(name.rsplit("/", 1)[1]):
        yield 1, "a name that says nothing: call it after its concept"
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield number, "unfinished work has no place in the tree"
    if name.endswith(".h"):
        if "#pragma once" not in lines:
            yield 1, "no #pragma once"
        if not lines or not lines[0].startswith("//"):
            yield 1, "a header opens with its purpose"


def check_registered(root, build, names):
    """Every .cc file is compiled by the build."""
    compiled = compiled_sources(build)
    for name in names:
        if name.endswith(".cc") and (root / name).resolve() not in compiled:
            yield name, 1, "is not compiled: no target has it"


def check_python_tests(root):
    """Every Python test is named by a CMakeLists.txt; those of tests/tooling are found by their name."""
    lists = "".join(path.read_text() for path in (root / "tests").rglob("CMakeLists.txt"))
    for path in sorted((root / "tests").rglob("*_test.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith("tests/tooling/") and path.name not in lists:
            yield name, 1, "is not run: no CMakeLists.txt names it"


def faults(root, build=None):
    yield from check_python_tests(root)
    names = []
    for name, lines in sources_of(root):
        names.append(name)
        for check in (check_includes, check_purity, check_shape):
            for number, what in check(name, lines):
                yield name, number, what
    if build:
        yield from check_registered(root, build, names)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--build", type=pathlib.Path)
    arguments = parser.parse_args()
    count = 0
    for name, number, what in faults(arguments.root, arguments.build):
        print(f"{name}:{number}: {what}")
        count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
