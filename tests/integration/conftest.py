"""Registries and images for the integration tests (marker `servers`).

Every fixture below is made once a session (for each xdist worker) and shared: tests push under
repositories of their own, and count requests with `recording()`, never in total.

| fixture             | what it is                                                            |
|---------------------|-----------------------------------------------------------------------|
| `plain_registry`    | docker-registry over http, open to all                                |
| `htpasswd_registry` | the same behind Basic: `LOGIN` in `.user`, `.password`                |
| `token_rules`       | what the token server grants and how it answers; a test may change it  |
| `token_server`      | the token server itself: `.requests()`, `.forget()`                   |
| `token_registry`    | docker-registry that sends clients to it; `public/…` for everybody    |
| `tls_registry`      | `plain_registry` behind nginx with an own CA: `.ca_file`              |
| `mirror_registry`   | a pull-through of `plain_registry`                                    |
| `slow_registry`     | `plain_registry` at 2 MB/s a connection; its log has the Range header |
| `docker_daemon`     | a dockerd of the tests' own: `.docker("pull", …)`, `.load(…)`         |
| `layout`            | an OCI layout; `IMAGES` names what is in it                           |
| `push_layout`       | `push_layout(registry, "team/app:1", name="multi")`, by skopeo        |
| `workspace`         | this test's own project, home and store; `workspace.pinner("lock")`   |

    def test_one_get_per_entry(plain_registry, push_layout):
        push_layout(plain_registry, "lock/app:1")
        with plain_registry.recording() as seen:
            ...
        assert seen.counts() == {"GET manifests": 1}

A missing program skips the test aloud, or fails it with PINNER_REQUIRE_SERVERS=1.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from support import pushing, registries
from support.dockerd import Dockerd, dockerd
from support.layouts import LayoutWriter, layer
from support.programs import require
from support.tls import Authority
from support.tokenserver import Rules, TokenServer
from support.tokenserver import token_server as serve_tokens
from support.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.registries import Registry

LOGIN: Final = ("ada", "open sesame: ü")

# multi: three platforms that share a layer; single: a lone manifest; large: a layer of 5 MB.
IMAGES: Final = ("multi", "single", "large")


class PushLayout(Protocol):
    """Pushes the image `name` of `layout` to `repository:tag` of a registry."""

    def __call__(self, registry: Registry, repository_tag: str, name: str = "multi") -> None: ...


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def plain_registry(servers_folder: Path) -> Iterator[Registry]:
    with registries.plain(servers_folder / "plain") as registry:
        yield registry


@pytest.fixture(scope="session")
def htpasswd_registry(servers_folder: Path) -> Iterator[Registry]:
    folder = servers_folder / "htpasswd"
    with registries.with_htpasswd(folder, user=LOGIN[0], password=LOGIN[1]) as registry:
        yield registry


@pytest.fixture(scope="session")
def _session_rules() -> Rules:
    return Rules()


@pytest.fixture
def token_rules(_session_rules: Rules) -> Iterator[Rules]:
    """The rules as they are at first; what a test changes is undone."""
    saved = replace(_session_rules)
    yield _session_rules
    for name in Rules.__dataclass_fields__:
        setattr(_session_rules, name, getattr(saved, name))


@pytest.fixture(scope="session")
def token_server(servers_folder: Path, _session_rules: Rules) -> Iterator[TokenServer]:
    _session_rules.accounts = {LOGIN[0]: LOGIN[1]}
    with serve_tokens(servers_folder / "tokens", rules=_session_rules) as server:
        yield server


@pytest.fixture(scope="session")
def token_registry(servers_folder: Path, token_server: TokenServer) -> Iterator[Registry]:
    folder = servers_folder / "token-registry"
    user, password = LOGIN
    with registries.with_tokens(folder, token_server, user=user, password=password) as registry:
        yield registry


@pytest.fixture(scope="session")
def authority(servers_folder: Path) -> Authority:
    return Authority.create(servers_folder / "authority")


@pytest.fixture(scope="session")
def tls_registry(
    servers_folder: Path, plain_registry: Registry, authority: Authority
) -> Iterator[Registry]:
    with registries.with_tls(servers_folder / "tls", plain_registry, authority) as registry:
        yield registry


@pytest.fixture(scope="session")
def mirror_registry(servers_folder: Path, plain_registry: Registry) -> Iterator[Registry]:
    with registries.pull_through(servers_folder / "mirror", plain_registry) as registry:
        yield registry


@pytest.fixture(scope="session")
def slow_registry(servers_folder: Path, plain_registry: Registry) -> Iterator[Registry]:
    with registries.limited(servers_folder / "slow", plain_registry, rate="2m") as registry:
        yield registry


@pytest.fixture(scope="session")
def docker_daemon(servers_folder: Path) -> Iterator[Dockerd]:
    with dockerd(servers_folder / "dockerd") as daemon:
        yield daemon


@pytest.fixture(scope="session")
def layout(servers_folder: Path) -> Path:
    writer = LayoutWriter(servers_folder / "layout")
    shared = layer({"etc/os-release": b"ID=tests\n"})
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7")
    images = [
        writer.image(platform, [shared, layer({"app": platform.encode()})])
        for platform in platforms
    ]
    writer.name("multi", writer.index(images))
    writer.name("single", writer.image("linux/amd64", [shared, layer({"app": b"alone"})]))
    noise = random.Random(5).randbytes(5_000_000)
    writer.name("large", writer.image("linux/amd64", [shared, layer({"noise": noise}, level=1)]))
    return writer.folder


@pytest.fixture(scope="session")
def push_layout(layout: Path) -> PushLayout:
    require("skopeo")

    def push(registry: Registry, repository_tag: str, name: str = "multi") -> None:
        pushing.push_layout(registry, layout, name, repository_tag)

    return push


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path / "workspace")
    yield workspace
    workspace.end()
