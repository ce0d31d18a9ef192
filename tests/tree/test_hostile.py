"""Catalogues made to harm: nothing escapes, nothing crashes, and the good entries are there."""

import errno
import os
import pathlib

import pytest
from harness.wait import flat_state, seconds, until


GOOD = ("good/first:free", "good/last:free")


@pytest.fixture
def hostile(mount, simulated):
    """Mounts a catalogue of this kind; returns when its discovery has settled."""

    def make(kind, bound=30, **more):
        simulated.control(models_kind=kind)
        tree = mount({"providers": {"openrouter": simulated.provider(**more)}})
        status = tree.path / "providers/openrouter/status"
        until(lambda: flat_state(status) in ("ready", "failed"), bound, f"{kind} settles")
        return tree

    return make


def good_ones_work(tree):
    for name in GOOD:
        assert (tree.model(name).path / "input").exists(), name
        assert (tree.path / "providers/openrouter/free" / name).is_symlink(), name


def nothing_escapes(tree):
    """No name leads out of the tree, and a walk of it has an end."""
    root = os.path.realpath(tree.path)
    for folder, _, names in os.walk(tree.path / "providers/openrouter/models"):
        for name in names:
            path = os.path.join(folder, name)
            assert os.path.realpath(path).startswith(root + "/"), path


def test_hostile_ids_stay_in_their_directory_and_hide_nothing(hostile):
    tree = hostile("hostile_ids")
    good_ones_work(tree)
    nothing_escapes(tree)
    assert not (tree.path / "providers/openrouter/escape").exists()
    assert not (tree.path / "escape").exists()
    found = tree.sh("find models -name input -type f", cwd=tree.path / "providers/openrouter", check=True)
    lines = found.out.split(b"\n")[:-1]
    assert all(line.startswith(b"models/") and line.endswith(b"/input") for line in lines)
    assert len(lines) > 15


def test_an_id_that_is_a_prefix_of_another_is_both_a_model_and_a_directory(hostile):
    tree = hostile("hostile_ids")
    for name in ("prefix", "prefix/inner", "prefix/inner/child"):
        assert (tree.model(name).path / "input").exists()


def test_the_id_of_a_model_whose_name_is_encoded_is_told_in_info(hostile):
    tree = hostile("hostile_ids")
    found = tree.sh(
        "find models -path '*/info/id' -print0 | xargs -0 cat", cwd=tree.path / "providers/openrouter"
    ).out.decode()
    for model in ("vendor/input", "input", "config", "space in it", "ünïcode/模型"):
        assert model in found.splitlines()


def test_a_reserved_name_in_an_id_is_encoded(hostile):
    tree = hostile("hostile_ids")
    names = os.listdir(tree.path / "providers/openrouter/models/vendor")
    assert "input" not in names and any(name.startswith("%") or "%" in name for name in names)


def test_text_that_isnt_utf8_harms_nobody_else(hostile):
    tree = hostile("invalid_utf8")
    if flat_state(tree.path / "providers/openrouter/status") == "ready":
        good_ones_work(tree)
    nothing_escapes(tree)


@pytest.mark.parametrize("kind", ["wrong_types", "long_descriptions", "nested"])
def test_entries_that_are_no_models_leave_the_good_ones(hostile, kind):
    tree = hostile(kind)
    if kind != "nested" or flat_state(tree.path / "providers/openrouter/status") == "ready":
        good_ones_work(tree)
    nothing_escapes(tree)
    assert tree.sh("cat $F", F=tree.path / "providers/openrouter/models.tsv").status in (0, 1)


def test_prices_that_are_no_prices_are_never_free(hostile):
    tree = hostile("wrong_types")
    folder = tree.path / "providers/openrouter/free"
    assert sorted(os.listdir(folder)) == ["good", "odd"]
    assert sorted(os.listdir(folder / "odd")) == ["before", "created"]


