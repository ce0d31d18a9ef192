"""The least that a mount does; run under valgrind too."""

import os


def test_a_prompt_written_is_answered_in_output(echo):
    assert echo.ask("hello, tree\n") == b"hello, tree\n"


def test_the_shell_is_a_client(tree):
    script = 'd=providers/openrouter/models/test/echo:free; echo "from a shell" > $d/input; cat $d/output'
    assert tree.sh(script, check=True).out == b"from a shell\n"


def test_the_local_example_answers_without_key_and_network(mount):
    tree = mount({"providers": {"openrouter": "off"}}).wait_ready("cowsay")
    script = 'd=$(dirname "$(find providers/cowsay -name input | head -n 1)"); echo moo > $d/input; cat $d/output'
    answer = tree.sh(script, check=True).out
    assert b"moo" in answer and b"(oo)" in answer


def test_status_and_usage_tell_of_the_turn(echo):
    echo.ask("one two three")
    status, usage = echo.facts(), echo.facts("usage")
    assert (status["state"], status["turn"], status["finish"]) == ("done", "000001", "stop")
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["source"]) == ("3", "3", "reported")
    assert float(usage["cost"]) == 0


def test_a_failed_turn_gives_an_errno_and_words(tree):
    model = tree.model("test/fail-404:free")
    result = tree.sh("echo q > $D/input; cat $D/output", D=model.path)
    assert result.status == 1 and result.out == b""
    assert b"No such file" in result.err
    assert "simulated" in model.text("error")


def test_the_tree_explains_itself(tree):
    assert b"input" in (tree.path / "README.md").read_bytes()
    assert "openrouter" in (tree.path / "status").read_text()


def test_every_file_below_the_root_can_be_listed_and_looked_at(tree):
    for folder, _, names in os.walk(tree.path):
        for name in names:
            os.lstat(os.path.join(folder, name))
