"""Models that a user adds to those a provider lists: mkdir in models/, rmdir, what is told meanwhile."""

import errno
import os

import pytest
from harness.loading import KEY, declared, ready
from harness.mount import run
from harness.wait import until


@pytest.fixture
def tree(mount, ollama):
    return mount(ollama.config()).wait_ready("ollama")


def models(tree, name="ollama"):
    return tree.path / "providers" / name / "models"


def known(tree, name):
    facts = tree.model(name, "ollama").facts()
    return facts.get("known", "")


def settled(tree, name, how):
    return until(lambda: known(tree, name).startswith(how) and known(tree, name), 10, f"{name} is known: {how}")


def failure(call, *arguments):
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return caught.value.errno


def test_mkdir_adds_a_model_and_its_facts_come_behind(tree):
    os.mkdir(models(tree) / "qwen3:4b")
    settled(tree, "qwen3:4b", "yes")
    model = tree.model("qwen3:4b", "ollama")
    assert model.text("info/context_length") == "131072"
    assert "reasoning_effort" in model.text("info/parameters").split()
    assert model.ask("hi") == b"qwen3:4b says hi\n"
    assert "qwen3:4b" in os.listdir(models(tree))


def test_the_download_is_told_in_the_models_status(tree, ollama):
    ollama.control(held=True)
    os.mkdir(models(tree) / "qwen3:4b")
    assert settled(tree, "qwen3:4b", "asking 50%") == "asking 50% pulling 74701a8c35f6"
    ollama.control(held=False)
    settled(tree, "qwen3:4b", "yes")


def test_mkdir_p_asks_about_the_last_directory_alone(tree, ollama):
    run(["mkdir", "-p", models(tree) / "hf.co/acme/tiny:Q4_K_M"], check=True)
    settled(tree, "hf.co/acme/tiny:Q4_K_M", "yes")
    assert ollama.asked("/api/pull") == ["hf.co/acme/tiny:Q4_K_M"]
    assert not (models(tree) / "hf.co/input").exists()
    assert tree.model("hf.co/acme/tiny:Q4_K_M", "ollama").ask("hi") == b"hf.co/acme/tiny:Q4_K_M says hi\n"


def test_a_model_that_nobody_has_stays_and_says_so_until_rmdir(tree):
    where = models(tree) / "nothing:1b"
    os.mkdir(where)
    words = settled(tree, "nothing:1b", "no")
    assert "registry has no nothing:1b" in words and "rmdir" in words
    assert "registry has no nothing:1b" in (where / "error").read_text()
    assert failure(open, where / "input", "w") == errno.ENOENT
    assert failure(open, where / "output") == errno.ENOENT
    os.rmdir(where)
    assert not where.exists() and "nothing:1b" not in os.listdir(models(tree))


def test_default_asks_no_model_that_isnt_known_to_be_there(tree, ollama):
    ollama.control(held=True)
    os.mkdir(models(tree) / "qwen3:4b")
    settled(tree, "qwen3:4b", "asking 50%")
    route = tree.path / "default/route"
    assert "ollama/llama3.2:1b" in route.read_text() and "qwen3:4b" not in route.read_text()
    ollama.control(held=False)
    settled(tree, "qwen3:4b", "yes")
    until(lambda: "ollama/qwen3:4b" in route.read_text(), 10, "it is a candidate")


def test_rmdir_takes_away_what_mkdir_made_and_deletes_nothing(tree, ollama):
    where = models(tree) / "qwen3:4b"
    os.mkdir(where)
    settled(tree, "qwen3:4b", "yes")
    os.rmdir(where)
    assert not where.exists()
    assert ollama.asked("/api/delete") == []


def test_rmdir_ends_a_download(tree, ollama):
    ollama.control(held=True)
    os.mkdir(models(tree) / "qwen3:4b")
    settled(tree, "qwen3:4b", "asking 50%")
    os.rmdir(models(tree) / "qwen3:4b")
    until(lambda: ollama.journal()["left"] == 1, 10, "the connection is closed")


def test_a_listed_model_isnt_removed(tree):
    assert failure(os.rmdir, models(tree) / "llama3.2:1b") == errno.EPERM
    assert "rmdir takes away what mkdir made" in (tree.path / "providers/ollama/error").read_text()


