"""`conduitfs provider check`: what is good passes, and each thing that is wrong is listed."""

import re
import signal
import subprocess

import pytest
from harness.command import provider
from harness.mount import PROGRAM, SANITIZED, TOP
from harness.wait import seconds, until

BUNDLED = sorted(path.parent for path in TOP.glob("providers/*/MediaConduit.provider.yml"))


@pytest.fixture
def check(tmp_path):
    """Checks a provider; nothing of it may stay behind."""
    (tmp_path / "tmp").mkdir()

    def run(directory, *arguments, **options):
        result = provider(tmp_path, "check", directory, *arguments, env={"TMPDIR": str(tmp_path / "tmp")}, **options)
        assert list((tmp_path / "tmp").iterdir()) == []
        return result.status, result.out.decode()

    return run


@pytest.fixture
def acme(tmp_path):
    """The compiled skeleton, to be changed."""
    assert provider(tmp_path, "new", "acme").status == 0
    return tmp_path / "acme-provider"


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def faults(out):
    return re.findall(r"^    fault: (.*)$", out, re.M)


def notes(out):
    return re.findall(r"^    note: (.*)$", out, re.M)


# ---- what is good ----


@pytest.mark.parametrize("directory", BUNDLED, ids=lambda path: path.name)
def test_every_bundled_provider_passes(check, directory):
    status, out = check(directory)
    assert status == 0 and faults(out) == [], out


@pytest.mark.parametrize("declared", [[], ["--declared", "https://far.example/v1"]])
def test_a_skeleton_passes_at_once(tmp_path, check, declared):
    assert provider(tmp_path, "new", "far", *declared).status == 0
    status, out = check(tmp_path / "far-provider")
    assert status == 0 and faults(out) == [], out
    assert [note for note in notes(out) if "LICENSE" not in note] == []


def test_it_shows_what_a_user_would_see(check, acme):
    _, out = check(acme)
    assert '    $ echo "Hello" > models/small/input\n    $ cat models/small/output\n' in out
    assert "    cat: models/small/output: Device or resource busy\n" in out
    assert "    EBUSY: slow down (HTTP 429)\n" in out
    assert "    prompt_tokens 9\n    completion_tokens 2\n" in out
    assert "    $ ls models " in out and "    context_length:8192\n" in out


def test_each_exchange_is_cut_at_every_byte(check, acme):
    _, out = check(acme)
    size = (acme / "tests/models.json").stat().st_size + (acme / "tests/answer.json").stat().st_size
    assert int(re.search(r"replayed (\d+) times", out).group(1)) > size


def test_the_current_directory_is_checked_without_an_argument(tmp_path, acme):
    assert provider(tmp_path, "check", cwd=acme).status == 0


def test_what_isnt_recorded_is_a_note(check, acme):
    change(acme / "MediaConduit.provider.yml", "[text-to-text]", "[text-to-text, text-to-image]")
    status, out = check(acme)
    assert status == 0 and any("no exchange has a turn of text-to-image" in note for note in notes(out))


def test_without_exchanges_there_is_a_note(check, acme):
    for path in (acme / "tests").iterdir():
        path.unlink()
    status, out = check(acme)
    assert status == 0 and any("nothing was replayed" in note for note in notes(out))


# ---- what is wrong ----


def test_every_fault_of_a_manifest_is_listed(check, acme):
    change(acme / "MediaConduit.provider.yml", "type: remote", "type: far")
    change(acme / "MediaConduit.provider.yml", "[provider.c]", "[../../x.c]")
    status, out = check(acme)
    assert status == 1 and len(faults(out)) == 2, out
    assert any("far" in fault for fault in faults(out)) and any("../../x.c" in fault for fault in faults(out))
    assert "acme" in out.splitlines()[-1] and "2 faults" in out.splitlines()[-1]


def test_a_driver_that_isnt_there_is_told(check, tmp_path):
    directory = tmp_path / "acme"
    directory.mkdir()
    (directory / "MediaConduit.provider.yml").write_text(
        "id: acme-provider\nname: Acme\nversion: 1.0.0\ncapabilities: [text-to-text]\n"
        "driver: opnai\nbase_url: https://api.acme.dev/v1\n"
    )
    status, out = check(directory)
    assert status == 1 and "no bundled provider 'opnai'" in faults(out)[0], out


def test_what_the_compiler_says_is_shown(check, acme):
    change(acme / "provider.c", "conduit_finish(job, NULL, NULL)", "conduit_finsh(job NULL)")
    status, out = check(acme)
    assert status == 1 and "provider.c" in faults(out)[0] + out and "error:" in out, out


def test_every_line_that_isnt_borne_out_is_listed(check, acme):
    change(acme / "tests/answer.exchange", "output Hello!\nfinish stop", "output Bye!\nfinish length")
    change(acme / "tests/models.exchange", "models 2", "models 3")
    status, out = check(acme)
    assert status == 1
    assert [fault.split(": ", 1)[0] for fault in faults(out)] == [
        "tests/answer.exchange:9",
        "tests/answer.exchange:10",
        "tests/models.exchange:5",
    ]


