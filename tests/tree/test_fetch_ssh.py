"""Fetching over ssh, from an sshd of the test's own: whom it trusts, which keys, which paths."""

import errno
import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest
from harness.fetching import Fetch, failed, good
from harness.server import free_port
from harness.wait import until

SSHD = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
PRIVILEGED = pathlib.Path("/run/sshd")  # sshd of root wants it

pytestmark = [
    pytest.mark.skipif(
        SSHD is None or shutil.which("ssh-agent") is None,
        reason="there is no sshd or ssh-agent: apt-get install openssh-server openssh-client",
    ),
    pytest.mark.skipif(
        os.geteuid() == 0 and not PRIVILEGED.is_dir(), reason="sshd of root wants /run/sshd"
    ),
]

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host
AuthorizedKeysFile {home}/id.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def ssh(tmp_path):
    """An sshd that lets this user in with a key that an agent holds: its port, and the environment
    that leads to the agent."""
    port, agent = free_port(), tmp_path / "agent"
    for name in ("host", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    (tmp_path / "sshd_config").write_text(CONFIG.format(port=port, home=tmp_path))
    log = (tmp_path / "log").open("wb")
    running = [
        subprocess.Popen([SSHD, "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=log),
        subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL),
    ]
    try:
        until(lambda: answers(port) and agent.exists(), 10, "sshd and ssh-agent run")
        env = {"SSH_AUTH_SOCK": str(agent)}
        subprocess.run(["ssh-add", "-q", tmp_path / "id"], env={**os.environ, **env}, check=True)
        yield port, env
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        log.close()


def trust(home, port):
    """What ssh writes when a person says yes."""
    (home / ".ssh").mkdir(mode=0o700)
    key = " ".join((home / "host.pub").read_text().split()[:2])
    (home / ".ssh" / "known_hosts").write_text(f"[localhost]:{port} {key}\n")


def url(port, path):
    return f"ssh://{getpass.getuser()}@localhost:{port}{path}"


def test_a_provider_comes_over_ssh_with_the_agents_key(ssh, repository, tmp_path):
    port, env = ssh
    trust(tmp_path, port)
    result = good(Fetch(tmp_path, url(port, repository.bare) + "@main", env=env).end())
    assert result["commit"] == repository.first


def test_an_unknown_host_is_told_nothing(ssh, repository, tmp_path):
    port, env = ssh
    result = Fetch(tmp_path, url(port, repository.bare), env=env).end()
    failed(result, errno.EPROTO, "known_hosts")
    assert "Accepted" not in (tmp_path / "log").read_text()


def test_without_a_key_in_the_agent_it_says_how(ssh, repository, tmp_path):
    port, env = ssh
    trust(tmp_path, port)
    subprocess.run(["ssh-add", "-q", "-D"], env={**os.environ, **env}, check=True)
    failed(Fetch(tmp_path, url(port, repository.bare), env=env).end(), errno.EACCES, "ssh-add")


def test_a_repository_that_is_not_there_is_said(ssh, tmp_path):
    port, env = ssh
    trust(tmp_path, port)
    result = Fetch(tmp_path, url(port, "/nonexistent/x.git"), env=env).end()
    failed(result, errno.ENOENT, "no such repository")
