"""What every source of images promises (`pinner.oci.sources`), on each implementation."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from pinner.errors import NotFound
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.memory import MemorySource
from pinner.oci.reference import Reference, Repository
from pinner.oci.remembering import RememberingSource
from pinner.oci.sources import BlobSource, ManifestSource, Resolver, TagLister
from support.clients import opened
from support.registry_content import OCI_MANIFEST
from support.registry_faults import header
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

MANIFEST = b'{"schemaVersion":2}'
BLOB = bytes(range(256)) * 1000
MODIFIED = 1_794_391_200.0  # Wed, 11 Nov 2026 10:00:00 GMT


class Source(Resolver, TagLister, ManifestSource, BlobSource, Protocol):
    """All protocols at once, and the counts."""

    @property
    def counts(self) -> Counter[str]:
        """Requests by kind."""
        ...


@dataclass(frozen=True, kw_only=True)
class Case:
    """A source that holds `MANIFEST` as `tags`, and `BLOB`, in one repository."""

    source: Source
    repository: Repository


@contextmanager
def in_memory(home: Path, tags: tuple[str, ...]) -> Iterator[Case]:
    source = MemorySource()
    repository = Repository.parse("registry.example/team/app")
    for tag in tags:
        reference = Reference(repository, tag)
        source.push(reference, MANIFEST, media_type=OCI_MANIFEST, last_modified=MODIFIED)
    source.push_blob(repository, BLOB, last_modified=MODIFIED)
    source.push_blob(repository, b"")
    yield Case(source=source, repository=repository)


@contextmanager
def over_http(home: Path, tags: tuple[str, ...]) -> Iterator[Case]:
    with RegistrySim() as sim, opened(home) as here:
        sim.always("/v2/", header("Last-Modified", "Wed, 11 Nov 2026 10:00:00 GMT"))
        sim.content.add_manifest("team/app", MANIFEST, OCI_MANIFEST, tags)
        sim.content.add_blob("team/app", BLOB)
        sim.content.add_blob("team/app", b"")
        yield Case(source=here.client, repository=Repository.parse(f"{sim.host}/team/app"))


class _Counted(RememberingSource):
    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.counts = source.counts


@contextmanager
def remembered(home: Path, tags: tuple[str, ...]) -> Iterator[Case]:
    with in_memory(home, tags) as case:
        yield Case(source=_Counted(case.source), repository=case.repository)


@pytest.fixture(
    params=[in_memory, over_http, remembered],
    ids=["MemorySource", "RegistryClient", "RememberingSource"],
)
def case(request: pytest.FixtureRequest, home: Path) -> Iterator[Case]:
    make: Callable[[Path, tuple[str, ...]], AbstractContextManager[Case]] = request.param
    with make(home, ("latest", "stable")) as case:
        yield case


def descriptor(data: bytes = BLOB) -> Descriptor:
    return Descriptor(media_type="", digest=Digest.of(data), size=len(data))


def read(
    case: Case, data: bytes = BLOB, *, start: int = 0, end: int | None = None
) -> tuple[int, int, bytes]:
    with case.source.open_blob(case.repository, descriptor(data), start=start, end=end) as stream:
        pieces = [bytes(piece) for piece in stream.chunks()]
    assert all(pieces), "no empty pieces"
    return stream.start, stream.end, b"".join(pieces)


@pytest.mark.parametrize("tag", ["stable", "latest", None])
def test_resolve_by_tag(case: Case, tag: str | None) -> None:
    raw = case.source.resolve(Reference(case.repository, tag))
    assert (raw.data, raw.digest, raw.media_type) == (MANIFEST, Digest.of(MANIFEST), OCI_MANIFEST)


def test_resolve_by_digest_ignores_the_tag(case: Case) -> None:
    raw = case.source.resolve(Reference(case.repository, "none", Digest.of(MANIFEST)))
    assert raw.data == MANIFEST


def test_head(case: Case) -> None:
    assert case.source.head(Reference(case.repository, "stable")) == Digest.of(MANIFEST)


def test_head_of_a_digest_ignores_the_tag(case: Case) -> None:
    reference = Reference(case.repository, "none", Digest.of(MANIFEST))
    assert case.source.head(reference) == Digest.of(MANIFEST)


@pytest.mark.parametrize("tag", ["none", "stable"])
def test_head_of_what_is_not_there_names_no_digest(case: Case, tag: str) -> None:
    digest = Digest.of(b"none") if tag == "stable" else None
    with suppress(NotFound):
        assert case.source.head(Reference(case.repository, tag, digest)) is None


def test_the_registrys_own_time(case: Case) -> None:
    by_tag = case.source.resolve(Reference(case.repository, "stable"))
    by_digest = case.source.manifest(case.repository, Digest.of(MANIFEST))
    with case.source.open_blob(case.repository, descriptor()) as stream:
        times = (by_tag.last_modified, by_digest.last_modified, stream.last_modified)
    assert times == (MODIFIED, MODIFIED, MODIFIED)


def test_tags(case: Case) -> None:
    assert case.source.tags(case.repository) == ("latest", "stable")


def test_manifest(case: Case) -> None:
    assert case.source.manifest(case.repository, Digest.of(MANIFEST)).data == MANIFEST


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (0, 1), (1, None), (100, 200_000), (255_999, 256_000)]
)
def test_blobs_and_their_parts(case: Case, start: int, end: int | None) -> None:
    stop = len(BLOB) if end is None else end
    assert read(case, start=start, end=end) == (start, stop, BLOB[start:stop])


def test_an_empty_blob(case: Case) -> None:
    assert read(case, b"") == (0, 0, b"")


def test_a_whole_blob_is_not_ranged(case: Case) -> None:
    with case.source.open_blob(case.repository, descriptor()) as stream:
        assert not stream.ranged


def test_a_part_is_ranged(case: Case) -> None:
    with case.source.open_blob(case.repository, descriptor(), start=1, end=2) as stream:
        assert stream.ranged


def test_the_registry_itself_is_asked_even_where_it_is_to_be_avoided(case: Case) -> None:
    with case.source.open_blob(case.repository, descriptor()) as stream:
        avoid = frozenset({stream.source})
    with case.source.open_blob(case.repository, descriptor(), avoid=avoid) as stream:
        assert b"".join(bytes(chunk) for chunk in stream.chunks()) == BLOB


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda c: c.source.resolve(Reference(c.repository, "none")), id="tag"),
        pytest.param(lambda c: c.source.manifest(c.repository, Digest.of(b"none")), id="manifest"),
        pytest.param(lambda c: c.source.open_blob(c.repository, descriptor(b"none")), id="blob"),
        pytest.param(
            lambda c: c.source.tags(Repository(c.repository.registry, "no/such")), id="tags"
        ),
    ],
)
def test_what_is_not_there(case: Case, ask: Callable[[Case], object]) -> None:
    with pytest.raises(NotFound):
        ask(case)


@pytest.mark.parametrize("case", [in_memory, over_http], indirect=True)
def test_requests_are_counted_by_kind(case: Case) -> None:
    reference = Reference(case.repository, "stable")
    case.source.resolve(reference)
    case.source.manifest(case.repository, Digest.of(MANIFEST))
    case.source.head(reference)
    case.source.tags(case.repository)
    read(case)
    assert case.source.counts == {"manifest": 2, "head": 1, "tags": 1, "blob": 1}
