#!/usr/bin/env python3
"""embed.py OUTPUT FOLDER FILE…: makes a C file of the skeletons' files, which `new` writes. A file's
name is its path below FOLDER; the first part of it says which skeleton it is of."""

import pathlib
import sys


def literal(data):
    lines = []
    for line in data.decode().splitlines(keepends=True):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'\t\t\t"{escaped}"\n')
    return "".join(lines)


def main():
    output, folder, *files = (pathlib.Path(name).resolve() for name in sys.argv[1:])
    text = '/* Made by embed.py. */\n#include "core/command/skeleton/skeleton.h"\n\n#include <stddef.h>\n'
    for kind in ("compiled", "declared"):
        text += f"\nconst struct skeleton_file skeleton_{kind}[] = {{\n"
        for file in files:
            name = file.relative_to(folder)
            if name.parts[0] == kind:
                text += f'\t\t{{"{pathlib.Path(*name.parts[1:])}",\n{literal(file.read_bytes())}\t\t}},\n'
        text += "\t\t{NULL, NULL},\n};\n"
    output.write_text(text)


main()
