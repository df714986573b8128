"""Every registry that the pages name, on loopback: the demo's images behind a proxy.

Programs that are given `environment` reach docker.io, ghcr.io and registry.example over https as
anybody does; the proxy leads all of them here, where a certificate of our own vouches for them.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinner.clock import SystemClock
from pinner.demo.publications import first_publications, rebuilt_debian
from pinner.demo.registry import DemoRegistry
from pinner.serve.app import App
from pinner.serve.server import Server, open_listener
from pinner.serve.storecontent import StoreContent
from pinner.serve.tls import server_context
from pinner.store.layout import Store
from support.proxy import TunnelProxy
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pinner.demo.publications import Publication

_HOSTS: Final = ("registry-1.docker.io", "ghcr.io", "registry.example")
_HOME: Final = "registry.example"
_OWNERS: Final = {"team/app": "acme/app"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The registries, and the way to them.

    Attributes:
        environment: variables that lead a program here.
    """

    registry: DemoRegistry
    environment: Mapping[str, str]

    def rebuild_debian(self) -> None:
        """Let debian:bookworm name another image from now on."""
        self.registry.publish(_placed([rebuilt_debian()]))


def demo_images() -> list[Publication]:
    """The demo's images, where the pages have them: ghcr.io/acme/app, the others on docker.io."""
    return _placed(first_publications())


@contextmanager
def open_network(
    folder: Path, publications: Iterable[Publication], *, rate: float | None = None
) -> Iterator[Network]:
    """The registries, until the block is left.

    Args:
        folder: for their files.
        publications: what they serve; a name on docker.io has its `library/`.
        rate: bytes a second of each connection; as fast as it goes where left out.
    """
    authority = Authority.create(folder / "tls", "pages of pinner")
    certified = authority.issue("registries", names=_HOSTS)
    context = server_context(certified.certificate, certified.key)
    with Store.open(folder / "registry") as store:
        registry = DemoRegistry(store, _HOME)
        registry.publish(publications)
        listener = open_listener()
        port = listener.getsockname()[1]
        app = App(StoreContent(store, home=_HOME))
        with (
            Server(listener, app.handle, clock=SystemClock(), tls=context),
            TunnelProxy(port, rate=rate) as way,
        ):
            yield Network(
                registry=registry,
                environment={
                    "HTTPS_PROXY": f"http://{way.host}",
                    "SSL_CERT_FILE": str(authority.ca_file),
                },
            )


def _placed(publications: Iterable[Publication]) -> list[Publication]:
    return [
        replace(one, repository=_OWNERS.get(one.repository, f"library/{one.repository}"))
        for one in publications
    ]
