"""Walking through the tree against a copy of it on tmpfs."""

import os
import pathlib
import shutil
import statistics
import subprocess
import time

from harness.wait import is_mounted, until
from table import Row


def copy_tree(source, target):
    """The same names, sizes, modes and links, as files without blocks. Returns how many entries."""
    count = 0
    pending = [(source, target)]
    while pending:
        here, there = pending.pop()
        os.mkdir(there)
        with os.scandir(here) as entries:
            for entry in entries:
                path = f"{there}/{entry.name}"
                count += 1
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.path), path)
                elif entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, path))
                else:
                    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
                    os.ftruncate(fd, entry.stat(follow_symlinks=False).st_size)
                    os.close(fd)
    return count


def timed(command, where):
    began = time.perf_counter()
    subprocess.run(command, cwd=where, check=True, stdout=subprocess.DEVNULL, timeout=600)
    return time.perf_counter() - began


class Walking:
    """`mount` offers the models; `copy` is a directory on tmpfs to be made."""

    COMMANDS = (["ls", "-lR"], ["find", "."], ["find", ".", "-name", "input"])

    def __init__(self, mount, copy, runs):
        self.mount = mount
        self.copy = pathlib.Path(copy)
        self.runs = runs
        shutil.rmtree(copy, ignore_errors=True)
        self.count = copy_tree(str(self.models), str(copy))

    @property
    def models(self):
        return self.mount.path / "providers/openrouter/models"

    def compared(self, command, cold):
        pairs = []
        for _ in range(self.runs):
            if cold:
                self.mount.stop()
                self.mount.start().wait_ready()
            pairs.append((timed(command, self.models), timed(command, self.copy)))
        return pairs

    def rows(self):
        for command in self.COMMANDS:
            words = " ".join(command)
            cold = self.compared(command, True)
            timed(command, self.models)
            warm = self.compared(command, False)
            yield Row(f"{words}, cold", "s", cold, "its copy on tmpfs", aim=2.0)
            yield Row(f"{words}, warm", "s", warm, "its copy on tmpfs", aim=1.2)

    def finish(self):
        shutil.rmtree(self.copy, ignore_errors=True)


def remounted(mount, service, rounds=5):
    """The second mount of a catalogue, its service gone: from the command to a whole listing."""
    mount.stop()
    service.stop()
    models = mount.path / "providers/openrouter/models"
    times, listings = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        result = mount.background()
        assert result.status == 0, result
        listed = time.perf_counter()
        subprocess.run(
            ["find", str(models), "-name", "input"],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )
        ended = time.perf_counter()
        times.append((ended - began) * 1000)
        listings.append((ended - listed) * 1000)
        subprocess.run(["fusermount3", "-u", str(mount.path)], check=True)
        until(lambda: not is_mounted(mount.path) and unlocked(mount), 10, "the mount is gone")
    return times, statistics.median(listings)


def unlocked(mount):
    """Whether no daemon holds the state directory any more."""
    done = subprocess.run(
        ["pgrep", "-f", f"conduitfs .*{mount.path}"], stdout=subprocess.DEVNULL, check=False
    )
    return done.returncode != 0
