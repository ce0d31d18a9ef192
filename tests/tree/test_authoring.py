"""Writing providers: skeletons, and exchanges recorded of real turns."""

import pytest
from harness.command import provider
from harness.exchange import record, replayed
from harness.mount import PROGRAM, run


# ---- new ----


def test_new_writes_a_directory_and_says_which_files(tmp_path):
    result = provider(tmp_path, "new", "my-llm")
    assert result.status == 0, result
    directory = tmp_path / "my-llm-provider"
    for name in ("MediaConduit.provider.yml", "provider.c", "README.md", ".gitignore", "tests/answer.exchange"):
        assert (directory / name).is_file() and name in result.out.decode()
    assert "MY_LLM_API_KEY" in (directory / "MediaConduit.provider.yml").read_text()
    everything = "".join(path.read_text() for path in directory.rglob("*") if path.is_file())
    assert "acme" not in everything.lower()


def test_new_declared_has_the_address_and_no_code(tmp_path):
    assert provider(tmp_path, "new", "far", "--declared", "https://far.example/v1/").status == 0
    directory = tmp_path / "far-provider"
    manifest = (directory / "MediaConduit.provider.yml").read_text()
    assert "base_url: https://far.example/v1\n" in manifest and "FAR_API_KEY" in manifest
    assert not (directory / "provider.c").exists()


def test_new_of_a_service_of_this_machine_asks_for_no_key(tmp_path):
    assert provider(tmp_path, "new", "near", "--declared", "http://127.0.0.1:8080/v1").status == 0
    manifest = (tmp_path / "near-provider" / "MediaConduit.provider.yml").read_text()
    assert "type: local" in manifest and "key" not in manifest.replace("the key, and", "")


def test_new_overwrites_nothing(tmp_path):
    (tmp_path / "acme-provider").mkdir()
    (tmp_path / "acme-provider" / "mine").write_text("mine")
    result = provider(tmp_path, "new", "acme-provider")
    assert result.status == 1 and b"is there already" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["acme-provider"]
    assert [path.name for path in (tmp_path / "acme-provider").iterdir()] == ["mine"]


def test_new_leaves_nothing_half_where_it_may_not_write(tmp_path):
    (tmp_path / "full").mkdir()
    result = run(
        ["bash", "-c", 'ulimit -f 4; trap "" XFSZ; exec "$@"', "-", str(PROGRAM), "provider", "new", "acme"],
        cwd=tmp_path / "full",
    )
    assert result.status == 1 and b"File too large" in result.err
    assert list((tmp_path / "full").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "which subcommand"),
        (["nwe"], "did you mean 'new'?"),
        (["new"], "takes one name"),
        (["new", "a", "b"], "takes one name"),
        (["new", "Acme"], "can't be a provider's name"),
        (["new", "../x"], "can't be a provider's name"),
        (["new", "-x", "acme"], "unknown option '-x'"),
        (["new", "--declared"], "--declared needs a value"),
        (["new", "acme", "--declared", "ftp://x/"], "https://"),
        (["new", "acme", "--declared", "http://far.example/"], "http"),
        (["exchange", "turn"], "takes a turn's directory and a name"),
        (["exchange", "turn", "a b"], "can't be an exchange's name"),
    ],
)
def test_a_wrong_call_is_told_and_exits_2(tmp_path, arguments, words):
    result = provider(tmp_path, *arguments)
    assert result.status == 2 and words in result.err.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--help"], ["new", "--help"], ["exchange", "x", "-h"]])
def test_help_is_on_stdout_and_exits_0(tmp_path, arguments):
    result = provider(tmp_path, *arguments)
    assert result.status == 0 and result.out.startswith(b"Usage: conduitfs provider ")


# ---- exchange ----


