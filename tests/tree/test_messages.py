"""A conversation as a whole: messages.json, transcript.md, reset and fork."""

import errno
import json
import os

import pytest
from harness.mount import Model
from test_sessions import ECHO, TALK, code_of, roles, session


def history(chat):
    return [(one["role"], one["content"]) for one in json.loads(chat.read("messages.json"))]


def chat_of(*pairs):
    """The chat format of (user, assistant) pairs."""
    messages = []
    for user, assistant in pairs:
        messages.append({"role": "user", "content": user})
        messages.append({"role": "assistant", "content": assistant})
    return json.dumps(messages)


def test_messages_json_shows_what_was_said_and_only_that(tree, echo):
    chat = session(echo)
    assert json.loads(chat.read("messages.json")) == []
    chat.ask('one "quoted"\nline\n')
    chat.ask("две 模🦆\n")
    assert history(chat) == [
        ("user", 'one "quoted"\nline'),
        ("assistant", 'one "quoted"\nline'),
        ("user", "две 模🦆"),
        ("assistant", "две 模🦆"),
    ]
    assert os.stat(chat.path / "messages.json").st_size == len(chat.read("messages.json"))
    assert len(chat.read("messages.json").splitlines()) == 6
    chat.set("system", "be brief")
    assert history(chat)[0] == ("system", "be brief")
    assert os.stat(chat.path / "messages.json").st_size == len(chat.read("messages.json"))


def test_what_failed_or_was_cancelled_is_no_part_of_it(mount, simulated, tree):
    chat = session(tree.model("test/fail-404:free"))
    chat.write("lost\n")
    assert code_of(chat.read) == errno.ENOENT
    assert history(chat) == []
    moved = tree.model(ECHO).path / "sessions/s"
    os.rename(chat.path, moved)
    chat = Model(moved)
    chat.ask("found\n")
    assert history(chat) == [("user", "found"), ("assistant", "found")]
    assert len(simulated.chats()[-1]["json"]["messages"]) == 1


def test_an_edited_history_is_what_goes_on(simulated, tree):
    chat = session(tree.model(TALK))
    chat.ask("one\n")
    (chat.path / "messages.json").write_text(chat_of(("who?", "me"), ("why?", "so")))
    assert history(chat) == [
        ("user", "who?"),
        ("assistant", "me"),
        ("user", "why?"),
        ("assistant", "so"),
    ]
    chat.ask("and now\n")
    said = [text for _, text in roles(simulated.chats()[-1])]
    assert said == ["who?", "me", "why?", "so", "and now"]
    assert len(history(chat)) == 6
    # The turns stay where they were; what was imported is one too, and cost nothing.
    assert chat.read("turns/000001/prompt") == b"one\n"
    assert chat.facts("turns/000002/status")["finish"] == "imported"
    assert chat.facts("turns/000002/usage")["cost"] == "0"
    assert len(simulated.chats()) == 2


@pytest.mark.parametrize(
    "form",
    [
        "cp new messages.json",
        "cat new > messages.json",
        "mv new messages.json",
        "cp new .m && mv .m messages.json",
        "tee messages.json < new",
        "dd if=new of=messages.json bs=7 2>&1",
        "install new messages.json",
        "sed 's/me/you/' new > x; cat x > messages.json; rm x; sed -i s/you/me/ messages.json",
        "vim -N -u NONE -i NONE -es -c 'call setline(1, readfile(\"new\"))' -c '2,$d' -c 'wq!' "
        "messages.json < /dev/null",
    ],
)
def test_every_way_of_writing_it_replaces_the_history(tree, echo, form):
    chat = session(echo)
    chat.ask("old\n")
    (chat.path / "new").write_text(chat_of(("who?", "me")))
    result = tree.sh(form, cwd=chat.path)
    assert result.status == 0, result
    assert history(chat) == [("user", "who?"), ("assistant", "me")]


