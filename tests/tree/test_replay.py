"""Every recorded reply, sent again over HTTP through the mount: what a reader gets is what Python
computes from the recording, however the bytes are cut on their way."""

import errno
import json

import pytest
from harness.expect import of_error, of_stream
from harness.server import shared, stem

STREAMS = shared("data", "openrouter", "sse")
ERRORS = shared("data", "openrouter", "errors")
CHATS = sorted(STREAMS.glob("*.sse")) if STREAMS else []
OTHERS = [path for path in CHATS if path.name.startswith("responses_api")]
CHATS = [path for path in CHATS if path not in OTHERS]
FAILURES = sorted(path for path in ERRORS.glob("*.json") if "meta" not in path.name) if ERRORS else []
pytestmark = pytest.mark.skipif(not CHATS, reason="no recorded streams here")

#: The errno of a failure in the middle of a stream, by the code that its error chunk gives; a
#: code of 400 there came from whoever served the model.
MIDSTREAM = {
    "midstream_error_400_minimax": {errno.EREMOTEIO, errno.EINVAL, errno.EMSGSIZE},
    "documented_midstream_error_429": {errno.EBUSY},
}


def ask(model):
    """The bytes that came, and the errno after them."""
    model.write("replay")
    got = b""
    try:
        with open(model.path / "output", "rb", buffering=0) as file:
            while piece := file.read(65536):
                got += piece
    except OSError as error:
        return got, error.errno
    return got, 0


def as_output(text):
    """A text result ends with a newline; nothing at all stays nothing."""
    return text if not text or text.endswith(b"\n") else text + b"\n"


@pytest.mark.parametrize("cut", [None, 1, 7, 1000], ids=["whole", "1", "7", "1000"])
@pytest.mark.parametrize("recording", CHATS, ids=stem)
def test_a_recorded_stream_gives_its_content_usage_and_finish(tree, simulated, recording, cut):
    stream = recording.read_bytes()
    expected = of_stream(stream)
    simulated.replay(stream, content_type="text/event-stream", cut=cut)
    model = tree.model("test/echo:free")
    got, code = ask(model)
    if expected.errno:
        assert got.rstrip(b"\n") == expected.output.rstrip(b"\n")
        assert code in MIDSTREAM[recording.stem]
        assert expected.words in model.text("error")
        assert model.facts()["state"] == "failed"
    elif expected.finish == "tool_calls" and not expected.output:
        assert code == 0
        assert model.facts()["finish"] == expected.finish
    else:
        assert (got, code) == (as_output(expected.output), 0)
        assert model.facts()["finish"] == expected.finish
    check_usage(model, expected.usage)


def check_usage(model, usage):
    if usage is None:
        return
    facts = model.facts("usage")
    for key in ("prompt_tokens", "completion_tokens"):
        assert facts[key] == str(usage[key])
    details = usage.get("completion_tokens_details") or {}
    if details.get("reasoning_tokens"):
        assert facts["reasoning_tokens"] == str(details["reasoning_tokens"])
    assert float(facts["cost"]) == pytest.approx(usage["cost"], abs=1e-12)
    assert "e" not in facts["cost"].lower()
    assert facts["source"] == "reported"


@pytest.mark.parametrize("recording", OTHERS, ids=stem)
def test_a_stream_of_another_api_is_never_taken_for_an_answer(tree, simulated, recording):
    simulated.replay(recording.read_bytes(), content_type="text/event-stream")
    got, code = ask(tree.model("test/echo:free"))
    assert (got, code) == (b"", errno.EPROTO)


@pytest.mark.bound(300)
@pytest.mark.parametrize("recording", FAILURES, ids=stem)
def test_a_recorded_error_gives_its_errno_and_its_words(mount, simulated, recording):
    config = {"providers": {"openrouter": simulated.provider(retries=0)}}
    tree = mount(config).wait_ready()
    status = int(recording.name[:3])
    expected = of_error(status, recording.read_bytes())
    simulated.replay(recording.read_bytes(), status=status)
    model = tree.model("test/echo:free")
    got, code = ask(model)
    assert (got, errno.errorcode.get(code)) == (b"", errno.errorcode[expected.errno])
    words = model.text("error")
    assert str(status) in words
    assert " ".join(expected.words.split()) in " ".join(words.split())


@pytest.mark.parametrize("recording", CHATS[:4], ids=stem)
def test_a_stream_cut_before_its_end_is_a_failure_after_its_bytes(tree, simulated, recording):
    stream = recording.read_bytes()
    whole = of_stream(stream).output
    model = tree.model("test/echo:free")
    first = stream.find(b"data: ") + 10
    stop = stream.find(b'"finish_reason":"')
    for where in range(first, stop if stop > 0 else len(stream), max(1, len(stream) // 12)):
        simulated.replay(stream[:where], content_type="text/event-stream")
        got, code = ask(model)
        assert code == errno.EPROTO, where
        assert whole.startswith(got.rstrip(b"\n")), where


def test_responses_keep_what_was_sent_and_what_came(tree, simulated):
    stream = CHATS[0].read_bytes()
    simulated.replay(stream, content_type="text/event-stream")
    model = tree.model("test/echo:free")
    ask(model)
    turn = model.path / "turns" / "last"
    assert (turn / "response").read_bytes() == stream
    request = json.loads((turn / "request.json").read_text())
    assert request == simulated.chats()[-1]["json"]
