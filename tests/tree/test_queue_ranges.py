"""What models of services with a queue say of their settings, in config/: fal's by the schemas of its
catalogue, as the simulated queue (tests/servers/queue.py) gives them; OpenRouter's videos by what its
document states for all."""

import errno
import json

import pytest
from harness.queue import Queue


@pytest.fixture
def queue(tmp_path):
    server = Queue(tmp_path / "queue.log")
    yield server
    server.stop()


@pytest.fixture
def model(mount, queue):
    return mount(queue.config("fal")).wait_ready("fal").model("sim/image", "fal")


def refused(model, name, value):
    with pytest.raises(OSError) as caught:
        model.set(name, value)
    return caught.value.errno, model.text("error")


def sent(queue):
    return json.loads(queue.journal("POST /fal/sim/image")[-1]["body"])


def test_each_setting_shows_the_models_default_and_only_its_own_are_there(model):
    assert model.text("config/steps") == "28"
    assert model.text("config/n") == "1"
    assert model.text("config/size") == "landscape_4_3"
    assert model.text("info/formats") == "jpeg\npng"
    assert model.text("info/parameters").split() == ["seed", "size", "n", "steps", "format"]
    assert not (model.path / "config/guidance").exists()


def test_a_value_that_the_model_does_not_take_is_refused_with_words(model):
    code, words = refused(model, "steps", "51")
    assert code == errno.ERANGE and "steps: 51 is outside 1 to 50" in words
    code, words = refused(model, "format", "webp")
    assert code == errno.EINVAL and "format: 'webp' is none of jpeg, png" in words
    assert model.text("config/steps") == "28"


def test_what_is_set_is_sent_by_the_models_own_names(model, queue):
    model.ask("a heron")
    assert sent(queue) == {"prompt": "a heron"}
    for name, value in (("steps", "12"), ("n", "2"), ("size", "square_hd"), ("format", "png")):
        model.set(name, value)
    model.ask("a heron")
    assert sent(queue) == {
        "prompt": "a heron", "num_inference_steps": 12, "num_images": 2,
        "image_size": "square_hd", "output_format": "png",
    }


def test_a_size_is_a_preset_or_a_width_and_a_height(model, queue):
    model.set("size", "640x480")
    model.ask("a heron")
    assert sent(queue)["image_size"] == {"width": 640, "height": 480}


def test_the_schemas_of_a_page_are_asked_for_at_once(model, queue):
    asked = queue.journal("GET /fal/v1/models")
    assert [entry["path"].partition("?")[2] for entry in asked] == [
        "status=active&limit=100",
        "expand=openapi-3.0&limit=50&endpoint_id=sim/image&endpoint_id=sim/text",
        "status=active&limit=100&cursor=Mg%3D%3D",
        "expand=openapi-3.0&limit=50&endpoint_id=sim/image/edit&endpoint_id=sim/mesh",
    ]


def test_a_video_takes_what_the_document_states_and_one_of_another_service_anything(mount, queue):
    entry = {"base_url": f"{queue.url}/videos/v1", "key": "sk-queue"}
    tree = mount({"providers": {"openrouter": entry, "openai": entry}}).wait_ready("openrouter").wait_ready("openai")
    model = tree.model("sora-2", "openrouter")
    code, words = refused(model, "resolution", "8K")
    assert code == errno.EINVAL and "resolution: '8K' is none of 480p, 720p, 768p, 1080p, 1K, 2K, 4K" in words
    code, words = refused(model, "duration", "0")
    assert code == errno.ERANGE and "duration: 0 is outside 1 to" in words
    model.set("resolution", "720p")
    other = tree.model("sora-2", "openai")
    other.set("duration", "5")
    assert other.text("config/duration") == "5"
