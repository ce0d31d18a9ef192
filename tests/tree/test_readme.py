"""README.md names each form of writing and of working side by side, and tests that are there; its
conversation is followed word for word."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest
import test_shell_forms
import test_whose_turn
from harness.mount import TOP
from test_writing import Shell, first_missing, session

README = (TOP / "README.md").read_text()


def section():
    return README.split("## What is one turn, and whose")[1].split("\n## ")[0]


def test_the_readme_names_every_form():
    named = set(re.findall(r"`([^`]+)`", section()))
    forms = [*test_shell_forms.FORMS, *test_shell_forms.NOTHING, *test_whose_turn.FORMS]
    assert [form for form in forms if form not in named] == []


def test_every_test_that_the_readme_names_is_there():
    there = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", section())
    assert named and [name for name in named if f"def {name}(" not in there] == []


def answer_with(simulated, text):
    """The next reply, as a service streams it."""
    pieces = [text[: len(text) // 2], text[len(text) // 2 :]]
    chunks = [{"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    simulated.replay(body.encode(), content_type="text/event-stream")


@pytest.fixture
def shell(mount, simulated, tmp_path):
    """A user's shell, whose mnt has the models that README names."""
    ids = ["google/gemma-4-31b-it:free", "google/gemma-4-26b-a4b-it:free"]
    listing = [
        {
            "id": name,
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "pricing": {"prompt": "0", "completion": "0"},
        }
        for name in ids
    ]
    (tmp_path / "models.json").write_text(json.dumps({"data": listing}))
    simulated.control(models=str(tmp_path / "models.json"))
    tree = mount(simulated.config()).wait_ready()
    shell = Shell(tree.home)
    yield shell
    shell.end()


def test_the_readmes_conversation_is_true(shell, simulated):
    commands = session(README, "A conversation")
    assert len(commands) == 12
    for command, expected in commands:
        if "cat output" in command:
            answer_with(simulated, expected[0])
        shown = shell.run(command)
        assert first_missing(expected, shown) is None and len(shown) == len(expected), (command, shown)
    last = simulated.chats()[-1]["json"]["messages"]
    assert [one["role"] for one in last] == ["system", *["user", "assistant"] * 2, "user"]
    assert "January" in json.dumps(last) and "May" not in json.dumps(last)


PROGRAMS = ("ffmpeg", "flite", "pocketsphinx_continuous")


@pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason=f"one of {', '.join(PROGRAMS)} isn't installed")
def test_the_readmes_sound_pictures_and_video_are_true(mount):
    tree = mount({"providers": {"openrouter": "off", "ffmpeg": {}, "flite": {}, "pocketsphinx": {}}})
    for name in ("ffmpeg", "flite", "pocketsphinx"):
        tree.wait_ready(name)
    clip = ["-f", "lavfi", "-i", "testsrc=d=2:s=64x48:r=10", "-f", "lavfi", "-i", "sine=d=2", "-c:v", "mpeg4"]
    subprocess.run(["ffmpeg", "-v", "error", *clip, tree.home / "talk.mp4"], check=True, timeout=60)
    commands = session(README, "Sound, pictures and video, without a key")
    assert len(commands) == 9
    shell = Shell(tree.home)
    try:
        # A player that says whether it could play.
        shell.run('mpv() { ffprobe -v error "$@" || echo nothing to play; }')
        for command, expected in commands:
            shown = shell.run(command)
            assert [word for line in shown for word in line.split()] == [
                word for line in expected for word in line.split()
            ], command
        assert (tree.home / "first.png").read_bytes().startswith(b"\x89PNG")
    finally:
        shell.end()
