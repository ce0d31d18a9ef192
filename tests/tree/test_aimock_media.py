"""aimock, a mock of providers that nobody here wrote, as services of media: pictures, speech,
transcripts and video jobs in OpenAI's dialect, video jobs in OpenRouter's, and files that go along
with a chat. What its journal holds is what it understood of our requests."""

import base64
import errno
import json
import random

import pytest
from harness.attach import PDF, png, wav
from harness.server import SERVERS, TOP, call, free_port
from harness.wait import until

SOME = random.Random(1).randbytes(20_000)
# No smaller than what goes in several pieces, no larger than what the journal keeps (64 KiB).
PICTURE = png(SOME)
SECOND = png(b"the second")
SPEECH = (TOP / "providers/openai/tests/speech.mp3").read_bytes()
VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + SOME
WORDS = "What was said, in ünïcode."


def in_base64(data):
    return base64.b64encode(data).decode()


def fixture(model, response, **match):
    return {"match": {"model": model, **match}, "response": response}


FIXTURES = {
    "fixtures": [
        fixture(
            "gpt-image-1",
            {"images": [{"b64Json": in_base64(PICTURE)}, {"b64Json": in_base64(SECOND)}]},
            endpoint="image",
        ),
        fixture("tts-1", {"audio": in_base64(SPEECH), "format": "mp3"}, endpoint="speech"),
        fixture("whisper-1", {"transcription": {"text": WORDS}}, endpoint="transcription"),
        fixture("sora-2", {"video": {"id": "one", "status": "processing"}}, userMessage="heron"),
        fixture("sora-2", {"video": {"id": "one", "status": "failed"}}, userMessage="give up"),
        fixture(
            "house/film",
            {"video": {"id": "two", "status": "completed", "b64": in_base64(VIDEO), "cost": 0.25}},
            userMessage="heron",
        ),
        fixture(
            "house/film",
            {"video": {"id": "three", "status": "failed", "error": "the reeds hid it"}},
            userMessage="bittern",
        ),
        fixture("gpt-4o", {"content": "A pixel."}),
        fixture("gpt-4o-audio-preview", {"content": "I would rather write."}),
        fixture("gemini-2.5-flash", {"content": "A click."}),
    ]
}

# Of every model its list says that it makes text of text: in a manifest stands what this one makes.
MANIFEST = """\
id: cinema-provider
name: Cinema
capabilities: [text-to-video]
driver: openrouter
base_url: {url}/api/v1
discovery: static
models:
  - id: house/film
    inputTypes: [text]
    outputTypes: [video]
"""


@pytest.fixture
def aimock(serve, tmp_path):
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    port = free_port()
    return serve([SERVERS / "aimock", port, fixtures, "--log-level", "warn"], port, bound=120)


@pytest.fixture
def tree(mount, aimock):
    entry = {"base_url": f"{aimock.url}/v1", "key": "sk-mock"}
    return mount({"providers": {"openai": entry}}).wait_ready("openai")


@pytest.fixture
def cinema(mount, aimock, tmp_path):
    """Gives a model that makes videos in OpenRouter's way: cinema(more of its manifest)."""

    def load(more):
        directory = tmp_path / "cinema-provider"
        directory.mkdir()
        (directory / "MediaConduit.provider.yml").write_text(MANIFEST.format(url=aimock.url) + more)
        tree = mount({}, env={"CINEMA_KEY": "sk-mock"})
        (tree.path / "ctl").write_text(f"load {directory}\n")
        status = tree.path / "providers/cinema/status"
        until(lambda: status.exists() and "needs-consent" in status.read_text(), 20, "it asks")
        (tree.path / "ctl").write_text("allow cinema\n")
        until(lambda: "needs-consent" not in status.read_text(), 20, "it is allowed")
        return tree.wait_ready("cinema").model("house/film", "cinema")

    return load


@pytest.fixture
def film(cinema):
    return cinema("key_env: CINEMA_KEY\n")


def journal(server, path):
    """What was asked there, in order."""
    _, answer = call(f"{server.url}/__aimock/journal")
    return [entry for entry in json.loads(answer) if entry["path"].startswith(path)]


def understood(server, path):
    """The model and the prompt that it found in the only request there."""
    (entry,) = journal(server, path)
    assert entry["response"]["status"] == 200
    return entry["body"]["model"], [message["content"] for message in entry["body"]["messages"]]


# ---- OpenAI's dialect ----


def test_a_picture_of_a_prompt(tree, aimock):
    model = tree.model("gpt-image-1", "openai")
    assert model.ask('a "heron"') == PICTURE
    assert understood(aimock, "/v1/images/generations") == ("gpt-image-1", ['a "heron"'])
    turn = model.path / "turns/000001"
    assert (turn / "output.png").read_bytes() == PICTURE
    assert [file.read_bytes() for file in (turn / "artifacts").iterdir()] == [SECOND]


