"""Waiting without asking again and again: status and output poll, queue positions; and where a
prompt came from."""

import errno
import os
import select
import subprocess
import sys
import time

from harness.mount import flat
from test_sessions import ECHO, code_of, session


def watch(path):
    """An open status that was read, and a poll for its next change."""
    fd = os.open(path, os.O_RDONLY)
    facts = flat(os.pread(fd, 65536, 0).decode())
    poll = select.poll()
    poll.register(fd, select.POLLPRI)
    return fd, facts, poll


def wakes(poll):
    """Something happens before the clock does: at its end poll(2) would look once more by itself."""
    begin = time.monotonic()
    found = poll.poll(60000)
    return found and time.monotonic() - begin < 50


def changes(fd, poll, wanted):
    """The states that polling and reading again tell of, up to `wanted`."""
    seen = []
    while not seen or seen[-1] != wanted:
        assert wakes(poll), seen
        facts = flat(os.pread(fd, 65536, 0).decode())
        if not seen or facts["state"] != seen[-1]:
            seen.append(facts["state"])
    return seen


def test_a_watched_status_tells_each_change_of_the_turn(tree):
    model = tree.model("test/slow:free")
    fd, facts, poll = watch(model.path / "status")
    assert facts["state"] == "idle"
    assert poll.poll(0) == []
    model.write("first=0.3 hello\n")
    assert changes(fd, poll, "done")[-2:] == ["running", "done"]
    assert poll.poll(0) == []
    os.close(fd)


def test_a_turns_own_status_can_be_watched(tree):
    model = tree.model("test/hang:free")
    model.write("hang\n")
    fd, facts, poll = watch(model.path / "turns/000001/status")
    assert facts["turn"] == "000001"
    model.write("cancel\n", "ctl")
    assert changes(fd, poll, "cancelled")[-1] == "cancelled"
    os.close(fd)


def test_a_status_can_always_be_read_and_says_when_it_differs(tree, echo):
    fd = os.open(echo.path / "status", os.O_RDONLY)
    os.pread(fd, 65536, 0)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll(0) == [(fd, select.POLLIN)]
    echo.ask("hello\n")
    events = dict(poll.poll(0))
    assert events[fd] & select.POLLERR
    os.pread(fd, 65536, 0)
    assert poll.poll(0) == [(fd, select.POLLIN)]
    os.close(fd)


def test_output_polls_when_bytes_come(tree):
    model = tree.model("test/slow:free")
    model.write("first=0.3 hello\n")
    fd = os.open(model.path / "output", os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert wakes(poll)
    assert os.read(fd, 100).startswith(b"hello")
    os.close(fd)


def test_who_watches_a_session_hears_of_its_end(tree):
    chat = session(tree.model("test/hang:free"))
    chat.write("hang\n")
    fd, _, poll = watch(chat.path / "status")
    os.rmdir(chat.path)
    assert wakes(poll)
    assert code_of(lambda: os.pread(fd, 100, 0)) == errno.ESTALE
    os.close(fd)


def test_status_says_what_a_queued_turn_waits_for_and_where_it_stands(mount, simulated):
    config = {"providers": {"openrouter": simulated.provider(concurrent=1)}}
    tree = mount(config).wait_ready()
    chat, other = session(tree.model("test/hang:free"), "a b"), tree.model(ECHO)
    for _ in range(2):
        chat.write("hang\n")
    other.write("later\n")
    assert chat.facts("turns/000001/status")["state"] == "running"
    waits = chat.facts()
    assert (waits["state"], waits["session"]) == ("queued", "a b")
    assert waits["waiting_for"] == "turn 000001, which it continues"
    assert waits["queue_position"] == "1"
    later = other.facts()
    assert later["queue_position"] == "2" and "session" not in later
    assert later["waiting_for"] == "openrouter, which runs no more than 1 at once"
    fd, facts, poll = watch(other.path / "status")
    chat.write("cancel\n", "ctl")
    assert wakes(poll)
    assert flat(os.pread(fd, 65536, 0).decode())["queue_position"] == "1"
    os.close(fd)


def origin(model, number=1):
    return model.facts(f"turns/{number:06d}/status").get("from")


def test_what_one_process_read_and_wrote_is_said_in_the_turn(tree, echo):
    other = tree.model("test/talk:free")
    chat = session(other, "s")
    echo.ask("first\n")
    tree.sh("cp echo:free/output talk:free/input; cat talk:free/output", cwd=echo.path.parent, check=True)
    assert origin(other) == "providers/openrouter/models/test/echo:free/turns/000001"
    tree.sh("cat talk:free/output > talk:free/sessions/s/input", cwd=echo.path.parent, check=True)
    assert origin(chat) == "providers/openrouter/models/test/talk:free/turns/000001"
    chat.read()
    tree.sh("cp talk:free/sessions/s/output echo:free/input", cwd=echo.path.parent, check=True)
    assert origin(echo, 2) == "providers/openrouter/models/test/talk:free/sessions/s/turns/000001"
    tree.sh("rm -r talk:free/sessions/s", cwd=echo.path.parent, check=True)
    assert origin(echo, 2) == "forgotten"


def test_where_two_processes_did_nothing_is_claimed(tree, echo):
    other = tree.model("test/talk:free")
    echo.ask("first\n")
    script = "cat echo:free/output | tee talk:free/input > /dev/null; cat talk:free/output"
    tree.sh(script, cwd=echo.path.parent, check=True)
    assert origin(other) is None
    assert origin(echo) is None


def test_a_program_that_reads_in_a_thread_and_writes_in_another(tree, echo):
    other = tree.model("test/talk:free")
    echo.ask("first\n")
    program = """
import sys, threading
got = []
reader = threading.Thread(target=lambda: got.append(open(sys.argv[1]).read()))
reader.start(); reader.join()
def write():
    with open(sys.argv[2], "w") as file: file.write(got[0])
writer = threading.Thread(target=write); writer.start(); writer.join()
"""
    paths = [str(echo.path / "output"), str(other.path / "input")]
    subprocess.run([sys.executable, "-c", program, *paths], check=True, timeout=30)
    other.read()
    assert origin(other) == "providers/openrouter/models/test/echo:free/turns/000001"
