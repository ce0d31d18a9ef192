"""The command: its options, what it says before the mount answers, how it ends, what it finds."""

import os
import signal
import subprocess

import pytest
from harness.wait import is_mounted, mounts_change, seconds, until

OFF = {"providers": {"openrouter": "off"}}


@pytest.fixture
def command(mount):
    """A mount that isn't started, whose program is run by the test itself."""
    return lambda config=OFF, **more: mount(config, start=False, **more)


def unmount(one):
    subprocess.run(["fusermount3", "-u", str(one.path)], check=True)
    mounts_change(lambda: not is_mounted(one.path), 5, "it unmounts")


def test_help_names_the_options_and_exits_0(command):
    one = command()
    one.prepare()
    result = subprocess.run(one.command("--help"), env=one.environment(), capture_output=True, check=False)
    assert result.returncode == 0
    for word in (b"MOUNTPOINT", b"--config", b"--version", b"-f", b"-o"):
        assert word in result.stdout


def test_version_is_one_line_and_exits_0(command):
    one = command()
    one.prepare()
    result = subprocess.run(one.command("--version"), env=one.environment(), capture_output=True, check=False)
    assert result.returncode == 0
    assert result.stdout.startswith(b"conduitfs ") and result.stdout.count(b"\n") == 1


def test_the_command_returns_when_the_mount_answers(command):
    one = command()
    result = one.background()
    assert result.status == 0, result
    assert is_mounted(one.path) and (one.path / "status").exists()
    assert os.listdir(one.path / "providers/cowsay/models")
    unmount(one)
    one.check_reports()


def test_on_a_first_mount_the_models_are_there_when_the_command_returns(command, simulated):
    one = command(simulated.config())
    one.background()
    assert "test" in os.listdir(one.path / "providers/openrouter/models")
    unmount(one)


def test_a_first_mount_waits_at_most_a_few_seconds_for_a_silent_service(command, serve, tmp_path):
    import socket
    import time

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        one = command({"providers": {"openrouter": {"base_url": url, "key": "k"}}})
        begin = time.monotonic()
        assert one.background().status == 0
        assert 3 < time.monotonic() - begin < seconds(10)
        unmount(one)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "allow_other"], "allow_other"),
        (["-o", "allow_root"], "allow_root"),
        (["-o", "no_such_option"], "no_such_option"),
        (["--no-such-option"], "no-such-option"),
        (["--config", "/nonexistent/config.yml"], "/nonexistent/config.yml"),
    ],
)
def test_a_bad_option_is_refused_with_words(command, arguments, words):
    one = command()
    result = one.background(*arguments)
    assert result.status != 0 and words in result.err.decode()
    assert not is_mounted(one.path)


def test_a_mountpoint_that_is_missing_is_named(command):
    one = command()
    one.prepare()
    one.path.rmdir()
    result = subprocess.run(
        one.command(str(one.path)), env=one.environment(), capture_output=True, timeout=seconds(20), check=False
    )
    assert result.returncode != 0 and str(one.path) in result.stderr.decode()


def test_without_a_mountpoint_it_shows_its_usage(command):
    one = command()
    one.prepare()
    result = subprocess.run(one.command(), env=one.environment(), capture_output=True, check=False)
    assert result.returncode == 2 or result.returncode == 1
    assert b"MOUNTPOINT" in result.stderr


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("refresh: 1h\nlimts: {queue: 3}\n", 2, ["limts", "limits"]),
        ("providers:\n  openrouter:\n    base_ulr: http://127.0.0.1/\n", 3, ["base_ulr", "base_url"]),
        ("refresh: soon\n", 1, ["refresh", "soon"]),
        ("limits:\n  queue: many\n", 2, ["queue", "many"]),
        ("providers: [\n", None, ["config.yml"]),
        ("providers:\n  acme: {driver: nonesuch}\n", None, ["acme", "nonesuch"]),
        ("providers:\n  far: {driver: openai, base_url: 'http://example.com/v1'}\n", 2, ["insecure"]),
    ],
)
def test_a_fault_in_config_yml_is_told_with_its_line_and_the_remedy(command, text, line, words):
    one = command(text)
    result = one.background()
    told = result.err.decode()
    assert result.status != 0 and not is_mounted(one.path)
    if line is not None:
        assert f"config.yml:{line}:" in told
    for word in words:
        assert word in told


def test_every_fault_of_config_yml_is_told_at_once(command):
    told = command("one: 1\ntwo: 2\n").background().err.decode()
    assert "config.yml:1:" in told and "config.yml:2:" in told


