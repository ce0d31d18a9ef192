"""attach/: files that go along with the next prompt, and prompts that aren't text."""

import base64
import errno
import json
import os

import pytest
from harness.attach import MANY, PDF, entry, png, wav
from harness.server import shared

DOCUMENT = shared("data", "openapi", "openrouter.openapi.yaml")


@pytest.fixture
def catalogue(tmp_path):
    """Models that take everything, text alone, and who knows what."""
    unknown = entry("test/unknown:free", [])
    del unknown["architecture"]
    path = tmp_path / "models.json"
    models = [entry("test/all:free", MANY), entry("test/text:free", ["text"]), unknown]
    path.write_text(json.dumps({"data": models}))
    return path


@pytest.fixture
def tree(mount, simulated, catalogue):
    simulated.control(models=str(catalogue), chat="echo")
    return mount(simulated.config(limits={"attach": "1M"})).wait_ready()


@pytest.fixture
def model(tree):
    return tree.model("test/all:free")


def attached(simulated):
    """What the newest request carries beside its text: (type or format, bytes) each."""
    found = []
    for part in simulated.chats()[-1]["json"]["messages"][-1]["content"]:
        if part["type"] == "input_audio":
            sound = part["input_audio"]
            found.append((sound["format"], base64.b64decode(sound["data"])))
        elif part["type"] != "text":
            holder = part.get("image_url") or part.get("video_url") or part.get("file")
            url = holder.get("url") or holder["file_data"]
            kind, _, data = url.removeprefix("data:").partition(";base64,")
            found.append((kind, base64.b64decode(data)))
    return found


def listed(model):
    return sorted(os.listdir(model.path / "attach"))


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("photo.jpg", png(), "image/png"),
        ("paper", PDF, "application/pdf"),
        ("sound.bin", wav(), "wav"),
    ],
)
def test_a_file_goes_along_by_what_is_in_it(model, simulated, name, data, kind):
    (model.path / "attach" / name).write_bytes(data)
    assert listed(model) == [name]
    assert model.ask("what is this?") == b"what is this?\n"
    assert attached(simulated) == [(kind, data)]
    assert listed(model) == []
    assert (model.path / "turns/000001/attachments" / name).read_bytes() == data


def test_the_next_prompt_takes_none_and_a_conversation_keeps_them(model, simulated):
    (model.path / "attach/a.png").write_bytes(png())
    model.ask("first")
    model.ask("second")
    assert simulated.chats()[-1]["json"]["messages"][-1]["content"] == "second"
    assert not (model.path / "turns/000002/attachments").exists()
    (model.path / "attach/b.png").write_bytes(png(b"b"))
    model.ask("third")
    with open(model.path / "input", "a", encoding="ascii") as file:
        file.write("fourth")
    assert model.read() == b"fourth\n"
    said = simulated.chats()[-1]["json"]["messages"]
    assert [type(message["content"]) for message in said] == [list, str, str]


def test_copies_moves_renames_and_removals(tree, model, simulated):
    source = tree.home / "source"
    (source / "more").mkdir(parents=True)
    (source / "a.png").write_bytes(png(b"a"))
    (source / "b.txt").write_text("notes\n")
    script = """
        set -e
        cp -r "$S"/a.png "$S"/b.txt attach/
        cp -p "$S/a.png" attach/c.png; mv attach/c.png attach/d.png; mv "$S/b.txt" attach/e.txt
        rm attach/b.txt; cat "$S/a.png" > attach/f.png
        cmp attach/a.png "$S/a.png"; cmp attach/f.png "$S/a.png"
        ! mkdir attach/inside; ! cp -r "$S/more" attach/; ! ln attach/a.png attach/hard
        ls attach
    """
    result = tree.sh(script, cwd=model.path, S=source)
    assert result.status == 0, result
    assert result.out.split() == [b"a.png", b"d.png", b"e.txt", b"f.png"]
    model.ask("look")
    assert attached(simulated) == [("image/png", png(b"a"))] * 3
    texts = [part["text"] for part in simulated.chats()[-1]["json"]["messages"][-1]["content"] if part["type"] == "text"]
    assert texts == ["look", "notes\n"]


def test_a_scratch_file_is_moved_in(tree, model, simulated):
    (model.path / "new.png").write_bytes(png())
    os.rename(model.path / "new.png", model.path / "attach/new.png")
    assert listed(model) == ["new.png"] and not (model.path / "new.png").exists()
    model.ask("look")
    assert attached(simulated) == [("image/png", png())]


