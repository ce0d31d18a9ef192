"""Money: what turns cost, sums that add up, and limits that hold."""

import datetime

from harness.mount import flat
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
    until(lambda: model.facts()["state"] == "running", 10, "it runs")
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
