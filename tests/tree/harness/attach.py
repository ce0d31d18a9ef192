"""Small files of several kinds, and models that take them."""

import struct
import zlib

MANY = ["text", "image", "audio", "video", "file"]


def png(text=b""):
    """An image of one pixel."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\x20\x40\x60")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + (chunk(b"tEXt", b"Comment\0" + text) if text else b"")
        + chunk(b"IDAT", pixel)
        + chunk(b"IEND", b"")
    )


def wav(samples=64):
    data = bytes(range(256))[:samples]
    head = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + head + b"data" + (
        struct.pack("<I", len(data)) + data
    )


PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"


def entry(name, takes):
    return {
        "id": name,
        "name": name,
        "created": 1700000000,
        "context_length": 131072,
        "architecture": {"input_modalities": takes, "output_modalities": ["text"]},
        "pricing": {"prompt": "0", "completion": "0"},
        "supported_parameters": ["max_tokens", "temperature"],
    }
