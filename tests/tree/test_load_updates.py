"""Providers from outside that change while a mount runs: updated, rolled back, forced elsewhere."""

import errno
import os
import shutil
import threading

import pytest
from harness.loading import ONLY, acme, ctl, declared, lock, ready, until_locked, url
from harness.wait import until


@pytest.fixture
def tree(outside):
    return outside()


# ---- updates ----


def test_an_update_runs_the_new_version_and_rollback_the_old_one(tree, simulated, git_servers, repository):
    first = repository.commit(acme(simulated))
    loaded = ready(tree, url(git_servers, repository))
    second = repository.commit(acme(simulated, "2"))

    def version():
        loaded.ask("which")
        return simulated.chats()[-1]["headers"]["x-acme"]

    with pytest.raises(OSError) as caught:
        loaded.ctl("rollback")
    assert caught.value.errno == errno.ENOENT
    assert "never updated" in loaded.text("error")
    assert version() == "1"
    assert loaded.update() == "-"
    assert (loaded.commit(), version()) == (second, "2")
    assert loaded.facts("source")["previous"] == first
    loaded.ctl("rollback").updated()
    assert (loaded.commit(), version()) == (first, "1")
    loaded.ctl("rollback").updated()
    assert (loaded.commit(), version()) == (second, "2")


@pytest.mark.parametrize("fault", ["gone", "manifest", "build", "crash", "listing"])
def test_an_update_that_fails_changes_nothing_and_says_why(tree, simulated, git_servers, repository, fault):
    first = repository.commit(acme(simulated))
    loaded = ready(tree, url(git_servers, repository))
    until_locked(tree, "allow")
    before = lock(tree)
    crash = "__attribute__((constructor)) static void now(void) { __builtin_trap(); }\n"
    files, words = {
        "gone": (None, "No such file"),
        "manifest": ({"MediaConduit.provider.yml": "id: [\n"}, "MediaConduit.provider.yml:"),
        "build": ({"provider.c": "broken\n"}, "provider.c:1"),
        "crash": ({"provider.c": crash + acme(simulated)["provider.c"]}, "crashed"),
        "listing": (acme(simulated, "2"), "500"),
    }[fault]
    if files is None:
        shutil.rmtree(repository.bare)
    else:
        repository.commit(files)
    simulated.control(models_status=500 if fault == "listing" else 200)
    update = loaded.update()
    assert update.startswith("failed: ")
    assert fault == "gone" or words in loaded.text("error"), loaded.text("error")
    assert (loaded.state, loaded.commit()) == ("ready", first)
    assert loaded.ask("still") == b"still\n"
    assert simulated.chats()[-1]["headers"]["x-acme"] == "1"
    assert lock(tree) == before


def test_an_update_that_asks_for_more_waits_while_the_old_one_runs(tree, simulated, git_servers, repository):
    first = repository.commit(acme(simulated))
    loaded = ready(tree, url(git_servers, repository))
    second = repository.commit(acme(simulated, "2", endpoints="[{host: metrics.example.com, key: true}]"))
    assert loaded.update().startswith("needs-consent")
    assert "the key in $ACME_KEY, sent to metrics.example.com" in loaded.text("error")
    assert (loaded.state, loaded.commit()) == ("ready", first)
    loaded.ask("before")
    assert simulated.chats()[-1]["headers"]["x-acme"] == "1"
    loaded.allow().updated()
    assert loaded.commit() == second
    loaded.ask("after")
    assert simulated.chats()[-1]["headers"]["x-acme"] == "2"
    until_locked(tree, "metrics.example.com")


@pytest.mark.bound(60)
def test_200_turns_that_run_while_it_is_updated_are_all_answered(outside, simulated, git_servers, repository):
    tree = outside({"limits": {"concurrent": 250, "queue": 500}, **ONLY})
    repository.commit(acme(simulated))
    loaded = ready(tree, url(git_servers, repository))
    slow = loaded.model("test/slow:free").path
    script = """
for i in $(seq 100); do exec {fd}<>rpc; echo "each=$EACH $WHO-$i word word" >&$fd; fds+=($fd); done
for fd in "${fds[@]}"; do head -c 1 <&$fd >/dev/null & done
echo begun; wait
"""
    before = ask_many(slow, 200, "before", 0.4)
    until(lambda: len(simulated.chats()) >= 100, 20, "they run")
    repository.commit(acme(simulated, "2"))
    loaded.ctl("update")
    until(lambda: loaded.facts("source")["commit"] == repository.head(), 20, "the new one runs")
    after = ask_many(slow, 50, "after", 0)
    assert sorted(before()) == sorted(f"before-{n} word\n" for n in range(200))
    assert sorted(after()) == sorted(f"after-{n} word\n" for n in range(50))
    versions = {}
    for chat in simulated.chats():
        who = chat["json"]["messages"][-1]["content"].split()[1].split("-")[0]
        versions.setdefault(who, []).append(chat["headers"]["x-acme"])
    assert len(versions["before"]) == 200 and "1" in versions["before"]
    assert versions["after"] == ["2"] * 50
    until(lambda: len(tree.runners()) == 1, 10, "the old process ends")


def ask_many(path, n, who, each):
    """So many turns of a slow model at once, by rpc: returns what waits for the answers."""
    calls = []
    for number in range(n):
        fd = os.open(path / "rpc", os.O_RDWR)
        os.write(fd, f"each={each} {who}-{number} word".encode())
        calls.append(fd)
    answers = [b""] * n

    def read(index, fd):
        while data := os.read(fd, 4096):
            answers[index] += data
        os.close(fd)

    threads = [threading.Thread(target=read, args=call) for call in enumerate(calls)]
    for thread in threads:
        thread.start()

    def wait():
        for thread in threads:
            thread.join()
        return [answer.decode() for answer in answers]

    return wait


def test_a_branch_that_was_forced_elsewhere_moves_by_update_alone(tree, simulated, git_servers, repository):
    base = repository.commit(declared(simulated), message="base")
    first = repository.commit(declared(simulated, "1"), message="first")
    source = url(git_servers, repository, "https")
    loaded = ready(tree, source)
    assert loaded.commit() == first
    repository.git("reset", "-q", "--hard", base)
    second = repository.commit(declared(simulated, "2"), message="forced")
    ctl(tree, "reload")
    assert loaded.commit() == first and loaded.state == "ready"
    said = loaded.update()
    assert loaded.commit() == second
    assert said.startswith("done: ") and "forced push" in said and first[:12] in said
    assert said.removeprefix("done: ") in loaded.text("log")
    assert "forced" not in loaded.update()


def test_who_is_asked_to_grant_learns_that_the_branch_was_forced(tree, simulated, git_servers, repository):
    base = repository.commit(declared(simulated), message="base")
    first = repository.commit(declared(simulated, "1"), message="first")
    loaded = ready(tree, url(git_servers, repository))
    repository.git("reset", "-q", "--hard", base)
    repository.commit(declared(simulated, "2", endpoints="[{host: metrics.example.com}]"), message="forced")
    assert loaded.update().startswith("needs-consent") and loaded.commit() == first
    assert "forced push" in loaded.text("error") and "metrics.example.com" in loaded.text("error")
    loaded.ctl("rollback")
    assert loaded.text("error") == "" and loaded.facts()["update"] == "-"
