"""Pictures, speech and transcription on a real mount, against a service in OpenAI's shape that is
simulated here: base64 of any size, URLs, forms, and replies that are made to harm."""

import base64
import errno
import http.server
import json
import os
import pathlib
import re
import threading

import pytest
from harness.mount import PROGRAM

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde" + bytes(range(256))
MP3 = b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64" + bytes(400)
WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0"

#: Bytes of a picture that is never to be held, decoded; a multiple of three.
LARGE = 48 << 20


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        names = ["gpt-image-acme", "dall-e-acme", "tts-acme", "whisper-acme"]
        self.send_json({"data": [{"id": name, "object": "model"} for name in names]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers["Content-Type"], body))
        if self.path.endswith("/images/generations"):
            self.draw(json.loads(body)["prompt"])
        elif self.path.endswith("/images/edits"):
            self.draw("two")
        elif self.path.endswith("/audio/speech"):
            self.send("audio/mpeg", MP3)
        else:
            self.send_json({"text": "Hello from the sound."})

    def draw(self, prompt):
        whole = base64.b64encode(PNG).decode()
        replies = {
            "two": [{"b64_json": whole}, {"b64_json": whole}],
            "wrong": [{"b64_json": "iVB*"}],
            "loopback": [{"url": "http://127.0.0.1:1/secret"}],
            "metadata": [{"url": "http://169.254.169.254/latest"}],
            "file": [{"url": "file:///etc/passwd"}],
            "inline": [{"url": f"data:image/png;base64,{whole}"}],
        }
        if prompt in ("large", "endless"):
            self.flood(prompt == "endless")
        else:
            self.send_json({"created": 1, "data": replies[prompt.strip()]})

    def flood(self, endless):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        piece = base64.b64encode(PNG[:3] * 65536)
        try:
            self.wfile.write(b'{"data":[{"b64_json":"')
            n = 0
            while endless or n < LARGE:
                self.wfile.write(piece)
                n += 3 * 65536
            self.wfile.write(b'"}]}')
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.close_connection = True

    def send_json(self, value):
        self.send("application/json", json.dumps(value).encode())

    def send(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
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
    acme = {"driver": "openai", "base_url": f"http://127.0.0.1:{service.server_port}/v1"}
    config = {"providers": {"acme": acme, "openrouter": "off", "cowsay": "off"}, "limits": {"media": "64M"}}
    return mount(config).wait_ready("acme")


def test_pictures_come_as_base64_and_the_first_is_the_output(tree, service):
    model = tree.model("gpt-image-acme", "acme")
    model.set("size", "512x512")
    assert model.ask("two") == PNG
    turn = model.path / "turns/000001"
    assert (turn / "output.png").read_bytes() == PNG
    assert (turn / "artifacts/1.png").read_bytes() == PNG
    asked = json.loads(service.asked[0][2])
    assert asked == {"model": "gpt-image-acme", "prompt": "two", "size": "512x512"}
    assert tree.model("dall-e-acme", "acme").ask("inline") == PNG


def test_a_picture_of_a_picture_goes_as_a_form(tree, service):
    model = tree.model("gpt-image-acme", "acme")
    (model.path / "attach/cat.png").write_bytes(PNG)
    assert model.ask("Make it red") == PNG
    path, kind, body = service.asked[0]
    boundary = re.match(r"multipart/form-data; boundary=(\w+)$", kind)[1].encode()
    assert path == "/v1/images/edits" and body.count(b"--" + boundary) == 4
    assert b'name="image"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n' + PNG + b"\r\n" in body
    assert b'name="prompt"\r\n\r\nMake it red\r\n' in body


def test_a_prompt_is_spoken_and_the_speech_written_down(tree, service):
    speaker, listener = tree.model("tts-acme", "acme"), tree.model("whisper-acme", "acme")
    speaker.set("voice", "nova")
    assert speaker.ask("Hello") == MP3
    assert (speaker.path / "output.mp3").read_bytes() == MP3
    assert json.loads(service.asked[0][2])["voice"] == "nova"
    (listener.path / "input").write_bytes((speaker.path / "output").read_bytes())
    assert listener.read() == b"Hello from the sound.\n"
    path, kind, body = service.asked[1]
    assert path == "/v1/audio/transcriptions" and kind.startswith("multipart/form-data")
    assert b'name="model"\r\n\r\nwhisper-acme\r\n' in body and MP3 in body
    (listener.path / "attach/clip.wav").write_bytes(WAV)
    assert listener.ask("Names: Acme") == b"Hello from the sound.\n"
    assert b'filename="clip.wav"' in service.asked[2][2]


def memory(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) >> 10


def test_a_large_picture_is_held_by_nobody(tree):
    model = tree.model("dall-e-acme", "acme")
    model.write("large")
    with open(model.path / "output", "rb") as output:
        size = sum(len(piece) for piece in iter(lambda: output.read(1 << 20), b""))
    assert size == LARGE
    # Under AddressSanitizer and valgrind a program holds more than its own.
    if b"__asan_init" not in PROGRAM.read_bytes() and "CONDUITFS_WRAPPER" not in os.environ:
        for pid in [tree.process.pid, *tree.runners()]:
            assert memory(pid) < 32, f"{memory(pid)} MiB at most"


def test_base64_without_an_end_is_cut_off_at_the_limit(tree):
    model = tree.model("dall-e-acme", "acme")
    model.write("endless")
    with pytest.raises(OSError) as caught:
        with open(model.path / "output", "rb") as output:
            while output.read(1 << 20):
                pass
    assert caught.value.errno == errno.EFBIG
    assert os.stat(model.path / "output").st_size <= 64 << 20


@pytest.mark.parametrize("prompt", ["wrong", "loopback", "metadata", "file"])
def test_what_is_no_result_or_lies_where_nothing_was_granted_is_refused(tree, prompt):
    model = tree.model("dall-e-acme", "acme")
    model.write(prompt)
    with pytest.raises(OSError):
        model.read()
    words = model.text("error")
    assert ("base64" in words) == (prompt == "wrong")
    assert prompt == "wrong" or "granted" in words or "URL" in words or "endpoint" in words, words
