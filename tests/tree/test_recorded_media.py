"""`conduitfs provider exchange` of turns with results of several files, with binary prompts and with
files that go along: what is recorded replays, or is refused with words."""

import base64
import http.server
import json
import shutil
import threading

import pytest
from harness.attach import entry, wav
from harness.command import provider
from harness.exchange import record, replayed
from harness.wait import seconds, until

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde"


class Service(http.server.BaseHTTPRequestHandler):
    """Two pictures, and a transcript, in OpenAI's dialect."""

    def do_GET(self):
        self.answer({"data": [{"id": name, "object": "model"} for name in ("gpt-image-acme", "whisper-acme")]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        pictures = [{"b64_json": base64.b64encode(PNG + name).decode()} for name in (b"one", b"two")]
        self.answer({"data": pictures} if "images" in self.path else {"text": "what was said"})

    def answer(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def openai(mount):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        pictures = {"base_url": f"http://127.0.0.1:{server.server_port}/v1", "key": "k"}
        yield mount({"providers": {"openai": pictures}}).wait_ready("openai")
        server.shutdown()
        thread.join(seconds(10))


@pytest.mark.parametrize("name", ["fal", "replicate"])
def test_results_that_were_downloaded_are_each_their_own(mount, queue, tmp_path, name):
    tree = mount(queue.config(name)).wait_ready(name)
    model = tree.model("sim/image", name)
    model.ask("files=3 png a heron")
    exchange = record(tree, model, tmp_path)
    text = exchange.read_text()
    assert text.count("\nartifact ") == 2 and "\noutput_file it-output.png\n" in text
    pictures = [(tmp_path / file).read_bytes() for file in ("it-output.png", "it-artifact-1.png", "it-artifact-2.png")]
    assert pictures == [PNG + f"png a heron {n}".encode() for n in range(3)]
    assert replayed(exchange, name) > 100


def test_an_artifact_that_differs_is_a_fault(mount, queue, tmp_path):
    """So that what the last test finds good could have been found wrong."""
    tree = mount(queue.config("fal")).wait_ready("fal")
    model = tree.model("sim/image", "fal")
    model.ask("files=2 png a heron")
    exchange = record(tree, model, tmp_path)
    (tmp_path / "it-artifact-1.png").write_bytes(PNG + b"another")
    with pytest.raises(AssertionError, match="artifact"):
        replayed(exchange, "fal")


def test_results_that_came_as_base64_are_recorded(openai, tmp_path):
    model = openai.model("gpt-image-acme", "openai")
    assert model.ask("two herons") == PNG + b"one"
    exchange = record(openai, model, tmp_path)
    assert (tmp_path / "it-artifact-1.png").read_bytes() == PNG + b"two"
    assert replayed(exchange, "openai") > 100


def test_a_video_is_recorded(mount, queue, tmp_path):
    videos = {"base_url": f"{queue.url}/videos/v1", "key": "sk-queue"}
    tree = mount({"providers": {"openai": videos}}).wait_ready("openai")
    model = tree.model("sora-2", "openai")
    model.ask("a heron")
    exchange = record(tree, model, tmp_path)
    assert (tmp_path / "it-output.mp4").read_bytes() == model.read()
    assert replayed(exchange, "openai") > 100


def test_a_prompt_that_is_sound_is_recorded(openai, tmp_path):
    model = openai.model("whisper-acme", "openai")
    assert model.ask(wav(256) + b"\n") == b"what was said\n"
    exchange = record(openai, model, tmp_path)
    assert (tmp_path / "it-prompt.wav").read_bytes() == wav(256) + b"\n"
    assert replayed(exchange, "openai") > 10


def test_what_went_along_is_recorded(mount, queue, tmp_path):
    tree = mount(queue.config("fal")).wait_ready("fal")
    model = tree.model("sim/image/edit", "fal")
    (model.path / "attach/a heron.png").write_bytes(PNG + b"in")
    model.ask("paint it")
    exchange = record(tree, model, tmp_path)
    assert (tmp_path / "it-attach-1.png").read_bytes() == PNG + b"in"
    assert replayed(exchange, "fal") > 100


def test_what_goes_on_from_files_is_refused_with_words(mount, simulated, tmp_path):
    models = tmp_path / "models.json"
    models.write_text(json.dumps({"data": [entry("test/eye:free", ["text", "image"])]}))
    simulated.control(models=str(models), chat="echo")
    tree = mount(simulated.config()).wait_ready()
    model = tree.model("test/eye:free")
    (model.path / "attach/a.png").write_bytes(PNG)
    script = "echo look > input; cat output; echo again >> input; cat output"
    tree.sh(script, cwd=model.path, check=True)
    result = provider(tree.home, "exchange", model.path / "turns/000002", tmp_path / "it")
    assert result.status != 0 and b"goes on from prompts that had files with them" in result.err
    assert not list(tmp_path.glob("it*"))


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite isn't installed")
def test_what_a_program_made_is_none_of_the_providers_words(mount, tmp_path):
    tree = mount({"providers": {"flite": {}}}).wait_ready("flite")
    model = tree.model("flite", "flite")
    assert model.ask("heron").startswith(b"RIFF")
    until(lambda: model.facts()["state"] == "done", 10, "it is done")
    exchange = record(tree, model, tmp_path)
    text = exchange.read_text()
    assert "\nrequest " in text and "RUN flite" in text and "\noutput" not in text
    assert replayed(exchange, "flite") > 1
