#!/usr/bin/env python3
"""One of many at work in a tree at once: asks in a model's directory, in a session, by rpc and in a
group, in turn, and checks that each answer is its own. Prints how many were wrong.

    many.py MNT NAME ROUNDS
"""

import os
import subprocess
import sys


def ask(directory, question, output="output"):
    with open(f"{directory}/input", "w", encoding="ascii") as file:
        file.write(question)
    with open(f"{directory}/{output}", encoding="ascii") as file:
        return file.read()


def call(model, question):
    fd = os.open(f"{model}/rpc", os.O_RDWR)
    try:
        os.write(fd, question.encode())
        answer = b""
        while piece := os.read(fd, 4096):
            answer += piece
        return answer.decode()
    finally:
        os.close(fd)


def shell(model, question):
    """A process of its own for each, as a script does."""
    script = 'echo "$1" > "$0/input"; cat "$0/output"'
    return subprocess.run(
        ["sh", "-c", script, model, question], capture_output=True, text=True, check=False
    ).stdout


def main():
    mnt, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model = f"{mnt}/providers/openrouter/models/test/paid"
    session = f"{model}/sessions/{name}"
    os.mkdir(session)
    wrong = 0
    said = []
    for i in range(rounds):
        question = f"{name}-{i}"
        wrong += ask(model, f"{question}-m") != f"{question}-m\n"
        wrong += ask(session, f"{question}-s") != f"{question}-s\n"
        wrong += call(model, f"{question}-r") != f"{question}-r\n"
        wrong += ask(f"{mnt}/groups/all", f"{question}-g", "output/paid") != f"{question}-g\n"
        wrong += shell(model, f"{question}-c") != f"{question}-c\n"
        said += [f"{question}-s"] * 2
    history = subprocess.run(
        ["/usr/bin/python3", "-c", "import json,sys; print('\\n'.join("
         "m['content'].strip() for m in json.load(open(sys.argv[1]))))", f"{session}/messages.json"],
        capture_output=True, text=True, check=True,
    ).stdout.split("\n")
    wrong += [line for line in history if line] != said
    print(wrong)


if __name__ == "__main__":
    main()
