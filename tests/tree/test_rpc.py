"""rpc: a private call on one descriptor. Write, then read: the answer begins where the writing ended."""

import errno
import os
import select
import subprocess
import threading

import pytest
from harness.wait import seconds, until


@pytest.fixture
def wide(mount, simulated):
    """A mount where 500 calls run side by side."""
    config = {
        "limits": {"concurrent": 512, "queue": 1000},
        "providers": {"openrouter": simulated.provider(concurrent=512)},
    }
    return mount(config).wait_ready()


def call(path, *question):
    """One call, as a program makes it: writes each piece of the question, reads to the end."""
    fd = os.open(path, os.O_RDWR)
    try:
        for piece in question:
            os.write(fd, piece)
        answer = b""
        while piece := os.read(fd, 65536):
            answer += piece
        return answer
    finally:
        os.close(fd)


def test_bash_writes_and_reads_one_descriptor(tree, echo):
    script = "exec 3<> $D/rpc; echo mine >&3; cat <&3"
    assert tree.sh(script, D=echo.path, check=True).out == b"mine\n"


def test_a_second_call_on_the_same_descriptor_has_its_own_answer(tree, echo):
    script = "exec 3<> $D/rpc; echo one >&3; cat <&3; echo two >&3; cat <&3"
    assert tree.sh(script, D=echo.path, check=True).out == b"one\ntwo\n"


def test_the_whole_of_several_writes_is_one_prompt(echo, simulated):
    assert call(echo.path / "rpc", b"first ", b"second") == b"first second\n"
    assert simulated.prompts() == ["first second"]


def test_rpc_read_alone_is_empty_and_written_alone_sends_nothing(tree, echo, simulated):
    assert (echo.path / "rpc").read_bytes() == b""
    tree.sh("echo lost > $D/rpc", D=echo.path, check=True)
    assert simulated.prompts() == []


def test_a_call_is_nobodys_newest_turn(echo):
    echo.ask("mine")
    assert call(echo.path / "rpc", b"private") == b"private\n"
    assert (echo.path / "output").read_bytes() == b"mine\n"


def test_closing_early_cancels_the_turn(tree, simulated):
    model = tree.model("test/hang:free")
    fd = os.open(model.path / "rpc", os.O_RDWR | os.O_NONBLOCK)
    os.write(fd, b"never answered")
    with pytest.raises(BlockingIOError):
        os.read(fd, 100)
    until(lambda: simulated.journal()["open"] == 1, 5, "the turn runs")
    os.close(fd)
    until(lambda: simulated.journal()["open"] == 0, 5, "its connection is closed")
    assert model.facts("turns/last/status")["state"] == "cancelled"


def test_poll_waits_for_the_answer(echo):
    fd = os.open(echo.path / "rpc", os.O_RDWR | os.O_NONBLOCK)
    os.write(fd, b"polled")
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    assert poller.poll(seconds(5) * 1000)
    # What has come by now: the service says it in two pieces.
    assert os.read(fd, 100).startswith(b"pol")
    os.close(fd)


def test_a_failure_is_an_errno_of_the_read(tree):
    model = tree.model("test/fail-400:free")
    with pytest.raises(OSError) as caught:
        call(model.path / "rpc", b"refused")
    assert caught.value.errno == errno.EINVAL


def test_a_call_without_a_key_is_refused_at_the_open(mount, simulated):
    keyless = {"providers": {"openrouter": {"key_file": "/nonexistent/key"}}}
    tree = mount(keyless, env={"OPENROUTER_BASE_URL": simulated.base_url}).wait_ready()
    with pytest.raises(OSError) as caught:
        os.open(tree.model("test/echo:free").path / "rpc", os.O_RDWR)
    assert caught.value.errno == errno.ENOKEY
    model = tree.model("test/echo:free")
    with pytest.raises(OSError) as caught:
        (model.path / "ctl").write_text("cancel\n")
    assert caught.value.errno == errno.ESRCH and "refused" in model.text("error") and "no key" in model.text("error")


def test_a_refused_write_ends_the_call_and_the_next_is_a_new_one(mount, simulated):
    tree = mount(simulated.config(limits={"prompt": 1000})).wait_ready()
    fd = os.open(tree.model("test/echo:free").path / "rpc", os.O_RDWR)
    try:
        os.write(fd, b"x" * 900)
        for _ in range(2):
            with pytest.raises(OSError) as caught:
                os.write(fd, b"y" * 900)
            assert caught.value.errno == errno.EFBIG
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        assert poll.poll(seconds(5) * 1000)
        with pytest.raises(OSError) as caught:
            os.read(fd, 65536)
        assert caught.value.errno == errno.EFBIG and simulated.chats() == []
        os.write(fd, b"short")
        answer = b""
        while piece := os.read(fd, 65536):
            answer += piece
        assert answer == b"short\n"
    finally:
        os.close(fd)
    assert simulated.prompts() == ["short"]


@pytest.mark.bound(200)
def test_500_calls_at_once_never_mix(wide):
    path = wide.model("test/echo:free").path / "rpc"
    wrong = []

    def one(n):
        question = b"call %d" % n
        answer = call(path, question)
        if answer != question + b"\n":
            wrong.append((question, answer))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds(60))
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_socat_makes_a_call(echo):
    command = ["socat", "-t", "10", "-", "OPEN:rpc,rdwr"]
    result = subprocess.run(
        command, input=b"by socat", capture_output=True, timeout=seconds(20), check=False, cwd=echo.path
    )
    assert result.stdout.rstrip() == b"by socat", result