@pytest.mark.bound(300)
def test_100000_models_are_listed_and_nobody_waits_for_them(mount, simulated):
    simulated.control(models_kind="many")
    tree = mount(simulated.config())
    status = tree.path / "providers/openrouter/status"

    def settled():
        assert tree.sh("ls $D", D=tree.path, bound=2).status == 0
        return flat_state(status) in ("ready", "failed")

    until(settled, 120, "a catalogue of 100,000")
    good_ones_work(tree)
    # What lies below each model is walked elsewhere; here it is five times as many directories.
    ours = " -o ".join(f"-name {name}" for name in ("info", "config", "turns", "sessions", "attach"))
    find = f"find models \\( {ours} \\) -prune -o -name input -print | wc -l"
    found = tree.sh(find, cwd=tree.path / "providers/openrouter", bound=200)
    assert int(found.out) == 100002
    # The kernel gives back what it knows of each of them.
    tree.stop(bound=60)


@pytest.mark.parametrize("kind", ["endless", "endless_string"])
def test_a_listing_without_end_has_an_end_here_and_fills_no_memory(hostile, kind):
    tree = hostile(kind, bound=40, timeout={"total": 10}, retries=0)
    assert "discovery failed" in (tree.path / "providers/openrouter/status").read_text()
    for pid in (tree.process.pid, *tree.runners()):
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        peak = next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))
        assert int(peak) < seconds(300 << 10), f"{pid} held {peak} KiB"
    tree.sh("ls providers/openrouter/models", check=True)


@pytest.mark.parametrize("kind", ["truncated", "not_json", "empty"])
def test_a_listing_that_is_broken_is_a_failure_in_words(hostile, kind):
    tree = hostile(kind)
    status = tree.path / "providers/openrouter/status"
    assert flat_state(status) == "failed" or "discovery failed" in status.read_text()
    assert (tree.path / "providers/openrouter/error").read_text()
    assert os.listdir(tree.path)


@pytest.mark.parametrize("kind", ["truncated", "not_json", "empty"])
def test_a_broken_listing_replaces_no_good_one(tree, simulated, kind):
    provider = tree.path / "providers/openrouter"
    before = sorted(os.listdir(provider / "models/test"))
    count = simulated.journal()["count"]
    simulated.control(models_kind=kind)
    (provider / "ctl").write_text("refresh\n")
    until(lambda: simulated.journal()["count"] > count and not simulated.journal()["open"], 10, "refreshed")
    assert sorted(os.listdir(provider / "models/test")) == before


def test_a_prompt_over_the_limit_is_efbig(mount, simulated):
    tree = mount({**simulated.config(), "limits": {"prompt": "1M"}}).wait_ready()
    model = tree.model("test/echo:free")
    with pytest.raises(OSError) as caught:
        model.write(b"x" * (1 << 20) + b"y")
    assert caught.value.errno == errno.EFBIG
    assert simulated.chats() == []


def test_a_queue_that_is_full_is_ebusy_with_words(mount, simulated):
    config = {
        "limits": {"concurrent": 1, "queue": 2},
        "providers": {"openrouter": simulated.provider(concurrent=1)},
    }
    tree = mount(config).wait_ready()
    model = tree.model("test/hang:free")
    refused = None
    for n in range(8):
        try:
            model.write(f"prompt {n}")
        except OSError as error:
            refused = error.errno
            break
    assert refused == errno.EBUSY
    assert "queue" in model.text("error")


@pytest.mark.parametrize("prompt", [b"\xff\xfe binary \x00", b"nul\0inside", "emoji 🦆 and \u2028".encode()])
def test_odd_prompts_are_answered_or_refused_and_never_crash(echo, prompt):
    try:
        echo.ask(prompt)
    except OSError as error:
        assert error.errno in (errno.EINVAL, errno.EILSEQ)
    assert echo.ask("after") == b"after\n"


@pytest.mark.parametrize("name", ["x" * 255, "x" * 256, "new\nline", "%2e%2e", "-rf"])
def test_odd_names_are_looked_up_without_harm(echo, name):
    with pytest.raises(OSError) as caught:
        os.stat(echo.path / name)
    assert caught.value.errno in (errno.ENOENT, errno.ENAMETOOLONG)


def test_ctl_refuses_what_it_doesnt_know_with_words(echo):
    with pytest.raises(OSError) as caught:
        with open(echo.path / "ctl", "wb", buffering=0) as file:
            file.write(b"explode\n")
    assert caught.value.errno == errno.EINVAL
    assert "explode" in echo.text("error")
    assert all(line.startswith("#") for line in echo.text("ctl").splitlines())
