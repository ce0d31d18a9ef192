"""A large attachment: no memory, and the same bytes at the other end."""

import binascii
import hashlib
import http.server
import json
import os
import re
import threading

import pytest
from harness.attach import MANY, entry, png
from harness.mount import SANITIZED


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes a chat request of any size, and keeps the digest of the one attachment's bytes."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.say(json.dumps({"data": [entry("test/all:free", MANY)]}).encode())

    def do_POST(self):
        left = int(self.headers["content-length"])
        digest, started, kept = hashlib.sha256(), False, b""
        while left:
            piece = self.rfile.read(min(left, 1 << 20))
            left -= len(piece)
            kept += piece
            if not started and b";base64," in kept:
                kept, started = kept.partition(b";base64,")[2], True
            if started:
                body = re.match(rb"[A-Za-z0-9+/=]*", kept).group()
                usable = len(body) // 4 * 4
                digest.update(binascii.a2b_base64(body[:usable]))
                kept = kept[usable:] if usable == len(body) or len(body) == len(kept) else b'"'
                started = not kept.startswith(b'"')
        self.server.digest = digest.hexdigest()
        choice = {"index": 0, "message": {"role": "assistant", "content": "seen"}, "finish_reason": "stop"}
        self.say(json.dumps({"id": "x", "model": "test/all:free", "choices": [choice]}).encode())


@pytest.fixture
def sink():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.bound(600)
def test_a_large_file_costs_no_memory(mount, sink):
    size = int(os.environ.get("CONDUITFS_ATTACH_MIB", "64")) << 20
    address = f"http://127.0.0.1:{sink.server_port}/v1"
    tree = mount({"providers": {"openrouter": {"base_url": address, "key": "sk-test"}}}).wait_ready()
    model = tree.model("test/all:free")
    digest = hashlib.sha256()
    piece = png() + os.urandom((1 << 20) - len(png()))
    with open(model.path / "attach/large.png", "wb", buffering=0) as file:
        for start in range(0, size, len(piece)):
            digest.update(piece[: size - start])
            file.write(piece[: size - start])
    assert model.ask("look") == b"seen\n"
    assert sink.digest == digest.hexdigest()
    status = open(f"/proc/{tree.process.pid}/status", encoding="ascii").read()
    most = int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))
    if not SANITIZED and not os.environ.get("CONDUITFS_WRAPPER"):
        assert most < 32 << 10, f"{most} KiB"
