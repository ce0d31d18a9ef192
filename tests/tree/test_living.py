"""What programs expect of any file system: names, numbers, sizes, times, polling, and that what
isn't offered is refused as such."""

import errno
import json
import os
import select
import subprocess
import time

import pytest
from harness.wait import seconds, until


def code_of(call, *arguments, **more):
    """The errno that a call fails with; 0 when it doesn't."""
    try:
        call(*arguments, **more)
    except OSError as error:
        return error.errno
    return 0


def test_there_are_no_extended_attributes(echo):
    echo.ask("q")
    for path in (echo.path, echo.path / "status", echo.path / "turns/000001/output"):
        assert code_of(os.getxattr, path, "user.mime_type") == errno.EOPNOTSUPP
        assert code_of(os.setxattr, path, "user.mime_type", b"text/plain") == errno.EOPNOTSUPP


def numbers(model):
    found = {}
    for folder, directories, files in os.walk(model.path):
        for name in directories + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, model.path)] = os.lstat(path).st_ino
    return found


def test_a_models_and_its_turns_inode_numbers_are_the_same_after_a_remount(mount, simulated):
    first = mount(simulated.config()).wait_ready()
    model = first.model("test/echo:free")
    model.ask("one")
    model.ask("two")
    before = numbers(model)
    first.stop()
    assert numbers(mount(simulated.config()).wait_ready().model("test/echo:free")) == before
    assert len(set(before.values())) == len(before)
    assert max(before.values()) < 2**53


def test_each_turn_has_files_of_its_own(echo):
    echo.ask("one")
    first = (echo.path / "output").stat().st_ino
    echo.ask("two")
    assert (echo.path / "output").stat().st_ino != first
    assert (echo.path / "turns/000001/output").stat().st_ino == first


def without(listing, gone):
    return {"data": [model for model in listing["data"] if model["id"] != gone]}


