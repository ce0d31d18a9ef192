"""Many processes in one tree at once: in a model's directory, in sessions, by rpc, in a group.

CONDUITFS_MANY says how many turns in all (1,000 by default; 10,000 take some minutes)."""

import decimal
import os
import pathlib
import subprocess

import pytest
from harness.mount import flat
from harness.wait import seconds, until

TURNS = int(os.environ.get("CONDUITFS_MANY", "1000"))
PROCESSES = 64
WAYS = 5
CLIENT = pathlib.Path(__file__).parent / "clients/many.py"


@pytest.mark.bound(120 + TURNS / 10)
def test_nobody_is_answered_for_another_and_the_ledger_equals_the_service_journal(mount, simulated):
    rounds = max(TURNS // (PROCESSES * WAYS), 1)
    limits = {"queue": 1000, "concurrent": 32}
    tree = mount(simulated.config(limits=limits)).wait_ready()
    group = tree.path / "groups/all"
    group.mkdir()
    (group / "paid").symlink_to("../../providers/openrouter/models/test/paid")
    running = [
        subprocess.Popen(
            ["/usr/bin/python3", CLIENT, tree.path, f"p{i}", str(rounds)], stdout=subprocess.PIPE
        )
        for i in range(PROCESSES)
    ]
    try:
        wrong = [one.communicate(timeout=seconds(100 + TURNS / 10))[0].strip() for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert wrong == [b"0"] * PROCESSES
    prompts = simulated.prompts()
    asked = rounds * WAYS * PROCESSES
    assert len(prompts) == asked and len(set(prompts)) == asked
    check_conversations(simulated)
    # Each answer of test/paid costs this much.
    due = asked * decimal.Decimal("0.0000125")
    usage = tree.path / "usage"
    until(lambda: decimal.Decimal(flat(usage.read_text())["total_cost"]) == due, 10, usage.read_text())
    tree.stop()
    tree.start().wait_ready()
    assert decimal.Decimal(flat(usage.read_text())["total_cost"]) == due


def check_conversations(simulated):
    """Every message of a request is of one process and, but in sessions, there is one alone."""
    for chat in simulated.chats():
        said = [message["content"].strip() for message in chat["json"]["messages"]]
        assert len({text.split("-")[0] for text in said}) == 1, said
        assert {text[-1] for text in said} == {said[-1][-1]}, said
        assert len(said) == 1 or said[-1].endswith("-s"), said
