"""Repositories and servers that mean harm, or are just too large: each is refused with the path
named, and nothing of it reaches the cache."""

import errno
import hashlib
import os
import pathlib
import zlib

import pytest
from harness.fetching import MANIFEST, Fetch, failed, fetch, files, good, whole
from harness.git import DECLARED, git
from harness.odd_git import BLOB, REF_DELTA, OddGit, bomb, commit_of, entry, line, name_of, pack

LONG = os.environ.get("CONDUITFS_LONG")


@pytest.fixture
def load(tmp_path, git_servers, repository):
    """Loads the test's repository by git://."""

    def load(**task):
        return fetch(tmp_path, f"{git_servers.git}/{repository.name}.git", **task)

    return load


def nothing_came(home):
    assert not list((home / "cache/files").iterdir())
    assert not list((home / "cache/built").iterdir())
    assert not list((home / "cache/tmp").iterdir())


# ---- trees ----


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../x", b"MediaConduit.provider.yml"])
@pytest.mark.parametrize("scheme", ["git", "file"])
def test_a_symbolic_link_is_refused(git_servers, repository, tmp_path, scheme, target):
    repository.commit_tree([("120000", b"provider.c", target)])
    result = fetch(tmp_path, f"{getattr(git_servers, scheme)}/{repository.name}.git")
    failed(result, errno.EINVAL, "'provider.c' is refused: it is a symbolic link")
    nothing_came(tmp_path)


def test_a_submodule_is_refused(repository, load, tmp_path):
    repository.commit_tree([("160000", b"sub", "1" * 40)])
    failed(load(), errno.EINVAL, "'sub' is refused: it is a submodule")
    nothing_came(tmp_path)


NAMES = {
    "dots": b"..",
    "dot": b".",
    "git": b".git",
    "upper": b".GIT",
    "ignored by HFS+": b".g\xe2\x80\x8cit",
    "byte order mark": b"\xef\xbb\xbf.git",
    "short name of NTFS": b"GIT~1",
    "trailing blank": b".git ",
    "trailing dot": b".git.",
    "stream of NTFS": b".git::$INDEX_ALLOCATION",
    "backslash": b"a\\b",
    "newline": b"a\nb",
    "escape": b"a\x1b[2J",
    "not UTF-8": b"a\xff",
    "too long": b"a" * 256,
    "slash": b"a/b",
    "empty": b"",
}


