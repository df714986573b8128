"""The door to the registries: opened when the first request is due, or never.

A run that finds everything at hand pays neither for importing an HTTP client nor for reading
credentials, and needs no network.
"""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from pinner.cli.context import Runtime
    from pinner.oci.reference import Repository
    from pinner.oci.registryconfig import RegistryConfig
    from pinner.registry.client import RegistryClient
    from pinner.registry.pusher import RegistryPusher


class Registries:
    """A registry client to be, for the length of a context.

    Attributes:
        jobs: how many connections there may be at once.
    """

    def __init__(
        self,
        runtime: Runtime,
        configs: Sequence[RegistryConfig],
        *,
        jobs: int,
        note: Callable[[str], None],
    ) -> None:
        self.jobs = jobs
        self._runtime = runtime
        self._configs = tuple(configs)
        self._note = note
        self._lock = threading.Lock()
        self._client: RegistryClient | None = None
        self._pusher: RegistryPusher | None = None

    def open(self) -> RegistryClient:
        """The client, opened by the first call; any thread may ask."""
        from pinner.cli.home import home_needed  # noqa: PLC0415 - not before it is needed
        from pinner.registry.open import Surroundings, open_client  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                with home_needed():
                    home = Path.home()
                around = Surroundings(
                    configs=self._configs,
                    environ=self._runtime.environ,
                    home=home,
                    clock=self._runtime.clock,
                    note=self._note,
                )
                self._client = open_client(around)
            return self._client

    def is_mirrored(self, repository: Repository) -> bool:
        """Whether digests of a repository have another source than its registry."""
        from pinner.registry.endpoints import config_of  # noqa: PLC0415 - few commands ask

        return bool(config_of(repository.registry, self._configs).mirrors)

    def open_pusher(self) -> RegistryPusher:
        """What writes to registries, through the same client."""
        client = self.open()
        with self._lock:
            if self._pusher is None:
                self._pusher = client.pusher()
            return self._pusher

    @property
    def counts(self) -> Counter[str]:
        """Requests so far, by kind; none where nothing was asked."""
        return self._client.counts if self._client else Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client:
            self._client.close()
