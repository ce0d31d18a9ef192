"""Git repositories, and servers for them that nobody here wrote: git daemon, and nginx with
git-http-backend over https with a CA of the test's own. Redirects, refusals, silence and cut
connections are theirs too, or come from a proxy in between."""

import os
import pathlib
import socket
import subprocess
import threading

from harness.server import Server, free_port
from harness.wait import seconds

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}

DECLARED = """\
id: acme-provider
name: Acme
version: 1.0.0
driver: openai
base_url: https://api.acme.dev/v1
capabilities: [text-to-text]
"""


def git(*arguments, cwd, give=None):
    """What git prints, without its last newline."""
    result = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env=os.environ | IDENTITY,
        input=give,
        capture_output=True,
        timeout=seconds(60),
        check=False,
    )
    assert result.returncode == 0, f"git {arguments}: {result.stderr.decode()}"
    return result.stdout.decode().rstrip("\n")


class Repository:
    """A working tree, and the bare repository below `root` that it pushes to, as NAME.git."""

    def __init__(self, root, name):
        self.name = name
        self.bare = root / f"{name}.git"
        self.work = root / f"{name}.work"
        git("init", "-q", "--bare", "-b", "main", str(self.bare), cwd=root)
        git("init", "-q", "-b", "main", str(self.work), cwd=root)
        # What a server may be asked for by its hash, as the large services allow.
        git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=self.bare)
        git("config", "http.receivepack", "true", cwd=self.bare)
        git("remote", "add", "origin", str(self.bare), cwd=self.work)

    def git(self, *arguments, **more):
        return git(*arguments, cwd=self.work, **more)

    def write(self, files):
        for name, content in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files=None, message="change", push=True):
        """Commits these files besides what is there; the commit's hash."""
        self.write({"MediaConduit.provider.yml": DECLARED} if files is None else files)
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        if push:
            self.push()
        return self.head()

    def copy(self, directory):
        """Commits a directory's files, as a provider's of this project."""
        files = {
            str(path.relative_to(directory)): path.read_bytes()
            for path in pathlib.Path(directory).rglob("*")
            if path.is_file()
        }
        return self.commit(files)

    def push(self, *what):
        self.git("push", "-q", "--force", "origin", *(what or ("HEAD",)))

    def head(self, what="HEAD"):
        return self.git("rev-parse", what)

    def tag(self, name, *more):
        self.git("tag", name, *more)
        self.push("--tags")

    def blob(self, content):
        return git("hash-object", "-w", "--stdin", cwd=self.bare, give=content)

    def tree(self, entries):
        """A tree object, in the bare repository, of (mode, name, content or hash) that git itself
        would not make: names are taken as they are."""
        body = b""
        for mode, name, content in entries:
            known = content if isinstance(content, str) else self.blob(content)
            body += f"{mode} ".encode() + name + b"\0" + bytes.fromhex(known)
        literally = ("hash-object", "-w", "-t", "tree", "--literally", "--stdin")
        return git(*literally, cwd=self.bare, give=body)

    def commit_tree(self, entries):
        """Makes main a commit of such a tree, with a manifest beside the entries."""
        manifest = ("100644", b"MediaConduit.provider.yml", DECLARED.encode())
        tree = self.tree(sorted([manifest, *entries], key=lambda entry: entry[1]))
        commit = git("commit-tree", "-m", "odd", tree, cwd=self.bare)
        git("update-ref", "refs/heads/main", commit, cwd=self.bare)
        return commit

    def forget(self):
        """Takes away what no ref leads to, as a server does some day after a forced push."""
        git("reflog", "expire", "--expire=now", "--all", cwd=self.bare)
        git("gc", "-q", "--prune=now", cwd=self.bare)


class Certificates:
    """A CA and a certificate of localhost by it; and a CA that nobody knows."""

    def __init__(self, root):
        self.ca = root / "ca.pem"
        self.key = root / "server.key"
        self.certificate = root / "server.pem"
        self.other_ca = root / "other.pem"
        self.make_ca(root / "ca.key", self.ca)
        self.make_ca(root / "other.key", self.other_ca)
        request, names = root / "server.csr", root / "names"
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", self.key, "-subj", "/CN=localhost", "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", root / "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", names, "-out", self.certificate)

    def make_ca(self, key, certificate):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", key, "-days", "2", "-subj", "/CN=test CA",
                     "-addext", "keyUsage=critical,keyCertSign", "-out", certificate)

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                       timeout=seconds(60))


NGINX = """\
daemon off;
pid {root}/nginx.pid;
error_log {root}/nginx-error.log;
{user}
events {{ worker_connections 64; }}
http {{
    log_format one '$remote_addr $request $status $bytes_sent';
    access_log {root}/nginx-access.log one;
    client_body_temp_path {root}/nginx-body;
    fastcgi_temp_path {root}/nginx-fastcgi;
    proxy_temp_path {root}/nginx-proxy;
    uwsgi_temp_path {root}/nginx-uwsgi;
    scgi_temp_path {root}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location ~ ^/moved/(.*)$ {{ return 302 https://localhost:{port}/$1$is_args$args; }}
        location ~ ^/elsewhere/(.*)$ {{ return 302 https://127.0.0.1:{port}/$1$is_args$args; }}
        location ~ ^/plain/(.*)$ {{ return 302 http://localhost:{port}/$1$is_args$args; }}
        location ~ ^/refused/ {{ return 403; }}
        location ~ ^/broken/ {{ return 503; }}
        location ~ ^/page/ {{ default_type text/html; return 200 "a page"; }}
        location ~ ^/private(?<path>/.*)$ {{
            auth_basic "private";
            auth_basic_user_file {root}/users;
            fastcgi_param PATH_INFO $path;
            include {root}/git.conf;
        }}
        location / {{
            fastcgi_param PATH_INFO $uri;
            include {root}/git.conf;
        }}
    }}
}}
"""

