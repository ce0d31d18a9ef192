"""Each bundled service, with an answer that never ends: what comes is read as it comes, and cancel
closes the connection, which is how these services are told to stop."""

import errno
import json
import select
import sys

import pytest
from harness.server import SERVERS, Server, call
from harness.wait import seconds, until

# The path after the server's address, and a model where the provider doesn't ask for a list.
PROVIDERS = {
    "anthropic": ("", "endless"),
    "cerebras": ("/v1", "endless"),
    "deepseek": ("", "endless"),
    "fireworks": ("/inference/v1", "endless"),
    "google": ("/v1beta/openai", "endless"),
    "groq": ("/openai/v1", "endless"),
    "huggingface": ("/v1", "endless"),
    "llamacpp": ("/v1", "endless"),
    "lmstudio": ("/v1", "endless"),
    "mistral": ("/v1", "endless"),
    "ollama": ("", "endless"),
    "openai": ("/v1", "endless"),
    "openrouter": ("/api/v1", "endless"),
    "perplexity": ("", "sonar"),
    "together": ("/v1", "endless"),
    "vllm": ("/v1", "endless"),
    "xai": ("/v1", "endless"),
}


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    server = Server([sys.executable, SERVERS / "endless.py"], tmp_path_factory.mktemp("endless") / "log")
    ready, _, _ = select.select([server.process.stdout], [], [], seconds(20))
    assert ready, "the endless server isn't ready"
    server.port = int(server.process.stdout.readline().split()[1])
    yield server
    server.stop()


def hung_up(server):
    return json.loads(call(f"{server.url}/hung-up")[1])["count"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_answer_is_read_as_it_comes_and_cancel_closes_the_connection(mount, endless, name):
    path, model = PROVIDERS[name]
    entry = {"base_url": endless.url + path, "key": "sk-endless"}
    tree = mount({"providers": {name: entry}}).wait_ready(name)
    model = tree.model(model, name)
    before = hung_up(endless)
    model.write("go on")
    with open(model.path / "output", "rb", buffering=0) as file:
        assert file.read(3) == b"on "
        (model.path / "ctl").write_text("cancel\n")
        with pytest.raises(OSError) as caught:
            while file.read(65536):
                pass
    assert caught.value.errno == errno.ECANCELED
    until(lambda: hung_up(endless) == before + 1, 10, "the connection is closed")
