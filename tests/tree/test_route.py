"""Routes on a real mount: who answers by default, in what order, and who takes over from whom."""

import concurrent.futures
import json
import os
import pathlib
import time

import pytest
from harness.mount import Model, flat, local_only
from harness.server import Simulated, free_port, prompt_of
from harness.wait import seconds, until

ROUTE = "capabilities/text-to-text"
TURNS = int(os.environ.get("CONDUITFS_ROUTE_TURNS", "200"))


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """Five simulated services, each a process and a port of its own."""
    made = [Simulated(tmp_path_factory.mktemp("service") / "log") for _ in range(5)]
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def fresh(services):
    for one in services:
        one.control(reset=True, clear=True)
    return services


def entry(service, **more):
    """Its entry in config.yml under a name of its own: OpenRouter's dialect, by its driver."""
    return {"driver": "openrouter", **service.provider(), "retries": 1, **more}


def offer(service, path, *models):
    """Has a service list these: (id, what comes out, USD a token)."""
    data = [
        {
            "id": name,
            "context_length": 8000,
            "architecture": {"input_modalities": ["text"], "output_modalities": [output]},
            "pricing": {"prompt": price, "completion": price},
        }
        for name, output, price in models
    ]
    path.write_text(json.dumps({"data": data}))
    service.control(models=str(path))


def default(mounted):
    return Model(mounted.path / "default")


def route(mounted, *patterns):
    (mounted.path / ROUTE / "route").write_text("\n".join(patterns) + "\n")


def comments(mounted):
    return [line for line in default(mounted).text("route").splitlines() if line.startswith("#")]


def tried(text):
    return [line.split(" ", 3)[1:3] for line in text.splitlines() if line.startswith("tried ")]


# ---- failover ----

FAILING = {
    "refused": (None, "ECONNREFUSED"),
    "429": ("fail-429", "EBUSY"),
    "500": ("fail-500", "EREMOTEIO"),
    "stalls": ("hang", "ETIMEDOUT"),
    "drops": ("drop", "ECONNRESET"),
}


@pytest.fixture
def five(mount, fresh):
    """A provider each that fails in its way, with its service's models stored, and one that answers."""
    names = [*FAILING, "good"]
    gone = Simulated(pathlib.Path(os.devnull))
    servers = dict(zip(names, [gone, *fresh]))
    config = {"providers": {name: entry(server) for name, server in servers.items()}}
    mounted = mount(config, home="five")
    for name in names:
        mounted.wait_ready(name)
    gone.stop()
    (mounted.path / ROUTE / "config/timeout_first_byte").write_text("0.5\n")
    return mounted, servers


def test_the_next_answers_whatever_the_first_fails_with(five):
    mounted, servers = five
    for name, (model, errno) in FAILING.items():
        bad = f"{name}/test/{model or 'echo'}:free"
        route(mounted, bad, "good/test/echo:free")
        prompt = f"who is left after {name}?"
        assert default(mounted).ask(prompt + "\n").decode() == prompt + "\n"
        status = default(mounted).text("status")
        assert flat(status)["provider"] == "good"
        assert flat(status)["model"] == "test/echo:free"
        assert tried(status) == [[bad, errno]]
        assert tried(default(mounted).text("turns/last/status")) == [[bad, errno]]
        assert servers["good"].prompts()[-1] == prompt
        if model:
            assert [prompt_of(chat["json"]) for chat in servers[name].chats()] == [prompt]


def test_after_the_first_byte_the_failure_stands(mount, fresh):
    dying, good = fresh[:2]
    mounted = mount({"providers": {"dying": entry(dying), "good": entry(good)}})
    mounted.wait_ready("dying").wait_ready("good")
    route(mounted, "dying/test/reset:free", "good/test/echo:free")
    result = mounted.sh("echo q > default/input; cat default/output")
    assert result.out == b"half " and result.status == 1
    assert default(mounted).text("error").startswith("EPROTO: ")
    assert flat(default(mounted).text("status"))["provider"] == "dying"
    assert good.chats() == []


def test_with_nobody_left_error_names_all_that_were_tried(mount, fresh):
    mounted = mount({"providers": {"a": entry(fresh[0], retries=0), "b": entry(fresh[1], retries=0)}})
    mounted.wait_ready("a").wait_ready("b")
    route(mounted, "a/test/fail-503:free", "b/test/fail-429:free")
    result = mounted.sh("echo q > default/input; cat default/output")
    assert result.status == 1 and b"Device or resource busy" in result.err
    error = default(mounted).text("error")
    assert error.startswith("EBUSY: ") and tried(error) == [["a/test/fail-503:free", "EREMOTEIO"]]
    # What the prompt itself brought about is nobody else's to answer.
    route(mounted, "a/test/fail-400:free", "b/test/echo:free")
    assert mounted.sh("echo q > default/input; cat default/output").status == 1
    assert default(mounted).text("error").startswith("EINVAL: ")
    assert fresh[1].prompts() == ["q"]


