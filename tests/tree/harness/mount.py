"""A conduitfs of a test's own: its config, state and runtime directories, its log, its end."""

import dataclasses
import json
import os
import pathlib
import shlex
import signal
import subprocess

from harness.wait import is_mounted, mounts_change, seconds, until

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("CONDUITFS_BUILD", TOP / "build"))
PROGRAM = BUILD / "fs" / "conduitfs"
#: AddressSanitizer takes memory by the terabyte: no limit of memory holds then.
SANITIZED = b"__asan_init" in PROGRAM.read_bytes() if PROGRAM.exists() else False
REPORTS = ("AddressSanitizer", "LeakSanitizer", "UndefinedBehavior", "runtime error:")


@dataclasses.dataclass
class Result:
    """How a command ended: exit status (negative: the signal), what it wrote."""

    status: int
    out: bytes
    err: bytes


def run(command, bound=30, check=False, give=None, **options):
    """Runs a command in a process group of its own, which is ended when the bound is reached."""
    options.setdefault("env", os.environ | {"LC_ALL": "C.UTF-8"})
    options.setdefault("stdin", subprocess.PIPE if give is not None else subprocess.DEVNULL)
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **options,
    )
    try:
        out, err = process.communicate(give, timeout=seconds(bound))
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    result = Result(process.returncode, out, err)
    assert not check or result.status == 0, f"{command}: {result}"
    return result


class Model:
    """A model's directory."""

    def __init__(self, path):
        self.path = path

    def write(self, prompt, name="input"):
        data = prompt if isinstance(prompt, bytes) else prompt.encode()
        with open(self.path / name, "wb", buffering=0) as file:
            while data:
                data = data[file.write(data) :]

    def read(self, name="output"):
        return (self.path / name).read_bytes()

    def text(self, name):
        return self.read(name).decode().rstrip("\n")

    def ask(self, prompt):
        self.write(prompt)
        return self.read()

    def facts(self, name="status"):
        """A file of flat `key value` lines; `-`, which stands for nothing, left out."""
        facts = flat(self.read(name).decode())
        return {key: value for key, value in facts.items() if value != "-"}

    def turns(self):
        """The numbers of its turns, oldest first; the empty one before the first isn't one."""
        names = [entry.name for entry in os.scandir(self.path / "turns")]
        return sorted(int(name) for name in names if name.isdigit() and int(name) > 0)

    def set(self, name, value):
        (self.path / "config" / name).write_text(value)


def local_only(config):
    """config.yml with the bundled providers off that would ask the internet, or a service that may
    run on this machine; a test that wants one says so."""
    bundled = {path.parent.name: "off" for path in TOP.glob("providers/*/MediaConduit.provider.yml")}
    providers = {**bundled, **config.get("providers", {})}
    for name in {"cowsay", "openrouter"} - set(config.get("providers", {})):
        del providers[name]
    return json.dumps({**config, "providers": providers})


def flat(text):
    facts = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        facts[key] = value
    return facts


class Mount:
    """One mount. `home` is what the program takes for the user's; a second Mount with the same
    home is a remount."""

    def __init__(self, home, config=None, env=None, options=()):
        self.home = home
        self.path = home / "mnt"
        self.config = config if isinstance(config, str) else local_only(config or {})
        self.options = list(options)
        self.extra = env or {}
        self.process = None
        self.log_path = home / "log"
        self.children = set()

    def environment(self):
        """No key of the user's reaches a test; reports of sanitizers come as files."""
        report = f"log_path={self.home}/sanitizer:handle_abort=1"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "ASAN_OPTIONS": report,
            "UBSAN_OPTIONS": report + ":print_stacktrace=1:halt_on_error=1",
            "NO_PROXY": "*",
            **self.extra,
        }

    def prepare(self):
        for name, mode in (("mnt", 0o755), ("config/conduitfs", 0o700), ("run", 0o700)):
            # A mount that a crash left can't be looked at; its directory is there.
            if not os.path.lexists(self.home / name) and not is_mounted(self.home / name):
                (self.home / name).mkdir(mode=mode, parents=True, exist_ok=True)
        (self.home / "config/conduitfs/config.yml").write_text(self.config)

    def command(self, *arguments):
        return shlex.split(os.environ.get("CONDUITFS_WRAPPER", "")) + [str(PROGRAM), *arguments]

    def start(self):
        self.prepare()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command("-f", *self.options, str(self.path)),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        mounts_change(self.up_or_over, 20, f"{self.path} isn't mounted")
        assert self.process.poll() is None, f"it ended before it mounted: {self.log()}"
        return self

    def up_or_over(self):
        """A stale mount is in the table too, but nothing answers there."""
        if self.process.poll() is not None:
            return True
        try:
            return is_mounted(self.path) and os.path.exists(self.path / "status")
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(errors="replace")

    def background(self, *arguments, bound=30, **options):
        """Runs the program as a user does, without -f: it returns when the mount answers."""
        self.prepare()
        return run(
            self.command(*self.options, *arguments, str(self.path)),
            bound=bound,
            env=self.environment(),
            cwd="/",
            **options,
        )

    def wait_ready(self, name="openrouter"):
        status = self.path / "providers" / name / "status"

        def settled():
            state = flat(status.read_text()).get("state") if status.exists() else None
            return state if state not in (None, "discovering", "fetching", "building") else None

        state = until(settled, 20, f"provider {name} is ready")
        assert state == "ready", status.read_text()
        return self

    def model(self, name, provider="openrouter"):
        return Model(self.path / "providers" / provider / "models" / name)

    def sh(self, script, shell="bash", bound=30, check=False, give=None, cwd=None, **variables):
        """A script as a person types it, in the root of the tree, or in `cwd`."""
        env = os.environ | {"LC_ALL": "C.UTF-8", "M": str(self.path)}
        return run(
            [shell, "-c", script],
            bound=bound,
            check=check,
            give=give,
            cwd=cwd or self.path,
            env=env | {key: str(value) for key, value in variables.items()},
        )

    def runners(self):
        """Pids of the daemon's children: the sandboxed providers."""
        pid = self.process.pid
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]

    def stop(self, how=signal.SIGTERM, bound=20):
        """Ends it, in so many seconds, and checks that it ended well: status 0, unmounted, no child left,
        no report."""
        if self.process is None:
            return
        process, self.process_was, self.process = self.process, self.process, None
        if process.poll() is None:
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            self.children.update(int(word) for word in children.read_text().split())
            process.send_signal(how)
        try:
            status = process.wait(seconds(bound))
        except subprocess.TimeoutExpired:
            self.unmount_lazily()
            process.kill()
            process.wait()
            raise AssertionError(f"it didn't end within {seconds(bound):g} s: {self.log()}") from None
        mounted = is_mounted(self.path)
        self.unmount_lazily()
        assert status == 0, f"exit status {status}: {self.log()}"
        assert not mounted, "the mount outlived its daemon"
        self.check_children()
        self.check_reports()

    def kill(self):
        """As a crash: nothing is told, the mount is left stale."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def check_children(self):
        for pid in self.children:
            alive = pathlib.Path(f"/proc/{pid}/stat")
            until(lambda: not alive.exists(), 10, f"provider process {pid} ends with its daemon")

    def check_reports(self):
        reports = [path.read_text(errors="replace") for path in self.home.glob("sanitizer*")]
        assert not reports, reports
        log = self.log() if self.log_path.exists() else ""
        assert not any(word in log for word in REPORTS), log

    def unmount_lazily(self):
        if is_mounted(self.path):
            subprocess.run(["fusermount3", "-u", "-z", str(self.path)], check=False)
