"""Sessions: conversations of their own below a model, as people and scripts keep them."""

import errno
import os
import pathlib
import threading

import pytest
from harness.mount import Model
from harness.server import prompt_of
from harness.wait import until

TALK = "test/talk:free"
ECHO = "test/echo:free"


def session(model, name="s"):
    path = model.path / "sessions" / name
    path.mkdir()
    return Model(path)


def roles(entry):
    """What a chat request said: (role, text) of each message."""
    return [
        (message["role"], prompt_of({"messages": [message]})) for message in entry["json"]["messages"]
    ]


def code_of(call):
    with pytest.raises(OSError) as caught:
        call()
    return caught.value.errno


def test_a_session_has_a_models_files_and_a_history_of_its_own(tree, echo):
    chat = session(echo, "chat")
    names = {entry.name for entry in os.scandir(chat.path)}
    assert {"input", "output", "status", "ctl", "config", "turns", "rpc", "usage"} <= names
    assert not {"info", "sessions"} & names
    assert chat.ask("hello\n") == b"hello\n"
    assert chat.turns() == [1]
    assert echo.turns() == []
    assert [entry.name for entry in os.scandir(echo.path / "sessions")] == ["chat"]


def test_both_ways_of_writing_continue_it_and_neither_enters_the_models(simulated, tree):
    model = tree.model(TALK)
    chat = session(model)
    assert chat.ask("one\n") == b"user: one\n"
    tree.sh("echo two >> input; cat output", cwd=chat.path, check=True)
    tree.sh("echo outside > input; cat output", cwd=model.path, check=True)
    assert chat.ask("three\n").splitlines()[-1] == b"user: three"
    asked = [roles(entry) for entry in simulated.chats()]
    assert [text for _, text in asked[1]] == ["one", "user: one", "two"]
    assert asked[2] == [("user", "outside")]
    assert [text for role, text in asked[3] if role == "user"] == ["one", "two", "three"]


def test_whoever_writes_the_session_goes_on(simulated, tree):
    """What is continued is the newest of anyone; `output` is each writer's own all the same."""
    chat = session(tree.model(TALK))
    for number in range(4):
        got = tree.sh(f"echo {number} > input; cat output", cwd=chat.path, check=True)
        assert got.out.splitlines()[-1] == b"user: %d" % number
    asked = roles(simulated.chats()[-1])
    assert [text for role, text in asked if role == "user"] == ["0", "1", "2", "3"]


def test_a_private_call_in_a_session_is_a_turn_of_it(simulated, tree):
    chat = session(tree.model(TALK))
    chat.ask("one\n")
    script = "exec 3<>rpc; echo two >&3; cat <&3"
    assert tree.sh(script, cwd=chat.path, check=True).out.endswith(b"user: two\n")
    chat.ask("three\n")
    users = [text for role, text in roles(simulated.chats()[-1]) if role == "user"]
    assert users == ["one", "two", "three"]


def test_turns_of_a_session_run_in_order_though_the_service_takes_more(simulated, tree):
    chat = session(tree.model("test/slow:free"))
    chat.write("first=0.5 one\n")
    chat.write("two\n")
    chat.write("three\n")
    assert chat.read("turns/000003/output") == b"three\n"
    for before, after in ((1, 2), (2, 3)):
        ended = flat_time(chat, before, "finished")
        begun = flat_time(chat, after, "finished")
        assert ended <= begun
    assert [len(entry["json"]["messages"]) for entry in simulated.chats()] == [1, 3, 5]


def flat_time(model, number, key):
    return model.facts(f"turns/{number:06d}/status")[key]


def test_rm_r_ends_a_session_and_cancels_what_runs(simulated, tree):
    model = tree.model("test/hang:free")
    chat = session(model)
    chat.write("hang\n")
    chat.write("wait\n")
    until(lambda: simulated.journal()["open"] > 0 and simulated.chats(), 10, "it is asked")
    reader = threading.Thread(target=lambda: ended.append(code_of(chat.read)))
    ended = []
    reader.start()
    result = tree.sh("rm -r sessions/s", cwd=model.path)
    assert (result.status, result.err) == (0, b"")
    reader.join(10)
    assert ended == [errno.ECANCELED]
    assert not chat.path.exists()
    until(lambda: simulated.chats()[0]["end"] != "open", 10, "the service sees the connection end")
    assert len(simulated.chats()) == 1
    assert os.listdir(model.path / "sessions") == []


