"""What tests of routes share: services under names of their own, and what a route shows."""

import json

from harness.mount import Model

ROUTE = "capabilities/text-to-text"


def entry(service, **more):
    """Its entry in config.yml under a name of its own: OpenRouter's dialect, by its driver."""
    return {"driver": "openrouter", **service.provider(), "retries": 1, **more}


def answers(text):
    """A stream that holds this answer, for Simulated.replay."""
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


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