def test_a_set_that_is_closed_takes_no_more(mount):
    tree = mount().wait_ready("cowsay")
    assert failure(os.mkdir, models(tree, "cowsay") / "elephant") == errno.EPERM
    assert "models that it lists" in (tree.path / "providers/cowsay/error").read_text()
    assert failure(os.mkdir, tree.path / "providers/new") == errno.EPERM


@pytest.mark.parametrize("name", ["%2f", "%", "a%2Eb"])
def test_a_name_that_no_id_gives_is_refused(tree, name):
    assert failure(os.mkdir, models(tree) / name) == errno.EINVAL
    assert "can't be part of a model's id" in (tree.path / "providers/ollama/error").read_text()


def test_a_made_model_outlives_a_refresh_and_a_remount(mount, ollama, tree):
    os.mkdir(models(tree) / "qwen3:4b")
    settled(tree, "qwen3:4b", "yes")
    ollama.control(models={"llama3.2:1b": ["completion"]})
    (tree.path / "providers/ollama/ctl").write_text("refresh\n")
    until(lambda: "gemma3:4b" not in os.listdir(models(tree)), 10, "the list is refreshed")
    assert "qwen3:4b" in os.listdir(models(tree))
    inode = os.stat(models(tree) / "qwen3:4b").st_ino
    tree.stop()
    again = mount(ollama.config()).wait_ready("ollama")
    assert os.stat(models(again) / "qwen3:4b").st_ino == inode


def test_what_wasnt_known_at_the_end_is_asked_about_at_the_next_mount(mount, ollama, tree):
    ollama.control(held=True)
    os.mkdir(models(tree) / "qwen3:4b")
    settled(tree, "qwen3:4b", "asking")
    tree.stop()
    ollama.control(held=False)
    again = mount(ollama.config()).wait_ready("ollama")
    settled(again, "qwen3:4b", "yes")


def test_a_service_that_is_down_is_asked_when_it_answers_again(mount, ollama):
    port = ollama.port
    tree = mount(ollama.config()).wait_ready("ollama")
    ollama.stop()
    os.mkdir(models(tree) / "qwen3:4b")
    assert "couldn't be asked" in settled(tree, "qwen3:4b", "unknown")
    server = type(ollama)(ollama.log_path, port)
    try:
        (tree.path / "providers/ollama/ctl").write_text("refresh\n")
        settled(tree, "qwen3:4b", "yes")
    finally:
        server.stop()


def test_mkdir_never_waits_and_many_are_asked_about_a_few_at_a_time(tree, ollama):
    ollama.control(held=True, registry={f"m{n}:1b": ["completion"] for n in range(12)})
    for n in range(12):
        os.mkdir(models(tree) / f"m{n}:1b")
    until(lambda: len(ollama.asked("/api/pull")) == 4, 10, "four are asked about")
    ollama.control(held=False)
    for n in range(12):
        settled(tree, f"m{n}:1b", "yes")


def test_where_nobody_can_say_a_model_is_taken_as_it_is(mount, simulated, repository):
    """By a provider without look_up; the service itself answers for what it knows."""
    repository.commit(declared(simulated, open="true"))
    tree = mount({"providers": {"cowsay": "off", "openrouter": "off"}}, env={"ACME_KEY": KEY})
    ready(tree, str(repository.work))
    simulated.control(chat="echo")
    where = tree.path / "providers/acme/models/test/own"
    os.mkdir(where)
    model = tree.model("test/own", "acme")
    until(lambda: model.facts().get("known") == "yes", 10, "it is taken")
    assert model.text("info/id") == "test/own"
    assert model.ask("over there") == b"over there\n"
    assert simulated.chats()[-1]["json"]["model"] == "test/own"
    os.rmdir(where)
    assert not where.exists() and where.parent.exists()


def test_what_lies_above_other_models_isnt_taken_away(tree):
    os.mkdir(models(tree) / "qwen3:4b")
    settled(tree, "qwen3:4b", "yes")
    os.mkdir(models(tree) / "qwen3:4b/more")
    settled(tree, "qwen3:4b/more", "no")
    assert failure(os.rmdir, models(tree) / "qwen3:4b") == errno.ENOTEMPTY
    os.rmdir(models(tree) / "qwen3:4b/more")
    os.rmdir(models(tree) / "qwen3:4b")
    assert "qwen3:4b" not in os.listdir(models(tree))
