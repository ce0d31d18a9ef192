"""Programs that a provider has run: only those that were granted, shut in with the turn's files, and
ended with the turn."""

import errno
import os
import pathlib
import signal
import time

import pytest
from harness.loading import load, ready
from harness.wait import until

MANIFEST = """\
id: acme-provider
name: Acme
capabilities: [text-to-text]
type: local
sources: [provider.c]
programs: [@PROGRAMS@]
"""

CODE = r"""
#include <conduit/provider.h>

#include <stdio.h>
#include <string.h>

static void discover(struct conduit_job *job) {
	static const char *const names[] = {"copy", "stdin", "straight", "outside", "many", "wait",
		"undeclared", "fails", "list", "scratch"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		conduit_model(job, &(struct conduit_model){.id = names[i], .id_size = strlen(names[i]),
						   .input_modalities = "text", .output_modalities = "text"});
	}
	conduit_finish(job, NULL, NULL);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const char *model = turn->model;
	uint32_t file = turn->messages[turn->n_messages - 1].parts[0].file;
	struct conduit_argument in = {CONDUIT_INPUT, .file = file};
	struct conduit_argument a[4] = {in};
	struct conduit_program program = {.name = "cat", .arguments = a, .n_arguments = 1};
	if (strcmp(model, "copy") == 0) {
		program.name = "cp";
		a[1] = (struct conduit_argument){CONDUIT_RESULT, .text = "copy.txt"};
		program.n_arguments = 2;
	} else if (strcmp(model, "stdin") == 0) {
		program.n_arguments = 0;
		program.standard_input = &file;
	} else if (strcmp(model, "straight") == 0) {
		program.standard_output = CONDUIT_TO_OUTPUT;
	} else if (strcmp(model, "outside") == 0) {
		a[0] = (struct conduit_argument){CONDUIT_WORD, .text = "/etc/passwd"};
	} else if (strcmp(model, "many") == 0) {
		program.name = "split";
		a[0] = (struct conduit_argument){CONDUIT_WORD, .text = "--bytes=2"};
		a[1] = in;
		a[2] = (struct conduit_argument){CONDUIT_RESULT, .text = "part"};
		program.n_arguments = 3;
	} else if (strcmp(model, "wait") == 0) {
		program.name = "sleep";
		a[0] = (struct conduit_argument){CONDUIT_WORD, .text = "600"};
	} else if (strcmp(model, "undeclared") == 0) {
		program.name = "touch";
	} else if (strcmp(model, "fails") == 0) {
		a[0] = (struct conduit_argument){CONDUIT_WORD, .text = "--no-such-option"};
	} else if (strcmp(model, "list") == 0) {
		program.name = "ls";
		a[0] = (struct conduit_argument){CONDUIT_WORD, .text = "/tmp"};
	} else {
		program.name = "cp";
		a[1] = (struct conduit_argument){CONDUIT_SCRATCH, .text = "x"};
		a[2] = (struct conduit_argument){CONDUIT_WORD, .text = "-v"};
		program.n_arguments = 3;
	}
	conduit_run(job, &program);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	conduit_output(job, bytes, size);
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	char words[256];
	snprintf(words, sizeof(words), "%d: %s", reply->status, conduit_header(reply, "words"));
	if (reply->status != 0) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID, .words = words});
	}
}

static void end(struct conduit_job *job) {
	conduit_finish(job, "stop", NULL);
}

CONDUIT_PROVIDER(.name = "acme", .version = "1", .discover = discover, .transform = transform,
		.data = data, .reply = reply, .end = end)
"""


def files(programs="cat, cp, ls, sleep, split"):
    return {"MediaConduit.provider.yml": MANIFEST.replace("@PROGRAMS@", programs), "provider.c": CODE}


@pytest.fixture
def tree(mount):
    return mount({"providers": {"openrouter": "off"}, "limits": {"media": "4M"}}).wait_ready("cowsay")


def source(tmp_path, **more):
    directory = tmp_path / "acme"
    directory.mkdir()
    for name, text in files(**more).items():
        (directory / name).write_text(text)
    return directory


@pytest.fixture
def acme(tree, tmp_path):
    return ready(tree, source(tmp_path))


