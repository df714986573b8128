"""One blob, offered to several repositories, of which some refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pinner.errors import AccessDenied, RegistryError, StoreError, Unavailable
from pinner.mirror.plan import BlobWork
from pinner.mirror.push import BlobMoved, Pusher
from pinner.oci.reference import Repository
from pinner.progress import NullProgress
from support.outcomes import descriptor

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.sinks import BlobContent

A, B, C = (Repository("m.example", name) for name in "abc")
BLOB = descriptor(1, 500)


@dataclass
class FakeSink:
    """Fails as `errors` says, mounts where `mounts` does, and notes what it was asked for."""

    errors: dict[Repository, RegistryError | StoreError] = field(default_factory=dict)
    mounts: frozenset[Repository] = frozenset({A, B, C})
    has: frozenset[Repository] = frozenset()
    asked: list[str] = field(default_factory=list)

    def has_blob(self, repository: Repository, descriptor: Descriptor) -> bool:
        self.asked.append(f"has {repository.path}")
        return repository in self.has

    def mount_blob(
        self, repository: Repository, descriptor: Descriptor, source: Repository
    ) -> bool:
        self.asked.append(f"mount {repository.path} from {source.path}")
        return repository in self.mounts

    def push_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        content: BlobContent,
        advance: Callable[[int], None],
    ) -> None:
        self.asked.append(f"push {repository.path}")
        if repository in self.errors:
            raise self.errors[repository]


@dataclass
class FakeStore:
    """Has the blob, or not."""

    full: bool = True
    blobs: None = None

    def has(self, digest: Digest, size: int) -> bool:
        return self.full


def move(sink: FakeSink, *, full: bool = True, there: Repository | None = None) -> BlobMoved:
    work = BlobWork(
        descriptor=BLOB,
        sources=(),
        images=(),
        there=there,
        upload_to=None if there else A,
        mount_into=(A, B, C) if there else (B, C),
    )
    pusher = Pusher(FakeStore(full), sink, NullProgress())  # type: ignore[arg-type] # parts of both
    return pusher.move(work)


def test_it_is_uploaded_once_and_mounted_from_there() -> None:
    sink = FakeSink()
    moved = move(sink)
    assert sink.asked == ["push a", "mount b from a", "mount c from b"]
    assert (moved.uploaded, moved.mounted, moved.failed, moved.lacking) == (1, 2, {}, ())


def test_a_repository_that_is_denied_does_not_stop_the_others() -> None:
    denied = AccessDenied("no")
    sink = FakeSink(errors={A: denied})
    moved = move(sink)
    assert moved.failed == {A: denied}
    assert sink.asked == ["push a", "has b", "push b", "mount c from b"]
    assert (moved.uploaded, moved.mounted) == (1, 1)


def test_a_registry_that_does_not_answer_is_not_asked_for_each_repository() -> None:
    gone = Unavailable("no answer")
    sink = FakeSink(errors={A: gone})
    assert move(sink).failed == {A: gone, B: gone, C: gone}
    assert sink.asked == ["push a"]


def test_what_is_done_stays_done_when_the_registry_goes() -> None:
    gone = Unavailable("no answer")
    sink = FakeSink(errors={B: gone}, mounts=frozenset())
    moved = move(sink)
    assert (moved.uploaded, moved.failed) == (1, {B: gone, C: gone})


def test_a_mount_that_is_refused_is_an_upload_where_the_store_has_it() -> None:
    sink = FakeSink(mounts=frozenset({B}))
    moved = move(sink, there=Repository("m.example", "x"))
    assert sink.asked == [
        *("mount a from x", "has a", "push a"),
        "mount b from a",
        *("mount c from b", "has c", "push c"),
    ]
    assert (moved.uploaded, moved.mounted) == (2, 1)


def test_a_mount_that_is_refused_is_lacking_where_the_store_has_it_not() -> None:
    moved = move(FakeSink(mounts=frozenset({B})), full=False, there=Repository("m.example", "x"))
    assert (moved.lacking, moved.mounted) == ((A, C), 1)


def test_a_store_that_fails_ends_it() -> None:
    with pytest.raises(StoreError):
        move(FakeSink(errors={A: StoreError("disk")}))
