"""Routes on a real mount: who answers by default, in what order, and what is seen of that."""

import json
import os
import pathlib
import time

import pytest
from harness.mount import TOP, Model, flat, local_only
from harness.routes import ROUTE, answers, comments, default, entry, offer, route, tried
from harness.server import Simulated, free_port
from harness.wait import seconds, until

README = (TOP / "README.md").read_text()


# ---- what is seen ----


def test_order_policy_and_back_off_are_visible(mount, fresh):
    mounted = mount({"providers": {"a": entry(fresh[0]), "b": entry(fresh[1], retries=0)}})
    mounted.wait_ready("a").wait_ready("b")
    route(mounted, "b/test/echo:free", "*/test/paid", "!b/test/paid", "a/test/echo:free")
    lines = comments(mounted)[2:]
    assert [line.split("  ")[0] for line in lines] == [
        "# 1 b/test/echo:free",
        "# 2 a/test/paid",
        "# 3 a/test/echo:free",
        "# - b/test/paid",
    ]
    assert "USD 1 and 2 a million tokens" in lines[1] and lines[2].endswith("unknown, free")
    assert "left out" in lines[3]
    (mounted.path / ROUTE / "config/max_price").write_text("0.5\n")
    assert any(line.startswith("# - a/test/paid  its price") for line in comments(mounted))
    route(mounted, "b/test/fail-429:free", "a/test/echo:free")
    assert default(mounted).ask("q\n") == b"q\n"
    assert any("b/test/fail-429:free  let be until 20" in line for line in comments(mounted))
    health = flat((mounted.path / "providers/b/models/test/fail-429:free/info/health").read_text())
    assert health["health"] == "down" and health["last_failed_with"].startswith("EBUSY ")
    # The newest first; by policy the one that was measured.
    (mounted.path / ROUTE / "config/max_price").write_text("\n")
    route(mounted, "a/test/[es][cl][ho]*")
    assert comments(mounted)[2].startswith("# 1 a/test/echo:free")
    assert mounted.sh(f"echo bogus > {ROUTE}/config/policy").status == 1
    assert "listed" in default(mounted).text("error")
    (mounted.path / "config/policy").write_text("cheapest\n")
    assert (mounted.path / ROUTE / "config/policy").read_text() == "cheapest\n"


def test_route_and_health_are_kept(mount, fresh):
    config = {"providers": {"a": entry(fresh[0], retries=0), "b": entry(fresh[1])}}
    mounted = mount(config)
    mounted.wait_ready("a").wait_ready("b")
    route(mounted, "a/test/fail-404:free", "b/test/echo:free")
    assert default(mounted).ask("q\n") == b"q\n"
    inode = os.stat(mounted.path / ROUTE / "route").st_ino
    status = default(mounted).text("turns/000001/status")
    mounted.stop()
    again = mount(config)
    again.wait_ready("a").wait_ready("b")
    assert os.stat(again.path / ROUTE / "route").st_ino == inode
    assert default(again).text("turns/000001/status") == status
    assert tried(status) == [["a/test/fail-404:free", "ENOENT"]]
    health = flat((again.path / "providers/a/models/test/fail-404:free/info/health").read_text())
    assert health["health"] == "down" and health["last_failure"] != "-"
    answered = flat((again.path / "providers/b/models/test/echo:free/info/health").read_text())
    assert answered["health"] == "healthy" and int(answered["latency_ms"]) >= 0
    assert flat(default(again).text("status"))["next"] == "b/test/echo:free"


def test_capabilities_are_listed_while_somebody_has_them(mount, simulated, tmp_path):
    mounted = mount(simulated.config()).wait_ready()
    capabilities = mounted.path / "capabilities"
    embedding = capabilities / "text-to-embedding"
    chat, embed = ("acme/chat", "text", "0"), ("acme/embed", "embeddings", "0")

    def refresh(*models):
        offer(simulated, tmp_path / "models.json", *models)
        (mounted.path / "ctl").write_text("refresh\n")

    assert os.listdir(capabilities) == ["text-to-text"]
    refresh(chat, embed)
    until(lambda: "text-to-embedding" in os.listdir(capabilities), 10, "it is listed")
    inode = os.stat(embedding).st_ino
    assert (embedding / "models/openrouter/acme/embed/input").exists()
    assert not (embedding / "models/openrouter/acme/chat").is_symlink()
    refresh(chat)
    until(lambda: os.listdir(capabilities) == ["text-to-text"], 10, "it is gone")
    refresh(chat, embed)
    until(lambda: "text-to-embedding" in os.listdir(capabilities), 10, "it is back")
    assert os.stat(embedding).st_ino == inode


