#!/usr/bin/env python3
"""A simulated service with a queue, for the tree tests: fal's queue and catalogue, Replicate's
predictions, and the video jobs of OpenAI and OpenRouter, in the shapes of their recordings and
documents. It says that it is simulated, in a header of every reply. Jobs outlive the client.

    queue.py        prints "port N" and serves until it is ended

What a job does is said by its prompt, in words NAME=VALUE, the rest being what comes of it:

    polls=N         done after so many polls (2 when unsaid); polls=never: it never is
    then=failed     fails; cancelled; expired (its result is there no more); gone (so is the job);
                    garbage (a poll isn't JSON); busy (each second poll is a 503); broken (of three
                    polls two are closed without a reply); nofile (its file is a 503); at fal flagged,
                    broke and none, which are told by its result
    files=N         so many files, each with the prompt's words (1 when unsaid)
    url=URL         its result is at this URL instead
    begin=held      its submission is answered when GET /release was asked for
    text            the result is text
    png             each result begins as a PNG does, so that it is known for one
    glb             the same of a 3D model, told in a member of its own

GET /journal is every request: method, path, headers, body. GET /file/N is a result. GET /finish has
all jobs done that never are.
"""

import base64
import http.server
import json
import re
import threading
import urllib.parse

JOBS = {}
JOURNAL = []
LOCK = threading.Lock()
RELEASED = threading.Event()

FAL_MODELS = ["sim/image", "sim/text", "sim/image/edit", "sim/mesh"]
GLB = b"glTF\2\0\0\0" + bytes(16)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde"