def test_rmdir_ends_a_session_with_its_turns_and_files(tree, echo):
    chat = session(echo)
    chat.ask("private words\n")
    chat.set("temperature", "0.3")
    state = pathlib.Path(tree.home / "state")
    assert any(b"private words" in path.read_bytes() for path in state.rglob("prompt"))
    os.rmdir(chat.path)
    until(lambda: not list(state.rglob("prompt")), 10, "its files are gone")
    chat = session(echo)
    assert chat.turns() == []
    assert chat.text("config/temperature") == ""


def test_what_leads_to_an_ended_session_is_stale(tree, echo):
    chat = session(echo)
    chat.ask("hello\n")
    directory = os.open(chat.path, os.O_RDONLY)
    turn = os.open(chat.path / "turns/000001", os.O_RDONLY)
    numbers = {os.fstat(one).st_ino for one in (directory, turn)}
    tree.sh("rm -r sessions/s", cwd=echo.path, check=True)
    for one in (directory, turn):
        assert code_of(lambda fd=one: os.stat("status", dir_fd=fd)) == errno.ESTALE
        os.close(one)
    again = session(echo)
    again.ask("hello\n")
    assert {os.stat(again.path).st_ino, os.stat(again.path / "turns/000001").st_ino}.isdisjoint(
        numbers
    )


def test_a_session_keeps_its_inode_through_renames_and_a_remount(mount, simulated, tree):
    model, other = tree.model(ECHO), tree.model(TALK)
    chat = session(model, "old")
    chat.ask("hello\n")
    number = os.stat(chat.path).st_ino
    turn = os.stat(chat.path / "turns/000001/output").st_ino
    os.rename(chat.path, model.path / "sessions/new")
    os.rename(model.path / "sessions/new", other.path / "sessions/moved")
    moved = Model(other.path / "sessions/moved")
    assert os.stat(moved.path).st_ino == number
    tree.stop()
    tree = mount(simulated.config()).wait_ready()
    moved = Model(tree.model(TALK).path / "sessions/moved")
    assert os.stat(moved.path).st_ino == number
    assert os.stat(moved.path / "turns/000001/output").st_ino == turn
    assert moved.read("turns/000001/output") == b"hello\n"


def test_mv_to_another_model_carries_the_history(simulated, tree):
    model, other = tree.model(ECHO), tree.model(TALK)
    chat = session(model)
    chat.ask("one\n")
    tree.sh("mv sessions/s ../talk:free/sessions/", cwd=model.path, check=True)
    moved = Model(other.path / "sessions/s")
    moved.ask("two\n")
    entry = simulated.chats()[-1]
    assert entry["json"]["model"] == TALK
    assert roles(entry) == [("user", "one"), ("assistant", "one"), ("user", "two")]
    assert moved.turns() == [1, 2]
    assert os.listdir(model.path / "sessions") == []


def test_a_session_under_way_stays_with_its_model_and_says_why(tree):
    model, other = tree.model("test/hang:free"), tree.model(ECHO)
    chat = session(model)
    chat.write("hang\n")
    assert code_of(lambda: os.rename(chat.path, other.path / "sessions/s")) == errno.EBUSY
    assert "under way" in chat.text("error")
    os.rename(chat.path, model.path / "sessions/renamed")
    chat = Model(model.path / "sessions/renamed")
    chat.write("cancel\n", "ctl")
    os.rename(chat.path, other.path / "sessions/s")


def test_names_are_taken_once_and_only_in_sessions(tree, echo):
    session(echo, "one")
    session(echo, "two")
    path = echo.path / "sessions"
    assert code_of(lambda: (path / "one").mkdir()) == errno.EEXIST
    assert code_of(lambda: os.rename(path / "one", path / "two")) in (
        errno.EEXIST,
        errno.ENOTEMPTY,
    )
    assert code_of(lambda: (path / ("n" * 256)).mkdir()) == errno.ENAMETOOLONG
    assert code_of(lambda: (path / "line\nbreak").mkdir()) == errno.EINVAL
    assert "control" in echo.text("error")
    assert code_of(lambda: (path / "one/sessions").mkdir()) == errno.EPERM
    assert code_of(lambda: os.rename(path / "one", echo.path / "one")) == errno.EPERM
    assert code_of(lambda: os.rmdir(path)) == errno.EPERM
    assert sorted(os.listdir(path)) == ["one", "two"]
    session(echo, "n" * 255)
    session(echo, "名前 with spaces")