def test_copying_it_back_changes_nothing(simulated, tree, homes):
    chat = session(tree.model(TALK))
    chat.set("system", "be brief")
    chat.ask("one\n")
    out = homes("out")
    tree.sh('cp messages.json "$OUT/m"; cp "$OUT/m" messages.json', cwd=chat.path, OUT=out, check=True)
    tree.sh("cp messages.json m; mv m messages.json", cwd=chat.path, check=True)
    assert chat.turns() == [1]
    tree.sh("touch messages.json; : > messages.json", cwd=chat.path, check=True)
    assert chat.turns() == [1]


def test_cp_carries_a_history_to_another_session(simulated, tree):
    one, other = session(tree.model(ECHO), "a"), session(tree.model(TALK), "b")
    one.set("system", "be brief")
    one.ask("hello\n")
    tree.sh('cp "$FROM" messages.json', cwd=other.path, FROM=one.path / "messages.json", check=True)
    other.ask("more\n")
    assert roles(simulated.chats()[-1]) == [
        ("system", "be brief"),
        ("user", "hello"),
        ("assistant", "hello"),
        ("user", "more"),
    ]
    assert other.text("config/system") == "be brief"


def test_the_system_message_is_the_setting(tree, echo):
    chat = session(echo)
    echo.set("system", "inherited")
    assert history(chat) == [("system", "inherited")]
    own = [{"role": "system", "content": "own"}, *json.loads(chat_of(("a", "b")))]
    (chat.path / "messages.json").write_text(json.dumps(own))
    assert chat.text("config/system") == "own"
    assert echo.text("config/system") == "inherited"
    (chat.path / "messages.json").write_text(json.dumps(own[1:]))
    assert chat.text("config/system") == "inherited"


