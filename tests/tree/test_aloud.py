"""Chat models that answer with sound or pictures beside text, on a real mount, against services in
OpenAI's and in OpenRouter's shape that are simulated here: which of them is the output, what is
asked for and when, what a conversation goes on with, and that no blob is held."""

import base64
import errno
import http.server
import json
import os
import pathlib
import re
import struct
import subprocess
import threading

import pytest
from harness.exchange import record, replayed
from harness.mount import PROGRAM, Model

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde" + bytes(range(256))
MP3 = b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64" + bytes(400)
#: A quarter of a second of a tone at 24 kHz.
PCM = b"".join(struct.pack("<h", (i % 60 - 30) * 300) for i in range(6000))

#: Bytes of a picture in one event that is never to be held, decoded; a multiple of three.
LARGE = 48 << 20

SOUND = {"prompt": "0.0000025", "completion": "0.00001", "audio": "0.000032", "audio_output": "0.000064"}


def entry(model, inputs, outputs, pricing=None):
    return {
        "id": model,
        "name": model,
        "context_length": 128000,
        "architecture": {"input_modalities": inputs, "output_modalities": outputs},
        "pricing": pricing or {"prompt": "0.000001", "completion": "0.000002"},
        "supported_parameters": ["max_tokens", "temperature", "response_format"],
        "supported_voices": None,
    }


MODELS = [
    entry("openai/gpt-audio", ["text", "audio"], ["text", "audio"], SOUND),
    entry("google/lyria-3", ["text"], ["text", "audio"], {"prompt": "0", "completion": "0"}),
    entry("google/artist", ["text", "image"], ["image", "text"]),
    entry("acme/chat", ["text"], ["text"]),
]


def coded(data):
    return base64.b64encode(data).decode()