def test_a_kind_that_the_model_does_not_take_is_refused_by_name(tree, simulated):
    model = tree.model("test/text:free")
    (model.path / "attach/photo.png").write_bytes(png())
    model.write("what is this?")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EINVAL
    words = model.text("error")
    named = "providers/openrouter/models/test/all:free makes text of it"
    for part in ("attach/photo.png", "image", "test/text:free", "input_modalities", named, "rm attach/photo.png"):
        assert part in words
    assert simulated.chats() == [] and listed(model) == ["photo.png"]
    (model.path / "attach/photo.png").unlink()
    assert model.ask("well then") == b"well then\n"


def test_where_no_model_converts_it_a_program_that_does_is_named(tree, simulated):
    model = tree.model("test/text:free")
    (model.path / "attach/letter.pdf").write_bytes(PDF)
    model.write("what is this?")
    with pytest.raises(OSError):
        model.read()
    assert "pdftotext" in model.text("error") and simulated.chats() == []


def test_where_modalities_are_not_known_it_is_sent(tree, simulated):
    model = tree.model("test/unknown:free")
    (model.path / "attach/photo.png").write_bytes(png())
    assert model.ask("look") == b"look\n"
    assert attached(simulated) == [("image/png", png())]


def test_text_must_be_utf8_to_its_end(model, simulated):
    (model.path / "attach/late.txt").write_bytes(b"text " * 20000 + b"\xff")
    model.write("look")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EINVAL and "attach/late.txt" in model.text("error")
    assert simulated.chats() == []


def test_what_is_still_being_written_waits_for_a_retry(tree, model, simulated):
    with open(model.path / "attach/a.png", "wb") as file:
        file.write(png()[:20])
        file.flush()
        model.write("look")
        with pytest.raises(OSError) as caught:
            model.read()
        assert caught.value.errno == errno.EBUSY and "still being written" in model.text("error")
        file.write(png()[20:])
    (model.path / "ctl").write_text("retry\n")
    assert model.read() == b"look\n"
    assert attached(simulated) == [("image/png", png())]


def test_a_retry_sends_the_same_files_again(model, simulated):
    (model.path / "attach/a.png").write_bytes(png())
    model.ask("look")
    (model.path / "attach/later.png").write_bytes(png(b"later"))
    (model.path / "ctl").write_text("retry\n")
    assert model.read() == b"look\n"
    assert attached(simulated) == [("image/png", png())]
    assert listed(model) == ["later.png"]


def test_too_much_is_refused_with_words_and_loses_nothing(model):
    (model.path / "attach/a").write_bytes(b"x" * 700_000)
    with pytest.raises(OSError) as caught:
        (model.path / "attach/b").write_bytes(b"x" * 700_000)
    assert caught.value.errno == errno.EDQUOT and "limits.attach" in model.text("error")
    model.write("hello")
    with pytest.raises(OSError):
        model.read()
    assert "attach/b is a part" in model.text("error")
    for name in listed(model):
        (model.path / "attach" / name).unlink()
    with pytest.raises(OSError) as caught:
        (model.path / "attach/c").write_bytes(b"x" * 2_000_000)
    assert caught.value.errno == errno.EFBIG
    for name in listed(model):
        (model.path / "attach" / name).unlink()
    for n in range(64):
        (model.path / "attach" / f"{n}").write_bytes(b"x")
    with pytest.raises(OSError) as caught:
        (model.path / "attach/one-more").write_bytes(b"x")
    assert caught.value.errno == errno.EDQUOT and len(listed(model)) == 64


def test_what_is_moved_in_keeps_the_bounds_and_nothing_is_lost(tree, model, simulated):
    other = tree.model("test/unknown:free")
    for n in range(64):
        (model.path / "attach" / f"{n}").write_bytes(b"x")
    (other.path / "attach/one-more").write_bytes(b"y")
    with pytest.raises(OSError) as caught:
        os.rename(other.path / "attach/one-more", model.path / "attach/one-more")
    assert caught.value.errno == errno.EDQUOT
    assert listed(other) == ["one-more"] and len(listed(model)) == 64
    os.rename(other.path / "attach/one-more", model.path / "attach/0")
    assert model.ask("look").count(b"x") == 63
    assert len(os.listdir(model.path / "turns/000001/attachments")) == 64
    for place in (model, other):
        (place.path / "attach/large").write_bytes(b"x" * 700_000)
    with pytest.raises(OSError) as caught:
        os.rename(other.path / "attach/large", model.path / "attach/also")
    assert caught.value.errno == errno.EDQUOT and "limits.attach" in model.text("error")
    os.rename(other.path / "attach/large", model.path / "attach/large")
    assert listed(model) == ["large"] and listed(other) == []


