"""Results of several files over their turn's life: asked of a group, over a remount and a crash, and
that nothing of them is left on the disk once their turn is forgotten."""

import contextlib
import os
import pathlib

import pytest
from harness.wait import until

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde"
SECRET = "zebra-crossing-at-dawn"


@pytest.fixture
def painter(mount, queue):
    """painter(more of config.yml): a model that makes pictures, in a tree of its own."""

    def make(**more):
        tree = mount(queue.config("fal", **more)).wait_ready("fal")
        model = tree.model("sim/image", "fal")
        model.tree = tree
        return model

    return make


def draw(model, words=SECRET, files=3):
    assert model.ask(f"files={files} png {words}") == picture(0, words)


def picture(number, words=SECRET):
    return PNG + f"png {words} {number}".encode()


def shown(turn):
    """What a turn's directory shows of its results: names, sizes, inodes and bytes."""
    names = ["output", "output.png"] + [f"artifacts/{name}" for name in sorted(os.listdir(turn / "artifacts"))]
    found = {}
    for name in names:
        entry = os.stat(turn / name)
        found[name] = (entry.st_size, entry.st_ino, entry.st_mtime_ns, (turn / name).read_bytes())
    return found


def holding(home, words=SECRET):
    """Files of the store, and of what is off the record, whose bytes hold the words."""
    places = [home / "state", home / "run"]
    walks = [walk for place in places for walk in os.walk(place)]  # which passes over what goes meanwhile
    files = [pathlib.Path(directory, name) for directory, _, names in walks for name in names]
    return [path for path in files if words.encode() in content(path)]


def content(path):
    """Of a file that may be taken away while it is read."""
    with contextlib.suppress(FileNotFoundError):
        return b"" if path.is_symlink() else path.read_bytes()
    return b""


def gone(model, words=SECRET):
    """Waits until neither the tree nor the disk has anything of it."""
    pictures = f"png {words} "
    until(lambda: not holding(model.tree.home, pictures), 20, "its bytes have left the disk")


def test_a_remount_shows_the_same_names_and_bytes(painter):
    model = painter()
    draw(model)
    turn = model.path / "turns/000001"
    before = shown(turn)
    assert list(before) == ["output", "output.png", "artifacts/1.png", "artifacts/2.png"]
    assert [before[name][3] for name in before] == [picture(n) for n in (0, 0, 1, 2)]
    model.tree.stop()
    model.tree.start()
    assert shown(turn) == before
    assert os.readlink(model.path / "output.png") == "turns/000001/output.png"


def test_a_crash_leaves_what_was_done_as_it_was(painter):
    model = painter()
    draw(model)
    turn = model.path / "turns/000001"
    before = shown(turn)
    model.tree.kill()
    model.tree.unmount_lazily()
    model.tree.start()
    assert shown(turn) == before


def test_a_crash_among_the_results_leaves_no_half_of_them(painter, queue):
    """What a turn had when its daemon died is made anew when it is picked up, once."""
    model = painter()
    model.write(f"polls=40 files=3 png {SECRET}")
    until(lambda: model.facts().get("doing"), 20, "the job is under way")
    model.tree.kill()
    model.tree.unmount_lazily()
    model.tree.start()
    assert model.read() == picture(0)
    assert sorted(os.listdir(model.path / "turns/000001/artifacts")) == ["1.png", "2.png"]
    assert (model.path / "turns/000001/artifacts/2.png").read_bytes() == picture(2)
    assert len(queue.journal("POST /fal/sim/image")) == 1


def test_each_member_of_a_group_has_results_of_its_own(mount, queue):
    tree = mount(queue.config("fal", "replicate")).wait_ready("fal").wait_ready("replicate")
    group = tree.path / "groups/painters"
    group.mkdir()
    for name in ("fal", "replicate"):
        (group / name).symlink_to(f"../../providers/{name}/models/sim/image")
    (group / "input").write_text(f"files=3 png {SECRET}")
    for name in ("fal", "replicate"):
        assert (group / "output" / name).read_bytes() == picture(0)
        member = group / name
        assert (member / "output.png").read_bytes() == picture(0)
        artifacts = member / "turns/last/artifacts"
        assert {path.name: path.read_bytes() for path in artifacts.iterdir()} == {
            "1.png": picture(1), "2.png": picture(2)}
        assert member.joinpath("turns/last/prompt").read_text() == f"files=3 png {SECRET}"


def test_results_leave_the_disk_with_a_turn_that_is_forgotten_by_number(painter):
    model = painter(retention={"count": 1})
    draw(model)
    assert holding(model.tree.home)
    draw(model, "another")
    until(lambda: model.turns() == [2], 20, "the first is forgotten")
    gone(model)
    with pytest.raises(FileNotFoundError):
        (model.path / "turns/000001/artifacts/1.png").read_bytes()
    # What is kept is whole.
    assert (model.path / "turns/000002/artifacts/2.png").read_bytes() == picture(2, "another")


def test_results_count_among_the_bytes_that_are_kept(painter):
    """Each turn is small but for its artifacts."""
    model = painter(retention={"bytes": "300K"})
    words = "w" * 20000
    for number in range(3):
        draw(model, f"{number}{words}", files=8)
    until(lambda: model.turns() == [3], 20, "the oldest went")
    gone(model, f"0{words}")
    assert (model.path / "turns/000003/artifacts/7.png").read_bytes() == picture(7, f"2{words}")


def test_results_leave_the_disk_with_their_age(painter):
    model = painter(retention={"age": "1s"})
    draw(model)
    until(lambda: model.turns() == [], 20, "it is forgotten")
    gone(model)


def test_results_leave_the_disk_with_their_session(painter):
    model = painter()
    path = model.path / "sessions/one"
    path.mkdir()
    session = model.tree.model("sim/image/sessions/one", "fal")
    draw(session)
    assert (session.path / "turns/000001/artifacts/2.png").read_bytes() == picture(2)
    assert (session.path / "output.png").read_bytes() == picture(0)
    model.tree.sh(f"rm -r '{path}'", check=True)
    gone(model)


def test_an_open_result_is_whole_though_its_turn_is_forgotten(painter):
    model = painter(retention={"count": 1})
    draw(model)
    with open(model.path / "turns/000001/artifacts/2.png", "rb") as file:
        draw(model, "another")
        draw(model, "a third")
        assert file.read() == picture(2)
    gone(model)


def test_an_answer_given_again_keeps_its_results_when_the_first_turn_goes(painter, queue):
    model = painter(retention={"count": 1})
    model.set("cache", "1h")
    draw(model)
    draw(model)
    assert len(queue.journal("POST /fal/sim/image")) == 1
    until(lambda: model.turns() == [2], 20, "the first is forgotten")
    turn = model.path / "turns/000002"
    assert [found[3] for found in shown(turn).values()] == [picture(n) for n in (0, 0, 1, 2)]
    draw(model, "another")
    gone(model)


def test_with_history_off_nothing_is_left_of_results(painter):
    model = painter(history="off")
    draw(model)
    turn = model.path / "turns/000001"
    assert (turn / "artifacts/2.png").read_bytes() == picture(2)
    assert (model.path / "output.png").read_bytes() == picture(0)
    assert not [path for path in holding(model.tree.home) if "state" in path.parts]
    model.tree.stop()
    assert holding(model.tree.home) == []


def test_with_history_off_a_crash_leaves_nothing_of_results_at_the_next_start(painter):
    model = painter(history="off")
    draw(model)
    model.tree.kill()
    model.tree.unmount_lazily()
    model.tree.start()
    assert holding(model.tree.home) == [] and model.turns() == []
