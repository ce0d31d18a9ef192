"""groups/NAME/: several models asked at once by one write."""

import errno
import os
import subprocess

import pytest
from harness.mount import flat
from harness.wait import until

ECHO = "../../providers/openrouter/models/test/echo:free"
COW = "../../providers/cowsay/models/cow"


@pytest.fixture
def group(tree):
    path = tree.path / "groups/both"
    path.mkdir()
    (path / "echo").symlink_to(ECHO)
    (path / "cow").symlink_to(COW)
    return path


def states(group):
    lines = [line.split(" ", 3) for line in (group / "status").read_text().splitlines()]
    return {line[0]: line[1] for line in lines}


def test_one_write_asks_each_member(group, simulated):
    (group / "input").write_text("hello\n")
    assert (group / "output/echo").read_text() == "hello\n"
    assert "< hello >" in (group / "output/cow").read_text()
    assert states(group) == {"echo": "done", "cow": "done"}
    assert simulated.prompts() == ["hello"]


def test_the_answers_are_turns_of_the_models(group, tree):
    (group / "input").write_text("hello\n")
    echo = tree.model("test/echo:free")
    assert echo.turns() == [1] and echo.read() == b"hello\n"
    assert (echo.path / "turns/000001/prompt").read_text() == "hello\n"
    assert os.readlink(group / "output/echo") == f"../{ECHO}/output"


def test_a_listing_shows_members_and_their_answers(group):
    assert sorted(os.listdir(group)) == ["cow", "echo", "input", "output", "status"]
    assert sorted(os.listdir(group / "output")) == ["cow", "echo"]
    (group / "cow").unlink()
    assert os.listdir(group / "output") == ["echo"]
    (group / "other").symlink_to(COW)
    assert sorted(os.listdir(group / "output")) == ["echo", "other"]


def test_append_continues_each_conversation(group, simulated):
    (group / "cow").unlink()
    (group / "input").write_text("one")
    assert (group / "output/echo").read_text() == "one\n"
    with open(group / "input", "a", encoding="ascii") as file:
        file.write("two")
    assert (group / "output/echo").read_text() == "two\n"
    said = [message["content"] for message in simulated.chats()[-1]["json"]["messages"]]
    assert said == ["one", "one", "two"]


def test_who_reads_waits_for_a_prompt_that_is_still_open(group):
    with open(group / "input", "w", encoding="ascii") as file:
        file.write("first ")
        file.flush()
        assert states(group) == {"echo": "open", "cow": "open"}
        file.write("second")
    assert (group / "output/echo").read_text() == "first second\n"


@pytest.mark.parametrize("how", ["cp", "mv", "tee"])
def test_other_ways_of_writing(group, tree, how):
    source = tree.home / "question"
    source.write_text("asked\n")
    command = {
        "cp": ["cp", source, group / "input"],
        "mv": ["mv", source, group / "input"],
        "tee": ["sh", "-c", f"tee {group}/input < {source}"],
    }[how]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert (group / "output/echo").read_text() == "asked\n"


def test_nothing_written_asks_nobody(group, simulated):
    open(group / "input", "w", encoding="ascii").close()
    assert states(group) == {"echo": "idle", "cow": "idle"}
    assert simulated.chats() == []


def test_a_member_that_is_missing_is_named_and_the_others_asked(group):
    (group / "lost").symlink_to("../../providers/nobody/models/none")
    (group / "input").write_text("hello\n")
    assert (group / "output/echo").read_text() == "hello\n"
    assert states(group)["lost"] == "missing"


def test_a_group_without_members_is_refused_with_words(tree):
    (tree.path / "groups/empty").mkdir()
    with pytest.raises(FileNotFoundError):
        (tree.path / "groups/empty/input").write_text("hello\n")
    assert "the group is empty" in (tree.path / "error").read_text()


