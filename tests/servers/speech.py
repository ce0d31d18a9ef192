#!/usr/bin/env python3
"""Simulated speech servers for the tree tests: no model, only the wire formats, after the documents
and sources of the servers that they stand for. A transcript tells what was asked and how much sound
came; speech is the text in a WAV header's company. Each reply says that it is simulated.

    speech.py KIND [--port N]     prints "ready PORT" when it listens on 127.0.0.1

KIND: speaches whisper-asr whisper-cpp kokoro chatterbox chatterbox-api other
GET /journal gives every request: method, path, and the fields of its form or JSON.
"""

import argparse
import email.parser
import email.policy
import http.server
import json
import struct
import urllib.parse

JOURNAL = []


def wav(text):
    """A file that is told to be WAV by its content, with the text as its samples."""
    data = text.encode() + b" " * (len(text.encode()) % 2)
    form = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + form + (
        b"data" + struct.pack("<I", len(data)) + data
    )


def form_of(kind, body):
    """The fields of multipart/form-data; of a file its name, type and size."""
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename():
            content = [part.get_filename(), part.get_content_type(), len(content)]
        else:
            content = content.decode()
        fields[name] = content
    return fields


class Speech(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Simulated", "yes")
        self.end_headers()
        self.wfile.write(body)

    def missing(self):
        self.send(404, {"detail": "Not Found"})

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/journal":
            self.send(200, JOURNAL)
            return
        JOURNAL.append({"method": "GET", "path": self.path})
        found = LISTS.get(self.server.kind, {}).get(path)
        if found is None:
            self.missing()
        else:
            self.send(200, found, "text/html" if isinstance(found, bytes) else "application/json")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        fields = form_of(kind, body) if kind.startswith("multipart/") else json.loads(body)
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        JOURNAL.append({"method": "POST", "path": url.path, "fields": fields, "query": query})
        answer = getattr(self, "post_" + self.server.kind.replace("-", "_"), None)
        if answer is None or not answer(url.path, fields, query):
            self.missing()

    # ---- speech to text ----

    def transcript(self, sound, form):
        words = f"{sound[2]} bytes of {sound[1]}"
        if form == "srt":
            self.send(200, f"1\n00:00:00,000 --> 00:00:01,000\n{words}\n".encode(), "text/plain")
        elif form in ("json", "verbose_json"):
            self.send(200, {"text": words})
        else:
            self.send(200, words.encode(), "text/plain; charset=utf-8")
        return True

    def post_speaches(self, path, fields, query):
        known = ("/v1/audio/transcriptions", "/v1/audio/translations")
        return path in known and self.transcript(fields["file"], fields["response_format"])

    def post_whisper_asr(self, path, fields, query):
        return path == "/asr" and self.transcript(fields["audio_file"], query["output"])

    def post_whisper_cpp(self, path, fields, query):
        return path == "/inference" and self.transcript(fields["file"], fields["response_format"])

    # ---- text to speech ----

    def speech(self, text):
        if text == "nothing":
            self.send(200, b"", "audio/wav")
            return True
        self.send(200, wav(text), "audio/wav")
        return True

    def post_kokoro(self, path, fields, query):
        if fields.get("voice") == "af_nobody":
            words = {"error": "validation_error", "message": "Voice 'af_nobody' not found"}
            self.send(400, {"detail": words})
            return True
        return path == "/v1/audio/speech" and self.speech(fields["input"])

    def post_chatterbox(self, path, fields, query):
        if path == "/upload_reference":
            self.send(200, {"uploaded_files": [fields["files"][0]], "errors": []})
            return True
        return path == "/tts" and self.speech(fields["text"])

    def post_chatterbox_api(self, path, fields, query):
        known = ("/v1/audio/speech", "/v1/audio/speech/upload")
        return path in known and self.speech(fields["input"])


def models(*entries):
    return {"object": "list", "data": list(entries)}


LISTS = {
    "speaches": {
        "/v1/models": models(
            {"id": "Systran/faster-whisper-base", "task": "automatic-speech-recognition"},
            {"id": "speaches-ai/Kokoro-82M", "task": "text-to-speech"},
        )
    },
    "whisper-asr": {"/openapi.json": {"info": {}, "paths": {"/asr": {"post": {}}}}},
    "whisper-cpp": {"/": b"<html><title>Whisper.cpp Server</title></html>"},
    "kokoro": {"/v1/audio/voices": {"voices": [{"id": "af_bella"}, {"id": "af_heart"}, {"id": "af_sky"}]}},
    "chatterbox": {
        "/get_predefined_voices": [
            {"display_name": "Abigail", "filename": "Abigail.wav"},
            {"display_name": "Emily", "filename": "Emily.wav"},
        ]
    },
    "chatterbox-api": {
        "/v1/models": models({"id": "chatterbox-tts-1"}, {"id": "tts-1"}),
        "/v1/voices": {"voices": [{"name": "anna"}]},
    },
    "other": {"/v1/models": models({"id": "qwen3"})},
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=LISTS)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Speech)
    server.kind = options.kind
    print(f"ready {server.server_port}", flush=True)
    server.serve_forever()


main()