@pytest.mark.parametrize("kind", ["100644", "40000"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_name_that_means_harm_is_refused(git_servers, repository, tmp_path, name, kind):
    inside = b"x" if kind == "100644" else repository.tree([("100644", b"config", b"x")])
    repository.commit_tree([(kind, name, inside)])
    result = fetch(tmp_path, f"{git_servers.file}/{repository.name}.git")
    assert result["code"] != 0
    assert all(ord(character) >= 32 for character in result["words"])
    nothing_came(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


def test_two_files_of_one_name_are_refused(repository, load, tmp_path):
    repository.commit_tree([("100644", b"a", b"1"), ("100644", b"a", b"2")])
    failed(load(), errno.EEXIST)
    nothing_came(tmp_path)


def test_files_too_deep_are_refused(repository, load, tmp_path):
    inside = repository.tree([("100644", b"a", b"x")])
    for _ in range(17):
        inside = repository.tree([("40000", b"d", inside)])
    repository.commit_tree([("40000", b"d", inside)])
    failed(load(), errno.ELOOP, "more than 16 directories deep")
    nothing_came(tmp_path)


def test_too_many_files_are_refused(repository, load, tmp_path):
    blob = repository.blob(b"x")
    many = repository.tree([("100644", b"%04d" % number, blob) for number in range(2000)])
    repository.commit_tree([("40000", b"many", many)])
    failed(load(), errno.EFBIG, "more than 2000 files and directories")
    nothing_came(tmp_path)


def test_a_tree_that_multiplies_is_refused(repository, load, tmp_path):
    """A few hundred bytes that stand for 10^12 files."""
    inside = repository.tree([("100644", b"a", b"x")])
    for _ in range(12):
        inside = repository.tree([("40000", b"%d" % number, inside) for number in range(10)])
    repository.commit_tree([("40000", b"d", inside)])
    failed(load(), errno.EFBIG, "more than 2000 files and directories")
    nothing_came(tmp_path)


def zeros(repository, size):
    """Writes a blob of zeros as a loose object, a piece at a time; its hash."""
    piece = bytes(1 << 20)
    head = b"blob %d\0" % size
    digest, packer = hashlib.sha1(head), zlib.compressobj(1)
    packed = [packer.compress(head)]
    for _ in range(size >> 20):
        digest.update(piece)
        packed.append(packer.compress(piece))
    packed.append(packer.flush())
    name = digest.hexdigest()
    path = repository.bare / "objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(packed))
    return name


@pytest.mark.parametrize("scheme", ["git", "file"])
def test_a_blob_that_unpacks_to_gigabytes_is_refused(git_servers, repository, tmp_path, scheme):
    size = (1 << 30) if LONG else (160 << 20)
    repository.commit_tree([("100644", b"huge", zeros(repository, size))])
    result = fetch(tmp_path, f"{getattr(git_servers, scheme)}/{repository.name}.git")
    failed(result, errno.EFBIG, "'huge' is refused: it is above 8 MiB")
    nothing_came(tmp_path)


def test_files_too_large_together_are_refused(repository, load, tmp_path):
    blob = zeros(repository, 7 << 20)
    repository.commit_tree([("100644", b"%d" % number, blob) for number in range(5)])
    failed(load(), errno.EFBIG, "above 32 MiB together")
    nothing_came(tmp_path)


# ---- servers that aren't git ----


@pytest.fixture
def odd():
    """Starts a server that says what git never would."""
    started = []

    def start(**what):
        started.append(OddGit(**what))
        return started[-1].url

    yield start
    for server in started:
        server.stop()


def packed(objects, *more, claimed=None):
    """The answer to a request: NAK, and a pack of these objects."""
    entries = [entry(kind, len(body), body) for kind, body in objects]
    return line(b"NAK\n") + pack([*entries, *more], claimed)


def test_a_pack_of_an_honest_server_loads(odd, tmp_path):
    objects = commit_of({MANIFEST: DECLARED.encode()})
    head = {"HEAD": name_of(*objects[0])}
    good(fetch(tmp_path, odd(refs=head, answer=packed(objects))))


def test_a_repository_too_large_to_fetch_is_refused(odd, tmp_path):
    objects = commit_of({MANIFEST: DECLARED.encode()})
    large = os.urandom(1 << 20) * 66
    extra = entry(BLOB, len(large), large, level=0)
    head = {"HEAD": name_of(*objects[0])}
    result = fetch(tmp_path, odd(refs=head, answer=packed(objects, extra)))
    failed(result, errno.EFBIG, "at most 64 MiB")
    nothing_came(tmp_path)
    whole(tmp_path / "cache")


def test_a_delta_that_unpacks_to_gigabytes_is_refused(odd, tmp_path):
    base = bytes(8 << 20)
    objects = [*commit_of({MANIFEST: DECLARED.encode()}), (BLOB, base)]
    delta = bomb(len(base), 512)
    extra = entry(REF_DELTA, len(delta), delta, name_of(BLOB, base))
    head = {"HEAD": name_of(*objects[0])}
    result = fetch(tmp_path, odd(refs=head, answer=packed(objects, extra)))
    assert result["code"] != 0, result
    nothing_came(tmp_path)


def test_an_incomplete_pack_is_refused_and_fetched_afresh(odd, tmp_path):
    objects = commit_of({MANIFEST: DECLARED.encode(), "provider.c": "1" * 40})
    head = {"HEAD": name_of(*objects[0])}
    url = odd(refs=head, answer=packed(objects))
    failed(fetch(tmp_path, url), errno.ENOENT, "isn't whole")
    failed(fetch(tmp_path, url), errno.ENOENT, "isn't whole")
    nothing_came(tmp_path)


@pytest.mark.parametrize("claimed", [0, 1, 1 << 31])
def test_a_pack_that_counts_wrong_is_refused(odd, tmp_path, claimed):
    objects = commit_of({MANIFEST: DECLARED.encode()})
    head = {"HEAD": name_of(*objects[0])}
    url = odd(refs=head, answer=packed(objects, claimed=claimed))
    result = fetch(tmp_path, url, stall_seconds=2)
    assert result["code"] != 0, result
    nothing_came(tmp_path)


def test_a_list_of_refs_without_end_is_ended(odd, tmp_path):
    def refs():
        yield line(b"1" * 40 + b" HEAD\0 ofs-delta\n")
        for count in range(1 << 40):
            yield b"".join(
                line(b"1" * 40 + b" refs/heads/%d\n" % (count * 1000 + k)) for k in range(1000)
            )

    result = fetch(tmp_path, odd(advertisement=refs), stall_seconds=2)
    assert result["code"] != 0, result
    nothing_came(tmp_path)


@pytest.mark.parametrize("said", [b"nonsense" * 1000, b"ffff", b"0000", b"0004", b"0003", b"\0"])
def test_nonsense_is_refused(odd, tmp_path, said):
    result = fetch(tmp_path, odd(advertisement=said), stall_seconds=1)
    assert result["code"] != 0, result
    nothing_came(tmp_path)


def test_words_of_a_server_are_plain(odd, tmp_path):
    said = line(b"ERR \x1b[2Jowned\n\x07" + b"x" * 5000)
    result = fetch(tmp_path, odd(advertisement=said))
    assert "owned" in result["words"] and len(result["words"]) < 1000
    assert all(ord(character) >= 32 for character in result["words"])


# ---- directories ----


@pytest.mark.parametrize("kind", ["link", "fifo", "socket"])
def test_a_directory_with_what_is_no_file_is_refused(tmp_path, kind):
    acme = tmp_path / "acme"
    acme.mkdir()
    (acme / "MediaConduit.provider.yml").write_text("id: acme-provider\n")
    if kind == "link":
        (acme / "odd").symlink_to("/etc/passwd")
    elif kind == "fifo":
        os.mkfifo(acme / "odd")
    else:
        os.mknod(acme / "odd", 0o140600)
    result = fetch(tmp_path, acme)
    assert result["code"] != 0 and "odd" in result["words"], result
    nothing_came(tmp_path)


# ---- configuration, attributes, and what may be read ----


def test_nothing_that_git_would_run_or_change_has_a_part(git_servers, repository, tmp_path):
    """The user's configuration names filters, another address, a monitor; the repository's own
    attributes ask for the filter and other line ends."""
    ran = tmp_path / "ran"
    touch = f"touch {ran}"
    (tmp_path / ".gitconfig").write_text(
        f'[filter "evil"]\n\tsmudge = {touch}\n\tclean = {touch}\n\tprocess = {touch}\n'
        f'[url "file:///nowhere/"]\n\tinsteadOf = {git_servers.git}/\n'
        f"[core]\n\tfsmonitor = {touch}\n\tautocrlf = true\n\tsshCommand = {touch}\n"
        f"\thooksPath = {tmp_path}\n"
    )
    hook = tmp_path / "post-checkout"
    hook.write_text(f"#!/bin/sh\n{touch}\n")
    hook.chmod(0o755)
    content = b"one\ntwo $Id$\n"
    attributes = "* text eol=crlf filter=evil ident\n"
    repository.commit({".gitattributes": attributes, "a.txt": content})
    result = good(fetch(tmp_path, f"{git_servers.git}/{repository.name}.git"))
    assert files(result)["a.txt"] == content
    assert not ran.exists()


def test_a_local_repository_reaches_no_other(git_servers, repository, tmp_path):
    """Its alternates lead to objects outside of it, which the sandbox doesn't let be read."""
    thief = tmp_path / "thief.git"
    git("clone", "-q", "--bare", "--shared", str(repository.bare), str(thief), cwd=tmp_path)
    assert (thief / "objects/info/alternates").exists()
    result = fetch(tmp_path, f"file://{thief}")
    assert result["code"] != 0, result
    nothing_came(tmp_path)


def test_the_process_that_hears_the_server_gave_up_its_privileges(git_servers, tmp_path):
    port = git_servers.proxy(git_servers.git_port, 0, "stall")
    run = Fetch(tmp_path, f"git://127.0.0.1:{port}/x.git")
    assert "connecting" in run.next()["words"]
    (child,) = [pid for pid in run.left() if pid != run.process.pid]
    status = pathlib.Path(f"/proc/{child}/status").read_text()
    limits = pathlib.Path(f"/proc/{child}/limits").read_text()
    run.kill()
    assert "NoNewPrivs:\t1" in status
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