def test_models_links_to_every_model_that_can(tree):
    linked, there = set(), set()
    top = tree.path / ROUTE / "models/openrouter"
    for path, directories, _ in os.walk(top):
        for name in directories:
            link = pathlib.Path(path, name)
            if link.is_symlink():
                assert (link / "input").exists()
                linked.add(str(link.relative_to(top)))
    models = tree.path / "providers/openrouter/models"
    for path, _, files in os.walk(models):
        if "input" in files:
            there.add(str(pathlib.Path(path).relative_to(models)))
    assert linked == there
    assert os.path.samefile(top / "test/echo:free/info", models / "test/echo:free/info")


def test_default_is_a_link_of_ones_own(mount, simulated):
    mounted = mount(simulated.config()).wait_ready()
    link = mounted.path / "default"
    assert os.readlink(link) == ROUTE
    echo = "providers/openrouter/models/test/echo:free"
    mounted.sh(f"ln -sfn {echo} default", check=True)
    assert default(mounted).ask("q\n") == b"q\n"
    mounted.stop()
    mounted = mount(simulated.config()).wait_ready()
    assert os.readlink(link) == echo
    mounted.sh("rm default", check=True)
    assert not link.is_symlink()
    mounted.stop()
    mounted = mount(simulated.config()).wait_ready()
    assert os.readlink(link) == ROUTE


def test_aliases_and_routes_of_config_yml(mount, simulated):
    def config(**more):
        return simulated.config(routes={"text-to-text": ["openrouter/test/slow:free"]}, **more)

    mounted = mount(config(aliases={"fast": "openrouter/test/echo:free", "odd": "openrouter/a//b"}))
    mounted.wait_ready()
    fast = Model(mounted.path / "fast")
    assert fast.ask("q\n") == b"q\n"
    assert os.readlink(mounted.path / "odd") == "providers/openrouter/models/a/%/b"
    assert flat(default(mounted).text("status"))["next"] == "openrouter/test/slow:free"
    mounted.sh("ln -sfn providers odd", check=True)
    mounted.config = local_only(config(aliases={"quick": "openrouter/test/echo:free"}))
    mounted.prepare()
    (mounted.path / "ctl").write_text("reload\n")
    until((mounted.path / "quick").is_symlink, 5, "the new alias is there")
    assert not (mounted.path / "fast").is_symlink()
    assert os.readlink(mounted.path / "odd") == "providers"


# ---- writing to route ----


def test_copying_route_back_changes_nothing_and_appending_adds(tree):
    path = tree.path / ROUTE / "route"
    before = path.read_text()
    tree.sh(f"cp {ROUTE}/route $HOME/r; cat $HOME/r > {ROUTE}/route", check=True, HOME=tree.home)
    assert path.read_text() == before
    tree.sh(f"echo 'openrouter/test/paid' >> {ROUTE}/route", check=True)
    patterns = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert patterns == ["@local", "@free", "openrouter/test/paid"]
    tree.sh(f": > {ROUTE}/route", check=True)
    assert "openrouter/test/paid" in path.read_text()
    tree.sh(f"echo > {ROUTE}/route", check=True)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("openrouter", "line 1: 'openrouter' names no model"),
        ("a/b\n@paid", "line 2: '@paid' is neither @local nor @free"),
        ("a/\x07", "line 1 holds a control character"),
        ("x/" + "y" * 2000, "more than 1100 bytes"),
        ("a/b\n" * 101, "more than 100 patterns"),
        ("a/\0b", "NUL"),
        (b"a/\xff\xfe", "isn't UTF-8"),
    ],
)
def test_what_can_be_no_pattern_is_refused_at_the_write(tree, written, words):
    path = tree.path / ROUTE / "route"
    before = path.read_text()
    data = written if isinstance(written, bytes) else written.encode()
    with pytest.raises(OSError), open(path, "wb", buffering=0) as file:
        file.write(data + b"\n")
    assert words in default(tree).text("error")
    assert path.read_text() == before


def test_a_hostile_pattern_takes_no_time(tree):
    route(tree, "*a" * 500 + "b/*", "openrouter/" + "[" * 1000, "openrouter/test/e*o:free")
    began = time.monotonic()
    assert default(tree).ask("q\n") == b"q\n"
    assert time.monotonic() - began < seconds(10)


# ---- with nothing set up ----


