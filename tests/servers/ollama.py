#!/usr/bin/env python3
"""A simulated Ollama for the tree tests: no model, only the shapes of its own API. It says that it is
simulated in a header of every reply.

    ollama.py [--port N]      prints "ready PORT" when it listens on 127.0.0.1

/api/tags, /api/show, /api/chat, /api/embed, /api/pull, /api/delete; and for the tests alone GET /journal (every
request, in order) and POST /control:

    models      {name: capabilities}: what is there
    registry    {name: capabilities}: what can be pulled
    held        true: a pull stops in the middle until it is false, or the client leaves
    reset       everything as at the start
"""

import argparse
import http.server
import json
import threading

PIECES = 4
SIZE = 1000000
MODELS = {"llama3.2:1b": ["completion", "tools"], "gemma3:4b": ["completion", "vision"], "all-minilm:latest": ["embedding"]}
REGISTRY = {"qwen3:4b": ["completion", "thinking"], "hf.co/acme/tiny:Q4_K_M": ["completion"]}


class State:
    def __init__(self):
        self.changed = threading.Condition()
        self.reset()

    def reset(self):
        self.models, self.registry = dict(MODELS), dict(REGISTRY)
        self.held = False
        self.journal = []
        self.left = 0


state = State()


def full(name):
    return name if ":" in name.rpartition("/")[2] else name + ":latest"


def details(name):
    family = "bert" if "minilm" in name else "llama"
    return {"parent_model": "", "format": "gguf", "family": family, "families": [family], "parameter_size": "1.2B", "quantization_level": "Q4_K_M"}


class Ollama(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def whole(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Simulated", "conduitfs test server")
        self.end_headers()
        self.wfile.write(text)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-Simulated", "conduitfs test server")
        self.end_headers()

    def line(self, body):
        text = json.dumps(body).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def over(self):
        self.wfile.write(b"0\r\n\r\n")

    def missing(self, name):
        self.whole(404, {"error": f"model '{name}' not found"})

    def do_GET(self):
        if self.path == "/journal":
            self.whole(200, {"requests": state.journal, "left": state.left})
            return
        state.journal.append([self.path, None])
        if self.path != "/api/tags":
            self.whole(404, {"error": "no such path"})
            return
        entries = [
            {"name": name, "model": name, "modified_at": "2026-04-08T10:30:00.5+02:00", "size": SIZE, "digest": "a2af6cc3", "details": details(name)}
            for name in state.models
        ]
        self.whole(200, {"models": entries})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/control":
            with state.changed:
                if body.pop("reset", False):
                    state.reset()
                for key, value in body.items():
                    setattr(state, key, value)
                state.changed.notify_all()
            self.whole(200, {})
            return
        state.journal.append([self.path, body])
        calls = {"/api/show": self.show, "/api/chat": self.chat, "/api/embed": self.embed, "/api/pull": self.pull}
        try:
            calls[self.path](body, full(body["model"]))
        except ConnectionError:
            self.close_connection = True
            with state.changed:
                state.left += 1
                state.changed.notify_all()

    def do_DELETE(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        state.journal.append([self.path, body])
        state.models.pop(full(body["model"]), None)
        self.whole(200, {})

    def show(self, body, name):
        if name not in state.models:
            self.missing(body["model"])
            return
        info = {"general.architecture": "llama", "llama.context_length": 131072}
        self.whole(200, {"details": details(name), "model_info": info, "capabilities": state.models[name], "modified_at": "2026-04-08T10:30:00Z"})

    def chat(self, body, name):
        if name not in state.models:
            self.missing(body["model"])
            return
        said = body["messages"][-1]
        words = [f"{name} says", " " + said["content"]]
        if said.get("images"):
            words.append(f" of {len(said['images'])} pictures")
        self.stream()
        if "thinking" in state.models[name] and body.get("think", True):
            self.line(self.part(body, thinking="Hm."))
        for word in words:
            self.line(self.part(body, word))
        self.line(self.part(body) | {"done": True, "done_reason": "stop", "total_duration": 1, "prompt_eval_count": 7, "eval_count": len(words)})
        self.over()

    def part(self, body, content="", **more):
        message = {"role": "assistant", "content": content, **more}
        return {"model": body["model"], "created_at": "2026-09-01T10:00:00Z", "message": message, "done": False}

    def embed(self, body, name):
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        self.whole(200, {"model": name, "embeddings": [[len(text), 0.5] for text in texts], "prompt_eval_count": len(texts)})

    def pull(self, body, name):
        self.stream()
        self.line({"status": "pulling manifest"})
        if name not in state.registry and name not in state.models:
            self.line({"error": "pull model manifest: file does not exist"})
            self.over()
            return
        layer = {"status": "pulling 74701a8c35f6", "digest": "sha256:74701a8c35f6", "total": SIZE}
        for piece in range(PIECES + 1):
            self.line(layer | ({"completed": SIZE * piece // PIECES} if piece else {}))
            while piece == PIECES // 2 and state.held:
                with state.changed:
                    state.changed.wait(0.05)
                self.line(layer | {"completed": SIZE * piece // PIECES})
        with state.changed:
            state.models[name] = state.registry.get(name, ["completion"])
        self.line({"status": "success"})
        self.over()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Ollama)
    server.daemon_threads = True
    print("ready", server.server_address[1], flush=True)
    server.serve_forever()


main()
