"""Who asks, gets the answer to what they asked: many at once, in every form of shell and program.

CONDUITFS_TURNS: cycles of each of the eight workers (25)."""

import errno
import os
import signal
import subprocess
import time

import pytest
from harness.wait import seconds, until

WORKERS = 8
TURNS = int(os.environ.get("CONDUITFS_TURNS", "25"))

#: A worker's loop body: asks "w$W n$i" and leaves the answer in $answer.
FORMS = {
    "echo": 'echo "$q" > $D/input; answer=$(cat $D/output)',
    "cat of a file": 'echo "$q" > $T/q$W; /bin/cat $T/q$W > $D/input; answer=$(cat $D/output)',
    "cp": 'echo "$q" > $T/q$W; cp $T/q$W $D/input; answer=$(cat $D/output)',
    "tee": 'echo "$q" | tee $D/input >/dev/null; answer=$(cat $D/output | cat)',
    "heredoc": 'cat > $D/input <<END\n$q\nEND\nanswer=$(<$D/output)',
    "subshell": '(echo "$q" > $D/input); answer=$(cat $D/output)',
    "late close": '{ echo "$q"; sleep 0.05 & } > $D/input; answer=$(cat $D/output)',
    "python": "answer=$(python3 -c \"open('$D/input','w').write('$q'); print(open('$D/output').read(), end='')\")",
}

LOOP = """for i in $(seq $TURNS); do q="w$W n$i"
FORM
[ "$answer" = "$q" ] || { echo "asked $q, got $answer"; exit 1; }
done"""


@pytest.fixture
def wide(mount, simulated):
    """A mount where nothing queues for long."""
    config = {
        "limits": {"concurrent": 32, "queue": 1000},
        "providers": {"openrouter": simulated.provider(concurrent=32)},
    }
    return mount(config).wait_ready()