def picture(data=PNG):
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + coded(data)}}


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        named = [{"id": name, "object": "model"} for name in ("gpt-audio", "gpt-4o-mini")]
        self.send_json({"data": MODELS if "output_modalities" in self.path else named})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        if self.path.endswith("/images"):
            self.send_json({"created": 0, "data": [{"b64_json": coded(PNG)}]})
        elif "audio" in body.get("modalities", []):
            self.sound(body)
        else:
            self.text(body)

    def sound(self, body):
        wanted = body.get("audio", {}).get("format")
        if body["stream"] and wanted not in (None, "pcm16"):
            words = f"'audio.format' does not support '{wanted}' when stream=true."
            self.send_json({"error": {"message": words, "code": 400}}, 400)
        elif not body["stream"]:
            audio = {"id": "audio_1", "data": coded(MP3), "transcript": "Hello there!"}
            self.send_json(self.chunk({"message": {"content": None, "audio": audio}}))
        elif wanted is None:
            self.stream([{"content": "La la la"}, {"audio": {"data": coded(MP3)}}], cost=0.04)
        else:
            parts = [PCM[at : at + 1000] for at in range(0, len(PCM), 1000)]
            deltas = [{"audio": {"data": coded(part)}} for part in parts]
            words = [{"audio": {"transcript": word}} for word in ("Hello", " there!")]
            self.stream(words[:1] + deltas[:3] + words[1:] + deltas[3:], cost=0.002)

    def text(self, body):
        said = body["messages"][-1]["content"]
        if said == "large":
            self.flood()
        elif said == "draw":
            self.stream([{"content": "A dot: "}, {"images": [picture()]}, {"content": "there."}])
        else:
            lines = [f"{each['role']}: {each['content']}" for each in body["messages"]]
            self.stream([{"content": "\n".join(lines)}])

    def chunk(self, choice, **more):
        choice = {"index": 0, "finish_reason": "stop", **choice}
        return {"id": "gen-1", "model": "simulated", "choices": [choice], **more}

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, value):
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")

    def stream(self, deltas, cost=0.001):
        self.begin()
        for delta in deltas:
            self.event(self.chunk({"delta": delta, "finish_reason": None}))
        usage = {"prompt_tokens": 3, "completion_tokens": 40, "cost": cost}
        self.event(self.chunk({"delta": {}}, usage=usage))
        self.wfile.write(b"data: [DONE]\n\n")

    def flood(self):
        self.begin()
        self.wfile.write(b'data: {"choices":[{"index":0,"delta":{"content":"Large.","images":[{')
        self.wfile.write(b'"image_url":{"url":"data:image/png;base64,')
        piece = base64.b64encode(PNG[:3] * 65536)
        for _ in range(LARGE // (3 * 65536)):
            self.wfile.write(piece)
        self.wfile.write(b'"}}]},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')

    def send_json(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.asked = []
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tree(mount, service):
    url = f"http://127.0.0.1:{service.server_port}/v1"
    entries = {name: {"driver": name, "base_url": url, "key": "sk-x"} for name in ("openai", "openrouter")}
    config = {"providers": {**entries, "cowsay": "off"}, "limits": {"media": "64M"}}
    return mount(config).wait_ready("openrouter").wait_ready("openai")


def last(service):
    return service.asked[-1][1]


def test_a_voice_asks_for_sound_which_is_the_output_with_its_words_beside_it(tree, service):
    model = tree.model("openai/gpt-audio", "openrouter")
    assert "\nonyx\n" in (model.path / "info/voices").read_text()
    assert (model.path / "info/formats").read_text() == "wav\npcm\n"
    model.set("voice", "onyx")
    sound = model.ask("Say hello")
    assert sound[:4] == b"RIFF" and sound[44:] == PCM
    asked = last(service)
    assert asked["modalities"] == ["text", "audio"] and asked["stream"] is True
    assert asked["audio"] == {"voice": "onyx", "format": "pcm16"}
    turn = model.path / "turns/000001"
    assert (turn / "output.wav").read_bytes() == sound
    assert (turn / "artifacts/transcript.txt").read_text() == "Hello there!\n"
    assert "cost 0.002\n" in (turn / "usage").read_text()
    # As any other program reads it.
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,sample_rate,channels"]
    told = subprocess.run([*command, turn / "output.wav"], capture_output=True, check=True, timeout=60)
    assert b"codec_name=pcm_s16le\nsample_rate=24000\nchannels=1\n" in told.stdout


def test_without_a_voice_or_a_format_the_text_alone_is_asked_for(tree, service):
    model = tree.model("openai/gpt-audio", "openrouter")
    assert model.ask("Say hello") == b"user: Say hello\n"
    assert "modalities" not in last(service) and "audio" not in last(service)
    assert tree.model("acme/chat", "openrouter").ask("x") == b"user: x\n"
    assert not (tree.model("acme/chat", "openrouter").path / "config/voice").exists()


def test_samples_without_a_header_are_given_where_they_are_asked_for(tree):
    model = tree.model("openai/gpt-audio", "openrouter")
    model.set("format", "pcm")
    assert model.ask("Say hello") == PCM


def test_a_format_that_the_service_refuses_is_an_error_with_its_words(tree):
    model = tree.model("openai/gpt-audio", "openrouter")
    model.set("format", "flac")
    model.write("Say hello")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EINVAL
    assert "does not support 'flac' when stream=true" in (model.path / "error").read_text()


def test_of_openai_the_sound_comes_whole_in_its_own_form(tree, service):
    model = tree.model("gpt-audio", "openai")
    assert (model.path / "info/formats").read_text() == "mp3\nwav\nflac\nopus\npcm\n"
    model.set("voice", "cedar")
    assert model.ask("Say hello") == MP3
    asked = last(service)
    assert asked["stream"] is False and "stream_options" not in asked
    assert asked["audio"] == {"voice": "cedar", "format": "mp3"}
    assert (model.path / "turns/000001/output.mp3").read_bytes() == MP3
    assert (model.path / "turns/000001/artifacts/transcript.txt").read_text() == "Hello there!\n"


def test_a_conversation_goes_on_with_what_was_said_and_not_with_the_sound(tree, service):
    model = tree.model("openai/gpt-audio", "openrouter")
    session = model.path / "sessions/talk"
    session.mkdir()
    (session / "config/voice").write_text("onyx\n")
    (session / "input").write_text("Say hello\n")
    assert (session / "output").read_bytes()[:4] == b"RIFF"
    (session / "config/voice").write_text("\n")
    (session / "input").write_text("And now?\n")
    wanted = "user: Say hello\nassistant: Hello there!\nuser: And now?"
    assert (session / "output").read_text() == wanted + "\n"
    kept = json.loads((session / "messages.json").read_text())
    assert [each["content"] for each in kept][:3] == ["Say hello", "Hello there!", "And now?"]


def test_a_song_is_asked_for_without_a_word_and_listed_where_sound_is_made(tree, service):
    model = tree.model("google/lyria-3", "openrouter")
    assert model.ask("A song") == MP3
    assert last(service)["modalities"] == ["text", "audio"] and "audio" not in last(service)
    assert (model.path / "turns/000001/output.mp3").read_bytes() == MP3
    assert (model.path / "turns/000001/artifacts/transcript.txt").read_text() == "La la la\n"
    able = tree.path / "capabilities"
    assert "google" in os.listdir(able / "text-to-audio/models/openrouter")
    assert os.listdir(able / "text-to-audio/models/openrouter/openai") == ["gpt-audio"]
    chats = os.listdir(able / "text-to-text/models/openrouter/google")
    assert "lyria-3" not in chats


def test_a_route_for_sound_gets_sound_of_a_model_that_chats(tree, service):
    route = tree.path / "capabilities/text-to-audio"
    (route / "route").write_text("openrouter/openai/gpt-audio\n")
    (route / "input").write_text("Say hello\n")
    assert (route / "output").read_bytes()[44:] == PCM
    assert last(service)["audio"] == {"voice": "alloy", "format": "pcm16"}
    text = tree.path / "capabilities/text-to-text"
    (text / "route").write_text("openrouter/openai/gpt-audio\n")
    (text / "input").write_text("Say hello\n")
    assert (text / "output").read_text() == "user: Say hello\n"


def test_a_model_that_lists_pictures_first_is_asked_for_one(tree, service):
    model = tree.model("google/artist", "openrouter")
    assert model.ask("A dot") == PNG
    assert service.asked[-1][0].endswith("/images")
    # Where text is asked for it is talked to, whatever its pictures are written as.
    model.set("format", "webp")
    route = tree.path / "capabilities/text-to-text"
    (route / "route").write_text("openrouter/google/artist\n")
    (route / "input").write_text("draw\n")
    assert (route / "output").read_text() == "A dot: there.\n"
    assert "modalities" not in last(service)


def test_pictures_that_nobody_asked_for_stand_beside_the_text(tree):
    model = tree.model("acme/chat", "openrouter")
    assert model.ask("draw") == b"A dot: there.\n"
    artifacts = model.path / "turns/000001/artifacts"
    assert os.listdir(artifacts) == ["1.png"]
    assert (artifacts / "1.png").read_bytes() == PNG


def test_what_is_recorded_of_such_turns_replays(tree, tmp_path):
    speaks, chat = tree.model("openai/gpt-audio", "openrouter"), tree.model("acme/chat", "openrouter")
    speaks.set("voice", "onyx")
    speaks.ask("Say hello")
    exchange = record(tree, speaks, tmp_path)
    wanted = "\noutput_file it-output.wav\ntype audio/wav\nartifact text/plain it-artifact-1.txt\n"
    assert wanted in exchange.read_text()
    assert replayed(exchange, "openrouter") > 100
    chat.ask("draw")
    (tmp_path / "chat").mkdir()
    assert replayed(record(tree, chat, tmp_path / "chat"), "openrouter") > 100


def test_what_is_recorded_of_a_route_for_sound_replays(tree, tmp_path):
    route = Model(tree.path / "capabilities/text-to-audio")
    (route.path / "route").write_text("openrouter/openai/gpt-audio\n")
    assert route.ask("Say hello")[44:] == PCM
    exchange = record(tree, route, tmp_path)
    assert "\nset wanted audio\n" in exchange.read_text()
    assert replayed(exchange, "openrouter") > 100


def test_what_is_recorded_of_a_conversation_holds_what_was_said(tree, tmp_path):
    model = tree.model("openai/gpt-audio", "openrouter")
    script = """
        echo onyx > config/voice; echo Say hello > input; cat output > /dev/null
        echo > config/voice; echo And now? >> input; cat output
    """
    told = tree.sh(script, cwd=model.path, check=True)
    assert told.out == b"user: Say hello\nassistant: Hello there!\nuser: And now?\n"
    exchange = record(tree, model, tmp_path)
    assert "\nassistant Hello there!\n" in exchange.read_text()
    assert replayed(exchange, "openrouter") > 100


def memory(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) >> 10


def test_a_large_picture_in_one_event_is_held_by_nobody(tree):
    model = tree.model("acme/chat", "openrouter")
    assert model.ask("large") == b"Large.\n"
    (kept,) = (model.path / "turns/000001/artifacts").iterdir()
    assert kept.stat().st_size == LARGE
    # Under AddressSanitizer and valgrind a program holds more than its own.
    if b"__asan_init" not in PROGRAM.read_bytes() and "CONDUITFS_WRAPPER" not in os.environ:
        for pid in [tree.process.pid, *tree.runners()]:
            assert memory(pid) < 32, f"{memory(pid)} MiB at most"
