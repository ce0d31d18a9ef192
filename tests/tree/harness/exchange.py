"""Exchanges recorded of real turns, and replayed."""

import re
import shutil

from harness.command import provider
from harness.mount import TOP


def replayed(exchange, name):
    """How often check replays an exchange, and only that, as one of a bundled provider's."""
    copy = exchange.parent / "checked"
    ignored = shutil.ignore_patterns("tests")
    shutil.copytree(TOP / "providers" / name, copy, ignore=ignored)
    (copy / "tests").mkdir()
    for path in exchange.parent.glob(f"{exchange.stem}*"):
        shutil.copy(path, copy / "tests")
    result = provider(exchange.parent, "check", copy)
    assert result.status == 0, (result.out + result.err).decode(errors="replace") + exchange.read_text()
    return int(re.search(rb"replayed (\d+) times", result.out).group(1))


def record(tree, model, where, name="it"):
    turn = model.path / "turns" / f"{model.turns()[-1]:06}"
    result = provider(tree.home, "exchange", turn, where / name)
    assert result.status == 0, result
    return where / f"{name}.exchange"
