"""Every way in which a shell, an editor or a tool writes a file: which are a turn, and which bytes
each asks. Checked twice: by the turn's own prompt, and by what the server was sent."""

import shutil

import pytest

DOC = "a document\nof two lines\n"

#: name: (script, what is asked). $D is the model's directory, $T holds doc.
FORMS = {
    "echo": ('echo "hi there" > $D/input', "hi there"),
    "dash": ("dash -c 'echo from dash > $D/input'", "from dash"),
    "echo -n": ("echo -n bare > $D/input", "bare"),
    "printf of two lines": (r"printf 'a\nb\n' > $D/input", "a\nb"),
    "two newlines at the end": (r"printf 'a\n\n' > $D/input", "a\n"),
    "loop": ("for i in 1 2 3; do echo line $i; done > $D/input", "line 1\nline 2\nline 3"),
    "heredoc": ("cat > $D/input <<END\nfirst\nsecond\nEND", "first\nsecond"),
    "here-string": ("cat > $D/input <<< word", "word"),
    "group": (
        "{ echo Q:; cat $T/doc; echo END; } > $D/input",
        "Q:\na document\nof two lines\nEND",
    ),
    "subshell": ("( echo one; echo two ) > $D/input", "one\ntwo"),
    "descriptor": ("exec 5> $D/input; echo a >&5; /bin/echo b >&5; exec 5>&-", "a\nb"),
    "cp": ("cp $T/doc $D/input", DOC[:-1]),
    "cp --remove-destination": ("cp --remove-destination $T/doc $D/input", DOC[:-1]),
    "cat": ("/bin/cat $T/doc > $D/input", DOC[:-1]),
    "tee": ("echo teed | tee $D/input >/dev/null", "teed"),
    "pipe into dd": ("echo dd | dd of=$D/input status=none", "dd"),
    "dd conv=notrunc": ("dd if=$T/doc of=$D/input conv=notrunc status=none", DOC[:-1]),
    "dd of small blocks": ("dd if=$T/doc of=$D/input bs=3 status=none", DOC[:-1]),
    "python": (
        "python3 -c \"open('$D/input', 'w').write('from python')\"",
        "from python",
    ),
    "python with fsync": (
        "python3 -c \"import os; f = open('$D/input', 'w'); f.write('x'); f.flush(); os.fsync(f); f.write('y')\"",
        "xy",
    ),
    "node": (
        "node -e \"require('fs').writeFileSync('$D/input', 'from node')\"",
        "from node",
    ),
    "vim saving": (
        "vim -N -u NONE -i NONE -es -c 'call setline(1, \"from vim\")' -c 'wq!' $D/input </dev/null",
        "from vim",
    ),
    "vim saving with backup": (
        "vim -N -u NONE -i NONE -es -c 'set backup writebackup backupcopy=no' "
        "-c 'call setline(1, \"backed up\")' -c 'wq!' $D/input </dev/null",
        "backed up",
    ),
    "mv": ("cp $T/doc $T/tmp; mv $T/tmp $D/input", DOC[:-1]),
    "mv within the directory": ("cp $T/doc $D/.input.new; mv $D/.input.new $D/input", DOC[:-1]),
    "install": ("install -m 644 $T/doc $D/input", DOC[:-1]),
    "tar x": (
        "mkdir $T/t; cp $T/doc $T/t/input; tar -C $T/t -cf $T/t.tar input; tar -C $D -xf $T/t.tar",
        DOC[:-1],
    ),
    "rsync of one file": ("rsync --inplace $T/doc $D/input", DOC[:-1]),
    "rsync by rename": ("rsync $T/doc $D/input", DOC[:-1]),
    "perl": ("perl -e 'open F, \">\", \"$ENV{D}/input\"; print F \"from perl\"'", "from perl"),
    "awk": ("awk 'BEGIN { print \"from awk\" > \"'$D'/input\" }'", "from awk"),
    "curl file": ("curl -s -o $D/input file://$T/doc", DOC[:-1]),
}

