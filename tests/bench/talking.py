"""Questions and answers: what a turn costs over the same request without us."""

import json
import statistics
import subprocess

from service import MODEL
from table import Row

PROMPT = "What is a file?"


class Talking:
    """Needs the clients (a directory), a service, and mounts on it by http and https."""

    def __init__(self, clients, service, plain, secure, runs):
        self.clients = clients
        self.service = service
        self.plain = plain.model(MODEL).path
        self.secure = secure.model(MODEL).path
        self.runs = runs

    def client(self, name, *arguments):
        """What a client prints: lines of numbers."""
        command = [str(self.clients / name), *map(str, arguments)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        return [[float(word) for word in line.split("\t")] for line in done.stdout.splitlines()]

    def medians(self, samples):
        return tuple(statistics.median(column) for column in zip(*samples))

    def shell_and_curl(self, tls, rounds):
        model = self.secure if tls else self.plain
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": PROMPT}],
            "stream": True,
            "max_tokens": 16384,
        }
        ca = f"--cacert {self.service.certificate}" if tls else ""
        curl = (
            f"curl -sN {ca} -H 'Content-Type: application/json'"
            f" -H 'Authorization: Bearer {self.service.KEY}'"
            f" -d '{json.dumps(body)}' {self.service.chat_url(tls)}"
        )
        files = f"echo '{PROMPT}' > '{model}/input'; cat '{model}/output'"
        pairs = []
        for _ in range(self.runs):
            samples = self.client("alternate", rounds + 1, files, curl)[1:]
            pairs.append(tuple(value / 1000 for value in self.medians(samples)))
        name = "https" if tls else "http"
        what = f"prompt to last byte, sh, echo and cat, {name}"
        return Row(what, "ms", pairs, "sh -c 'curl -sN …'", aim=1.0)

    def first_byte(self, tls, rounds):
        model = self.secure if tls else self.plain
        ca = [self.service.certificate] if tls else []
        pairs = []
        for _ in range(self.runs):
            url = self.service.chat_url(tls)
            samples = self.client("first_byte", rounds + 10, model, url, *ca)[10:]
            pairs.append(tuple(value / 1000 for value in self.medians(samples)))
        name = "https" if tls else "http"
        what = f"time to first byte, C, {name}, added"
        return Row(what, "ms", pairs, "libcurl, kept alive", aim=0.5, difference=True)

    def whole_turns(self, clients, milliseconds):
        pairs = []
        for _ in range(self.runs):
            ours = self.client("turns", "files", clients, milliseconds, self.plain)[0][0]
            url = self.service.chat_url()
            other = self.client("turns", "direct", clients, milliseconds, url)[0][0]
            pairs.append((ours, other))
        what = f"whole turns, {clients} C clients at once"
        return Row(what, "/s", pairs, f"{clients} libcurl, kept alive", more_is_better=True)

    def stats(self, name, milliseconds, other):
        pairs = []
        for _ in range(self.runs):
            ours = self.client("stats", milliseconds, self.plain / name)[0][0]
            there = self.client("stats", milliseconds, other)[0][0]
            pairs.append((ours, there))
        what = f"stat of a model's {name}, asked anew"
        return Row(what, "/s", pairs, "a file on tmpfs", more_is_better=True)
