"""Whether what the bundled providers say of media models' settings is what the services' own documents say
for all models: each `limit` of the exchanges that are named here, which are replayed elsewhere."""

import sys

from documents import TOP, document

# By an exchange and a model in it: the document, where such a model is asked, and what settings are
# called there where that isn't their own name.
IMAGES = {"guidance": "guidance_scale", "format": "output_format"}
SPEECH = {"format": "response_format"}
TOLD = {
    ("openai/tests/media.exchange", "gpt-image-1"): ("openai.openapi.yaml", "/images/generations", IMAGES),
    ("openai/tests/media.exchange", "sora-2"): ("openai.openapi.yaml", "/videos", {"duration": "seconds"}),
    ("openai/tests/media.exchange", "tts-1"): ("openai.openapi.yaml", "/audio/speech", SPEECH),
    ("openrouter/tests/media.exchange", "acme/painter"): ("openrouter.openapi.yaml", "/images", IMAGES),
    ("openrouter/tests/media.exchange", "acme/film"): ("openrouter.openapi.yaml", "/videos", {}),
    ("openrouter/tests/media.exchange", "acme/voice"): ("openrouter.openapi.yaml", "/audio/speech", SPEECH),
    ("together/tests/models.exchange", "acme/Painter"): ("together.openapi.yaml", "/images/generations", IMAGES),
    ("together/tests/models.exchange", "acme/Voice"): ("together.openapi.yaml", "/audio/speech", SPEECH),
}
# What these documents' defaults don't count for: such a request always says mp3.
OURS = {"acme/voice format": "mp3", "acme/Voice format": "mp3"}


def text(number):
    return f"{number:g}" if isinstance(number, (int, float)) else number


def alternatives(judge, schema):
    """A member's schemas; beside a reference something of its own may be said."""
    found = [schema]
    if "$ref" in schema:
        schema = judge.resolve(schema)
        found.append(schema)
    for word in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(word, []):
            found += alternatives(judge, part)
    return found


def faults(judge, member, said, standard):
    """What the document doesn't say of a member."""
    schemas = alternatives(judge, member)
    words = " ".join(one.get("description", "") for one in schemas)
    if ".." in said:
        least, most = said.split("..")
        stated = {text(one[word]) for one in schemas for word in ("minimum", "maximum") if word in one}
        if not {least, most} - {""} <= stated and f"({least}-{most})" not in words:
            yield f"no range {said}"
    elif said:
        choices = [text(one) for schema in schemas for one in schema.get("enum", [])]
        if sorted(said.split(",")) != sorted(choices):
            yield f"the choices are {choices}, not {said}"
    defaults = {text(one["default"]) for one in schemas if "default" in one}
    if standard and standard not in defaults and f"Defaults to {standard}" not in words:
        yield f"the default is {defaults}, not {standard}"


def judge_all():
    judged = 0
    for (path, model), (name, where, names) in TOLD.items():
        judge = document(name)
        content = judge.operation("POST", where)["requestBody"]["content"]
        members = judge.resolve(next(iter(content.values()))["schema"])["properties"]
        lines = (TOP / "providers" / path).read_text().splitlines()
        limits = [line.split(" ", 3)[2:] for line in lines if line.startswith(f"limit {model} ")]
        for setting, limit in limits:
            said, _, standard = limit.partition("=")
            standard = None if OURS.get(f"{model} {setting}") == standard else standard
            for fault in faults(judge, members[names.get(setting, setting)], said.strip(), standard):
                yield f"{path}: {model} {setting}: {fault}"
            judged += 1
    if judged < 20:
        yield f"only {judged} limits were found"
    print(f"{judged} limits judged")


def main():
    found = list(judge_all())
    for fault in found:
        print(fault)
    sys.exit(bool(found))


main()