def test_a_service_that_goes_away_is_left_be_and_asked_again(mount, fresh, tmp_path):
    away = Simulated(tmp_path / "away.log")
    mounted = mount({"providers": {"away": entry(away), "good": entry(fresh[0])}})
    mounted.wait_ready("away").wait_ready("good")
    route(mounted, "away/test/echo:free", "good/test/echo:free")
    assert default(mounted).ask("one\n") == b"one\n"
    assert flat(default(mounted).text("status"))["provider"] == "away"
    away.stop()
    assert default(mounted).ask("two\n") == b"two\n"
    assert flat(default(mounted).text("status"))["next"] == "good/test/echo:free"
    assert (mounted.path / "providers/away/info/health").read_text() == "down\n"
    assert any("let be until" in line for line in comments(mounted))
    back = Simulated(tmp_path / "back.log", away.port)
    try:
        # A discovery that succeeds shows that it can be reached.
        (mounted.path / "providers/away/ctl").write_text("refresh\n")
        health = mounted.path / "providers/away/info/health"
        until(lambda: health.read_text() == "healthy\n", 10, "it is healthy again")
        assert default(mounted).ask("three\n") == b"three\n"
        assert flat(default(mounted).text("status"))["provider"] == "away"
    finally:
        back.stop()


def test_openrouter_asks_further_free_models_by_itself(mount, fresh):
    """In one request, as many as it takes; those of another provider come after."""
    mounted = mount({"providers": {"a": entry(fresh[0]), "b": entry(fresh[1])}})
    mounted.wait_ready("a").wait_ready("b")
    names = ["test/fail-503:free", "test/echo:free", "test/slow:free", "test/talk:free"]
    route(mounted, *[f"a/{name}" for name in names], "b/test/echo:free")
    assert default(mounted).ask("q\n") == b"q\n"
    (sent,) = fresh[0].chats()
    assert sent["json"]["model"] == names[0] and sent["json"]["models"] == names[:3]
    status = default(mounted).text("status")
    assert flat(status)["model"] == "test/echo:free" and flat(status)["provider"] == "a"
    assert tried(status) == [["a/test/fail-503:free", "EREMOTEIO"]]
    assert fresh[1].chats() == []
    # What costs money is nobody's fallback, and neither is what has other settings.
    route(mounted, "a/test/fail-500:free", "a/test/paid", "a/test/echo:free")
    assert default(mounted).ask("q\n") == b"q\n"
    assert [chat["json"].get("models") for chat in fresh[0].chats()[1:]] == [
        None,
        ["test/paid", "test/echo:free"],
    ]
    mounted.model("test/echo:free", "a").set("temperature", "0.5\n")
    route(mounted, "a/test/fail-429:free", "a/test/echo:free")
    assert default(mounted).ask("q\n") == b"q\n"
    assert [chat["json"].get("models") for chat in fresh[0].chats()[3:]] == [None, None]


def test_a_request_that_is_refused_for_its_fallbacks_is_sent_without(mount, fresh):
    mounted = mount({"providers": {"a": entry(fresh[0])}}).wait_ready("a")
    fresh[0].control(fallbacks=0)
    route(mounted, "a/test/echo:free", "a/test/talk:free")
    assert default(mounted).ask("q\n") == b"q\n"
    assert ["models" in chat["json"] for chat in fresh[0].chats()] == [True, False]


def test_when_all_of_one_request_fail_they_are_all_tried(mount, fresh):
    mounted = mount({"providers": {"a": entry(fresh[0]), "b": entry(fresh[1])}})
    mounted.wait_ready("a").wait_ready("b")
    failing = ["a/test/fail-429:free", "a/test/fail-500:free", "a/test/fail-502:free"]
    route(mounted, *failing, "b/test/echo:free")
    assert default(mounted).ask("q\n") == b"q\n"
    assert [name for name, _ in tried(default(mounted).text("status"))] == failing
    assert len(fresh[0].chats()) == 1


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


@pytest.mark.bound(900)
def test_turns_while_a_third_of_the_candidates_flaps(mount, fresh):
    """None lost, none answered twice, none sent to a model that costs money."""
    names = ["a", "b", "c"]
    mounted = mount({"providers": {name: entry(server) for name, server in zip(names, fresh)}})
    for name in names:
        mounted.wait_ready(name)
    for server in fresh[:3]:
        server.control(busy=0)
    route(mounted, "*/test/flap:free", "*/test/echo:free", "*/test/busy:free")

    def ask(number):
        prompt = f"prompt {number}"
        with open(mounted.path / "default/rpc", "r+b", buffering=0) as file:
            file.write(prompt.encode() + b"\n")
            answer = b""
            while piece := file.read(4096):
                answer += piece
        return prompt, answer.decode()

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(TURNS)))
    assert [answer for prompt, answer in answers if answer != prompt + "\n"] == []
    chats = [chat for server in fresh[:3] for chat in server.chats()]
    assert {chat["json"]["model"] for chat in chats} <= {
        "test/flap:free",
        "test/echo:free",
        "test/busy:free",
    }
    answered = [prompt_of(chat["json"]) for chat in chats if chat["answered"]]
    assert sorted(answered) == sorted(prompt for prompt, _ in answers)
    # It was worth the trouble: some did fail first.
    assert len(chats) > TURNS
    status = flat((mounted.path / "status").read_text())
    assert status["turns_done"] == str(TURNS) and status["turns_failed"] == "0"
    assert status["running"] == "0" and status["queued"] == "0"
