"""What goes wrong between the daemon and a service, and what a reader is told."""

import errno
import os
import signal
import subprocess
import time

import pytest
from harness.wait import seconds, until


def reading(model, prompt="q"):
    """(bytes, errno) of one turn."""
    model.write(prompt)
    got = b""
    try:
        with open(model.path / "output", "rb", buffering=0) as file:
            while piece := file.read(65536):
                got += piece
    except OSError as error:
        return got, error.errno
    return got, 0


@pytest.fixture
def once(mount, simulated):
    """A mount that repeats nothing."""
    return mount({"providers": {"openrouter": simulated.provider(retries=0)}}).wait_ready()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, errno.EINVAL),
        (401, errno.EKEYREJECTED),
        (402, errno.EDQUOT),
        (403, errno.EPERM),
        (404, errno.ENOENT),
        (408, errno.ETIMEDOUT),
        (413, errno.EMSGSIZE),
        (422, errno.EINVAL),
        (429, errno.EBUSY),
        (500, errno.EREMOTEIO),
        (502, errno.EREMOTEIO),
        (503, errno.EREMOTEIO),
        (504, errno.ETIMEDOUT),
        (524, errno.ETIMEDOUT),
        (529, errno.EREMOTEIO),
    ],
)
def test_an_http_status_is_an_errno(once, status, code):
    model = once.model(f"test/fail-{status}:free")
    assert reading(model) == (b"", code)
    words = model.text("error")
    assert str(status) in words and "simulated" in words
    assert model.facts()["state"] == "failed"


@pytest.mark.parametrize(
    ("name", "got", "codes"),
    [
        ("cut", b"half ", {errno.EPROTO}),
        ("reset", b"half ", {errno.ECONNRESET, errno.EPROTO}),
        ("drop", b"", {errno.ECONNRESET}),
        ("garbage", b"", {errno.EPROTO}),
        ("html", b"", {errno.EPROTO}),
        ("filtered", b"so far ", {errno.EPERM}),
    ],
)
def test_a_broken_reply_is_bytes_and_then_an_errno(once, name, got, codes):
    model = once.model(f"test/{name}:free")
    bytes_, code = reading(model)
    assert bytes_.rstrip(b"\n") in (got, got.rstrip())
    assert code in codes
    assert model.text("error")


@pytest.mark.parametrize(("name", "finish"), [("length", "length"), ("tools", "tool_calls")])
def test_a_finish_that_isnt_stop_is_a_success(once, name, finish):
    model = once.model(f"test/{name}:free")
    assert reading(model)[1] == 0
    assert model.facts()["finish"] == finish


def test_reasoning_is_kept_apart_from_the_answer(once):
    assert once.model("test/thinking:free").ask("q") == b"the answer\n"


def test_429_with_retry_after_waits_and_then_answers(tree, simulated):
    simulated.control(busy=1)
    model = tree.model("test/busy:free")
    begin = time.monotonic()
    model.write("patience")
    seen = until(lambda: model.facts().get("retry_at"), 5, "status says until when it waits")
    assert seen
    assert model.read() == b"patience\n"
    assert 0.9 < time.monotonic() - begin < seconds(10)
    assert len(simulated.chats()) == 2


def test_what_was_answered_in_part_is_never_sent_again(tree, simulated):
    for name in ("cut", "reset"):
        reading(tree.model(f"test/{name}:free"))
    assert len(simulated.chats()) == 2


def test_a_500_is_tried_again_and_then_told(tree, simulated):
    assert reading(tree.model("test/fail-500:free"))[1] == errno.EREMOTEIO
    assert len(simulated.chats()) > 1


def test_a_service_that_isnt_there_is_refused_with_words(mount, simulated):
    first = mount(simulated.config()).wait_ready()
    first.stop()
    gone = simulated.provider(base_url="http://127.0.0.1:9/api/v1", retries=0)
    tree = mount({"providers": {"openrouter": gone}})
    model = tree.model("test/echo:free")
    assert reading(model) == (b"", errno.ECONNREFUSED)
    assert "127.0.0.1:9" in model.text("error")


