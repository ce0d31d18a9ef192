"""Where a key may be: in the one request that needs it, and nowhere else that a test can look."""

import errno
import os
import pathlib
import stat

import pytest
from harness.server import Simulated
from harness.wait import until

KEY = Simulated.KEY


def holds_key(data):
    return KEY.encode() in data


def everything_below(folder, but=()):
    """(path, bytes) of every file below; a named pipe or socket isn't read."""
    for path in pathlib.Path(folder).rglob("*"):
        if path not in but and stat.S_ISREG(path.lstat().st_mode):
            try:
                yield path, path.read_bytes()
            except OSError:
                continue


def processes(tree):
    return [tree.process.pid, *tree.runners()]


def leaks(tree, allowed):
    """Where the key is found among processes, log, state, run directory and the tree itself."""
    found = []
    for pid in processes(tree):
        for name in ("cmdline", "environ"):
            if holds_key(pathlib.Path(f"/proc/{pid}/{name}").read_bytes()):
                found.append(f"/proc/{pid}/{name}")
    # Of these alone: other tests may run with the same key at the same time.
    if holds_key(tree.sh(f"ps eww {' '.join(map(str, processes(tree)))}", cwd="/", check=True).out):
        found.append("ps")
    for folder in (tree.home, tree.path):
        found += [str(path) for path, data in everything_below(folder, allowed) if holds_key(data)]
    return found


@pytest.fixture
def config_file(homes):
    return homes() / "config/conduitfs/config.yml"


SOURCES = ["key", "key_file", "key_command", "key_env", "tree"]


def sourced(source, home):
    """(the provider's entry, the environment) for a key from this source."""
    (home / "secret").write_text(KEY + "\n")
    return {
        "key": ({"key": KEY}, {}),
        "key_file": ({"key_file": str(home / "secret")}, {}),
        "key_command": ({"key_command": f"cat {home}/secret"}, {}),
        "key_env": ({"key_env": "MY_KEY"}, {"MY_KEY": KEY}),
        "tree": ({}, {}),
    }[source]


@pytest.mark.parametrize("source", SOURCES)
def test_a_key_is_sent_and_is_seen_nowhere_else(mount, simulated, homes, config_file, source):
    simulated.control(key=KEY)
    entry, env = sourced(source, homes())
    config = {"providers": {"openrouter": {"base_url": simulated.base_url, **entry}}}
    tree = mount(config, env=env, options=["-d"]).wait_ready()
    if source == "tree":
        (tree.path / "providers/openrouter/key").write_text(KEY + "\n")
    model = tree.model("test/echo:free")
    model.ask("with key")
    with pytest.raises(OSError):
        tree.model("test/fail-400:free").ask("failing")
    assert simulated.chats()[0]["headers"]["authorization"] == f"Bearer {KEY}"
    kept = homes() / "config/conduitfs/keys/openrouter"
    assert leaks(tree, {config_file, homes() / "secret", kept}) == []


def test_the_environments_own_variable_is_used_and_hidden(mount, simulated):
    env = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": simulated.base_url}
    tree = mount(env=env).wait_ready()
    assert tree.model("test/echo:free").ask("q") == b"q\n"
    assert simulated.chats()[0]["headers"]["authorization"] == f"Bearer {KEY}"
    assert leaks(tree, set()) == []


def test_a_base_url_in_the_config_never_gets_the_environments_key(mount, simulated):
    config = {"providers": {"openrouter": {"base_url": simulated.base_url}}}
    tree = mount(config, env={"OPENROUTER_API_KEY": KEY}).wait_ready()
    assert tree.model("test/echo:free").ask("q") == b"q\n"
    assert "authorization" not in simulated.chats()[0]["headers"]


def test_without_a_key_opening_input_is_enokey_and_error_says_what_to_do(mount, simulated):
    tree = mount(env={"OPENROUTER_BASE_URL": simulated.base_url}).wait_ready()
    model = tree.model("test/echo:free")
    with pytest.raises(OSError) as caught:
        model.write("q")
    assert caught.value.errno == errno.ENOKEY
    words = model.text("error")
    assert "OPENROUTER_API_KEY" in words and "providers/openrouter/key" in words
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.ENOKEY


def test_a_wrong_key_is_ekeyrejected_with_the_services_words(mount, simulated):
    simulated.control(key="another")
    tree = mount(simulated.config()).wait_ready()
    model = tree.model("test/echo:free")
    model.write("q")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EKEYREJECTED
    assert "No cookie auth credentials found" in model.text("error")


def test_the_key_file_of_the_tree_is_write_only_and_an_empty_write_of_it_removes(mount, simulated, homes):
    tree = mount(env={"OPENROUTER_BASE_URL": simulated.base_url}).wait_ready()
    key = tree.path / "providers/openrouter/key"
    kept = homes() / "config/conduitfs/keys/openrouter"
    key.write_text(KEY + "\n")
    assert kept.read_text().strip() == KEY
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with pytest.raises(OSError) as caught:
        key.read_bytes()
    assert caught.value.errno == errno.EACCES
    assert tree.model("test/echo:free").ask("q") == b"q\n"
    tree.sh("echo > $K", K=key, check=True)
    until(lambda: not kept.exists(), 5, "the key is removed")


def test_a_key_written_to_the_tree_goes_before_that_of_the_config(tree, echo, simulated):
    (tree.path / "providers/openrouter/key").write_text("sk-of-the-tree\n")
    echo.ask("q")
    assert simulated.chats()[-1]["headers"]["authorization"] == "Bearer sk-of-the-tree"


def test_a_key_written_to_the_tree_is_there_after_a_remount(mount, simulated):
    env = {"OPENROUTER_BASE_URL": simulated.base_url}
    first = mount(env=env).wait_ready()
    (first.path / "providers/openrouter/key").write_text(KEY + "\n")
    first.stop()
    assert mount(env=env).wait_ready().model("test/echo:free").ask("q") == b"q\n"


@pytest.mark.parametrize("bad", ["two words", "line\nbreak\nkey", "x" * 5000, "nul\0byte"])
def test_a_key_that_cannot_be_one_is_refused(mount, simulated, bad):
    tree = mount(env={"OPENROUTER_BASE_URL": simulated.base_url}).wait_ready()
    with pytest.raises(OSError) as caught:
        with open(tree.path / "providers/openrouter/key", "wb", buffering=0) as file:
            file.write(bad.encode())
    assert caught.value.errno == errno.EINVAL


def test_the_state_directory_is_its_owners_alone(echo, homes):
    echo.ask("private")
    state = homes() / "state/conduitfs"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
