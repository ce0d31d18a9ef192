"""docs/providers.md and README.md claim nothing of a provider that a test doesn't hold up: each claim is
looked up again, without the script that writes the tables."""

import re

import pytest
import test_bundled
import test_cancel
from harness.mount import TOP
from harness.queue import PICTURES

PAGE = (TOP / "docs" / "providers.md").read_text()
README = (TOP / "README.md").read_text()
DIRECTORIES = sorted(path.parent for path in TOP.glob("providers/*/MediaConduit.provider.yml"))
# Where a provider is named that was tested against this.
SHOWN_BY = {
    "recordings": "tests/unit/provider/test_record*.c",
    "aimock": "tests/tree/test_[ab]*.py",
    "llama.cpp": "tests/tree/test_bundled.py",
    "real programs": "tests/tree/test_[fl]*.py",
    "a simulated queue": "tests/tree/harness/queue.py",
    "simulated servers": "tests/tree/test_local_services.py",
    "exchanges": "tests/unit/provider/test_exchanges.c",
}


def rows(text):
    """A table's rows by the provider's name in the tree, each by column."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    names, *others = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert names[0] == "provider"
    found = {}
    for cells in others:
        name = re.search(r"providers/(\w+)/README.md", cells[0])[1]
        found[name] = dict(zip(names, cells, strict=True))
    return found


def section(text, title):
    return text.split(title)[1].split("\n## ")[0]


ROWS = rows(PAGE)
SHORT = rows(section(README, "## Providers\n"))


def exchanges(directory):
    return [path.read_text().splitlines() for path in sorted(directory.glob("tests/*.exchange"))]


def values(lines, key):
    return [line.removeprefix(key + " ") for line in lines if line.startswith(key + " ")]


def does(lines):
    """The capabilities that an exchange shows; a page that is read is an image made text."""
    return {turn.split()[-1].replace("text-to-ocr", "image-to-text") for turn in values(lines, "turn")}


def fails(lines):
    return any(line.startswith("fail ") for line in lines)


def test_each_provider_has_its_row_and_the_readme_says_the_same():
    assert sorted(ROWS) == [path.name for path in DIRECTORIES] == sorted(SHORT)
    for name, row in SHORT.items():
        for column, cell in row.items():
            assert column == "provider" or cell == ROWS[name][column], (name, column)


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
class TestClaims:
    def test_what_it_does_is_what_its_exchanges_show(self, directory):
        shown = set().union(*(does(lines) for lines in exchanges(directory) if not fails(lines)))
        assert shown == set(ROWS[directory.name]["does"].split(", "))

    def test_an_image_goes_along_where_images_are_taken(self, directory):
        attached = set()
        for lines in exchanges(directory):
            if any(value.startswith("image/") for value in values(lines, "attach")):
                attached |= does(lines)
        claimed = set(ROWS[directory.name]["does"].split(", "))
        assert {"image-to-text"} & claimed <= attached <= {one for one in claimed if not one.startswith("text-")}

    def test_its_address_and_its_key_are_its_manifests(self, directory):
        row = ROWS[directory.name]
        manifest = (directory / "MediaConduit.provider.yml").read_text().splitlines()
        assert values(manifest, "base_url:") == ([] if row["address"] == "–" else [row["address"]])
        assert values(manifest, "key_env:") == ([row["key"].strip("`")] if row["key"] else [])

    def test_its_models_are_from_where_it_says(self, directory):
        row = ROWS[directory.name]
        asked = [values(lines, "request")[:1] for lines in exchanges(directory) if "discover" in lines]
        manifest = (directory / "MediaConduit.provider.yml").read_text().splitlines()
        if row["models from"] == "its manifest":
            assert asked == [] and values(manifest, "discovery:") == ["static"]
            assert f'"{directory.name}"' in (TOP / "tests/tree/test_bundled.py").read_text()
        elif row["models from"] == "itself":
            assert asked == [[]]
        elif row["models from"] == "its program":
            assert any(request.startswith("RUN ") for one in asked for request in one)
        else:
            path = row["models from"].strip("`")
            wanted = [f"GET {path}" if path.startswith("https:") else f"GET {row['address']}{path}"]
            assert asked and all(one == wanted for one in asked)

    def test_it_streams_and_is_cancelled_where_it_says_so(self, directory):
        row = ROWS[directory.name]
        told = directory.name in test_cancel.PROVIDERS
        if directory.name in PICTURES:
            streams = any(line.startswith("reply 200 text/event-stream") for lines in exchanges(directory) for line in lines)
            assert (row["cancel"], row["streams"]) == ("withdraws the job", "yes" if streams else "–")
        else:
            assert (row["cancel"], row["streams"]) == (("closes the connection", "yes") if told else ("–", "–"))

    def test_thinking_is_apart_where_it_says_so(self, directory):
        thinks = any(values(lines, "reasoning") for lines in exchanges(directory))
        assert thinks == (ROWS[directory.name]["thinking apart"] == "yes")

    def test_its_cost_is_what_its_exchanges_show(self, directory):
        reported = any(values(lines, "cost") for lines in exchanges(directory))
        priced = any(values(lines, "price") for lines in exchanges(directory))
        local = "type: local" in (directory / "MediaConduit.provider.yml").read_text().splitlines()
        expected = "free" if local else "reported" if reported else "the list's prices" if priced else "unknown"
        assert ROWS[directory.name]["cost"] == expected

    def test_what_it_was_tested_against_names_it(self, directory):
        name = directory.name
        for word in ROWS[name]["tested against"].split(", "):
            texts = [path.read_text() for path in TOP.glob(SHOWN_BY[word])]
            assert texts, word
            if word == "exchanges":
                assert exchanges(directory)
            else:
                assert any(f'"{name}"' in text for text in texts), word


def test_the_engine_and_the_mock_were_given_those_that_say_so():
    engines = {name for name, row in ROWS.items() if "llama.cpp" in row["tested against"]}
    mocked = {name for name, row in ROWS.items() if "aimock" in row["tested against"]}
    assert engines == set(test_bundled.ENGINES)
    assert mocked == {*test_bundled.SERVICES, *test_bundled.DECLARED, "openrouter"}


def test_the_tests_that_the_page_names_are_there():
    for name in re.findall(r"`([\w/*]+\.(?:py|c))`", PAGE):
        assert list(TOP.glob(name)) or list(TOP.glob(f"tests/tree/{name}")), name
