"""Money: what turns cost, sums that add up, and limits that hold."""

import concurrent.futures
import datetime
import errno
import json
import os
import shutil

import pytest
from harness.mount import flat
from harness.refused import refused
from harness.wait import until


def usage(tree, provider=None):
    """The lines of a usage file that hold one value."""
    path = tree.path / "providers" / provider / "usage" if provider else tree.path / "usage"
    return flat(path.read_text())


def group(tree, kind):
    """The lines of one kind: {name: {key: value}}."""
    lines = [line.split(" ") for line in (tree.path / "usage").read_text().splitlines()]
    return {
        words[1]: dict(word.split("=") for word in words[2:])
        for words in lines
        if words[0] == kind and len(words) > 2
    }


def test_usage_tells_the_cost_by_period_provider_and_model(tree):
    for prompt in ("one two", "three"):
        tree.model("test/paid").ask(prompt)
    tree.model("test/echo:free").ask("four")
    total = usage(tree)
    for prefix in ("today", "month", "total"):
        assert total[f"{prefix}_turns"] == "3"
        assert total[f"{prefix}_cost"] == "0.000025"
        assert total[f"{prefix}_unpriced_turns"] == "0"
    assert total["total_prompt_tokens"] == "4" and total["total_completion_tokens"] == "7"
    assert group(tree, "provider")["openrouter"]["cost"] == "0.000025"
    paid = group(tree, "model")["openrouter/test/paid"]
    assert (paid["turns"], paid["cost"]) == ("2", "0.000025")
    assert group(tree, "model")["openrouter/test/echo:free"]["cost"] == "0"
    today = datetime.date.today()
    assert group(tree, "day")[str(today)]["turns"] == "3"
    assert group(tree, "month")[f"{today:%Y-%m}"]["cost"] == "0.000025"
    del total["provider"]
    assert usage(tree, "openrouter") == total
    assert usage(tree, "cowsay")["total_turns"] == "0"


def test_a_cancelled_turn_counts_once_also_after_a_crash(mount, simulated):
    entry = simulated.provider(price={"prompt": 0, "completion": 1}, config={"max_tokens": 1000})
    tree = mount({"providers": {"openrouter": entry}}).wait_ready()
    model = tree.model("test/unstated")
    simulated.control(chat="silent")
    model.write("one")
    until(lambda: len(simulated.prompts()) == 1, 10, "it is sent")
    (model.path / "ctl").write_text("cancel\n")
    assert usage(tree)["total_unpriced_turns"] == "1"
    assert usage(tree)["total_unpriced_most"] == "0.001"
    assert model.facts("usage")["source"] == "unknown"
    model.write("two")
    until(lambda: len(simulated.prompts()) == 2, 10, "it is sent")
    tree.kill()
    for _ in range(2):
        tree.start().wait_ready()
        assert model.facts()["state"] == "interrupted"
        assert usage(tree)["total_turns"] == "2" and usage(tree)["total_unpriced_most"] == "0.002"
        tree.stop()


# ---- budgets ----


@pytest.fixture
def cent(mount, simulated, tmp_path):
    """Makes a mount where a turn of test/paid costs, and may cost at most, a cent."""
    entry = {
        "id": "test/paid",
        "pricing": {"prompt": "0", "completion": "0", "request": "0.01"},
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    }
    free = {**entry, "id": "test/echo:free", "pricing": {"prompt": "0", "completion": "0"}}
    listing = tmp_path / "models.json"
    listing.write_text(json.dumps({"data": [entry, free]}))
    simulated.control(models=str(listing), cost=0.01)

    def make(**more):
        providers = {"openrouter": simulated.provider(concurrent=100)}
        return mount({"providers": providers, "limits": {"queue": 300}, **more}).wait_ready()

    return make


def ask_many(model, n):
    """So many writers at once; what each came to: an answer or an errno."""

    def one(number):
        try:
            model.write(f"prompt {number}")
        except OSError as error:
            return error.errno
        return 0

    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


@pytest.mark.parametrize("chat", ["hang", "paid"])
def test_a_hundred_writers_at_once_never_exceed_a_budget(cent, simulated, chat):
    tree = cent(budget={"day": 0.10})
    model = tree.model("test/paid")
    simulated.control(chat=chat)
    came = ask_many(model, 100)
    assert set(came) <= {0, errno.EDQUOT}
    until(lambda: flat((tree.path / "status").read_text())["queued"] == "0", 10, "no turn waits")
    until(lambda: len(simulated.prompts()) >= 8, 10, "what was accepted is sent")
    if chat == "paid":
        until(lambda: flat((tree.path / "status").read_text())["running"] == "0", 10, "all ended")
        assert usage(tree)["total_cost"] == "0.1"
    assert 8 <= len(simulated.prompts()) <= 10
    assert refused(lambda: model.write("one more")) == errno.EDQUOT
    assert refused(model.read) == errno.EDQUOT
    assert model.text("error").startswith("EDQUOT: budget/day is 0.1 USD: ")
    assert len(simulated.prompts()) <= 10


