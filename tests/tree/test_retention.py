"""How long turns are kept: by age, number and bytes; and `history: off`, which keeps none."""

import errno
import os

import pytest
from harness.mount import flat
from harness.wait import until


@pytest.fixture
def keeping(mount, simulated):
    """Makes a mount that keeps turns so long; a remount with the same home keeps them otherwise."""

    def make(**retention):
        return mount(simulated.config(retention=retention) if retention else simulated.config()).wait_ready()

    return make


def left(model, wanted, bound=10):
    """Waits until these turns are left, and no others."""
    until(lambda: model.turns() == wanted, bound, f"{wanted} are left, not {model.turns()}")


def directories(tree):
    """How many turns have files in the state directory."""
    return len(list((tree.home / "state/conduitfs/turns").glob("*/*")))


def test_the_newest_turns_of_a_model_are_kept_and_numbers_go_on(keeping):
    tree = keeping(count=2)
    model, other = tree.model("test/echo:free"), tree.model("test/paid")
    other.ask("another model's")
    for number in range(1, 6):
        model.ask(f"prompt {number}")
    left(model, [4, 5])
    left(other, [1])
    assert model.text("turns/000005/prompt") == "prompt 5"
    for path in ("turns/000001", "turns/000003/output"):
        with pytest.raises(OSError) as caught:
            os.stat(model.path / path)
        assert caught.value.errno in (errno.ENOENT, errno.ESTALE)
    until(lambda: directories(tree) == 3, 10, "files of what went are gone")
    assert flat((tree.path / "usage").read_text())["total_turns"] == "6"
    tree.stop()
    tree.start().wait_ready()
    model.ask("prompt 6")
    left(model, [5, 6])


def test_old_turns_go_and_their_numbers_are_not_given_again(keeping):
    tree = keeping(age="1s")
    model = tree.model("test/paid")
    model.ask("one")
    left(model, [], bound=20)
    assert model.text("status").splitlines()[0] == "state idle"
    tree.stop()
    tree.start().wait_ready()
    model.ask("two")
    assert model.turns() == [2]
    usage = flat((tree.path / "usage").read_text())
    assert (usage["total_turns"], usage["total_cost"]) == ("2", "0.000025")


def test_bytes_are_freed_from_the_oldest_on(keeping):
    tree = keeping(bytes="600K")
    model = tree.model("test/big:free")
    for _ in range(5):
        assert len(model.ask("150000")) >= 150000
    until(lambda: model.turns() in ([4, 5], [5]), 10, "the oldest went")
    assert len(model.read("turns/000005/output")) >= 150000


def test_what_a_kept_turn_continues_stays_until_the_whole_conversation_goes(keeping):
    tree = keeping(count=3)
    model = tree.model("test/echo:free")
    ask = "ask() { echo q > input; cat output; };"
    tree.sh(ask + "ask; echo more >> input; cat output; ask; ask", cwd=model.path, check=True)
    assert model.facts("turns/000002/status")["continues"] == "000001"
    tree.stop()  # a look that is due isn't waited for
    tree.start().wait_ready()
    left(model, [1, 2, 3, 4])
    tree.sh(ask + "ask", cwd=model.path, check=True)
    left(model, [3, 4, 5])
    # A session is one conversation.
    (model.path / "sessions/long").mkdir()
    session = tree.model("test/echo:free/sessions/long")
    for number in range(5):
        session.ask(str(number))
    tree.sh(ask + "ask", cwd=model.path, check=True)
    left(model, [4, 5, 6])
    assert session.turns() == [1, 2, 3, 4, 5]


def test_what_is_open_or_under_way_stays(keeping, simulated):
    tree = keeping(count=1)
    model = tree.model("test/echo:free")
    model.ask("one")
    with open(model.path / "turns/000001/output", "rb") as file:
        model.ask("two")
        model.ask("three")
        until(lambda: 2 not in model.turns(), 10, "what nobody has open goes")
        assert file.read() == b"one\n"
    simulated.control(chat="silent")
    model.write("four")
    until(lambda: len(simulated.prompts()) == 4, 10, "it is sent")
    tree.sh("bash -c 'echo five > input'", cwd=model.path)
    (model.path / "turns/000004").stat()
    (model.path / "ctl").write_text("cancel\n")


