"""The simulated service with a queue: tests/servers/queue.py says what it does."""

import json
import select
import sys

import pytest
from harness.server import SERVERS, Server, call
from harness.wait import seconds, until

# By provider: the path after the server's address, a model that makes pictures, how a job begins.
PICTURES = {
    "fal": ("/fal", "sim/image", "POST /fal/sim/image"),
    "replicate": ("/v1", "sim/image", "POST /v1/predictions"),
}


class Queue(Server):
    def __init__(self, log):
        super().__init__([sys.executable, SERVERS / "queue.py"], log)
        ready, _, _ = select.select([self.process.stdout], [], [], seconds(20))
        assert ready, "the queue isn't ready"
        self.port = int(self.process.stdout.readline().split()[1])

    def config(self, *names, **more):
        entries = {name: {"base_url": self.url + PICTURES[name][0], "key": "sk-queue"} for name in names}
        return {"providers": entries, **more}

    def journal(self, prefix=""):
        """What was asked, as "METHOD PATH", in order."""
        asked = json.loads(call(f"{self.url}/journal")[1])
        return [entry for entry in asked if f"{entry['method']} {entry['path']}".startswith(prefix)]


def runs(model, bound=20):
    """Waits until the job was polled, so that it is known how it is picked up."""
    until(lambda: model.facts().get("doing"), bound, "the job is under way")


def fails(model, prompt, code, *words):
    model.write(prompt)
    with pytest.raises(OSError) as caught:
        model.read()
    said = model.text("error")
    assert caught.value.errno == code, said
    for part in words:
        assert part in said
    return said


def cancels(queue):
    return [entry for entry in queue.journal() if entry["path"].endswith("/cancel")]


def cancelled_once(queue):
    until(lambda: cancels(queue), 20, "the service was told")
    assert len(cancels(queue)) == 1
    assert "authorization" in cancels(queue)[0]["headers"]


def again(tree):
    tree.unmount_lazily()
    return tree.start()