NOTHING = {
    "touch": "touch $D/input",
    "truncation": ": > $D/input",
    "truncate": "truncate -s 0 $D/input",
    "append of nothing": ": >> $D/input",
    "cp of an empty file": ": > $T/empty; cp $T/empty $D/input",
    "grep -r": "grep -r word $D",
    "find": "find $D -type f -exec cat {} + > /dev/null",
    "ls": "ls -lR $D",
    "du": "du -a $D",
    "tar c": "tar -C $D -cf $T/out.tar .",
    "file": "head -c 100 $D/* 2>/dev/null",
    "test": "test -w $D/input && test -r $D/input",
    "stat": "stat $D/input $D/output $D/status",
    "chmod": "chmod 600 $D/input",
    "dd of input": "dd if=$D/input of=/dev/null status=none",
}


@pytest.fixture
def place(echo, tmp_path):
    (tmp_path / "doc").write_text(DOC)
    return {"D": echo.path, "T": tmp_path}


def tool_of(script):
    """The tool that a script needs beyond a shell's."""
    return next((tool for tool in ("vim", "node", "rsync", "perl", "curl", "dash") if tool in script), "sh")


@pytest.mark.parametrize("form", FORMS)
def test_this_form_is_exactly_one_turn_with_these_bytes(tree, echo, simulated, place, form):
    script, prompt = FORMS[form]
    assert shutil.which(tool_of(script)), f"{tool_of(script)} is missing: scripts/setup --tests"
    result = tree.sh(script, **place)
    assert result.status == 0, result
    answer = echo.read()
    assert simulated.prompts() == [prompt]
    assert echo.turns() == [1]
    assert echo.read("turns/last/prompt").decode().removesuffix("\n") == prompt
    assert answer.decode() == prompt + ("" if prompt.endswith("\n") else "\n")


@pytest.mark.parametrize("form", NOTHING)
def test_this_form_is_no_turn_and_ends(tree, echo, simulated, place, form):
    tree.sh(NOTHING[form], **place)
    assert echo.turns() == []
    echo.ask("the only one")
    tree.sh(NOTHING[form], **place)
    assert echo.turns() == [1]
    assert simulated.prompts() == ["the only one"]


def test_tee_asks_three_models_at_once(tree, simulated):
    names = ["test/echo:free", "test/talk:free", "test/slow:free"]
    paths = [tree.model(name).path for name in names]
    tree.sh("echo together | tee $A/input $B/input $C/input", check=True, A=paths[0], B=paths[1], C=paths[2])
    answers = [tree.model(name).read() for name in names]
    assert answers == [b"together\n", b"user: together\n", b"together\n"]
    assert sorted(entry["json"]["model"] for entry in simulated.chats()) == sorted(names)


def test_nano_saving_is_a_turn(tree, echo, simulated):
    assert shutil.which("nano") and shutil.which("script"), "scripts/setup --tests"
    keys = "sleep 1; printf 'from nano'; sleep 1; printf '\\017'; sleep 1; printf '\\r'; sleep 1; printf '\\030'"
    command = f"({keys}; sleep 1) | TERM=xterm script -qec 'nano -R -I $D/input' /dev/null"
    tree.sh(command, D=echo.path)
    echo.read()
    assert [prompt.strip() for prompt in simulated.prompts()] == ["from nano"]


def test_each_save_of_an_editor_is_a_turn(tree, echo, simulated):
    script = (
        "vim -N -u NONE -i NONE -es -c 'call setline(1, \"one\")' -c 'w!' "
        "-c 'call setline(1, \"two\")' -c 'wq!' $D/input </dev/null"
    )
    tree.sh(script, check=True, D=echo.path)
    assert echo.read() == b"two\n"
    assert simulated.prompts() == ["one", "two"]


