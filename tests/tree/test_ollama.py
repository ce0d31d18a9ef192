"""Ollama by its own API: a simulated server, aimock, and the official npm client, which must see the
same server answer the same."""

import errno
import json
import os
import subprocess

import pytest
from harness.server import SERVERS, call, free_port
from harness.wait import until


@pytest.fixture
def tree(mount, ollama):
    return mount(ollama.config()).wait_ready("ollama")


def reading(model, prompt):
    model.write(prompt)
    try:
        return model.read(), 0
    except OSError as error:
        return b"", error.errno


def test_models_are_known_by_what_is_shown_of_them(tree):
    model = tree.model("gemma3:4b", "ollama")
    assert model.text("info/input_modalities").split() == ["text", "image"]
    assert model.text("info/context_length") == "131072"
    assert tree.model("all-minilm:latest", "ollama").text("info/output_modalities") == "embeddings"
    assert sorted(os.listdir(tree.path / "providers/ollama/free")) == ["gemma3:4b", "llama3.2:1b"]


def test_an_answer_arrives_with_its_usage_and_costs_nothing(tree):
    model = tree.model("llama3.2:1b", "ollama")
    assert model.ask("hi") == b"llama3.2:1b says hi\n"
    usage = model.facts("usage")
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["cost"]) == ("7", "2", "0")


def test_settings_stand_among_the_options(tree, ollama):
    model = tree.model("llama3.2:1b", "ollama")
    for name, value in {"temperature": "0.5", "num_ctx": "8192", "max_tokens": "64", "extra": '{"keep_alive":"1h"}'}.items():
        model.set(name, value)
    model.ask("hi")
    (sent,) = [body for path, body in ollama.journal()["requests"] if path == "/api/chat"]
    assert sent["options"] == {"num_predict": 64, "num_ctx": 8192, "temperature": 0.5}
    assert sent["keep_alive"] == "1h"


def test_a_picture_goes_along(tree):
    model = tree.model("gemma3:4b", "ollama")
    picture = SERVERS.parents[1] / "providers/ollama/tests/pixel.png"
    (model.path / "attach/pixel.png").write_bytes(picture.read_bytes())
    assert model.ask("look") == b"gemma3:4b says look of 1 pictures\n"


def test_lines_become_vectors(tree):
    model = tree.model("all-minilm:latest", "ollama")
    model.set("lines", "yes")
    assert model.ask("a\nbcd\n") == b"[1,0.5]\n[3,0.5]\n"


def test_thinking_stays_apart_and_can_be_switched_off(tree, ollama):
    os.mkdir(tree.path / "providers/ollama/models/qwen3:4b")
    model = tree.model("qwen3:4b", "ollama")
    until(lambda: model.facts().get("known") == "yes", 10, "it is pulled")
    assert model.ask("hi") == b"qwen3:4b says hi\n"
    assert model.text("turns/000001/reasoning") == "Hm."
    model.set("reasoning_effort", "none")
    model.ask("hi")
    assert not (model.path / "turns/000002/reasoning").exists() or model.text("turns/000002/reasoning") == ""


def test_a_model_that_went_is_pulled_on_its_next_use_with_progress(tree, ollama):
    ollama.control(models={}, registry={"llama3.2:1b": ["completion"]}, held=True)
    model = tree.model("llama3.2:1b", "ollama")
    model.write("hi")
    until(lambda: model.facts().get("progress") == "50%", 10, "it is half pulled")
    assert model.facts()["doing"] == "pulling 74701a8c35f6"
    ollama.control(held=False)
    assert model.read() == b"llama3.2:1b says hi\n"


def test_cancel_ends_a_pull(tree, ollama):
    ollama.control(models={}, registry={"llama3.2:1b": ["completion"]}, held=True)
    model = tree.model("llama3.2:1b", "ollama")
    model.write("hi")
    until(lambda: model.facts().get("progress") == "50%", 10, "it is half pulled")
    (model.path / "ctl").write_text("cancel\n")
    until(lambda: ollama.journal()["left"] == 1, 10, "the connection is closed")
    assert model.facts()["state"] == "cancelled"


def test_a_model_that_nobody_has_is_enoent(tree, ollama):
    ollama.control(models={}, registry={})
    model = tree.model("llama3.2:1b", "ollama")
    assert reading(model, "hi") == (b"", errno.ENOENT)
    assert "registry has no llama3.2:1b" in model.text("error")


@pytest.mark.parametrize("form", ["127.0.0.1:{}", ":{}", "0.0.0.0:{}", "localhost:{}", "http://127.0.0.1:{}/"])
def test_it_is_found_where_ollama_host_says(mount, ollama, form):
    tree = mount({"providers": {"ollama": {}}}, env={"OLLAMA_HOST": form.format(ollama.port)}).wait_ready("ollama")
    assert tree.model("llama3.2:1b", "ollama").ask("hi") == b"llama3.2:1b says hi\n"


def test_down_it_says_so_and_how_it_is_started(mount):
    address = f"127.0.0.1:{free_port()}"
    tree = mount({"providers": {"ollama": {}}}, env={"OLLAMA_HOST": address})
    status = tree.path / "providers/ollama/status"
    until(lambda: "state failed" in status.read_text(), 10, "it is found to be down")
    assert address in status.read_text()
    assert "ollama serve" in status.read_text()


