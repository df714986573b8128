"""The safety net under every test.

- Home, configuration, caches and credentials: each test has its own empty ones. What the machine
  has (a docker login, a proxy, `PINNER_*`) is out of reach.
- The network: loopback and unix sockets only. An attempt to leave fails the test, even where the
  code under test swallowed the error or ran in another thread.
- The clock: below `tests/unit` the methods of `SystemClock` raise, since time, sleep and chance are
  parameters there. A test of the real clock is marked `real_clock`.

And coverage: processes that tests start are measured where the test asks for it (`measured`), since
it costs 0.1 s each, more than most of them take.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from pinner.clock import SystemClock
from support.catalogue import COLLECTED

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_UNIT = Path(__file__).parent / "unit"
_FORGOTTEN = (
    *("DOCKER_AUTH_CONFIG", "DOCKER_CERT_PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY"),
    *("REGISTRY_AUTH_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"),
)

# A busy machine is no failure: no example has a deadline, and none is drawn too slowly. In CI they
# are the same ones each time; a failure that only chance finds is found before, or by `long`.
_ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _ANY_TIME, max_examples=50)
settings.register_profile("ci", _ANY_TIME, max_examples=100, derandomize=True, database=None)
settings.register_profile("long", _ANY_TIME, max_examples=5000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default")
)


_MEASURING = "COVERAGE_PROCESS_CONFIG"  # which starts coverage in every Python that has it
_measuring = pytest.StashKey[str | None]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep coverage out of the processes to come, and let them heed Ctrl-C.

    A shell starts what is to run in the background deaf to Ctrl-C, and so would be all below it.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    distributes = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    if not distributes:
        config.stash[_measuring] = os.environ.pop(_MEASURING, None)


@pytest.fixture
def measured(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where coverage measures the tests, it measures the processes that this one starts too."""
    settings = pytestconfig.stash[_measuring]
    if settings is not None:
        monkeypatch.setenv(_MEASURING, settings)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Coverage looks away from a test that is `unmeasured`, which then takes half the time."""
    if pyfuncitem.get_closest_marker("unmeasured") is None:
        return (yield)
    tracing = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracing)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the names of all tests, for the fault catalogue."""
    config.stash[COLLECTED] = tuple(item.nodeid for item in items)


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders for `home`: counted, since thousands of `tmp_path` are slow to number."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own empty home folder; the environment points into it and nowhere else."""
    folder = next(_homes)
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PINNER_")]:
        if name != "PINNER_REQUIRE_SERVERS":  # the tests' own
            monkeypatch.delenv(name)
    for name in _FORGOTTEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder / ".docker"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / ".cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / ".local/share"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / ".local/state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / ".run"))
    return folder


def _is_loopback(host: object) -> bool:
    if not isinstance(host, str):
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    attempts: list[str] = []

    def refuse(host: object) -> NoReturn:
        attempts.append(str(host))
        raise PermissionError(f"tests reach loopback only, not {host}")

    def checked(address: Any, family: int) -> None:
        if family != socket.AF_UNIX and not _is_loopback(address[0]):
            refuse(address[0])

    connect, connect_ex, sendto = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.socket.sendto,
    )
    getaddrinfo = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        checked(address, self.family)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        checked(address, self.family)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, *args: Any) -> int:
        checked(args[-1], self.family)
        return sendto(self, *args)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not _is_loopback(name) and not _is_address(name):
            refuse(name)
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket.socket, "sendto", guarded_sendto)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    if attempts:
        pytest.fail(f"this test tried to leave loopback: {', '.join(attempts)}", pytrace=False)


def _is_address(name: str) -> bool:
    """Whether resolving `name` asks nobody."""
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


@pytest.fixture(autouse=True)
def _no_real_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.path.is_relative_to(_UNIT) or request.node.get_closest_marker("real_clock"):
        return

    def touched(*_: object) -> NoReturn:
        raise AssertionError("a unit test touched the machine's clock: pass a fake one")

    for name in ("now", "monotonic", "sleep", "jitter"):
        monkeypatch.setattr(SystemClock, name, touched)
