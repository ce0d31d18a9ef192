"""Servers that tests talk to: each on a free port of 127.0.0.1, ended by its process id."""

import base64
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from harness.wait import seconds

TOP = pathlib.Path(__file__).resolve().parents[3]
SERVERS = TOP / "tests" / "servers"
SHARED = pathlib.Path(os.environ.get("CONDUIT_SHARED", TOP.parent / "shared"))


def shared(*parts):
    """A recording or an engine beside the repository; None where there is none."""
    path = SHARED.joinpath(*parts)
    return path if path.exists() else None


def stem(recording):
    """A test's id; without recordings pytest asks for the id of none."""
    return getattr(recording, "stem", "none")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def call(url, body=None, headers=None, bound=10, method=None):
    """An HTTP call made without any of our code: (status, bytes)."""
    data = None if body is None else json.dumps(body).encode()
    head = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=data, headers=head, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=seconds(bound)) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Server:
    """A program that listens, in a process group of its own."""

    def __init__(self, command, log, port=None, env=None):
        self.port = port
        self.log_path = log
        with open(log, "ab") as file:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if port is None else file,
                stderr=file,
                env=os.environ | (env or {}),
                start_new_session=True,
            )

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_port(self, bound):
        """Waits until it accepts connections."""
        end = time.monotonic() + bound
        while time.monotonic() < end:
            assert self.process.poll() is None, f"it ended: {self.log()}"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"port {self.port} doesn't answer after {bound:g} s: {self.log()}")

    def stop(self):
        """Ends its process group: some start the real server as a child."""
        self.end(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        self.end(signal.SIGKILL)
        self.process.wait()

    def end(self, how):
        try:
            os.killpg(self.process.pid, how)
        except ProcessLookupError:
            pass


class Simulated(Server):
    """The simulated OpenRouter; tests/servers/openrouter.py says what it does."""

    KEY = "sk-or-v1-simulated-0123456789abcdef"

    def __init__(self, log, port=0):
        super().__init__([sys.executable, SERVERS / "openrouter.py", "--port", port], log)
        ready, _, _ = select.select([self.process.stdout], [], [], seconds(20))
        assert ready, "the simulated server isn't ready"
        self.port = int(self.process.stdout.readline().split()[1])

    @property
    def base_url(self):
        return f"{self.url}/api/v1"

    def provider(self, **more):
        """Its entry in config.yml."""
        return {"base_url": self.base_url, "key": self.KEY, **more}

    def config(self, **more):
        return {"providers": {"openrouter": self.provider()}, **more}

    def control(self, **wanted):
        status, answer = call(f"{self.url}/control", wanted)
        assert status == 200, answer

    def replay(self, body, status=200, content_type="application/json", cut=None, **headers):
        encoded = base64.b64encode(body).decode()
        head = {"Content-Type": content_type, **headers}
        self.control(replay={"status": status, "headers": head, "body": encoded, "cut": cut})

    def journal(self):
        status, answer = call(f"{self.url}/journal")
        assert status == 200
        return json.loads(answer)

    def chats(self):
        """The chat requests so far, in order, with their parsed body under `json`."""
        found = [
            entry for entry in self.journal()["requests"] if entry["path"].endswith("/completions")
        ]
        for entry in found:
            entry["json"] = json.loads(entry["body"])
        return found

    def prompts(self):
        """What each chat request asked, in order."""
        return [prompt_of(entry["json"]) for entry in self.chats()]


class Ollama(Server):
    """The simulated Ollama; tests/servers/ollama.py says what it does."""

    def __init__(self, log, port=0):
        super().__init__([sys.executable, SERVERS / "ollama.py", "--port", port], log)
        ready, _, _ = select.select([self.process.stdout], [], [], seconds(20))
        assert ready, "the simulated Ollama isn't ready"
        self.port = int(self.process.stdout.readline().split()[1])

    def config(self):
        return {"providers": {"ollama": {"base_url": self.url}}}

    def control(self, **wanted):
        status, answer = call(f"{self.url}/control", wanted)
        assert status == 200, answer

    def journal(self):
        return json.loads(call(f"{self.url}/journal")[1])

    def asked(self, path):
        """The models that were asked for there, in order."""
        return [body["model"] for at, body in self.journal()["requests"] if at == path]


def prompt_of(body):
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
