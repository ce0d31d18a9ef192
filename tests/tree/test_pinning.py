"""`conduitfs provider add, list, update, rollback, remove, prune`: providers.lock without a mount."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from harness.command import provider
from harness.git import DECLARED
from harness.mount import PROGRAM
from harness.wait import seconds, until

ASKING = DECLARED + "key_env: ACME_API_KEY\n"
COMPILED = ASKING.replace("driver: openai", "sources: [provider.c]")
CODE = """#include <conduit/provider.h>
static void discover(struct conduit_job *job) { conduit_finish(job, NULL, NULL); }
static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	(void)turn;
	conduit_finish(job, "stop", NULL);
}
static void data(struct conduit_job *job, const void *bytes, size_t size) { (void)job; (void)bytes; (void)size; }
CONDUIT_PROVIDER(.name = "acme", .version = "1", .discover = discover, .transform = transform,
		.data = data, .end = discover)
"""


def lock(home):
    """The lock, without the quotes of hashes that could be numbers."""
    path = home / "config/conduitfs/providers.lock"
    return path.read_text().replace('"', "") if path.exists() else ""


def good(result):
    assert result.status == 0, result
    return result.out.decode()


def refused(result, words, status=1):
    assert result.status == status and words in result.err.decode(), result
    return result


def manifest(repository, text):
    return repository.commit({"MediaConduit.provider.yml": text})


def listed(home):
    lines = good(provider(home, "list")).splitlines()
    assert lines[0].split() == ["NAME", "SOURCE", "REF", "COMMIT", "CONSENT", "CACHED"]
    return {line.split()[0]: line.split()[1:] for line in lines[1:]}


class Terminal:
    """A subcommand at a terminal: what it shows, and what is typed."""

    def __init__(self, home, *arguments):
        self.seen = b""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [PROGRAM, "provider", *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
                 "LC_ALL": "C.UTF-8"},
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )
        os.close(slave)

    def read(self, until_seen=None):
        end = time.monotonic() + seconds(60)
        while until_seen is None or until_seen not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, self.seen
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                break
            self.seen += data
        return self.seen

    def type(self, text):
        os.write(self.master, text)

    def end(self):
        self.read()
        os.close(self.master)
        return self.process.wait(seconds(20))


# ---- add ----


def test_add_pins_the_commit_and_the_grant(tmp_path, repository):
    commit = manifest(repository, ASKING)
    out = good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    assert f"acme is pinned to {commit[:12]}" in out and "echo reload > MNT/ctl" in out
    text = lock(tmp_path)
    assert f"    source: file://{repository.bare}\n    commit: {commit}\n" in text
    assert "      key: ACME_API_KEY\n      key_hosts: [api.acme.dev]\n" in text
    assert listed(tmp_path)["acme"] == [f"file://{repository.bare}", "-", commit[:12], "granted", "yes"]


def test_add_over_https_with_a_ca_of_its_own(tmp_path, repository, git_servers):
    url = f"{git_servers.https}/{repository.name}.git@main"
    good(provider(tmp_path, "add", url, env={"CONDUITFS_CA_FILE": git_servers.ca}))
    refused(provider(tmp_path, "add", url, "as", "other"), "certificate")
    assert listed(tmp_path)["acme"][1:3] == ["main", repository.head()[:12]]


def test_without_a_terminal_nothing_is_granted_and_it_says_how(tmp_path, repository):
    manifest(repository, ASKING)
    result = provider(tmp_path, "add", f"file://{repository.bare}")
    assert "provider add --yes" in good(result) and "echo allow acme > MNT/ctl" in good(result)
    assert "the key in $ACME_API_KEY, sent to api.acme.dev" in result.err.decode()
    assert "allow" not in lock(tmp_path)
    assert listed(tmp_path)["acme"][3] == "needed"
    good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    assert listed(tmp_path)["acme"][3] == "granted"


@pytest.mark.parametrize(("answer", "granted"), [(b"y\n", True), (b"yes\n", True), (b"n\n", False), (b"\n", False)])
def test_at_a_terminal_it_asks(tmp_path, repository, answer, granted):
    manifest(repository, ASKING)
    terminal = Terminal(tmp_path, "add", f"file://{repository.bare}")
    seen = terminal.read(b"[y/N] ")
    assert b"the key in $ACME_API_KEY, sent to api.acme.dev" in seen
    terminal.type(answer)
    assert terminal.end() == (0 if granted else 1), terminal.seen
    assert ("ACME_API_KEY" in lock(tmp_path)) == granted and ("acme" in lock(tmp_path)) == granted


def test_what_asks_for_nothing_is_added_without_a_question(tmp_path, repository):
    text = DECLARED.replace("driver: openai\nbase_url: https://api.acme.dev/v1\n", "sources: [provider.c]\n")
    repository.commit({"MediaConduit.provider.yml": text, "provider.c": CODE})
    terminal = Terminal(tmp_path, "add", f"file://{repository.bare}")
    assert terminal.end() == 0 and b"[y/N]" not in terminal.seen
    assert b"\r\x1b[K" in terminal.seen, "a terminal is drawn over"
    assert listed(tmp_path)["acme"][3:] == ["not-needed", "yes"]


def test_a_terminal_shows_how_far_it_is(tmp_path, repository, git_servers):
    repository.commit({f"text/{i}": os.urandom(2000).hex() for i in range(200)})
    terminal = Terminal(tmp_path, "add", f"{git_servers.git}/{repository.name}.git", "--yes")
    assert terminal.end() == 0, terminal.seen
    assert re.search(rb"\[#*\.*\] receiving objects: \d+ of \d+", terminal.seen), terminal.seen


def test_another_providers_key_is_asked_for_by_name(tmp_path, repository):
    manifest(repository, ASKING.replace("ACME_API_KEY", "OPENAI_API_KEY"))
    result = provider(tmp_path, "add", f"file://{repository.bare}")
    assert "$OPENAI_API_KEY is the key of OpenAI, which is bundled" in result.err.decode()


def test_adding_again_is_a_no_op(tmp_path, repository):
    commit = manifest(repository, ASKING)
    good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    before = lock(tmp_path)
    manifest(repository, ASKING + "# another\n")
    good(provider(tmp_path, "add", f"file://{repository.bare}"))
    assert lock(tmp_path) == before and commit in before


def test_a_name_that_is_taken_is_refused_and_as_gives_another(tmp_path, repository, git_servers):
    other = git_servers.fresh()
    good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    before = lock(tmp_path)
    refused(provider(tmp_path, "add", f"file://{other.bare}", "--yes"), "acme is loaded from file://")
    assert lock(tmp_path) == before
    good(provider(tmp_path, "add", f"file://{other.bare}", "as", "second", "--yes"))
    assert sorted(listed(tmp_path)) == ["acme", "second"]


def test_a_bundled_providers_name_is_refused(tmp_path, repository):
    manifest(repository, DECLARED.replace("acme-provider", "groq-provider"))
    refused(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"), "groq is the name of a bundled provider")
    refused(provider(tmp_path, "add", "groq"), "it is bundled")
    assert lock(tmp_path) == ""


def test_what_is_made_for_another_host_is_answered_by_the_bundled_one(tmp_path, repository):
    typescript = "id: openrouter-provider\nname: OpenRouter\nmain: dist/index.js\ncapabilities: [text-to-text]\n"
    manifest(repository, typescript)
    out = good(provider(tmp_path, "add", f"file://{repository.bare}"))
    assert "the bundled provider openrouter answers for it" in out
    manifest(repository, typescript.replace("openrouter", "nonesuch"))
    refused(provider(tmp_path, "add", f"file://{repository.bare}@main"), "no bundled provider nonesuch")


def test_a_directory_is_added_from_where_one_is(tmp_path, repository):
    good(provider(tmp_path, "add", ".", cwd=repository.work))
    assert listed(tmp_path)["acme"][0] == str(repository.work)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nonesuch", "no bundled provider"),
        ("https://user:secret@host/x", "is no source"),
        ("file:///x@--upload-pack=sh", "is no source"),
        ("file:///nonesuch", "can't be opened"),
    ],
)
def test_what_is_no_source_is_told(tmp_path, source, words):
    result = refused(provider(tmp_path, "add", source), words)
    assert b"secret" not in result.err and lock(tmp_path) == ""


def test_what_doesnt_compile_changes_nothing_and_shows_why(tmp_path, repository):
    repository.commit({"MediaConduit.provider.yml": COMPILED, "provider.c": "int x = nonesuch;\n"})
    refused(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"), "nonesuch")
    assert lock(tmp_path) == ""


def test_an_interrupted_add_leaves_nothing_half(tmp_path, repository, git_servers):
    port = git_servers.proxy(git_servers.git_port, 300, "stall")
    process = subprocess.Popen(
        [PROGRAM, "provider", "add", f"git://127.0.0.1:{port}/{repository.name}.git", "--yes"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stderr.readline()
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    fetcher = until(lambda: open(children).read().split(), 5, "it fetches")[0]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=seconds(20))
    assert process.returncode == 1 and b"interrupted" in err
    assert not os.path.exists(f"/proc/{fetcher}")
    assert not (tmp_path / ".config/conduitfs/providers.lock").exists()
    assert good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    assert list((tmp_path / ".cache/conduitfs/providers/tmp").iterdir()) == []


# ---- list ----


def test_list_says_when_there_is_nothing(tmp_path):
    result = provider(tmp_path, "list")
    assert result.status == 0 and result.out == b"" and b"provider add" in result.err


def test_list_knows_what_isnt_cached(tmp_path, repository):
    good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    assert listed(tmp_path)["acme"][4] == "yes"
    (tmp_path / ".cache").rename(tmp_path / "elsewhere")
    assert listed(tmp_path)["acme"][4] == "no"


def test_a_lock_with_a_fault_is_told_with_its_line(tmp_path):
    path = tmp_path / "config/conduitfs/providers.lock"
    path.parent.mkdir(parents=True)
    path.write_text("version: 1\nproviders:\n  acme:\n    sauce: x\n")
    refused(provider(tmp_path, "list"), "providers.lock:")
    assert "sauce" in lock(tmp_path)


# ---- update and rollback ----


@pytest.fixture
def acme(tmp_path, repository):
    """Added at its first commit."""
    repository.first = manifest(repository, ASKING)
    good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    return repository


def test_update_moves_to_what_the_ref_leads_to_and_rollback_back(tmp_path, acme):
    assert "acme: up to date" in good(provider(tmp_path, "update"))
    second = manifest(acme, ASKING + "# second\n")
    out = good(provider(tmp_path, "update"))
    assert f"acme: {acme.first[:12]} -> {second[:12]}\n" in out and "reload" in out
    assert f"commit: {second}\n" in lock(tmp_path) and f"previous: {{commit: {acme.first}," in lock(tmp_path)
    out = good(provider(tmp_path, "rollback", "acme"))
    assert f"acme: {second[:12]} -> {acme.first[:12]}\n" in out
    assert f"    commit: {acme.first}\n" in lock(tmp_path)
    good(provider(tmp_path, "rollback", "acme"))
    assert f"    commit: {second}\n" in lock(tmp_path)


def test_what_asks_for_more_stays_until_it_is_granted(tmp_path, acme):
    manifest(acme, ASKING + "endpoints: [{host: other.acme.dev}]\n")
    before = lock(tmp_path)
    result = refused(provider(tmp_path, "update", "acme"), f"acme: it stays at {acme.first[:12]}")
    assert "requests to other.acme.dev" in result.err.decode() and lock(tmp_path) == before
    good(provider(tmp_path, "update", "acme", "--yes"))
    assert "hosts: [other.acme.dev]" in lock(tmp_path)


def test_at_a_terminal_update_asks(tmp_path, acme):
    second = manifest(acme, ASKING + "endpoints: [{host: other.acme.dev}]\n")
    terminal = Terminal(tmp_path, "update")
    terminal.read(b"[y/N] ")
    terminal.type(b"y\n")
    assert terminal.end() == 0, terminal.seen
    assert f"commit: {second}\n" in lock(tmp_path)


def test_an_update_that_fails_changes_nothing_and_the_others_go_on(tmp_path, acme, git_servers):
    other = git_servers.fresh()
    good(provider(tmp_path, "add", f"file://{other.bare}", "as", "zeta", "--yes"))
    acme.commit({"MediaConduit.provider.yml": COMPILED, "provider.c": "int x = nonesuch;\n"})
    moved = manifest(other, DECLARED + "# second\n")
    result = refused(provider(tmp_path, "update"), "conduitfs: acme: ")
    assert "nonesuch" in result.err.decode() and f"-> {moved[:12]}" in result.out.decode()
    assert f"    commit: {acme.first}\n" in lock(tmp_path)


def test_a_rewritten_branch_is_followed_by_update_alone(tmp_path, acme):
    acme.git("commit", "-q", "--amend", "-m", "rewritten")
    acme.push()
    good(provider(tmp_path, "add", f"file://{acme.bare}"))
    assert f"    commit: {acme.first}\n" in lock(tmp_path)
    result = provider(tmp_path, "update")
    good(result)
    assert "forced push" in result.err.decode() and acme.first[:12] in result.err.decode()
    assert f"    commit: {acme.head()}\n" in lock(tmp_path)
    assert "forced" not in provider(tmp_path, "update").err.decode()


def test_without_an_update_there_is_nothing_to_go_back_to(tmp_path, acme):
    refused(provider(tmp_path, "rollback", "acme"), "was never updated")


def test_somebody_who_holds_the_lock_is_waited_for_shortly(tmp_path, acme):
    manifest(acme, ASKING + "# second\n")
    with open(tmp_path / "config/conduitfs/providers.lock.lock", "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(provider(tmp_path, "update"), "providers.lock")
    assert f"    commit: {acme.first}\n" in lock(tmp_path)


# ---- remove and prune ----


def test_remove_takes_out_all_or_none(tmp_path, acme):
    good(provider(tmp_path, "add", f"file://{acme.bare}", "as", "second", "--yes"))
    refused(provider(tmp_path, "remove", "second", "nonesuch"), "which has acme, second")
    assert sorted(listed(tmp_path)) == ["acme", "second"]
    good(provider(tmp_path, "remove", "acme", "second"))
    assert "ACME_API_KEY" not in lock(tmp_path) and "source" not in lock(tmp_path)


def test_prune_keeps_what_is_pinned_and_frees_the_rest(tmp_path, repository):
    files = {"MediaConduit.provider.yml": COMPILED, "provider.c": CODE}
    repository.commit(files)
    good(provider(tmp_path, "add", f"file://{repository.bare}", "--yes"))
    out = good(provider(tmp_path, "prune"))
    assert re.search(r"^0\.0 MiB", out), out
    assert listed(tmp_path)["acme"][4] == "yes"
    good(provider(tmp_path, "remove", "acme"))
    good(provider(tmp_path, "prune"))
    assert list((tmp_path / ".cache/conduitfs/providers/built").iterdir()) == []
    assert list((tmp_path / ".cache/conduitfs/providers/files").iterdir()) == []


# ---- and a mount ----


def test_a_mounted_tree_follows_after_reload(mount, simulated, repository):
    text = DECLARED.replace("https://api.acme.dev/v1", simulated.base_url) + "key_env: ACME_API_KEY\n"
    tree = mount({}, env={"ACME_API_KEY": simulated.KEY}).wait_ready("cowsay")
    source = tree.path / "providers/acme/source"

    def reload():
        (tree.path / "ctl").write_text("reload\n")

    manifest(repository, text)
    good(provider(tree.home, "add", f"file://{repository.bare}", "--yes"))
    reload()
    until((tree.path / "providers/acme").exists, 10, "it shows")
    tree.wait_ready("acme")
    assert tree.model("test/echo:free", "acme").ask("hello") == b"hello\n"
    second = manifest(repository, text + "# second\n")
    good(provider(tree.home, "update"))
    reload()
    until(lambda: f"commit {second}" in source.read_text(), 10, "it is updated")
    assert tree.model("test/echo:free", "acme").ask("again") == b"again\n"
    good(provider(tree.home, "remove", "acme"))
    reload()
    until(lambda: not (tree.path / "providers/acme").exists(), 10, "it is gone")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add"], "takes a source"),
        (["add", "a", "b", "c"], "takes a source"),
        (["add", "a", "as", "../b"], "can't be a provider's name"),
        (["add", "--no", "a"], "unknown option '--no'"),
        (["list", "a"], "takes nothing"),
        (["rollback"], "takes one name"),
        (["remove"], "takes names"),
        (["prune", "all"], "takes nothing"),
        (["update", "-x"], "unknown option '-x'"),
    ],
)
def test_a_wrong_call_exits_2(tmp_path, arguments, words):
    refused(provider(tmp_path, *arguments), words, status=2)
