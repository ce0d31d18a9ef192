"""Results of every kind on a real mount: the output with its extension beside it, further results in
artifacts/, what each is by what is in it, and what an API gives as a URL."""

import errno
import http.server
import os
import shutil
import subprocess
import threading

import pytest
from harness.loading import KEY, Loaded, acme, ready
from harness.wait import seconds

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + bytes(range(200))

CODE = r"""
#include <conduit/provider.h>

#include <string.h>

static const unsigned char png[] = {@PNG@};
static const unsigned char jpeg[] = {@JPEG@};
static char kept[8192];

static void discover(struct conduit_job *job) {
	static const char *const names[] = {
			"draw", "lie", "both", "beside", "bare", "text", "fetch", "many", "large"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *makes = names[i][0] == 't' || names[i][0] == 'b' ? "text" : "image";
		conduit_model(job, &(struct conduit_model){.id = names[i], .id_size = strlen(names[i]),
						   .input_modalities = "text,image",
						   .output_modalities = makes});
	}
	conduit_finish(job, NULL, NULL);
}

static void draw(struct conduit_job *job) {
	conduit_result(job, "image/png", NULL);
	conduit_output(job, png, 10);
	conduit_output(job, png + 10, sizeof(png) - 10);
	conduit_result(job, NULL, NULL);
	conduit_output(job, jpeg, sizeof(jpeg));
	conduit_result(job, "application/json", "facts.json");
	conduit_output(job, "{\"a\":1}", 7);
	conduit_result(job, "image/png", "../../escape");
	conduit_output(job, png, sizeof(png));
	conduit_result(job, "image/png", "facts.json");
	conduit_output(job, png, sizeof(png));
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const char *model = turn->model;
	if (strcmp(model, "fetch") == 0) {
		conduit_read(job, turn->messages[turn->n_messages - 1].parts[0].file);
		return;
	}
	if (strcmp(model, "draw") == 0) {
		draw(job);
	} else if (strcmp(model, "lie") == 0) {
		conduit_result(job, "image/png", NULL);
		conduit_output(job, jpeg, sizeof(jpeg));
	} else if (strcmp(model, "both") == 0) {
		conduit_output(job, "Here it is", 10);
		conduit_result(job, NULL, NULL);
		conduit_output(job, png, sizeof(png));
	} else if (strcmp(model, "beside") == 0) {
		conduit_result_end(job);
		conduit_result(job, NULL, NULL);
		conduit_output(job, png, sizeof(png));
		conduit_result_end(job);
		conduit_output(job, "Here it is", 10);
		conduit_result(job, NULL, NULL);
		conduit_output(job, jpeg, sizeof(jpeg));
		conduit_result_end(job);
		conduit_output(job, ", and another.", 14);
	} else if (strcmp(model, "bare") == 0) {
		conduit_result_end(job);
		conduit_result(job, NULL, NULL);
		conduit_output(job, png, sizeof(png));
		conduit_result(job, NULL, NULL);
		conduit_output(job, jpeg, sizeof(jpeg));
		conduit_result_end(job);
	} else if (strcmp(model, "text") == 0) {
		conduit_output(job, "words", 5);
	} else if (strcmp(model, "many") == 0) {
		for (int i = 0; i < 300; i++) {
			conduit_result(job, NULL, NULL);
			conduit_output(job, png, sizeof(png));
		}
	} else {
		static char block[32768];
		memset(block, 1, sizeof(block));
		for (int i = 0; i < 40; i++) {
			conduit_result(job, NULL, NULL);
			conduit_output(job, block, sizeof(block));
		}
	}
	conduit_finish(job, "stop", NULL);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	(void)job;
	memcpy(kept, bytes, size < sizeof(kept) - 1 ? size : sizeof(kept) - 1);
	kept[size < sizeof(kept) - 1 ? size : sizeof(kept) - 1] = '\0';
}

static void end(struct conduit_job *job) {
	static int asked;
	asked = !asked;
	if (!asked) {
		conduit_finish(job, "stop", NULL);
		return;
	}
	conduit_result(job, "image/png", NULL);
	conduit_request(job, &(struct conduit_request){
				.method = "GET", .url = kept, .sink = CONDUIT_TO_OUTPUT});
}

CONDUIT_PROVIDER(.name = "artist", .version = "1", .discover = discover, .transform = transform,
		.data = data, .end = end)
"""


def source():
    numbers = {"@PNG@": PNG, "@JPEG@": JPEG}
    text = CODE
    for mark, value in numbers.items():
        text = text.replace(mark, ",".join(str(byte) for byte in value))
    return text


