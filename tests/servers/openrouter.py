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


def error_body(status, message, **metadata):
    return {"error": {"message": message, "code": status, "metadata": metadata}}


def prompt_of(body):
    """The text of the newest user message, however its content is written."""
    for message in reversed(body.get("messages", [])):
        if message.get("role") == "user":
            content = message.get("content", "")
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content)
    return ""


class Chat:
    """A reply to /chat/completions; a method for each special model."""

    def __init__(self, server, reply, body):
        self.server = server
        self.reply = reply
        self.body = body
        self.model = body.get("model", "")
        self.prompt = prompt_of(body)
        self.id = f"gen-{server.count}-simulated"

    def chunk(self, delta, finish=None, **more):
        return {
            "id": self.id,
            "provider": "Simulated",
            "model": self.model,
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "choices": [
                {
                    "index": 0,
                    "delta": {"role": "assistant", **delta},
                    "finish_reason": finish,
                    "native_finish_reason": finish,
                    "logprobs": None,
                }
            ],
            **more,
        }

    async def event(self, value):
        await self.reply.piece(b"data: " + json.dumps(value).encode() + b"\n\n")

    async def text(self, text):
        await self.event(self.chunk({"content": text}))

    async def begin(self):
        await self.reply.start(
            200, {"Content-Type": "text/event-stream", "X-Generation-Id": self.id}
        )
        await self.reply.piece(b": OPENROUTER PROCESSING\n\n")

    async def finish(self, reason="stop", completion=0, cost=0):
        self.reply.answered = True
        await self.event(self.chunk({"content": ""}, reason))
        usage = {
            "prompt_tokens": len(self.prompt.split()),
            "completion_tokens": completion,
            "total_tokens": len(self.prompt.split()) + completion,
            "cost": cost,
            "is_byok": False,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
        await self.event(self.chunk({"content": ""}, usage=usage))
        await self.reply.piece(b"data: [DONE]\n\n")
        await self.reply.end()

    async def echo(self):
        """The prompt, in two pieces that cut it anywhere between characters."""
        await self.begin()
        middle = len(self.prompt) // 2
        for part in (self.prompt[:middle], self.prompt[middle:]):
            await self.text(part)
        await self.finish(completion=len(self.prompt.split()))

    async def slow(self):
        """`first=S each=S words…`: waits S before the first word and before each following."""
        options = dict(re.findall(r"\b(first|each)=([0-9.]+)", self.prompt))
        await self.begin()
        await self.reply.pause(float(options.get("first", 0)))
        words = re.findall(r"\S+\s*", re.sub(r"\b(first|each)=\S+\s*", "", self.prompt))
        for word in words:
            await self.text(word)
            await self.reply.pause(float(options.get("each", 0)))
        await self.finish(completion=len(words))

    async def hang(self):
        """Accepts and says nothing until the client goes."""
        await self.reply.pause(3600)

    async def silent(self):
        """Answers the headers and one word, then nothing until the client goes."""
        await self.begin()
        await self.text("begun ")
        await self.reply.pause(3600)

    async def endless(self):
        """A word every 20 ms until the client goes."""
        await self.begin()
        while True:
            await self.text("word ")
            await self.reply.pause(0.02)

    async def drop(self):
        """Closes before any byte of a reply."""
        self.reply.abort()

    async def reset(self):
        """Half of the answer, then a TCP reset."""
        await self.begin()
        await self.text("half ")
        await self.reply.pause(0.2)
        self.reply.abort()

    async def cut(self):
        """Half of the answer, then a proper end of the body without a terminal event."""
        await self.begin()
        await self.text("half ")
        await self.reply.end()

    async def garbage(self):
        """A stream that holds no JSON."""
        await self.begin()
        await self.reply.piece(b"data: {not json\n\n")
        await self.reply.end()

    async def html(self):
        await self.reply.whole(
            200, b"<html>a captive portal</html>", {"Content-Type": "text/html"}
        )

    async def big(self):
        """So many bytes as the prompt says, as lines of 64 bytes that are numbered."""
        await self.begin()
        size, sent = int(self.prompt), 0
        while sent < size:
            lines = b"".join(
                b"%063d\n" % n for n in range(sent // 64, min(sent // 64 + 256, (size + 63) // 64))
            )
            lines = lines[: size - sent]
            await self.text(lines.decode())
            sent += len(lines)
        await self.finish(completion=size // 4)

    async def length(self):
        await self.begin()
        await self.text("as far as it went")
        await self.finish("length", 4)

    async def filtered(self):
        await self.begin()
        await self.text("so far ")
        await self.finish("content_filter", 2)

    async def tools(self):
        await self.begin()
        call = {"index": 0, "id": "call_1", "type": "function"}
        await self.event(
            self.chunk({"tool_calls": [{**call, "function": {"name": "look", "arguments": ""}}]})
        )
        await self.event(
            self.chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"at":1}'}}]})
        )
        await self.finish("tool_calls", 5)

    async def thinking(self):
        await self.begin()
        await self.event(self.chunk({"content": "", "reasoning": "secret thoughts"}))
        await self.text("the answer")
        await self.finish(completion=4)

    async def paid(self):
        await self.begin()
        await self.text(self.prompt)
        await self.finish(completion=3, cost=self.server.control.cost)

    async def busy(self):
        """429 with Retry-After: 1 for as many requests as control says, then the prompt."""
        if self.server.control.busy > 0:
            self.server.control.busy -= 1
            await self.reply.whole(
                429, error_body(429, "slow down, simulated"), {"Retry-After": "1"}
            )
        else:
            await self.echo()

    async def flap(self):
        """Answers so many requests, then fails as many, each time in another way."""
        number = self.server.flapped
        self.server.flapped += 1
        if number // self.server.control.flap % 2 == 0:
            await self.echo()
            return
        statuses = (429, 500, 503, 529)
        if number % 6 == 0:
            await self.drop()
        elif number % 6 == 1:
            await self.html()
        else:
            await self.fail(statuses[number % 6 - 2])

    async def settings(self):
        """The request's own parameters as sorted JSON, messages left out."""
        await self.begin()
        shown = {key: value for key, value in self.body.items() if key != "messages"}
        await self.text(json.dumps(shown, sort_keys=True))
        await self.finish(completion=1)

    async def talk(self):
        """The whole conversation, a line a message: how many, and what was said."""
        await self.begin()
        for message in self.body["messages"]:
            said = prompt_of({"messages": [{**message, "role": "user"}]})
            await self.text(f"{message['role']}: {said}\n")
        await self.finish(completion=1)

    async def fail(self, status):
        if status == 403:
            body = error_body(403, "flagged, simulated", reasons=["violence"], flagged_input="x")
        elif status in (500, 502, 503):
            body = error_body(status, "upstream failed, simulated", provider_name="Simulated")
        else:
            body = error_body(status, f"failed with {status}, simulated")
        await self.reply.whole(status, body)

    async def run(self):
        """Of several models the first that doesn't fail by its name."""
        models = self.body.get("models", [])
        if len(models) > self.server.control.fallbacks:
            message = f"'models' array must have {self.server.control.fallbacks} items or fewer"
            await self.reply.whole(400, error_body(400, message))
            return
        answering = [name for name in models if not name.startswith("test/fail-")]
        self.model = (answering or [self.model])[0]
        await self.answer()

    async def answer(self):
        match = re.fullmatch(r"test/(?:fail-(\d+)|([a-z]+))(?::free)?", self.model)
        if match is None and self.server.control.chat is None:
            await self.reply.whole(400, error_body(400, f"{self.model} is not a valid model ID"))
        elif match and match[1]:
            await self.fail(int(match[1]))
        else:
            await getattr(self, self.server.control.chat or match[2])()


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
