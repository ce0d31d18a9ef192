"""A real engine, llama.cpp's server with a tiny model of random weights, through `driver: openai`."""

import errno
import json
import os
import signal
import subprocess
import time

import pytest
from harness.expect import of_stream
from harness.server import free_port, shared
from harness.wait import seconds, until

ENGINE = shared("engines", "llama-server")
KEY = "sk-local-0123456789abcdef"
pytestmark = [
    pytest.mark.skipif(ENGINE is None, reason="no engine beside the repository"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the engine is installed into a root of its own: needs root"),
    pytest.mark.bound(600),
]


@pytest.fixture
def engine(serve):
    """One slot and a long context, so that an answer lasts long enough to be cancelled."""
    port = free_port()
    command = [ENGINE, str(port), "--api-key", KEY, "-np", "1", "-c", "32768"]
    server = serve(command, port, bound=500)
    until(lambda: "listening" in server.log(), 30, "the model is loaded")
    return server


@pytest.fixture
def local(mount, engine):
    def make(key=KEY, **more):
        provider = {"driver": "openai", "base_url": f"{engine.url}/v1", "key": key, **more}
        return mount({"providers": {"openrouter": "off", "local": provider}})

    return make


def random_tiny(tree):
    model = tree.wait_ready("local").model("random-tiny", "local")
    assert (model.path / "input").exists()
    return model


def by_curl(engine, **body):
    asked = {"model": "random-tiny", "stream": True, **body}
    command = ["curl", "-sN", f"{engine.url}/v1/chat/completions", "-d", json.dumps(asked)]
    head = ["-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {KEY}"]
    return subprocess.run(command + head, capture_output=True, check=True, timeout=seconds(60)).stdout


def test_streamed_bytes_are_what_curl_gets_for_the_same_seed(local, engine):
    model = random_tiny(local())
    model.set("seed", "7")
    model.set("max_tokens", "60")
    messages = [{"role": "user", "content": "tell me"}]
    expected = of_stream(by_curl(engine, seed=7, max_tokens=60, messages=messages))
    got = model.ask("tell me")
    assert got.removesuffix(b"\n") == expected.output.removesuffix(b"\n")
    assert model.facts()["finish"] == expected.finish
    assert model.facts("usage")["source"] == "computed" and model.facts("usage")["cost"] == "0"
    assert model.facts("usage")["completion_tokens"] == "60" or expected.finish == "stop"


def test_interrupting_cat_ends_the_read_only(local, engine):
    model = random_tiny(local())
    endless(model)
    model.write("go on")
    output = os.path.realpath(model.path / "output")
    reader = subprocess.Popen(["cat", output], stdout=subprocess.PIPE)
    assert reader.stdout.read(10)
    reader.send_signal(signal.SIGINT)
    assert reader.wait(seconds(5)) == -signal.SIGINT
    reader.stdout.close()
    assert model.facts()["state"] == "running"
    assert "cancel task" not in engine.log()
    (model.path / "ctl").write_text("cancel\n")


def endless(model):
    model.set("max_tokens", "30000")
    model.set("extra", '{"ignore_eos": true}')


def test_cancel_is_seen_by_the_engine(local, engine):
    model = random_tiny(local())
    endless(model)
    model.write("go on")
    with open(model.path / "output", "rb", buffering=0) as file:
        assert file.read(10)
        (model.path / "ctl").write_text("cancel\n")
        with pytest.raises(OSError) as caught:
            while file.read(65536):
                pass
    assert caught.value.errno == errno.ECANCELED
    until(lambda: "cancel task" in engine.log(), 10, "the engine cancels its task")


def test_a_wrong_key_is_ekeyrejected_with_the_engines_words(local, engine):
    good = local()
    random_tiny(good)
    good.stop()
    model = local(key="sk-wrong").model("random-tiny", "local")
    model.write("q")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EKEYREJECTED
    assert "Invalid API Key" in model.text("error")


def test_a_prompt_longer_than_the_context_is_refused_by_an_errno(mount, serve):
    port = free_port()
    small = serve([ENGINE, str(port), "-np", "1", "-c", "256"], port, bound=500)
    until(lambda: "listening" in small.log(), 30, "the model is loaded")
    provider = {"driver": "openai", "base_url": f"{small.url}/v1"}
    tree = mount({"providers": {"openrouter": "off", "local": provider}})
    model = random_tiny(tree)
    model.write("word " * 2000)
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno in (errno.EMSGSIZE, errno.EINVAL)
    assert "context" in model.text("error")


def test_an_engine_that_starts_late_is_found_by_refresh(mount, serve):
    port = free_port()
    provider = {"driver": "openai", "base_url": f"http://127.0.0.1:{port}/v1"}
    tree = mount({"providers": {"openrouter": "off", "local": provider}})
    status = tree.path / "providers/local/status"
    until(lambda: "state failed" in status.read_text(), 20, "it isn't there yet")
    engine = serve([ENGINE, str(port), "-np", "1", "-c", "256"], port, bound=500)
    until(lambda: "listening" in engine.log(), 30, "the model is loaded")
    (tree.path / "providers/local/ctl").write_text("refresh\n")
    begin = time.monotonic()
    random_tiny(tree)
    assert time.monotonic() - begin < seconds(10)