def test_a_budget_that_was_used_up_is_told_at_open_and_lets_free_models_run(cent, simulated):
    tree = cent()
    (tree.path / "budget/total").write_text("0.015\n")
    model = tree.model("test/paid")
    model.ask("one")
    # Half a cent is left: nothing that costs a cent at most is sent for it.
    model.write("two")
    assert refused(model.read) == errno.EDQUOT
    assert "may cost up to 0.01" in model.text("error")
    (tree.path / "budget/total").write_text("0.01\n")
    assert refused(lambda: model.write("three")) == errno.EDQUOT
    assert tree.model("test/echo:free").ask("free") == b"free\n"
    (tree.path / "budget/total").write_text("0.02\n")
    assert model.ask("four") == b"four\n"
    assert simulated.prompts() == ["one", "free", "four"]
    assert usage(tree)["total_cost"] == "0.02"


def test_budgets_of_root_and_provider_both_hold_and_outlive_a_remount(cent):
    tree = cent(budget={"day": 1})
    budget = tree.path / "providers/openrouter/budget"
    (budget / "month").write_text("0.01\n")
    tree.model("test/paid").ask("one")
    assert refused(lambda: tree.model("test/paid").write("two")) == errno.EDQUOT
    words = tree.model("test/paid").text("error")
    assert "echo AMOUNT > providers/openrouter/budget/month" in words
    tree.stop()
    tree.start().wait_ready()
    assert (budget / "month").read_text() == "0.01\n"
    assert (tree.path / "budget/day").read_text() == "1\n"
    assert refused(lambda: tree.model("test/paid").write("two")) == errno.EDQUOT
    (budget / "month").unlink()
    tree.model("test/paid").ask("three")


def test_what_is_under_way_counts_until_it_has_ended(cent, simulated):
    tree = cent(budget={"day": 0.01})
    model = tree.model("test/paid")
    simulated.control(chat="silent")
    model.write("one")
    assert refused(lambda: model.write("two")) == errno.EDQUOT
    assert "0 is spent and 0.01 reserved" in model.text("error")
    until(lambda: simulated.prompts() == ["one"], 10, "it is sent")
    tree.kill()
    # What it cost isn't known: it counts by the most it can have cost.
    tree.start().wait_ready()
    assert refused(lambda: model.write("three")) == errno.EDQUOT
    assert "0.01 is spent and 0 reserved" in model.text("error")


def test_a_prompt_that_was_refused_by_the_service_costs_nothing(cent, simulated):
    tree = cent(budget={"day": 0.01})
    simulated.control(replay={"status": 400, "headers": {}, "body": ""})
    model = tree.model("test/paid")
    for _ in range(3):
        model.write("one")
        assert refused(model.read) == errno.EINVAL
    simulated.control(replay=None)
    assert model.ask("two") == b"two\n"


def test_max_tokens_is_lowered_to_what_is_affordable_but_not_below_256(tree, simulated):
    model = tree.model("test/paid")  # 1 and 2 USD for a million tokens
    simulated.control(chat="settings")
    (tree.path / "budget/day").write_text("0.01\n")
    asked = json.loads(model.ask("short"))["max_tokens"]
    assert 4500 < asked < 5000
    (tree.path / "budget/day").write_text("0.0005\n")
    model.write("less than 256 tokens are affordable")
    assert refused(model.read) == errno.EDQUOT
    (tree.path / "budget/day").write_text("none\n")
    assert json.loads(model.ask("short"))["max_tokens"] == 16384
    # What was set is meant.
    (tree.path / "budget/day").write_text("0.01\n")
    model.set("max_tokens", "10000")
    model.write("short")
    assert refused(model.read) == errno.EDQUOT
    assert len(simulated.prompts()) == 2


def test_an_unknown_price_under_a_budget_is_refused_unless_it_is_stated(mount, simulated):
    tree = mount(simulated.config(budget={"total": 1})).wait_ready()
    model = tree.model("test/variable")
    assert refused(lambda: model.write("one")) == errno.EDQUOT
    assert "providers: {openrouter: {price: {prompt: " in model.text("error")
    tree.stop()
    simulated.control(chat="echo")
    entry = simulated.provider(price={"prompt": 1, "completion": 2, "request": 0.5})
    other = mount({"providers": {"openrouter": entry}, "budget": {"total": 1}}, home="other")
    assert other.wait_ready().model("test/variable").ask("one") == b"one\n"


def test_a_session_has_a_budget_of_its_own(cent):
    tree = cent()
    model = tree.model("test/paid")
    (model.path / "sessions/mine").mkdir()
    session = tree.model("test/paid/sessions/mine")
    (session.path / "budget/total").write_text("0.01\n")
    session.ask("one")
    assert refused(lambda: session.write("two")) == errno.EDQUOT
    assert "sessions/mine/budget/total" in session.text("error")
    assert not (model.path / "budget").exists()
    model.ask("three")
    (session.path / "budget/total").unlink()
    session.ask("four")


