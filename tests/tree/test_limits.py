"""Settings that a model declares: ranges, choices and defaults in its config/, values from above
that it doesn't take, and what info/ names. The provider here says what it was told to say."""

import errno
import os

import pytest
from harness.loading import load
from harness.mount import Model

SOURCE = r"""
#include <conduit/kit/json.h>
#include <conduit/provider.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static char voices[4096];

static const struct conduit_limit speech[] = {
	{.name = "voice", .choices = voices, .standard = "voice-07"},
	{.name = "format", .choices = "mp3\nwav", .standard = "mp3"},
	{.name = "speed", .least = 0.25, .most = 4, .standard = "1"},
	{.name = "temperature", .least = 0, .most = 1, .standard = "1"},
	{.name = "unheard_of", .choices = "a"},
};

static void discover(struct conduit_job *job) {
	for (int i = 0; i < 40; i++) {
		sprintf(voices + strlen(voices), "voice-%02d\n", i);
	}
	conduit_model(job, &(struct conduit_model){.id = "speaks", .id_size = 6,
			.max_output = 1000, .output_modalities = "text",
			.limits = speech, .n_limits = 5});
	conduit_model(job, &(struct conduit_model){.id = "plain", .id_size = 5,
			.output_modalities = "text", .parameters = "voice"});
	conduit_finish(job, NULL, NULL);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	for (size_t i = 0; i < turn->n_settings; i++) {
		const struct conduit_setting *setting = &turn->settings[i];
		conduit_output(job, setting->name, strlen(setting->name));
		conduit_output(job, "=", 1);
		conduit_output(job, setting->value, setting->size);
		conduit_output(job, "\n", 1);
	}
	conduit_finish(job, "stop", NULL);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {}
static void end(struct conduit_job *job) {}

CONDUIT_PROVIDER(.name = "acme", .version = "1", .discover = discover, .transform = transform,
		.data = data, .end = end)
"""

MANIFEST = """id: acme-provider
name: Acme
version: 1.0.0
type: local
capabilities: [text-to-text]
sources: [provider.c]
key_required: false
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acme")
    (folder / "MediaConduit.provider.yml").write_text(MANIFEST)
    (folder / "provider.c").write_text(SOURCE.lstrip())
    return folder


@pytest.fixture
def acme(mount, source):
    return load(mount({"providers": {}}), source).settles("ready")


@pytest.fixture
def speaks(acme):
    return acme.model("speaks")


def told(model):
    return dict(line.split("=", 1) for line in model.ask("q").decode().splitlines())


def refused(model, name, value):
    with pytest.raises(OSError) as caught:
        model.set(name, value)
    return caught.value.errno, model.text("error")


def test_the_settings_that_a_model_declares_are_in_its_config_with_its_defaults(speaks):
    assert speaks.text("config/voice") == "voice-07"
    assert speaks.text("config/speed") == "1"
    assert not (speaks.path / "config/unheard_of").exists()
    assert not (speaks.path / "config/size").exists()


def test_a_setting_that_the_model_does_not_have_is_refused_with_words(speaks):
    """Not taken for an editor's scratch file, which would count for nothing."""
    code, words = refused(speaks, "size", "640x480")
    assert code == errno.EOPNOTSUPP and "size isn't a setting here: ls config" in words
    (speaks.path / "config/other").write_text("640x480")
    with pytest.raises(OSError) as caught:
        os.rename(speaks.path / "config/other", speaks.path / "config/size")
    assert caught.value.errno == errno.EOPNOTSUPP


def test_a_default_of_the_services_is_shown_and_not_sent(speaks):
    assert not {"voice", "speed", "temperature"} & set(told(speaks))
    speaks.set("voice", "voice-11")
    assert told(speaks)["voice"] == "voice-11"


def test_info_names_voices_and_formats_a_line_each(speaks):
    assert speaks.text("info/voices").splitlines() == [f"voice-{n:02}" for n in range(40)]
    assert speaks.text("info/formats") == "mp3\nwav"
    assert {"voice", "speed"} <= set(speaks.text("info/parameters").splitlines())


def test_a_value_outside_the_models_range_is_refused_with_the_range(speaks):
    code, words = refused(speaks, "temperature", "1.5")
    assert code == errno.ERANGE and "temperature: 1.5 is outside 0 to 1" in words
    code, words = refused(speaks, "speed", "5")
    assert code == errno.ERANGE and "speed: 5 is outside 0.25 to 4" in words
    assert speaks.text("config/temperature") == "1"


def test_what_is_no_choice_is_refused_with_the_choices_or_the_nearest(speaks):
    code, words = refused(speaks, "format", "ogg")
    assert code == errno.EINVAL and "format: 'ogg' is none of mp3, wav" in words
    code, words = refused(speaks, "voice", "voice-9")
    assert code == errno.EINVAL and "none of the 40" in words and "nearest is 'voice-09'" in words


def test_no_more_tokens_than_the_model_gives(acme, speaks):
    code, words = refused(speaks, "max_tokens", "1001")
    assert code == errno.ERANGE and "max_tokens: 1001 is outside 1 to 1000" in words
    (acme.tree.path / "config/max_tokens").write_text("5000")
    assert told(speaks)["max_tokens"] == "1000"
    assert told(acme.model("plain"))["max_tokens"] == "5000"


@pytest.mark.parametrize(
    ("folder", "where"),
    [("", "config/voice of the root"), ("providers/acme", "config/voice of providers/acme")],
)
def test_a_value_from_above_that_the_model_does_not_take_is_refused_at_opening(acme, speaks, folder, where):
    (acme.tree.path / folder / "config/voice").write_text("alloy")
    assert told(acme.model("plain"))["voice"] == "alloy"
    with pytest.raises(OSError) as caught:
        speaks.write("q")
    assert caught.value.errno == errno.EINVAL
    words = speaks.text("error")
    assert "voice: 'alloy' is none of the 40" in words and where in words
    speaks.set("voice", "voice-01")
    assert told(speaks)["voice"] == "voice-01"


def test_a_session_takes_what_its_model_takes(speaks):
    (speaks.path / "sessions/s").mkdir()
    session = Model(speaks.path / "sessions/s")
    assert session.text("config/voice") == "voice-07"
    code, words = refused(session, "voice", "alloy")
    assert code == errno.EINVAL and "nearest" in words or "as voice-00" in words


def test_limits_are_there_after_a_remount_without_discovery(mount, source):
    first = load(mount({"providers": {}}), source).settles("ready")
    first.tree.stop()
    again = Model(mount({"providers": {}}).path / "providers/acme/models/speaks")
    assert again.text("config/voice") == "voice-07"
    assert refused(again, "speed", "9")[0] == errno.ERANGE


def test_a_route_passes_over_a_model_that_does_not_take_what_is_set(acme):
    route = Model(acme.tree.path / "capabilities/text-to-text")
    (route.path / "route").write_text("acme/speaks\nacme/plain\n")
    route.set("voice", "alloy")
    assert told(route)["voice"] == "alloy"
    assert route.facts()["model"] == "plain"
    assert "tried acme/speaks" in route.text("status")


def test_reading_a_default_back_sets_nothing(speaks, acme):
    speaks.set("voice", speaks.text("config/voice") + "\n")
    assert "voice" not in told(speaks)
