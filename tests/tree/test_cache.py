"""config/cache: the same request is answered again for nothing."""

import errno

import pytest
from harness.mount import flat
from harness.refused import refused


# ---- config/cache ----


@pytest.fixture
def cached(mount, simulated):
    """A mount that gives answers again for an hour."""
    config = simulated.provider(config={"cache": "1h", "retries": 0})
    return mount({"providers": {"openrouter": config}}).wait_ready()


def test_the_same_request_is_answered_again_for_nothing(cached, simulated):
    model = cached.model("test/paid")
    assert model.ask("same") == model.ask("same") == b"same\n"
    assert simulated.prompts() == ["same"]
    status, told = model.facts("turns/000002/status"), model.facts("turns/000002/usage")
    assert (status["state"], status["finish"], status["cached_from"]) == ("done", "stop", "000001")
    assert (told["cost"], told["source"], told["completion_tokens"]) == ("0", "cached", "0")
    spent = flat((cached.path / "usage").read_text())
    assert spent["total_turns"] == "2" and spent["total_cost"] == "0.0000125"
    assert model.ask("other") == b"other\n"
    cached.stop()
    cached.start().wait_ready()
    assert model.ask("same") == b"same\n"
    assert model.facts("turns/000004/status")["cached_from"] == "000001"
    assert "cached_from" not in model.facts("turns/000003/status")
    assert simulated.prompts() == ["same", "other"]


def test_what_matters_makes_another_request(cached, simulated):
    model = cached.model("test/paid")
    model.ask("same")
    for name, value in (("temperature", "0.5"), ("system", "be brief"), ("max_tokens", "7")):
        model.set(name, value)
        model.ask("same")
    assert len(simulated.prompts()) == 4
    model.set("timeout_idle", "77")
    model.ask("same")
    assert len(simulated.prompts()) == 4
    cached.model("test/echo:free").ask("same")
    assert len(simulated.prompts()) == 5
    # What a conversation holds is part of the request; which directory it is in isn't.
    cached.sh("echo same > input; cat output; echo same >> input; cat output", cwd=model.path)
    assert len(simulated.prompts()) == 6
    (model.path / "sessions/one").mkdir()
    session = cached.model("test/paid/sessions/one")
    assert session.ask("same") == session.ask("same") == b"same\n"
    assert len(simulated.prompts()) == 6
    from_model = session.facts("turns/000001/status")["cached_from"]
    assert from_model.startswith("providers/openrouter/models/test/paid/turns/0000")


def test_a_retry_is_sent_and_failures_are_not_given_again(cached, simulated):
    model = cached.model("test/paid")
    model.ask("same")
    (model.path / "ctl").write_text("retry\n")
    model.read()
    assert len(simulated.prompts()) == 2
    simulated.control(chat="cut")
    for _ in range(2):
        model.write("broken")
        assert refused(model.read) == errno.EPROTO
    assert len(simulated.prompts()) == 4


def test_off_and_after_its_time_the_request_is_sent(cached, simulated):
    model = cached.model("test/echo:free")
    model.ask("same")
    model.set("cache", "0")
    model.ask("same")
    model.set("cache", "0.001")
    model.ask("same")
    assert len(simulated.prompts()) == 3
    assert refused(lambda: model.set("cache", "-1")) == errno.EINVAL
    model.set("cache", "30d\n")
    assert model.text("config/cache") == "2592000"
    model.ask("same")
    assert len(simulated.prompts()) == 3


def test_a_large_prompt_and_a_large_answer_are_given_again(cached, simulated):
    prompt = "".join(f"{n:063}\n" for n in range(40000))
    model = cached.model("test/echo:free")

    def sent():
        return [request["method"] for request in simulated.journal()["requests"]].count("POST")

    assert model.ask(prompt) == model.ask(prompt) == prompt.encode()
    assert sent() == 1
    other = prompt[:-2] + "x\n"
    assert model.ask(other) == other.encode()
    assert sent() == 2
    model.write(prompt + "cancelled while it is read")
    (model.path / "ctl").write_text("cancel\n")
    assert refused(model.read) == errno.ECANCELED
