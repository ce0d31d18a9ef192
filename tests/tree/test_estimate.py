"""estimate: what a prompt would cost, told without sending anything."""

import json

import pytest
from harness.mount import flat


# ---- estimate ----


def estimate(model, prompt):
    with open(model.path / "estimate", "r+b", buffering=0) as file:
        file.write(prompt.encode())
        return flat(file.read().decode())


def test_an_estimate_tells_tokens_and_price_and_sends_nothing(tree, simulated):
    model = tree.model("test/paid")  # 1 and 2 USD for a million tokens
    model.set("max_tokens", "1000")
    told = estimate(model, "word " * 1000)
    assert 1000 <= int(told["prompt_tokens"]) <= 1400
    assert 5000 <= int(told["prompt_tokens_most"]) <= 5200
    assert told["completion_tokens_most"] == "1000"
    assert float(told["price_prompt"]) == pytest.approx(int(told["prompt_tokens"]) * 1e-6)
    most = int(told["prompt_tokens_most"]) * 1e-6 + 1000 * 2e-6
    assert float(told["price_most"]) == pytest.approx(most)
    assert int(estimate(model, "é" * 1000)["prompt_tokens"]) >= 1000
    assert estimate(tree.model("test/echo:free"), "x")["price_most"] == "0"
    assert estimate(tree.model("test/variable"), "x")["price_most"] == "unknown"
    assert simulated.prompts() == [] and model.turns() == []


def test_an_estimate_is_private_to_its_descriptor_and_needs_no_key(mount, simulated):
    keyless = {key: value for key, value in simulated.provider().items() if key != "key"}
    tree = mount({"providers": {"openrouter": keyless}}, home="keyless").wait_ready()
    model = tree.model("test/paid")
    script = "exec 3<>estimate 4<>estimate; cat >&3 <<< one; printf %5000s >&4; cat <&3; echo; cat <&4"
    first, second = tree.sh(script, cwd=model.path, check=True).out.decode().split("\n\n")
    assert int(flat(first)["prompt_tokens"]) < 100 < int(flat(second)["prompt_tokens"])
    # A second prompt on the same descriptor is one of its own.
    again = tree.sh("exec 3<>estimate; for p in 1 2; do echo $p >&3; cat <&3; done", cwd=model.path)
    lines = again.out.decode().splitlines()
    assert lines[:5] == lines[5:]
    told = model.read("estimate").decode().splitlines()
    assert told and all(line.startswith("#") for line in told)
    tree.sh("echo ignored > estimate; cp -r . /dev/null; touch estimate", cwd=model.path)
    assert model.turns() == []


def test_a_long_prompt_is_estimated_at_the_price_of_long_prompts(mount, simulated, tmp_path):
    tier = {"min_prompt_tokens": 10000, "prompt": "0.000003"}
    entry = {
        "id": "test/echo",
        "pricing": {"prompt": "0.000001", "completion": "0", "overrides": [tier]},
        "architecture": {"output_modalities": ["text"]},
    }
    listing = tmp_path / "models.json"
    listing.write_text(json.dumps({"data": [entry]}))
    simulated.control(models=str(listing))
    model = mount(simulated.config()).wait_ready().model("test/echo")
    for words, price in ((100, 1e-6), (10000, 3e-6)):
        told = estimate(model, "word " * words)
        assert float(told["price_most"]) == pytest.approx(int(told["prompt_tokens_most"]) * price)
