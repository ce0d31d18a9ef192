"""Fixtures of the tree tests. Every test has an end; every mount is checked as it goes."""

import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.git import Servers  # noqa: E402
from harness.loading import KEY, ONLY  # noqa: E402
from harness.mount import PROGRAM, Mount  # noqa: E402
from harness.queue import PICTURES, Queue  # noqa: E402
from harness.server import Ollama, Server, Simulated, shared  # noqa: E402
from harness.wait import seconds  # noqa: E402

BOUND = 120


def pytest_configure(config):
    config.addinivalue_line("markers", "bound(seconds): the most this test may take")


def pytest_sessionstart(session):
    # What was started in the background may have it ignored, and would hand that on to what is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not PROGRAM.exists():
        pytest.exit(f"{PROGRAM} isn't there: build it, or name the build in CONDUITFS_BUILD", 2)
    if shared() is None:
        print("no recordings beside the repository (CONDUIT_SHARED): their tests are skipped")


@pytest.fixture(autouse=True)
def bounded(request):
    """Ends a test that takes too long; a read of the tree that waits is interrupted by it."""
    marker = request.node.get_closest_marker("bound")
    bound = seconds(marker.args[0] if marker else BOUND)

    def over(*_):
        raise AssertionError(f"the test took more than {bound:g} s")

    previous = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, bound)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session")
def simulated_server(tmp_path_factory):
    server = Simulated(tmp_path_factory.mktemp("simulated") / "log")
    yield server
    server.stop()


@pytest.fixture
def simulated(simulated_server):
    """The simulated OpenRouter, as new."""
    simulated_server.control(reset=True, clear=True)
    return simulated_server


@pytest.fixture
def ollama(tmp_path):
    """A simulated Ollama of the test's own."""
    server = Ollama(tmp_path / "ollama-log")
    yield server
    server.stop()


@pytest.fixture
def queue(tmp_path):
    """A simulated service with a queue, of the test's own."""
    server = Queue(tmp_path / "queue.log")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def services(tmp_path_factory):
    """Five of them, each a process and a port of its own."""
    made = [Simulated(tmp_path_factory.mktemp("service") / "log") for _ in range(5)]
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def fresh(services):
    """The five, as new."""
    for one in services:
        one.control(reset=True, clear=True)
    return services


@pytest.fixture
def homes(tmp_path):
    """Makes the home of a mount; its path is short, for sockets and for the eye."""

    def make(name="home"):
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        return home

    return make


@pytest.fixture
def mount(homes):
    """Makes mounts: mount(config, env, options, home). Each is ended and checked at the end."""
    made = []

    def make(config=None, env=None, options=(), home="home", start=True):
        one = Mount(homes(home), config, env, options)
        made.append(one)
        return one.start() if start else one

    yield make
    failures = []
    for one in reversed(made):
        try:
            one.stop()
        except AssertionError as error:
            failures.append(str(error))
        finally:
            one.unmount_lazily()
    assert not failures, failures


@pytest.fixture(params=sorted(PICTURES))
def picture(request, mount, queue):
    """A model that makes pictures, at each provider; its name in `provider`."""
    tree = mount(queue.config(request.param)).wait_ready(request.param)
    model = tree.model(PICTURES[request.param][1], request.param)
    model.tree, model.provider = tree, request.param
    model.begins = PICTURES[request.param][2]
    model.queue = queue
    return model


@pytest.fixture
def tree(mount, simulated):
    """A mount with the simulated OpenRouter, its models there."""
    return mount(simulated.config()).wait_ready()


@pytest.fixture
def echo(tree):
    """The model that answers with its prompt."""
    return tree.model("test/echo:free")


@pytest.fixture
def serve(tmp_path):
    """Starts another server: serve(command, port, env); waits for its port."""
    started = []

    def start(command, port, bound=60, env=None):
        server = Server(command, tmp_path / f"server-{len(started)}.log", port, env)
        started.append(server)
        return server.wait_port(bound)

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def git_servers(tmp_path_factory):
    """git daemon, and nginx with git-http-backend, for the repositories below one directory."""
    servers = Servers(tmp_path_factory.mktemp("git"))
    yield servers
    servers.stop()


@pytest.fixture
def outside(mount, git_servers):
    """A mount that trusts the git servers' CA, with Acme's key in its environment."""

    def make(config=None, env=None, **more):
        env = {"CONDUITFS_CA_FILE": git_servers.ca, "ACME_KEY": KEY, **(env or {})}
        return mount(config or ONLY, env=env, **more)

    return make


@pytest.fixture
def repository(git_servers):
    """A repository of the test's own, with a declared provider on main."""
    return git_servers.fresh()
