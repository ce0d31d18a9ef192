"""A git:// server that says what no git says: packs of its own making, endless lists, nonsense."""

import hashlib
import socket
import struct
import threading
import zlib

COMMIT, TREE, BLOB, REF_DELTA = 1, 2, 3, 7
NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}


def line(data):
    return b"%04x" % (len(data) + 4) + data


def name_of(kind, body):
    return hashlib.sha1(b"%s %d\0" % (NAMES[kind], len(body)) + body).hexdigest()


def entry(kind, size, body, base=None, level=-1):
    """An object as a pack holds it; `size` as it claims."""
    head = [(kind << 4) | (size & 15)]
    size >>= 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head) + (bytes.fromhex(base) if base else b"") + zlib.compress(body, level)


def pack(entries, claimed=None):
    body = b"PACK" + struct.pack(">II", 2, len(entries) if claimed is None else claimed)
    body += b"".join(entries)
    return body + hashlib.sha1(body).digest()


def number(value):
    """A size as a delta has it."""
    out = bytearray()
    while True:
        out.append((value & 0x7F) | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def bomb(base_size, copies):
    """A delta of a few bytes that stands for base_size times copies."""
    copy = bytes([0x80 | 0x70]) + struct.pack("<I", base_size)[:3]
    return number(base_size) + number(base_size * copies) + copy * copies


def commit_of(files):
    """The objects (kind, body) of a commit with these files (name to content or hash)."""
    objects, tree = [], b""
    for name, content in sorted(files.items()):
        known = content
        if isinstance(content, bytes):
            objects.append((BLOB, content))
            known = name_of(BLOB, content)
        tree += b"100644 " + name.encode() + b"\0" + bytes.fromhex(known)
    who = b"A <a@example.com> 1700000000 +0000"
    commit = b"tree %s\nauthor %s\ncommitter %s\n\nodd\n" % (
        name_of(TREE, tree).encode(),
        who,
        who,
    )
    return [(COMMIT, commit), (TREE, tree), *objects]


class OddGit:
    """Answers every connection with `refs` (name to hash), and a request for a pack with `answer`;
    both may be endless iterators of bytes."""

    def __init__(self, refs=None, answer=b"", advertisement=None):
        self.refs, self.answer, self.advertisement = refs or {}, answer, advertisement
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"git://127.0.0.1:{self.port}/odd.git"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def advertise(self):
        lines = [f"{known} {name}".encode() for name, known in self.refs.items()]
        lines[0] += b"\0 ofs-delta"
        return b"".join(line(one + b"\n") for one in lines) + b"0000"

    def serve(self, client):
        try:
            client.recv(4096)
            self.send(client, self.advertisement or self.advertise())
            asked = b""
            while b"done" not in asked:
                more = client.recv(65536)
                if not more:
                    return
                asked += more
            self.send(client, self.answer)
        except OSError:
            pass
        finally:
            client.close()

    def send(self, client, what):
        for part in [what] if isinstance(what, bytes) else what():
            client.sendall(part)

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