def test_an_editor_leaves_nothing_behind(tree, echo, place):
    before = sorted(path.name for path in echo.path.iterdir())
    tree.sh(FORMS["vim saving"][0], check=True, **place)
    assert sorted(path.name for path in echo.path.iterdir()) == before


@pytest.mark.parametrize("editing", ["sed -i s/1/0.5/ $D/config/temperature", "printf 0.5 > $D/config/temperature"])
def test_editing_a_setting_sets_it(tree, echo, editing):
    echo.set("temperature", "1")
    tree.sh(editing, check=True, D=echo.path)
    assert echo.text("config/temperature") == "0.5"


@pytest.mark.parametrize(
    "copying",
    [
        "cp -r $D $T/copy; cp -r $T/copy/. $D/",
        "rsync -a $D/ $T/copy/; rsync -a $T/copy/ $D/",
        "mkdir $T/copy; tar -C $D -cf - . | tar -C $T/copy -xf -; tar -C $T/copy -cf - . | tar -C $D -xf -",
    ],
    ids=["cp", "rsync", "tar"],
)
def test_a_model_copied_out_and_back_in_is_no_turn_and_no_change(tree, echo, simulated, tmp_path, copying):
    echo.set("temperature", "0.7")
    echo.ask("before")
    settings = {path.name: path.read_bytes() for path in (echo.path / "config").iterdir()}
    tree.sh(copying, D=echo.path, T=tmp_path)
    assert (tmp_path / "copy/turns/000001/prompt").read_bytes().rstrip() == b"before"
    assert echo.turns() == [1] and simulated.prompts() == ["before"]
    assert {path.name: path.read_bytes() for path in (echo.path / "config").iterdir()} == settings
    echo.ask("after")
    assert simulated.chats()[-1]["json"]["temperature"] == 0.7


def test_a_copied_back_setting_is_still_inherited(tree, echo, tmp_path):
    (tree.path / "config/temperature").write_text("0.3")
    tree.sh("cp -r $D/config $T/; cp -r $T/config/. $D/config/", D=echo.path, T=tmp_path)
    (tree.path / "config/temperature").write_text("0.9")
    assert echo.text("config/temperature") == "0.9"


def test_a_whole_tree_is_walked_without_a_turn(tree, simulated, tmp_path):
    tree.sh("grep -r nothing-like-this . ; tar -cf $T/all.tar . ; du -s .", T=tmp_path, bound=100)
    assert simulated.chats() == []


def test_append_continues_the_conversation(tree, simulated):
    model = tree.model("test/talk:free")
    tree.sh("echo one > $D/input; cat $D/output; echo two >> $D/input; cat $D/output", D=model.path)
    said = [[message["content"] for message in chat["json"]["messages"]] for chat in simulated.chats()]
    assert [len(messages) for messages in said] == [1, 3]
    assert model.read().decode().splitlines()[0] == "user: one"


def test_a_descriptor_that_stays_open_is_submitted_by_ctl(tree, echo):
    script = "exec 5> $D/input; echo held >&5; echo submit > $D/ctl; cat $D/output"
    assert tree.sh(script, check=True, D=echo.path).out == b"held\n"


def test_names_of_ours_cannot_be_renamed_away_or_made(tree, echo):
    for script in ("mv $D/input $D/other", "mkdir $D/new", "mv $D/output $D/x", "ln $D/status $D/hard"):
        assert tree.sh(script, D=echo.path).status != 0, script
    assert echo.ask("still there") == b"still there\n"
    assert tree.sh("echo x > $D/status", D=echo.path).status != 0


def test_rm_of_a_model_leaves_it_working(tree, echo):
    echo.ask("first")
    tree.sh("rm -rf $D", D=echo.path)
    assert tree.sh("sleep 2.1; echo second > $D/input; cat $D/output", D=echo.path).out == b"second\n"
    assert (echo.path / "turns/000001/prompt").exists()
