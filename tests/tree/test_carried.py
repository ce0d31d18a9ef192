"""One session carried over four providers, against a mock of them that nobody here wrote."""

import json

import pytest
from harness.mount import Model
from harness.server import SERVERS, call, free_port

PROVIDERS = {"openai": "/v1", "anthropic": "", "mistral": "/v1", "openrouter": "/api/v1"}
QUESTIONS = ["one", "two", "three", "four"]


@pytest.fixture
def aimock(serve, tmp_path):
    fixtures = [
        {"match": {"userMessage": question}, "response": {"content": f"answer to {question}"}}
        for question in QUESTIONS
    ]
    path = tmp_path / "fixtures.json"
    path.write_text(json.dumps({"fixtures": fixtures}))
    port = free_port()
    return serve([SERVERS / "aimock", port, path, "-l", "0", "--log-level", "warn"], port, bound=120)


def text_of(content):
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def said(server):
    """What the newest request told: (path, [(role, text)]), a system text first wherever it stood."""
    _, answer = call(f"{server.url}/__aimock/journal")
    entry = [one for one in json.loads(answer) if one["method"] == "POST"][-1]
    body = entry["body"]
    body = json.loads(body) if isinstance(body, str) else body
    system = body.get("system")
    first = [("system", text_of(system))] if system else []
    return entry["path"], first + [(one["role"], text_of(one["content"])) for one in body["messages"]]


def test_a_session_goes_on_at_each_of_four_providers(mount, aimock):
    entries = {name: {"base_url": aimock.url + path, "key": "sk-mock"} for name, path in PROVIDERS.items()}
    tree = mount({"providers": entries})
    for name in PROVIDERS:
        tree.wait_ready(name)
    expected, place, paths = [("system", "be brief")], None, []
    for name, question in zip(PROVIDERS, QUESTIONS):
        listing = (tree.path / "providers" / name / "models.tsv").read_text().splitlines()
        sessions = tree.model(listing[1].split("\t")[0], name).path / "sessions"
        if place is None:
            (sessions / "s").mkdir()
            Model(sessions / "s").set("system", "be brief")
        else:
            tree.sh('mv "$FROM" "$TO"', FROM=place, TO=sessions, check=True)
        place = sessions / "s"
        assert Model(place).ask(question + "\n") == f"answer to {question}\n".encode()
        path, told = said(aimock)
        expected.append(("user", question))
        assert told == expected, name
        expected.append(("assistant", f"answer to {question}"))
        paths.append(path)
    assert [path.rsplit("/", 1)[-1] for path in paths] == ["completions", "messages", "completions", "completions"]
    transcript = Model(place).text("transcript.md")
    assert [f"**{name}/" in transcript for name in PROVIDERS] == [True] * 4
