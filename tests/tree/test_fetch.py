"""Fetching from servers that nobody here wrote: what comes, and how a refusal is said."""

import errno
import os
import pathlib
import stat

import pytest
from harness.fetching import MANIFEST, Fetch, failed, fetch, files, good, whole
from harness.git import DECLARED, Proxy, git


@pytest.fixture
def load(tmp_path, git_servers):
    """Fetches into a cache of the test's own, trusting the servers' CA: the end's event."""

    def load(source, **task):
        return fetch(tmp_path, source, **{"ca_file": git_servers.ca, **task})

    return load


# ---- what loads ----


@pytest.mark.parametrize("scheme", ["https", "git", "file"])
def test_a_provider_comes_by_each_way(git_servers, repository, load, tmp_path, scheme):
    source = f"{getattr(git_servers, scheme)}/{repository.name}.git"
    result = good(load(source))
    assert result["commit"] == repository.first
    assert result["tree"] == repository.head("HEAD^{tree}")
    assert files(result) == {MANIFEST: DECLARED.encode()}
    assert stat.S_IMODE(os.stat(pathlib.Path(result["files"]) / MANIFEST).st_mode) == 0o444
    whole(tmp_path / "cache")


def test_what_a_ref_leads_to_is_loaded(git_servers, repository, load):
    first = repository.first
    repository.git("checkout", "-q", "-b", "feature/new")
    second = repository.commit({"README.md": "two"})
    repository.git("checkout", "-q", "main")
    third = repository.commit({"README.md": "three"})
    repository.tag("v1", first)
    repository.tag("v2", "-a", "-m", "annotated", second)
    url = f"{git_servers.https}/{repository.name}.git"
    wanted = {
        "": third,
        "@main": third,
        "@v1": first,
        "@v2": second,
        "@feature/new": second,
        "@refs/heads/feature/new": second,
        f"@{first}": first,
        f"@{second[:9]}": second,
        "@HEAD": third,
    }
    got = {ref: good(load(url + ref))["commit"] for ref in wanted}
    assert got == wanted


def test_a_branch_is_followed_when_no_commit_is_named(git_servers, repository, load):
    url = f"{git_servers.https}/{repository.name}.git@main"
    assert good(load(url))["commit"] == repository.first
    second = repository.commit({"README.md": "two"})
    assert good(load(url))["commit"] == second


@pytest.mark.parametrize("scheme", ["https", "file"])
def test_a_forced_push_is_told_to_who_names_the_commit_before(
    git_servers, repository, load, scheme
):
    url = f"{getattr(git_servers, scheme)}/{repository.name}.git@main"
    assert not good(load(url))["rewritten"]
    second = repository.commit({"README.md": "two"})
    assert not good(load(url, previous=repository.first))["rewritten"]
    repository.git("commit", "-q", "--amend", "-m", "rewritten")
    repository.push()
    result = good(load(url, previous=second))
    assert result["rewritten"] and result["commit"] == repository.head()


def test_a_directory_of_the_repository_is_a_provider(git_servers, repository, load):
    repository.commit({f"providers/acme/{MANIFEST}": DECLARED, "providers/acme/a/b": "x"})
    url = f"{git_servers.https}/{repository.name}.git#providers/acme"
    result = good(load(url))
    assert set(files(result)) == {MANIFEST, "a/b"}
    assert result["tree"] == repository.head("HEAD:providers/acme")


def test_a_commit_that_no_ref_leads_to_is_fetched_by_its_hash(git_servers, repository, load):
    repository.commit({"README.md": "rewritten"})
    repository.git("commit", "-q", "--amend", "-m", "rewritten again")
    repository.push()
    url = f"{git_servers.git}/{repository.name}.git"
    lost = repository.git("rev-parse", "HEAD@{1}")
    assert good(load(url, commit=lost))["commit"] == lost


def test_a_server_that_gives_no_commit_by_its_hash_is_searched(git_servers, repository, load):
    git("config", "uploadpack.allowAnySHA1InWant", "false", cwd=repository.bare)
    repository.commit({"README.md": "two"})
    url = f"{git_servers.git}/{repository.name}.git"
    assert good(load(url, commit=repository.first))["commit"] == repository.first


