"""Each provider of this project, split into a repository of its own without a change, loads by URL."""

import pytest
from harness.git import Repository
from harness.mount import TOP, flat
from harness.wait import until

BUNDLED = sorted(path.parent.name for path in TOP.glob("providers/*/MediaConduit.provider.yml"))


def speaks_openai(name):
    """Whether the simulated service can answer it: it has OpenAI's dialect, and a list of models."""
    directory = TOP / "providers" / name
    texts = [path.read_text() for path in directory.glob("*.[cy]*")]
    declared = any("driver: openai" in text for text in texts)
    return (declared or any("conduit/kit/openai.h" in text for text in texts)) and not any(
        "discovery: static" in text or "conduit/kit/ndjson.h" in text for text in texts
    )


def state(tree, name):
    return flat((tree.path / "providers" / name / "status").read_text())["state"]


@pytest.mark.bound(240)
def test_each_provider_loads_from_a_repository_of_its_own(mount, simulated, tmp_path):
    (tmp_path / "git").mkdir()
    repositories = {}
    for name in BUNDLED:
        repositories[name] = Repository(tmp_path / "git", f"{name}-provider")
        repositories[name].copy(TOP / "providers" / name)
    # The bundled ones have their names; the services are this machine's.
    tree = mount({}, env={f"{name.upper()}_SPLIT_BASE_URL": simulated.base_url for name in BUNDLED})
    for name, repository in repositories.items():
        (tree.path / "ctl").write_text(f"load file://{repository.bare} as {name}-split\n")
    for name in BUNDLED:
        split = f"{name}-split"
        directory = tree.path / "providers" / split
        loaded = ("ready", "needs-consent", "needs-key", "failed")
        until(lambda split=split: state(tree, split) in loaded, 120, f"{split} is loaded")
        assert state(tree, split) != "failed", (directory / "error").read_text()
        if state(tree, split) == "needs-consent":
            (tree.path / "ctl").write_text(f"allow {split}\n")
            (directory / "key").write_text(f"{simulated.KEY}\n")
        assert repositories[name].head() in (directory / "source").read_text()
    spoken = [name for name in BUNDLED if speaks_openai(name)]
    assert len(spoken) > 10
    for name in spoken:
        until(lambda name=name: state(tree, f"{name}-split") == "ready", 30, f"{name} finds its models")
        assert tree.model("test/echo:free", f"{name}-split").ask(name) == f"{name}\n".encode()
    assert b"(oo)" in tree.model("cow", "cowsay-split").ask("Moo")