def test_what_a_scratch_file_would_replace_stays_when_it_does_not_fit(model):
    (model.path / "attach/a").write_bytes(b"old")
    (model.path / "new").write_bytes(b"x" * 2_000_000)
    with pytest.raises(OSError) as caught:
        os.rename(model.path / "new", model.path / "attach/a")
    assert caught.value.errno == errno.EFBIG
    assert listed(model) == ["a"] and (model.path / "attach/a").read_bytes() == b"old"
    (model.path / "new").write_bytes(b"new")
    os.rename(model.path / "new", model.path / "attach/a")
    assert listed(model) == ["a"] and (model.path / "attach/a").read_bytes() == b"new"


def test_a_prompt_that_is_still_being_written_is_not_attached(tree, model, simulated):
    other = tree.model("test/text:free")
    with open(other.path / "input", "wb", buffering=0) as file:
        file.write(b"half")
        (model.path / "attach/a").symlink_to("../../text:free/turns/000001/prompt")
        model.write("look")
        with pytest.raises(OSError) as caught:
            model.read()
        assert caught.value.errno == errno.EBUSY and simulated.chats() == []
        file.write(b" and half")
    assert other.read() == b"half and half\n"
    (model.path / "ctl").write_text("retry\n")
    assert b"half and half" in model.read()


def test_an_empty_file_is_refused_by_name(model, simulated):
    (model.path / "attach/nothing").touch()
    model.write("look")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EINVAL and "attach/nothing is empty" in model.text("error")
    assert simulated.chats() == [] and listed(model) == ["nothing"]


def test_what_a_signal_ended_is_not_sent_in_part(tree, model, simulated):
    (tree.home / "fifo").mkdir()
    os.mkfifo(tree.home / "fifo/f")
    script = """
        (printf half; cat "$F") > attach/a & writer=$!
        until grep -q half attach/a 2> /dev/null; do sleep 0.02; done
        exec 9> "$F"; kill -9 $(pgrep -P $writer) $writer; wait
    """
    tree.sh(script, cwd=model.path, F=tree.home / "fifo/f")
    model.write("look")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EIO and "attach/a is a part" in model.text("error")
    assert simulated.chats() == []


def test_a_part_is_known_as_one_after_a_crash(tree, mount, model, simulated):
    (model.path / "attach/whole").write_bytes(b"whole")
    file = open(model.path / "attach/part", "wb", buffering=0)
    file.write(b"half")
    tree.kill()
    with pytest.raises(OSError):
        file.close()
    tree.unmount_lazily()
    again = mount(tree.config).wait_ready().model("test/all:free")
    again.write("look")
    with pytest.raises(OSError):
        again.read()
    assert "attach/part is a part" in again.text("error") and simulated.chats() == []
    (again.path / "attach/part").write_bytes(b"half and half")
    assert listed(again) == ["part", "whole"]
    assert again.ask("look").startswith(b"look")
    assert listed(again) == []


def test_what_no_budget_allows_leaves_them_where_they_were(mount, simulated, tmp_path):
    dear = entry("test/dear", MANY)
    dear["pricing"] = {"prompt": "0.01", "completion": "0.01"}
    (tmp_path / "models.json").write_text(json.dumps({"data": [dear]}))
    simulated.control(models=str(tmp_path / "models.json"), chat="echo")
    tree = mount(simulated.config()).wait_ready()
    model = tree.model("test/dear")
    (tree.path / "budget/day").write_text("0.5\n")
    (model.path / "attach/a.png").write_bytes(png())
    (model.path / "attach/b.txt").write_text("notes")
    (model.path / "attach/c.txt").symlink_to("../info/id")
    model.write("look")
    with pytest.raises(OSError) as caught:
        model.read()
    assert caught.value.errno == errno.EDQUOT and simulated.chats() == []
    assert listed(model) == ["a.png", "b.txt", "c.txt"]
    # It isn't what it led to: writing there mustn't change that.
    assert os.readlink(model.path / "attach/c.txt") == "../info/id"
    (model.path / "attach/c.txt").unlink()
    assert not (model.path / "turns/000001/attachments").exists()
    assert not list((tree.home / "state/conduitfs/turns").glob("*/*/attachments"))
    (model.path / "attach/b.txt").write_text("other notes")
    (tree.path / "budget/day").unlink()
    (model.path / "ctl").write_text("retry\n")
    assert b"other notes" in model.read()
    assert attached(simulated) == [("image/png", png())] and listed(model) == []