def test_what_was_open_of_a_model_that_went_is_estale(tree, simulated, tmp_path):
    model = tree.model("test/echo:free")
    directory = os.open(model.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        status = os.open(model.path / "status", os.O_PATH)
        raw = [
            json.loads(path.read_text())
            for path in (tree.path / "providers/openrouter/models").rglob("info/raw.json")
        ]
        listing = tmp_path / "models.json"
        listing.write_text(json.dumps(without({"data": raw}, "test/echo:free")))
        simulated.control(models=str(listing))
        (tree.path / "providers/openrouter/ctl").write_text("refresh\n")
        until(lambda: not os.path.exists(model.path / "input"), 5, "the model goes")
        assert code_of(os.listdir, directory) in (0, errno.ESTALE)
        assert code_of(open, f"/proc/self/fd/{status}") == errno.ESTALE
        os.close(status)
    finally:
        os.close(directory)


def test_an_answer_that_was_begun_is_read_to_its_end_although_its_name_went(tree):
    model = tree.model("test/slow:free")
    model.write("each=0.2 one two three")
    with open(model.path / "output", "rb", buffering=0) as file:
        got = file.read(100)
        model.path.joinpath("output").unlink()
        while piece := file.read(100):
            got += piece
    assert got == b"one two three\n"


def test_poll_tells_of_what_is_new_and_not_of_what_was_read(tree):
    model = tree.model("test/slow:free")
    model.write("each=0.6 one two")
    fd = os.open(model.path / "output", os.O_RDONLY | os.O_NONBLOCK)
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    wakings, got, end = 0, b"", time.monotonic() + seconds(10)
    try:
        while time.monotonic() < end:
            assert poller.poll(seconds(5) * 1000), "it wakes"
            wakings += 1
            try:
                piece = os.read(fd, 100)
            except BlockingIOError:
                continue
            if not piece:
                break
            got += piece
    finally:
        os.close(fd)
    assert got == b"one two\n"
    assert wakings < 20, "it is woken for each piece, and sleeps in between"


def test_poll_wakes_at_the_end_of_a_turn_that_fails(tree):
    model = tree.model("test/hang:free")
    model.write("q")
    fd = os.open(model.path / "output", os.O_RDONLY | os.O_NONBLOCK)
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    try:
        assert poller.poll(100) == []
        (model.path / "ctl").write_text("cancel\n")
        assert poller.poll(seconds(5) * 1000)
        assert code_of(os.read, fd, 1) == errno.ECANCELED
    finally:
        os.close(fd)


def test_a_small_file_is_always_ready(echo):
    with open(echo.path / "status", "rb") as file:
        poller = select.poll()
        poller.register(file, select.POLLIN)
        assert poller.poll(0)


def test_tail_f_shows_the_answer_as_it_grows(tree):
    model = tree.model("test/slow:free")
    model.write("each=0.5 one two three")
    output = os.path.realpath(model.path / "output")
    tail = subprocess.Popen(["tail", "-c", "+1", "-f", "-s", "0.1", output], stdout=subprocess.PIPE)
    try:
        got = b""
        while not got.endswith(b"three\n"):
            ready, _, _ = select.select([tail.stdout], [], [], seconds(10))
            assert ready, got
            got += os.read(tail.stdout.fileno(), 100)
        assert got == b"one two three\n"
    finally:
        tail.kill()
        tail.wait()
        tail.stdout.close()


def test_the_mtime_of_an_answer_that_still_comes_is_that_of_its_last_byte(tree):
    model = tree.model("test/silent:free")
    model.write("q")
    output = os.path.realpath(model.path / "output")
    until(lambda: os.stat(output).st_size > 0, 5, "the first bytes come")
    before = os.stat(output)
    until(lambda: time.time() > before.st_mtime + 0.2, 5, "the clock goes on")
    after = os.stat(output)
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_make_makes_anew_what_an_answer_is_newer_than(tree, echo, tmp_path):
    # A path with a colon in it can't be named in a rule.
    (tmp_path / "Makefile").write_text("$(T)/copy: output\n\tcat $< > $@\n")
    make = "make -s -C $D -f $T/Makefile && cat $T/copy"
    echo.ask("one")
    assert tree.sh(make, D=echo.path, T=tmp_path, check=True).out == b"one\n"
    until(lambda: time.time() > (tmp_path / "copy").stat().st_mtime + 0.05, 5, "the clock goes on")
    made = (tmp_path / "copy").stat().st_mtime_ns
    tree.sh(make, D=echo.path, T=tmp_path, check=True)
    assert (tmp_path / "copy").stat().st_mtime_ns == made
    echo.ask("two")
    assert tree.sh(make, D=echo.path, T=tmp_path, check=True).out == b"two\n"


def test_test_s_and_a_newer_file_tell_of_an_answer(tree, echo, tmp_path):
    assert tree.sh("test -s $D/output", D=echo.path).status == 1
    (tmp_path / "stamp").touch()
    time.sleep(0.05)
    echo.ask("q")
    assert tree.sh("test -s $D/output && test $D/output -nt $T/stamp", D=echo.path, T=tmp_path).status == 0


@pytest.mark.parametrize(
    "where",
    ["", "providers", "providers/openrouter", "providers/openrouter/models", "M/info", "M/turns", "M/turns/000001"],
)
def test_nothing_is_made_where_the_manual_names_nothing(tree, echo, where):
    echo.ask("q")
    path = tree.path / where.replace("M", "providers/openrouter/models/test/echo:free")
    assert code_of(open, path / "new", "w") == errno.EPERM
    assert code_of(os.mkdir, path / "new") == errno.EPERM
    if where:
        assert code_of(os.symlink, "target", path / "new") == errno.EPERM


@pytest.mark.parametrize("name", ["M/turns/000001/output", "M/info/id", "M/turns", "M", "README.md"])
def test_what_is_not_ones_own_cannot_be_removed(tree, echo, name):
    echo.ask("q")
    path = tree.path / name.replace("M", "providers/openrouter/models/test/echo:free", name.startswith("M"))
    path = tree.path / "README.md" if name == "README.md" else path
    assert code_of(os.rmdir if path.is_dir() else os.unlink, path) == errno.EPERM
    assert os.path.lexists(path)


@pytest.mark.parametrize("name", ["status", "output", "usage", "info/id", "turns/000001/output"])
def test_a_file_that_is_read_only_is_eacces_for_root_too(echo, name):
    echo.ask("q")
    assert code_of(os.open, echo.path / name, os.O_WRONLY) == errno.EACCES
    (echo.path / ".scratch").write_text("x")
    if "/" not in name:
        assert code_of(os.rename, echo.path / ".scratch", echo.path / name) == errno.EACCES


def test_scratch_files_are_there_and_arent_listed(echo):
    scratch = echo.path / ".input.swp"
    before = sorted(os.listdir(echo.path))
    scratch.write_bytes(b"swap")
    assert scratch.read_bytes() == b"swap"
    assert sorted(os.listdir(echo.path)) == before
    scratch.rename(echo.path / "other")
    assert not scratch.exists() and (echo.path / "other").read_bytes() == b"swap"
    (echo.path / "other").unlink()
    assert not (echo.path / "other").exists()


def test_scratch_files_have_a_limit_and_end_in_enospc(echo):
    with open(echo.path / ".large", "wb", buffering=0) as file:
        written, code = 0, 0
        while code == 0 and written < 80 << 20:
            try:
                written += file.write(b"x" * (1 << 20))
            except OSError as error:
                code = error.errno
    assert code == errno.ENOSPC and written <= 64 << 20
    (echo.path / ".large").unlink()
    (echo.path / ".small").write_bytes(b"there is room again")


def test_mv_n_replaces_nothing(tree, echo, simulated):
    tree.sh("echo kept > $D/.one; mv -n $D/.one $D/input; test -e $D/.one", D=echo.path, check=True)
    assert simulated.prompts() == []


def test_an_old_name_is_no_prompt_after_it_was_moved_onto_input(tree, echo, simulated):
    tree.sh("for i in 1 2 3; do echo $i > $D/.new; mv $D/.new $D/input; cat $D/input; done", D=echo.path, check=True)
    assert echo.read() == b"3\n"
    assert simulated.prompts() == ["1", "2", "3"]


def test_turns_of_the_empty_kind_and_last_are_not_counted_among_turns(echo):
    assert os.readlink(echo.path / "output") == "turns/000000/output"
    assert echo.read("output") == b"" and echo.facts()["state"] == "idle"
    assert "000000" not in os.listdir(echo.path / "turns")
    echo.ask("q")
    assert sorted(os.listdir(echo.path / "turns")) == ["000001", "last"]
    assert os.readlink(echo.path / "turns/last") == "000001"


def test_a_refusal_is_ones_newest_turn_and_has_no_number(mount, simulated):
    tree = mount({"providers": {"openrouter": {}}}, env={"OPENROUTER_BASE_URL": simulated.base_url})
    model = tree.wait_ready().model("test/echo:free")
    assert code_of(model.write, "q") == errno.ENOKEY
    assert os.readlink(model.path / "output").startswith("turns/refused-")
    assert model.turns() == [] and os.listdir(model.path / "turns") == ["last"]
    assert code_of(model.read) == errno.ENOKEY
    assert "ENOKEY" in model.text("error")


def test_a_users_links_are_kept_and_lead_to_a_model(mount, simulated):
    first = mount(simulated.config()).wait_ready()
    os.symlink("providers/openrouter/models/test/echo:free", first.path / "fast")
    first.sh("echo hi > fast/input; test $(cat fast/output) = hi", check=True)
    first.sh("ln -sfn providers/openrouter/models/test/talk:free fast", check=True)
    first.stop()
    again = mount(simulated.config()).wait_ready()
    assert os.readlink(again.path / "fast") == "providers/openrouter/models/test/talk:free"
    (again.path / "fast").unlink()
    assert "fast" not in os.listdir(again.path)


def test_prices_are_usd_a_million_tokens(tree):
    found = 0
    for path in (tree.path / "providers/openrouter/models").rglob("info/raw.json"):
        pricing = json.loads(path.read_text()).get("pricing", {})
        if "prompt" in pricing and float(pricing["prompt"]) >= 0:
            shown = float((path.parent / "price_prompt").read_text())
            assert shown == pytest.approx(float(pricing["prompt"]) * 1e6)
            found += 1
    assert found > 0


def test_a_listing_of_turns_that_was_kept_shows_each_new_one(echo):
    listings = []
    for n in range(3):
        echo.ask(f"turn {n}")
        listings.append(sorted(os.listdir(echo.path / "turns")))
        assert listings[-1] == sorted(os.listdir(echo.path / "turns"))
    assert [len(names) for names in listings] == [2, 3, 4]