def test_an_exchange_of_a_turn_replays_as_it_went(tree, echo, tmp_path):
    echo.set("temperature", "0.5\n")
    echo.ask('Say "hello",\nplease')
    exchange = record(tree, echo, tmp_path)
    text = exchange.read_text()
    assert "\nset temperature 0.5\n" in text and "\nreply 200 text/event-stream it.sse\n" in text
    assert '\nbody "temperature":0.5\n' in text and "\nprompt_tokens " in text
    assert text.count("\nrequest POST http://127.0.0.1:") == 1
    assert "sk-or" not in text + (tmp_path / "it.sse").read_text()
    assert replayed(exchange, "openrouter") > 100


def test_an_exchange_of_a_conversation_has_what_came_before(tree, echo, tmp_path):
    echo.set("system", "Be brief.\n")
    echo.ask("one")
    with open(echo.path / "input", "ab") as file:
        file.write(b"two")
    assert echo.read() == b"two\n"
    exchange = record(tree, echo, tmp_path)
    text = exchange.read_text()
    assert "\nsystem Be brief.\nuser one\nassistant one\nprompt two\n" in text
    replayed(exchange, "openrouter")


def test_an_exchange_of_a_failed_turn_says_kind_and_words(tree, simulated, tmp_path):
    simulated.control(busy=99)
    model = tree.model("test/busy:free")
    model.set("retries", "0\n")
    with pytest.raises(OSError):
        model.ask("now")
    exchange = record(tree, model, tmp_path)
    text = exchange.read_text()
    assert "\nreply 429 application/json it.json\n" in text and "\nfail BUSY\n" in text and "\nwords " in text
    replayed(exchange, "openrouter")


def test_an_exchange_of_a_turn_without_requests(tree, tmp_path):
    cow = tree.model("cow", "cowsay")
    cow.ask("Moo")
    exchange = record(tree, cow, tmp_path, "cow")
    text = exchange.read_text()
    assert "\nturn cow text-to-text\n" in text and "request" not in text and "\ncost 0\n" in text
    replayed(exchange, "cowsay")


def test_long_texts_lie_beside_the_exchange(tree, echo, tmp_path):
    echo.ask("long " * 2000)
    exchange = record(tree, echo, tmp_path)
    assert "\nprompt_file it-prompt.txt\n" in exchange.read_text()
    assert "\noutput_file it-output.txt\n" in exchange.read_text()
    assert (tmp_path / "it-prompt.txt").read_text() == "long " * 2000
    replayed(exchange, "openrouter")


def test_an_exchange_overwrites_nothing_and_leaves_nothing_half(tree, echo, tmp_path):
    echo.ask("first")
    there = tmp_path / "tests"
    there.mkdir()
    (there / "it.exchange").write_text("mine")
    result = provider(tree.home, "exchange", echo.path / "turns/000001", there / "it")
    assert result.status == 1 and b"it.exchange is there already" in result.err
    assert [path.name for path in there.iterdir()] == ["it.exchange"]
    assert (there / "it.exchange").read_text() == "mine"


@pytest.mark.parametrize("how", ["reset", "drop"])
def test_a_turn_whose_connection_broke_cant_be_recorded(tree, tmp_path, how):
    model = tree.model(f"test/{how}:free")
    with pytest.raises(OSError):
        model.ask("q")
    result = provider(tree.home, "exchange", model.path / "turns/000001", tmp_path / "it")
    assert result.status == 1 and b"isn't the provider's word" in result.err, result
    assert list(tmp_path.glob("it*")) == []


def test_what_isnt_a_turn_is_told(tree, tmp_path):
    for directory in (tree.path / "providers/cowsay/models/cow/turns/000000", tmp_path, "/nonexistent"):
        result = provider(tree.home, "exchange", directory, tmp_path / "it")
        assert result.status == 1 and b"isn't the directory of a turn" in result.err
    assert list(tmp_path.glob("it*")) == []


def test_a_turn_that_runs_cant_be_recorded_yet(tree, tmp_path):
    model = tree.model("test/hang:free")
    model.write("q")
    result = provider(tree.home, "exchange", model.path / "turns/000001", tmp_path / "it")
    assert result.status == 1 and (b"running" in result.err or b"isn't the directory" in result.err)
    assert list(tmp_path.glob("it*")) == []