def test_a_newcomer_is_told_what_works_and_what_is_needed(mount, simulated):
    """The catalogue is known, there is no key, and no service of this machine answers."""
    env = {"OPENROUTER_BASE_URL": simulated.base_url}
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    config = {"providers": {"llamacpp": {"base_url": nobody}}}
    mounted = mount(config, env).wait_ready()
    result = mounted.sh("echo hello > default/input; cat default/output")
    assert result.out == b"" and result.status == 1
    assert result.err.count(b"Required key not available") == 2
    error = default(mounted).text("error")
    assert error.startswith("ENOKEY: nothing is set up to answer: start llama.cpp on this machine")
    assert "get a key at https://openrouter.ai/" in error
    assert "echo KEY > providers/openrouter/key" in error
    # As README has it, where nobody listens at the address of any service of this machine.
    assert error.replace("llama.cpp on", "llama.cpp, LM Studio, Ollama or vLLM on") in README
    assert "bash: mnt/default/input: Required key not available" in README
    status = (mounted.path / "status").read_text()
    assert "\ndefault - nothing is set up to answer" in status
    lines = [line.split()[1:3] for line in status.splitlines() if line.startswith("provider ")]
    assert lines[0] == ["cowsay", "ready"]
    assert ["openrouter", "needs-key"] in lines and ["llamacpp", "failed"] in lines
    readme = (mounted.path / "README.md").read_text()
    assert "default/input" in readme and "providers/cowsay/models/cow" in readme
    assert "# Nobody: nothing is set up" in default(mounted).text("route")
    # The shortest path, as the words say it.
    (mounted.path / "providers/openrouter/key").write_text(Simulated.KEY + "\n")
    assert default(mounted).ask("hello\n") == b"hello\n"
    assert flat((mounted.path / "status").read_text())["default"] == "openrouter/test/echo:free"
    assert len(simulated.chats()) == 1


def test_without_a_network_a_newcomer_is_sent_where_models_are_free(mount):
    """No list is known: who lists its models to everybody isn't yet who gives some."""
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    env = {"OPENROUTER_BASE_URL": nobody, "HUGGINGFACE_BASE_URL": nobody}
    mounted = mount({"providers": {"huggingface": {}, "openrouter": {}}}, env)
    assert mounted.sh("echo hello > default/input").status == 1
    assert default(mounted).text("error").endswith("echo KEY > providers/openrouter/key")
    mounted.stop()
    mounted.config = local_only({"providers": {"huggingface": {}, "openrouter": "off"}})
    mounted.start()
    assert mounted.sh("echo hello > default/input").status == 1
    assert "providers/huggingface/key, then name its models in capabilities/" in default(mounted).text("error")


def test_nothing_paid_is_asked_unasked(mount, simulated, tmp_path):
    models = [("test/paid", "text", "0.000001"), ("test/cut", "text", "0.000001")]
    offer(simulated, tmp_path / "paid.json", *models)
    mounted = mount(simulated.config()).wait_ready()
    assert mounted.sh("echo q > default/input").status == 1
    assert default(mounted).text("error").startswith("ENOKEY: ")
    assert simulated.chats() == []
    route(mounted, "openrouter/test/paid")
    assert default(mounted).ask("q\n") == b"q\n"
    assert [chat["json"]["model"] for chat in simulated.chats()] == ["test/paid"]


def test_rankings_and_vectors_listed_at_nothing_arent_free(mount, simulated, tmp_path):
    """What is listed so is billed otherwise: only `:free` says that it isn't."""
    models = [
        ("acme/rank", "rerank", "0"),
        ("acme/rank:free", "rerank", "0"),
        ("acme/embed", "embeddings", "0"),
        ("acme/embed:free", "embeddings", "0"),
    ]
    offer(simulated, tmp_path / "models.json", *models)
    mounted = mount(simulated.config(budget={"day": 1})).wait_ready()
    for kind, name in (("rerank", "rank"), ("embedding", "embed")):
        shown = (mounted.path / f"capabilities/text-to-{kind}/route").read_text()
        assert f"# 1 openrouter/acme/{name}:free  unknown, free" in shown
        assert f"openrouter/acme/{name}  " not in shown
        path = f"providers/openrouter/models/acme/{name}"
        assert mounted.sh(f"echo q > {path}/input").status == 1
        words = mounted.model(f"acme/{name}").text("error")
        assert words.startswith("EDQUOT: ") and "what this model costs isn't known" in words
        assert mounted.sh(f"echo q > {path}:free/input").status == 0
    assert os.listdir(mounted.path / "providers/openrouter/free/acme") == ["rank:free", "embed:free"]