def test_a_provider_that_minds_where_a_reply_is_cut_is_found(check, acme):
    change(acme / "provider.c", "memory->size += size;\n}", "memory->size += size == 1 ? 0 : size;\n}")
    status, out = check(acme)
    assert status == 1 and any("byte by byte" in fault for fault in faults(out)), out


def test_a_status_that_gives_the_wrong_errno_is_found(check, acme):
    change(acme / "provider.c", "memory->status < 200 || memory->status > 299", "memory->status == 429")
    status, out = check(acme)
    assert status == 1
    assert any("HTTP 401 with JSON fails with EPROTO" in fault and "EKEYREJECTED" in fault for fault in faults(out))


def test_a_host_that_the_manifest_doesnt_name_is_found(check, acme):
    change(acme / "provider.c", 'conduit_base_url(job), path)', '"https://elsewhere.example", path)')
    status, out = check(acme)
    assert status == 1 and any("elsewhere.example" in fault and "endpoints" in fault for fault in faults(out)), out


# ---- a stranger's code ----

#: Where a turn begins in the skeleton.
BEGIN = "\tif (begin(job, false) == NULL) {"
HOSTILE = {
    "crash": ("*(volatile int *)0 = 1;", "Segmentation fault"),
    "exit": ("exit(0);", "ended its process (exit 0)"),
    "abort": ("abort();", "Aborted"),
    "open": ('fopen("/etc/passwd", "r");', "forbidden system call: openat"),
    "connect": ("socket(2, 1, 0);", "forbidden system call: socket"),
    "fork": ("fork();", "forbidden system call"),
    "flood": ('for (;;) { fputs("flood\\n", stdout); }', "writes without end"),
    "loop": ("for (;;) {}", "didn't end within 1 s"),
}


@pytest.mark.parametrize("act", HOSTILE)
def test_a_strangers_code_is_contained_and_its_end_is_told(check, acme, act):
    code, words = HOSTILE[act]
    if SANITIZED and "forbidden" in words:
        pytest.skip("the filter of a sanitized provider logs only")
    if SANITIZED and act == "crash":
        words = "ended its process"
    included = "#include <conduit/provider.h>\n"
    change(acme / "provider.c", included, included + "#include <unistd.h>\nint socket(int, int, int);\n")
    change(acme / "provider.c", BEGIN, f"\t{code}\n{BEGIN}")
    status, out = check(acme, "--seconds", "1" if act == "loop" else "30")
    assert status == 1 and any(words in fault for fault in faults(out)), out
    assert any("tests/answer.exchange" in fault for fault in faults(out))
    assert "    $ ls models " in out, "the others are replayed all the same"
    assert not any("no exchange has a turn" in note for note in notes(out))


def test_a_constructor_runs_shut_in_as_well(check, acme, tmp_path):
    source = acme / "provider.c"
    early = f'static void early(void) {{ fopen("{tmp_path}/constructed", "w"); exit(0); }}'
    source.write_text(source.read_text() + f"\n__attribute__((constructor)) {early}\n")
    tmp_path.chmod(0o777)
    status, out = check(acme)
    assert status == 1 and len(faults(out)) == 3, out
    assert not (tmp_path / "constructed").exists()


def test_control_bytes_never_reach_the_terminal(check, acme):
    (acme / "tests/answer.json").write_text('{"text": "\\u001b]0;title\\u0007\\u001b[2J", "stopped": "end"}')
    change(acme / "tests/answer.exchange", "output Hello!\n", "")
    _, out = check(acme)
    assert "\x1b" not in out and "\x07" not in out


def test_a_name_with_control_bytes_is_refused(check, acme):
    (acme / "tests/\x1b[2J.exchange").write_text("discover\n")
    status, out = check(acme)
    assert status == 1 and "\x1b" not in out, out


def test_an_interrupted_check_leaves_nothing(tmp_path, acme):
    change(acme / "provider.c", BEGIN, f"\tfor (;;) {{}}\n{BEGIN}")
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [PROGRAM, "provider", "check", acme],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
    )
    for line in process.stdout:
        if line == b"tests/answer.exchange\n":
            break
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    child = until(lambda: open(children).read().split(), 5, "the replay runs")[0]
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=seconds(20))[0]
    assert process.returncode == 1 and b"interrupted" in rest
    assert list((tmp_path / "tmp").iterdir()) == []
    with pytest.raises(OSError):
        open(f"/proc/{child}/stat").close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seconds", "soon"], "--seconds takes"),
        (["a", "b"], "takes one directory"),
        (["--fast"], "unknown option '--fast'"),
    ],
)
def test_a_wrong_call_exits_2(tmp_path, arguments, words):
    result = provider(tmp_path, "check", *arguments)
    assert result.status == 2 and words in result.err.decode()


def test_a_directory_that_isnt_there_is_told(tmp_path):
    result = provider(tmp_path, "check", tmp_path / "nonesuch")
    assert result.status == 1 and b"nonesuch: No such file or directory" in result.err
