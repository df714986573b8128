"""Looking through a whole store: every blob hashed anew, every name followed to its layers.

    verify(store) -> Report     findings as data; nothing is repaired here

A blob that is found corrupt is noted, so that `Store.has` denies it and the next sync fetches it
anew; one that is found good is made durable and needs no second look after a power cut.
"""

from __future__ import annotations

import contextlib
import enum
import stat
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from pinner.errors import PinnerError, StoreError
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.store import names
from pinner.store.listing import listed
from pinner.store.reach import reach
from pinner.terminal import safe
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pinner.oci.digest import Digest
    from pinner.store.layout import Store
    from pinner.store.reach import Lack


class Fault(enum.Enum):
    """What is wrong.

    CORRUPT: a blob whose bytes are not those that its name promises, or cannot be read.
    MISSING: an image that `index.json` names lacks something.
    MALFORMED: `index.json`, one of its entries or a manifest is not what it should be.
    STRAY: something beside the blobs that is none: a link, a folder, a file of another name.
    """

    CORRUPT = "corrupt"
    MISSING = "missing"
    MALFORMED = "malformed"
    STRAY = "stray"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        what: a sentence for the user, safe to print.
        path: the file in question; it need not exist.
        digest: of the blob in question, where there is one.
        images: the names that need it, in the order of `index.json`, and the digest of a nameless
            entry that does; foreign text.
    """

    fault: Fault
    what: str
    path: Path
    digest: Digest | None = None
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found.

    Attributes:
        blobs: how many blobs were hashed.
        size: their bytes.
        images: how many names were followed.
        findings: corrupt blobs first, then the images' and the strays; empty where all is well.
        sound: the blobs that hash to their names.
    """

    blobs: int
    size: int
    images: int
    findings: tuple[Finding, ...]
    sound: frozenset[Digest] = field(default=frozenset(), compare=False)


def verify(store: Store, *, jobs: int, known: Collection[Digest] = ()) -> Report:
    """Read everything that the store holds.

    Args:
        store: which.
        jobs: threads.
        known: blobs that were found sound a moment ago, and are not read again.

    Raises:
        StoreError: a folder of the store cannot be read. What is wrong inside is a finding.
    """
    sizes, strays = _scan(store)
    bad = _corrupt(store, tuple(one for one in sizes if one not in known), jobs)
    document, damage = _index(store)
    users, lacks = _follow(store, document, sizes, bad)
    corrupt = [
        Finding(
            fault=Fault.CORRUPT,
            what=what,
            path=store.path(digest),
            digest=digest,
            images=tuple(users.get(digest, ())),
        )
        for digest, what in bad.items()
    ]
    _settle(store, set(sizes) - set(bad), set(bad))
    return Report(
        blobs=len(sizes),
        size=sum(sizes.values()),
        images=len(_own_names(document) & set(chain(*users.values()))),
        findings=(*corrupt, *damage, *lacks, *strays),
        sound=frozenset(sizes) - frozenset(bad),
    )


def _scan(store: Store) -> tuple[dict[Digest, int], list[Finding]]:
    """The size of each file that is named as a blob, and what else lies beside them."""
    sizes: dict[Digest, int] = {}
    strays: list[Finding] = []
    for one in listed(store.blobs):
        if one.digest is None:
            what = f"{safe(one.path.name)} is not named as a blob"
            strays.append(Finding(fault=Fault.STRAY, what=what, path=one.path))
        elif stat.S_ISREG(one.stat.st_mode):
            sizes[one.digest] = one.stat.st_size
        else:
            what = f"{one.digest} is not a regular file"
            strays.append(Finding(fault=Fault.STRAY, what=what, path=one.path, digest=one.digest))
    return sizes, strays


def _corrupt(store: Store, digests: tuple[Digest, ...], jobs: int) -> dict[Digest, str]:
    """What is wrong with each of these blobs that is not as its name promises."""
    verdicts = map_concurrently(store.blobs.matches, digests, jobs=jobs)
    bad: dict[Digest, str] = {}
    for digest, verdict in zip(digests, verdicts, strict=True):
        if isinstance(verdict, PinnerError):
            bad[digest] = f"blob {digest} {verdict.what}"
        elif not verdict and store.blobs.size(digest) is not None:  # else it was just removed
            bad[digest] = f"blob {digest} has other bytes than its digest names"
        elif verdict and store.blobs.is_foreign(digest):
            bad[digest] = f"blob {digest} belongs to another user, who can change it"
    return bad


def _index(store: Store) -> tuple[dict[str, Any], list[Finding]]:
    path = store.root / names.INDEX_FILE
    try:
        document = store.index()
    except StoreError as error:
        what = f"{names.INDEX_FILE} {error.what}"
        damaged = Finding(fault=Fault.MALFORMED, what=what, path=path)
        return names.loads(names.EMPTY_INDEX), [damaged]
    return document, [
        Finding(fault=Fault.MALFORMED, what=f"{names.INDEX_FILE}: {what}", path=path)
        for what in names.malformed(document)
    ]


def _follow(
    store: Store, document: dict[str, Any], sizes: Mapping[Digest, int], bad: Mapping[Digest, str]
) -> tuple[dict[Digest, list[str]], list[Finding]]:
    """Which images need which blobs, and what they lack.

    A name by digest for a member of an index that is named too is no image of its own.
    """
    users: dict[Digest, list[str]] = {}
    lacks: dict[Digest, Finding] = {}

    def size_of(digest: Digest) -> int | None:
        # What a sync stored since the blobs were listed is not missing.
        return sizes[digest] if digest in sizes else _size_now(store, digest)

    def read(digest: Digest) -> bytes:
        if digest in bad:
            raise StoreError(bad[digest])
        return store.read(digest, MANIFEST_LIMIT)

    for root in names.roots(document):
        found = reach(root.descriptor, size_of, read)
        for digest in found.needed:
            users.setdefault(digest, []).append(root.name or str(root.descriptor.digest))
        for lack in found.lacks:
            if lack.digest not in bad:
                lacks[lack.digest] = _finding(store, lack)
    members = {
        f"@{root.descriptor.digest}"
        for root in names.roots(document)
        if not all(
            name.endswith(f"@{root.descriptor.digest}") for name in users[root.descriptor.digest]
        )
    }
    for digest, named in users.items():
        users[digest] = [name for name in named if name[name.find("@") :] not in members]
    return users, [replace(lack, images=tuple(users[digest])) for digest, lack in lacks.items()]


def _own_names(document: dict[str, Any]) -> set[str]:
    """The names, without those that are there only since another one is."""
    named = names.named(document)
    digests = {str(root.descriptor.digest) for root in named}
    return {
        root.name
        for root in named
        if root.descriptor.annotations.get(names.MEMBER_OF) not in digests
    }


def _size_now(store: Store, digest: Digest) -> int | None:
    try:
        return store.blobs.size(digest)
    except StoreError:
        return None  # a stray, which is told


def _finding(store: Store, lack: Lack) -> Finding:
    return Finding(
        fault=Fault.MALFORMED if lack.is_malformed else Fault.MISSING,
        what=lack.what,
        path=store.path(lack.digest),
        digest=lack.digest,
    )


def _settle(store: Store, good: set[Digest], bad: set[Digest]) -> None:
    """Make durable what is good, and note what is bad."""
    noted = store.ledger.noted()
    # What is bad may be in the note of this boot, whose blobs are trusted.
    if not bad and not good & noted:
        return
    # A store that cannot be written to still gets its report.
    with contextlib.suppress(StoreError):
        for digest in good & noted:
            store.blobs.sync(digest)
        store.ledger.settle_verified(good, bad)
