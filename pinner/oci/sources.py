"""What the use cases ask of a registry, as small protocols; `registry` and `memory` answer them.

Raised by every method here: `NotFound`, `AccessDenied`, `RateLimited`, `Unavailable`,
`ProtocolError` (all `RegistryError`), and `IntegrityError` where bytes do not match their digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Buffer, Digest
    from pinner.oci.reference import Reference, Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class RawManifest:
    """A manifest or index as it came: the digest is computed from `data`, never from a header.

    Attributes:
        media_type: the Content-Type without parameters.
        last_modified: the registry's own time for it in seconds since the epoch; None where it
            gives none. What a mirror says of time does not count.
    """

    media_type: str
    digest: Digest
    data: bytes
    last_modified: float | None = None


class Resolver(Protocol):
    """Says what a tag names now."""

    def resolve(self, reference: Reference) -> RawManifest:
        """The manifest or index that the reference's tag (or digest) names: one GET."""
        ...

    def head(self, reference: Reference) -> Digest | None:
        """The digest that the reference's digest, else its tag, names, by HEAD alone.

        None where the registry does not say; that may be since there is none.
        """
        ...


class TagLister(Protocol):
    """Lists a repository's tags."""

    def tags(self, repository: Repository) -> tuple[str, ...]:
        """Every valid tag, in the registry's order, without duplicates."""
        ...


class ManifestSource(Protocol):
    """Fetches manifests by digest."""

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        """The manifest or index of this digest; its bytes hash to it."""
        ...


class BlobStream(Protocol):
    """The bytes of a blob, or of a part of it, as they arrive; a context manager.

    Attributes:
        source: who serves it, as `https://host[:port]`, for messages and for `avoid`.
        start: the offset of the first byte within the blob; 0 where a server ignored the range.
        end: the offset behind the last byte that will come.
        ranged: whether the server answered with the closed range that was asked for (206).
    """

    source: str
    start: int
    end: int
    ranged: bool

    @property
    def last_modified(self) -> float | None:
        """The registry's own time for the blob, as `RawManifest` has it."""
        ...

    def chunks(self) -> Iterator[Buffer]:
        """Non-empty pieces in order, `end - start` bytes in all; each valid until the next.

        A body that ends early raises `Unavailable`; bytes beyond `end` are never delivered.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class BlobSource(Protocol):
    """Opens blobs."""

    def open_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        *,
        start: int = 0,
        end: int | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> BlobStream:
        """A stream of the bytes [start, end) of a blob; `end` None means the descriptor's size.

        The whole blob is asked for without a Range header. Mirrors named in `avoid` (those that
        failed or lied for this blob) are left out; the registry itself is asked in any case.
        A Content-Length that contradicts the descriptor is an `IntegrityError` before any byte.
        """
        ...

    def abort(self) -> None:
        """Cut every stream, from any thread; nothing can be asked for afterwards.

        Whoever waits for bytes gets `Unavailable` now, and so has time to keep what came.
        """
        ...
