"""The demo's registry: pinner's own read-only server over a store in a temporary folder."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pinner.oci.reference import Reference, Repository
from pinner.serve.app import App
from pinner.serve.server import Server, open_listener
from pinner.serve.storecontent import StoreContent
from pinner.store.layout import Store
from pinner.store.names import NamedDescriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pinner.clock import Clock
    from pinner.demo.publications import Publication
    from pinner.serve.message import Request, Response


class DemoRegistry:
    """A registry on loopback whose tags the demo moves.

    Attributes:
        host: `127.0.0.1:port`, as references name it.
    """

    def __init__(self, store: Store, host: str) -> None:
        self._store = store
        self.host = host

    def publish(self, publications: Iterable[Publication]) -> None:
        """Serve these images from now on; a tag that is there already moves."""
        named = []
        for publication in publications:
            for digest, data in publication.image.everything().items():
                self._store.put(digest, data)
            repository = Repository(self.host, publication.repository)
            name = str(Reference(repository, publication.tag))
            named.append(NamedDescriptor(name=name, descriptor=publication.image.descriptor))
        self._store.name_images(named)


@contextmanager
def open_registry(
    folder: Path,
    *,
    clock: Clock,
    observe: Callable[[Request, Response], None] | None = None,
) -> Iterator[DemoRegistry]:
    """An empty registry on a free port of loopback, until the block is left.

    Args:
        folder: where it keeps its images.
        clock: for the server's deadlines.
        observe: told each request and its response.

    Raises:
        StoreError: the disk failed.
    """
    with Store.open(folder) as store:
        listener = open_listener()
        host = "{}:{}".format(*listener.getsockname())
        app = App(StoreContent(store, home=host))
        with Server(listener, app.handle, clock=clock, observe=observe):
            yield DemoRegistry(store, host)