def refused(model, code, prompt="hello"):
    """The prompt's turn fails so; its words."""
    model.write(prompt)
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == code, model.text("error")
    return model.text("error")


@pytest.mark.parametrize("name", ["copy", "stdin", "straight"])
def test_a_program_reads_the_prompt_and_what_it_makes_is_the_output(acme, name):
    assert acme.model(name).ask("some words") == b"some words\n"
    assert not [name for name in os.listdir(acme.model(name).path / "turns/last") if "work" in name]


def test_each_file_that_it_leaves_is_a_result_in_the_order_of_the_names(acme):
    assert acme.model("many").ask("aabbc").startswith(b"aa")
    artifacts = acme.model("many").path / "turns/last/artifacts"
    assert {name: (artifacts / name).read_bytes() for name in os.listdir(artifacts)} == {
        "partab": b"bb",
        "partac": b"c",
    }


def test_more_files_than_may_be_fail_the_turn(acme):
    assert "256 results" in refused(acme.model("many"), errno.EMFILE, "x" * 600)
    assert acme.model("copy").ask("on") == b"on\n"


def test_scratch_files_are_no_results(acme):
    assert b"scratch.x" in acme.model("scratch").ask("text")
    assert os.listdir(acme.model("scratch").path / "turns/last/artifacts") == []


def test_it_sees_nothing_but_the_system_and_the_turn(acme):
    assert "Permission denied" in refused(acme.model("outside"), errno.EINVAL)
    assert "Permission denied" in refused(acme.model("list"), errno.EINVAL)


def test_its_failure_is_told_with_its_status_and_last_words(acme):
    words = refused(acme.model("fails"), errno.EINVAL)
    assert words.startswith("EINVAL: 1: /usr/bin/cat: unrecognized option '--no-such-option'; Try "), words


def test_a_program_that_the_manifest_does_not_name_is_not_run(acme):
    assert "asked for the program touch" in refused(acme.model("undeclared"), errno.EACCES)


def test_without_consent_nothing_is_run(tree, tmp_path):
    acme = load(tree, source(tmp_path)).settles("needs-consent")
    assert "cp" in acme.text("error")
    assert not (acme.path / "models/copy").exists()


def test_a_program_that_is_not_installed_is_named_with_the_remedy(tree, tmp_path):
    acme = load(tree, source(tmp_path, programs="acme-encoder")).settles("needs-consent").allow()
    acme.settles("failed")
    assert acme.facts()["why"] == "acme-encoder isn't installed: apt-get install acme-encoder"


def sleepers():
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"/usr/bin/sleep", b"600"]:
            found.append(int(entry.parent.name))
    return set(found)


def begins(acme):
    """A program that waits, under way: its pids."""
    before = sleepers()
    acme.model("wait").write("go")
    return until(lambda: sleepers() - before, 10, "sleep runs")


def test_cancelling_the_turn_ends_the_program_and_leaves_nothing(acme):
    pids = begins(acme)
    before = time.monotonic()
    (acme.model("wait").path / "ctl").write_text("cancel\n")
    until(lambda: not pids & sleepers(), 10, "the program ends")
    assert time.monotonic() - before < 8
    assert acme.model("wait").facts()["state"] == "cancelled"
    assert acme.model("copy").ask("on") == b"on\n"


def test_the_tree_answers_while_a_program_runs_and_it_ends_with_the_daemon(acme, tree):
    pids = begins(acme)
    assert b"(oo)" in tree.model("cow", "cowsay").ask("moo")
    tree.process.send_signal(signal.SIGKILL)
    tree.process.wait()
    until(lambda: not pids & sleepers(), 10, "the program ends with the daemon")
    tree.process = None
    tree.unmount_lazily()


def test_what_a_program_left_as_the_daemon_died_is_taken_away(acme, tree):
    begins(acme)
    prompt = max(tree.home.glob("state/conduitfs/turns/*/*/prompt"), key=os.path.getmtime)
    tree.kill()
    left = prompt.parent / "work-abcdef"
    left.mkdir()
    (left / "output.wav").write_bytes(b"half")
    tree.unmount_lazily()
    tree.start()
    assert not left.exists() and prompt.exists()
