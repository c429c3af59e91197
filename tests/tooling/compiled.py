"""What a build compiles, by its compile_commands.json."""

import json
import pathlib
import re
import shlex

BATCHED = re.compile(r'^#include "([^"]+)"$', re.MULTILINE)


def compiled_sources(build):
    """Maps each source to the directory and the command that compile it; those that are compiled in a batch to the batch's."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        command = (entry["directory"], shlex.split(entry["command"]))
        if source.parent.name == "Unity":
            for member in BATCHED.findall(source.read_text(encoding="utf-8")):
                commands[pathlib.Path(member).resolve()] = command
        else:
            commands[source] = command
    return commands
