"""The bundled providers in a mount: against a mock and an engine that nobody here wrote, and judged
by what the services' own documents say."""

import errno
import json
import os

import pytest
from harness.mount import flat
from harness.server import SERVERS, call, free_port, shared
from harness.wait import until

CONTENT = "An answer that is long enough to come in several pieces, as answers do."
FIXTURES = {
    "fixtures": [
        {"match": {"userMessage": "cut"}, "response": {"content": CONTENT}, "truncateAfterChunks": 3},
        {
            "match": {"userMessage": "credit"},
            "response": {
                "error": {"message": "Your credit balance is too low", "type": "invalid_request_error"},
                "status": 400,
            },
        },
        {"match": {"userMessage": "tools"}, "response": {"toolCalls": [{"name": "look", "arguments": '{"at":1}'}]}},
        {"match": {"userMessage": "think"}, "response": {"content": CONTENT, "reasoning": "They ask."}},
        {"match": {}, "response": {"content": CONTENT}},
    ]
}
# What each adds to the mock's address, and the document that judges its requests.
SERVICES = {
    "openai": ("/v1", "openai.openapi.yaml", "/chat/completions"),
    "anthropic": ("", "anthropic.openapi.tryAGI.yaml", "/v1/messages"),
    "mistral": ("/v1", "mistral.openapi.yaml", "/v1/chat/completions"),
    "together": ("/v1", "together.openapi.yaml", "/chat/completions"),
    "groq": ("/v1", "openai.openapi.yaml", "/chat/completions"),
    "huggingface": ("/v1", "openai.openapi.yaml", "/chat/completions"),
    "ollama": ("", "ollama.openapi.yaml", "/api/chat"),
}
# The declared ones, which are judged by what their driver sends.
DECLARED = {
    "cerebras": "/v1",
    "deepseek": "/v1",
    "fireworks": "/v1",
    "google": "/v1",
    "llamacpp": "/v1",
    "lmstudio": "/v1",
    "perplexity": "/v1",
    "vllm": "/v1",
    "xai": "/v1",
}
# A real engine answers by the routes of these.
ENGINES = ["anthropic", "llamacpp"]


@pytest.fixture
def aimock(serve, tmp_path):
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    port = free_port()
    return serve([SERVERS / "aimock", port, fixtures, "-l", "20", "--log-level", "warn"], port, bound=120)


@pytest.fixture
def tree(mount, aimock):
    providers = {
        name: {"base_url": aimock.url + path, "key": "sk-mock"} for name, (path, _, _) in SERVICES.items()
    }
    tree = mount({"providers": providers})
    for name in SERVICES:
        tree.wait_ready(name)
    return tree


@pytest.fixture
def declared(mount, aimock):
    """A mount with one declared provider."""

    def make(name):
        entry = {"base_url": aimock.url + DECLARED[name], "key": "sk-mock"}
        return mount({"providers": {name: entry}}).wait_ready(name)

    return make


def any_model(tree, name):
    listing = (tree.path / "providers" / name / "models.tsv").read_text().splitlines()
    return tree.model(listing[1].split("\t")[0], name)


def reading(model, prompt):
    model.write(prompt)
    try:
        return model.read(), 0
    except OSError as error:
        return b"", error.errno


@pytest.mark.parametrize("name", SERVICES)
def test_an_answer_of_the_mock_arrives_whole(tree, name):
    model = any_model(tree, name)
    assert reading(model, "plain") == (CONTENT.encode() + b"\n", 0)
    assert model.facts()["finish"] == "stop"


@pytest.mark.parametrize("name", DECLARED)
def test_a_declared_provider_answers_and_fails_as_its_driver_does(declared, name):
    model = any_model(declared(name), name)
    assert reading(model, "plain") == (CONTENT.encode() + b"\n", 0)
    assert reading(model, "cut")[1] == errno.EPROTO
    assert reading(model, "credit")[1] == errno.EDQUOT


@pytest.mark.parametrize("name", SERVICES)
def test_a_tool_call_is_the_output_in_one_shape(tree, name):
    model = any_model(tree, name)
    got, code = reading(model, "tools")
    assert (code, model.facts()["finish"]) == (0, "tool_calls")
    (called,) = json.loads(got)
    assert called["function"] == {"name": "look", "arguments": '{"at":1}'}


