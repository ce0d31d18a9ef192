"""Whether the requests that the bundled providers make are valid by the services' own documents:
method, path, query, headers and body. The documents aren't part of the repository: without them
nothing is judged, and the test is skipped.

    requests.py PROGRAM     what PROGRAM (requests.c) prints is judged
"""

import copy
import json
import subprocess
import sys
import urllib.parse

from documents import SHARED, document

# The document that judges a provider, and what of its URLs isn't in the document's paths. Groq and
# Hugging Face's router have none of their own: they say that they take OpenAI's requests.
JUDGES = {
    "openai": ("openai.openapi.yaml", "/v1"),
    "openrouter": ("openrouter.openapi.yaml", "/api/v1"),
    "anthropic": ("anthropic.openapi.tryAGI.yaml", ""),
    "mistral": ("mistral.openapi.yaml", ""),
    "together": ("together.openapi.yaml", "/v1"),
    "groq": ("openai.openapi.yaml", "/openai/v1"),
    "huggingface": ("openai.openapi.yaml", "/v1"),
}
# Members that a service takes though the document doesn't have them, by its reference.
BESIDES = {"groq": {"include_reasoning"}, "openrouter": {"audio"}}
# Members of the document that a service doesn't take: Hugging Face's guide lists those of its own
# engine's document and reasoning_effort; Groq's reference says of these that no model takes them.
ENGINE = ("hf-tgi.openapi.json", "/v1/chat/completions")
LACKS = {"groq": {"logit_bias", "logprobs", "top_logprobs", "prediction", "verbosity"}}

# What a service has no endpoint for, or doesn't take: these are refused before anything is sent.
REFUSED = {
    ("anthropic", "audio"),
    ("anthropic", "embedding"),
    ("anthropic", "embeddings"),
    ("anthropic", "ranking"),
    ("anthropic", "picture"),
    ("anthropic", "edit"),
    ("anthropic", "speech"),
    ("anthropic", "transcript"),
    ("anthropic", "subtitles"),
    ("anthropic", "translation"),
    ("openrouter", "subtitles"),
    ("openrouter", "translation"),
    ("mistral", "subtitles"),
    ("mistral", "translation"),
    ("huggingface", "subtitles"),
    ("huggingface", "translation"),
    ("together", "subtitles"),
    ("huggingface", "edit"),
    ("together", "pdf"),
}
# Asked where a list says that a model does it, which these services' lists never do; or, of Hugging
# Face's own inference, without a document.
UNUSED = {
    ("openai", "ranking"),
    ("mistral", "ranking"),
    ("groq", "ranking"),
    ("huggingface", "embedding"),
    ("huggingface", "embeddings"),
    ("huggingface", "ranking"),
    ("huggingface", "picture"),
    ("huggingface", "speech"),
    ("huggingface", "transcript"),
    ("groq", "picture"),
    ("groq", "edit"),
    # Together's document names one model, which transcribes, and says of any file that it is two things.
    ("together", "transcript"),
    ("together", "translation"),
    ("mistral", "picture"),
    ("mistral", "edit"),
}


def fields(body, kind):
    """A form's fields; what is a file is its bytes."""
    boundary = kind.split("boundary=")[1]
    found = {}
    for part in body.split(f"--{boundary}\r\n")[1:]:
        head, value = part.split("\r\n\r\n", 1)
        found[head.split('name="')[1].split('"')[0]] = value.split(f"\r\n--{boundary}")[0].removesuffix("\r\n")
    return found


def parts(request):
    address = urllib.parse.urlsplit(request["url"])
    headers = dict(line.split(": ", 1) for line in request["headers"].splitlines())
    headers = {name.lower(): value for name, value in headers.items()}
    query = dict(urllib.parse.parse_qsl(address.query))
    kind = headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return request["method"], address.path, query, headers, fields(request["body"], kind)
    body = json.loads(request["body"]) if request["body"] else None
    return request["method"], address.path, query, headers, body


def broken(body):
    """Bodies that no document may let pass: else a judge says yes to everything."""
    wrong = {"model": None, "temperature": "hot", "messages": "hello", "unheard_of": 1}
    for name, value in wrong.items():
        other = copy.deepcopy(body)
        other[name] = value
        yield f"{name} is {value!r}", other
    without = copy.deepcopy(body)
    del without["messages"]
    yield "no messages", without


def taken(provider, method, path, known):
    """The members that a service takes, by what is said beside its document."""
    known = (known | BESIDES.get(provider, set())) - LACKS.get(provider, set())
    if provider == "openrouter":
        listing = SHARED / "data/openrouter/models/models_2026-08-19_all_549.json"
        for model in json.loads(listing.read_text())["data"]:
            known |= set(model.get("supported_parameters") or ())
    if provider == "huggingface" and path.endswith("/chat/completions"):
        name, path = ENGINE
        known &= document(name).known(method, path) | {"reasoning_effort"}
    return known


def judge(provider, request):
    """The faults of a request."""
    method, path, query, headers, body = request
    name, prefix = JUDGES[provider]
    path = path.removeprefix(prefix)
    form = headers.get("content-type", "").startswith("multipart/form-data")
    found = document(name).faults(method, path, query, headers, body, form)
    if not found:
        known = taken(provider, method, path, document(name).known(method, path, form))
        found = [f"no document has the member {one}" for one in sorted(set(body or ()) - known)]
    return found


def faults_of(line):
    provider, case = line["provider"], line["case"]
    if ("refused" in line) != ((provider, case) in REFUSED):
        return [f"refused: {line.get('refused')}"]
    if "refused" in line:
        return []
    request = parts(line)
    found = judge(provider, request)
    if case == "plain":
        for what, body in broken(request[-1]):
            if not judge(provider, (*request[:-1], body)):
                found.append(f"{what} passes")
    return found


def main():
    output = subprocess.run([sys.argv[1]], check=True, capture_output=True, timeout=60).stdout
    judged = failed = 0
    for line in map(json.loads, output.splitlines()):
        if (line["provider"], line["case"]) in UNUSED:
            continue
        found = faults_of(line)
        judged += 1
        failed += bool(found)
        for fault in found:
            print(f"{line['provider']}, {line['case']}: {fault}")
    print(f"{judged} requests judged, {failed} not valid")
    sys.exit(failed != 0 or judged == 0)


main()
