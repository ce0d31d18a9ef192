#!/usr/bin/env python3
"""A simulated OpenRouter for the tree tests: no model, no money, only the wire format.

One process, one thread, any number of connections. It says that it is simulated: in a header of
every reply, in GET / and in the description of every model. Chunks and errors have the shape of
real replies; the words are the prompt's own, so that a test knows which answer is whose.

    openrouter.py [--port N]      prints "ready PORT" when it listens on 127.0.0.1

Paths: /api/v1/models, /api/v1/chat/completions, and for the tests alone GET /journal (every
request with its headers and body, and how it ended) and POST /control (see Control).
"""

import argparse
import asyncio
import base64
import collections
import json
import re
import signal
import sys

import catalogue
from chat import Chat, error_body
from reply import Closed, Reply

MOST_HEADER = 64 << 10
MOST_BODY = 512 << 20
MOST_JOURNAL = 20000


class Control:
    """What a test may set by POST /control; each key replaces the value, "reset" restores all.

    key               the only accepted key; null accepts everything
    models            a path: this file is the reply to /models
    models_kind       a name of catalogue.HOSTILE: the reply to /models is made here
    models_status     the HTTP status of /models
    replay            {status, headers, body (base64), cut}: the reply to every chat request,
                      sent in pieces of `cut` bytes
    chat              a method of Chat: how every model answers, whatever its name
    cost              what test/paid reports, in USD
    generation        the cost of every turn that GET /generation?id=… is asked for; null: not yet
    busy              so many chat requests of test/busy:free are refused with 429
    fallbacks         how many models a request may name under `models`; 0 refuses them
    flap              test/flap:free answers and fails by turns, so many requests each
    """

    def __init__(self):
        self.reset()

    def reset(self):
        self.key = None
        self.models = None
        self.models_kind = None
        self.models_status = 200
        self.replay = None
        self.busy = 1
        self.flap = 3
        self.fallbacks = 3
        self.chat = None
        self.cost = 0.0000125
        self.generation = None

    def apply(self, wanted):
        if wanted.pop("reset", False):
            self.reset()
        for name, value in wanted.items():
            if name not in self.__dict__:
                raise ValueError(f"control knows no '{name}'")
            setattr(self, name, value)


class Server:
    def __init__(self):
        self.control = Control()
        self.journal = collections.deque(maxlen=MOST_JOURNAL)
        self.count = 0
        self.open = 0
        self.flapped = 0

    async def models(self, reply):
        control = self.control
        if control.models_status != 200:
            await reply.whole(control.models_status, error_body(control.models_status, "simulated"))
        elif control.models_kind is not None:
            await reply.start(200, {"Content-Type": "application/json"})
            for piece in catalogue.HOSTILE[control.models_kind]():
                await reply.piece(piece)
                await asyncio.sleep(0)
            await reply.end()
        elif control.models is not None:
            with open(control.models, "rb") as file:
                await reply.whole(200, file.read())
        else:
            await reply.whole(200, {"data": catalogue.simulated()})

    async def replay(self, reply, wanted):
        body = base64.b64decode(wanted["body"])
        await reply.start(wanted["status"], wanted["headers"])
        cut = wanted.get("cut") or max(len(body), 1)
        for start in range(0, len(body), cut):
            await reply.piece(body[start : start + cut])
        await reply.end()

    async def chat(self, reply, body):
        if self.control.replay is not None:
            await self.replay(reply, self.control.replay)
        else:
            await Chat(self, reply, json.loads(body)).run()

    async def generation(self, reply, name):
        cost = self.control.generation
        if cost is None or not re.fullmatch(r"gen-\d+-simulated", name):
            await reply.whole(404, error_body(404, f"Generation {name} not found"))
        else:
            tokens = {"native_tokens_prompt": 11, "native_tokens_completion": 9}
            data = {"id": name, "total_cost": cost, "cancelled": True, **tokens}
            await reply.whole(200, {"data": data})

    async def answer(self, reply, method, path, headers, body):
        path, _, query = path.partition("?")
        wrong_key = (
            self.control.key is not None
            and headers.get("authorization") != f"Bearer {self.control.key}"
        )
        if path == "/":
            await reply.whole(200, {"simulated": True, "as": "OpenRouter"})
        elif path.endswith("/models"):
            await self.models(reply)
        elif path.endswith("/generation") and not wrong_key:
            await self.generation(reply, query.removeprefix("id="))
        elif path.endswith("/chat/completions") and wrong_key:
            await reply.whole(401, error_body(401, "No cookie auth credentials found"))
        elif path.endswith("/chat/completions") and method == "POST":
            await self.chat(reply, body)
        else:
            await reply.whole(404, error_body(404, f"{path} isn't simulated"))

    async def tests_own(self, reply, path, body):
        if path == "/journal":
            shown = {"count": self.count, "open": self.open, "requests": list(self.journal)}
            await reply.whole(200, shown)
        else:
            wanted = json.loads(body)
            if wanted.pop("clear", False):
                self.journal.clear()
                self.count = 0
            self.control.apply(wanted)
            await reply.whole(200, {})

    async def request(self, reader, writer):
        """One request; False when the connection is over."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {}
        for line in filter(None, lines):
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        if size > MOST_BODY:
            return False
        body = await self.body(reader, writer, headers, size)
        reply = Reply(reader, writer)
        if path in ("/journal", "/control"):
            await self.tests_own(reply, path, body)
            return True
        return await self.noted(reply, method, path, headers, body)

    async def body(self, reader, writer, headers, size):
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await reader.readexactly(size)
        body = bytearray()
        while length := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(length)
            await reader.readexactly(2)
            if len(body) > MOST_BODY:
                raise Closed()
        await reader.readexactly(2)
        return bytes(body)

    async def noted(self, reply, method, path, headers, body):
        self.count += 1
        self.open += 1
        entry = {
            "n": self.count,
            "method": method,
            "path": path,
            "headers": headers,
            "body": body.decode("utf-8", "replace") if len(body) < 1 << 20 else f"{len(body)} bytes",
            "answered": False,
            "end": "open",
        }
        self.journal.append(entry)
        try:
            await self.answer(reply, method, path, headers, body)
            entry["end"] = "closed by the server" if reply.writer.is_closing() else "complete"
            return not reply.writer.is_closing()
        except (Closed, ConnectionError):
            entry["end"] = "closed by the client"
            return False
        finally:
            entry["answered"] = reply.answered
            self.open -= 1

    async def connection(self, reader, writer):
        try:
            while await self.request(reader, writer):
                pass
        except (Closed, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


async def main():
    parser = argparse.ArgumentParser(description="a simulated OpenRouter on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    server = await asyncio.start_server(
        Server().connection, "127.0.0.1", port, limit=MOST_HEADER, backlog=1024
    )
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