def test_another_retention_takes_force_with_a_reload(keeping, mount, simulated):
    tree = keeping()
    model = tree.model("test/echo:free")
    for number in range(30):
        model.ask(str(number))
    assert len(model.turns()) == 30
    config = tree.home / "config/conduitfs/config.yml"
    config.write_text(config.read_text().replace("{", '{"retention": {"count": 5}, ', 1))
    (tree.path / "ctl").write_text("reload\n")
    left(model, [26, 27, 28, 29, 30])


# ---- history: off ----

SECRET = "zebra-crossing-at-dawn"


def holding(directory):
    """Files below a directory whose bytes, or names, hold the secret."""
    found = []
    for path in directory.rglob("*"):
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        if SECRET.encode() in data or SECRET in path.name:
            found.append(path)
    return found


def talk(tree):
    """A conversation, in a model's directory and in a session with settings."""
    model = tree.model("test/paid")
    assert model.ask(SECRET) == f"{SECRET}\n".encode()
    tree.sh(f"echo {SECRET} >> input; cat output", cwd=model.path, check=True)
    name = f"sessions/{SECRET}"
    (model.path / name).mkdir()
    session = tree.model(f"test/paid/{name}")
    session.set("system", SECRET)
    session.ask(SECRET)
    return model


def test_with_history_off_nothing_that_was_said_outlives_the_mount(mount, simulated):
    tree = mount(simulated.config(history="off", budget={"total": 1})).wait_ready()
    assert flat((tree.path / "status").read_text())["history"] == "off"
    model = talk(tree)
    assert model.turns() == [1, 2] and model.text("turns/000001/prompt") == SECRET
    assert holding(tree.home / "run") and not holding(tree.home / "state/conduitfs/turns")
    assert model.text(f"sessions/{SECRET}/config/system") == SECRET
    cost = flat((tree.path / "usage").read_text())["total_cost"]
    tree.stop()
    assert holding(tree.home / "state") == [] and holding(tree.home / "run") == []
    assert list((tree.home / "run").iterdir()) == []
    # What is no word of theirs stays: models, settings, what it cost.
    tree.start().wait_ready()
    assert model.turns() == [] and list((model.path / "sessions").iterdir()) == []
    assert flat((tree.path / "usage").read_text())["total_cost"] == cost == "0.0000375"
    model.ask("again")
    assert model.turns() == [1]


def test_what_a_crash_left_goes_at_the_next_start(mount, simulated):
    tree = mount(simulated.config(history="off")).wait_ready()
    talk(tree)
    tree.kill()
    assert holding(tree.home / "run")
    tree.start().wait_ready()
    assert holding(tree.home / "run") == [] and tree.model("test/paid").turns() == []
    tree.stop()
    assert holding(tree.home / "state") == [] and holding(tree.home / "run") == []


def test_what_was_kept_before_is_hidden_and_comes_back(mount, simulated):
    tree = mount(simulated.config()).wait_ready()
    model = tree.model("test/paid")
    model.ask("kept")
    (model.path / "sessions/mine").mkdir()
    tree.model("test/paid/sessions/mine").ask("kept too")
    tree.stop()
    off = mount(simulated.config(history="off")).wait_ready()
    assert model.turns() == [] and (model.path / "sessions/mine").is_dir()
    model.ask(SECRET)
    config = off.home / "config/conduitfs/config.yml"
    config.write_text(config.read_text().replace('"history": "off"', '"history": "on"', 1))
    with pytest.raises(OSError) as caught:
        (off.path / "ctl").write_text("reload\n")
    assert caught.value.errno == errno.EINVAL
    assert "next mount only" in (off.path / "error").read_text()
    off.stop()
    assert holding(off.home / "state") == []
    on = mount(simulated.config()).wait_ready()
    assert model.turns() == [1] and model.text("turns/000001/prompt") == "kept"
    assert on.model("test/paid/sessions/mine").turns() == [1]
    assert on.model("test/paid").ask("next") == b"next\n" and model.turns() == [1, 2]
