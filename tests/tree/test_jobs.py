"""Services with a queue: jobs that are submitted, polled, cancelled; picked up again after the daemon
died, they are in test_jobs_again. The service is simulated: tests/servers/queue.py.

CONDUITFS_POLLS says how many polls the test for leaks makes (200 by default; 10000 take minutes)."""

import base64
import errno
import json
import os
import pathlib
import select
import socket

import pytest
from harness.mount import SANITIZED, Model, local_only
from harness.queue import PICTURES, again, cancelled_once, cancels, fails, runs
from harness.server import call
from harness.wait import until

POLLS = int(os.environ.get("CONDUITFS_POLLS", "200"))


# ---- submit, poll, result ----


def test_a_job_is_submitted_once_polled_and_its_file_comes(picture, queue):
    assert picture.ask("polls=3 a heron") == b"a heron 0"
    assert len(queue.journal(picture.begins)) == 1
    assert picture.facts()["state"] == "done"


def test_several_files_are_results_of_their_own(picture):
    picture.ask("files=3 a heron")
    turn = picture.path / "turns/last"
    others = sorted(path.read_bytes() for path in (turn / "artifacts").iterdir())
    assert picture.read() == b"a heron 0"
    assert b"a heron 1" in others and b"a heron 2" in others


def test_a_3d_model_is_one_by_its_content_and_has_its_capability(mount, queue):
    tree = mount(queue.config("fal")).wait_ready("fal")
    assert (tree.path / "capabilities/text-to-3d/models/fal/sim/mesh").is_symlink()
    model = tree.model("sim/mesh", "fal")
    assert model.ask("glb of a heron").startswith(b"glTF")
    assert (model.path / "output.glb").read_bytes() == model.read()
    assert "type model/gltf-binary\n" in (model.path / "turns/last/status").read_text()


def test_inputs_bear_the_names_of_the_models_schema(picture, queue):
    picture.set("seed", "7")
    picture.set("extra", '{"own": 1}')
    picture.ask("a heron")
    body = json.loads(queue.journal(picture.begins)[0]["body"])
    assert body.get("input", body) == {"prompt": "a heron", "seed": 7, "own": 1}


def test_the_key_is_sent_in_the_services_own_scheme(mount, queue):
    for name, scheme in (("fal", "Key"), ("replicate", "Bearer")):
        tree = mount(queue.config(name), home=name).wait_ready(name)
        tree.model("sim/image", name).ask("a heron")
        sent = queue.journal(PICTURES[name][2])[0]["headers"]["authorization"]
        assert sent == f"{scheme} sk-queue"


def test_a_file_goes_along_as_a_data_url(mount, queue):
    tree = mount(queue.config("fal")).wait_ready("fal")
    model = tree.model("sim/image/edit", "fal")
    png = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
    (model.path / "attach" / "in.png").write_bytes(png)
    model.ask("a heron")
    body = json.loads(queue.journal("POST /fal/sim/image/edit")[0]["body"])
    assert body["image_url"] == "data:image/png;base64," + base64.b64encode(png).decode()


def test_a_text_is_streamed_and_comes_once(mount, queue):
    tree = mount(queue.config("replicate")).wait_ready("replicate")
    model = tree.model("sim/text", "replicate")
    assert model.ask("text of herons and reeds") == b"text of herons and reeds\n"
    assert queue.journal("GET /stream/")


def test_what_a_broken_stream_left_out_is_polled(mount, queue):
    tree = mount(queue.config("replicate")).wait_ready("replicate")
    model = tree.model("sim/text", "replicate")
    assert model.ask("then=cut text of herons and reeds") == b"text of herons and reeds\n"


def test_status_tells_how_far_a_job_is(mount, queue):
    tree = mount(queue.config("replicate")).wait_ready("replicate")
    model = tree.model("sim/image", "replicate")
    model.write("polls=never a heron")
    until(lambda: model.facts().get("progress") == "42%", 20, "status says how far it is")
    assert model.facts()["doing"] == "processing"
    (model.path / "ctl").write_text("cancel\n")


@pytest.mark.parametrize("name", ["openai", "openrouter"])
def test_a_video_is_begun_once_polled_picked_up_and_downloaded(mount, queue, name):
    entry = {"base_url": f"{queue.url}/videos/v1", "key": "sk-queue"}
    tree = mount({"providers": {name: entry}}).wait_ready(name)
    model = tree.model("sora-2", name)
    model.write("polls=60 a heron")
    runs(model)
    until(lambda: model.facts().get("progress") == "42%", 20, "it says how far it is")
    tree.kill()
    again(tree)
    assert model.read().endswith(b"mp42isoma heron video")
    assert (model.path / "output.mp4").exists()
    assert len(queue.journal("POST /videos/v1/videos")) == 1


# ---- failures ----


def test_a_job_that_fails_says_why(mount, queue):
    tree = mount(queue.config("fal", "replicate")).wait_ready("fal").wait_ready("replicate")
    fails(tree.model("sim/image", "fal"), "then=failed x", errno.ETIMEDOUT, "Request timed out")
    fails(tree.model("sim/image", "replicate"), "then=failed x", errno.EREMOTEIO, "CUDA out of memory")