@pytest.mark.parametrize(
    ("timeouts", "name"), [({"first_byte": 0.5}, "hang"), ({"idle": 0.5}, "silent"), ({"total": 1}, "endless")]
)
def test_a_service_that_falls_silent_times_out(mount, simulated, timeouts, name):
    config = {"providers": {"openrouter": simulated.provider(retries=0, timeout=timeouts)}}
    tree = mount(config).wait_ready()
    model = tree.model(f"test/{name}:free")
    assert reading(model)[1] == errno.ETIMEDOUT
    assert model.text("error")


def test_cancel_ends_the_turn_and_closes_the_connection(tree, simulated):
    model = tree.model("test/endless:free")
    model.write("go on")
    with open(model.path / "output", "rb", buffering=0) as file:
        assert file.read(5)
        (model.path / "ctl").write_text("cancel\n")
        with pytest.raises(OSError) as caught:
            while file.read(65536):
                pass
    assert caught.value.errno == errno.ECANCELED
    assert model.facts()["state"] == "cancelled"
    until(lambda: simulated.chats()[-1]["end"] == "closed by the client", 5, "the connection closes")


def test_a_signal_to_a_reader_ends_the_read_and_not_the_turn(tree):
    model = tree.model("test/slow:free")
    model.write("first=1 one two three")
    reader = subprocess.Popen(["cat", str(model.path / "output")], stdout=subprocess.PIPE)
    time.sleep(0.1)
    reader.send_signal(signal.SIGINT)
    assert reader.wait(seconds(5)) == -signal.SIGINT
    reader.stdout.close()
    assert model.facts()["state"] in ("running", "queued")
    assert model.read() == b"one two three\n"


def test_retry_asks_the_same_again(tree, simulated):
    model = tree.model("test/fail-404:free")
    reading(model, "the same")
    (model.path / "ctl").write_text("retry\n")
    until(lambda: len(simulated.chats()) == 2, 5, "it asks again")
    assert simulated.prompts() == ["the same", "the same"]


def test_an_answer_of_many_megabytes_arrives_whole(tree):
    size = 8 << 20
    answer = tree.model("test/big:free").ask(str(size))
    assert len(answer) == size
    assert answer == b"".join(b"%063d\n" % n for n in range(size // 64))


def test_a_reader_sees_bytes_as_they_come(tree):
    model = tree.model("test/slow:free")
    model.write("each=0.4 one two three")
    begin = time.monotonic()
    with open(model.path / "output", "rb", buffering=0) as file:
        first = file.read(65536)
        early = time.monotonic() - begin
        rest = b""
        while piece := file.read(65536):
            rest += piece
    assert first == b"one " and early < seconds(0.4) + 0.3
    assert rest == b"two three\n"


def test_nonblocking_readers_get_eagain_and_poll_wakes_them(tree):
    import select

    model = tree.model("test/slow:free")
    model.write("first=0.5 late")
    fd = os.open(model.path / "output", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BlockingIOError):
            os.read(fd, 100)
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        assert poller.poll(seconds(5) * 1000)
        assert os.read(fd, 100).startswith(b"late")
    finally:
        os.close(fd)


def test_size_and_mtime_are_those_of_the_bytes_so_far(tree):
    model = tree.model("test/slow:free")
    model.write("first=0.3 each=0.3 some words")
    output = model.path / "output"
    assert output.stat().st_size == 0
    assert tree.sh("test -s $F", F=output).status == 1
    assert model.read() == b"some words\n"
    assert output.stat().st_size == len(b"some words\n")
    assert abs(output.stat().st_mtime - time.time()) < seconds(5)


def test_a_finished_answer_is_an_ordinary_file(echo, tree, tmp_path):
    echo.ask("plain")
    script = """cp $D/output $T/a; cat $D/output > $T/b; tail -n 1 $D/output > $T/c; wc -c < $D/output
                dd if=$D/output of=$T/d bs=2 skip=1 status=none; tar -C $D/turns/last -cf - output | tar -xO"""
    result = tree.sh(script, check=True, D=echo.path, T=tmp_path)
    assert result.out == b"6\nplain\n"
    assert [(tmp_path / name).read_bytes() for name in "abcd"] == [b"plain\n"] * 3 + [b"ain\n"]
