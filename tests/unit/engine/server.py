#!/usr/bin/env python3
"""A small service in OpenAI's dialect, for the tests of core/engine.

    server.py

Listens on a free port of 127.0.0.1, prints it on a line and serves until its standard input ends.
How a chat is answered is in the model's id; /set?NAME=VALUE changes how models are listed, /count?NAME
tells how often something happened, /set?cost=VALUE what is reported, /bodies what was sent, /release lets what is held go on.
"""

import json
import os
import socket
import struct
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

MODELS = [
    {"id": name, "context_length": 8000, "supported_parameters": ["temperature", "top_k"]}
    for name in (
        "echo", "hold", "busy-once", "busy-after-1", "busy-after-301", "busy-long", "fail-500", "reset",
        "half-reset", "half-500", "silent", "big", "maker/echo",
    )
]  # fmt: skip

# Below /routes/: models that fail in every way, and such as answer.
ROUTED = [
    {"id": name, "context_length": length, "created": created}
    for name, length, created in (
        ("ok", 8000, 0), ("other", 8000, 0), ("newer", 8000, 1700000000), ("longer", 16000, 0),
        ("hold", 8000, 0), ("reset", 8000, 0), ("half-reset", 8000, 0), ("busy-once", 8000, 0),
        ("fail-400", 8000, 0), ("fail-401", 8000, 0), ("fail-402", 8000, 0), ("fail-403", 8000, 0),
        ("fail-404", 8000, 0), ("fail-408", 8000, 0), ("fail-413", 8000, 0), ("fail-422", 8000, 0),
        ("fail-429", 8000, 0), ("fail-500", 8000, 0), ("fail-503", 8000, 0), ("fail-529", 8000, 0),
        ("html", 8000, 0),
    )
]  # fmt: skip

lock = threading.Condition()
counts = {}
bodies = []
settings = {"list": "ok", "cost": "0.25"}
releases = 0


def count(name):
    with lock:
        counts[name] = counts.get(name, 0) + 1
        lock.notify_all()
        return counts[name]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, body, status=200, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, **headers):
        self.reply({"error": {"message": f"the service says {status}", "code": status}}, status, **headers)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        os.close(self.connection.detach())

    def do_GET(self):
        parts = urlsplit(self.path)
        name = parts.path.strip("/").split("/")[-1]
        getattr(self, "get_" + name, self.get_nothing)(parts.query)

    def get_nothing(self, _):
        self.refuse(404)

    def get_set(self, query):
        with lock:
            settings.update(parse_qsl(query))
            lock.notify_all()
        self.reply("set")

    def get_count(self, query):
        with lock:
            self.reply(str(counts.get(unquote(query), 0)))

    def get_bodies(self, _):
        with lock:
            self.reply(bodies)

    def get_forget(self, _):
        with lock:
            counts.clear()
            bodies.clear()
            settings.update(list="ok", cost="0.25")
        self.reply("forgotten")

    def get_release(self, _):
        global releases
        with lock:
            releases += 1
            lock.notify_all()
        self.reply("released")

    def get_models(self, _):
        count("models")
        if self.headers.get("Authorization"):
            count("models-keyed")
        how = settings["list"]
        if how == "hold":
            with lock:
                lock.wait_for(lambda: settings["list"] != "hold", timeout=20)
            how = settings["list"]
        if how == "fail":
            self.refuse(500)
        elif how == "empty":
            self.reply({"data": []})
        elif how == "deep":
            self.reply({"data": [{"id": "/".join("abcdefgh" * 10)}]})
        elif how == "keyed" and not self.headers.get("Authorization"):
            self.refuse(401)
        elif self.path.startswith("/routes/"):
            self.reply({"data": ROUTED})
        else:
            self.reply({"data": MODELS + ([{"id": "late"}] if how == "more" else [])})

    def get_poll(self, _):
        count("polls")
        self.reply("again")

    def get_slow(self, _):
        """A head after a while."""
        count("slow")
        with lock:
            lock.wait_for(lambda: False, timeout=0.3)
        self.reply("slow")

    def get_text(self, _):
        count("text")
        self.reply("straight text", kind="text/plain")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/job"):
            count("jobs")
            self.refuse(500)
            return
        chat = json.loads(body)
        model = chat["model"]
        with lock:
            bodies.append(chat)
        number = count(model)
        name = model.split("/")[-1].replace("-", "_")
        if name.startswith("fail_"):
            self.refuse(int(name[len("fail_") :]))
            return
        getattr(self, "chat_" + name, self.chat_echo)(chat, number)

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def delta(self, text, finish=None):
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        self.chunk("data: " + json.dumps({"model": "the-one", "choices": [choice]}) + "\n\n")

    def conclude(self, finish="stop"):
        self.delta("", finish)
        usage = {"prompt_tokens": 3, "completion_tokens": 2}
        if settings["cost"] != "none":
            usage["cost"] = float(settings["cost"])
        self.chunk("data: " + json.dumps({"choices": [], "usage": usage}) + "\n\ndata: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def say(self, text, finish="stop"):
        self.begin()
        if text:
            self.delta(text)
        self.conclude(finish)

    def chat_echo(self, chat, _):
        content = chat["messages"][-1]["content"]
        self.say(content if isinstance(content, str) else content[0]["text"])

    def chat_silent(self, chat, _):
        self.say("", "length")

    def chat_big(self, chat, _):
        self.begin()
        try:
            for _ in range(64):
                self.delta("0123456789abcdef" * 4096)
            self.conclude()
        except OSError:
            self.close_connection = True

    def chat_hold(self, chat, number):
        seen = releases
        self.begin()
        self.delta("so far ")
        count("holding")
        self.connection.settimeout(0.02)
        until = time.monotonic() + 20
        while releases == seen and time.monotonic() < until:
            try:
                if self.connection.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            self.connection.settimeout(None)
            self.delta("and on")
            self.conclude()
            return
        count("hold-closed")
        self.close_connection = True

    def chat_busy_once(self, chat, number):
        if number == 1:
            self.refuse(429)
        else:
            self.chat_echo(chat, number)

    def chat_busy_after_1(self, chat, number):
        if number == 1:
            self.refuse(429, Retry_After="1")
        else:
            self.chat_echo(chat, number)

    def chat_busy_after_301(self, chat, _):
        self.refuse(429, Retry_After="301")

    def chat_busy_long(self, chat, _):
        self.refuse(429, Retry_After="60")

    def chat_html(self, chat, _):
        self.reply("<html>a captive portal</html>", kind="text/html")

    def chat_reset(self, chat, _):
        self.reset()

    def chat_half_reset(self, chat, _):
        self.begin()
        self.delta("half ")
        with lock:
            lock.wait_for(lambda: False, timeout=0.05)  # the bytes arrive before the reset takes them
        self.reset()

    def chat_half_500(self, chat, _):
        self.begin()
        self.delta("half ")
        self.chunk("data: " + json.dumps({"error": {"message": "broken inside", "code": 500}}) + "\n\n")
        self.wfile.write(b"0\r\n\r\n")


def complain(*_):
    """A client that goes away is part of the tests; anything else is a fault of this server."""
    if not isinstance(sys.exc_info()[1], OSError):
        traceback.print_exc()


def main():
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = complain
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)


main()