@pytest.mark.parametrize(("host", "words"), [("192.168.77.5", "insecure: true"), ("a b", "blank")])
def test_an_address_that_cant_be_used_fails_this_provider_alone(mount, host, words):
    tree = mount({"providers": {"ollama": {}}}, env={"OLLAMA_HOST": host}).wait_ready("cowsay")
    status = (tree.path / "providers/ollama/status").read_text()
    assert "state failed" in status and "OLLAMA_HOST in the environment" in status and words in status
    with pytest.raises(OSError):
        os.mkdir(tree.path / "providers/ollama/models/qwen3:4b")
    (tree.path / "providers/ollama/manifest.yml").read_bytes()
    with pytest.raises(OSError):
        (tree.path / "providers/ollama/ctl").write_text("refresh\n")


CLIENT = """
const { Ollama } = require("ollama");
(async () => {
  const client = new Ollama({ host: process.argv[2] });
  const [model, content, once] = process.argv.slice(3);
  const asked = { model, messages: [{ role: "user", content }] };
  let streamed = "", thought = "", pieces = 0;
  for await (const part of await client.chat({ ...asked, stream: true })) {
    streamed += part.message.content;
    thought += part.message.thinking || "";
    pieces++;
  }
  const whole = once ? (await client.chat({ ...asked, stream: false })).message.content : "";
  const names = (await client.list()).models.map((one) => one.name);
  console.log(JSON.stringify({ streamed, thought, whole, pieces, names }));
})();
"""


@pytest.fixture
def client(tmp_path):
    """What the official client sees: client(server, model, prompt), with "once" whole as well."""
    home = subprocess.run(
        [SERVERS / "npm-tool", "ollama@0.6.3"], capture_output=True, text=True, timeout=200, check=False
    )
    if home.returncode != 0:
        pytest.skip(f"the official client can't be installed: {home.stderr.strip()[-200:]}")
    script = tmp_path / "client.js"
    script.write_text(CLIENT)
    env = os.environ | {"NODE_PATH": home.stdout.strip(), "NO_PROXY": "*"}

    def ask(server, model, prompt, *once):
        command = [SERVERS / "node", script, server.url, model, prompt, *once]
        answer = subprocess.run(command, capture_output=True, timeout=60, env=env, check=True)
        return json.loads(answer.stdout)

    return ask


@pytest.mark.bound(240)
def test_the_official_client_sees_the_same(tree, ollama, client):
    seen = client(ollama, "llama3.2:1b", "hi")
    assert tree.model("llama3.2:1b", "ollama").ask("hi").decode() == seen["streamed"] + "\n"
    assert sorted(seen["names"]) == sorted(os.listdir(tree.path / "providers/ollama/models"))


# ---- aimock, which nobody here wrote ----

MOCKED = "gpt-4o"  # one of those that it lists
CONTENT = 'A heron stands in the reeds, "still" as ünïcode 🦆, long enough to come in several pieces.'
FIXTURES = {"fixtures": [
    {"match": {"userMessage": "heron"}, "response": {"content": CONTENT}},
    {"match": {"userMessage": "cut"}, "response": {"content": CONTENT}, "truncateAfterChunks": 2},
    {"match": {"userMessage": "full"}, "response": {"error": {"message": "the reeds are full"}, "status": 503}},
]}


@pytest.fixture
def aimock(serve, tmp_path):
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    port = free_port()
    return serve([SERVERS / "aimock", port, fixtures, "-l", "5", "--log-level", "warn"], port, bound=120)


@pytest.fixture
def mocked(mount, aimock):
    return mount({"providers": {"ollama": {"base_url": aimock.url}}}).wait_ready("ollama")


def chats(server):
    _, answer = call(f"{server.url}/__aimock/journal")
    return [entry["body"] for entry in json.loads(answer) if entry["path"] == "/api/chat"]


@pytest.mark.bound(240)
def test_the_official_client_sees_the_same_of_aimock(mocked, aimock, client):
    seen = client(aimock, MOCKED, "a heron", "once")
    assert seen["streamed"] == seen["whole"] == CONTENT and seen["pieces"] > 2
    model = mocked.model(MOCKED, "ollama")
    assert model.ask("a heron").decode() == seen["streamed"] + "\n"
    assert sorted(seen["names"]) == sorted(os.listdir(mocked.path / "providers/ollama/models"))
    streamed, whole, ours = chats(aimock)
    assert streamed["messages"] == ours["messages"] == [{"role": "user", "content": "a heron"}]
    assert streamed["model"] == ours["model"] == MOCKED


def test_a_conversation_reaches_aimock_in_order(mocked, aimock):
    model = mocked.model(MOCKED, "ollama")
    model.ask("a heron")
    mocked.sh('echo "another heron" >> "$D/input"; cat "$D/output"', D=model.path, check=True)
    assert chats(aimock)[-1]["messages"] == [
        {"role": "user", "content": "a heron"},
        {"role": "assistant", "content": CONTENT},
        {"role": "user", "content": "another heron"},
    ]


def test_what_aimock_cuts_or_refuses_fails_with_its_words(mocked):
    model = mocked.model(MOCKED, "ollama")
    assert reading(model, "cut")[1] == errno.EPROTO
    (mocked.path / "providers/ollama/config/retries").write_text("0")
    assert reading(model, "full")[1] == errno.EREMOTEIO
    assert "the reeds are full" in model.text("error")
