"""A service whose answers never end, in OpenAI's dialect, Anthropic's and Ollama's: it knows when a client
hangs up. GET /hung-up says how many did.

    endless.py      prints "port N" and serves until it is ended
"""

import http.server
import json
import threading
import time

MODELS = {"object": "list", "data": [{"id": "endless", "object": "model", "type": "model"}], "has_more": False}
BEGIN = {"type": "message_start", "message": {"model": "endless", "usage": {"input_tokens": 1}}}
DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "on "}}
CHUNK = {"model": "endless", "choices": [{"index": 0, "delta": {"content": "on "}, "finish_reason": None}]}
TAGS = {"models": [{"name": "endless", "details": {"family": "llama"}}]}
SHOWN = {"details": {"family": "llama"}, "model_info": {}, "capabilities": ["completion"]}
LINE = {"model": "endless", "message": {"role": "assistant", "content": "on "}, "done": False}
PAUSE = 0.02


class Endless(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    count = 0
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def head(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def do_GET(self):
        self.head("application/json")
        lists = {"/hung-up": {"count": Endless.count}, "/api/tags": TAGS}
        told = lists.get(self.path, MODELS)
        self.wfile.write(json.dumps(told).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/show":
            self.head("application/json")
            self.wfile.write(json.dumps(SHOWN).encode())
            return
        self.ollama = self.path == "/api/chat"
        self.head("application/x-ndjson" if self.ollama else "text/event-stream")
        anthropic = self.path.endswith("/messages")
        try:
            if anthropic:
                self.event(BEGIN)
            while True:
                self.event(LINE if self.ollama else DELTA if anthropic else CHUNK)
                time.sleep(PAUSE)
        except OSError:
            with Endless.lock:
                Endless.count += 1

    def event(self, data):
        if self.ollama:
            self.wfile.write(json.dumps(data).encode() + b"\n")
            return
        name = f"event: {data['type']}\n" if "type" in data else ""
        self.wfile.write(f"{name}data: {json.dumps(data)}\n\n".encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
server.daemon_threads = True
print("port", server.server_address[1], flush=True)
server.serve_forever()
