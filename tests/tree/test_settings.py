"""config/: inheritance from the root to a provider to a model, and values that are refused."""

import errno
import json

import pytest
from harness.wait import until


@pytest.fixture
def levels(tree):
    """The three directories that hold the settings of test/settings:free."""
    model = tree.model("test/settings:free")
    return [tree.path / "config", tree.path / "providers/openrouter/config", model.path / "config"]


@pytest.fixture
def asked(tree):
    """What the service is sent for a turn."""
    return lambda: json.loads(tree.model("test/settings:free").ask("q"))


def test_a_setting_is_inherited_from_the_root_to_the_provider_to_the_model(levels, asked):
    root, provider, model = levels
    for folder, value in ((root, "0.1"), (provider, "0.2"), (model, "0.3")):
        (folder / "temperature").write_text(value + "\n")
        assert (model / "temperature").read_text() == value + "\n"
        assert asked()["temperature"] == float(value)
    assert (root / "temperature").read_text() == "0.1\n"


def test_an_empty_write_restores_inheritance(levels, tree):
    root, provider, model = levels
    (root / "temperature").write_text("0.1")
    (model / "temperature").write_text("0.3")
    tree.sh("echo > $F", F=model / "temperature", check=True)
    assert (model / "temperature").read_text() == "0.1\n"


def test_removing_a_setting_restores_inheritance(levels):
    root, _, model = levels
    (root / "temperature").write_text("0.1")
    (model / "temperature").write_text("0.3")
    (model / "temperature").unlink()
    (root / "temperature").write_text("0.4")
    until((model / "temperature").exists, 5, "the name is there again")
    assert (model / "temperature").read_text() == "0.4\n"


def test_a_setting_that_isnt_set_isnt_sent(asked):
    assert "temperature" not in asked()


def test_max_tokens_is_always_sent(asked, levels):
    assert 256 <= asked()["max_tokens"] <= 16384
    (levels[2] / "max_tokens").write_text("17")
    assert asked()["max_tokens"] == 17


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("temperature", "warm", errno.EINVAL),
        ("temperature", "99", errno.ERANGE),
        ("temperature", "nan", errno.EINVAL),
        ("temperature", "-1", errno.ERANGE),
        ("max_tokens", "many", errno.EINVAL),
        ("max_tokens", "-5", errno.ERANGE),
        ("max_tokens", "1.5", errno.EINVAL),
        ("extra", "{not json", errno.EINVAL),
        ("extra", "[1]", errno.EINVAL),
        ("system", b"\xff\xfe", errno.EINVAL),
    ],
)
def test_a_bad_value_is_refused_at_write_with_words(tree, levels, asked, name, value, code):
    model = levels[2]
    before = (model / name).read_bytes()
    with pytest.raises(OSError) as caught:
        with open(model / name, "wb", buffering=0) as file:
            file.write(value if isinstance(value, bytes) else value.encode())
    assert caught.value.errno == code
    words = tree.model("test/settings:free").text("error")
    assert name in words
    assert (model / name).read_bytes() == before
    asked()


def test_a_setting_as_large_as_none_may_be_is_efbig(levels):
    with pytest.raises(OSError) as caught:
        (levels[2] / "system").write_text("x" * 70000)
    assert caught.value.errno == errno.EFBIG


def test_the_system_prompt_comes_first(tree, simulated):
    model = tree.model("test/echo:free")
    model.set("system", "be brief\n")
    model.ask("q")
    assert simulated.chats()[-1]["json"]["messages"][0] == {"role": "system", "content": "be brief"}


def test_extra_is_merged_into_the_request(asked, levels):
    (levels[2] / "extra").write_text('{"seed": 7, "provider": {"sort": "price"}}')
    sent = asked()
    assert sent["seed"] == 7 and sent["provider"] == {"sort": "price"}


def test_settings_are_there_after_a_remount(mount, simulated):
    first = mount(simulated.config()).wait_ready()
    first.model("test/echo:free").set("temperature", "0.6")
    first.stop()
    again = mount(simulated.config())
    assert again.model("test/echo:free").text("config/temperature") == "0.6"


def test_config_yml_gives_a_provider_its_settings(mount, simulated):
    config = {"providers": {"openrouter": simulated.provider(config={"temperature": 0.4})}}
    tree = mount(config).wait_ready()
    assert tree.model("test/echo:free").text("config/temperature") == "0.4"
    assert json.loads(tree.model("test/settings:free").ask("q"))["temperature"] == 0.4


def test_settings_are_taken_as_they_are_at_submission(tree, simulated):
    model = tree.model("test/slow:free")
    model.set("temperature", "0.1")
    model.write("first=0.5 one")
    model.set("temperature", "0.9")
    model.read()
    assert simulated.chats()[-1]["json"]["temperature"] == 0.1


@pytest.mark.parametrize("where", ["", "providers/openrouter"])
def test_a_setting_of_many_models_is_read_back_as_written(tree, where):
    file = tree.path / where / "config/temperature"
    file.write_text("0.25\n")
    assert file.read_text() == "0.25\n"


def test_writing_the_value_in_force_sets_nothing(levels):
    root, _, model = levels
    (root / "temperature").write_text("0.1")
    (model / "temperature").write_text("0.1")
    (root / "temperature").write_text("0.2")
    assert (model / "temperature").read_text() == "0.2\n"


def test_an_unknown_setting_is_no_setting(levels, asked):
    (levels[2] / ".unknown").write_text("5")
    assert "unknown" not in asked() and ".unknown" not in [path.name for path in levels[2].iterdir()]


def test_the_size_of_an_inherited_setting_follows_what_it_inherits(levels):
    root, provider, model = levels
    sizes = []
    for folder, value in ((root, "0.1"), (provider, "0.25"), (model, "0.125"), (model, "")):
        (folder / "temperature").write_text(value + "\n")
        sizes.append((model / "temperature").stat().st_size)
    assert sizes == [len("0.1\n"), len("0.25\n"), len("0.125\n"), len("0.25\n")]


@pytest.mark.parametrize(("name", "value"), [("extra", '{"a":\n{"b": 1}\n}'), ("tools", "[\n{}\n]")])
def test_json_that_comes_a_line_at_a_time_is_taken_whole(tree, name, value):
    folder = tree.path / "providers/openrouter/config"
    tree.sh(f"printf '%s\\n' '{value}' > {folder}/{name}", check=True)
    assert (folder / name).read_text().split() == value.split()


SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


def test_an_output_that_conforms_to_the_schema_is_an_answer(echo):
    echo.set("schema", SCHEMA)
    assert echo.ask('{"n": 3}') == b'{"n": 3}\n'
    assert echo.facts()["state"] == "done"


def test_an_output_that_does_not_conform_is_a_failure_after_its_bytes(echo):
    echo.set("schema", SCHEMA)
    echo.write('{"n": "three"}')
    came = b""
    with open(echo.path / "output", "rb", buffering=0) as file:
        with pytest.raises(OSError) as caught:
            while piece := file.read(100):
                came += piece
    assert came == b'{"n": "three"}' and caught.value.errno == errno.EPROTO
    assert "at /n: is of type string, must be integer" in echo.text("error")


def test_what_is_no_schema_is_refused_when_it_is_written(echo):
    with pytest.raises(OSError) as caught:
        echo.set("schema", '{"type": "strin"}')
    assert caught.value.errno == errno.EINVAL
    assert "did you mean 'string'" in echo.text("error")