def test_a_member_without_a_key_refuses_alone(mount, simulated):
    one = mount({"providers": {"openrouter": {}, "open": {
        "driver": "openrouter", "base_url": simulated.base_url}}}, env={
            "OPENROUTER_BASE_URL": simulated.base_url}).wait_ready("open")
    one.wait_ready()
    group = one.path / "groups/g"
    group.mkdir()
    (group / "with").symlink_to("../../providers/open/models/test/echo:free")
    (group / "without").symlink_to("../../providers/openrouter/models/test/echo:free")
    (group / "input").write_text("hello\n")
    assert (group / "output/with").read_text() == "hello\n"
    with pytest.raises(OSError) as caught:
        (group / "output/without").read_text()
    assert os.strerror(caught.value.errno) == "Required key not available"
    line = (group / "status").read_text().splitlines()[1]
    assert line.startswith("without failed") and "no key for openrouter" in line


def test_a_prompt_that_is_too_large_is_refused_at_each_member(mount, simulated):
    tree = mount(simulated.config(limits={"prompt": "1K"})).wait_ready()
    group = tree.path / "groups/both"
    group.mkdir()
    (group / "echo").symlink_to(ECHO)
    (group / "cow").symlink_to(COW)
    (group / "input").write_text("an earlier one\n")
    assert (group / "output/echo").read_text() == "an earlier one\n"
    with pytest.raises(OSError) as caught:
        (group / "input").write_bytes(b"x" * 2000)
    assert caught.value.errno == errno.EFBIG
    for member in ("echo", "cow"):
        with pytest.raises(OSError) as caught:
            (group / "output" / member).read_bytes()
        assert caught.value.errno == errno.EFBIG
    assert simulated.prompts() == ["an earlier one"]


def test_links_of_links_and_absolute_ones_lead_to_models(group, tree):
    (tree.path / "fast").symlink_to("providers/openrouter/models/test/echo:free")
    (group / "by-link").symlink_to("../../fast")
    (group / "absolute").symlink_to(tree.path / "providers/cowsay/models/cow")
    (group / "outside").symlink_to("/etc")
    (group / "input").write_text("hello\n")
    assert (group / "output/by-link").read_text() == "hello\n"
    assert "< hello >" in (group / "output/absolute").read_text()
    assert states(group)["outside"] == "missing"


def test_a_loop_of_links_ends(group, tree):
    (tree.path / "a").symlink_to("b")
    (tree.path / "b").symlink_to("a")
    (group / "loop").symlink_to("../../a")
    assert states(group)["loop"] == "missing"


def test_groups_survive_a_remount_and_end_with_rmdir(group, tree):
    subprocess.run(["mv", group, tree.path / "groups/renamed"], check=True)
    tree.stop()
    tree.start().wait_ready()
    renamed = tree.path / "groups/renamed"
    assert os.listdir(tree.path / "groups") == ["renamed"]
    assert os.readlink(renamed / "echo") == ECHO
    (renamed / "input").write_text("again\n")
    assert (renamed / "output/echo").read_text() == "again\n"
    renamed.rmdir()
    assert os.listdir(tree.path / "groups") == []
    renamed.mkdir()
    assert sorted(os.listdir(renamed)) == ["input", "output", "status"]


def test_rm_r_ends_a_group(group, tree):
    subprocess.run(["rm", "-r", group], check=True)
    assert os.listdir(tree.path / "groups") == []


def test_eight_callers_each_get_their_own_answers(group):
    script = (
        'for i in $(seq 5); do echo "$1-$i" > input; '
        '[ "$(cat output/echo)" = "$1-$i" ] || echo "wrong $1-$i"; '
        'grep -qF "< $1-$i >" output/cow || echo "wrong cow $1-$i"; done'
    )
    running = [
        subprocess.Popen(["sh", "-c", script, "sh", str(n)], cwd=group, stdout=subprocess.PIPE)
        for n in range(8)
    ]
    assert [process.communicate(timeout=60)[0] for process in running] == [b""] * 8


def test_a_cancelled_member_leaves_the_others(tree, simulated):
    group = tree.path / "groups/g"
    group.mkdir()
    (group / "echo").symlink_to(ECHO)
    (group / "hang").symlink_to("../../providers/openrouter/models/test/hang:free")
    (group / "input").write_text("hello\n")
    assert (group / "output/echo").read_text() == "hello\n"
    until(lambda: states(group)["hang"] == "running", 10, "the other one runs")
    (group / "hang/ctl").write_text("cancel\n")
    status = tree.model("test/hang:free").path / "status"
    until(lambda: flat(status.read_text())["state"] == "cancelled", 10, "it is cancelled")