# ---- what was cut off ----


def test_what_a_cancelled_turn_cost_is_asked_afterwards(tree, simulated):
    model = tree.model("test/paid")
    simulated.control(chat="silent")
    model.write("one")
    until(lambda: model.path.joinpath("output").stat().st_size > 0, 10, "it began")
    (model.path / "ctl").write_text("cancel\n")
    assert model.facts("usage")["cost"] == "unknown"
    most = float(usage(tree)["total_unpriced_most"])
    assert most > 0.03
    asked = lambda: [r for r in simulated.journal()["requests"] if "/generation?" in r["path"]]  # noqa: E731
    until(asked, 10, "it is asked what it cost")
    assert asked()[0]["headers"]["authorization"] == f"Bearer {simulated.KEY}"
    # It isn't known at once: it is asked again.
    simulated.control(generation=0.000123)
    until(lambda: model.facts("usage")["cost"] != "unknown", 20, "it is told")
    told = model.facts("usage")
    assert (told["cost"], told["source"]) == ("0.000123", "reported")
    assert (told["prompt_tokens"], told["completion_tokens"]) == ("11", "9")
    total = usage(tree)
    assert (total["total_turns"], total["total_cost"]) == ("1", "0.000123")
    assert (total["total_unpriced_turns"], total["total_unpriced_most"]) == ("0", "0")
    assert total["total_prompt_tokens"] == "11"
    tree.stop()
    tree.start().wait_ready()
    assert usage(tree)["total_cost"] == "0.000123" and model.facts("usage")["cost"] == "0.000123"


def test_what_was_answered_refused_or_free_is_not_asked_about(tree, simulated):
    tree.model("test/paid").ask("one")
    simulated.control(replay={"status": 400, "headers": {}, "body": ""})
    tree.model("test/paid").write("two")
    assert refused(tree.model("test/paid").read) == errno.EINVAL
    simulated.control(replay=None, chat="silent")
    free = tree.model("test/echo:free")
    free.write("three")
    until(lambda: free.path.joinpath("output").stat().st_size > 0, 10, "it began")
    (free.path / "ctl").write_text("cancel\n")
    tree.model("test/paid").write("four")
    until(lambda: len(simulated.prompts()) == 4, 10, "it is sent")
    (tree.model("test/paid").path / "ctl").write_text("cancel\n")
    # By the time that the last one is asked about the others would have been.
    asked = lambda: [r["path"] for r in simulated.journal()["requests"] if "/generation" in r["path"]]  # noqa: E731
    until(asked, 10, "it is asked what the last one cost")
    assert len(set(asked())) == 1


# ---- the files of budget/ ----


def test_a_budget_is_written_like_a_setting(tree):
    budget = tree.path / "budget"
    assert sorted(os.listdir(budget)) == ["day", "month", "total"]
    assert [(budget / name).read_text() for name in ("day", "month", "total")] == ["", "", ""]
    for wrong in ("-1", "two", "1e9", "1,50", "0.0000000000001", "2000000", "9" * 100):
        assert refused(lambda text=wrong: (budget / "day").write_text(text)) == errno.EINVAL
    assert "is not an amount of USD" in (tree.path / "error").read_text()
    for written, shown in (("2.50\n", "2.5\n"), ("0", "0\n"), ("  7 \n", "7\n"), ("\n", "")):
        (budget / "day").write_text(written)
        assert (budget / "day").read_text() == shown
    tree.sh("echo 3 > budget/month && sed -i s/3/4/ budget/month", check=True)
    assert (budget / "month").read_text() == "4\n"
    tree.sh("rm budget/month", check=True)
    assert refused(lambda: os.mkdir(budget / "week")) == errno.EPERM


def test_what_config_yml_says_holds_until_something_else_is_written(mount, simulated):
    tree = mount(simulated.config(budget={"day": 2}))
    day = tree.path / "budget/day"
    assert day.read_text() == "2\n"
    day.write_text("none\n")
    assert day.read_text() == "none\n"
    day.write_text("\n")
    assert day.read_text() == "2\n"


def test_a_budget_copied_out_and_back_in_stays_what_it_was(mount, simulated, tmp_path):
    tree = mount(simulated.config(budget={"day": 2}))
    (tree.path / "budget/month").write_text("5\n")
    shutil.copytree(tree.path / "budget", tmp_path / "copy")
    tree.sh(f"cp -r {tmp_path}/copy/. budget/", check=True)
    assert (tree.path / "budget/month").read_text() == "5\n"
    # It isn't a limit of its own now: config.yml's still is what holds.
    tree.stop()
    again = mount(simulated.config(budget={"day": 3}))
    assert (again.path / "budget/day").read_text() == "3\n"