@pytest.mark.parametrize("name", SERVICES)
def test_a_stream_that_is_cut_and_credit_that_is_spent_are_told_apart(tree, name):
    model = any_model(tree, name)
    assert reading(model, "cut")[1] == errno.EPROTO
    assert reading(model, "credit")[1] == errno.EDQUOT
    assert "credit balance is too low" in model.text("error")


def test_thinking_stays_out_of_the_output(tree):
    assert reading(any_model(tree, "anthropic"), "think") == (CONTENT.encode() + b"\n", 0)


@pytest.mark.bound(300)
@pytest.mark.parametrize("name", SERVICES)
def test_every_request_is_valid_by_the_services_own_document(tree, serve, name):
    _, document, path = SERVICES[name]
    document = shared("data", "openapi", document)
    if document is None:
        pytest.skip("no document beside the repository")
    port = free_port()
    steady = serve([SERVERS / "steady", port, document], port, bound=120)
    model = any_model(tree, name)
    settings = {
        "": "",
        "temperature": "0.5",
        "max_tokens": "300",
        "top_p": "0.9",
        "seed": "7",
        "stop": "END",
        "system": "be brief",
        "schema": '{"type": "object", "properties": {}, "additionalProperties": false}',
        "tools": '[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]',
        "tool_choice": "auto",
    }
    absent = {setting for setting in settings if setting and not (model.path / "config" / setting).exists()}
    # aimock doesn't say of Ollama's models that they take tools.
    assert absent <= ({"tools", "tool_choice"} if name == "ollama" else set())
    for setting, value in settings.items():
        if setting in absent:
            continue
        if setting:
            model.set(setting, value)
        reading(model, f'with {setting} and "quotes" \\ é\nand lines')
        request = json.loads(model.read("turns/last/request.json"))
        status, answer = call(steady.url + path, request, {"Authorization": "Bearer x", "x-api-key": "x"})
        assert status < 300, (request, answer)


def test_a_service_without_a_list_has_the_models_of_its_manifest(mount, aimock):
    entry = {"base_url": f"{aimock.url}/v1", "key": "sk-mock"}
    tree = mount({"providers": {"perplexity": entry}}).wait_ready("perplexity")
    facts = flat((tree.path / "providers/perplexity/status").read_text())
    assert (facts["discovery"], facts["models"], facts["free"]) == ("static", "4", "0")
    _, journal = call(f"{aimock.url}/__aimock/journal")
    assert json.loads(journal) == []
    model = tree.model("sonar", "perplexity")
    assert reading(model, "plain") == (CONTENT.encode() + b"\n", 0)
    assert model.text("info/input_modalities").split() == ["text", "image"]


def test_models_that_are_static_are_named_without_a_key(mount):
    tree = mount({"providers": {"perplexity": {}}}).wait_ready("perplexity")
    model = tree.model("sonar-pro", "perplexity")
    with pytest.raises(OSError) as caught:
        model.write("hello")
    assert caught.value.errno == errno.ENOKEY
    assert "PERPLEXITY_API_KEY" in model.text("error")


ENGINE = shared("engines", "llama-server")
needs_engine = pytest.mark.skipif(
    ENGINE is None or os.geteuid() != 0, reason="no engine beside the repository, or no root to set it up"
)


@needs_engine
@pytest.mark.bound(600)
def test_a_real_engine_answers_by_both_protocols(mount, serve):
    port = free_port()
    engine = serve([ENGINE, str(port)], port, bound=500)
    until(lambda: "listening" in engine.log(), 30, "the model is loaded")
    tree = mount(
        {"providers": {"anthropic": {"base_url": engine.url}, "llamacpp": {}}},
        env={"LLAMACPP_BASE_URL": f"{engine.url}/v1"},
    )
    for name in ENGINES:
        tree.wait_ready(name)
        model = tree.model("random-tiny", name)
        model.set("max_tokens", "12")
        got, code = reading(model, "tell me")
        finish = model.facts()["finish"]
        assert code == 0 and finish in ("length", "stop")
        assert got.endswith(b"\n") and (finish == "stop" or len(got) > 12)
        usage = model.facts("usage")
        assert usage["cost"] == "0"
        assert usage["completion_tokens"] == "12" or finish == "stop"
        assert reading(model, "hello there " * 8000)[1] == errno.EMSGSIZE