@pytest.mark.bound(900)
def test_parallel_writers_in_sessions_made_by_mktemp_never_mix(mount, simulated):
    """As scripts do it: xargs -P8, each with a session of its own, several prompts in each, a call
    at the model's own directory between them. CONDUITFS_CALLERS and CONDUITFS_TURNS make it longer."""
    callers = int(os.environ.get("CONDUITFS_CALLERS", "8"))
    turns = int(os.environ.get("CONDUITFS_TURNS", "5"))
    tree = mount(simulated.config(limits={"queue": 1000})).wait_ready()
    model = tree.model(ECHO)
    script = """
        seq $CALLERS | xargs -P$CALLERS -I{} bash -c '
            s=$(mktemp -d sessions/XXXXXX) || exit 1
            for i in $(seq $TURNS); do
                echo "{}-$i" > "$s/input"; [ "$(cat "$s/output")" = "{}-$i" ] || exit 1
                echo "model {}-$i" > input; [ "$(cat output)" = "model {}-$i" ] || exit 1
            done
            grep -c "{}-" "$s/messages.json"'
    """
    result = tree.sh(script, cwd=model.path, bound=850, CALLERS=callers, TURNS=turns)
    assert result.status == 0, result
    assert result.out.split() == [b"%d" % (2 * turns)] * callers
    heard = {}
    for entry in simulated.chats():
        users = [text for role, text in roles(entry) if role == "user"]
        if users[0].startswith("model "):
            assert len(users) == 1
            continue
        who = users[0].split("-")[0]
        assert users == [f"{who}-{number + 1}" for number in range(len(users))]
        heard[who] = heard.get(who, 0) + 1
    assert heard == {str(number + 1): turns for number in range(callers)}


def test_settings_of_a_session_are_its_own_and_are_carried_by_cp(simulated, tree):
    model = tree.model("test/settings:free")
    chat, other = session(model, "a"), session(model, "b")
    model.set("seed", "7")
    chat.set("temperature", "0.25")
    assert chat.text("config/seed") == "7"
    tree.sh("cp -r a/config b/", cwd=model.path / "sessions", check=True)
    assert other.text("config/temperature") == "0.25"
    assert b'"temperature": 0.25' in other.ask("x\n")
    assert b'"seed": 7' in other.ask("x\n")
    # What only was inherited still is.
    model.set("seed", "8")
    assert other.text("config/seed") == "8"
    assert model.text("config/temperature") == ""


def test_all_of_it_survives_a_crash(mount, simulated, tree):
    chat = session(tree.model(TALK))
    chat.ask("one\n")
    chat.set("temperature", "0.5")
    tree.sh("mv sessions/s sessions/renamed", cwd=tree.model(TALK).path, check=True)
    tree.kill()
    tree = mount(simulated.config()).wait_ready()
    chat = Model(tree.model(TALK).path / "sessions/renamed")
    assert chat.text("config/temperature") == "0.5"
    assert chat.read("turns/000001/output") == b"user: one\n"
    chat.ask("two\n")
    assert [text for _, text in roles(simulated.chats()[-1])] == ["one", "user: one", "two"]


def test_a_full_session_refuses_at_the_opening_with_words(mount, simulated):
    tree = mount(simulated.config(limits={"queue": 2})).wait_ready()
    chat = session(tree.model("test/hang:free"))
    for _ in range(3):
        chat.write("q\n")
    assert code_of(lambda: chat.write("q\n")) == errno.EBUSY
    assert "2 turns of this session wait already" in chat.text("error")


def test_a_session_of_a_route_goes_on_whoever_answers(simulated, tree):
    route = Model(tree.path / "capabilities/text-to-text")
    (route.path / "route").write_text("openrouter/test/fail-500:free\nopenrouter/test/talk:free\n")
    tree.model("test/fail-500:free").set("retries", "0")
    chat = session(route)
    assert {"messages.json", "config", "turns"} <= set(os.listdir(chat.path))
    assert chat.ask("one\n") == b"user: one\n"
    (route.path / "route").write_text("openrouter/test/echo:free\n")
    assert chat.ask("two\n") == b"two\n"
    assert roles(simulated.chats()[-1]) == [("user", "one"), ("assistant", "user: one"), ("user", "two")]
    assert chat.facts()["session"] == "s"
    moved = tree.model(TALK).path / "sessions/s"
    os.rename(chat.path, moved)
    Model(moved).ask("three\n")
    os.rename(moved, chat.path)
    chat.ask("four\n")
    users = [text for role, text in roles(simulated.chats()[-1]) if role == "user"]
    assert users == ["one", "two", "three", "four"]
    tree.sh('rm -r "$S"', S=chat.path, check=True)
    assert not chat.path.exists()