def test_sessions_have_their_own_and_end_with_them(tree, model, simulated):
    one, two = (model.path / "sessions" / name for name in ("one", "two"))
    for place in (one, two):
        place.mkdir()
        (place / "attach/name.png").write_bytes(png(place.name.encode()))
    (one / "input").write_text("look")
    assert (one / "output").read_text() == "look\n"
    assert attached(simulated) == [("image/png", png(b"one"))]
    assert os.listdir(one / "attach") == [] and os.listdir(two / "attach") == ["name.png"]
    assert tree.sh('rm -r "$1" && mkdir "$1" && ls "$1/attach"'.replace("$1", str(two))).out == b""
    assert list((tree.home / "state/conduitfs/attach").iterdir()) == []


def test_a_route_asks_who_takes_it(tree, simulated):
    route = tree.path / "capabilities/text-to-text"
    (route / "route").write_text("openrouter/test/text:free\nopenrouter/test/all:free\n")
    (route / "attach/a.png").write_bytes(png())
    (route / "input").write_text("look")
    assert (route / "output").read_text() == "look\n"
    assert simulated.chats()[-1]["json"]["model"] == "test/all:free"


def test_what_waits_survives_a_crash(tree, mount, simulated):
    model = tree.model("test/all:free")
    (model.path / "attach/a.png").write_bytes(png())
    (model.path / "attach/link").symlink_to("../turns/000001/output")
    tree.kill()
    tree.unmount_lazily()
    again = mount(tree.config).wait_ready().model("test/all:free")
    assert listed(again) == ["a.png", "link"]
    assert os.readlink(again.path / "attach/link") == "../turns/000001/output"
    (again.path / "attach/link").unlink()
    assert again.ask("look") == b"look\n"
    assert attached(simulated) == [("image/png", png())]


def test_a_cached_answer_is_for_the_same_files(model, simulated):
    model.set("cache", "1h")
    for comment in (b"a", b"b", b"a"):
        (model.path / "attach/a.png").write_bytes(png(comment))
        assert model.ask("look") == b"look\n"
    assert len(simulated.chats()) == 2


def test_a_kept_turn_answers_for_the_same_files_alone(tree, model, mount, simulated):
    for name, comment in (("a.png", b"a"), ("b.png", b"b")):
        (model.path / "attach" / name).write_bytes(png(comment))
    model.ask("look\n")
    with open(model.path / "input", "a", encoding="ascii") as file:
        file.write("again\n")
    model.read()
    model.ask(PDF)
    tree.sh("cp -r turns $K", cwd=model.path, check=True, K=tree.home / "kept")
    tree.stop()
    replay = {"driver": "replay", "path": str(tree.home / "kept")}
    again = mount({"providers": {"openrouter": replay}}, home="replaying").wait_ready().model("test/all:free")

    def refuses(files):
        for name, comment in files:
            (again.path / "attach" / name).write_bytes(png(comment))
        again.write("look\n")
        with pytest.raises(OSError) as caught:
            again.read()
        assert caught.value.errno == errno.ENOENT

    refuses([])
    refuses([("a.png", b"a"), ("b.png", b"other")])
    for name, comment in (("one.png", b"b"), ("two.png", b"a")):
        (again.path / "attach" / name).write_bytes(png(comment))
    assert again.ask("look\n") == b"look\n"
    with open(again.path / "input", "a", encoding="ascii") as file:
        file.write("again\n")
    assert again.read() == b"again\n"
    again.ask(PDF)


def test_the_estimate_counts_what_waits(tree, model):
    script = "exec 3<>estimate; echo hello >&3; cat <&3"
    before = tree.sh(script, cwd=model.path).out
    (model.path / "attach/a.png").write_bytes(png())
    assert tree.sh(script, cwd=model.path).out != before


@pytest.mark.skipif(DOCUMENT is None, reason="no OpenAPI document of OpenRouter")
def test_the_request_is_valid_by_the_specification(tree, model, simulated):
    jsonschema = pytest.importorskip("jsonschema")
    yaml = pytest.importorskip("yaml")
    for name, data in (("a.png", png()), ("b.pdf", PDF), ("c.wav", wav()), ("d.txt", b"notes\n")):
        (model.path / "attach" / name).write_bytes(data)
    model.ask("look")
    document = yaml.load(DOCUMENT.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schema = document["paths"]["/chat/completions"]["post"]["requestBody"]["content"][
        "application/json"
    ]["schema"]
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(simulated.chats()[-1]["json"])
