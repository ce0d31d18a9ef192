"""Random operations on sessions, each answer checked against a small model of their histories.

CONDUITFS_SEED repeats one run; CONDUITFS_STEPS makes it longer. The seed and the last operations
are part of a failure's words."""

import dataclasses
import errno
import json
import os
import random

import pytest
from harness.mount import Model
from harness.server import prompt_of
from test_random import SEEDS, STEPS

MODELS = ["test/echo:free", "test/fail-404:free", "test/cut:free", "test/settings:free"]
NAMES = ["a", "b b", "ü", "d" * 255]


@dataclasses.dataclass
class Chat:
    """What a session should be."""

    model: str
    name: str
    messages: list
    turns: int = 0
    inode: int = 0
    temperature: str = ""


class Walker:
    def __init__(self, tree, remount, server, seed):
        self.tree = tree
        self.remount = remount
        self.server = server
        self.random = random.Random(seed)
        self.chats = {}
        self.ended = []
        self.done = []

    def folder(self, model):
        return self.tree.model(model).path / "sessions"

    def at(self, chat):
        return Model(self.folder(chat.model) / chat.name)

    def any(self):
        if not self.chats:
            self.do_make()
        return self.chats[self.random.choice(sorted(self.chats))]

    def free_name(self):
        key = (self.random.choice(MODELS), self.random.choice(NAMES))
        return None if key in self.chats else key

    def keep(self, chat):
        self.chats[chat.model, chat.name] = chat
        return chat

    def step(self):
        operations = [name for name in dir(self) if name.startswith("do_")]
        rare = {"do_remount": 1, "do_crash": 1, "do_ask": 60}
        operation = self.random.choices(operations, [rare.get(name, 15) for name in operations])[0]
        self.done.append(operation)
        getattr(self, operation)()

    def do_make(self):
        key = self.free_name()
        if key is None:
            return
        chat = self.keep(Chat(*key, []))
        os.mkdir(self.at(chat).path)
        chat.inode = os.stat(self.at(chat).path).st_ino
        assert chat.inode not in self.ended

    def do_ask(self):
        chat = self.any()
        here = self.at(chat)
        prompt = f"prompt {self.random.randrange(10**9)} 模\n\"\\"
        with open(here.path / "input", self.random.choice(["w", "a"]), encoding="utf-8") as file:
            file.write(prompt + "\n")
        chat.turns += 1
        try:
            answer = here.read().decode().removesuffix("\n")
        except OSError as error:
            expected = {"test/fail-404:free": errno.ENOENT, "test/cut:free": errno.EPROTO}
            assert error.errno == expected[chat.model]
            return
        if chat.model == "test/echo:free":
            assert answer == prompt
        sent = self.server.chats()[-1]["json"]
        said = [(one["role"], prompt_of({"messages": [one]})) for one in sent["messages"]]
        assert said == [*chat.messages, ("user", prompt)]
        chat.messages += [("user", prompt), ("assistant", answer)]

    def do_look(self):
        chat = self.any()
        here = self.at(chat)
        shown = [(one["role"], one["content"]) for one in json.loads(here.read("messages.json"))]
        assert shown == chat.messages
        assert os.stat(here.path / "messages.json").st_size == len(here.read("messages.json"))
        assert here.turns() == list(range(1, chat.turns + 1))
        assert os.stat(here.path).st_ino == chat.inode
        assert here.text("config/temperature") == chat.temperature

    def do_list(self):
        for model in MODELS:
            names = sorted(name for where, name in self.chats if where == model)
            assert sorted(os.listdir(self.folder(model))) == names

    def do_move(self):
        chat, key = self.any(), self.free_name()
        if key is None:
            return
        before = self.at(chat).path
        del self.chats[chat.model, chat.name]
        chat.model, chat.name = key
        os.rename(before, self.at(self.keep(chat)).path)
        assert not before.exists()

    def do_end(self):
        chat = self.any()
        how = self.random.choice(["rm -r", "rmdir"])
        self.tree.sh(f'{how} "$S"', S=self.at(chat).path, check=True)
        del self.chats[chat.model, chat.name]
        self.ended.append(chat.inode)

    def do_replace(self):
        chat = self.any()
        chat.messages = [
            (role, f"{role} {number} {self.random.random()}")
            for number in range(self.random.randrange(4))
            for role in ("user", "assistant")
        ]
        here = self.at(chat)
        before = here.read("messages.json")
        text = json.dumps([{"role": role, "content": content} for role, content in chat.messages])
        (here.path / "messages.json").write_text(text)
        chat.turns += here.read("messages.json") != before

    def do_copy_back(self):
        here = self.at(self.any())
        (here.path / "messages.json").write_bytes(here.read("messages.json"))

    def do_refuse(self):
        chat = self.any()
        with pytest.raises(OSError) as caught:
            (self.at(chat).path / "messages.json").write_text('[{"role": "nobody"}]')
        assert caught.value.errno == errno.EINVAL

    def do_reset(self):
        chat = self.any()
        self.at(chat).write("reset\n", "ctl")
        chat.turns += chat.messages != []
        chat.messages = []

    def do_fork(self):
        chat, name = self.any(), self.random.choice(NAMES)
        if (chat.model, name) in self.chats:
            return
        self.at(chat).write(f"fork {name}\n", "ctl")
        fork = self.keep(Chat(chat.model, name, list(chat.messages), int(chat.messages != [])))
        fork.temperature = chat.temperature
        fork.inode = os.stat(self.at(fork).path).st_ino

    def do_set(self):
        chat = self.any()
        chat.temperature = self.random.choice(["0.1", "0.5", "1.5"])
        self.at(chat).set("temperature", chat.temperature)

    def do_remount(self):
        self.tree.stop()
        self.tree = self.remount()

    def do_crash(self):
        self.tree.kill()
        self.tree = self.remount()


@pytest.mark.bound(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_operations_on_sessions_agree_with_the_reference(mount, simulated, seed):
    def remount():
        return mount(simulated.config()).wait_ready()

    walker = Walker(remount(), remount, simulated, seed)
    for number in range(STEPS):
        try:
            walker.step()
        except Exception as error:
            last = ", ".join(walker.done[-5:])
            raise AssertionError(f"seed {seed}, step {number}, after {last}: {error!r}") from error
