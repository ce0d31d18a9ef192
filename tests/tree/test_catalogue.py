"""Recorded catalogues become directories: every model, at the path that its id is, free ones apart.

What is expected is computed from the recording by Python alone."""

import json
import os

import pytest
from harness.expect import free_ids
from harness.server import shared, stem
from harness.wait import until

FOLDER = shared("data", "openrouter", "models")
RECORDINGS = sorted(FOLDER.glob("models_*.json")) if FOLDER else []
needs_recordings = pytest.mark.skipif(not RECORDINGS, reason="no recorded catalogues here")
recorded = pytest.mark.parametrize("recording", RECORDINGS, ids=stem)


def listed(tree):
    """The ids of the tree's models, as `find models -name input` gives them."""
    found = tree.sh(
        "find models -name input -printf '%h\\n'", check=True, cwd=tree.path / "providers/openrouter"
    )
    return [line.removeprefix("models/") for line in found.out.decode().splitlines()]


@pytest.fixture
def catalogue(mount, simulated):
    def make(recording, **more):
        simulated.control(models=str(recording))
        return mount(simulated.config(**more)).wait_ready()

    return make


@needs_recordings
@recorded
def test_a_recorded_catalogue_is_listed_whole(catalogue, recording):
    models = json.loads(recording.read_text())["data"]
    tree = catalogue(recording)
    found = listed(tree)
    assert len(found) == len(models)
    assert set(found) == {model["id"] for model in models}


@needs_recordings
@recorded
def test_free_holds_exactly_the_models_that_are_certain_to_cost_nothing(catalogue, recording):
    expected = free_ids(json.loads(recording.read_text()))
    tree = catalogue(recording)
    found = tree.sh(
        "find . -type l -printf '%P\\n'", check=True, cwd=tree.path / "providers/openrouter/free"
    ).out.decode()
    assert set(found.splitlines()) == expected
    for name in expected:
        link = tree.path / "providers/openrouter/free" / name
        assert link.samefile(tree.path / "providers/openrouter/models" / name)


@needs_recordings
@recorded
def test_models_sort_by_their_release(catalogue, recording):
    created = {model["id"]: model["created"] for model in json.loads(recording.read_text())["data"]}
    tree = catalogue(recording)
    folder = tree.path / "providers/openrouter/models"
    for vendor in os.listdir(folder):
        names = tree.sh("ls -t", check=True, cwd=folder / vendor).out.decode().split("\n")[:-1]
        dates = [created[f"{vendor}/{name}"] for name in names if f"{vendor}/{name}" in created]
        assert dates == sorted(dates, reverse=True), vendor


@needs_recordings
def test_facts_of_each_model_are_those_of_the_recording(catalogue):
    recording = RECORDINGS[-1]
    tree = catalogue(recording)
    for model in json.loads(recording.read_text())["data"][:60]:
        info = tree.path / "providers/openrouter/models" / model["id"] / "info"
        assert (info / "id").read_text() == model["id"] + "\n"
        assert (info / "name").read_text() == model["name"] + "\n"
        assert json.loads((info / "raw.json").read_text())["id"] == model["id"]
        if model["context_length"]:
            assert (info / "context_length").read_text() == f"{model['context_length']}\n"
        price = (info / "price_prompt").read_text().strip()
        if float(model["pricing"]["prompt"]) >= 0:
            assert float(price) == pytest.approx(float(model["pricing"]["prompt"]) * 1e6)


def test_a_second_mount_lists_the_models_with_the_server_gone(mount, simulated, homes):
    first = mount(simulated.config()).wait_ready()
    names = listed(first)
    assert names
    first.stop()
    gone = {"providers": {"openrouter": simulated.provider(base_url="http://127.0.0.1:9/api/v1")}}
    assert sorted(listed(mount(gone))) == sorted(names)


def test_a_refresh_that_fails_loses_no_model(tree, simulated):
    before = listed(tree)
    provider = tree.path / "providers/openrouter"
    for broken in ({"models_status": 500}, {"models_kind": "empty"}, {"models_kind": "truncated"}):
        simulated.control(models_status=200, models_kind=None)
        count = simulated.journal()["count"]
        simulated.control(**broken)
        (provider / "ctl").write_text("refresh\n")
        until(lambda: simulated.journal()["count"] > count, 10, "it refreshes")
        until(lambda: simulated.journal()["open"] == 0, 10, "the refresh ends")
        assert set(before) <= set(listed(tree)), broken


def test_ctl_refresh_finds_new_models(tree, simulated, tmp_path):
    listing = tmp_path / "models.json"
    entry = {
        "id": "new/model",
        "name": "New",
        "created": 1,
        "pricing": {"prompt": "0", "completion": "0"},
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    }
    listing.write_text(json.dumps({"data": [entry]}))
    simulated.control(models=str(listing))
    provider = tree.path / "providers/openrouter"
    (provider / "ctl").write_text("refresh\n")
    until(lambda: "new" in os.listdir(provider / "models"), 10, "the new model is listed")
    assert (provider / "models/new/model/input").exists()
    assert (provider / "free/new/model").is_symlink()


def test_inode_numbers_are_the_same_after_a_remount(mount, simulated):
    def inodes(tree):
        folder = tree.path / "providers/openrouter"
        return {
            str(path.relative_to(folder)): path.lstat().st_ino for path in folder.glob("models/test/*/*")
        }

    first = mount(simulated.config()).wait_ready()
    before = inodes(first)
    first.stop()
    after = inodes(mount(simulated.config()).wait_ready())
    assert before and after == before
    assert all(number < 1 << 53 for number in after.values())
