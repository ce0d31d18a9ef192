"""`driver: replay`: kept turns answer, offline and for nothing."""

import errno
import json
import os
import shutil

import pytest
from harness.mount import flat


@pytest.fixture
def kept(tree, tmp_path):
    """Turns of the simulated OpenRouter, copied out of the tree."""
    echo = tree.model("test/echo:free")
    assert echo.ask("hello\n") == b"hello\n"
    with open(echo.path / "input", "a", encoding="ascii") as file:
        file.write("again\n")
    assert echo.read() == b"again\n"
    thinking = tree.model("test/thinking:free")
    assert thinking.ask("why?\n") == b"the answer\n"
    failing = tree.model("test/fail-402:free")
    failing.write("hello\n")
    with pytest.raises(OSError):
        failing.read()
    path = tmp_path / "kept"
    for model in (echo, thinking, failing):
        shutil.copytree(model.path / "turns", path / model.path.name, symlinks=True)
    tree.stop()
    return path


@pytest.fixture
def replay(mount, kept):
    config = {"providers": {"openrouter": {"driver": "replay", "path": str(kept)}}}
    return mount(config, home="replaying").wait_ready()


def test_the_models_are_those_that_were_asked(replay):
    found = sorted(os.listdir(replay.path / "providers/openrouter/models/test"))
    assert found == ["echo:free", "fail-402:free", "thinking:free"]


def test_the_same_prompt_has_the_same_answer_for_nothing(replay, simulated):
    sent = len(simulated.chats())
    echo = replay.model("test/echo:free")
    assert echo.ask("hello\n") == b"hello\n"
    assert echo.facts("usage")["cost"] == "0"
    assert echo.facts("usage")["prompt_tokens"] == "1"
    assert echo.facts()["finish"] == "stop"
    assert len(simulated.chats()) == sent


def test_a_newline_at_the_end_makes_no_difference(replay):
    assert replay.model("test/echo:free").ask("hello") == b"hello\n"


def test_a_conversation_is_followed(replay):
    echo = replay.model("test/echo:free")
    echo.ask("hello\n")
    with open(echo.path / "input", "a", encoding="ascii") as file:
        file.write("again\n")
    assert echo.read() == b"again\n"
    # By itself it was never asked.
    echo.write("again\n")
    with pytest.raises(OSError) as caught:
        echo.read()
    assert caught.value.errno == errno.ENOENT
    assert "no turn that is kept" in echo.text("error")


def test_reasoning_stays_apart(replay):
    thinking = replay.model("test/thinking:free")
    assert thinking.ask("why?\n") == b"the answer\n"
    assert (thinking.path / "turns/000001/reasoning").read_text() == "secret thoughts"


def test_a_failure_is_told_again(replay):
    failing = replay.model("test/fail-402:free")
    failing.write("hello\n")
    with pytest.raises(OSError) as caught:
        failing.read()
    assert caught.value.errno == errno.EDQUOT
    assert "failed with 402" in failing.text("error")


def test_turns_that_were_copied_there_later_are_known_after_a_refresh(replay, kept):
    turn = kept / "more/000001"
    turn.mkdir(parents=True)
    (turn / "prompt").write_text("new question")
    (turn / "output").write_text("new answer\n")
    (turn / "status").write_text("state done\nmodel test/later\n")
    (replay.path / "providers/openrouter/ctl").write_text("refresh\n")
    later = replay.model("test/later")
    replay.wait_ready()
    from harness.wait import until

    until(later.path.exists, 10, "the model is there")
    assert later.ask("new question") == b"new answer\n"


def test_a_directory_without_turns_says_so(mount, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    one = mount({"providers": {"kept": {"driver": "replay", "path": str(empty)}}})
    status = one.path / "providers/kept/status"
    assert flat(status.read_text())["state"] == "failed"
    assert "holds no kept turns" in status.read_text()


def test_without_a_path_it_is_not_there(tree, mount):
    assert "replay" not in os.listdir(tree.path / "providers")
    one = mount(json.dumps({"providers": {"kept": {"driver": "replay"}}}), home="x", start=False)
    result = one.background()
    assert result.status != 0 and b"driver: replay needs a path" in result.err


def test_a_long_answer_comes_whole(mount, tmp_path):
    turn = tmp_path / "kept/000001"
    turn.mkdir(parents=True)
    text = "".join(f"line {i}\n" for i in range(200000))
    (turn / "prompt").write_text("much")
    (turn / "output").write_text(text)
    (turn / "status").write_text("state done\nmodel m\n")
    config = {"providers": {"kept": {"driver": "replay", "path": str(tmp_path / "kept")}}}
    one = mount(config).wait_ready("kept")
    assert one.model("m", "kept").ask("much").decode() == text