def test_a_result_that_expired_says_so(picture):
    fails(picture, "then=expired x", errno.ENOENT, "expired")


def test_a_job_that_the_service_forgot_says_so(picture):
    fails(picture, "then=gone x", errno.ENOENT, "doesn't know the job any more")


def test_a_poll_that_is_no_json_fails_and_cancels_the_job(picture, queue):
    fails(picture, "then=garbage x", errno.EPROTO, "isn't JSON")
    until(lambda: cancels(queue), 20, "the job was withdrawn")


@pytest.mark.parametrize(
    ("then", "code", "words"),
    [
        ("flagged", errno.EPERM, "prompt: flagged by a content checker"),
        ("broke", errno.EDQUOT, "Exhausted balance"),
        ("none", errno.EPROTO, 'holds no file: {"images":[]'),
    ],
)
def test_what_a_result_says_instead_of_a_picture_is_its_errno(mount, queue, then, code, words):
    model = mount(queue.config("fal")).wait_ready("fal").model("sim/image", "fal")
    fails(model, f"then={then} a heron", code, words)


def test_a_refused_input_is_refused_with_words(mount, queue):
    tree = mount(queue.config("fal")).wait_ready("fal")
    model = tree.model("sim/image", "fal")
    model.set("seed", "422")
    fails(model, "x", errno.EINVAL, "not that seed")


def test_polls_that_a_busy_service_refuses_are_repeated(picture, queue):
    assert picture.ask("then=busy polls=4 a heron") == b"a heron 0"
    assert len(queue.journal(picture.begins)) == 1


NOT_GRANTED = "is not among the hosts granted"
NOT_FOLLOWED = "only https:, http: and data: addresses are followed"


@pytest.mark.parametrize(
    "where, code, words",
    [
        ("http://127.0.0.1:{one}/x", errno.EACCES, NOT_GRANTED),
        ("https://127.0.0.1:{one}/x", errno.EACCES, NOT_GRANTED),
        ("HTTP://127.0.0.1:{one}/x", errno.EACCES, NOT_GRANTED),
        ("http://127.1:{one}/x", errno.EACCES, NOT_GRANTED),
        ("http://2130706433:{one}/x", errno.EACCES, NOT_GRANTED),
        ("http://0.0.0.0:{one}/x", errno.EACCES, NOT_GRANTED),
        ("http://localhost:{one}/x", errno.EACCES, NOT_GRANTED),
        ("http://[::ffff:127.0.0.1]:{one}/x", errno.EACCES, NOT_GRANTED),
        ("http://127.0.0.2:{two}/x", errno.EACCES, NOT_GRANTED),
        ("http://169.254.169.254/x", errno.EACCES, NOT_GRANTED),
        ("//127.0.0.1:{one}/x", errno.EPROTO, NOT_FOLLOWED),
        ("gopher://127.0.0.1:{one}/x", errno.EPROTO, NOT_FOLLOWED),
        ("ftp://127.0.0.1:{one}/x", errno.EPROTO, NOT_FOLLOWED),
        ("file:///etc/passwd", errno.EPROTO, NOT_FOLLOWED),
        ("FILE:/etc/passwd", errno.EPROTO, NOT_FOLLOWED),
    ],
)
def test_a_result_elsewhere_is_refused(picture, where, code, words):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.2", 0)) as two:
        address = where.format(one=one.getsockname()[1], two=two.getsockname()[1])
        fails(picture, f"url={address} x", code, words)
        assert picture.facts()["state"] == "failed"
        assert not os.listdir(picture.path / "turns/last/artifacts")
        with open(picture.path / "output", "rb", buffering=0) as output, pytest.raises(OSError):
            output.read(1)
        # Who had connected would be waiting to be accepted.
        assert select.select([one, two], [], [], 0) == ([], [], [])


def test_a_result_that_redirects_to_a_file_is_refused(picture, queue):
    target = base64.urlsafe_b64encode(b"file:///etc/passwd").decode()
    picture.write(f"url={queue.url}/redirect/{target} x")
    with pytest.raises(OSError):
        picture.read()
    assert picture.facts()["state"] == "failed"


def test_polls_whose_connection_breaks_are_repeated_as_long_as_the_job_goes_on(picture, queue):
    assert picture.ask("polls=6 then=broken a heron") == b"a heron 0"
    assert len(queue.journal(picture.begins)) == 1


def test_a_result_that_cannot_be_fetched_is_asked_for_ever_more_seldom(picture, queue):
    picture.write("polls=1 then=nofile a heron")
    until(lambda: "attempt 4" in picture.facts().get("waiting_for", ""), 20, "it is tried again")
    assert "HTTP 503" in picture.facts()["waiting_for"]
    assert len(queue.journal("GET /file/")) == 3
    (picture.path / "ctl").write_text("cancel\n")


# ---- cancelling ----


