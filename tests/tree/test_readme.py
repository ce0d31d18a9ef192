"""README.md names each form of writing and of working side by side, and tests that are there."""

import pathlib
import re

import test_shell_forms
import test_whose_turn
from harness.mount import TOP

README = (TOP / "README.md").read_text()


def section():
    return README.split("## What is one turn, and whose")[1].split("\n## ")[0]


def test_the_readme_names_every_form():
    named = set(re.findall(r"`([^`]+)`", section()))
    forms = [*test_shell_forms.FORMS, *test_shell_forms.NOTHING, *test_whose_turn.FORMS]
    assert [form for form in forms if form not in named] == []


def test_every_test_that_the_readme_names_is_there():
    there = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", section())
    assert named and [name for name in named if f"def {name}(" not in there] == []
