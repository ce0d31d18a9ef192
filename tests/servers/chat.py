"""How the simulated OpenRouter answers a chat request: see openrouter.py."""

import json
import re


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