class Files(http.server.BaseHTTPRequestHandler):
    """Where results lie: a picture, and ways that lead elsewhere."""

    def do_GET(self):
        leads = {"/to-file": "file:///etc/passwd", "/to-metadata": "http://169.254.169.254/latest"}
        if self.path in leads:
            self.send_response(302)
            self.send_header("Location", leads[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/liar" else "image/jpeg")
        self.send_header("Content-Length", str(len(JPEG)))
        self.end_headers()
        self.wfile.write(JPEG)

    def log_message(self, *_):
        pass


@pytest.fixture
def files():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


CONFIG = {"providers": {"cowsay": "off", "openrouter": "off"}, "limits": {"media": "1M"}}


@pytest.fixture
def tree(mount):
    return mount(CONFIG, env={"ACME_KEY": KEY})


@pytest.fixture
def artist(tree, simulated, git_servers, repository):
    repository.commit(acme(simulated, source=source()))
    return ready(tree, f"{git_servers.file}/{repository.name}.git")


def bytes_of(path):
    return path.read_bytes()


def test_a_picture_stands_beside_its_output_and_further_results_in_artifacts(artist):
    model = artist.model("draw")
    model.write("a cat\n")
    assert bytes_of(model.path / "output") == PNG
    assert model.facts()["state"] == "done"
    turn = model.path / "turns/000001"
    assert bytes_of(turn / "output.png") == PNG and bytes_of(model.path / "output.png") == PNG
    assert os.readlink(model.path / "output.png") == "turns/000001/output.png"
    assert "output.png" in os.listdir(turn) and "output.png" in os.listdir(model.path)
    # A number for what has no name, a path or a name that is taken.
    artifacts = turn / "artifacts"
    assert sorted(os.listdir(artifacts)) == ["1.jpg", "3.png", "4.png", "facts.json"]
    assert bytes_of(artifacts / "1.jpg") == JPEG and bytes_of(artifacts / "facts.json") == b'{"a":1}'
    assert os.stat(artifacts / "1.jpg").st_size == len(JPEG)
    assert "type image/png\n" in (turn / "status").read_text()
    with pytest.raises(FileNotFoundError):
        (model.path / "output.jpg").read_bytes()
    with pytest.raises(PermissionError):
        (artifacts / "1.jpg").write_bytes(b"other")


def test_what_a_result_is_its_content_says(artist):
    model = artist.model("lie")
    model.write("a cat\n")
    assert bytes_of(model.path / "output") == JPEG
    turn = model.path / "turns/000001"
    assert bytes_of(turn / "output.jpg") == JPEG and not (turn / "output.png").exists()
    assert "type image/jpeg\n" in (turn / "status").read_text()


def test_text_with_a_picture_is_text_and_ends_with_a_newline(artist):
    both = artist.model("both")
    assert both.ask("x") == b"Here it is\n"
    assert os.listdir(both.path / "turns/000001/artifacts") == ["1.png"]
    assert bytes_of(both.path / "turns/000001/artifacts/1.png") == PNG
    text = artist.model("text")
    assert text.ask("x") == b"words\n"
    turn = text.path / "turns/000001"
    assert os.listdir(turn / "artifacts") == [] and "type text/plain\n" in (turn / "status").read_text()
    assert not [name for name in os.listdir(turn) if name.startswith("output.")]


def test_text_goes_on_after_pictures_that_came_before_and_in_the_midst_of_it(artist):
    beside = artist.model("beside")
    assert beside.ask("x") == b"Here it is, and another.\n"
    artifacts = beside.path / "turns/000001/artifacts"
    assert sorted(os.listdir(artifacts)) == ["1.png", "2.jpg"]
    assert [bytes_of(artifacts / name) for name in ("1.png", "2.jpg")] == [PNG, JPEG]
    assert not (beside.path / "output.txt").exists()


def test_the_first_picture_is_the_output_where_no_text_came(artist):
    bare = artist.model("bare")
    assert bare.ask("x") == PNG
    assert bytes_of(bare.path / "output.png") == PNG
    assert os.listdir(bare.path / "turns/000001/artifacts") == ["2.jpg"]


def test_a_picture_goes_on_to_another_model(artist):
    model = artist.model("draw")
    model.ask("a cat\n")
    shutil.copyfile(model.path / "output.png", artist.model("both").path / "input")
    assert bytes_of(artist.model("both").path / "prompt") == PNG
    status = (artist.model("both").path / "turns/000001/status").read_text()
    assert "from providers/acme/models/draw/turns/000001\n" in status
    shutil.copyfile(model.path / "turns/last/artifacts/1.jpg", artist.model("both").path / "input")
    assert bytes_of(artist.model("both").path / "prompt") == JPEG


def test_a_link_in_attach_leads_to_its_writers_own_picture(artist):
    draw, both = artist.model("draw"), artist.model("both")
    script = """
        echo a cat > "$1/input"; cat "$1/output" > /dev/null; echo; read -r go
        ln -s "$1/output.png" attach/a.png; exec 5> input; echo look >&5; echo; read -r go
        exec 5>&-; cat output
    """
    command = ["sh", "-c", script, "sh", draw.path]
    shell = subprocess.Popen(command, cwd=both.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert shell.stdout.readline() == b"\n"
    with open(draw.path / "input", "wb", buffering=0) as newest_of_anyone:
        newest_of_anyone.write(b"a dog")
        shell.stdin.write(b"\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == b"\n"
        # Somebody else asks for something between the writing and the closing.
        assert not os.path.exists(draw.path / "output.png")
        out, _ = shell.communicate(b"\n", timeout=seconds(20))
    assert out == b"Here it is\n"
    assert bytes_of(both.path / "turns/000001/attachments/a.png") == PNG


def test_an_answer_given_again_has_its_results_too(artist):
    model = artist.model("draw")
    model.set("cache", "1h")
    for _ in range(2):
        model.write("a cat\n")
        assert bytes_of(model.path / "output") == PNG
    status = (model.path / "turns/000002/status").read_text()
    assert "cached_from 000001\n" in status and "type image/png\n" in status
    turn = model.path / "turns/000002"
    assert sorted(os.listdir(turn / "artifacts")) == ["1.jpg", "3.png", "4.png", "facts.json"]
    assert bytes_of(turn / "artifacts/3.png") == PNG


@pytest.mark.parametrize(("name", "words"), [("many", "256 results"), ("large", "limits.media")])
def test_results_are_bounded_in_number_and_in_bytes(artist, name, words):
    model = artist.model(name)
    model.write("x\n")
    with pytest.raises(OSError) as caught:
        bytes_of(model.path / "output")
    assert caught.value.errno == (errno.EMFILE if name == "many" else errno.EFBIG)
    assert words in model.text("error")


def test_results_outlive_a_mount(artist):
    model = artist.model("draw")
    model.write("a cat\n")
    assert bytes_of(model.path / "output") == PNG
    tree = artist.tree
    tree.stop()
    tree.start()
    again = Loaded(tree).settles("ready").model("draw")
    assert bytes_of(again.path / "turns/000001/artifacts/1.jpg") == JPEG
    assert bytes_of(again.path / "output.png") == PNG


def test_kept_turns_answer_with_their_results(artist, tmp_path, mount):
    model = artist.model("draw")
    model.write("a cat\n")
    assert bytes_of(model.path / "output") == PNG
    kept = tmp_path / "kept"
    shutil.copytree(model.path / "turns/000001", kept / "turns/000001", symlinks=True)
    config = {"providers": {"old": {"driver": "replay", "path": str(kept)}, "cowsay": "off"}}
    tree = mount(config, home="replaying").wait_ready("old")
    old = tree.model("draw", "old")
    old.write("a cat\n")
    assert bytes_of(old.path / "output") == PNG
    turn = old.path / "turns/000001"
    assert sorted(os.listdir(turn / "artifacts")) == ["1.jpg", "3.png", "4.png", "facts.json"]
    assert bytes_of(turn / "artifacts/facts.json") == b'{"a":1}'
    assert bytes_of(turn / "output.png") == PNG


# ---- results that lie elsewhere ----


@pytest.fixture
def fetcher(tree, simulated, files, git_servers, repository):
    repository.commit(acme(simulated, source=source(), base_url=files.url))
    return ready(tree, f"{git_servers.file}/{repository.name}.git")


def test_a_url_is_downloaded_whatever_its_content_type_says(fetcher, files):
    model = fetcher.model("fetch")
    model.write(f"{files.url}/liar")
    assert bytes_of(model.path / "output") == JPEG
    assert bytes_of(model.path / "output.jpg") == JPEG


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://127.0.0.1:1/other-port",
        "file:///etc/passwd",
        "@/to-file",
        "@/to-metadata",
    ],
)
def test_a_url_that_leads_elsewhere_is_refused(fetcher, files, url):
    model = fetcher.model("fetch")
    model.write(url.replace("@", files.url))
    with pytest.raises(OSError):
        bytes_of(model.path / "output")
    assert os.stat(model.path / "turns/000001/output").st_size == 0
    words = model.text("error")
    assert any(part in words for part in ("granted", "endpoint", "redirects", "URL")), words
