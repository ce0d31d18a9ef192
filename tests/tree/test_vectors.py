"""Embeddings and rankings in a mount: from a mock and a real engine that nobody here wrote."""

import ast
import errno
import json
import os
import struct

import pytest
from harness.server import SERVERS, call, free_port, shared
from harness.wait import until

VECTOR = [0.125, -1e-7, 3, 0.30664062512345678]


@pytest.fixture
def aimock(serve, tmp_path):
    fixtures = tmp_path / "fixtures.json"
    matched = {"match": {"inputText": "known"}, "response": {"embedding": VECTOR}}
    refused = {
        "match": {"inputText": "credit"},
        "response": {"error": {"message": "no credit", "type": "x", "code": 402}, "status": 402},
    }
    fixtures.write_text(json.dumps({"fixtures": [matched, refused]}))
    port = free_port()
    return serve([SERVERS / "aimock", port, fixtures, "--log-level", "warn"], port, bound=120)


@pytest.fixture
def embedding(mount, aimock):
    tree = mount({"providers": {"openai": {"base_url": f"{aimock.url}/v1", "key": "sk-mock"}}})
    return tree.wait_ready("openai").model("text-embedding-3-small", "openai")


def vectors(output):
    """The rows of what .npy holds, read by the format's own description."""
    assert output[:8] == b"\x93NUMPY\x01\x00"
    (length,) = struct.unpack_from("<H", output, 8)
    assert (10 + length) % 64 == 0
    head = ast.literal_eval(output[10 : 10 + length].decode())
    assert (head["descr"], head["fortran_order"]) == ("<f4", False)
    rows, columns = head["shape"]
    numbers = struct.unpack_from(f"<{rows * columns}f", output, 10 + length)
    assert len(output) == 10 + length + 4 * rows * columns
    return [list(numbers[row * columns : (row + 1) * columns]) for row in range(rows)]


def as_float32(row):
    return list(struct.unpack(f"<{len(row)}f", struct.pack(f"<{len(row)}f", *row)))


def test_a_prompt_becomes_one_vector_of_json(embedding):
    assert json.loads(embedding.ask("a known text\nof two lines")) == VECTOR
    assert embedding.facts()["finish"] == "stop"
    assert int(embedding.facts("usage")["prompt_tokens"]) >= 0


def test_each_line_becomes_a_vector_with_lines_yes(embedding):
    embedding.set("lines", "yes\n")
    output = embedding.ask("known 1\nknown 2\nknown 3")
    assert [json.loads(line) for line in output.splitlines()] == [VECTOR] * 3
    request = json.loads(embedding.read("turns/last/request.json"))
    assert request == {"model": "text-embedding-3-small", "input": ["known 1", "known 2", "known 3"]}


def test_numpy_reads_what_format_npy_gives(embedding):
    embedding.set("format", "npy")
    assert vectors(embedding.ask("known")) == [as_float32(VECTOR)]
    embedding.set("lines", "yes")
    assert vectors(embedding.ask("known 1\nknown 2")) == [as_float32(VECTOR)] * 2


def test_a_thousand_lines_keep_their_order(embedding):
    embedding.set("lines", "yes")
    texts = [f"text number {number}" for number in range(1000)]
    rows = embedding.ask("\n".join(texts)).splitlines()
    assert len(rows) == len(set(rows)) == 1000
    embedding.set("lines", "no")
    for number in (0, 63, 64, 999):
        assert json.loads(embedding.ask(texts[number])) == json.loads(rows[number])


def test_settings_are_there_where_vectors_are_made_and_say_what_they_take(embedding):
    assert {"lines", "format"} <= set(os.listdir(embedding.path / "config"))
    chat = embedding.path.parent / "gpt-4o" / "config"
    assert not {"lines", "format"} & set(os.listdir(chat))
    with pytest.raises(OSError) as caught:
        embedding.set("format", "csv")
    assert caught.value.errno == errno.EINVAL


def test_an_empty_line_and_an_error_are_told(embedding):
    embedding.set("lines", "yes")
    for prompt, code, words in [("a\n\nb", errno.EINVAL, "line 2"), ("credit", errno.EDQUOT, "no credit")]:
        embedding.write(prompt)
        with pytest.raises(OSError) as caught:
            embedding.read()
        assert caught.value.errno == code
        assert words in embedding.text("error")


ENGINE = shared("engines", "llama-server")
needs_engine = pytest.mark.skipif(
    ENGINE is None or os.geteuid() != 0, reason="no engine beside the repository, or no root to set it up"
)


def engine_model(mount, serve, name, *options):
    port = free_port()
    engine = serve([ENGINE, str(port), "--alias", name, *options], port, bound=500)
    until(lambda: "listening" in engine.log(), 30, "the model is loaded")
    tree = mount({"providers": {"llamacpp": {}}}, env={"LLAMACPP_BASE_URL": f"{engine.url}/v1"})
    return engine, tree.wait_ready("llamacpp").model(name, "llamacpp")


@needs_engine
@pytest.mark.bound(600)
def test_vectors_of_a_real_engine_are_those_that_it_sends(mount, serve):
    engine, model = engine_model(mount, serve, "random-embed", "--embeddings", "--pooling", "mean")
    texts = ["one", "two words", "ünd drei"]
    _, answer = call(f"{engine.url}/v1/embeddings", {"model": "random-embed", "input": texts})
    expected = [entry["embedding"] for entry in json.loads(answer)["data"]]
    model.set("lines", "yes")
    assert [json.loads(line) for line in model.ask("\n".join(texts)).splitlines()] == expected
    assert model.facts("usage")["cost"] == "0"
    model.set("format", "npy")
    assert vectors(model.ask("\n".join(texts))) == [as_float32(row) for row in expected]


@needs_engine
@pytest.mark.bound(600)
def test_a_real_engine_ranks_documents(mount, serve):
    engine, model = engine_model(mount, serve, "random-rerank", "--reranking")
    documents = ["alpha", "beta gamma", "delta"]
    asked = {"model": "random-rerank", "query": "which?", "documents": documents}
    _, answer = call(f"{engine.url}/v1/rerank", asked)
    results = sorted(json.loads(answer)["results"], key=lambda result: -result["relevance_score"])
    lines = [json.loads(line) for line in model.ask("\n".join(["which?", *documents])).splitlines()]
    assert [line["index"] for line in lines] == [result["index"] for result in results]
    for line, result in zip(lines, results):
        assert line["document"] == documents[result["index"]]
        assert line["relevance_score"] == pytest.approx(result["relevance_score"])
