"""Providers from outside on a real mount: by git and from directories, granted and not, and gone
again. The service they speak to is a simulated one."""

import errno
import os
import shutil
import threading

import pytest
from harness.loading import (
    HOST,
    KEY,
    ONLY,
    Loaded,
    acme,
    ctl,
    declared,
    load,
    lock,
    ready,
    until_locked,
    url,
)
from harness.wait import until


@pytest.fixture
def tree(outside):
    return outside()


def refused(tree, command, code):
    """A command at the root that fails at its write; the words that the root's error says."""
    with pytest.raises(OSError) as caught:
        ctl(tree, command)
    assert caught.value.errno == code, errno.errorcode[caught.value.errno]
    return (tree.path / "error").read_text()


# ---- loading ----


@pytest.mark.parametrize("scheme", ["https", "git", "file", "directory"])
def test_a_provider_comes_by_each_way_and_answers(tree, simulated, git_servers, repository, scheme):
    repository.commit(acme(simulated))
    source = str(repository.work) if scheme == "directory" else url(git_servers, repository, scheme)
    loaded = load(tree, source)
    if scheme == "directory":
        shutil.rmtree(repository.work / ".git")
    # The repository's name isn't the manifest's, whose id decides.
    loaded = Loaded(tree, "acme")
    until(lambda: "acme" in os.listdir(tree.path / "providers"), 20, "it bears its manifest's name")
    loaded.settles("needs-consent").allow().settles("ready")
    assert "test" in os.listdir(loaded.path / "models")
    assert loaded.ask("over there") == b"over there\n"
    chat = simulated.chats()[-1]
    assert chat["headers"]["authorization"] == f"Bearer {KEY}"
    assert chat["headers"]["x-acme"] == "1"
    facts = loaded.facts("source")
    assert facts["source"] == source
    assert facts["commit"] == (repository.head() if scheme != "directory" else facts["commit"])
    assert loaded.text("manifest.yml") == acme(simulated)["MediaConduit.provider.yml"]
    until_locked(tree, f"commit: {facts['commit']}")


def test_it_shows_at_once_and_tells_why_it_cant_be_loaded(tree, git_servers, repository):
    loaded = load(tree, f"{url(git_servers, repository, 'https')}@nonesuch", repository.name)
    assert loaded.state in ("fetching", "failed")
    loaded.settles("failed")
    assert "nonesuch" in loaded.facts()["why"] and "main" in loaded.text("error")
    assert f"provider {repository.name} failed 0 0 " in (tree.path / "status").read_text()


@pytest.mark.parametrize("driver", ["nonesuch", "replay"])
def test_a_driver_that_is_none_for_a_repository_is_told(tree, simulated, git_servers, repository, driver):
    repository.commit(declared(simulated, driver=driver))
    loaded = load(tree, url(git_servers, repository), named=True).settles("needs-consent")
    loaded.allow().settles("failed")
    assert f"there is no bundled provider '{driver}'" in loaded.text("error")


def test_a_build_that_fails_shows_the_compilers_messages(tree, simulated, git_servers, repository):
    repository.commit(acme(simulated, source="int main(void) { retrun 0; }\n"))
    loaded = load(tree, url(git_servers, repository), repository.name)
    loaded.settles("failed")
    assert "provider.c:1" in loaded.text("error") and "retrun" in loaded.text("error")
    # What is mended is loaded by the same command.
    repository.commit(acme(simulated))
    ctl(tree, f"load {url(git_servers, repository)}")
    Loaded(tree).settles("needs-consent")


def test_a_source_or_a_name_that_cant_be_is_refused_at_the_write(tree, simulated, git_servers, repository):
    assert "ftp" in refused(tree, "load ftp://example.com/x", errno.EINVAL)
    assert "load SOURCE" in refused(tree, "load", errno.EINVAL)
    assert "load SOURCE" in refused(tree, "load a b c", errno.EINVAL)
    assert "bundled" in refused(tree, "load nosuchprovider", errno.EINVAL)
    assert "'x'" in refused(tree, "allow x", errno.ENOENT)
    assert "one name" in refused(tree, "unload", errno.EINVAL)
    repository.commit(declared(simulated))
    load(tree, url(git_servers, repository), "acme", named=True).settles("needs-consent")
    words = refused(tree, f"load {git_servers.git}/{repository.name}.git as acme", errno.EEXIST)
    assert "providers/acme is loaded from file:" in words
    assert os.listdir(tree.path / "providers") == ["acme"]


