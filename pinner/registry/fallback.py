"""Mirrors first, then the registry: who is asked next when one of them fails.

A mirror that does not have something is asked again for the next thing. One that fails in any
other way (not reachable, refusing, lying) is left for the rest of the run, and that is said once.
The registry itself, which comes last, is never left; its failure is the answer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from pinner.errors import IntegrityError, NotFound, RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.registry.endpoints import Endpoint
    from pinner.registry.urls import Origin

T = TypeVar("T")


def source_of(endpoint: Endpoint) -> str:
    """How an endpoint is named in `BlobStream.source`, in `avoid` and in messages."""
    return str(endpoint.origin)


class Fallback:
    """Remembers which mirrors were left; safe for threads."""

    def __init__(self, note: Callable[[str], None]) -> None:
        """Say to `note` when a mirror is left or lacks something, once for each mirror."""
        self._note = note
        self._lock = threading.Lock()
        self._left: set[Origin] = set()
        self._noted: set[Origin] = set()

    def first(
        self,
        endpoints: Sequence[Endpoint],
        ask: Callable[[Endpoint], T],
        *,
        avoid: frozenset[str] = frozenset(),
    ) -> T:
        """What the first endpoint that does not fail answers.

        Args:
            endpoints: in order, the registry last.
            ask: asks one of them.
            avoid: mirrors that are left out, by `source_of`.

        Raises:
            RegistryError, IntegrityError: of the registry.
        """
        *mirrors, registry = endpoints
        for mirror in mirrors:
            if source_of(mirror) in avoid or self._is_left(mirror):
                continue
            try:
                return ask(mirror)
            except (RegistryError, IntegrityError) as error:
                self._leave(mirror, error)
        return ask(registry)

    def _is_left(self, endpoint: Endpoint) -> bool:
        with self._lock:
            return endpoint.origin in self._left

    def _leave(self, endpoint: Endpoint, error: RegistryError | IntegrityError) -> None:
        with self._lock:
            if not isinstance(error, NotFound):
                self._left.add(endpoint.origin)
            is_new = endpoint.origin not in self._noted
            self._noted.add(endpoint.origin)
        if is_new:
            self._note(f"mirror {endpoint.registry}: {error.what}; the next source is asked")
