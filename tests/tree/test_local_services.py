"""Speech by servers of this machine: Whisper, Kokoro, Chatterbox. The servers are simulated, in the
shape of their documents and sources (tests/servers/speech.py)."""

import errno
import json
import shutil
import sys

import pytest
from harness.loading import Loaded
from harness.server import SERVERS, call, free_port
from harness.wait import until

WHISPER = {
    "speaches": "Systran/faster-whisper-base",
    "whisper-asr": "whisper-asr",
    "whisper-cpp": "whisper-cpp",
}
#: RIFF, so that its content tells that it is sound.
SOUND = b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00data" + bytes(2004)


class Service:
    def __init__(self, tree, name, url):
        self.provider, self.url = Loaded(tree, name), url

    def ready(self):
        self.provider.settles("ready")
        return self

    def model(self, name):
        return self.provider.model(name)

    def posts(self):
        return [one for one in json.loads(call(self.url + "/journal")[1]) if one["method"] == "POST"]


@pytest.fixture
def service(mount, serve):
    """service(provider, kind): a mount with that provider, whose address the environment tells."""

    def make(name, kind):
        port = free_port()
        serve([sys.executable, SERVERS / "speech.py", kind, "--port", str(port)], port)
        url = f"http://127.0.0.1:{port}"
        tree = mount({"providers": {name: {}, "flite": {}}}, env={f"{name.upper()}_SERVICE_URL": url})
        return Service(tree, name, url)

    return make


@pytest.mark.parametrize("kind", WHISPER)
def test_which_whisper_answers_is_found_out_and_a_cp_is_a_transcript(service, kind):
    whisper = service("whisper", kind).ready()
    model = whisper.model(WHISPER[kind])
    model.write(SOUND)
    assert model.read() == b"%d bytes of audio/wav\n" % len(SOUND)
    assert model.text("info/formats").split()[:4] == ["text", "srt", "vtt", "json"]


@pytest.mark.parametrize("kind", WHISPER)
def test_subtitles_in_english_are_settings(service, kind):
    whisper = service("whisper", kind).ready()
    model = whisper.model(WHISPER[kind])
    model.set("format", "srt")
    model.set("task", "translate")
    model.set("language", "de")
    model.write(SOUND)
    assert b"-->" in model.read()
    assert (model.path / "turns/last/output.srt").exists()
    sent = whisper.posts()[-1]
    told = json.dumps([sent["path"], sent["query"], sent["fields"]])
    assert "translat" in told and "srt" in told


def test_a_format_that_the_server_does_not_have_is_refused_at_write(service):
    model = service("whisper", "whisper-cpp").ready().model("whisper-cpp")
    with pytest.raises(OSError) as caught:
        model.set("format", "docx")
    assert caught.value.errno == errno.EINVAL
    assert "none of text, srt, vtt, json" in model.text("error")


def test_another_server_at_that_address_is_no_whisper(service):
    whisper = service("whisper", "other").provider.settles("failed")
    assert "no Whisper server" in whisper.text("error")


def test_kokoro_speaks_with_a_mix_of_its_voices(service):
    kokoro = service("kokoro", "kokoro").ready()
    model = kokoro.model("kokoro")
    assert model.text("info/voices").split() == ["af_bella", "af_heart", "af_sky"]
    assert model.text("config/voice") == "af_heart"
    model.set("voice", "af_bella(2)+af_sky(1)")
    model.set("format", "wav")
    model.write("hello there")
    assert b"hello there" in model.read()
    assert (model.path / "turns/last/output.wav").exists()
    assert kokoro.posts()[-1]["fields"]["voice"] == "af_bella(2)+af_sky(1)"


def test_a_voice_that_kokoro_does_not_have_is_told_in_its_words(service):
    model = service("kokoro", "kokoro").ready().model("kokoro")
    model.set("voice", "af_nobody")
    model.write("hello")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EINVAL and "af_nobody" in model.text("error")