def test_what_is_loaded_isnt_loaded_again_and_what_is_unloaded_is_gone(
    tree, simulated, git_servers, repository
):
    repository.commit(declared(simulated))
    source = url(git_servers, repository)
    loaded = ready(tree, source)
    log = loaded.text("log")
    ctl(tree, f"load {source}")
    ctl(tree, f"load {source} as acme")
    assert loaded.text("log") == log
    slow = loaded.model("test/hang:free")
    slow.write("q")
    until(lambda: simulated.journal()["open"] == 1, 10, "the turn runs")
    output = os.open(slow.path / "output", os.O_RDONLY)
    ctl(tree, "unload acme")
    with pytest.raises(OSError):
        os.read(output, 100)
    os.close(output)
    assert "acme" not in os.listdir(tree.path / "providers")
    until(lambda: simulated.journal()["open"] == 0, 10, "its connection is closed")
    until(lambda: "acme" not in lock(tree), 30, "the lock forgets it")


def test_a_bundled_provider_that_is_hidden_is_shown(tree):
    assert os.listdir(tree.path / "providers") == []
    load(tree, "cowsay", "cowsay")
    tree.wait_ready("cowsay")
    assert b"(oo)" in tree.model("cow", "cowsay").ask("moo")
    load(tree, "cowsay", "herd", named=True).settles("ready")
    ctl(tree, "unload cowsay")
    assert os.listdir(tree.path / "providers") == ["herd"]


def test_one_that_config_yml_names_isnt_unloaded_as_the_help_says(mount, simulated):
    tree = mount({"providers": {"mine": {"driver": "cowsay"}}}).wait_ready("mine")
    words = refused(tree, "unload mine", errno.EINVAL)
    assert "config.yml:" in words and "`mine: off`" in words
    help_words = (tree.path / "ctl").read_text()
    assert "EINVAL" in help_words and "reload" in help_words
    assert b"(oo)" in tree.model("cow", "mine").ask("moo")


# ---- consent ----


def test_before_it_is_granted_nothing_is_sent_and_input_is_refused(tree, simulated, git_servers, repository):
    repository.commit(declared(simulated))
    source = url(git_servers, repository)
    loaded = load(tree, source).settles("needs-consent")
    words = loaded.text("error")
    assert f"the key in $ACME_KEY, sent to {simulated.url}" in words
    assert "echo allow acme > ctl" in words
    assert simulated.journal()["count"] == 0
    loaded.allow().settles("ready")
    count = simulated.journal()["count"]
    ctl(tree, "revoke acme")
    assert loaded.state == "needs-consent"
    with pytest.raises(OSError) as caught:
        loaded.model().write("q")
    assert caught.value.errno == errno.EACCES
    assert "$ACME_KEY" in loaded.model().text("error")
    ctl(tree, "refresh")
    assert simulated.journal()["count"] == count
    until(lambda: "allow" not in lock(tree), 30, "the lock says so")
    loaded.allow().settles("ready")
    assert loaded.ask("again") == b"again\n"
    until_locked(tree, f"key_hosts: [{HOST}:{simulated.port}]")


def test_who_is_asked_to_grant_can_see_what_it_is(tree, simulated, git_servers, repository):
    repository.commit(declared(simulated, description="Answers for Acme"))
    loaded = load(tree, url(git_servers, repository)).settles("needs-consent")
    said = {name: loaded.text(f"info/{name}") for name in ("package", "name", "version", "description")}
    assert said == {
        "package": "acme-provider\n",
        "name": "Acme\n",
        "version": "1.0.0\n",
        "description": "Answers for Acme\n",
    }
    assert loaded.text("info/capabilities") == "text-to-text\n"


def test_the_variable_of_a_key_is_taken_when_it_is_granted_and_given_to_nobody_else(
    outside, simulated, git_servers, repository, tmp_path
):
    # Readable only where the daemon is looked at from inside: a command of its user's prints it.
    config = {"providers": {**ONLY["providers"], "other": {
        "driver": "openai", "base_url": simulated.base_url,
        "key_command": f"env > {tmp_path}/env; echo sk-other"}}}
    tree = outside(config)
    repository.commit(declared(simulated))
    ready(tree, url(git_servers, repository))
    ctl(tree, "reload")
    (tmp_path / "env").unlink(missing_ok=True)
    (tree.home / "config/conduitfs/config.yml").write_text(
        (tree.home / "config/conduitfs/config.yml").read_text().replace("sk-other", "sk-another"))
    ctl(tree, "reload")
    until((tmp_path / "env").exists, 10, "the command ran again")
    until(lambda: "PATH=" in (tmp_path / "env").read_text(), 5, "and wrote its environment")
    assert KEY not in (tmp_path / "env").read_text()
    assert KEY not in (tree.path / "providers/acme/log").read_text() + tree.log() + lock(tree)


