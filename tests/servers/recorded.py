#!/usr/bin/env python3
"""Serves recorded errors, each as the answer of a model of its own, in the shapes of the services'
lists. It says that it is simulated in a header of every reply.

    recorded.py PORT TABLE    TABLE: JSON, a list of [service, model, status, type, path of the body]

Below /SERVICE is that service's address. Whatever is posted for a model, in the path or as `model`,
is answered with its recording.
"""

import http.server
import json
import pathlib
import sys

ENTRIES = {}


class Recorded(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Simulated", "conduitfs test server")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        service, _, path = self.path[1:].partition("/")
        path = path.partition("?")[0]
        names = [model for of, model in ENTRIES if of == service]
        lists = {
            "fal": lambda: {"models": [{"endpoint_id": name, "metadata": {"category": "text-to-image"}} for name in names]},
            "ollama": lambda: {"models": [{"name": name, "model": name} for name in names]},
            "together": lambda: [{"id": name, "object": "model", "type": kind_of(name)} for name in names],
            "anthropic": lambda: {"data": [{"type": "model", "id": name} for name in names], "has_more": False},
            "replicate": lambda: replicate(path, names),
        }
        usual = {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}
        self.reply(200, lists.get(service, lambda: usual)())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service = self.path.split("/")[1]
        if self.path.endswith("/api/show"):
            self.reply(200, {"capabilities": ["completion"], "model_info": {}, "details": {}})
            return
        asked = json.loads(body).get("model", self.path)
        for (of, model), (status, kind, path) in ENTRIES.items():
            if of == service and model in asked:
                self.reply(status, pathlib.Path(path).read_bytes(), kind)


def kind_of(name):
    return "image" if "image" in name else "chat"


def replicate(path, names):
    models = [{"owner": name.split("/")[0], "name": name.split("/")[1], "is_official": True} for name in names]
    if path == "collections":
        return {"next": None, "results": [{"slug": "all", "name": "All"}]}
    if path.startswith("collections/"):
        return {"slug": "all", "models": models}
    return next(model for model in models if path.endswith(model["name"]))


for entry in json.loads(sys.argv[2]):
    ENTRIES[entry[0], entry[1]] = tuple(entry[2:])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Recorded).serve_forever()