def test_config_reads_another_file(command, tmp_path, simulated):
    import json

    other = tmp_path / "other.yml"
    other.write_text(json.dumps(simulated.config()))
    one = command()
    assert one.background("--config", str(other)).status == 0
    assert "openrouter" in os.listdir(one.path / "providers")
    unmount(one)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_or_makes_it_read_its_config_again(mount, simulated, how):
    tree = mount(simulated.config()).wait_ready()
    if how == signal.SIGHUP:
        tree.process.send_signal(how)
        assert tree.model("test/echo:free").ask("still here") == b"still here\n"
        how = signal.SIGTERM
    tree.stop(how)


def test_fusermount_ends_it_cleanly(mount):
    tree = mount(OFF).wait_ready("cowsay")
    subprocess.run(["fusermount3", "-u", str(tree.path)], check=True)
    assert tree.process.wait(seconds(10)) == 0


def test_it_ends_although_a_turn_is_running(mount, simulated):
    tree = mount(simulated.config()).wait_ready()
    tree.model("test/hang:free").write("q")
    reader = subprocess.Popen(["cat", str(tree.model("test/hang:free").path / "output")])
    until(lambda: simulated.journal()["open"] == 1, 5, "the turn runs")
    tree.stop()
    assert reader.wait(seconds(5)) != 0


def test_a_stale_mountpoint_is_mounted_over(mount):
    first = mount(OFF).wait_ready("cowsay")
    first.kill()
    with pytest.raises(OSError):
        os.listdir(first.path)
    again = mount(OFF)
    assert (again.path / "status").exists()


def test_a_crash_leaves_running_turns_interrupted_and_prompts_kept(mount, simulated):
    first = mount(simulated.config()).wait_ready()
    first.model("test/hang:free").write("kept")
    until(lambda: simulated.journal()["open"] == 1, 5, "the turn runs")
    first.model("test/echo:free").ask("finished")
    first.kill()
    simulated.control(clear=True)
    again = mount(simulated.config())
    hung = again.model("test/hang:free")
    assert hung.facts("turns/000001/status")["state"] == "interrupted"
    assert hung.read("turns/000001/prompt").rstrip() == b"kept"
    assert again.model("test/echo:free").read("turns/000001/output") == b"finished\n"
    again.wait_ready()
    assert simulated.chats() == []


def test_a_turn_that_runs_at_sigterm_is_interrupted_and_sent_again_only_by_retry(mount, simulated):
    first = mount(simulated.config()).wait_ready()
    first.model("test/hang:free").write("once")
    until(lambda: simulated.journal()["open"] == 1, 5, "the turn runs")
    first.stop()
    model = mount(simulated.config()).wait_ready().model("test/hang:free")
    assert model.facts("turns/000001/status")["state"] == "interrupted"
    assert simulated.prompts() == ["once"]
    (model.path / "ctl").write_text("retry\n")
    until(lambda: simulated.prompts() == ["once", "once"], 5, "retry sends it")
    assert model.turns() == [1, 2]


def test_mount_as_a_first_word_is_the_same_command(command):
    one = command()
    one.prepare()
    result = subprocess.run(one.command("mount", str(one.path)), env=one.environment(), check=False)
    assert result.returncode == 0 and is_mounted(one.path)
    unmount(one)


def test_a_second_mount_of_the_same_state_is_refused_with_words(mount, homes):
    first = mount(OFF).wait_ready("cowsay")
    other = homes("other")
    (other / "mnt").mkdir()
    result = subprocess.run(
        first.command(str(other / "mnt")),
        env=first.environment(),
        capture_output=True,
        timeout=seconds(20),
        check=False,
    )
    assert result.returncode != 0 and result.stderr


def test_turns_and_answers_are_there_after_a_remount(mount, simulated):
    first = mount(simulated.config()).wait_ready()
    model = first.model("test/echo:free")
    model.ask("one")
    model.ask("two")
    first.stop()
    again = mount(simulated.config()).model("test/echo:free")
    assert again.turns() == [1, 2]
    assert again.read("turns/000001/output") == b"one\n"
    assert again.read("turns/last/output") == b"two\n"
    assert again.ask("three") == b"three\n"
    assert again.turns() == [1, 2, 3]


def test_the_mount_is_nosuid_nodev_and_its_owners_alone(mount):
    tree = mount(OFF)
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        line = next(line for line in file if line.split()[4] == str(tree.path))
    assert "nosuid" in line and "nodev" in line and "fuse.conduitfs" in line
    assert "allow_other" not in line


def test_a_provider_that_is_off_is_hidden(mount):
    tree = mount(OFF).wait_ready("cowsay")
    assert "openrouter" not in os.listdir(tree.path / "providers")


def test_a_providers_process_starts_on_use_and_is_replaced_after_a_crash(tree, echo):
    echo.ask("first")
    before = tree.runners()
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(before) & set(tree.runners()), 5, "the process is reaped")
    assert until(lambda: ask_again(echo), 10, "a new one answers") == b"again\n"


def ask_again(echo):
    try:
        return echo.ask("again")
    except OSError:
        return None
