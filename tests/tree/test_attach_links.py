"""Links in attach/: what they lead to goes along with the prompt, as it is when that is sent."""

import errno
import json
import os

import pytest
from harness.attach import MANY, entry
from harness.mount import Model


@pytest.fixture
def tree(mount, simulated, tmp_path):
    models = [entry("test/all:free", MANY), entry("test/text:free", ["text"])]
    (tmp_path / "models.json").write_text(json.dumps({"data": models}))
    simulated.control(models=str(tmp_path / "models.json"), chat="echo")
    return mount(simulated.config()).wait_ready()


@pytest.fixture
def model(tree):
    return tree.model("test/all:free")


def listed(model):
    return sorted(os.listdir(model.path / "attach"))


def test_a_link_to_another_answer_is_followed_when_the_prompt_is_sent(tree, model, simulated):
    other = tree.model("test/text:free")
    (model.path / "attach/said.txt").symlink_to("../../text:free/turns/000001/output")
    other.ask("what was said")
    (model.path / "attach/newest.txt").symlink_to(other.path / "output")
    assert (model.path / "attach/said.txt").read_text() == "what was said\n"
    model.ask("sum up")
    content = simulated.chats()[-1]["json"]["messages"][-1]["content"]
    assert [part["text"] for part in content] == ["sum up", "what was said\n", "what was said\n"]
    assert listed(model) == []
    kept = model.path / "turns/000001/attachments/said.txt"
    assert kept.read_text() == "what was said\n" and not kept.is_symlink()


def test_a_link_to_what_the_tree_shows_takes_it_as_it_is_now(tree, model, simulated):
    chat = Model(tree.model("test/text:free").path / "sessions/chat")
    chat.path.mkdir()
    chat.ask("what was said")
    (tree.model("test/text:free").path / "config/system").write_text("Be brief.")
    chats = "../../text:free/sessions/chat"
    links = {
        "a": (f"{chats}/messages.json", chat.path / "messages.json"),
        "b": (f"{chats}/transcript.md", chat.path / "transcript.md"),
        "c": ("../info/id", model.path / "info/id"),
        "d": (str(tree.path / "README.md"), tree.path / "README.md"),
        "e": ("../../text:free/config/system", tree.model("test/text:free").path / "config/system"),
    }
    shown = {}
    for name, (target, path) in links.items():
        (model.path / "attach" / name).symlink_to(target)
        shown[name] = path.read_text()
    model.ask("sum up")
    chat.ask("and on it goes")
    content = simulated.chats()[-2]["json"]["messages"][-1]["content"]
    assert [part["text"] for part in content] == ["sum up", *shown.values()]
    kept = model.path / "turns/000001/attachments"
    assert {path.name: path.read_text() for path in kept.iterdir()} == shown
    assert listed(model) == []


def test_a_link_to_another_file_there_is_one_more_of_it(model, simulated):
    (model.path / "attach/link").symlink_to("notes.txt")
    (model.path / "attach/notes.txt").write_text("notes")
    model.ask("look")
    content = simulated.chats()[-1]["json"]["messages"][-1]["content"]
    assert [part["text"] for part in content] == ["look", "notes", "notes"]


def test_a_link_to_the_own_conversation_shows_it(model, simulated):
    chat = Model(model.path / "sessions/chat")
    chat.path.mkdir()
    chat.ask("first")
    before = (chat.path / "messages.json").read_text()
    (chat.path / "attach/so-far.json").symlink_to("../messages.json")
    chat.ask("second")
    assert (chat.path / "turns/000002/attachments/so-far.json").read_text() == before


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("../output", "this very prompt"),
        ("../turns/000001/output", "this very prompt"),
        ("../input", "cp it here"),
        ("../../text:free/attach/x", "cp it here"),
        ("../config", "directory"),
        ("../info/description", "is empty"),
    ],
)
def test_a_link_to_what_cant_go_along_has_words(tree, model, simulated, target, words):
    (tree.model("test/text:free").path / "attach/x").write_text("waits")
    (model.path / "attach/x").symlink_to(target)
    model.write("hello")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno in (errno.EINVAL, errno.ENOTDIR), caught.value
    assert "attach/x" in model.text("error") and words in model.text("error")
    assert listed(model) == ["x"] and simulated.chats() == []
    assert not (model.path / "turns/000001/attachments").exists()
    assert not list((tree.home / "state/conduitfs/turns").glob("*/*/attachments"))


@pytest.mark.parametrize("target", ["nowhere", "/etc/hostname"])
def test_a_link_that_leads_nowhere_fails_before_anything_is_sent(model, simulated, target):
    (model.path / "attach/x").symlink_to(target)
    model.write("hello")
    with pytest.raises(OSError):
        model.read()
    assert "attach/x" in model.text("error") and target in model.text("error")
    assert listed(model) == ["x"] and simulated.chats() == []
