"""aimock, a mock of providers that nobody here wrote, as OpenRouter: its timing and its faults; and
steady, which judges what we send by OpenRouter's own specification."""

import errno
import json
import time

import pytest
from harness.server import SERVERS, call, free_port, shared
from harness.wait import seconds, until

MODEL = "openai/gpt-4o"
CONTENT = "An answer that is long enough to come in several pieces, as answers do."
FIXTURES = {
    "fixtures": [
        {
            "match": {"userMessage": "slow"},
            "response": {"content": CONTENT},
            "streamingProfile": {"ttft": 900, "tps": 100, "jitter": 0},
        },
        {"match": {"userMessage": "cut"}, "response": {"content": CONTENT}, "truncateAfterChunks": 3},
        {
            "match": {"userMessage": "credit"},
            "response": {"error": {"message": "no credit", "code": 402}, "status": 402},
        },
        {
            "match": {"userMessage": "tools"},
            "response": {"toolCalls": [{"name": "look", "arguments": '{"at":1}'}]},
        },
        {"match": {"userMessage": "plain"}, "response": {"content": CONTENT}},
    ]
}


@pytest.fixture
def aimock(serve, tmp_path):
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    port = free_port()
    return serve([SERVERS / "aimock", port, fixtures, "-l", "20", "--log-level", "warn"], port, bound=120)


@pytest.fixture
def tree(mount, aimock):
    config = {"providers": {"openrouter": {"base_url": f"{aimock.url}/api/v1", "key": "sk-mock"}}}
    return mount(config).wait_ready()


def chaos(server, **rates):
    status, answer = call(f"{server.url}/__aimock/chaos", rates)
    assert status < 300, answer


def sent(server):
    _, answer = call(f"{server.url}/__aimock/journal")
    return [entry for entry in json.loads(answer) if entry["path"].endswith("/completions")]


def reading(model, prompt):
    model.write(prompt)
    got = b""
    try:
        with open(model.path / "output", "rb", buffering=0) as file:
            while piece := file.read(65536):
                got += piece
    except OSError as error:
        return got, error.errno
    return got, 0


def test_an_answer_arrives_whole(tree):
    assert tree.model(MODEL).ask("plain") == CONTENT.encode() + b"\n"


def test_the_first_byte_comes_when_it_was_sent(tree):
    model = tree.model(MODEL)
    begin = time.monotonic()
    assert reading(model, "slow") == (CONTENT.encode() + b"\n", 0)
    ttft = int(model.facts("usage")["ttft_ms"])
    assert 850 < ttft < 900 + seconds(0.6) * 1000
    assert int(model.facts("usage")["total_ms"]) <= (time.monotonic() - begin) * 1000 + 1


def test_a_truncated_stream_is_eproto_after_its_bytes(tree):
    got, code = reading(tree.model(MODEL), "cut")
    assert code == errno.EPROTO
    assert got and CONTENT.encode().startswith(got.rstrip(b"\n"))


def test_an_error_of_the_mock_is_told_in_its_words(tree):
    assert reading(tree.model(MODEL), "credit") == (b"", errno.EDQUOT)
    assert "no credit" in tree.model(MODEL).text("error")


def test_a_tool_call_is_a_success(tree):
    assert reading(tree.model(MODEL), "tools")[1] == 0
    assert tree.model(MODEL).facts()["finish"] == "tool_calls"


def test_429_with_retry_after_waits_and_then_answers(tree, aimock):
    chaos(aimock, rateLimitRate=1)
    model = tree.model(MODEL)
    model.write("plain")
    until(lambda: model.facts().get("retry_at"), 10, "it waits")
    chaos(aimock, rateLimitRate=0)
    assert model.read() == CONTENT.encode() + b"\n"
    assert len(sent(aimock)) >= 2


@pytest.mark.parametrize(
    ("rate", "codes"),
    [
        ("dropRate", {errno.EREMOTEIO}),
        ("malformedRate", {errno.EPROTO}),
        ("disconnectRate", {errno.ECONNRESET, errno.EPROTO}),
    ],
)
def test_a_fault_never_hangs_a_reader(tree, aimock, rate, codes):
    chaos(aimock, **{rate: 1})
    begin = time.monotonic()
    got, code = reading(tree.model(MODEL), "plain")
    assert (got, code in codes) == (b"", True), errno.errorcode.get(code)
    assert time.monotonic() - begin < seconds(30)
    chaos(aimock, **{rate: 0})
    assert tree.model(MODEL).ask("plain") == CONTENT.encode() + b"\n"


def test_faults_at_random_end_each_turn_one_way_or_the_other(tree, aimock):
    chaos(aimock, dropRate=0.2, malformedRate=0.2, disconnectRate=0.2)
    model = tree.model(MODEL)
    outcomes = [reading(model, "plain") for _ in range(20)]
    for got, code in outcomes:
        assert got == CONTENT.encode() + b"\n" if code == 0 else got == b""
    chaos(aimock, dropRate=0, malformedRate=0, disconnectRate=0)
    assert model.ask("plain") == CONTENT.encode() + b"\n"


DOCUMENT = shared("data", "openapi", "openrouter.openapi.yaml")


@pytest.fixture
def steady(serve):
    port = free_port()
    return serve([SERVERS / "steady", port, DOCUMENT], port, bound=120)


@pytest.mark.skipif(DOCUMENT is None, reason="no specification beside the repository")
def test_every_request_we_send_is_valid_by_openrouters_specification(mount, simulated, steady):
    tree = mount(simulated.config()).wait_ready()
    model = tree.model("test/echo:free")
    model.ask("plain")
    tree.sh("echo more >> $D/input; cat $D/output", D=model.path, check=True)
    for name, value in {
        "temperature": "0.5",
        "max_tokens": "300",
        "top_p": "0.9",
        "seed": "7",
        "system": "be brief",
    }.items():
        model.set(name, value)
        model.ask(f"with {name} and \"quotes\" \\ é 🦆\nand lines")
    requests = simulated.chats()
    assert len(requests) == 7
    for request in requests:
        status, answer = call(
            f"{steady.url}/chat/completions",
            request["json"],
            {"Authorization": request["headers"]["authorization"]},
        )
        assert status == 200, (request["json"], answer)
    listing = next(entry for entry in simulated.journal()["requests"] if "/models" in entry["path"])
    status, answer = call(steady.url + listing["path"].removeprefix("/api/v1"))
    assert status == 200, answer