def fal_schema(name):
    """As recorded of fal's catalogue, shortened."""
    properties = {
        "prompt": {"type": "string"},
        "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "num_images": {"type": "integer", "minimum": 1, "maximum": 4, "default": 1},
        "num_inference_steps": {"type": "integer", "minimum": 1, "maximum": 50, "default": 28},
        "image_size": {"default": "landscape_4_3", "anyOf": [
            {"$ref": "#/components/schemas/ImageSize"},
            {"type": "string", "enum": ["square_hd", "landscape_4_3"]},
        ]},
        "output_format": {"type": "string", "enum": ["jpeg", "png"], "default": "jpeg"},
    }
    if name.endswith("edit"):
        properties["image_url"] = {"type": "string"}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/SimInput"}}}}
    return {
        "components": {"schemas": {
            "QueueStatus": {"type": "object"},
            "SimInput": {"type": "object", "properties": properties},
            "ImageSize": {"type": "object", "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}}},
        }},
        "paths": {f"/{name}": {"post": {"requestBody": body}}},
    }


def fal_entry(name, schema):
    category = {"sim/text": "text-to-text", "sim/mesh": "text-to-3d"}.get(name, "text-to-image")
    return {
        "endpoint_id": name,
        "metadata": {
            "display_name": name,
            "category": "image-to-image" if name.endswith("edit") else category,
            "description": "simulated",
            "status": "active",
            "date": "2025-04-01T18:10:42.284Z",
        },
        **({"openapi": fal_schema(name)} if schema else {}),
    }


def replicate_model(name, text=False):
    output = {"type": "array", "items": {"type": "string"} if text else {"type": "string", "format": "uri"}}
    return {
        "owner": "sim",
        "name": name,
        "description": "simulated",
        "default_example": {"output": ["a ", "b"] if text else ["https://replicate.delivery/x/out-0.png"]},
        "latest_version": {
            "id": "0123456789abcdef" * 4,
            "created_at": "2024-01-01T00:00:00Z",
            "openapi_schema": {"components": {"schemas": {
                "Input": {"properties": {
                    "prompt": {"type": "string"},
                    "seed": {"type": "integer"},
                    "image": {"type": "string", "format": "uri"},
                }},
                "Output": output,
            }}},
        },
    }


class Job:
    def __init__(self, kind, prompt):
        self.kind = kind
        self.options = dict(re.findall(r"\b(polls|then|files|url|each|begin)=(\S+)", prompt))
        self.words = re.sub(r"\b(polls|then|files|url|each|begin)=\S+ ?", "", prompt).strip()
        self.polls = 0
        self.cancelled = False
        self.id = f"job-{len(JOBS) + 1}"
        JOBS[self.id] = self
        if self.options.get("begin") == "held":
            LOCK.release()
            RELEASED.wait(60)
            LOCK.acquire()

    @property
    def then(self):
        return self.options.get("then", "done")

    def polled(self):
        """waiting, running, done, failed, cancelled, expired, gone, garbage or busy."""
        self.polls += 1
        wanted = self.options.get("polls", "2")
        if self.cancelled:
            return "cancelled"
        if self.then == "busy" and self.polls % 2:
            return "busy"
        if self.then == "broken" and self.polls % 3:
            return "broken"
        if wanted == "never" or self.polls <= int(wanted):
            return "waiting" if self.polls == 1 else "running"
        return self.then if self.then not in ("busy", "broken", "nofile") else "done"

    def urls(self, base):
        if "url" in self.options:
            return [self.options["url"]]
        return [f"{base}/file/{self.id}/{n}.png" for n in range(int(self.options.get("files", "1")))]


class Simulated(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Simulated", "conduitfs test server")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    @property
    def base(self):
        return f"http://{self.headers['Host']}"

    def handle_one(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode(errors="replace")
        path = self.path.partition("?")[0]
        with LOCK:
            if path == "/release":
                RELEASED.set()
                self.reply(200, {})
                return
            if path == "/finish":
                for job in JOBS.values():
                    job.options["polls"] = "0"
                self.reply(200, {})
                return
            if path == "/journal":
                self.reply(200, JOURNAL)
                return
            JOURNAL.append({"method": self.command, "path": self.path, "body": body,
                            "headers": {k.lower(): v for k, v in self.headers.items()}})
            for pattern, method in ROUTES:
                match = re.fullmatch(pattern, f"{self.command} {path}")
                if match:
                    method(self, body, *match.groups())
                    return
            self.reply(404, {"detail": f"{self.command} {path} isn't simulated"})

    do_GET = do_POST = do_PUT = do_DELETE = handle_one

    # ---- results ----

    def file(self, _, name, number):
        if JOBS[name].then == "nofile":
            self.reply(503, b"busy", "text/plain")
            return
        words = JOBS[name].words
        head = {"png": PNG, "glb": GLB}.get(words[:3], b"")
        kind = "application/octet-stream" if head == GLB else "image/png"
        self.reply(200, head + f"{words} {number}".encode(), kind)

    def redirect(self, _, where):
        self.reply(302, b"", "text/plain", Location=base64.urlsafe_b64decode(where).decode())

    # ---- fal ----

    def fal_models(self, _):
        asked = urllib.parse.parse_qs(self.path.partition("?")[2])
        schema = "openapi-3.0" in asked.get("expand", [])
        more = False
        if "endpoint_id" in asked:
            names = [name for name in FAL_MODELS if name in asked["endpoint_id"]]
        elif "cursor" in asked:
            names = FAL_MODELS[2:]
        else:
            names, more = FAL_MODELS[:2], True
        entries = [fal_entry(name, schema) for name in names]
        self.reply(200, {"models": entries, "next_cursor": "Mg==" if more else None, "has_more": more})

    def fal_status(self, job, status, **more):
        where = f"{self.base}/fal/sim/requests/{job.id}"
        return {"status": status, "request_id": job.id, "response_url": where,
                "status_url": f"{where}/status", "cancel_url": f"{where}/cancel",
                "logs": None, "metrics": {}, **more}

    def fal_submit(self, body, _):
        if "Key " not in self.headers.get("Authorization", ""):
            self.reply(401, {"detail": "Cannot access application. Authentication is required."})
            return
        said = json.loads(body)
        if said.get("seed") == 422:
            self.reply(422, {"detail": [{"loc": ["body", "seed"], "msg": "not that seed", "type": "value_error"}]})
            return
        job = Job("fal", said.get("prompt", ""))
        self.reply(200, self.fal_status(job, "IN_QUEUE", queue_position=4))

    def fal_poll(self, _, name):
        job = JOBS[name]
        state = job.polled()
        if state == "gone":
            self.reply(404, {"detail": "Request not found"})
        elif state == "garbage":
            self.reply(200, b"<html>not json</html>", "text/html")
        elif state == "broken":
            self.close_connection = True
        elif state == "busy":
            self.reply(503, b"<html>503</html>", "text/html")
        elif state == "waiting":
            self.reply(202, self.fal_status(job, "IN_QUEUE", queue_position=2))
        elif state == "running":
            self.reply(202, self.fal_status(job, "IN_PROGRESS"))
        elif state == "failed":
            self.reply(200, self.fal_status(job, "COMPLETED", error="Request timed out", error_type="request_timeout"))
        else:
            self.reply(200, self.fal_status(job, "COMPLETED"))

    def fal_result(self, _, name):
        job = JOBS[name]
        if job.then == "expired":
            self.reply(404, {"detail": "Request not found"})
        elif job.then == "flagged":
            words = {"loc": ["body", "prompt"], "msg": "flagged by a content checker", "type": "content_policy_violation"}
            self.reply(422, {"detail": [words]})
        elif job.then == "broke":
            self.reply(403, {"detail": "User is locked. Reason: Exhausted balance. Top up your balance."})
        elif job.then == "none":
            self.reply(200, {"images": [], "seed": 1})
        elif job.words.startswith("text"):
            self.reply(200, {"output": job.words, "partial": False})
        elif job.words.startswith("glb"):
            mesh = {"url": job.urls(self.base)[0], "content_type": "application/octet-stream", "file_name": "mesh.glb"}
            self.reply(200, {"model_mesh": mesh, "timings": {"inference": 1.5}})
        else:
            images = [{"url": url, "width": 8, "height": 8, "content_type": "image/png"} for url in job.urls(self.base)]
            self.reply(200, {"images": images, "seed": 1, "prompt": job.words})

    def fal_cancel(self, _, name):
        JOBS[name].cancelled = True
        self.reply(202, {"status": "CANCELLATION_REQUESTED"})

    # ---- Replicate ----

    def collections(self, _):
        self.reply(200, {"next": None, "previous": None, "results": [{"name": "Pictures", "slug": "pictures"}]})

    def collection(self, _, slug):
        models = [replicate_model("image"), replicate_model("text", True)]
        if slug == "pictures":
            models = [replicate_model("image"), replicate_model("other")]
        self.reply(200, {"slug": slug, "models": models})

    def model(self, _, name):
        self.reply(200, replicate_model(name, name == "text"))

    def prediction(self, job, status, **more):
        where = f"{self.base}/v1/predictions/{job.id}"
        urls = {"get": where, "cancel": f"{where}/cancel"}
        if job.words.startswith("text"):
            urls["stream"] = f"{self.base}/stream/{job.id}"
        return {"id": job.id, "model": "sim/image", "input": {}, "logs": "", "error": None,
                "status": status, "created_at": "2024-01-01T00:00:00Z", "urls": urls, **more}

    def predict(self, body):
        if "Bearer " not in self.headers.get("Authorization", ""):
            self.reply(401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token", "status": 401})
            return
        job = Job("replicate", json.loads(body)["input"].get("prompt", ""))
        self.reply(201, self.prediction(job, "starting"))

    def predicted(self, _, name):
        job = JOBS[name]
        state = job.polled()
        if state == "gone":
            self.reply(404, {"detail": "The requested resource could not be found.", "status": 404}, "application/problem+json")
        elif state == "garbage":
            self.reply(200, b"{\"id\":", "application/json")
        elif state == "broken":
            self.close_connection = True
        elif state == "busy":
            self.reply(503, {"detail": "busy"})
        elif state == "waiting":
            self.reply(200, self.prediction(job, "starting"))
        elif state == "running":
            self.reply(200, self.prediction(job, "processing", logs=" 42%|####      | 21/50\n"))
        elif state == "failed":
            self.reply(200, self.prediction(job, "failed", error="CUDA out of memory"))
        elif state == "cancelled":
            self.reply(200, self.prediction(job, "canceled"))
        elif state == "expired":
            self.reply(200, self.prediction(job, "succeeded", output=None, data_removed=True))
        else:
            output = re.findall(r"\S+\s*", job.words) if job.words.startswith("text") else job.urls(self.base)
            self.reply(200, self.prediction(job, "succeeded", output=output))

    def unpredict(self, _, name):
        JOBS[name].cancelled = True
        self.reply(200, self.prediction(JOBS[name], "canceled"))

    def stream(self, _, name):
        words = re.findall(r"\S+\s*", JOBS[name].words)
        events = [f"event: output\nid: {n}\ndata: {word}\n\n" for n, word in enumerate(words)]
        if JOBS[name].then == "cut":
            events = events[:1]
        else:
            events.append("event: done\ndata: {}\n\n")
        self.reply(200, "".join(events).encode(), "text/event-stream")

    # ---- video jobs ----

    def video_models(self, _):
        self.reply(200, {"object": "list", "data": [{
            "id": "sora-2",
            "object": "model",
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["video"]},
        }]})

    def video(self, job, status, **more):
        """What both have, and what each has of its own."""
        return {"id": job.id, "object": "video", "model": "sora-2", "status": status, "progress": 0,
                "polling_url": f"/videos/v1/videos/{job.id}", "error": None, **more}

    def video_submit(self, body):
        found = re.search(r'name="prompt"\r\n\r\n(.*?)\r\n--', body, re.S)
        prompt = found[1] if found else json.loads(body)["prompt"]
        self.reply(200, self.video(Job("video", prompt), "queued"))

    def video_poll(self, _, name):
        job = JOBS[name]
        state = job.polled()
        if state == "gone":
            self.reply(404, {"error": {"message": "Video not found", "type": "invalid_request_error"}})
        elif state == "failed":
            self.reply(200, self.video(job, "failed", error={"code": "moderation_blocked", "message": "blocked"}))
        elif state in ("expired", "cancelled"):
            self.reply(200, self.video(job, state))
        elif state in ("waiting", "running"):
            self.reply(200, self.video(job, "in_progress", progress=42))
        else:
            self.reply(200, self.video(job, "completed", progress=100))

    def video_content(self, _, name):
        mp4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
        self.reply(200, mp4 + f"{JOBS[name].words} video".encode(), "video/mp4")

    def video_delete(self, _, name):
        JOBS[name].cancelled = True
        self.reply(200, {"id": name, "object": "video.deleted", "deleted": True})


ROUTES = [
    (r"GET /file/([^/]+)/(\d+)\.png", Simulated.file),
    (r"GET /redirect/([^/]+)", Simulated.redirect),
    (r"GET /fal/v1/models", Simulated.fal_models),
    (r"GET /fal/sim/requests/([^/]+)/status", Simulated.fal_poll),
    (r"GET /fal/sim/requests/([^/]+)", Simulated.fal_result),
    (r"PUT /fal/sim/requests/([^/]+)/cancel", Simulated.fal_cancel),
    (r"POST /fal/(sim/.+)", Simulated.fal_submit),
    (r"GET /v1/collections", Simulated.collections),
    (r"GET /v1/collections/([^/]+)", Simulated.collection),
    (r"GET /v1/models/sim/([^/]+)", Simulated.model),
    (r"POST /v1/predictions", Simulated.predict),
    (r"GET /v1/predictions/([^/]+)", Simulated.predicted),
    (r"POST /v1/predictions/([^/]+)/cancel", Simulated.unpredict),
    (r"GET /stream/([^/]+)", Simulated.stream),
    (r"GET /videos/v1/models", Simulated.video_models),
    (r"POST /videos/v1/videos", Simulated.video_submit),
    (r"GET /videos/v1/videos/([^/]+)", Simulated.video_poll),
    (r"GET /videos/v1/videos/([^/]+)/content", Simulated.video_content),
    (r"DELETE /videos/v1/videos/([^/]+)", Simulated.video_delete),
]

if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Simulated)
    server.daemon_threads = True
    print("port", server.server_address[1], flush=True)
    server.serve_forever()
