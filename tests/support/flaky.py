"""A source whose blobs misbehave on demand, around any other source.

source = FlakySource(memory)
source.cut(layer_digest, at=1_000)          # the next stream of this blob breaks off there
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pinner.errors import NotFound, PinnerError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Buffer, Digest
    from pinner.oci.memory import MemorySource
    from pinner.oci.reference import Reference, Repository
    from pinner.oci.sources import BlobStream, RawManifest


@dataclass(frozen=True, slots=True)
class Opened:
    """One request for a blob."""

    repository: str
    digest: Digest
    start: int
    end: int | None


class FlakySource:
    """Answers `ManifestSource` and `BlobSource` from `inner`, faults first.

    Attributes:
        opened: every request for a blob, in order.
    """

    def __init__(self, inner: MemorySource) -> None:
        self.opened: list[Opened] = []
        self._inner = inner
        self._lock = threading.Lock()
        self._faults: dict[Digest, list[Callable[[BlobStream], BlobStream]]] = defaultdict(list)
        self._gone: set[tuple[str, Digest]] = set()

    def cut(self, digest: Digest, *, at: int) -> None:
        """One stream of this blob breaks off after `at` bytes."""
        self._faults[digest].append(lambda stream: _Changed(stream, cut_at=at))

    def corrupt(self, digest: Digest) -> None:
        """One stream of this blob has its first byte wrong."""
        self._faults[digest].append(lambda stream: _Changed(stream, corrupt=True))

    def remove(self, repository: Repository, digest: Digest) -> None:
        """This repository does not have the blob (or manifest) any more."""
        self._gone.add((str(repository), digest))

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        """As `inner`, unless removed."""
        self._check(repository, digest)
        return self._inner.manifest(repository, digest)

    def head(self, reference: Reference) -> Digest | None:
        """As `inner`."""
        return self._inner.head(reference)

    def open_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        *,
        start: int = 0,
        end: int | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> BlobStream:
        """As `inner`, with the next fault that is laid up for this blob."""
        del avoid  # there is no other source to turn to
        with self._lock:
            self.opened.append(Opened(str(repository), descriptor.digest, start, end))
            faults = self._faults[descriptor.digest]
            fault = faults.pop(0) if faults else None
        self._check(repository, descriptor.digest)
        stream = self._inner.open_blob(repository, descriptor, start=start, end=end)
        return fault(stream) if fault else stream

    def abort(self) -> None:
        """As `inner`."""
        self._inner.abort()

    def _check(self, repository: Repository, digest: Digest) -> None:
        if (str(repository), digest) in self._gone:
            raise NotFound(f"{repository} has no {digest}")


class _Changed:
    def __init__(
        self, inner: BlobStream, *, cut_at: int | None = None, corrupt: bool = False
    ) -> None:
        self.source = inner.source
        self.start = inner.start
        self.end = inner.end
        self.ranged = inner.ranged
        self.last_modified = inner.last_modified
        self._inner = inner
        self._cut_at = cut_at
        self._corrupt = corrupt

    def chunks(self) -> Iterator[Buffer]:
        sent = 0
        for chunk in self._inner.chunks():
            piece = bytes(chunk)
            if self._corrupt and not sent:
                piece = bytes([piece[0] ^ 1]) + piece[1:]
            if self._cut_at is not None and sent + len(piece) > self._cut_at:
                yield piece[: self._cut_at - sent]
                raise self._broken()
            yield piece
            sent += len(piece)

    def _broken(self) -> PinnerError:
        return Unavailable("the body broke off")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._inner.__exit__(kind, error, trace)
