#!/usr/bin/env python3
"""Mounts a tree on a machine on which programs aren't installed, and prints as JSON what who uses it
is told. To be run in a mount namespace of its own: where a program is looked for, /dev/null, which
can't be run, is put in its place.

    without_programs.py HOME BEFORE AFTER ASKED…

BEFORE: programs that aren't there from the start, AFTER: that go once the models are known, with
commas, "-" for none. ASKED: PROVIDER/MODEL=FILE, whose bytes are the prompt.
"""

import errno
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from harness.mount import Mount, flat  # noqa: E402
from harness.wait import until  # noqa: E402

DIRECTORIES = ("/usr/bin", "/usr/local/bin", "/bin")


def take_away(names):
    for name in names.split(",") if names != "-" else []:
        for path in {(pathlib.Path(directory) / name).resolve() for directory in DIRECTORIES}:
            if path.exists() and path.is_file():
                subprocess.run(["mount", "--bind", "/dev/null", path], check=True)


def code_of(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return ""


def told(tree, name):
    path = tree.path / "providers" / name
    facts = flat((path / "status").read_text())
    return {"state": facts["state"], "why": facts["why"], "models": sorted(os.listdir(path / "models")),
            "error": (path / "error").read_text()}


def ask(tree, model, prompt):
    """How opening input and reading output end, and the words."""
    opened = code_of(lambda: model.write(prompt))
    read = code_of(model.read)
    return {"opened": opened, "read": read, "words": model.text("error")}


def main():
    home, before, after, *asked = sys.argv[1:]
    wanted = [(name.split("/"), pathlib.Path(file)) for name, file in (one.split("=") for one in asked)]
    providers = sorted({provider for (provider, _), _ in wanted})
    tree = Mount(pathlib.Path(home), {"providers": {name: {} for name in providers}})
    take_away(before)
    said = {}
    tree.start()
    try:
        for name in providers:
            status = tree.path / "providers" / name / "status"
            until(lambda s=status: flat(s.read_text())["state"] in ("ready", "failed"), 20, "it settles")
        take_away(after)
        for (provider, name), file in wanted:
            there = told(tree, provider)
            model = tree.model(name, provider)
            turn = ask(tree, model, file.read_bytes()) if model.path.exists() else {}
            said[f"{provider}/{name}"] = there | turn
    finally:
        tree.stop()
    print(json.dumps(said))


main()
