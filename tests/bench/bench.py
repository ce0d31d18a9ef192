"""Measures conduitfs against what people would use instead, and prints one table.

Everything talks to servers on 127.0.0.1 that this starts and ends; each side is measured by turns
in the same run, several times over. See scripts/bench for how to run it.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tree"))

import memory  # noqa: E402
from harness.mount import Mount  # noqa: E402
from harness.server import Simulated  # noqa: E402
from service import Service  # noqa: E402
from table import Row, show  # noqa: E402
from talking import Talking  # noqa: E402
from walking import Walking, remounted  # noqa: E402

PARTS = ("talk", "walk", "memory", "remount")
#: As many models as the largest catalogue that a recording shows.
REMOUNTED_MODELS = 549


class Bench:
    def __init__(self, home, options):
        self.home = home
        self.options = options
        self.ends = []

    def directory(self, name):
        path = self.home / name
        path.mkdir()
        return path

    def service(self, name, count):
        service = Service(self.directory(name), count)
        self.ends.append(service.stop)
        return service

    def mount(self, name, config, **env):
        """Up, with its models there."""
        mount = Mount(self.directory(name), config, env)
        self.ends.append(mount.unmount_lazily)
        self.ends.append(mount.stop)
        return mount.start().wait_ready()

    def talk(self):
        few = self.options.quick
        service = self.service("talk-service", 10)
        plain = self.mount("talk", service.config())
        secure = self.mount(
            "talk-tls", service.config(tls=True), CONDUITFS_CA_FILE=str(service.certificate)
        )
        talking = Talking(self.options.clients, service, plain, secure, self.options.runs)
        for tls in (False, True):
            yield talking.shell_and_curl(tls, 20 if few else 100)
        for tls in (False, True):
            yield talking.first_byte(tls, 100 if few else 1000)
        yield talking.whole_turns(1, 1000)
        yield talking.whole_turns(8, 1000 if few else 3000)
        tmpfs = pathlib.Path(self.options.tmpfs, f"{self.home.name}-file")
        tmpfs.touch()
        self.ends.append(tmpfs.unlink)
        yield talking.stats("input", 1000, tmpfs)
        yield talking.stats("status", 1000, tmpfs)

    def walk(self):
        service = self.service("walk-service", self.options.models)
        mount = self.mount("walk", service.config())
        copy = pathlib.Path(self.options.tmpfs, f"{self.home.name}-copy")
        walking = Walking(mount, copy, self.options.runs)
        self.ends.append(walking.finish)
        print(f"bench: {self.options.models} models are {walking.count} names", file=sys.stderr)
        yield from walking.rows()

    def memory(self):
        simulated = Simulated(self.home / "simulated.log")
        self.ends.append(simulated.stop)
        # A provider's own `concurrent` goes before the manifest's.
        entry = simulated.provider(concurrent=self.options.streams + 12)
        mount = self.mount("memory", {"providers": {"openrouter": entry}})
        yield from memory.rows(mount, simulated, self.options.streams)

    def remount(self):
        service = self.service("remount-service", REMOUNTED_MODELS)
        mount = self.mount("remount", service.config())
        times, listing = remounted(mount, service)
        yield Row(
            f"second mount and find of {REMOUNTED_MODELS} models, no network",
            "ms",
            [(one, 100.0) for one in times],
            "the aim",
            aim=1.0,
            note=f"of which find took {listing:.1f} ms",
        )

    def finish(self):
        for end in reversed(self.ends):
            try:
                end()
            except (AssertionError, OSError) as error:
                print(f"bench: {error}", file=sys.stderr)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {' '.join(PARTS)}; all")
    parser.add_argument("--runs", type=int, default=5, help="alternating runs of each (5)")
    parser.add_argument("--models", type=int, default=10000, help="of the tree walked (10000)")
    parser.add_argument("--streams", type=int, default=500, help="at once (500)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds a run")
    parser.add_argument("--tmpfs", default="/dev/shm", help="where the copy lies (/dev/shm)")
    parser.add_argument("--clients", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part '{part}'; there are {' '.join(PARTS)}")
    return options


def main():
    options = arguments()
    rows = []
    with tempfile.TemporaryDirectory(prefix="conduitfs-bench-") as home:
        bench = Bench(pathlib.Path(home), options)
        try:
            for part in options.parts or PARTS:
                for row in getattr(bench, part)():
                    value = statistics.median(row.compared())
                    print(f"bench: {row.what}: {value:.3f}", file=sys.stderr)
                    rows.append(row)
        finally:
            bench.finish()
            show(rows)
    print("Cold means just mounted; tmpfs knows no cold: its side is always warm.")


if __name__ == "__main__":
    main()