def test_objects_are_fetched_once_and_only_what_is_new(git_servers, repository, load):
    url = f"{git_servers.https}/{repository.name}.git"
    good(load(url))
    once = git_servers.downloads(repository.name)
    good(load(url))
    assert git_servers.downloads(repository.name) == once > 0


def test_a_proxy_of_the_environment_is_used(git_servers, repository, load):
    proxy = Proxy(git_servers.https_port, None, "cut", connect=True)
    env = {"https_proxy": f"http://127.0.0.1:{proxy.port}"}
    result = good(load(f"{git_servers.https}/{repository.name}.git", env=env))
    proxy.stop()
    assert result["commit"] == repository.first
    assert set(proxy.named) == {f"localhost:{git_servers.https_port}"}


# ---- what is refused, and how ----


@pytest.mark.parametrize(
    "below, code, words",
    [
        ("none/x.git", errno.ENOENT, "there is no such repository"),
        ("refused/x.git", errno.EACCES, "the server doesn't allow it"),
        ("broken/x.git", errno.EREMOTEIO, "try again later"),
        ("page/x.git", errno.EPROTO, "no git server"),
        ("plain/x.git", errno.EXDEV, "redirect"),
    ],
)
def test_what_a_server_refuses_is_said(git_servers, load, below, code, words):
    failed(load(f"{git_servers.https}/{below}"), code, words, below)


def test_a_redirect_on_the_same_host_is_followed(git_servers, repository, load):
    url = f"{git_servers.https}/moved/{repository.name}.git"
    assert good(load(url))["commit"] == repository.first


def test_a_redirect_to_another_host_gets_nothing(git_servers, repository, load):
    url = f"{git_servers.https}/elsewhere/{repository.name}.git"
    before = len(git_servers.requests())
    failed(load(url), errno.EXDEV, "another host, 127.0.0.1")
    requests = git_servers.requests()[before:]
    assert all("/elsewhere/" in line for line in requests), requests


@pytest.mark.parametrize("which", ["other", "system's"])
def test_a_certificate_of_an_unknown_ca_is_refused(git_servers, repository, load, which):
    ca = {"ca_file": str(git_servers.certificates.other_ca) if which == "other" else ""}
    result = load(f"{git_servers.https}/{repository.name}.git", **ca)
    failed(result, errno.EPROTO, "the certificate of localhost isn't trusted", "ca_file")


def test_a_ca_file_that_is_none_is_said(git_servers, repository, load, tmp_path):
    (tmp_path / "ca").write_text("nothing")
    result = load(f"{git_servers.https}/{repository.name}.git", ca_file=str(tmp_path / "ca"))
    failed(result, errno.EINVAL, str(tmp_path / "ca"))


def test_a_ref_that_is_not_there_is_never_another(git_servers, repository, load, tmp_path):
    repository.tag("v1.0")
    repository.git("push", "-q", "origin", "HEAD:refs/heads/master")
    url = f"{git_servers.https}/{repository.name}.git@v2"
    failed(
        load(url),
        errno.ENOENT,
        "no tag, branch or commit 'v2'",
        "main, master, v1.0",
    )
    assert not list((tmp_path / "cache/files").iterdir())


def test_a_commit_that_is_not_there_is_said(git_servers, repository, load):
    url = f"{git_servers.git}/{repository.name}.git"
    failed(load(f"{url}@{'1' * 40}"), errno.ENOENT, "no commit 1111", "main")
    failed(load(f"{url}@abcdef1"), errno.ENOENT, "no commit begins with 'abcdef1'")


def test_a_name_that_is_a_tag_and_a_branch_is_refused(git_servers, repository, load):
    repository.tag("twice")
    repository.commit({"README.md": "two"})
    repository.git("push", "-q", "origin", "HEAD:refs/heads/twice")
    url = f"{git_servers.git}/{repository.name}.git"
    failed(load(f"{url}@twice"), errno.EINVAL, "refs/tags/twice", "refs/heads/twice")
    assert good(load(f"{url}@refs/tags/twice"))["commit"] == repository.first


