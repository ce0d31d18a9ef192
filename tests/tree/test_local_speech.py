"""Speech on this machine: what flite and eSpeak NG say, and what pocketsphinx hears of it."""

import errno
import io
import re
import shutil
import subprocess
import wave

import pytest

NEEDS = {  # a provider and its programs
    "flite": shutil.which("flite"),
    "espeak": shutil.which("espeak-ng"),
    "pocketsphinx": shutil.which("pocketsphinx_continuous") and shutil.which("ffmpeg"),
}
SENTENCE = "Please open the door and come into the house."


def needs(*names):
    missing = [name for name in names if not NEEDS[name]]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)}: not installed")


@pytest.fixture
def tree(mount):
    tree = mount({"providers": {**{name: {} for name in NEEDS}, "openrouter": "off"}})
    for name, there in NEEDS.items():
        if there:
            tree.wait_ready(name)
    return tree


def sound(model, text):
    """What it says, in seconds."""
    said = model.ask(text)
    assert (model.path / "turns/last/output.wav").read_bytes() == said
    with wave.open(io.BytesIO(said)) as file:
        return file.getnframes() / file.getframerate()


VOICES = [pytest.param(name, name, marks=needs(name)) for name in ("flite", "espeak")]


@pytest.mark.parametrize("provider, name", VOICES)
def test_a_text_is_said_and_faster_when_it_is_wanted(tree, provider, name):
    model = tree.model(name, provider)
    usual = sound(model, SENTENCE)
    assert 1 < usual < 8
    model.set("speed", "2")
    assert sound(model, SENTENCE) < 0.75 * usual


@pytest.mark.parametrize("provider, name", VOICES)
def test_voices_are_found_by_asking_the_program(tree, provider, name):
    model = tree.model(name, provider)
    voices = model.text("info/voices").split()
    other = {"flite": "rms", "espeak": "fr"}[provider]
    assert other in voices and len(voices) == len(set(voices)) > 3
    assert model.text("config/voice").strip() in voices
    first = model.ask(SENTENCE)
    model.set("voice", other)
    assert model.ask(SENTENCE) != first


@needs("flite")
def test_what_is_said_here_costs_nothing_and_needs_no_name(tree):
    """Under a budget too, and whoever asks for speech gets it without having set up anything."""
    (tree.path / "budget/day").write_text("1\n")
    assert tree.model("flite", "flite").ask(SENTENCE).startswith(b"RIFF")
    route = tree.path / "capabilities/text-to-audio"
    assert "# 1 " in (route / "route").read_text(), (route / "route").read_text()
    said = tree.sh("echo hello > input && cat output", cwd=route, check=True)
    assert said.out.startswith(b"RIFF")


@pytest.mark.parametrize("provider, name", VOICES)
@pytest.mark.parametrize("voice", ["-lv", "/etc/passwd", "http://127.0.0.1/x.flitevox"])
def test_a_voice_that_is_none_is_refused(tree, provider, name, voice):
    model = tree.model(name, provider)
    with pytest.raises(OSError) as caught:
        model.set("voice", voice)
        model.ask(SENTENCE)
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("provider, name", VOICES)
@pytest.mark.parametrize("text", ["-o /tmp/x", "$(id); `id`", "<speak>& %d", "é ü 中 🎈"])
def test_any_text_is_text(tree, provider, name, text):
    assert len(tree.model(name, provider).ask(text)) > 44


def words(text):
    return re.findall(r"[a-z]+", text.lower())


@needs("flite", "pocketsphinx")
def test_a_sentence_that_is_said_comes_back_as_words_through_two_copies(tree):
    tree.model("flite", "flite").set("voice", "rms")
    tree.sh(
        f'echo "{SENTENCE}" > providers/flite/models/flite/input\n'
        "cp providers/flite/models/flite/output providers/pocketsphinx/models/pocketsphinx/input\n",
        check=True,
    )
    heard = words(tree.model("pocketsphinx", "pocketsphinx").text("output"))
    said = words(SENTENCE)
    assert sum(word in heard for word in said) >= 0.6 * len(said), heard


@needs("flite", "pocketsphinx")
def test_speech_in_another_form_is_heard_too(tree, tmp_path):
    tree.model("flite", "flite").set("voice", "rms")
    said = tmp_path / "said.wav"
    said.write_bytes(tree.model("flite", "flite").ask(SENTENCE))
    other = tmp_path / "said.ogg"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(said), "-ac", "2", "-ar", "44100", str(other)], check=True, timeout=60)
    assert "door" in tree.model("pocketsphinx", "pocketsphinx").ask(other.read_bytes()).decode()


@needs("pocketsphinx")
def test_what_is_no_sound_is_refused_with_words(tree):
    model = tree.model("pocketsphinx", "pocketsphinx")
    with pytest.raises(OSError) as caught:
        model.ask(b"RIFF\x24\0\0\0WAVEfmt " + b"\xff" * 40)
    assert caught.value.errno == errno.EINVAL
    assert "ffmpeg: " in model.text("error") and "/proc" not in model.text("error")


@needs("pocketsphinx")
def test_sound_for_a_model_of_texts_is_refused_naming_who_writes_it_down(tree, tmp_path):
    with wave.open(str(tmp_path / "silence.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(32000))
    model = tree.model("cow", "cowsay")
    shutil.copyfile(tmp_path / "silence.wav", model.path / "input")
    with pytest.raises(OSError) as refused:
        model.read()
    assert refused.value.errno == errno.EINVAL
    words = model.text("error")
    named = re.search(r"(providers/pocketsphinx/models/\S+) makes text of it", words)
    assert named and (tree.path / named[1] / "input").exists(), words
