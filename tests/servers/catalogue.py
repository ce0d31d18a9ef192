"""Catalogues that the simulated server offers: its own models, and hostile ones.

A hostile catalogue is a generator of pieces of a reply's body, so that one without an end, or of
hundreds of megabytes, costs no memory here. Among its entries stand always the two of GOOD, which
must be there after whatever else is wrong.
"""

import itertools
import json

SPECIAL = (
    "echo slow hang silent endless drop reset cut garbage html big length filtered tools thinking "
    "busy settings talk flap"
).split()
STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529)
FREE = {"prompt": "0", "completion": "0"}
CREATED = 1700000000

#: What config/ may set.
PARAMETERS = ["max_tokens", "temperature", "top_p", "seed", "stop", "response_format"]


def entry(model, created=CREATED, pricing=None, output=("text",), **more):
    return {
        "id": model,
        "canonical_slug": model,
        "name": f"Simulated: {model}",
        "created": created,
        "description": "Simulated by the test server: no model answers.",
        "context_length": 131072,
        "architecture": {
            "modality": "text->text",
            "input_modalities": ["text"],
            "output_modalities": list(output),
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": FREE if pricing is None else pricing,
        "top_provider": {
            "context_length": 131072,
            "max_completion_tokens": 65536,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": PARAMETERS,
        **more,
    }


def simulated():
    """The models of the server itself, the echo the newest; see Chat for what each does."""
    names = [f"test/{name}:free" for name in SPECIAL]
    names += [f"test/fail-{status}:free" for status in STATUSES]
    models = [entry(name, CREATED - 86400 * n) for n, name in enumerate(names)]
    paid = {"prompt": "0.000001", "completion": "0.000002"}
    models.append(entry("test/paid", pricing=paid))
    models.append(entry("test/variable", pricing={"prompt": "-1", "completion": "-1"}))
    models.append(entry("test/unstated", pricing={}))
    return models


GOOD = [entry("good/first:free"), entry("good/last:free")]


def listing(entries):
    """The good entries around the given ones, as one JSON document."""
    yield b'{"data":['
    for n, value in enumerate(itertools.chain(GOOD[:1], entries, GOOD[1:])):
        yield (b"," if n else b"") + json.dumps(value).encode()
    yield b"]}"


HOSTILE_IDS = [
    "../escape",
    "..",
    ".",
    "a/../../escape",
    "/etc/passwd",
    "a//b",
    "trailing/",
    "line\nbreak",
    "tab\tand\x7fdel",
    "nul\x00inside",
    "x" * 300,
    "/".join(["deep"] * 60),
    "input",
    "vendor/input",
    "vendor/output/more",
    "turns/000001",
    "config",
    "",
    "prefix",
    "prefix/inner",
    "prefix/inner/child",
    "good/first:free",
    "percent%2Fcoded",
    "space in it",
    "ünïcode/模型",
    "-rf",
    "~tilde/latest",
]


def hostile_ids():
    yield from listing(entry(model) for model in HOSTILE_IDS)


def invalid_utf8():
    bad = json.dumps(entry("BAD")).encode().replace(b"BAD", b"bad/\xff\xfe\xc0\xaf")
    yield b'{"data":[' + json.dumps(GOOD[0]).encode() + b"," + bad + b","
    yield json.dumps(GOOD[1]).encode() + b"]}"


def wrong_types():
    yield from listing(
        [
            None,
            42,
            "a string",
            [],
            {},
            {"id": None},
            {"id": 7},
            {"id": ["x"]},
            entry("odd/prices", pricing={"prompt": "1e308", "completion": "1e308", "image": "1e999"}),
            entry("odd/nan", pricing={"prompt": "nan", "completion": "inf"}),
            entry("odd/negative", pricing={"prompt": "-5", "completion": "0"}),
            entry("odd/words", pricing={"prompt": "free", "completion": ""}),
            entry("odd/list", pricing=[]),
            entry("odd/created", created=1e300),
            entry("odd/before", created=-1),
            entry("odd/context", context_length="many", architecture=None, top_provider=[]),
        ]
    )


def long_descriptions():
    yield from listing([entry("long/words", description="d" * (5 << 20))])


def many():
    yield from listing(entry(f"many-{n // 1000}/model-{n}") for n in range(100000))


def truncated():
    whole = b"".join(listing(entry(f"cut/model-{n}") for n in range(50)))
    yield whole[: len(whole) // 2]


def endless():
    yield b'{"data":['
    for n in itertools.count():
        yield json.dumps(entry(f"endless-{n % 50}/model-{n}")).encode() + b","


def endless_string():
    yield b'{"data":[{"id":"'
    for _ in itertools.count():
        yield b"x" * 65536


def nested():
    yield b'{"data":[' + json.dumps(GOOD[0]).encode() + b',{"id":"deep/nest","pricing":'
    yield b"[" * 200000 + b"]" * 200000 + b"}," + json.dumps(GOOD[1]).encode() + b"]}"


def empty():
    yield b'{"data":[]}'


def not_json():
    yield b"<html>a captive portal</html>"


HOSTILE = {
    function.__name__: function
    for function in (
        hostile_ids,
        invalid_utf8,
        wrong_types,
        long_descriptions,
        many,
        truncated,
        endless,
        endless_string,
        nested,
        empty,
        not_json,
    )
}
