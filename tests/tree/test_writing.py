"""docs/writing-a-provider.md, and the session of README.md with a provider from git, are followed word
for word, and what they say is shown is shown."""

import os
import re
import select
import subprocess
import time

import pytest
from harness.command import provider
from harness.git import IDENTITY, Repository, git
from harness.mount import BUILD, TOP, flat, local_only
from harness.server import free_port
from harness.wait import is_mounted, mounts_change, seconds, until

GUIDE = (TOP / "docs/writing-a-provider.md").read_text()
#: What isn't the guide's word: the server that a person pushes to, and ports that may be in use.
SERVER = "https://git.example.com/you/acme-provider.git"
SERVICE = "8091"


def blocks(text):
    """The guide's blocks of commands, each with what must be shown after it."""
    found = re.findall(r"^```(sh|text)\n(.*?)^```$", text, re.M | re.S)
    for i, (kind, content) in enumerate(found):
        if kind == "sh":
            shown = found[i + 1][1] if i + 1 < len(found) and found[i + 1][0] == "text" else ""
            yield content, shown.splitlines()


def matches(line, shown):
    """A line of the guide, in which "…" stands for anything, and blanks for as many as there are."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in line.split("…"))
    return re.fullmatch(pattern.replace(r"\ ", " ?"), " ".join(shown.split()))


def first_missing(expected, shown):
    """The first line of the guide that isn't among those shown after the one before; None: all are."""
    at = 0
    for line in expected:
        if line.strip() == "…":
            continue
        while at < len(shown) and not matches(line, shown[at]):
            at += 1
        if at == len(shown):
            return line
        at += 1
    return None


class Shell:
    """One shell for the whole guide."""

    def __init__(self, home):
        self.process = subprocess.Popen(
            ["bash", "--norc"],
            env=IDENTITY
            | {"PATH": f"{BUILD}/fs:{os.environ['PATH']}", "HOME": str(home), "LC_ALL": "C.UTF-8", "NO_PROXY": "*"},
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, commands):
        """What a block of commands shows, in lines."""
        self.process.stdin.write(f"{commands}\necho 'the block ended'\n".encode())
        self.process.stdin.flush()
        shown, end = b"", time.monotonic() + seconds(60)
        while not shown.endswith(b"the block ended\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            assert ready, f"{commands}: no end; so far: {shown}"
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, f"{commands}: the shell ended: {shown}"
            shown += data
        return shown.decode().splitlines()[:-1]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(seconds(10))


def settle(tree):
    """A person takes a moment to read; by then what was begun is done."""
    states = [path / "status" for path in (tree / "providers").glob("*")] if is_mounted(tree) else []
    busy = ("fetching", "building", "discovering")
    for status in states:
        until(lambda status=status: flat(status.read_text())["state"] not in busy, 20, f"{status} settles")


@pytest.fixture
def home(tmp_path):
    """Whose bundled providers of remote services are off: the tests know no other machine."""
    home = tmp_path / "home"
    (home / ".config/conduitfs").mkdir(parents=True)
    (home / ".config/conduitfs/config.yml").write_text(local_only({"providers": {"openrouter": "off"}}))
    return home


@pytest.fixture
def shell(home):
    shell = Shell(home)
    yield shell
    if is_mounted(home / "mnt"):
        subprocess.run(["fusermount3", "-u", "-z", str(home / "mnt")], check=False)
    shell.run("kill %1 2>/dev/null")
    shell.end()


def follow(shell, commands, expected, tree):
    shown = shell.run(commands)
    missing = first_missing(expected, shown)
    assert missing is None, f"after\n{commands}\nisn't shown: {missing}\nbut:\n" + "\n".join(shown)
    assert not any(line.startswith("bash: ") for line in shown), shown
    settle(tree)


def session(text, heading):
    """The commands below a heading of README.md, each with what it shows."""
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def test_the_readmes_session_with_a_provider_from_git_is_true(home, shell, tmp_path):
    assert provider(tmp_path, "new", "acme").status == 0
    repository = Repository(tmp_path, "acme")
    repository.copy(tmp_path / "acme-provider")
    repository.tag("v0.1.0")
    (home / "mnt").mkdir()
    shell.run("conduitfs mnt")
    settle(home / "mnt")
    readme = (TOP / "README.md").read_text().replace(SERVER, f"file://{repository.bare}")
    readme = readme.replace("86c991383aa8", repository.head()[:12])
    commands = session(readme, "Providers from git")
    assert len(commands) == 6
    lock = home / ".config/conduitfs/providers.lock"
    for command, expected in commands:
        follow(shell, command, expected, home / "mnt")
        if command.startswith("echo allow"):
            # It is written behind, by a thread that may wait for the disk.
            until(lambda: "allow:" in lock.read_text(), 20, "the lock holds what was granted")


@pytest.mark.bound(180)
def test_the_guide_is_followed_word_for_word(home, shell, tmp_path):
    git("init", "-q", "--bare", "-b", "main", str(tmp_path / "acme-provider.git"), cwd=tmp_path)
    instead = {SERVER: f"file://{tmp_path}/acme-provider.git", SERVICE: str(free_port())}
    guide = re.sub("|".join(map(re.escape, instead)), lambda found: instead[found.group()], GUIDE)
    for commands, expected in blocks(guide):
        follow(shell, commands, expected, home / "mnt")
    mounts_change(lambda: not is_mounted(home / "mnt"), 10, "it unmounts")


def test_the_readers_of_the_guide_are_told_of_nothing_else():
    """What the guide shows is looked for in order, and found only where it is."""
    assert first_missing(["a …", "c"], ["x", "a b", "c"]) is None
    assert first_missing(["a", "b"], ["b", "a"]) == "b"
    assert first_missing(["a … d"], ["a b c"]) == "a … d"
