"""Each error that was recorded of a service is, at the end of `cat output`, the errno that the design
has for it, and `error` has the service's words. The server only repeats what was recorded
(tests/servers/recorded.py)."""

import errno
import json
import re
import sys

import pytest
from harness.mount import Mount
from harness.server import SERVERS, Server, free_port, shared

DATA = shared("data")
#: Recordings by the errno that they must be; and words of the service.
ERRORS = {
    "EINVAL": {
        "anthropic/errors/400_effort.json": "effort level 'xhigh'",
        "anthropic/errors/400_file_not_downloadable.json": "is not downloadable",
        "fal/sync_400.json": "Unsupported data URL",
        "fal/sync_422_detail_list.json": "loras.0.path: str type expected",
        "fal/sync_422_detail_string.json": "StableDiffusionXLControlNetPipeline",
        "huggingface/error_422_chat.json": "Template error: template not found",
        "huggingface/inference_400.json": "field required",
        "openai_compat/groq_event_error.sse": "Tool call validation failed",
        "openrouter/errors/400_no_messages.json": "Input required",
        "openrouter/errors/400_temperature.json": "Expected temperature to be at most 2",
        "openrouter/sse/midstream_error_400_minimax.sse": "Token limit reached",
        "replicate/error_422_problem_json.json": "Additional property provider is not allowed",
        "together/error_400_completions.json": "Invalid request",
        "together/error_400_images.json": "Invalid request",
    },
    "ENOENT": {
        "anthropic/errors/404_model.json": "claude-sonet-4-5",
        "huggingface/error_404_model.json": "this-model-does-not-exist-123 does not exist",
        "openrouter/errors/400_invalid_model_stream.json": "is not a valid model ID",
        "openrouter/errors/400_models_array_invalid_first.json": "is not a valid model ID",
        "openrouter/errors/404_generation_not_yet.json": "not found",
        "replicate/error_404_problem_json.json": "does not exist",
    },
    "EKEYREJECTED": {
        "anthropic/errors/401.json": "invalid x-api-key",
        "mistral/errors_401.json": "Invalid API Key",
        "mistral/errors_401_2025.json": "No API key found",
        "ollama/errors/cloud_401.json": "Unauthorized",
        "openai_compat/openai_401.json": "Incorrect API key provided",
        "openrouter/errors/401_missing_auth_2026.json": "Missing Authentication header",
        "openrouter/errors/401_no_cookie_auth.json": "No cookie auth credentials found",
        "openrouter/errors/401_on_stream_request.json": "No cookie auth credentials found",
        "replicate/error_401_problem_json.json": "You did not pass a valid authentication token",
    },
    "EMSGSIZE": {
        "anthropic/errors/400_prompt_too_long.json": "3333404 tokens",
        "huggingface/hf_inference_stream_error.sse": "max_new_tokens",
        "ollama/errors/cloud_400_context.json": "exceeded max context length",
    },
    "EDQUOT": {
        "openrouter/errors/402_credits_previous_errors.json": "can only afford 3395",
        "openrouter/errors/402_simple.json": "can only afford 27342",
        "openrouter/errors/429_free_daily_limit_source_2026-08.json": "Rate limit exceeded",
        "openrouter/errors/429_free_models_per_day_2026-05.json": "Rate limit exceeded",
    },
    "EREMOTEIO": {
        "anthropic/sse/documented_midstream_error.sse": "Overloaded",
        "openrouter/errors/400_provider_returned_error_schema.json": "Azure says: Invalid schema",
        "openrouter/errors/400_provider_returned_error_tool.json": "OpenAI says: Invalid schema",
    },
    "EBUSY": {"openrouter/sse/documented_midstream_error_429.sse": "Rate limit exceeded"},
    "ETIMEDOUT": {"fal/documented/status_completed_failed_200.json": "Request timed out"},
}
#: The daemon doesn't wait for the reply to a cancel.
UNREAD = {"fal/documented/cancel_400.json", "fal/documented/cancel_404.json"}
RECORDED = [(path, code, words) for code, paths in ERRORS.items() for path, words in paths.items()]
SERVICES = {"openai_compat": "openai"}


def model_of(path):
    """A name that tells nothing but which it is; of a picture's recording that it is one's."""
    number = [one[0] for one in RECORDED].index(path)
    return f"sim/e{number:02}x" + ("image" if "images" in path else "")


def entry(path):
    """How it was answered: as recorded, or as its name says."""
    meta = DATA / f"{path}.meta.json"
    reply = json.loads(meta.read_text())["response"] if meta.exists() else {}
    named = re.search(r"[/_]([245]\d\d)[_.]", path)
    stream = path.endswith(".sse")
    kind = "text/event-stream" if stream else "application/json"
    stated = 200 if stream else int(named[1])
    service = path.split("/")[0]
    return [SERVICES.get(service, service), model_of(path), reply.get("status", stated), kind, str(DATA / path)]


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """One mount with all of the services, whose models fail each in its recorded way."""
    if DATA is None:
        pytest.skip("no recordings beside the project")
    port = free_port()
    table = json.dumps([entry(path) for path, _, _ in RECORDED])
    home = tmp_path_factory.mktemp("recorded")
    server = Server([sys.executable, SERVERS / "recorded.py", port, table], home / "server.log", port)
    server.wait_port(30)
    names = sorted({entry(path)[0] for path, _, _ in RECORDED})
    providers = {name: {"base_url": f"http://127.0.0.1:{port}/{name}", "key": "sk-x", "retries": 0} for name in names}
    tree = Mount(home, {"providers": providers}).start()
    for name in names:
        tree.wait_ready(name)
    yield tree
    tree.stop()
    server.stop()


@pytest.mark.parametrize(("path", "code", "words"), RECORDED, ids=[one[0] for one in RECORDED])
def test_a_recorded_error_is_its_errno_and_its_words(errors, path, code, words):
    model = errors.model(model_of(path), entry(path)[0])
    model.write("hello")
    with pytest.raises(OSError) as caught:
        model.read()
    said = model.text("error")
    assert errno.errorcode[caught.value.errno] == code, said
    assert said.startswith(f"{code}: ") and words in said


def test_each_recorded_error_is_among_them():
    if DATA is None:
        pytest.skip("no recordings beside the project")
    files = [str(path.relative_to(DATA)) for path in DATA.rglob("*") if path.is_file()]
    tell = ("error", "/4", "_4", "failed")
    found = {name for name in files if any(word in name for word in tell)}
    found = {name for name in found if not name.endswith(".meta.json") and "/models/" not in name}
    assert found - UNREAD == {one[0] for one in RECORDED}