@pytest.mark.parametrize("scheme", ["https", "git", "file"])
def test_an_empty_repository_is_said(git_servers, load, scheme):
    name = f"empty-{scheme}"
    git_servers.repository(name)
    url = f"{getattr(git_servers, scheme)}/{name}.git"
    failed(load(url), errno.ENOENT, "the repository is empty")


def test_a_repository_without_a_manifest_names_where_one_is(git_servers, repository, load):
    repository.git("rm", "-q", MANIFEST)
    repository.commit({f"providers/acme/{MANIFEST}": DECLARED})
    url = f"{git_servers.git}/{repository.name}.git"
    failed(load(url), errno.ENOENT, "at the top", "there is one in providers/acme")
    failed(load(f"{url}#nowhere"), errno.ENOENT, "no directory 'nowhere'")


@pytest.mark.parametrize("source", ["https://h/x@--upload-pack=id", "-x", "cowsay", "http://h/x"])
def test_a_task_with_a_bad_source_is_refused(load, source):
    failed(load(source), errno.EINVAL)


# ---- credentials ----


def remember(tmp_path, git_servers, password):
    """git's own helper, which keeps passwords in a file."""
    (tmp_path / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    host = git_servers.https.removeprefix("https://")
    (tmp_path / ".git-credentials").write_text(f"https://{git_servers.USER}:{password}@{host}\n")


def test_without_credentials_a_private_repository_says_how(git_servers, repository, load):
    url = f"{git_servers.https}/private/{repository.name}.git"
    failed(load(url), errno.EACCES, "asks for a user and password",
           "credential.helper")


def test_without_git_the_same(git_servers, repository, load):
    url = f"{git_servers.https}/private/{repository.name}.git"
    result = load(url, env={"PATH": "/nowhere"})
    failed(result, errno.EACCES, "git, which would know, isn't installed")


def test_gits_credential_helpers_are_asked(git_servers, repository, tmp_path):
    remember(tmp_path, git_servers, git_servers.PASSWORD)
    url = f"{git_servers.https}/private/{repository.name}.git"
    run = Fetch(tmp_path, url, ca_file=git_servers.ca)
    assert good(run.end())["commit"] == repository.first
    assert git_servers.PASSWORD not in str(run.events)
    kept = b"".join(path.read_bytes() for path in run.cache.rglob("*") if path.is_file())
    assert git_servers.PASSWORD.encode() not in kept


def test_a_repository_that_it_is_started_in_names_no_helper(
    git_servers, repository, load, tmp_path
):
    ran = tmp_path / "ran"
    repository.git("config", "credential.helper", f"!touch {ran}; echo username=a;")
    url = f"{git_servers.https}/private/{repository.name}.git"
    failed(load(url, cwd=repository.work), errno.EACCES)
    assert not ran.exists()


def test_credentials_that_are_refused_are_sent_once(git_servers, repository, load, tmp_path):
    remember(tmp_path, git_servers, "wrong")
    before = len(git_servers.requests())
    result = load(f"{git_servers.https}/private/{repository.name}.git")
    failed(result, errno.EACCES, "refuses the user and password")
    assert len(git_servers.requests()) - before <= 2


def test_nothing_is_asked_on_a_terminal(git_servers, repository, load, tmp_path):
    """A helper that would ask, and an askpass program that would be shown: neither is run."""
    asked = tmp_path / "asked"
    program = tmp_path / "askpass"
    program.write_text(f"#!/bin/sh\ntouch {asked}\necho x\n")
    program.chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[core]\n\taskPass = {program}\n")
    env = {"SSH_ASKPASS": str(program), "GIT_ASKPASS": str(program), "DISPLAY": ":0"}
    url = f"{git_servers.https}/private/{repository.name}.git"
    failed(load(url, env=env), errno.EACCES)
    assert not asked.exists()
