"""kill -9 of the daemon while attachments are written and taken: each is where it was or with its turn, whole, and sent
once.

CONDUITFS_CRASHES says how often (8 by default)."""

import base64
import json
import os
import random
import threading

import pytest
from harness.attach import MANY, entry, png
from harness.mount import Model

CRASHES = int(os.environ.get("CONDUITFS_CRASHES", "8"))
WRITERS = 3


class Writer(threading.Thread):
    """Attaches a picture and asks, again and again, in a session of its own; what close() returned for is kept."""

    def __init__(self, path, name):
        super().__init__()
        self.path, self.name, self.attached, self.asked = path, name, {}, []

    def run(self):
        number = 0
        while True:
            number += 1
            name = f"{self.name}-{number}"
            picture = png(name.encode() * 200)
            try:
                self.write(f"attach/{name}.png", picture)
                self.attached[f"{name}.png"] = picture
                self.write("input", name.encode())
                self.asked.append(name)
                (self.path / "output").read_bytes()
            except OSError:
                return

    def write(self, name, data):
        fd = os.open(self.path / name, os.O_WRONLY | os.O_CREAT)
        try:
            for start in range(0, len(data), 1000):
                os.write(fd, data[start : start + 1000])
        finally:
            os.close(fd)


def kept(path):
    """What stands in attach/, and with which prompts."""
    waiting = {name: (path / "attach" / name).read_bytes() for name in os.listdir(path / "attach")}
    taken, prompts = {}, []
    for number in Model(path).turns():
        turn = path / "turns" / f"{number:06}"
        prompts.append((turn / "prompt").read_text())
        if (turn / "attachments").exists():
            for name in os.listdir(turn / "attachments"):
                assert name not in taken, f"{name} went along twice"
                taken[name] = (turn / "attachments" / name).read_bytes()
    return waiting, taken, prompts


def check(path, writer):
    waiting, taken, prompts = kept(path)
    assert [prompt for prompt in writer.asked if prompt not in prompts] == []
    assert not waiting.keys() & taken.keys()
    both = waiting | taken
    assert {name for name, data in writer.attached.items() if both.get(name) != data} == set()
    for name in waiting.keys() - writer.attached.keys():
        (path / "attach" / name).unlink()
    return set(waiting), set(taken)


def stored(state):
    """Files in the state directory: those that wait, and those that are with turns."""
    return (
        len(list((state / "attach").iterdir())) if (state / "attach").exists() else 0,
        sorted(path.name for path in state.glob("turns/*/*/attachments/*")),
    )


@pytest.mark.bound(60 + 6 * CRASHES)
def test_attachments_are_never_lost_nor_sent_twice_by_crashes(mount, simulated, tmp_path):
    chance = random.Random(int(os.environ.get("CONDUITFS_SEED", "1")))
    (tmp_path / "models.json").write_text(json.dumps({"data": [entry("test/all:free", MANY)]}))
    simulated.control(models=str(tmp_path / "models.json"), chat="echo")
    one = mount(simulated.config()).wait_ready()
    state = one.home / "state/conduitfs"
    all_taken = set()
    for crash in range(CRASHES):
        where = [f"providers/openrouter/models/test/all:free/sessions/{crash}-{i}" for i in range(WRITERS)]
        writers = [Writer(one.path / path, path.rpartition("/")[2]) for path in where]
        for writer in writers:
            writer.path.mkdir()
            writer.start()
        writers[0].join(chance.uniform(0.005, 0.15))
        one.kill()
        for writer in writers:
            writer.join()
        one.unmount_lazily()
        one.start()
        waiting = set()
        for path, writer in zip(where, writers, strict=True):
            here, taken = check(one.path / path, writer)
            waiting |= here & writer.attached.keys()
            all_taken |= taken
        assert stored(state) == (len(waiting), sorted(all_taken)), "a file is left behind"
        for path in where:
            for name in os.listdir(one.path / path / "attach"):
                (one.path / path / "attach" / name).unlink()
    sent = {}
    for request in simulated.chats():
        said = request["json"]["messages"][-1]["content"]
        prompt = said if isinstance(said, str) else said[0]["text"]
        sent[prompt] = sent.get(prompt, 0) + 1
        if not isinstance(said, str):
            picture = base64.b64decode(said[1]["image_url"]["url"].partition(",")[2])
            assert picture in [png(name.removesuffix(".png").encode() * 200) for name in all_taken]
    assert [prompt for prompt, times in sent.items() if times > 1] == []