FASTCGI = """\
fastcgi_pass unix:{root}/fcgi;
fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
fastcgi_param GIT_PROJECT_ROOT {repositories};
fastcgi_param GIT_HTTP_EXPORT_ALL 1;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param REMOTE_USER $remote_user;
fastcgi_param REMOTE_ADDR $remote_addr;
"""


class Servers:
    """All the ways to the repositories below one directory. `https` is a URL's beginning:
    f"{servers.https}/acme.git"; below it moved/ and elsewhere/ redirect (to itself, to another
    name), plain/ to http, private/ wants USER and PASSWORD, refused/ is 403, broken/ 503, page/
    no git. What isn't there is 404."""

    USER, PASSWORD = "ann", "sesame-and-lilies"

    def __init__(self, root):
        self.root = root
        self.repositories = root / "repositories"
        self.repositories.mkdir()
        self.certificates = Certificates(root)
        self.made = 0
        self.running = []
        self.proxies = []
        self.https_port = free_port()
        self.git_port = free_port()
        self.start_https()
        self.start_git()

    def start_https(self):
        user = "user root;" if os.getuid() == 0 else ""
        files = {"root": self.root, "repositories": self.repositories}
        certificates = {"certificate": self.certificates.certificate, "key": self.certificates.key}
        (self.root / "users").write_text(f"{self.USER}:{{PLAIN}}{self.PASSWORD}\n")
        (self.root / "git.conf").write_text(FASTCGI.format(**files))
        config = self.root / "nginx.conf"
        config.write_text(NGINX.format(user=user, port=self.https_port, **files, **certificates))
        self.start(["fcgiwrap", "-c", "4", "-s", f"unix:{self.root}/fcgi"], None)
        nginx = ["nginx", "-e", self.root / "nginx-error.log", "-p", self.root, "-c", config]
        self.start(nginx, self.https_port)

    def start_git(self):
        self.start(
            [
                "git",
                "daemon",
                "--listen=127.0.0.1",
                f"--port={self.git_port}",
                f"--base-path={self.repositories}",
                "--export-all",
                "--reuseaddr",
                self.repositories,
            ],
            self.git_port,
        )

    def start(self, command, port):
        log = self.root / f"server-{len(self.running)}.log"
        env = IDENTITY | {"HOME": str(self.root)}
        server = Server(command, log, port or 0, env)
        self.running.append(server)
        if port is not None:
            server.wait_port(20)

    @property
    def https(self):
        return f"https://localhost:{self.https_port}"

    @property
    def git(self):
        return f"git://127.0.0.1:{self.git_port}"

    @property
    def file(self):
        return f"file://{self.repositories}"

    @property
    def ca(self):
        return str(self.certificates.ca)

    def repository(self, name):
        return Repository(self.repositories, name)

    def fresh(self):
        """A repository that nobody else has, with a declared provider on main, commit `first`."""
        self.made += 1
        repository = self.repository(f"acme-{self.made}")
        repository.first = repository.commit()
        return repository

    def requests(self):
        """The lines of the access log: who, the request, status, bytes."""
        log = self.root / "nginx-access.log"
        return log.read_text().splitlines() if log.exists() else []

    def downloads(self, name):
        """How often a pack of a repository was asked for over https; a shallow one takes two
        requests."""
        wanted = f"POST /{name}.git/git-upload-pack"
        return sum(wanted in line for line in self.requests())

    def proxy(self, port, most, then):
        """A port that passes on `most` bytes of what the server at `port` says, and then is
        silent for ever ("stall") or closes ("cut")."""
        proxy = Proxy(port, most, then)
        self.proxies.append(proxy)
        return proxy.port

    def stop(self):
        for proxy in self.proxies:
            proxy.stop()
        for server in reversed(self.running):
            server.stop()


class Proxy:
    """See Servers.proxy. With `connect` it is an HTTP proxy, whose CONNECT leads there whatever
    it names; `named` is what was asked for."""

    def __init__(self, port, most, then, connect=False):
        self.target, self.most, self.then, self.connect = port, most, then, connect
        self.named = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = [self.listener]
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.connections += 1
            self.open += [client, server]
            if self.connect:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(1)
                self.named.append(head.split()[1].decode())
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for way in ((client, server, None), (server, client, self.most)):
                threading.Thread(target=self.copy, args=way, daemon=True).start()

    def copy(self, source, target, most):
        try:
            while most is None or most > 0:
                data = source.recv(65536 if most is None else min(most, 65536))
                if not data:
                    break
                target.sendall(data)
                most = None if most is None else most - len(data)
            if most is None or most > 0 or self.then == "cut":
                target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def stop(self):
        for one in self.open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
