"""conduitfs-fetch, driven as the daemon drives it: a task in, events out."""

import errno
import json
import os
import pathlib
import select
import signal
import subprocess
import time

from harness.mount import BUILD, TOP
from harness.wait import seconds

FETCHER = BUILD / "core" / "fetch" / "conduitfs-fetch"
INCLUDE = TOP / "core" / "provider"
MANIFEST = "MediaConduit.provider.yml"


class Fetch:
    """One run of the program. `events` are all that it told, the last of them the end."""

    def __init__(self, home, source, env=None, cwd=None, **task):
        self.home = home
        self.cache = home / "cache"
        self.events = []
        self.rest = b""
        self.begun = time.monotonic()
        given = {"source": str(source), "cache": str(self.cache), "include": str(INCLUDE), **task}
        clean = {"PATH": os.environ["PATH"], "HOME": str(home), **(env or {})}
        self.process = subprocess.Popen(
            [FETCHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean,
            cwd=cwd,
            start_new_session=True,
        )
        self.process.stdin.write(json.dumps(given).encode() + b"\n")
        self.process.stdin.flush()

    def next(self, bound=60):
        """The next event; None when there are no more."""
        end = time.monotonic() + seconds(bound)
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], end - time.monotonic())
            if not ready:
                self.kill()
                raise AssertionError(f"no event within {bound} s; so far: {self.events}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return None
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        event = json.loads(line)
        self.events.append(event)
        return event

    def end(self, bound=60):
        """Waits for the end: its event. No report of a sanitizer came, nothing is left running."""
        while self.next(bound) is not None:
            pass
        self.process.stdin.close()
        errors = self.process.stderr.read().decode(errors="replace")
        self.process.wait(seconds(10))
        self.process.stdout.close()
        self.process.stderr.close()
        assert errors == "", errors
        assert self.events and self.events[-1]["event"] == "end", self.events
        return self.events[-1]

    def kill(self):
        """As the daemon's last resort, or an out-of-memory killer that takes the group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def left(self):
        """The processes of this run that are still there: of its session, or in its cache."""
        found = []
        for directory in pathlib.Path("/proc").iterdir():
            if not directory.name.isdigit():
                continue
            try:
                fields = (directory / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            try:
                where = os.readlink(directory / "cwd")
            except OSError:
                where = ""
            if fields[0] != "Z" and (
                int(fields[3]) == self.process.pid or where.startswith(f"{self.cache}/")
            ):
                found.append(int(directory.name))
        return found

    @property
    def words(self):
        """All that was told as progress, in lines."""
        return "\n".join(event.get("words", "") for event in self.events[:-1])


def fetch(home, source, **task):
    """Fetches to the end: its event."""
    return Fetch(home, source, **task).end()


def good(result):
    assert result["code"] == 0, result
    return result


def failed(result, code, *words):
    for part in words:
        assert part in result["words"], result
    assert errno.errorcode[result["code"]] == errno.errorcode[code], result
    return result


def files(result):
    """The files that came: path below the provider's directory to content."""
    top = pathlib.Path(result["files"])
    found = (path for path in top.rglob("*") if path.is_file())
    return {str(path.relative_to(top)): path.read_bytes() for path in found}


def whole(cache):
    """Nothing half: no staging directory, no copy marked as used, no entry without a part."""
    assert not any((cache / "tmp").iterdir())
    assert not list(cache.glob("git/*/busy"))
    for entry in cache.glob("files/*"):
        assert sorted(path.name for path in entry.iterdir()) == ["files", "tree"]
        assert (entry / "files" / MANIFEST).exists()
    for entry in cache.glob("built/*"):
        assert sorted(path.name for path in entry.iterdir()) == ["messages", "provider.so"]
