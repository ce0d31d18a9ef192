"""Loading providers from outside, as a person does: ctl written, status and error read."""

import os
import pathlib

from harness.mount import Model, flat
from harness.wait import until

KEY = "sk-acme-0123456789"
HOST = "http://127.0.0.1"
#: Nobody else is there.
ONLY = {"providers": {"cowsay": "off", "openrouter": "off"}}

#: Speaks to the simulated service; the version that asked stands in a header of the request.
SOURCE = """\
#include <conduit/kit/openai.h>

static const char *const headers[] = {"X-Acme: VERSION", NULL};

static const struct conduit_openai dialect = {
		.service = "Acme", .include_usage = true, .headers = headers};

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, &dialect);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, &dialect);
}

CONDUIT_PROVIDER(.name = "acme", .version = "VERSION", .discover = discover,
		.transform = transform, CONDUIT_OPENAI_CALLBACKS)
"""


def manifest(simulated, version="1", **fields):
    """A compiled provider of the simulated service; a field that is None is left out."""
    lines = {
        "id": "acme-provider",
        "name": "Acme",
        "version": f"{version}.0.0",
        "capabilities": "[text-to-text]",
        "sources": "[provider.c]",
        "base_url": simulated.base_url,
        "key_env": "ACME_KEY",
        **fields,
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items() if value is not None)


def acme(simulated, version="1", source=SOURCE, **fields):
    """The files of a provider's repository."""
    return {
        "MediaConduit.provider.yml": manifest(simulated, version, **fields),
        "provider.c": source.replace("VERSION", version),
    }


def declared(simulated, version="1", **fields):
    """The same without code: it needs no compiler and is quick."""
    fields = {"sources": None, "driver": "openrouter", **fields}
    return {"MediaConduit.provider.yml": manifest(simulated, version, **fields)}


class Loaded:
    """A provider that was loaded, or is being so."""

    def __init__(self, tree, name="acme"):
        self.tree, self.name = tree, name
        self.path = tree.path / "providers" / name

    def text(self, name):
        return (self.path / name).read_text()

    def facts(self, name="status"):
        try:
            return flat(self.text(name))
        except FileNotFoundError:
            return {}

    @property
    def state(self):
        return self.facts().get("state")

    def settles(self, *states, bound=30):
        """Waits for the end of fetching and building: one of these states."""
        under_way = ("fetching", "building", "discovering", None)
        state = until(lambda: self.state not in under_way and self.state, bound, f"{self.name} settles")
        assert state in states, self.text("status") + self.text("error") + self.text("log")
        return self

    def updated(self, bound=30):
        """Waits until nothing comes in any more: what `update` says then."""
        busy = ("fetching", "building", "trying")
        until(lambda: self.facts()["update"] not in busy, bound, f"{self.name}'s update ends")
        return self.facts()["update"]

    def commit(self):
        return self.facts("source")["commit"]

    def ctl(self, command):
        (self.path / "ctl").write_text(command + "\n")
        return self

    def allow(self):
        ctl(self.tree, f"allow {self.name}")
        return self

    def update(self):
        self.ctl("update")
        return self.updated()

    def model(self, name="test/echo:free"):
        return Model(self.path / "models" / name)

    def ask(self, prompt, name="test/echo:free"):
        return self.model(name).ask(prompt)


def ctl(tree, command):
    """A command at the root, by one write: it fails as a shell's echo would."""
    fd = os.open(tree.path / "ctl", os.O_WRONLY)
    try:
        os.write(fd, command.encode() + b"\n")
    finally:
        os.close(fd)


def load(tree, source, name="acme", named=False):
    ctl(tree, f"load {source}" + (f" as {name}" if named else ""))
    return Loaded(tree, name)


def ready(tree, source, **more):
    """Loaded, granted, ready."""
    return load(tree, source, **more).settles("needs-consent").allow().settles("ready")


def lock(tree):
    """Without the quotes of hashes that could be numbers."""
    path = pathlib.Path(tree.home / "config/conduitfs/providers.lock")
    return path.read_text().replace('"', "") if path.exists() else ""


def until_locked(tree, text):
    """It is written behind, by a thread that may wait for the disk."""
    until(lambda: text in lock(tree), 30, f"{text!r} is in the lock")


def url(git_servers, repository, scheme="file"):
    """Where a repository is cloned from."""
    return f"{getattr(git_servers, scheme)}/{repository.name}.git"