# ---- over mounts ----


def test_a_cached_provider_is_there_without_network_git_or_compiler(outside, simulated, git_servers, repository):
    repository.commit(acme(simulated))
    tree = outside()
    ready(tree, url(git_servers, repository, "https"))
    tree.stop()
    shutil.rmtree(repository.bare)
    tree = outside(env={"PATH": "/nonexistent"})
    loaded = Loaded(tree)
    assert loaded.state == "ready"
    assert loaded.ask("offline") == b"offline\n"
    line = next(line for line in loaded.text("log").splitlines() if "from the cache" in line)
    assert float(line.split(" ms")[0].split()[-1]) < 20 * float(os.environ.get("CONDUITFS_SLOW", "1")), line


def test_config_yml_loads_and_grants_and_names_whom_to_trust(outside, simulated, git_servers, repository):
    repository.commit(declared(simulated))
    env = {"CONDUITFS_CA_FILE": str(git_servers.certificates.other_ca)}
    trust = {"ca_file": git_servers.ca}
    allow = {"key": "ACME_KEY", "key_hosts": [f"{HOST}:{simulated.port}"]}
    entry = {"source": url(git_servers, repository, "https"), "allow": allow}
    config = {**trust, "providers": {**ONLY["providers"], "mine": entry}}
    tree = outside(config, env)
    loaded = Loaded(tree, "mine").settles("ready")
    assert loaded.ask("by config") == b"by config\n"
    until_locked(tree, f"commit: {repository.head()}")
    # The lock pins what config.yml names.
    first = repository.head()
    repository.commit(declared(simulated, "2"))
    tree.stop()
    tree = outside(config, env)
    assert Loaded(tree, "mine").settles("ready").commit() == first


def test_two_daemons_loading_the_same_url_share_one_download(outside, simulated, git_servers, repository, tmp_path):
    repository.commit(acme(simulated))
    env = {"XDG_CACHE_HOME": str(tmp_path / "shared-cache")}
    trees = [outside(env=env, home=name) for name in ("one", "two")]
    source = url(git_servers, repository, "https")
    threads = [threading.Thread(target=ctl, args=(tree, f"load {source} as acme")) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tree in trees:
        loaded = Loaded(tree).settles("needs-consent").allow().settles("ready")
        assert loaded.ask("shared") == b"shared\n"
    assert git_servers.downloads(repository.name) == 1


def test_a_directory_is_read_again_by_reload_and_at_the_next_mount(outside, simulated, tmp_path):
    folder = tmp_path / "acme-provider"
    folder.mkdir()

    def write(version):
        for name, content in acme(simulated, version).items():
            (folder / name).write_text(content)

    write("1")
    tree = outside()
    loaded = ready(tree, folder)
    write("2")
    loaded.ctl("reload").updated()
    loaded.ask("q")
    assert simulated.chats()[-1]["headers"]["x-acme"] == "2"
    tree.stop()
    write("3")
    tree = outside()
    loaded = Loaded(tree)
    until(lambda: "runs commit" in loaded.text("log").split("fetching")[-1], 20, "it is read again")
    loaded.ask("q")
    assert simulated.chats()[-1]["headers"]["x-acme"] == "3"


def test_what_another_program_writes_to_the_lock_is_taken_at_a_reload(outside, simulated, git_servers, repository):
    first = repository.commit(declared(simulated))
    tree = outside()
    source = url(git_servers, repository)
    allow = f"    allow: {{key: ACME_KEY, key_hosts: ['{HOST}:{simulated.port}']}}\n"
    text = f"version: 1\nproviders:\n  acme:\n    source: {source}\n    commit: {first}\n{allow}"
    (tree.home / "config/conduitfs/providers.lock").write_text(text)
    tree.process.send_signal(1)
    loaded = Loaded(tree)
    until(lambda: loaded.state == "ready", 20, "it is loaded")
    until_locked(tree, "tree:")
    (tree.home / "config/conduitfs/providers.lock").write_text("version: 1\n")
    ctl(tree, "reload")
    # At once, unless its own writing isn't over yet: then when that is.
    until(lambda: "acme" not in os.listdir(tree.path / "providers"), 20, "it is gone")