@pytest.mark.parametrize(
    ("kind", "name"), [("chatterbox", "chatterbox"), ("chatterbox-api", "chatterbox-tts-1")]
)
def test_chatterbox_clones_the_voice_in_attach(service, kind, name):
    chatterbox = service("chatterbox", kind).ready()
    model = chatterbox.model(name)
    (model.path / "attach/me.wav").write_bytes(SOUND)
    model.write("in my voice")
    assert b"in my voice" in model.read()
    uploads = [one["fields"].get("files") or one["fields"].get("voice_file") for one in chatterbox.posts()]
    assert uploads[0][2] == len(SOUND)


def test_chatterbox_takes_its_own_voices_alone(service):
    chatterbox = service("chatterbox", "chatterbox").ready()
    model = chatterbox.model("chatterbox")
    with pytest.raises(OSError):
        model.set("voice", "Emil.wav")
    assert "Abigail.wav, Emily.wav" in model.text("error")
    model.write("hello")
    model.read()
    assert chatterbox.posts()[-1]["fields"]["predefined_voice_id"] == "Abigail.wav"


@pytest.mark.parametrize("name", ["kokoro", "whisper"])
def test_a_server_that_is_down_is_told_with_how_to_start_it(mount, name):
    tree = mount(
        {"providers": {name: {}}},
        env={f"{name.upper()}_SERVICE_URL": f"http://127.0.0.1:{free_port()}"},
    )
    provider = Loaded(tree, name).settles("failed")
    assert "docker run" in provider.facts()["why"]


def test_a_server_that_comes_up_later_is_found_by_refresh(mount, serve):
    port = free_port()
    tree = mount({"providers": {"kokoro": {}}}, env={"KOKORO_SERVICE_URL": f"http://127.0.0.1:{port}"})
    kokoro = Loaded(tree, "kokoro").settles("failed")
    serve([sys.executable, SERVERS / "speech.py", "kokoro", "--port", str(port)], port)
    kokoro.ctl("refresh")
    until(lambda: kokoro.state == "ready", 10, "the server is found")


@pytest.mark.parametrize("value", ["kokoro", "8880", "http://127.0.0.1:99999", "http://192.168.77.5:8880"])
def test_an_address_that_cannot_be_used_fails_that_service_alone(mount, value):
    tree = mount({"providers": {"kokoro": {}}}, env={"KOKORO_SERVICE_URL": value})
    why = Loaded(tree, "kokoro").settles("failed").facts()["why"]
    assert "KOKORO_SERVICE_URL in the environment" in why and value in why


def test_speech_of_no_bytes_is_a_failure(service):
    model = service("kokoro", "kokoro").ready().model("kokoro")
    model.write("nothing")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EPROTO and "gave no bytes" in model.text("error")


def test_a_voice_to_clone_is_told_from_another_of_its_name_and_size(service):
    chatterbox = service("chatterbox", "chatterbox").ready()
    model = chatterbox.model("chatterbox")
    for sound in (SOUND, SOUND[:-1] + b"x", SOUND):
        (model.path / "attach/me.wav").write_bytes(sound)
        model.ask("in my voice")
    names = [one["fields"]["reference_audio_filename"] for one in chatterbox.posts() if one["path"] == "/tts"]
    assert names[0] != names[1] and names[0] == names[2]


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite isn't installed")
def test_a_service_that_was_started_is_asked_before_a_program_that_is_installed(service):
    kokoro = service("kokoro", "kokoro").ready()
    route = kokoro.provider.tree.path / "capabilities/text-to-audio/route"
    until(lambda: "flite/flite" in route.read_text(), 10, "flite is a candidate")
    asked = [line.split()[2] for line in route.read_text().splitlines() if line.startswith("# ") and line[2].isdigit()]
    assert asked.index("kokoro/kokoro") < asked.index("flite/flite")
    (route.parent / "input").write_text("hello\n")
    assert (route.parent / "output").read_bytes().startswith(b"RIFF")
    assert len(kokoro.posts()) == 1