@pytest.mark.bound(400)
@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("form", FORMS)
def test_eight_shells_on_one_model_each_get_their_own_answer(wide, tmp_path, form, shell):
    body = FORMS[form]
    if shell == "dash" and "$(<" in body:
        pytest.skip("dash has no $(<file)")
    model = wide.model("test/echo:free")
    workers = " ".join(f"W={n} {shell} $T/worker &" for n in range(WORKERS))
    (tmp_path / "worker").write_text(LOOP.replace("FORM", body))
    script = f"export D T TURNS; {workers} for n in $(jobs -p); do wait $n || bad=1; done; exit $bad"
    turns = TURNS if form != "python" else max(1, TURNS // 5)
    result = wide.sh(script, D=model.path, T=tmp_path, TURNS=turns, bound=300)
    assert (result.status, result.out) == (0, b""), result


@pytest.mark.bound(300)
@pytest.mark.parametrize("tool", ["xargs", "make"])
def test_parallel_tools_get_each_its_own_answer(wide, tmp_path, tool):
    model = wide.model("test/echo:free")
    one = 'echo "job $1" > $D/input; [ "$(cat $D/output)" = "job $1" ] || echo "wrong $1"'
    (tmp_path / "one").write_text(one)
    makefile = "JOBS := $(shell seq $(COUNT))\nall: $(JOBS)\n$(JOBS): ; @sh $(T)/one $@\n"
    (tmp_path / "Makefile").write_text(makefile)
    script = {
        "xargs": "seq $COUNT | xargs -P8 -n1 sh $T/one",
        "make": "make -s -j8 -f $T/Makefile",
    }[tool]
    result = wide.sh(script, D=model.path, T=tmp_path, COUNT=TURNS * 8, bound=200)
    assert (result.status, result.out) == (0, b""), result


@pytest.mark.bound(300)
def test_node_writing_from_its_threads_gets_its_answers(wide, tmp_path):
    model = wide.model("test/echo:free")
    # A stream, to the end of the file: readFile stops at the size that it saw at first.
    script = """const fs = require('fs'); const d = process.env.D;
    (async () => { for (let i = 0; i < +process.env.TURNS; i++) {
      const q = `node ${process.pid} ${i}`; await fs.promises.writeFile(d + '/input', q);
      let a = ''; for await (const part of fs.createReadStream(d + '/output')) a += part;
      if (a !== q + '\\n') { console.log('asked', q, 'got', a); process.exit(1); } } })();"""
    (tmp_path / "ask.js").write_text(script)
    run = "for n in 1 2 3 4; do UV_THREADPOOL_SIZE=4 node $T/ask.js & done; for p in $(jobs -p); do wait $p || exit 1; done"
    result = wide.sh(run, D=model.path, T=tmp_path, TURNS=TURNS, bound=200)
    assert (result.status, result.out) == (0, b""), result


def test_a_late_close_is_waited_for(tree, echo):
    echo.ask("older")
    script = "{ echo mine; sleep 1 & } > $D/input; cat $D/output"
    assert tree.sh(script, D=echo.path, check=True).out == b"mine\n"


def test_an_open_descriptor_is_waited_for_and_status_says_so(tree, echo):
    echo.ask("older")
    script = "exec 5> $D/input; echo mine >&5; (sleep 1; cat $D/status > $T; echo submit > $D/ctl) & cat $D/output"
    status = tree.path.parent / "status"
    assert tree.sh(script, D=echo.path, T=status, check=True).out == b"mine\n"
    text = status.read_text()
    assert "open" in text and "submit" in text


@pytest.mark.parametrize("ending", ["INT", "TERM", "KILL"])
def test_a_writer_ended_by_a_signal_sends_nothing(tree, echo, simulated, ending):
    writer = subprocess.Popen(
        ["bash", "-c", f"exec cat > {echo.path}/input"], stdin=subprocess.PIPE, start_new_session=True
    )
    writer.stdin.write(b"half a prompt")
    writer.stdin.flush()
    until(lambda: "state open" in echo.read("status").decode(), 5, "the turn is open")
    writer.send_signal(getattr(signal, f"SIG{ending}"))
    writer.wait(seconds(5))
    until(lambda: "submit" in echo.read("status").decode(), 5, "status says what to do")
    assert simulated.prompts() == []
    (echo.path / "ctl").write_text("submit\n")
    until(lambda: simulated.prompts() == ["half a prompt"], 5, "submit sends it")


def test_a_writer_ended_by_timeout_sends_nothing(tree, echo, simulated):
    result = tree.sh("(echo begun; sleep 1) | timeout 0.3 cat > $D/input", D=echo.path)
    assert result.status == 0 or result.status == 124
    assert simulated.prompts() == []


def test_a_refused_prompt_never_shows_an_older_answer(mount, simulated):
    with_key = mount(simulated.config()).wait_ready()
    with_key.model("test/echo:free").ask("older")
    with_key.stop()
    keyless = {"providers": {"openrouter": {"key_file": "/nonexistent/key"}}}
    tree = mount(keyless, env={"OPENROUTER_BASE_URL": simulated.base_url})
    model = tree.model("test/echo:free")
    result = tree.sh("echo newer > $D/input; cat $D/output; cat $D/error", D=model.path)
    assert b"older" not in result.out
    assert os.strerror(errno.ENOKEY).encode() in result.err
    assert b"key" in result.out


def test_200_waiting_readers_delay_nobody_and_die_at_once(wide):
    model = wide.model("test/hang:free")
    model.write("wait")
    output = os.path.realpath(model.path / "output")
    readers = [subprocess.Popen(["cat", output], stdout=subprocess.DEVNULL) for _ in range(200)]
    try:
        time.sleep(0.2)
        begin = time.monotonic()
        for _ in range(20):
            os.listdir(model.path)
            os.stat(output)
        assert time.monotonic() - begin < seconds(2)
        begin = time.monotonic()
        readers[0].kill()
        readers[0].wait(seconds(2))
        assert time.monotonic() - begin < seconds(1)
        assert wide.model("test/echo:free").ask("meanwhile") == b"meanwhile\n"
    finally:
        for reader in readers:
            reader.kill()
        for reader in readers:
            reader.wait(seconds(10))
    (model.path / "ctl").write_text("cancel\n")


def test_readers_each_have_their_own_position(wide):
    model = wide.model("test/slow:free")
    model.write("each=0.1 a b c d")
    output = os.path.realpath(model.path / "output")
    readers = [subprocess.Popen(["cat", output], stdout=subprocess.PIPE) for _ in range(10)]
    assert {reader.communicate(timeout=seconds(20))[0] for reader in readers} == {b"a b c d\n"}


@pytest.fixture(scope="session")
def cycles(tmp_path_factory):
    program = tmp_path_factory.mktemp("clients") / "cycles"
    source = os.path.join(os.path.dirname(__file__), "clients", "cycles.c")
    flags = ["-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-pthread"]
    subprocess.run(["cc", *flags, "-o", program, source], check=True)
    return program


@pytest.mark.bound(1200)
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_clients_that_never_fork_get_their_own_answers(mount, cycles, kind):
    count = int(os.environ.get("CONDUITFS_CYCLES", "10000")) // 2
    tree = mount({"limits": {"queue": 1000}, "providers": {"openrouter": "off"}}).wait_ready("cowsay")
    found = tree.sh("find providers/cowsay/models -name input | head -n 1", check=True).out.decode().strip()
    model = tree.path / os.path.dirname(found)
    script = f"{cycles} {kind} 4 {count // 4} {model}"
    result = tree.sh(script, bound=1000)
    assert (result.status, result.out) == (0, f"cycles {count // 4 * 4} wrong 0\n".encode()), result
