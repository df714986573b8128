"""Removing what nothing needs: names whose image was left behind, blobs, old partials.

    index.json, leases, blobs --plan--> Pruned --apply--> index.json, then blobs, then partials

What must stay (docs/prune.md):
- what a name reaches, and what another tool's nameless entry in index.json does;
- what a running process holds by a lease (see `leases`);
- what `Keep` names, where it is given.

A member name (see `names`) does not protect by itself: it stays as long as an index that stays has
its manifest. Everything happens under the store's control lock, so that no lease and no name
appears between the look and the removal.
"""

from __future__ import annotations

import contextlib
import math
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import IntegrityError, PinnerError, StoreError
from pinner.oci.descriptor import Descriptor
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.oci.mediatypes import OCI_INDEX
from pinner.oci.stored import stored_manifest
from pinner.store import names
from pinner.store.listing import listed
from pinner.store.mark import Marks
from pinner.store.partial import partial_name
from pinner.store.sweeping import stale, sweep
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pinner.oci.digest import Digest
    from pinner.store.layout import Store
    from pinner.store.mark import Unknown
    from pinner.store.names import NamedDescriptor
    from pinner.store.sweeping import StalePartial

PARTIALS_STAY: Final = 24 * 3600.0
"""Seconds in which somebody may come back for a download that broke off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What lockfiles name.

    Attributes:
        names: as the store has them; every other name is dropped.
        digests: kept with all that is below them in the store.
    """

    names: frozenset[str]
    digests: frozenset[Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneWish:
    """What is to go.

    Attributes:
        keep: None drops no name but those of members that no index has any more.
        older_than: seconds since a blob was fetched; younger ones stay, and names that lead to
            them; None for any age.
        partials_older_than: seconds since a partial was last written.
    """

    keep: Keep | None = None
    older_than: float | None = None
    partials_older_than: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedBlob:
    """A blob and its bytes."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went, or would go.

    Attributes:
        names: those of members last.
        leased: how many blobs stay only since a running process needs them.
    """

    names: tuple[NamedDescriptor, ...]
    blobs: tuple[PrunedBlob, ...]
    partials: tuple[StalePartial, ...]
    leased: int = 0

    @property
    def size(self) -> int:
        """Bytes of the blobs and partials."""
        return sum(blob.size for blob in self.blobs) + sum(one.size for one in self.partials)


def prune(store: Store, wish: PruneWish, *, now: float, dry_run: bool = False) -> Pruned:
    """Remove what nothing needs.

    Args:
        store: where.
        wish: how much.
        now: seconds since the epoch.
        dry_run: remove nothing and write nothing; what is told is of a moment ago.

    Raises:
        IntegrityError: a manifest that is needed cannot be read, so that nobody knows which blobs
            it needs; nothing was removed.
        StoreError: the same of index.json or a lease; or the disk refused.
    """
    with contextlib.ExitStack() as stack:
        held = None if dry_run else stack.enter_context(store.locked())
        folder = stack.enter_context(store.ingest_folder())
        document = store.index()
        leased = store.leased(tidy=held is not None)
        plan = _plan(store, document, wish, leased, now=now)
        keep = {partial_name(digest) for digest in leased}
        before = now - wish.partials_older_than
        partials: Iterable[StalePartial] = ()
        if held is None:
            if folder is not None:
                partials = stale(folder, before=before, keep=keep)
        else:
            if plan.names:
                gone = {one.name for one in plan.names}
                store.replace_index(held, names.without(document, gone))
            for blob in plan.blobs:
                store.blobs.remove(blob.digest)
            if folder is not None:
                partials = sweep(folder, before=before, keep=keep)
        return Pruned(
            names=plan.names, blobs=plan.blobs, partials=tuple(partials), leased=plan.leased
        )


def _plan(
    store: Store, document: dict[str, Any], wish: PruneWish, leased: set[Digest], *, now: float
) -> Pruned:
    cutoff = math.inf if wish.older_than is None else now - wish.older_than
    sizes: dict[Digest, int] = {}
    young: set[Digest] = set()
    for one in listed(store.blobs):
        if one.digest is not None and stat.S_ISREG(one.stat.st_mode):
            sizes[one.digest] = one.stat.st_size
            if one.stat.st_mtime >= cutoff:
                young.add(one.digest)
    marks = Marks(
        sizes=sizes,
        read=lambda digest: store.read(digest, MANIFEST_LIMIT),
    )
    _refuse_malformed(store, document)
    dropped = _mark_names(document, wish.keep, marks, young)
    if marks.unknown:
        raise _not_known(marks.unknown)
    unneeded = [digest for digest in sizes if digest not in marks.needed and digest not in young]
    return Pruned(
        names=dropped,
        blobs=tuple(
            PrunedBlob(digest=digest, size=sizes[digest])
            for digest in unneeded
            if digest not in leased
        ),
        partials=(),
        leased=sum(1 for digest in unneeded if digest in leased),
    )


def _mark_names(
    document: dict[str, Any], keep: Keep | None, marks: Marks, young: Collection[Digest]
) -> tuple[NamedDescriptor, ...]:
    """Mark what the names that stay need; the others are returned."""
    entries: dict[str, list[NamedDescriptor]] = {}
    for root in names.roots(document):
        entries.setdefault(root.name, []).append(root)

    def mark(name: str) -> None:
        for root in entries[name]:
            marks.add(root.descriptor, name)

    members: list[str] = []
    dropped: list[str] = []
    for name, roots in entries.items():
        is_listed = keep is not None and name in keep.names
        if not name or is_listed or any(root.descriptor.digest in young for root in roots):
            mark(name)
        elif all(root.is_member for root in roots):
            members.append(name)
        elif keep is None:
            mark(name)
        else:
            dropped.append(name)
    for digest in sorted(keep.digests if keep else ()):
        _mark_locked(digest, marks)
    for name in members:
        below = any(root.descriptor.digest in marks.needed for root in entries[name])
        (mark if below else dropped.append)(name)
    return tuple(root for name in dropped for root in entries[name])


def _mark_locked(digest: Digest, marks: Marks) -> None:
    """Mark what a lockfile names and the store has."""
    if digest not in marks.sizes:
        return
    try:
        kind = stored_manifest(digest, marks.read(digest)).media_type
    except PinnerError:
        kind = OCI_INDEX  # `Marks` meets the damage itself, and tells
    root = Descriptor(media_type=kind, digest=digest, size=marks.sizes[digest])
    marks.add(root, "")


def _refuse_malformed(store: Store, document: Mapping[str, Any]) -> None:
    """An entry that cannot be read may name anything."""
    wrong = names.malformed(dict(document))
    if wrong:
        raise StoreError(
            f"{wrong[0]}, so what it needs is not known: nothing was removed",
            where=safe(str(store.root / names.INDEX_FILE)),
            mend="take the entry out",
        )


def _not_known(unknown: list[Unknown]) -> IntegrityError:
    first = unknown[0]
    name = f" (of {safe(first.name)})" if first.name else ""
    more = f", and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return IntegrityError(
        f"{first.what}{name}{more}, so what is needed below is not known: nothing was removed",
        mend="run `pinner verify --repair`, or give the name up with `pinner rm`",
    )