def test_cancel_is_told_to_the_service(picture, queue):
    picture.write("polls=never a heron")
    runs(picture)
    (picture.path / "ctl").write_text("cancel\n")
    cancelled_once(queue)
    assert picture.facts()["state"] == "cancelled"
    assert "its service is told to withdraw the job" in picture.text("error")


def test_a_job_that_is_cancelled_while_it_is_submitted_is_withdrawn_once_it_is_known(picture, queue):
    picture.write("polls=never begin=held a heron")
    until(lambda: queue.journal(picture.begins), 20, "it is submitted")
    (picture.path / "ctl").write_text("cancel\n")
    assert picture.facts()["state"] == "cancelled"
    assert not cancels(queue)
    call(f"{queue.url}/release")
    cancelled_once(queue)


@pytest.mark.parametrize(
    ("then", "code", "words"),
    [("expired", errno.ENOENT, "has expired"), ("cancelled", errno.EREMOTEIO, "cancelled at the service")],
)
@pytest.mark.parametrize("name", ["openai", "openrouter"])
def test_a_video_that_the_service_has_no_more_says_why(mount, queue, name, then, code, words):
    entry = {"base_url": f"{queue.url}/videos/v1", "key": "sk-queue"}
    model = mount({"providers": {name: entry}}).wait_ready(name).model("sora-2", name)
    fails(model, f"then={then} a heron", code, words)


@pytest.mark.parametrize("name", ["openai", "openrouter"])
def test_that_a_cancelled_video_goes_on_at_its_service_is_told(mount, queue, name):
    entry = {"base_url": f"{queue.url}/videos/v1", "key": "sk-queue"}
    model = mount({"providers": {name: entry}}).wait_ready(name).model("sora-2", name)
    model.write("polls=never a heron")
    runs(model)
    (model.path / "ctl").write_text("cancel\n")
    assert "can't be withdrawn from its service, and may be billed" in model.text("error")


def test_the_job_of_a_provider_that_is_unloaded_is_withdrawn_and_not_begun_elsewhere(mount, queue):
    config = queue.config("fal", "replicate", routes={"text-to-image": ["fal/sim/image", "replicate/sim/image"]})
    tree = mount(config).wait_ready("fal").wait_ready("replicate")
    route = Model(tree.path / "capabilities/text-to-image")
    route.write("polls=never a heron")
    runs(route)
    config["providers"]["fal"] = "off"
    (tree.home / "config/conduitfs/config.yml").write_text(local_only(config))
    (tree.path / "ctl").write_text("reload\n")
    cancelled_once(queue)
    assert route.facts()["state"] == "interrupted", route.text("error")
    assert "told to withdraw the job" in route.text("error")
    assert len(queue.journal("POST /fal/sim")) == 1 and not queue.journal("POST /v1/predictions")


def test_the_end_of_a_session_cancels_its_jobs(picture, queue):
    session = picture.path / "sessions" / "one"
    session.mkdir()
    (session / "input").write_text("polls=never a heron")
    until(lambda: "\ndoing -" not in (session / "status").read_text(), 20, "it is under way")
    picture.tree.sh(f"rm -r '{session}'", check=True)
    cancelled_once(queue)


def test_closing_rpc_cancels_its_job(picture, queue):
    fd = os.open(picture.path / "rpc", os.O_RDWR | os.O_NONBLOCK)
    os.write(fd, b"polls=never a heron")
    with pytest.raises(BlockingIOError):
        os.read(fd, 1)
    until(lambda: len(queue.journal()) > 6, 20, "it is polled")
    os.close(fd)
    cancelled_once(queue)


def test_a_job_out_of_time_is_cancelled(picture, queue):
    picture.set("timeout_total", "1")
    fails(picture, "polls=never a heron", errno.ETIMEDOUT, "timeout_total")
    cancelled_once(queue)


def test_what_is_over_isnt_cancelled(picture, queue):
    picture.ask("a heron")
    picture.tree.stop()
    assert not cancels(queue)


# ---- leaks ----


def held(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    size = int(status.partition("VmRSS:")[2].split()[0])
    files = [os.readlink(path) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
    return size, files


@pytest.mark.bound(60 + POLLS * 0.2)
def test_polls_leave_nothing_behind(mount, queue):
    tree = mount(queue.config("replicate")).wait_ready("replicate")
    model = tree.model("sim/image", "replicate")
    model.ask("polls=50 to begin with")
    # Others than the one that polls end when they are idle.
    before = {pid: held(pid) for pid in [tree.process.pid, *tree.runners()]}
    assert model.ask(f"polls={POLLS} a heron") == b"a heron 0"
    for pid in [tree.process.pid, *tree.runners()]:
        (size, files), (size_after, files_after) = before[pid], held(pid)
        # Files of the turn are closed when nobody holds it any more.
        until(lambda p=pid, n=len(files): len(held(p)[1]) <= n + 2, 20, f"no more than {files}: {files_after}")
        assert SANITIZED or size_after <= size + 2048, "kB"
