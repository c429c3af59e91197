#!/usr/bin/env python3
"""Every header compiles alone.

    tests/tooling/headers_alone.py --build BUILD_DIR [--root DIR] [--jobs N]

A header that some compiled source includes before anything else is proven where each source compiles on its own: in the
debug build, and by tests/lint.sh. The others are compiled here, twice included, with the flags that the build uses in the
same folder. Prints the compiler's words for each header that fails.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

from compiled import compiled_sources

FOLDERS = ("state", "operators", "pipeline", "view", "bench")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def sources_of(root, build):
    """Maps each source of the checkout that the build compiles to its command."""
    return {source.relative_to(root).as_posix(): command for source, command in compiled_sources(build).items()
            if source.is_relative_to(root) and not source.is_relative_to(build) and source.exists()}


def proven(root, commands):
    """The headers that come first in a source."""
    first = set()
    for source in commands:
        match = INCLUDE.search((root / source).read_text(encoding="utf-8"))
        if match:
            first.add(match.group(1))
    return first


def neighbour(header, commands):
    """A source whose flags fit this header: one of the same folder, else of the nearest folder above, else any."""
    folder = header
    while "/" in folder:
        folder = folder.rsplit("/", 1)[0]
        for source in sorted(commands):
            if source.startswith(folder + "/"):
                return source
    return None


def syntax_check(command, source):
    """Turns the command that compiles a file into one that reads a source from standard input and writes nothing."""
    result = []
    skip = False
    for word in command:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ", "-include"):
            skip = True
        elif word in ("-c", "-MD", "-MMD") or word.endswith((source, "_cxx.cxx")) or word.endswith("/ccache") or word == "ccache":
            pass
        else:
            result.append(word)
    return result + ["-O0", "-fsyntax-only", "-x", "c++", "-"]


def failure(header, commands):
    """The compiler's complaint about this header, or nothing."""
    source = neighbour(header, commands)
    if source is None:
        return f"{header}: no compiled source near it, so no flags to compile it with\n"
    directory, command = commands[source]
    text = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run(syntax_check(command, source), cwd=directory, input=text, text=True, capture_output=True, check=False)
    return f"{header} does not compile alone:\n{done.stderr}" if done.returncode else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    commands = sources_of(root, arguments.build.resolve())
    headers = sorted(path.relative_to(root).as_posix() for folder in FOLDERS for path in (root / folder).rglob("*.h"))
    rest = [header for header in headers if header not in proven(root, commands)]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        failures = [told for told in pool.map(lambda header: failure(header, commands), rest) if told]
    print("\n".join(failures) + f"{len(headers)} headers: {len(headers) - len(rest)} first in a source, "
          f"{len(rest) - len(failures)} compiled here, {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
