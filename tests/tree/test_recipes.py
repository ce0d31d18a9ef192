"""README's "Working with files": each recipe, word for word as it stands there."""

import os
import re
import select
import stat
import subprocess
import time

import pytest
from harness.mount import TOP, run
from harness.wait import seconds, until

SECTION = (TOP / "README.md").read_text().split("## Working with files")[1].split("\n## ")[0]


def recipe(words):
    """The indented block after the paragraph that begins so."""
    blocks = re.findall(r"\n(\S[^\n]*(?:\n\S[^\n]*)*)\n\n((?:    [^\n]*\n|\n(?=    ))+)", SECTION)
    found = [block for paragraph, block in blocks if paragraph.startswith(words)]
    assert len(found) == 1, f"{len(found)} recipes begin with '{words}'"
    return "".join(line[4:] or "\n" for line in found[0].splitlines(keepends=True))


@pytest.fixture
def home(tree):
    """A home directory with the tree at mnt, whose default model answers with its prompt."""
    os.symlink("providers/openrouter/models/test/echo:free", tree.path / "repeat")
    subprocess.run(["ln", "-sfn", "repeat", tree.path / "default"], check=True)
    notes = tree.home / "notes"
    notes.mkdir()
    for i in range(12):
        (notes / f"{i}.txt").write_text(f"note {i}\n")
    return tree.home


def shell(home, script, give=None, bound=60, **variables):
    env = os.environ | {"LC_ALL": "C.UTF-8", "HOME": str(home)} | variables
    return run(["bash", "-c", script], bound=bound, check=True, give=give, cwd=home, env=env)


def test_chat_in_a_shell_loop(home, simulated):
    result = shell(home, recipe("Chat in a shell loop"), give=b"one\ntwo\nthree\n")
    assert result.out == b"one\ntwo\nthree\n"
    contents = [
        [message["content"] for message in request["json"]["messages"]] for request in simulated.chats()
    ]
    assert contents == [["one"], ["one", "one", "two"], ["one", "one", "two", "two", "three"]]


def test_a_makefile_summarises_only_what_changed(home, simulated):
    (home / "Makefile").write_text(recipe("A Makefile"))
    shell(home, "make -j8")
    assert (home / "notes/7.summary").read_text() == "Summarise in one sentence:\nnote 7\n"
    assert len(simulated.chats()) == 12
    (home / "notes/3.txt").write_text("another\n")
    later = time.time() + 2
    os.utime(home / "notes/3.txt", (later, later))
    shell(home, "make -j8")
    assert (home / "notes/3.summary").read_text() == "Summarise in one sentence:\nanother\n"
    assert len(simulated.chats()) == 13


def test_xargs_asks_eight_at_once(home):
    shell(home, recipe("Eight side by side"))
    for i in range(12):
        assert (home / f"notes/{i}.txt.answer").read_text() == f"note {i}\n"


def test_find_asks_for_each_file(home):
    shell(home, recipe("A file at a time"))
    for i in range(12):
        assert (home / f"notes/{i}.txt.answer").read_text() == f"note {i}\n"


def test_a_git_hook_writes_the_commit_message(home):
    identity = "-c user.name=A -c user.email=a@example.org"
    shell(home, "git init -q project")
    hook = home / "project/.git/hooks/prepare-commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(recipe("A git hook"))
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    (home / "project/file").write_text("a line\n")
    shell(home / "project", f"git add file && GIT_EDITOR=true git {identity} commit -q", HOME=str(home))
    message = shell(home / "project", "git log -1 --format=%B", HOME=str(home)).out.decode()
    assert message.startswith("Write a commit message for this change:\n")
    assert "+a line" in message
    shell(home / "project", f"git {identity} commit -q --allow-empty -m own", HOME=str(home))
    assert shell(home / "project", "git log -1 --format=%B").out.strip() == b"own"


def test_vim_asks_and_reads_the_answer(home):
    (home / "question.txt").write_text("Name a river.\n")
    (home / "commands").write_text(recipe("In vim"))
    shell(home, "vim -es -u NONE question.txt < commands")
    assert (home / "question.txt").read_text() == "Name a river.\nName a river.\n"


def test_a_line_for_cron(home):
    line = recipe("A line for cron")
    command = re.fullmatch(r"(?:\S+ ){5}(.*)\n", line)[1]
    assert "%" not in command, "cron takes % for a newline"
    env = {"HOME": str(home), "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "LOGNAME": "someone"}
    run(["/bin/sh", "-c", command], check=True, cwd=home, env=env)
    assert (home / "haiku.txt").read_text().startswith("A haiku for today:\n")


def test_python_with_nothing_but_open(home):
    (home / "ask.py").write_text(recipe("Python, with nothing"))
    assert shell(home, "/usr/bin/python3 ask.py").out == b"Name three rivers.\n\n"


def test_two_models_differ(home, tree):
    os.symlink("providers/openrouter/models/test/echo:free", tree.path / "fast")
    os.symlink("providers/cowsay/models/cow", tree.path / "smart")
    result = run(["bash", "-c", recipe("The same question")], cwd=home)
    assert result.status == 1 and not result.err
    assert b"< Name three rivers.\n" in result.out
    assert b"< Name three rivers. >\n" in result.out


def test_tail_follows_an_answer_as_it_comes(home, tree):
    slow = tree.model("test/slow:free")
    subprocess.run(["ln", "-sfn", "providers/openrouter/models/test/slow:free", "default"],
                   cwd=tree.path, check=True)
    slow.write("first and last")
    tail = subprocess.Popen(["bash", "-c", "exec " + recipe("Watch an answer")], cwd=home,
                            stdout=subprocess.PIPE)
    try:
        seen = b""
        while b"last" not in seen:
            assert select.select([tail.stdout], [], [], seconds(20))[0], seen
            seen += os.read(tail.stdout.fileno(), 4096)
        assert seen.startswith(b"first")
    finally:
        tail.kill()
        tail.wait()
        tail.stdout.close()


def test_parallel_conversations_in_sessions_of_their_own(home, tree):
    out = shell(home, recipe("Conversations side by side")).out.decode()
    for word in ("fold", "monad", "functor"):
        assert f"What is a {word}?\nShorter.\n" in out
    until(lambda: not os.listdir(tree.path / "default/sessions"), 10, "the sessions are ended")


def test_waiting_by_poll(home):
    (home / "wait.py").write_text(recipe("Wait for an answer"))
    assert shell(home, "/usr/bin/python3 wait.py").out == b"Name three rivers.\n"


def test_every_recipe_is_run_here():
    paragraphs = re.findall(r"\n(\S[^\n]*(?:\n\S[^\n]*)*:)\n\n    ", SECTION)
    source = open(__file__, encoding="utf-8").read()
    named = re.findall(r'recipe\("([^"]+)"\)', source)
    assert [p for p in paragraphs if not any(p.startswith(name) for name in named)] == []
    assert len(named) == len(paragraphs) == 12