def test_what_may_be_a_relay_isnt_taken_to_cost_nothing(mount, simulated, tmp_path):
    """The environment's address of a service that charges gets that service's key."""
    offer(simulated, tmp_path / "models.json", ("acme/known", "text", "0.000001"))
    models = json.loads((tmp_path / "models.json").read_text())
    models["data"].append({"id": "acme/unstated", "architecture": {"output_modalities": ["text"]}})
    (tmp_path / "models.json").write_text(json.dumps(models))
    env = {"OPENROUTER_BASE_URL": simulated.base_url, "OPENROUTER_API_KEY": Simulated.KEY}
    mounted = mount({}, env).wait_ready()
    assert mounted.sh("echo q > default/input").status == 1
    assert default(mounted).text("error").startswith("ENOKEY: ")
    route(mounted, "openrouter/acme/unstated")
    assert "# 1 openrouter/acme/unstated  unknown, price unknown" in comments(mounted)
    assert simulated.chats() == []
    mounted.stop()
    # An entry with an address of its own is a service of this machine.
    mounted = mount(simulated.config()).wait_ready()
    route(mounted)
    assert "# 1 openrouter/acme/unstated  unknown, free" in comments(mounted)


def test_readmes_session_word_for_word(mount, fresh, tmp_path):
    """With a service of this machine that goes away, and one behind a key."""
    local, remote = Simulated(tmp_path / "local.log"), fresh[0]
    for server, *models in (
        (local, ("qwen3-8b", "text", "0")),
        (remote, ("google/gemma-4-31b-it:free", "text", "0"), ("openai/gpt-oss-20b:free", "text", "0")),
    ):
        offer(server, tmp_path / f"{server.port}.json", *models)
        server.replay(answers("The Nile, the Danube and the Ganges."), content_type="text/event-stream")
    stub = tmp_path / "killall"
    gone = f"(exec 3<>/dev/tcp/127.0.0.1/{local.port}) 2>/dev/null"
    stub.write_text(f"#!/bin/bash\nkill {local.process.pid}\nwhile {gone}; do sleep 0.02; done\n")
    stub.chmod(0o755)
    mounted = mount({"providers": {"llamacpp": entry(local), "openrouter": remote.provider()}})
    mounted.wait_ready("llamacpp").wait_ready("openrouter")
    session = README.split("who answers when the one is gone:\n\n")[1].split("\n\n")[0]
    steps = [step.splitlines() for step in session.replace("    ", "").split("$ ")[1:]]
    assert len(steps) == 5
    try:
        for command, *expected in steps:
            result = mounted.sh(command, cwd=mounted.home, check=True, PATH=f"{tmp_path}:{os.environ['PATH']}")
            told = result.out.decode().replace(f":{local.port} ", ":8080 ")
            assert told.splitlines() == expected, command
        writing = README.split("changes who is asked, in what order:\n\n")[1].split("\n\n")[0]
        for line in writing.replace("    $ ", "").splitlines():
            mounted.sh(line, cwd=mounted.home, check=True)
        assert (mounted.path / ROUTE / "config/policy").read_text() == "cheapest\n"
        patterns = (mounted.path / ROUTE / "route").read_text()
        assert "\nllamacpp/*\nopenrouter/*:free\n!*/gemma*\nopenrouter/openai/gpt-5-mini\n" in patterns
        assert os.readlink(mounted.path / "default").endswith("/openai/gpt-5-mini")
    finally:
        local.stop()


# ---- the files of a model ----


def test_a_route_has_the_files_of_a_model(tree):
    route(tree, "openrouter/test/fail-500:free", "openrouter/test/echo:free")
    result = tree.sh("exec 3<>default/rpc; echo private >&3; cat <&3")
    assert result.out == b"private\n"
    assert flat(default(tree).text("status"))["turn"] == "000001"
    tree.sh("mkdir default/sessions/s; echo one > default/sessions/s/input", check=True)
    session = Model(tree.path / "default/sessions/s")
    assert session.read() == b"one\n"
    route(tree, "openrouter/test/talk:free")
    assert session.ask("two\n") == b"user: one\nassistant: one\nuser: two\n"
    (tree.path / ROUTE / "config/temperature").write_text("0.25\n")
    route(tree, "openrouter/test/settings:free")
    assert b'"temperature": 0.25' in default(tree).ask("q\n")
    assert not (tree.path / ROUTE / "info").exists()
    assert b"completion_tokens_most" in tree.sh("exec 3<>default/estimate; echo q >&3; cat <&3").out
    tree.sh("echo cancel > default/ctl")
    assert default(tree).text("error").startswith("ESRCH: ")
