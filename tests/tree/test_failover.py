"""A route on a real mount: who takes over from whom, and that no turn is lost or answered twice."""

import concurrent.futures
import os
import pathlib

import pytest
from harness.mount import flat
from harness.routes import ROUTE, comments, default, entry, offer, route, tried
from harness.server import Simulated, prompt_of
from harness.wait import until

TURNS = int(os.environ.get("CONDUITFS_ROUTE_TURNS", "200"))

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


def test_a_model_that_costs_by_the_time_it_is_its_turn_isnt_asked(mount, fresh, tmp_path):
    """It was free when the prompt was written; the prompt waited, and a new list came."""
    a, b = fresh[0], fresh[1]
    offer(a, tmp_path / "a.json", ("acme/x", "text", "0"))
    mounted = mount({"providers": {"a": entry(a, concurrent=1), "b": entry(b)}})
    mounted.wait_ready("a").wait_ready("b")
    route(mounted, "@free", "!b/*")
    a.control(chat="silent")
    mounted.sh("mkdir default/sessions/first; echo one > default/sessions/first/input", check=True)
    until(lambda: len(a.chats()) == 1, 10, "the first is sent")
    default(mounted).write("two\n")
    assert flat(default(mounted).text("status"))["state"] == "queued"
    offer(a, tmp_path / "a.json", ("acme/x", "text", "0.001"))
    (mounted.path / "ctl").write_text("refresh\n")
    free = mounted.path / "providers/a/models/acme/x/info/free"
    until(lambda: free.read_text() == "no\n", 10, "it costs")
    route(mounted, "@free", "b/test/echo:free")
    (mounted.path / "default/sessions/first/ctl").write_text("cancel\n")
    assert default(mounted).read() == b"two\n"
    assert tried(default(mounted).text("status")) == [["a/acme/x", "ENODEV"]]
    assert len(a.chats()) == 1


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
