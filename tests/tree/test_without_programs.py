"""Providers that run programs of this machine, on one where those aren't installed: they have no
models, or refuse with ENODEV, and the words name the program and the package."""

import json
import os
import pathlib
import shutil
import sys

import pytest
from harness.attach import wav
from harness.mount import run

PACKAGES = {
    "espeak": ("espeak-ng", "espeak-ng"),
    "flite": ("flite", "flite"),
    "pocketsphinx": ("pocketsphinx_continuous", "pocketsphinx pocketsphinx-en-us ffmpeg"),
    "ffmpeg": ("ffmpeg", "ffmpeg"),
}
MODELS = {"espeak": "espeak", "flite": "flite", "pocketsphinx": "pocketsphinx", "ffmpeg": "convert-audio"}
PROGRAMS = ["espeak-ng", "flite", "pocketsphinx_continuous", "ffmpeg", "ffprobe"]
NOT_THERE = [name for name in PROGRAMS if shutil.which(name) is None]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace of its own needs root"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare isn't installed"),
]
all_there = pytest.mark.skipif(bool(NOT_THERE), reason=f"{', '.join(NOT_THERE)}: not installed")


@pytest.fixture
def without(homes, tmp_path):
    """without(programs from the start, programs that go later): what each provider's user is told."""
    prompts = {name: tmp_path / f"prompt.{name}" for name in MODELS}
    for name, path in prompts.items():
        path.write_bytes(wav(16000) if name in ("pocketsphinx", "ffmpeg") else b"hello")

    def told(before="-", after="-"):
        script = pathlib.Path(__file__).parent / "clients/without_programs.py"
        asked = [f"{name}/{MODELS[name]}={path}" for name, path in prompts.items()]
        command = ["unshare", "-m", sys.executable, script, homes(), before, after, *asked]
        ended = run(list(map(str, command)), bound=60, check=True, env=dict(os.environ))
        return {key.split("/")[0]: value for key, value in json.loads(ended.out).items()}

    return told


def remedy(name):
    program, package = PACKAGES[name]
    return f"{program} isn't installed: apt-get install {package}"


def test_without_its_program_a_provider_has_no_models_and_says_what_to_install(without):
    for name, told in without(before=",".join(PROGRAMS)).items():
        assert (told["state"], told["models"]) == ("failed", []), name
        assert told["why"] == remedy(name)
        assert remedy(name) in told["error"]


@all_there
def test_pocketsphinx_is_not_there_for_ffmpegs_sake(without):
    told = without(before="pocketsphinx_continuous")
    assert (told["pocketsphinx"]["state"], told["pocketsphinx"]["models"]) == ("failed", [])
    assert remedy("pocketsphinx") in told["pocketsphinx"]["why"]
    assert told["ffmpeg"]["state"] == told["flite"]["state"] == told["espeak"]["state"] == "ready"


@all_there
def test_a_program_that_went_refuses_its_models_at_open(without):
    for name, told in without(after=",".join(PROGRAMS)).items():
        assert (told["opened"], told["read"]) == ("ENODEV", "ENODEV"), (name, told)
        assert remedy(name) in told["words"]


@all_there
def test_one_of_two_programs_that_went_fails_the_turn_that_needs_it(without):
    told = without(after="pocketsphinx_continuous,ffprobe")
    assert (told["pocketsphinx"]["opened"], told["pocketsphinx"]["read"]) == ("", "ENODEV")
    assert remedy("pocketsphinx") in told["pocketsphinx"]["words"]
    assert (told["ffmpeg"]["opened"], told["ffmpeg"]["read"]) == ("", "ENODEV")
    assert "ffprobe isn't installed: apt-get install ffmpeg" in told["ffmpeg"]["words"]
    assert told["flite"]["read"] == told["espeak"]["read"] == ""
