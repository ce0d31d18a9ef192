"""A state directory in trouble: full, read-only, damaged, of an older version, under a wrong clock.
Words, nothing lost, and the mount still answers."""

import datetime
import errno
import json
import os
import re
import sqlite3
import subprocess

import pytest
from harness.mount import BUILD, TOP, Model, flat
from harness.refused import refused
from harness.wait import until


def answers(tree):
    """The mount answers whoever looks."""
    assert "version" in flat((tree.path / "status").read_text())
    assert "echo:free" in os.listdir(tree.path / "providers/openrouter/models/test")
    assert "total_turns" in flat((tree.path / "usage").read_text())


# ---- a disk that takes nothing more ----


class Disk:
    """A small file system for a state directory."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        self.mount("size=3m,mode=0700")

    def mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.path], check=True)

    def fill(self):
        with open(self.path / "filler", "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096) == 4096:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC

    def free(self):
        (self.path / "filler").unlink()


@pytest.fixture
def disk(tmp_path):
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        pytest.skip("a small file system of the test's own needs root, who may mount")
    one = Disk(tmp_path / "disk")
    yield one
    subprocess.run(["umount", "-l", one.path], check=False)


@pytest.fixture
def small(mount, simulated, disk):
    config = simulated.config(state=str(disk.path / "state"))
    return mount(config).wait_ready()


def test_a_full_disk_refuses_prompts_in_words_and_keeps_what_was_there(small, simulated, disk):
    model = small.model("test/echo:free")
    model.ask("before")
    disk.fill()
    with pytest.raises(OSError) as caught:
        model.write("x" * 100000)
        model.read()
    assert caught.value.errno == errno.ENOSPC
    assert model.text("error").startswith("ENOSPC: ") and "space" in model.text("error")
    # Never an older answer for a newer question.
    assert refused(model.read) == errno.ENOSPC
    answers(small)
    assert model.text("turns/000001/output") == "before"
    disk.free()
    assert model.ask("after") == b"after\n"
    assert simulated.prompts() == ["before", "after"]
    small.stop()
    small.start().wait_ready()
    assert model.text("turns/000001/output") == "before"
    assert flat((small.path / "usage").read_text())["total_turns"] >= "2"


def test_a_disk_that_fills_while_a_turn_runs_loses_no_cost(small, simulated, disk):
    model = small.model("test/paid")
    simulated.control(chat="silent")
    model.write("one")
    until(lambda: model.path.joinpath("output").stat().st_size > 0, 10, "it began")
    disk.fill()
    (model.path / "ctl").write_text("cancel\n")
    assert refused(model.read) == errno.ECANCELED
    answers(small)
    disk.free()
    spent = lambda: flat((small.path / "usage").read_text())  # noqa: E731
    until(lambda: spent()["total_turns"] == "1", 10, "its end is in the ledger")
    assert spent()["total_unpriced_turns"] == "1"
    small.stop()
    small.start().wait_ready()
    assert spent()["total_turns"] == "1" and model.facts("turns/000001/status")["state"] == "cancelled"


def test_a_state_directory_that_cant_be_written_is_refused_at_the_mount(mount, simulated, disk):
    (disk.path / "state").mkdir()
    disk.mount("remount,ro")
    tree = mount(simulated.config(state=str(disk.path / "state")), start=False)
    result = tree.background()
    assert result.status == 32
    assert b"must be writable" in result.err and b"`state:`" in result.err


# ---- a damaged database ----


def test_a_damaged_database_is_set_aside_and_the_ledger_carried_over(mount, simulated):
    simulated.control(cost=0.01)
    tree = mount(simulated.config(budget={"total": 0.03})).wait_ready()
    model = tree.model("test/paid")
    model.set("max_tokens", "2")
    for number in range(3):
        model.ask(f"prompt {number}")
    state = tree.home / "state/conduitfs"
    tree.stop()
    with sqlite3.connect(state / "conduitfs.db") as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name='record'").fetchone()
    with open(state / "conduitfs.db", "r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(os.urandom(4096))
    # As after a crash: the next start looks at all of it.
    (state / "lock").write_text("1\n")
    tree.start()
    until((model.path / "input").exists, 20, "models return with a refresh that is due at once")
    notice = flat((tree.path / "status").read_text())["notice"]
    assert "was damaged: it is kept as" in notice and "with what could be read of it" in notice
    assert model.text("turns/000002/prompt") == "prompt 1"
    assert list(state.glob("conduitfs.db.corrupt-*"))
    answers(tree)
    # What was spent is known, so that the budget holds.
    assert flat((tree.path / "usage").read_text())["total_cost"] == "0.03"
    assert refused(lambda: model.ask("one too many")) == errno.EDQUOT
    assert len(list(state.glob("turns/*/*/prompt"))) >= 3


def test_a_database_whose_first_page_is_lost_leaves_the_prompts_and_answers(mount, simulated):
    tree = mount(simulated.config()).wait_ready()
    model = tree.model("test/echo:free")
    model.ask("remember")
    state = tree.home / "state/conduitfs"
    tree.stop()
    with open(state / "conduitfs.db", "r+b") as file:
        file.write(os.urandom(4096))
    tree.start()
    until((model.path / "input").exists, 20, "models return with a refresh that is due at once")
    notice = flat((tree.path / "status").read_text())["notice"]
    assert f"prompts and answers are files in {state}/turns" in notice
    assert list(state.glob("conduitfs.db.corrupt-*"))
    before = list(state.glob("turns/*/*/prompt"))
    assert [path.read_text() for path in before] == ["remember"]
    answers(tree)
    assert before[0].read_text() == "remember", "a number was used again"


# ---- an older version ----


def first_step():
    """The SQL of the first version, as core/store/schema.c still has it."""
    source = (TOP / "core/store/schema.c").read_text()
    text = source.split("static const char first_step[] =")[1].split(";\n\n")[0]
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))


def test_the_state_of_the_first_version_is_taken_over(mount, simulated):
    tree = mount(simulated.config(), start=False)
    tree.prepare()
    state = tree.home / "state/conduitfs"
    files = state / "turns/000000/1"
    files.mkdir(parents=True, mode=0o700)
    state.chmod(0o700)
    (files / "prompt").write_text("from long ago\n")
    (files / "output").write_text("an old answer\n")
    when = int(datetime.datetime.now().timestamp() * 1e6)
    with sqlite3.connect(state / "conduitfs.db") as old:
        old.executescript(first_step())
        for row in ((2, 1, "openrouter", 0), (3, 2, "test", 0), (4, 3, "paid", 1)):
            old.execute("INSERT INTO place(id, parent, name, model) VALUES(?,?,?,?)", row)
        record = "INSERT INTO record VALUES(4,?,'','',0,0,0,'','text','','',x'')"
        old.execute(record, (b"test/paid",))
        old.execute("INSERT INTO setting VALUES(1,'temperature','0.25')")
        old.execute("INSERT INTO link(name, target, made) VALUES('fast','providers',1)")
        old.execute(
            "INSERT INTO turn VALUES(1,4,1,0,4,?1,?1,?1,?1,14,14,0,'','stop','m','openrouter',200,"
            "3,4,-1,-1,5000000,'reported',9)",
            (when,),
        )
        old.execute(f"PRAGMA application_id={int.from_bytes(b'cdfs', 'big')}")
        old.execute("PRAGMA user_version=1")
    tree.start().wait_ready()
    model = tree.model("test/paid")
    assert model.text("turns/000001/prompt") == "from long ago"
    assert model.text("turns/000001/output") == "an old answer"
    assert model.facts("turns/000001/usage")["cost"] == "0.000005"
    usage = flat((tree.path / "usage").read_text())
    assert (usage["today_turns"], usage["total_cost"]) == ("1", "0.000005")
    assert model.text("config/temperature") == "0.25"
    assert os.readlink(tree.path / "fast") == "providers"
    model.ask("and on it goes")
    assert model.turns() == [1, 2]


# ---- a wrong clock ----


@pytest.fixture
def clock(tmp_path):
    """A library that shifts the time of day by what a file says, in seconds."""
    if any(b"libasan" in line for line in open(BUILD / "fs/conduitfs", "rb")):
        pytest.skip("a sanitizer must be the first library")
    library, shift = tmp_path / "clock.so", tmp_path / "shift"
    source = TOP / "tests/tree/clients/clock.c"
    subprocess.run(["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", library, source], check=True)

    def set_to(days):
        shift.with_suffix(".new").write_text(f"{int(days * 86400)}\n")
        shift.with_suffix(".new").rename(shift)

    set_to(0)
    set_to.env = {"LD_PRELOAD": str(library), "SHIFTED_CLOCK": str(shift)}
    return set_to


def test_a_clock_that_is_set_back_loses_nothing_and_counts_nothing_twice(mount, simulated, clock):
    clock(2)
    simulated.control(cost=0.01)
    config = simulated.config(budget={"day": 0.02}, retention={"age": "30d"})
    tree = mount(config, env=clock.env).wait_ready()
    model = tree.model("test/paid")
    model.set("max_tokens", "1")
    usage = lambda: flat((tree.path / "usage").read_text())  # noqa: E731
    model.ask("the day after tomorrow")
    assert usage()["today_turns"] == "1"
    clock(0)
    assert usage()["today_turns"] == "0" and usage()["total_turns"] == "1"
    model.ask("today")
    answers(tree)
    assert usage()["today_cost"] == "0.01" and usage()["total_cost"] == "0.02"
    # Sent and answered in order, whatever the clock said.
    assert model.text("turns/000001/prompt") == "the day after tomorrow"
    assert model.text("output") == "today"
    tree.stop()
    tree.start().wait_ready()
    clock(2)
    assert usage()["today_turns"] == "1" and usage()["total_turns"] == "2"
    assert sum(1 for line in (tree.path / "usage").read_text().splitlines() if line.startswith("day ")) == 2
    model.ask("the day after tomorrow, again")
    assert usage()["today_turns"] == "2"
    assert refused(lambda: model.ask("over that day's budget")) == errno.EDQUOT


def test_an_answer_of_the_future_is_no_cached_one_and_a_session_keeps_its_order(mount, simulated, clock):
    clock(400)
    simulated.control(chat="echo")
    tree = mount(simulated.config(), env=clock.env).wait_ready()
    model = tree.model("test/paid")
    model.set("cache", "1d")
    model.ask("again")
    model.ask("again")
    assert len(simulated.chats()) == 1
    chat = Model(model.path / "sessions/chat")
    chat.path.mkdir()
    chat.ask("first")
    (chat.path / "transcript.md").unlink()
    assert not (chat.path / "transcript.md").exists()
    asked = len(simulated.chats())
    clock(0)
    model.ask("again")
    model.ask("again")
    assert len(simulated.chats()) == asked + 1
    chat.ask("second")
    until(lambda: (chat.path / "transcript.md").exists(), 10, "what was removed is hidden for a moment")
    tree.stop()
    tree.start().wait_ready()
    chat.ask("third")
    said = [message["content"].strip() for message in simulated.chats()[-1]["json"]["messages"]]
    assert said == ["first", "first", "second", "second", "third"]
    shown = [m["content"].strip() for m in json.loads((chat.path / "messages.json").read_text())]
    assert shown[-6:] == ["first", "first", "second", "second", "third", "third"]
    assert chat.turns() == [1, 2, 3]
