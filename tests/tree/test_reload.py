"""config.yml, read again while the tree is mounted; the daemon's own guard against being read; the
way in which mount(8) calls it."""

import os
import pathlib
import signal
import subprocess

import pytest
from harness.mount import local_only
from harness.wait import is_mounted, mounts_change, seconds, until

OFF = {"providers": {"openrouter": "off"}}


def rewrite(tree, config):
    text = config if isinstance(config, str) else local_only(config)
    (tree.home / "config/conduitfs/config.yml").write_text(text)


def by_ctl(tree):
    (tree.path / "ctl").write_text("reload\n")


def by_signal(tree):
    tree.process.send_signal(signal.SIGHUP)


def tell(tree, how):
    """Has it read config.yml again; a fault is an errno of ctl and nothing at a signal."""
    try:
        how(tree)
    except OSError:
        assert how is by_ctl


HOW = pytest.mark.parametrize("how", [by_ctl, by_signal])


@HOW
def test_a_reload_brings_and_takes_providers(mount, simulated, how):
    tree = mount(OFF).wait_ready("cowsay")
    rewrite(tree, simulated.config())
    how(tree)
    providers = tree.path / "providers"
    until(lambda: "openrouter" in os.listdir(providers), 5, "the provider comes")
    tree.wait_ready()
    assert tree.model("test/echo:free").ask("new") == b"new\n"
    rewrite(tree, {"providers": {"openrouter": simulated.provider(), "cowsay": "off"}})
    how(tree)
    until(lambda: "cowsay" not in os.listdir(providers), 5, "the provider goes")
    assert tree.model("test/echo:free").ask("still") == b"still\n"


@HOW
def test_a_reload_changes_a_providers_key_and_settings(mount, simulated, how):
    tree = mount(simulated.config()).wait_ready()
    model = tree.model("test/echo:free")
    model.ask("before")
    changed = simulated.provider(key="sk-another-key", config={"temperature": 0.25})
    rewrite(tree, {"providers": {"openrouter": changed}})
    how(tree)
    until(lambda: os.path.exists(model.path) and model.text("config/temperature") == "0.25", 5, "it is read")
    tree.wait_ready()
    model.ask("after")
    assert simulated.chats()[-1]["headers"]["authorization"] == "Bearer sk-another-key"
    assert model.turns() == [1, 2]


@HOW
def test_a_fault_in_config_yml_changes_nothing_and_is_told_in_the_roots_error(mount, simulated, how):
    tree = mount(simulated.config()).wait_ready()
    rewrite(tree, "refresh: 1h\nlimts: {queue: 3}\n")
    tell(tree, how)
    until(lambda: "limts" in (tree.path / "error").read_text(), 5, "error tells of the fault")
    words = (tree.path / "error").read_text()
    assert "config.yml:2:" in words and "limits" in words
    assert "openrouter" in os.listdir(tree.path / "providers")
    assert tree.model("test/echo:free").ask("goes on") == b"goes on\n"


def test_ctl_fails_on_a_fault_where_a_shell_can_see_it(mount):
    tree = mount(OFF).wait_ready("cowsay")
    rewrite(tree, "refresh: soon\n")
    result = tree.sh("/bin/echo reload > ctl")
    assert result.status == 1
    assert "soon" in (tree.path / "error").read_text()


def test_a_reload_while_a_turn_runs_ends_only_the_turns_of_what_changed(mount, simulated):
    tree = mount(simulated.config()).wait_ready()
    slow = tree.model("test/slow:free")
    slow.write("each=0.3 one two three")
    by_ctl(tree)
    assert slow.read() == b"one two three\n"
    hung = tree.model("test/hang:free")
    hung.write("q")
    until(lambda: simulated.journal()["open"] == 1, 5, "the turn runs")
    rewrite(tree, OFF)
    reader = subprocess.Popen(["cat", os.path.realpath(hung.path / "output")], stderr=subprocess.PIPE)
    by_ctl(tree)
    assert reader.wait(seconds(10)) != 0
    reader.stderr.close()
    assert b"(oo)" in tree.model("cow", "cowsay").ask("moo")


def guarded(one):
    """Starts the program with core files allowed, and as root with a group of its own: by it one
    sees whether /proc/PID was taken away from it. Only that group may look into such a mount."""
    one.prepare()
    given = ["prlimit", "--core=unlimited", "setpriv", "--regid", "12345", "--keep-groups"]
    command = (given if os.geteuid() == 0 else []) + one.command("-f", str(one.path))
    one.process = subprocess.Popen(command, env=one.environment(), stdin=subprocess.DEVNULL)
    mounts_change(lambda: is_mounted(one.path), 20, "it mounts")
    return pathlib.Path(f"/proc/{one.process.pid}")


def test_the_daemon_leaves_no_core_file_and_cannot_be_read_by_others(mount):
    proc = guarded(mount(OFF, start=False))
    line = next(line for line in (proc / "limits").read_text().splitlines() if "core file" in line)
    assert line.split()[4:6] == ["0", "0"]
    # What isn't dumpable belongs to root, whoever runs it.
    owner = (proc / "stat").stat()
    assert (owner.st_uid, owner.st_gid) == (0, 0)


def unmount(path):
    subprocess.run(["fusermount3", "-u", str(path)], check=True)
    mounts_change(lambda: not is_mounted(path), 5, "it unmounts")


def test_the_call_of_mount_8_from_a_line_of_fstab_mounts(mount):
    one = mount(OFF, start=False)
    one.prepare()
    options = "rw,nosuid,nodev,noauto,user,_netdev,x-systemd.automount"
    command = one.command("conduitfs", str(one.path), "-o", options)
    result = subprocess.run(command, env=one.environment(), capture_output=True, timeout=seconds(20), check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert "cowsay" in os.listdir(one.path / "providers")
    unmount(one.path)


def test_what_mount_8_adds_for_root_leaves_it_nosuid_and_nodev(mount):
    if os.geteuid() != 0:
        pytest.skip("only root may ask for dev and suid")
    one = mount(OFF, start=False, options=["-o", "rw,dev,suid,exec"]).start()
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        options = next(line for line in file if line.split()[4] == str(one.path)).split()[5].split(",")
    assert {"nosuid", "nodev", "noexec"} <= set(options)


def test_a_command_line_that_is_wrong_exits_with_1_and_a_mount_that_fails_with_32(mount, tmp_path):
    one = mount("limts: 1\n", start=False)
    one.prepare()

    def status(*arguments):
        return subprocess.run(one.command(*arguments), env=one.environment(), capture_output=True, check=False).returncode

    assert status("--nonesuch") == 1 and status() == 1
    assert status(str(one.path)) == 32
    assert not is_mounted(one.path)
