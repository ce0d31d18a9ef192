"""Results that a service gives as an address elsewhere: a host that is granted is asked without the
key, any other not at all, with words that say what to do."""

import contextlib
import errno
import http.server
import json
import socket
import ssl
import threading

import pytest
from harness.git import Certificates
from harness.loading import KEY, declared, ready
from harness.queue import fails
from harness.wait import seconds

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde" + bytes(range(256))


class Files(http.server.BaseHTTPRequestHandler):
    """Where the results lie. What it was asked stands in the server's `asked`."""

    def do_GET(self):
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        where = self.server.leads.get(self.path)
        self.send_response(302 if where else 200)
        if where:
            self.send_header("Location", where)
        body = b"" if where else PNG
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(certificates=None):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        if certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.certificate, certificates.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.asked, server.leads = [], {}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(seconds(10))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def files(certificates):
    """The second host: https://localhost, by a CA of the test's own."""
    with serving(certificates) as server:
        server.url = f"https://localhost:{server.server_port}"
        yield server


@pytest.fixture
def third():
    """A third, which nobody granted."""
    with serving() as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server


@pytest.fixture
def picture(mount, queue, files, certificates, tmp_path, simulated):
    """A model of fal's queue by a manifest from outside, which names the second host."""
    endpoints = f"[{{host: localhost, port: {files.server_port}}}]"
    more = {"driver": "fal", "base_url": queue.url + "/fal", "endpoints": endpoints, "auth": "{scheme: Key}"}
    (tmp_path / "acme").mkdir()
    for name, text in declared(simulated, capabilities="[text-to-image]", **more).items():
        (tmp_path / "acme" / name).write_text(text)
    tree = mount({}, env={"ACME_KEY": KEY, "CONDUITFS_CA_FILE": str(certificates.ca)})
    return ready(tree, tmp_path / "acme").model("sim/image")


def test_a_second_host_that_is_granted_is_asked_without_the_key(picture, queue, files):
    assert picture.ask(f"url={files.url}/a.png x") == PNG
    assert (picture.path / "output.png").read_bytes() == PNG
    ((path, headers),) = files.asked
    assert path == "/a.png" and "authorization" not in headers
    assert KEY not in json.dumps(headers)
    # The service itself was asked with it.
    assert queue.journal("POST /fal/sim/image")[0]["headers"]["authorization"] == f"Key {KEY}"


def test_a_redirect_within_the_hosts_granted_is_followed_without_the_key(picture, files, queue):
    files.leads["/moved.png"] = f"{files.url}/a.png"
    assert picture.ask(f"url={files.url}/moved.png x") == PNG
    assert [path for path, _ in files.asked] == ["/moved.png", "/a.png"]
    assert not any("authorization" in headers for _, headers in files.asked)


def test_a_redirect_to_a_third_host_is_refused_and_leaves_it_alone(picture, files, third):
    files.leads["/a.png"] = f"{third.url}/a.png"
    fails(picture, f"url={files.url}/a.png x", errno.EACCES, f"{third.url} is not among the hosts granted")
    assert third.asked == []


def test_a_redirect_to_another_port_is_refused_and_nobody_connects(picture, files):
    with socket.create_server(("127.0.0.1", 0)) as other:
        files.leads["/a.png"] = f"https://localhost:{other.getsockname()[1]}/a.png"
        fails(picture, f"url={files.url}/a.png x", errno.EACCES, "is not among the hosts granted")
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_a_redirect_to_a_file_is_refused(picture, files):
    files.leads["/a.png"] = "file:///etc/passwd"
    fails(picture, f"url={files.url}/a.png x", errno.EPROTO, "redirects", "'file'")
    assert (picture.path / "turns/last/output").stat().st_size == 0


def test_a_host_that_nobody_named_is_refused_and_the_words_say_what_lets_it(mount, queue, third):
    config = queue.config("fal")
    tree = mount(config).wait_ready("fal")
    model = tree.model("sim/image", "fal")
    said = fails(model, f"url={third.url}/a.png x", errno.EACCES, f"{third.url} is not among the hosts granted")
    assert f'say hosts: ["{third.url}"] for this provider in config.yml' in said
    assert third.asked == []
    config["providers"]["fal"]["hosts"] = [third.url]
    model = mount(config, home="told").wait_ready("fal").model("sim/image", "fal")
    assert model.ask(f"url={third.url}/a.png x") == PNG
    ((_, headers),) = third.asked
    assert "authorization" not in headers


def test_a_host_that_cant_be_one_is_refused_at_the_start(mount, queue):
    config = queue.config("fal")
    config["providers"]["fal"]["hosts"] = ["https://files.acme.example/here"]
    tree = mount(config, start=False)
    ended = tree.background()
    assert ended.status != 0
    assert b"providers.fal.hosts: 'https://files.acme.example/here' is not a host" in ended.err
