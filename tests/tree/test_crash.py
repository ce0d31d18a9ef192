"""kill -9 of the daemon under load: what a person was told is kept is kept, nothing is sent twice.

CONDUITFS_CRASHES says how often (8 by default; 200 take some minutes)."""

import decimal
import json
import os
import random
import sqlite3
import threading

import pytest
from harness.mount import Model, flat

CRASHES = int(os.environ.get("CONDUITFS_CRASHES", "8"))
WRITERS = 4
PER_SESSION = 10
STATES = {"done", "failed", "interrupted", "cancelled"}


class Writer(threading.Thread):
    """Writes prompts of its own until the mount dies; `closed` are those whose close() returned."""

    def __init__(self, model, name):
        super().__init__()
        self.model, self.name, self.closed = model, name, []

    def run(self):
        number = 0
        while True:
            number += 1
            prompt = f"{self.name}-{number}"
            try:
                fd = os.open(self.model.path / "input", os.O_WRONLY)
                try:
                    os.write(fd, prompt.encode())
                finally:
                    os.close(fd)
            except OSError as error:
                if error.errno == 16:  # EBUSY: the queue is full
                    number -= 1
                    continue
                return
            self.closed.append(prompt)


def kept(model, after=0):
    """Each turn's prompt and what it says of itself, of the turns with a number above `after`."""
    found = {}
    for number in model.turns():
        if number <= after:
            continue
        turn = model.path / "turns" / f"{number:06}"
        prompt = (turn / "prompt").read_text()
        assert prompt not in found, f"{prompt} is there twice"
        found[prompt] = flat((turn / "status").read_text())["state"]
    return found


@pytest.mark.bound(60 + 6 * CRASHES)
def test_nothing_is_lost_and_nothing_sent_twice(mount, simulated):
    seed = int(os.environ.get("CONDUITFS_SEED", random.randrange(1 << 32)))
    print("CONDUITFS_SEED", seed)
    chance = random.Random(seed)
    one = mount(simulated.config(limits={"queue": 1000})).wait_ready()
    closed, found, seen = [], {}, 0
    for crash in range(CRASHES):
        model = one.model("test/paid")
        writers = [Writer(model, f"{crash}-{i}") for i in range(WRITERS)]
        for writer in writers:
            writer.start()
        writers[0].join(chance.uniform(0.005, 0.25))
        one.kill()
        for writer in writers:
            writer.join()
        closed += [prompt for writer in writers for prompt in writer.closed]
        one.unmount_lazily()
        one.start()
        model = one.model("test/paid")
        now = kept(model, seen)
        assert set(now.values()) <= STATES
        assert not set(now) & set(found)
        found |= now
        seen = max(model.turns(), default=0)
        assert [prompt for prompt in closed if prompt not in found] == []
    assert kept(model) == found, "what was kept changed afterwards"
    check_ledger(one, model)
    one.stop()
    prompts = simulated.prompts()
    assert len(prompts) == len(set(prompts)), "a prompt was sent twice"
    sent = set(prompts)
    assert [prompt for prompt, state in found.items() if state == "done" and prompt not in sent] == []
    check_database(one)


@pytest.mark.bound(60 + 6 * CRASHES)
def test_a_sessions_history_goes_on_unbroken(mount, simulated):
    """Each request holds whole pairs of earlier turns in their order, before and after each crash."""
    chance = random.Random(int(os.environ.get("CONDUITFS_SEED", "1")))
    one = mount(simulated.config()).wait_ready()
    # A history has 1,000 messages at most.
    for first in range(0, CRASHES, PER_SESSION):
        sent_before = len(simulated.chats())
        where = f"providers/openrouter/models/test/echo:free/sessions/{first}"
        (one.path / where).mkdir()
        for crash in range(first, min(first + PER_SESSION, CRASHES)):
            chat = Model(one.path / where)
            writers = [Writer(chat, f"{crash}-{i}") for i in range(2)]
            for writer in writers:
                writer.start()
            writers[0].join(chance.uniform(0.02, 0.25))
            one.kill()
            for writer in writers:
                writer.join()
            one.unmount_lazily()
            one.start()
        check_history(Model(one.path / where), simulated, sent_before)


def check_history(chat, simulated, sent_before):
    chat.ask("the last\n")
    history = json.loads(chat.read("messages.json"))
    users = [message["content"] for message in history[::2]]
    assert [message["content"] for message in history[1::2]] == users
    done = {prompt for prompt, state in kept(chat).items() if state == "done"}
    assert sorted(users) == sorted(prompt.strip() for prompt in done)
    for entry in simulated.chats()[sent_before:]:
        said = [message["content"] for message in entry["json"]["messages"]]
        assert said[:-1:2] == said[1:-1:2], "not whole pairs"
        earlier = [users.index(prompt) for prompt in said[:-1:2]]
        assert earlier == list(range(len(earlier))), "not in order, or one is missing"


def check_ledger(one, model):
    """The sums are those of the turns: each that was submitted counted once, with what it cost or as one without."""
    costs = []
    for number in model.turns():
        turn = model.path / f"turns/{number:06}"
        if "before this prompt was submitted" in (turn / "error").read_text():
            continue
        usage = flat((turn / "usage").read_text())
        cost = usage["cost"]
        costs.append(decimal.Decimal(cost) if cost[:1].isdigit() else None)
    usage = flat((one.path / "usage").read_text())
    assert decimal.Decimal(usage["total_cost"]) == sum(cost for cost in costs if cost is not None)
    assert int(usage["total_unpriced_turns"]) == costs.count(None)
    assert int(usage["total_turns"]) == len(costs)


def check_database(one):
    database = sqlite3.connect(one.home / "state/conduitfs/conduitfs.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_a_prompt_that_was_never_closed_is_kept_unsent(mount, simulated):
    one = mount(simulated.config()).wait_ready()
    model = one.model("test/paid")
    fd = os.open(model.path / "input", os.O_WRONLY)
    os.write(fd, b"half a question")
    one.kill()
    try:
        os.close(fd)
    except OSError:
        pass
    one.unmount_lazily()
    one.start()
    turn = one.model("test/paid").path / "turns/000001"
    assert (turn / "prompt").read_text() == "half a question"
    assert flat((turn / "status").read_text())["state"] == "interrupted"
    assert simulated.chats() == []
    (model.path / "ctl").write_text("retry\n")
    assert model.read() == b"half a question\n"
