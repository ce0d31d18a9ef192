"""Manifests in the six shapes in which MediaConduit's repositories have them, loaded from a
directory: each gives the tree that its author would expect."""

import errno

import pytest
from harness.mount import Model, flat
from harness.server import free_port
from harness.wait import until

LISTED = """\
id: painter-docker-provider
name: Painter
description: Paints what is said
version: 2.1.0
author: Somebody
type: local
capabilities: [TEXT_TO_IMAGE, image-to-image]
serviceUrl: https://github.com/example/painter-service
models:
  - id: fast
    name: Fast Painter
    description: A sketch
    capabilities: [TEXT_TO_IMAGE]
    inputTypes: [text]
    outputTypes: [image]
  - id: house/slow
    name: Slow Painter
    parameters: {temperature: 0.7, maxTokens: 4096}
dependencies:
  - axios: ^1.6.0
main: src/index.ts
"""

# What makes it a provider here: its author adds it to the file that MediaConduit reads.
DECLARED = "driver: openai\ndiscovery: static\n"


@pytest.fixture
def load(mount, tmp_path):
    """Loads a manifest as it lies in a directory of its own; gives the provider's directory and
    its status once it has come to rest."""
    at = mount({})

    def run(name, manifest, as_name=None):
        directory = tmp_path / f"{name}-provider"
        directory.mkdir()
        (directory / "MediaConduit.provider.yml").write_text(manifest)
        words = f"load {directory}" + (f" as {as_name}" if as_name else "")
        (at.path / "ctl").write_text(words + "\n")
        path = at.path / "providers" / (as_name or name)

        def rested():
            facts = flat((path / "status").read_text()) if path.exists() else {}
            return facts if facts.get("state") not in (None, "fetching", "building", "discovering") else None

        return path, until(rested, 20, f"{words} comes to rest")

    return run


def test_listed_models_are_there_with_what_is_said_of_them(load):
    path, status = load("painter", LISTED + DECLARED)
    assert (status["state"], status["models"], status["discovery"]) == ("ready", "2", "static")
    info = path / "info"
    assert (info / "package").read_text() == "painter-docker-provider\n"
    assert (info / "name").read_text() == "Painter\n"
    assert (info / "description").read_text() == "Paints what is said\n"
    assert (info / "version").read_text() == "2.1.0\n"
    assert (info / "type").read_text() == "local\n"
    assert (info / "capabilities").read_text() == "text-to-image\nimage-to-image\n"
    assert (path / "manifest.yml").read_text() == LISTED + DECLARED
    fast, slow = path / "models/fast", path / "models/house/slow"
    assert (fast / "info/name").read_text() == "Fast Painter\n"
    assert (fast / "info/description").read_text() == "A sketch\n"
    assert (fast / "info/input_modalities").read_text() == "text\n"
    assert (fast / "info/output_modalities").read_text() == "image\n"
    # What it doesn't say is what the provider says of all.
    assert (slow / "info/input_modalities").read_text().split() == ["text", "image"]
    assert (slow / "config/temperature").exists() and (slow / "config/max_tokens").exists()


@pytest.mark.parametrize(
    "name, more",
    [
        ("scribe", "capabilities: [speech-to-text, transcription]\nsupportedLanguages: [en, de]\n"),
        ("llm", "capabilities: [text-to-text]\nmodels: {dynamic: true, parameters: {temperature: 0.7}}\n"),
        ("farm", "capabilities: [text-to-video]\nconfiguration: {environment: {FARM_TOKEN: {required: true}}}\n"),
    ],
)
def test_one_for_another_host_without_a_stand_in_is_refused_with_words(load, name, more):
    path, status = load(name, f"id: {name}-docker-provider\ntype: local\nmain: dist/index.js\n{more}")
    assert status["state"] == "failed"
    assert "neither" in (path / "error").read_text() or "bundled" in (path / "error").read_text()


def test_one_for_another_host_has_the_bundled_provider_of_its_name(load):
    path, status = load(
        "cowsay", "id: cowsay-docker-provider\ncapabilities: [TEXT_TO_TEXT]\nmain: src/index.ts\n", "herd"
    )
    assert status["state"] == "ready" and int(status["models"]) > 0
    assert "cowsay" in (path / "source").read_text()


NOT_STARTED = "https://github.com/example/painter-service, isn't started by conduitfs"


@pytest.mark.parametrize("listing", ["", "discovery: static\n"], ids=["asked", "static"])
def test_a_service_in_docker_that_is_down_is_said_not_to_be_started(load, listing):
    more = f"driver: openai\nbase_url: http://127.0.0.1:{free_port()}/v1\n"
    path, status = load("painter", LISTED.replace("text-to-image", "text-to-text") + more + listing)
    assert status["state"] == "needs-consent"
    (path.parents[1] / "ctl").write_text("allow painter\n")
    settled = ("ready", "failed")
    status = until(lambda: (now := flat((path / "status").read_text()))["state"] in settled and now, 20, "it settles")
    assert status["service"] == "https://github.com/example/painter-service, not started by conduitfs"
    if not listing:
        assert status["state"] == "failed" and NOT_STARTED in status["why"]
        assert NOT_STARTED in (path / "error").read_text()
        return
    # Its models are those of the manifest: only who asks one learns that nobody is there.
    model = Model(path / "models/house/slow")
    model.set("retries", "0")
    model.write("a heron")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.ECONNREFUSED
    assert NOT_STARTED in model.text("error")


def test_a_provider_without_a_service_of_its_own_says_so_with_a_dash(load):
    path, status = load("cowsay", "id: cowsay-docker-provider\ncapabilities: [TEXT_TO_TEXT]\n", "herd")
    assert status["service"] == "-"


def test_a_docker_service_of_a_bundled_provider_is_named_too(load):
    whisper = "id: whisper-docker-provider\ncapabilities: [audio-to-text]\nserviceUrl: https://github.com/example/ears\n"
    path, status = load("whisper", whisper, "ears")
    assert status["service"] == "https://github.com/example/ears, not started by conduitfs"


def test_every_fault_of_a_manifest_stands_in_error(load):
    path, status = load(
        "wrong",
        "id: wrong-provider\ncapabilities: [text-to-txt]\ndriver: openai\nsources: [../../x.c]\nprograms: [sh]\n",
    )
    assert status["state"] == "failed"
    error = (path / "error").read_text()
    for words in ("MediaConduit.provider.yml:2: unknown capability", ":4: sources: '../../x.c'", ":5: programs: 'sh'"):
        assert words in error
