"""Jobs of services with a queue that outlive the daemon: picked up again at its next start, paid once,
cancelled, timed. The service is simulated: tests/servers/queue.py."""

import contextlib
import errno
import json
import sqlite3

import pytest
from harness.queue import again, cancelled_once, cancels, runs
from harness.server import call
from harness.wait import until


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_job_outlives_the_daemon_and_is_paid_once(picture, queue, how):
    picture.write("polls=60 a heron")
    runs(picture)
    getattr(picture.tree, how)()
    again(picture.tree)
    assert picture.facts()["state"] == "running"
    assert picture.read() == b"a heron 0"
    assert picture.facts()["state"] == "done"
    assert len(queue.journal(picture.begins)) == 1
    assert not cancels(queue)


def test_a_job_is_picked_up_as_often_as_it_takes(picture, queue):
    picture.write("polls=100 a heron")
    for _ in range(3):
        runs(picture)
        picture.tree.kill()
        again(picture.tree)
    assert picture.read() == b"a heron 0"
    assert len(queue.journal(picture.begins)) == 1


def test_a_job_that_was_picked_up_can_be_cancelled(picture, queue):
    picture.write("polls=never a heron")
    runs(picture)
    picture.tree.kill()
    again(picture.tree)
    runs(picture)
    (picture.path / "ctl").write_text("cancel\n")
    cancelled_once(queue)


def keyed_later(picture):
    """From the next start on its key comes once a file is there, and its jobs wait for that; to make
    it come."""
    tree = picture.tree
    config = json.loads(tree.config)
    entry = config["providers"][picture.provider]
    there = tree.home / "key-is-there"
    del entry["key"]
    entry["key_command"] = f"until test -e '{there}'; do sleep 0.05; done; echo sk-queue"
    tree.config = json.dumps(config)
    return there.touch


@pytest.mark.parametrize("how", ["ctl", "session"])
def test_a_job_cancelled_before_its_provider_is_there_is_cancelled_then(picture, queue, how):
    asked = picture.path
    if how == "session":
        asked = picture.path / "sessions/one"
        asked.mkdir()
    (asked / "input").write_text("polls=never a heron")
    until(lambda: "\ndoing -" not in (asked / "status").read_text(), 20, "the job is under way")
    picture.tree.kill()
    come = keyed_later(picture)
    again(picture.tree)
    polls = len(queue.journal())
    if how == "session":
        picture.tree.sh(f"rm -r '{asked}'", check=True)
    else:
        (asked / "ctl").write_text("cancel\n")
        assert picture.facts()["state"] == "cancelled"
        assert "its service is told to withdraw the job once its provider is there" in picture.text("error")
    assert not cancels(queue) and len(queue.journal()) == polls
    come()
    cancelled_once(queue)
    # Nothing else was asked about it.
    assert not [entry for entry in queue.journal()[polls:] if entry["path"].endswith(("/status", "/job-1"))]


def test_a_job_that_waits_to_be_cancelled_holds_nothing_up(picture, queue):
    picture.write("polls=never a heron")
    runs(picture)
    picture.tree.kill()
    keyed_later(picture)
    again(picture.tree)
    (picture.path / "ctl").write_text("cancel\n")
    picture.tree.stop()
    assert not cancels(queue)


def began(tree, seconds_later):
    """As if the only turn had begun so many seconds later than it did."""
    with contextlib.closing(sqlite3.connect(tree.home / "state/conduitfs/conduitfs.db")) as database:
        changed = database.execute("UPDATE turn SET started = started + ?", (seconds_later * 1_000_000,))
        assert changed.rowcount == 1
        database.commit()


def test_the_time_of_a_job_counts_from_its_beginning(picture, queue):
    picture.set("timeout_total", "600")
    picture.write("polls=never a heron")
    runs(picture)
    picture.tree.kill()
    began(picture.tree, -3600)
    again(picture.tree)
    with pytest.raises(OSError) as caught:
        picture.read()
    assert caught.value.errno == errno.ETIMEDOUT
    assert "not done after 600 s" in picture.text("error")
    cancelled_once(queue)


def test_what_was_done_meanwhile_comes_though_its_time_is_over(picture):
    picture.set("timeout_total", "600")
    picture.write("polls=never a heron")
    runs(picture)
    picture.tree.kill()
    began(picture.tree, -3600)
    call(f"{picture.queue.url}/finish")
    again(picture.tree)
    assert picture.read() == b"a heron 0"


def test_a_clock_that_was_set_back_takes_no_time_from_a_job(picture):
    picture.set("timeout_total", "600")
    picture.write("polls=20 a heron")
    runs(picture)
    picture.tree.kill()
    began(picture.tree, 3600)
    again(picture.tree)
    assert picture.read() == b"a heron 0"


def test_a_job_that_is_gone_by_then_says_so(picture, queue):
    picture.write("polls=60 then=gone a heron")
    runs(picture)
    picture.tree.kill()
    again(picture.tree)
    with pytest.raises(OSError) as caught:
        picture.read()
    assert caught.value.errno == errno.ENOENT, picture.text("error")
    assert "doesn't know the job any more" in picture.text("error")


def test_a_job_whose_provider_went_is_interrupted_with_words(picture):
    picture.write("polls=60 a heron")
    runs(picture)
    tree = picture.tree
    tree.kill()
    tree.config = json.dumps({**json.loads(tree.config), "providers": {
        **json.loads(tree.config)["providers"], picture.provider: "off"}})
    again(tree)
    tree.stop()
    tree.config = json.dumps({**json.loads(tree.config), "providers": {
        **json.loads(tree.config)["providers"], picture.provider: {"base_url": "http://127.0.0.1:9", "key": "k"}}})
    tree.start()
    assert picture.facts()["state"] == "interrupted"
    assert "isn't there any more to pick it up" in picture.text("error")


def test_an_unmount_while_a_job_is_submitted_tells_that_it_may_go_on(picture, queue):
    picture.write("begin=held a heron")
    until(lambda: queue.journal(picture.begins), 20, "it is submitted")
    picture.tree.stop()
    again(picture.tree)
    assert picture.facts()["state"] == "interrupted"
    assert "its job may have been begun" in picture.text("error")
    call(f"{queue.url}/release")


def test_what_it_may_cost_stays_reserved(mount, queue):
    config = queue.config("fal", budget={"day": 1})
    config["providers"]["fal"]["price"] = {"request": 0.75}
    tree = mount(config).wait_ready("fal")
    model = tree.model("sim/image", "fal")
    model.write("polls=60 a heron")
    runs(model)
    tree.kill()
    again(tree)
    with pytest.raises(OSError) as caught:
        model.ask("another")
    assert caught.value.errno == errno.EDQUOT


def test_a_provider_that_is_unloaded_meanwhile_is_told_when_it_comes_again(picture, queue):
    """It goes while a job waits to be cancelled, and comes with its key."""
    tree, name = picture.tree, picture.provider
    picture.write("polls=never a heron")
    runs(picture)
    tree.kill()
    come = keyed_later(picture)
    again(tree)
    (picture.path / "ctl").write_text("cancel\n")
    (tree.path / "ctl").write_text(f"unload {name}\n")
    until(lambda: not (tree.path / "providers" / name).exists(), 20, "it is gone")
    come()
    (tree.path / "ctl").write_text(f"load {name}\n")
    cancelled_once(queue)
