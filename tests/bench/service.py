"""A chat service that costs nearly nothing: nginx with a fixed streamed reply, by http and https."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "servers"))

import catalogue  # noqa: E402
from harness.server import Server, free_port  # noqa: E402

MODEL = "bench/fixed:free"
WORDS = "A file is a run of bytes with a name that a program reads and writes ".split(" ")

CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    keepalive_requests 100000000;
    keepalive_timeout 600;
    tcp_nodelay on;
    server {{
        listen 127.0.0.1:{plain} backlog=4096;
        listen 127.0.0.1:{secure} ssl backlog=4096;
        ssl_certificate {home}/certificate.pem;
        ssl_certificate_key {home}/key.pem;
        location = /api/v1/models {{
            types {{}}
            default_type application/json;
            alias {home}/models.json;
        }}
        location = /api/v1/chat/completions {{
            types {{}}
            default_type text/event-stream;
            {pieces}
            return 200 "{whole}";
        }}
    }}
}}
"""


def chunk(content, finish=None, **more):
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}}
    return {
        "id": "gen-simulated",
        "provider": "Simulated",
        "model": MODEL,
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "choices": [{**choice, "finish_reason": finish, "native_finish_reason": finish}],
        **more,
    }


def fixed_reply():
    usage = {"prompt_tokens": 4, "completion_tokens": len(WORDS), "total_tokens": 20, "cost": 0}
    chunks = [chunk(word + " ") for word in WORDS]
    chunks += [chunk("", "stop"), chunk("", usage=usage)]
    events = [": SIMULATED PROCESSING"] + [f"data: {json.dumps(one)}" for one in chunks]
    return "\n\n".join([*events, "data: [DONE]"]) + "\n\n"


def models(count):
    """The model that is asked, and others, a hundred a vendor."""
    others = [catalogue.entry(f"vendor-{n // 100}/model-{n}") for n in range(count - 1)]
    return {"data": [catalogue.entry(MODEL), *others]}


def fixed_pieces(most=3000):
    """The reply as nginx takes it: in variables, none too long for its parser."""
    reply = fixed_reply()
    pieces = [reply[at : at + most] for at in range(0, len(reply), most)]
    names = [f"$piece{n}" for n in range(len(pieces))]
    sets = " ".join(f"set {name} '{piece}';" for name, piece in zip(names, pieces))
    return sets, "".join(names)


class Service(Server):
    """`home` is an empty directory of its own; ends by stop()."""

    KEY = "sk-or-v1-simulated-0123456789abcdef"

    def __init__(self, home, count=1):
        self.home = home
        self.plain, self.secure = free_port(), free_port()
        (home / "models.json").write_text(json.dumps(models(count)))
        self.make_certificate()
        pieces, whole = fixed_pieces()
        (home / "nginx.conf").write_text(
            CONFIGURATION.format(
                home=home,
                plain=self.plain,
                secure=self.secure,
                pieces=pieces,
                whole=whole,
                user="user root;" if os.getuid() == 0 else "",
            )
        )
        command = ["nginx", "-e", home / "error.log", "-p", home, "-c", home / "nginx.conf"]
        super().__init__(command, home / "log", self.plain)
        self.wait_port(20)

    def make_certificate(self):
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7"
            " -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
            " -keyout key.pem -out certificate.pem".split(),
            cwd=self.home,
            check=True,
            capture_output=True,
        )

    @property
    def certificate(self):
        return self.home / "certificate.pem"

    def base_url(self, tls=False):
        return f"https://localhost:{self.secure}/api/v1" if tls else f"{self.url}/api/v1"

    def chat_url(self, tls=False):
        return self.base_url(tls) + "/chat/completions"

    def config(self, tls=False, **more):
        entry = {"base_url": self.base_url(tls), "key": self.KEY}
        return {"providers": {"openrouter": entry}, **more}
