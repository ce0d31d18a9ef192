#!/usr/bin/env python3
"""A small HTTP server with faults to order, for the tests of core/transfer.

    server.py DIRECTORY

Makes a CA and certificates in DIRECTORY, listens on free ports of 127.0.0.1, prints one line
"http=PORT https=PORT stranger=PORT h2=PORT mute=PORT,PORT,…" and serves until its standard input
ends. h2 is nginx before the http port, 0 where nginx isn't installed. What a reply does is chosen
by the path; what the server saw of a client is asked for with /fact?NAME, which waits for it.
"""

import gzip
import hashlib
import os
import socket
import ssl
import struct
import sys
import threading
import time
from urllib.parse import parse_qs, unquote, urlsplit

from front import make_certificates, start_nginx, tls

MUTE_PORTS = 6
PIECE = bytes(16384)

facts = {}
facts_changed = threading.Condition()
connections = 0


def note(name, value):
    with facts_changed:
        facts[name] = value
        facts_changed.notify_all()


def count(name):
    with facts_changed:
        facts[name] = facts.get(name, 0) + 1
        facts_changed.notify_all()
        return facts[name]


def fact(name):
    """The value as soon as there is one; 'never' after 5 s."""
    with facts_changed:
        facts_changed.wait_for(lambda: name in facts, timeout=5)
        return str(facts.get(name, "never"))


class Gone(Exception):
    """The client or this server closed the connection."""


class Connection:
    def __init__(self, sock):
        global connections
        connections += 1
        self.number = connections
        self.requests = 0
        self.sock = sock
        self.buffer = b""

    def fill(self):
        got = self.sock.recv(65536)
        if not got:
            raise Gone
        self.buffer += got

    def line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
            if self.buffer.startswith(b"\x16\x03"):  # a TLS client, at the wrong port
                self.reply("speak HTTP", status=400)
                raise Gone
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def body(self, size):
        """Yields the body in pieces."""
        while size > 0:
            if not self.buffer:
                self.fill()
            piece, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= len(piece)
            yield piece

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def reply(self, body, status=200, headers=()):
        body = body if isinstance(body, bytes) else body.encode()
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def head(self, *headers, status=200):
        self.send("\r\n".join([f"HTTP/1.1 {status} OK", *headers]) + "\r\n\r\n")

    def until_closed(self, name):
        """Waits for the client to close, then notes it."""
        try:
            while True:
                self.fill()
        except (Gone, OSError):
            note(name, "closed")
            raise Gone from None

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def serve(self):
        while True:
            request_line = self.line()
            method, target, _ = request_line.split(" ", 2)
            header_lines = []
            while line := self.line():
                header_lines.append(line)
            self.requests += 1
            headers = {k.lower(): v.strip() for k, v in (h.split(":", 1) for h in header_lines)}
            parts = urlsplit(target)
            name = parts.path.strip("/").split("/")[0].replace("-", "_")
            self.method, self.target, self.header_lines = method, target, header_lines
            self.size = int(headers.get("content-length", 0))
            self.query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            self.raw_query, self.path = parts.query, parts.path
            getattr(self, "do_" + name, self.do_missing)()

    def swallow(self):
        return b"".join(self.body(self.size))

    # What a path does, in the order of the alphabet.

    def do_br(self):
        self.reply(b"\x0b\x02\x80hello\x03", headers=["Content-Encoding: br"])

    def do_chunked(self):
        self.head("Content-Type: Text/Plain; charset=utf-8", "Transfer-Encoding: chunked")
        self.send("5\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: late\r\n\r\n")

    def do_connection(self):
        self.swallow()
        self.reply(str(self.number))

    def do_cut(self):
        self.head("Content-Length: 100")
        self.send("0123456789")
        raise Gone

    def do_cut_chunked(self):
        self.head("Transfer-Encoding: chunked")
        self.send("5\r\nhello\r\n40\r\nhalf")
        raise Gone

    def do_die(self):
        """Closes a connection that was used before, without a reply; a fresh one gets one."""
        count("die-requests")
        if self.requests > 1:
            if self.raw_query != "unread":
                self.swallow()
                raise Gone
            self.reset()
        self.reply(hashlib.sha256(self.swallow()).hexdigest())

    def do_early(self):
        """Replies without reading the body."""
        self.reply("too large", status=413, headers=["Connection: close"])
        self.sock.shutdown(socket.SHUT_WR)
        self.until_closed("early")

    def do_echo(self):
        body = self.swallow()
        text = "\n".join([f"{self.method} {self.target}", *self.header_lines, "", ""])
        self.reply(text.encode() + body, headers=["Content-Type: text/plain"])

    def do_endless(self):
        """Sends until the client is gone; notes how much once nobody takes more for 0.4 s."""
        self.head("Transfer-Encoding: chunked")
        sent, told = 0, False
        self.sock.settimeout(0.4)
        chunk = b"4000\r\n" + PIECE + b"\r\n"
        view = memoryview(chunk)
        try:
            while True:
                try:
                    n = self.sock.send(view)
                except (TimeoutError, ssl.SSLWantWriteError):
                    if not told:
                        note("endless-stalled", sent)
                        told = True
                    continue
                sent += n
                view = view[n:] if n < len(view) else memoryview(chunk)
                if told and sent > facts["endless-stalled"] + (8 << 20):
                    note("endless-went-on", sent)
        except OSError:
            note("endless-closed", sent)
            raise Gone from None

    def do_fact(self):
        self.reply(fact(unquote(self.raw_query)))

    def do_garbage(self):
        self.send("SSH-2.0-OpenSSH_9.2\r\n")
        raise Gone

    def do_gzip(self):
        size = int(self.query["n"])
        body = gzip.compress(bytes(size), 9)
        self.reply(body, headers=["Content-Encoding: gzip"])

    def do_hash(self):
        total = hashlib.sha256()
        for piece in self.body(self.size):
            total.update(piece)
        self.reply(f"{self.size} {total.hexdigest()}")

    def do_headers(self):
        """17 KiB of headers, and the type after them."""
        lines = [f"X-Fill-{i}: {'v' * 1000}" for i in range(17)]
        self.reply("body", headers=[*lines, "Content-Type: text/late"])

    def do_hints(self):
        self.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        self.reply("after the hints")

    def do_missing(self):
        self.swallow()
        self.reply(f"no such path: {self.path}", status=404)

    def do_nobody(self):
        self.head("Content-Length: 1234")

    def do_peel(self):
        """/peel/N redirects N times."""
        left = int(self.path.split("/")[2])
        if left > 0:
            self.reply("", 302, [f"Location: {left - 1}"])
        else:
            self.reply("peeled")

    def do_redirect(self):
        self.swallow()
        body = bytes(int(self.query.get("body", 0)))
        self.reply(body, int(self.query["status"]), [f"Location: {self.query['to']}"])

    def do_reset(self):
        self.swallow()
        self.reset()

    def do_reset_mid(self):
        self.head("Content-Length: 100")
        self.send("0123456789")
        time.sleep(0.05)  # so that the bytes arrive before the reset takes them back
        self.reset()

    def do_silent(self):
        """Takes the request and says nothing."""
        self.swallow()
        note("silent-" + self.raw_query, "waiting")
        self.until_closed("silent-closed-" + self.raw_query)

    def do_slow_reader(self):
        """Takes the body in 0.5 s, then replies."""
        for i, _ in enumerate(self.body(self.size)):
            if i % 100 == 0 and i < 1000:
                time.sleep(0.05)
        self.reply("taken")

    def do_stall(self):
        """Half a reply, then nothing."""
        self.head("Content-Length: 100")
        self.send("half")
        self.until_closed("stall-" + self.raw_query)

    def do_status(self):
        status = int(self.path.split("/")[2])
        headers = [f"Retry-After: {self.query['after']}"] if "after" in self.query else []
        if "ms" in self.query:
            headers.append(f"Retry-After-Ms: {self.query['ms']}")
        self.swallow()
        self.reply(f"status {status}", status, headers)

    def do_trickle(self):
        """Bytes with pauses between them."""
        n = int(self.query["n"])
        gap = float(self.query.get("gap", 0.02))
        self.head(f"Content-Length: {n}")
        for i in range(n):
            self.send(str(i % 10))
            time.sleep(gap)

    def do_unread(self):
        """Never reads the body."""
        note("unread", "waiting")
        with facts_changed:
            facts_changed.wait_for(lambda: "unread-enough" in facts, timeout=10)
        raise Gone

    def do_zeros(self):
        left = int(self.query["n"])
        self.head(f"Content-Length: {left}")
        while left > 0:
            self.send(PIECE[:left])
            left -= len(PIECE[:left])