def test_a_picture_of_a_picture(tree, aimock):
    model = tree.model("gpt-image-1", "openai")
    (model.path / "attach/first.png").write_bytes(SECOND)
    assert model.ask("a heron on it") == PICTURE
    assert understood(aimock, "/v1/images/edits") == ("gpt-image-1", ["a heron on it"])


def test_a_prompt_is_spoken(tree, aimock):
    model = tree.model("tts-1", "openai")
    assert model.ask("Good morning") == SPEECH
    assert (model.path / "output.mp3").read_bytes() == SPEECH
    assert understood(aimock, "/v1/audio/speech") == ("tts-1", ["Good morning"])


def test_a_chat_is_asked_for_sound_and_may_answer_with_text(tree, aimock):
    """The mock has no sound in its chats."""
    model = tree.model("gpt-4o-audio-preview", "openai")
    model.set("voice", "coral")
    assert model.ask("Good morning") == b"I would rather write.\n"
    assert list((model.path / "turns/000001/artifacts").iterdir()) == []
    (entry,) = journal(aimock, "/v1/chat/completions")
    assert entry["response"]["status"] == 200 and entry["body"]["stream"] is False
    assert entry["body"]["modalities"] == ["text", "audio"]
    assert entry["body"]["audio"] == {"voice": "coral", "format": "mp3"}


def test_what_is_heard_is_written(tree, aimock):
    model = tree.model("whisper-1", "openai")
    assert model.ask(wav(256)) == WORDS.encode() + b"\n"
    assert understood(aimock, "/v1/audio/transcriptions")[0] == "whisper-1"


def test_what_one_model_says_another_writes(tree):
    voice, ear = tree.model("tts-1", "openai"), tree.model("whisper-1", "openai")
    voice.ask("Good morning")
    tree.sh('cp "$A/output" "$B/input"', A=voice.path, B=ear.path, check=True)
    assert ear.read() == WORDS.encode() + b"\n"


def test_a_video_is_polled_until_the_service_gives_it_up(tree, aimock):
    model = tree.model("sora-2", "openai")
    model.write("a heron")
    until(lambda: len(journal(aimock, "/v1/videos/one")) >= 2, 20, "it is polled")
    assert model.facts()["doing"] == "in the service's queue"
    # A job with the same number: the state of ours becomes that of this one.
    status, _ = call(f"{aimock.url}/v1/videos", {"model": "sora-2", "prompt": "give up"})
    assert status == 200
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EREMOTEIO and "wasn't made" in model.text("error")
    begun = [entry["body"]["messages"][0]["content"] for entry in journal(aimock, "/v1/videos") if entry["body"]]
    assert begun == ["a heron", "give up"]


# ---- OpenRouter's ----


def test_a_video_is_polled_and_comes_with_its_cost(film, aimock):
    assert film.ask("a heron") == VIDEO
    assert (film.path / "output.mp4").read_bytes() == VIDEO
    assert film.facts("usage")["cost"] == "0.25"
    asked = [(entry["method"], entry["path"].count("/")) for entry in journal(aimock, "/api/v1/videos")]
    assert asked == [("POST", 3), ("GET", 4), ("GET", 5)]


def test_a_video_that_is_not_given_out_says_so(cinema):
    """The mock's jobs need no key, their videos do."""
    model = cinema("")
    model.write("a heron")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EREMOTEIO
    assert "can't be fetched: HTTP 401" in model.text("error")


def test_a_video_that_fails_says_why(film):
    film.write("a bittern")
    with pytest.raises(OSError) as caught:
        film.read()
    assert caught.value.errno == errno.EREMOTEIO and "the reeds hid it" in film.text("error")


# ---- files that go along ----


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [("photo.jpg", PICTURE, "image/png"), ("paper", PDF, "application/pdf"), ("sound.bin", wav(256), "wav")],
    ids=["image", "document", "sound"],
)
def test_the_bytes_of_a_file_arrive_identical(tree, aimock, name, data, kind):
    model = tree.model("gemini-2.5-flash" if kind == "wav" else "gpt-4o", "openai")
    (model.path / "attach" / name).write_bytes(data)
    assert model.ask("what is this?") in (b"A pixel.\n", b"A click.\n")
    (entry,) = journal(aimock, "/v1/chat/completions")
    text, part = entry["body"]["messages"][-1]["content"]
    assert text == {"type": "text", "text": "what is this?"}
    if kind == "wav":
        assert part == {"type": "input_audio", "input_audio": {"format": "wav", "data": in_base64(data)}}
    else:
        url = part["image_url"]["url"] if part["type"] == "image_url" else part["file"]["file_data"]
        assert url == f"data:{kind};base64,{in_base64(data)}"