WRONG = {
    "hello": "not JSON from byte 1",
    '{"role": "user", "content": "x"}': "isn't an array of messages",
    '[{"role": "user", "content": "x"}': "not JSON from byte",
    '[{"role": "user", "content": "x"}] []': "not JSON from byte",
    "[1]": "message 0 isn't an object",
    '[{"role": "user", "content": "x"}, {"role": "robot", "content": "x"}]': "message 1 has no \"role\"",
    '[{"role": "user"}]': "message 0 has no \"content\"",
    '[{"role": "user", "content": ""}]': "message 0 has an empty",
    '[{"role": "user", "content": [{"type": "image_url"}]}]': "message 0 has a part that isn't",
    '[{"role": "user", "content": "x"}, {"role": "system", "content": "x"}]': "message 1 is a system",
    '[{"role": "assistant", "content": "x", "tool_calls": [{}]}]': "message 0 has tool calls",
    '[{"role": "user", "content": "a\\u0000b"}]': "the character NUL",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_history_is_refused_with_words_and_changes_nothing(tree, echo, text):
    chat = session(echo)
    chat.ask("kept\n")
    before = chat.read("messages.json")
    result = tree.sh('printf %s "$TEXT" > messages.json; cat error', cwd=chat.path, TEXT=text)
    assert result.out.startswith(b"EINVAL: messages.json: "), result
    assert WRONG[text] in result.out.decode()
    assert chat.read("messages.json") == before
    assert chat.turns() == [1]


def test_a_shell_hears_at_the_write_that_a_history_is_wrong(tree, echo):
    chat = session(echo)
    result = tree.sh("""echo '[{"role": "robot", "content": "x"}]' > messages.json""", cwd=chat.path)
    assert result.status != 0 and b"Invalid argument" in result.err


def test_parts_of_text_are_joined(tree, echo):
    chat = session(echo)
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    (chat.path / "messages.json").write_text(json.dumps([{"role": "user", "content": parts}]))
    assert history(chat) == [("user", "one two")]


def test_too_much_is_refused_with_words(tree, echo):
    chat = session(echo)
    many = json.dumps([{"role": "user", "content": "x"}] * 1001)
    assert code_of(lambda: (chat.path / "messages.json").write_text(many)) == errno.EMSGSIZE
    assert "1001 messages, at most 1000" in chat.text("error")
    for size, words in ((9 << 20, "messages.json: at most"), (5 << 20, "5242880 bytes of text")):
        large = json.dumps([{"role": "user", "content": "x" * size}])
        assert code_of(lambda text=large: (chat.path / "messages.json").write_text(text)) == errno.EFBIG
        assert words in chat.text("error")
    empty = "[" + "{}," * 200000 + "{}]"
    assert code_of(lambda: (chat.path / "messages.json").write_text(empty)) == errno.EFBIG
    assert chat.turns() == []


def test_a_history_of_megabytes_is_kept_whole(tree, echo):
    chat = session(echo)
    pairs = [(f"question {n} " + "q" * 8000, f"answer {n} " + "a\n" * 3000) for n in range(200)]
    (chat.path / "messages.json").write_text(chat_of(*pairs))
    shown = history(chat)
    assert shown == [one for q, a in pairs for one in (("user", q), ("assistant", a))]
    assert os.stat(chat.path / "messages.json").st_size == len(chat.read("messages.json"))


def test_while_a_turn_is_under_way_the_history_is_left_alone(tree):
    chat = session(tree.model("test/hang:free"))
    chat.write("hang\n")
    path = chat.path / "messages.json"
    assert code_of(lambda: path.write_text(chat_of(("a", "b")))) == errno.EBUSY
    assert "under way" in chat.text("error")
    assert code_of(lambda: chat.write("reset\n", "ctl")) == errno.EBUSY
    assert history(chat) == []
    chat.write("cancel\n", "ctl")
    path.write_text(chat_of(("a", "b")))


def test_a_turn_that_began_while_the_history_was_written_goes_before_it(tree):
    chat = session(tree.model("test/hang:free"))
    with open(chat.path / "messages.json", "w", encoding="ascii") as file:
        file.write(chat_of(("a", "b")))
        chat.write("hang\n")
    assert "EBUSY: turns of the session are under way (1)" in chat.text("error")
    chat.write("cancel\n", "ctl")
    assert history(chat) == []


def test_reset_begins_anew_and_keeps_the_turns(simulated, tree):
    chat = session(tree.model(TALK))
    chat.ask("one\n")
    chat.write("reset\n", "ctl")
    assert history(chat) == []
    assert chat.read() == b""
    chat.ask("two\n")
    assert roles(simulated.chats()[-1]) == [("user", "two")]
    assert chat.read("turns/000001/output") == b"user: one\n"


def test_reset_at_a_model_is_the_callers_alone(simulated, tree):
    model = tree.model(TALK)
    script = """
        echo mine > input; cat output > /dev/null
        (echo other > input; cat output > /dev/null)
        echo reset > ctl
        echo again >> input; cat output
    """
    assert tree.sh(script, cwd=model.path, check=True).out == b"user: again\n"
    assert roles(simulated.chats()[-1]) == [("user", "again")]


def test_fork_goes_on_beside_the_first(simulated, tree):
    model = tree.model(TALK)
    chat = session(model, "first")
    chat.set("temperature", "0.25")
    chat.ask("one\n")
    chat.write("fork second\n", "ctl")
    second = Model(model.path / "sessions/second")
    assert sorted(os.listdir(model.path / "sessions")) == ["first", "second"]
    assert history(second) == history(chat)
    assert second.text("config/temperature") == "0.25"
    second.ask("two\n")
    chat.ask("three\n")
    users = [[text for role, text in roles(one) if role == "user"] for one in simulated.chats()]
    assert users == [["one"], ["one", "two"], ["one", "three"]]
    # The first may end: the second has its own.
    tree.sh("rm -r sessions/first", cwd=model.path, check=True)
    second.ask("four\n")
    assert [t for role, t in roles(simulated.chats()[-1]) if role == "user"] == ["one", "two", "four"]
    assert second.facts("turns/000001/status")["finish"] == "forked"


def test_fork_at_a_model_makes_a_session_of_the_callers_conversation(simulated, tree):
    model = tree.model(TALK)
    script = """
        echo mine > input; cat output > /dev/null; echo more >> input; cat output > /dev/null
        echo 'fork kept' > ctl; cat sessions/kept/messages.json
    """
    shown = json.loads(tree.sh(script, cwd=model.path, check=True).out)
    assert [one["content"] for one in shown if one["role"] == "user"] == ["mine", "more"]
    assert code_of(lambda: model.write("fork kept\n", "ctl")) == errno.EEXIST
    assert code_of(lambda: model.write("fork\n", "ctl")) == errno.EINVAL
    assert code_of(lambda: model.write("fork a/b\n", "ctl")) == errno.EINVAL
    fresh = tree.model(ECHO)
    assert code_of(lambda: fresh.write("fork x\n", "ctl")) == errno.ESRCH
    assert "no conversation of yours" in fresh.text("error")
    assert os.listdir(fresh.path / "sessions") == []


def test_all_of_it_survives_a_crash(mount, simulated, tree):
    chat = session(tree.model(TALK))
    chat.ask("old\n")
    (chat.path / "messages.json").write_text(chat_of(("a", "b")))
    chat.ask("new\n")
    chat.write("fork other\n", "ctl")
    shown = history(chat)
    tree.kill()
    tree = mount(simulated.config()).wait_ready()
    sessions = tree.model(TALK).path / "sessions"
    assert history(Model(sessions / "s")) == history(Model(sessions / "other")) == shown
    Model(sessions / "other").ask("last\n")
    users = [text for role, text in roles(simulated.chats()[-1]) if role == "user"]
    assert users == ["a", "new", "last"]


def test_a_conversation_of_200_turns(simulated, tree):
    chat = session(tree.model(ECHO))
    script = "for i in $(seq 200); do echo turn $i > input; cat output > /dev/null || exit 1; done"
    tree.sh(script, cwd=chat.path, check=True, bound=100)
    assert chat.turns() == list(range(1, 201))
    said = [text for _, text in roles(simulated.chats()[-1])]
    assert said[::2] == [f"turn {n}" for n in range(1, 201)]
    assert said[1::2] == [f"turn {n}" for n in range(1, 200)]
    assert len(history(chat)) == 400
    assert chat.read("transcript.md").count(b"**user**, turn") == 200


def test_a_conversation_that_is_too_long_says_so(simulated, tree):
    chat = session(tree.model(ECHO))
    pairs = [(f"q{n}", f"a{n}") for n in range(500)]
    (chat.path / "messages.json").write_text(chat_of(*pairs))
    chat.ask("the last that fits\n")
    assert len(simulated.chats()[-1]["json"]["messages"]) == 1001
    chat.write("one too many\n")
    assert code_of(chat.read) == errno.EMSGSIZE
    assert "more than 1000 messages" in chat.text("error")
    assert len(simulated.chats()) == 1
    (chat.path / "messages.json").write_text(chat_of(*pairs[-100:]))
    assert chat.ask("shortened\n") == b"shortened\n"


def test_the_transcript_is_for_people(tree, echo):
    chat = session(echo)
    chat.set("system", "be brief")
    (chat.path / "messages.json").write_text(
        json.dumps([{"role": "system", "content": "be brief"}, *json.loads(chat_of(("a", "b")))])
    )
    chat.ask("one\n")
    text = chat.text("transcript.md")
    assert text.startswith("**system**\n\nbe brief\n\n**user**\n\na\n\n**assistant**\n\nb\n\n**user**, turn 00")
    assert text.endswith("**openrouter/test/echo:free**\n\none")
    assert os.stat(chat.path / "transcript.md").st_size == len(chat.read("transcript.md"))
    assert code_of(lambda: (chat.path / "transcript.md").write_text("x")) == errno.EACCES
