"""What the daemon and a provider's process weigh, at rest and with many streams."""

import json
import os
import pathlib
import re
import resource
import select
import subprocess
import time

from table import Row

#: Seconds between two words of a stream, and words.
EACH, WORDS = 0.5, 24


def kilobytes(pid):
    """(RSS, PSS) in KiB; the second is the first where smaps may not be read."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rss = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    try:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return rss, int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1])
    except OSError:
        return rss, rss


def weigh(pids):
    """(RSS, PSS) in MiB of several processes together."""
    each = [kilobytes(pid) for pid in pids]
    return sum(rss for rss, _ in each) / 1024, sum(pss for _, pss in each) / 1024


def raise_descriptors():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Streams:
    """Many answers that come a word at a time, each read as it comes."""

    def __init__(self, model, count):
        self.fds = []
        for n in range(count):
            model.write(f"first=0 each={EACH} " + f"word-{n} " * WORDS)
            self.fds.append(os.open(model.path / "output", os.O_RDONLY | os.O_NONBLOCK))

    def begun(self, bound=60):
        """Waits for the first bytes of each."""
        end = time.monotonic() + bound
        for fd in self.fds:
            while not os.path.getsize(f"/proc/self/fd/{fd}"):
                assert time.monotonic() < end, "the streams don't begin"
                time.sleep(0.02)

    def read_all(self, bound=120):
        """Reads each to its end; returns how many bytes came."""
        end = time.monotonic() + bound
        total = 0
        for fd in self.fds:
            while True:
                assert time.monotonic() < end, "the streams don't end"
                try:
                    piece = os.read(fd, 65536)
                except BlockingIOError:
                    select.select([fd], [], [], 1)
                    continue
                if not piece:
                    break
                total += len(piece)
            os.close(fd)
        return total


def curls(url, count):
    """As many curl processes with the same streams; (RSS, PSS) in MiB."""
    prompt = f"first=0 each={EACH} " + "word " * WORDS
    body = {"model": "test/slow:free", "messages": [{"role": "user", "content": prompt}]}
    command = ["curl", "-sN", "--noproxy", "*", "-d", json.dumps(body), url]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(count)]
    time.sleep(2)
    weight = weigh([process.pid for process in processes])
    for process in processes:
        process.terminate()
        process.wait()
    return weight


def rows(mount, simulated, count):
    """A mount that lets `count` turns run at once."""
    raise_descriptors()
    model = mount.model("test/slow:free")
    mount.model("test/echo:free").ask("a first question starts the provider's process")
    daemon, children = mount.process.pid, mount.runners()
    rest = [weigh([daemon]), weigh(children)]
    streams = Streams(model, count)
    streams.begun()
    busy = [weigh([daemon]), weigh(children)]
    streams.read_all()
    curl = curls(f"{simulated.base_url}/chat/completions", 50)
    per_curl = curl[1] / 50
    for n, name in enumerate(("daemon", "provider's process")):
        yield Row(
            f"PSS of the {name}, {count} streams",
            "MiB",
            [(busy[n][1], rest[n][1])],
            "the same at rest",
            note=f"RSS {rest[n][0]:.1f} MiB at rest, {busy[n][0]:.1f} MiB with {count} streams",
        )
    ours = busy[0][1] + busy[1][1]
    yield Row(
        f"PSS of both, {count} streams",
        "MiB",
        [(ours, per_curl * count)],
        f"{count} curl, from 50",
    )