def serve_one(sock, context):
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
        Connection(sock).serve()
    except (Gone, OSError, ValueError):
        pass
    finally:
        sock.close()


def listen():
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    return listener, listener.getsockname()[1]


def accept_forever(listener, context):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve_one, args=(sock, context), daemon=True).start()


def serve(context=None):
    listener, port = listen()
    threading.Thread(target=accept_forever, args=(listener, context), daemon=True).start()
    return port


def accept_mute(listener, kept):
    """Takes connections and says nothing; /fact?mute-5 is the time from the first to the fifth."""
    while True:
        kept.append(listener.accept()[0])
        n = count("mute-accepted")
        if n == 1:
            note("mute-first", time.monotonic())
        note(f"mute-{n}", f"{time.monotonic() - facts['mute-first']:.3f}")


def serve_mute():
    listener, port = listen()
    threading.Thread(target=accept_mute, args=(listener, []), daemon=True).start()
    return port


def main():
    directory = os.path.abspath(sys.argv[1])
    server, stranger = make_certificates(directory)
    http = serve()
    https = serve(tls(server))
    strange = serve(tls(stranger))
    mute = ",".join(str(serve_mute()) for _ in range(MUTE_PORTS))
    nginx, h2 = start_nginx(directory, server, http)
    print(f"http={http} https={https} stranger={strange} h2={h2} mute={mute}", flush=True)
    sys.stdin.read()
    if nginx is not None:
        nginx.kill()
        nginx.wait()
    os._exit(0)


main()
