#!/usr/bin/env python3
"""Every command in the documentation is run by a test.

    tests/tooling/docs_commands.py --build BUILD_DIR [--root DIR] [--list]

A block of shell commands in a Markdown file begins with one of

    ```sh run                      this script runs it, and it must succeed
    ```sh tested-by tests/run.sh   too long or too large to run here: the named file runs the same
    ```sh elsewhere                for another machine (a cluster, a registry); nothing here can run it

Blocks run with `bash -eu`, each in a folder of its own that shows the files of the checkout, with the program `portrait` of
the build on the PATH. Of all blocks, run or not, these are checked: a command with a path in it is there and can be
executed, and subcommands and options of `portrait` are those that its --help shows.
"""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(sh|bash|console|shell)\b *(.*)\n((?:.*\n)*?)```", re.MULTILINE)
TIMEOUT_S = 120


class Block:
    def __init__(self, name, line, kind, text):
        self.name, self.line, self.kind, self.text = name, line, kind, text

    def place(self):
        return f"{self.name}:{self.line}"


def documents(root):
    tracked = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"], cwd=root,
                             capture_output=True, text=True, check=False)
    names = [name for name in tracked.stdout.split("\0") if name]
    return [root / name for name in names] if names else sorted(root.rglob("*.md"))


def blocks(root):
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Block(path.relative_to(root).as_posix(), line, match.group(2).strip(), match.group(3))


def commands(text):
    """The words of each simple command: lines are joined at backslashes and cut at pipes, ands and semicolons."""
    text = re.sub(r"\\\n", " ", text)
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
        lexer.whitespace_split = True
        words = []
        try:
            tokens = list(lexer)
        except ValueError:  # a quotation that goes on in the next line: left to bash
            continue
        for token in tokens + [";"]:
            if set(token) <= set("|&;()"):
                words = [word for index, word in enumerate(words) if not (index == 0 and word in ("sudo", "time"))]
                while words and re.match(r"^\w+=", words[0]):
                    words = words[1:]
                if words:
                    yield words
                words = []
            else:
                words.append(token)


class Program:
    """What --help of the program shows."""

    def __init__(self, path):
        self.path = path
        self.told = {}

    def help(self, *subcommand):
        if subcommand not in self.told:
            done = subprocess.run([self.path, *subcommand, "--help"], capture_output=True, text=True, check=False, timeout=30)
            self.told[subcommand] = done.stdout + done.stderr if done.returncode == 0 else None
        return self.told[subcommand]

    def fault(self, words):
        arguments = words[1:]
        subcommand = ()
        if arguments and re.match(r"^[a-z][a-z-]*$", arguments[0]):
            if self.help(arguments[0]) is None:
                return f"portrait has no subcommand {arguments[0]}"
            subcommand = (arguments[0],)
        shown = (self.help(*subcommand) or "") + (self.help() or "")
        for word in arguments:
            option = word.split("=", 1)[0]
            if option.startswith("--") and not re.search(re.escape(option) + r"(?![\w-])", shown):
                return f"portrait {' '.join(subcommand)} has no option {option}".replace("  ", " ")
        return None


def static_faults(block, root, program):
    kind, _, rest = block.kind.partition(" ")
    if kind == "tested-by":
        if not rest or not (root / rest).is_file():
            yield f"the test that it names is not there: {rest}"
    elif block.kind not in ("run", "elsewhere"):
        yield "says neither `run`, `tested-by FILE` nor `elsewhere` after ```sh"
    if kind == "elsewhere":
        return
    for words in commands(block.text):
        command = words[0]
        if command == "portrait" or command.endswith("/portrait"):
            if program and (fault := program.fault(words)):
                yield fault
        elif "/" in command and not command.startswith(("/", "~", "$")):
            path = root / command
            if not (path.is_file() and os.access(path, os.X_OK)):
                yield f"no such command in the checkout: {command}"


def run(block, root, build):
    """What went wrong, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in root.iterdir():
            if entry.name not in (".git", ".cache"):
                os.symlink(entry, os.path.join(folder, entry.name))
        environment = dict(os.environ, PATH=f"{build / 'pipeline'}:{os.environ['PATH']}")
        try:
            done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", block.text], cwd=folder, env=environment, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, errors="replace", timeout=TIMEOUT_S,
                                  check=False)
        except subprocess.TimeoutExpired:
            return f"did not end within {TIMEOUT_S} s"
        return f"failed with {done.returncode}:\n{done.stdout}{done.stderr}" if done.returncode else None


def faults(root, build):
    binary = build / "pipeline" / "portrait"
    program = Program(binary) if binary.exists() else None
    for block in blocks(root):
        told = list(static_faults(block, root, program))
        if block.kind == "run" and not told and (failure := run(block, root, build)):
            told.append(failure)
        for fault in told:
            yield f"{block.place()}: {fault}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--list", action="store_true", help="only show the blocks and how each is tested")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    if arguments.list:
        for block in blocks(root):
            print(f"{block.place()}: {block.kind or '(nothing)'}")
        return 0
    told = list(faults(root, arguments.build.resolve()))
    print("\n".join(told) if told else f"{sum(1 for _ in blocks(root))} blocks of commands are as documented")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
