"""HTTP replies of the simulated server: see openrouter.py."""

import asyncio
import json

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


class Closed(Exception):
    """The client closed the connection."""


class Reply:
    """One reply on one connection: chunked, flushed piece by piece, noticing a client that left."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.chunked = False
        self.answered = False  # a chat to its end

    async def write(self, data):
        self.writer.write(data)
        try:
            await self.writer.drain()
        except ConnectionError as error:
            raise Closed() from error
        if self.reader.at_eof() or self.writer.is_closing():
            raise Closed()

    async def start(self, status, headers, length=None):
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Simulated')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append("X-Simulated: conduitfs test server")
        self.chunked = length is None
        lines.append("Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {length}")
        await self.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def piece(self, data):
        if data:
            await self.write(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    async def end(self):
        if self.chunked:
            await self.write(b"0\r\n\r\n")

    async def whole(self, status, body, headers=None):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        await self.start(
            status, {"Content-Type": "application/json", **(headers or {})}, len(body)
        )
        await self.write(body)

    async def pause(self, seconds):
        """Waits, and ends at once when the client goes: it sends nothing while we answer."""
        watch = asyncio.ensure_future(self.reader.read(1))
        done, _ = await asyncio.wait({watch}, timeout=seconds)
        if done:
            watch.exception()
            raise Closed()
        watch.cancel()
        try:
            await watch
        except asyncio.CancelledError:
            pass

    def abort(self):
        """A TCP reset: what was sent is delivered or lost, then ECONNRESET."""
        self.writer.transport.abort()
