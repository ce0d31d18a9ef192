"""A provider that crashes, hangs, takes everything or breaks out: its own turns fail in words, and
nothing else notices. Built as a build directory is laid out, where the program finds its parts."""

import errno
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from harness.mount import BUILD, SANITIZED, TOP, Mount
from harness.wait import seconds, until

SOURCE = pathlib.Path(__file__).parent / "clients" / "hostile_provider.c"
MANIFEST = """id: hostile-provider
name: Hostile
version: 1.0.0
description: What a provider must not do
type: local
capabilities:
  - text-to-text
sources:
  - provider.c
key_required: false
"""
#: The model, and what `error` says of the end of its provider's process.
ACTS = {
    "segfault": "crashed (SIGSEGV)",
    "spin": "acknowledged nothing",
    "memory": "crashed (SIGSEGV)",
    "garbage": "malformed message",
    "oversized": "above 64 KiB",
}
#: The model, and the system call that its provider tries.
FORBIDDEN = {"open": "openat", "socket": "socket", "execve": "execve"}


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """A build directory of copies, with the hostile provider among the bundled ones."""
    top = tmp_path_factory.mktemp("layout")
    for name in ("fs/conduitfs", "core/provider/conduitfs-provider"):
        (top / name).parent.mkdir(parents=True)
        shutil.copy2(BUILD / name, top / name)
    providers = top / "providers"
    providers.mkdir()
    for name in ("cowsay.so", "cowsay.yml"):
        shutil.copy2(BUILD / "providers" / name, providers / name)
    flags = ["-shared", "-fPIC", "-O1", "-w", "-I", TOP / "core/provider"]
    subprocess.run(["cc", *flags, "-o", providers / "hostile.so", SOURCE], check=True)
    (providers / "hostile.yml").write_text(MANIFEST)
    return top


@pytest.fixture
def tree(layout, homes):
    one = Mount(homes(), "{}\n")
    one.command = lambda *arguments: [str(layout / "fs/conduitfs"), *arguments]
    one.start()
    one.wait_ready("cowsay")
    one.wait_ready("hostile")
    yield one
    try:
        one.stop()
    finally:
        one.unmount_lazily()


def hostile(tree, name):
    return tree.model(name, "hostile")


def failed(model, prompt="q"):
    """The errno that a turn ends with."""
    model.write(prompt)
    with pytest.raises(OSError) as caught:
        model.read()
    return caught.value.errno


def cow(tree, words):
    assert words.encode() in tree.model("cow", "cowsay").ask(words)


@pytest.mark.parametrize("act", ACTS)
def test_a_provider_that_breaks_fails_its_turns_in_words_and_nobody_elses(tree, act):
    if act == "memory" and SANITIZED:
        pytest.skip("a sanitized provider has no limit of memory")
    model = hostile(tree, act)
    model.write("q")
    cow(tree, "meanwhile")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EIO
    words = model.text("error")
    assert "provider hostile" in words and ACTS[act] in words
    assert model.facts()["state"] == "failed"
    cow(tree, "afterwards")


@pytest.mark.parametrize("act", FORBIDDEN)
def test_a_system_call_that_reaches_out_ends_the_process_by_the_kernel(tree, act):
    model = hostile(tree, act)
    if SANITIZED:
        pytest.skip("the filter of a sanitized provider logs only")
    before = set(tree.runners())
    assert failed(model) == errno.EIO
    assert f"forbidden system call ({FORBIDDEN[act]})" in model.text("error")
    assert model.read("turns/000001/prompt").rstrip() == b"q"
    assert before - set(tree.runners()), "the process was ended"
    cow(tree, "afterwards")


def test_a_provider_that_crashed_answers_again(tree):
    failed(hostile(tree, "segfault"))
    good = hostile(tree, "good")

    def answered():
        try:
            return good.ask("q") == b"good\n"
        except OSError:
            return False

    until(answered, 20, "it was started again")


def test_a_crash_is_told_in_the_providers_log_and_leaves_its_models(tree):
    provider = tree.path / "providers/hostile"
    failed(hostile(tree, "segfault"))
    until(lambda: "crashed (SIGSEGV)" in (provider / "log").read_text(), 5, "the log tells of it")
    assert len(os.listdir(provider / "models")) == 9


def test_a_turn_beside_a_hanging_one_fails_with_it_and_the_daemon_stays_quick(tree):
    hostile(tree, "spin").write("q")
    good = hostile(tree, "good")
    good.write("q")
    begin = time.monotonic()
    for _ in range(20):
        os.listdir(tree.path / "providers/hostile/models")
        cow(tree, "quick")
    assert time.monotonic() - begin < seconds(3)
    with pytest.raises(OSError):
        hostile(tree, "spin").read()
    with pytest.raises(OSError):
        good.read()
    assert "hostile" in good.text("error")


def test_cancelling_a_hanging_turn_ends_its_wait(tree):
    model = hostile(tree, "spin")
    model.write("q")
    (model.path / "ctl").write_text("cancel\n")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.ECANCELED


def test_a_providers_process_sees_no_environment_and_no_descriptor_but_its_own(tree):
    hostile(tree, "good").ask("q")
    for pid in tree.runners():
        assert pathlib.Path(f"/proc/{pid}/environ").read_bytes() in (b"", b"\0")
        assert all(int(name) <= 3 for name in os.listdir(f"/proc/{pid}/fd"))
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
