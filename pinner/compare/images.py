"""What became of the images behind two lockfiles.

    changed_images -> compare_images: facts of both sides, link, packages -> ImageChange…

Nothing here fails for what cannot be told of one image: that becomes a note of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinner.compare.links import link_between
from pinner.compare.packages import PackageComparison, Pair
from pinner.compare.reading import ImageReader
from pinner.errors import PinnerError
from pinner.terminal import safe
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.compare.fetching import Fetcher
    from pinner.compare.model import ImageChange
    from pinner.compare.packages import Inventory, Told
    from pinner.compare.reading import CompareSource, Side
    from pinner.lockfile import LockedImage
    from pinner.oci.platform import Platform
    from pinner.store.layout import Store

_OFFLINE: Final = "--fetch asks the registry"


def compare_images(
    changes: Sequence[ImageChange],
    *,
    host: Platform,
    store: Store | None,
    jobs: int,
    open_source: Callable[[], CompareSource] | None = None,
    inventory: Inventory | None = None,
    fetcher: Fetcher | None = None,
) -> tuple[ImageChange, ...]:
    """The changes with what can be told of their images.

    Args:
        changes: from `changed_images`, or of an update.
        host: the platform whose images are compared where both pins have it.
        store: where images are looked for; None where there is none yet.
        jobs: how many images are read at once.
        open_source: opens the registry for manifests and configs that the store lacks; None where
            nothing may be asked.
        inventory: reads packages; None where they are not wanted.
        fetcher: downloads what is needed for packages; None where only what is at hand is read.

    Returns:
        The changes in their order. What could not be had is in their notes.

    Raises:
        StoreError: the disk failed while layers were fetched.
    """
    reader = ImageReader(store, open_source, indexes=fetcher is not None)
    chosen = [replace(change, platform=common_platform(change, host)) for change in changes]
    distinct = {_key(change): change for change in reversed(chosen)}
    answers = map_concurrently(
        lambda change: _read(reader, change), list(distinct.values()), jobs=jobs
    )
    read = dict(zip(distinct, answers, strict=True))
    packages: dict[object, Told] = {}
    if inventory is not None:
        pairs = {
            key: Pair(name=distinct[key].name, old=sides.old, new=sides.new)
            for key, sides in read.items()
            if isinstance(sides, _Sides) and sides.old is not None and sides.new is not None
        }
        comparison = PackageComparison(store, reader, inventory, fetcher)
        packages = dict(zip(pairs, comparison.compare(list(pairs.values())), strict=True))
    return tuple(_with(change, read[_key(change)], packages.get(_key(change))) for change in chosen)


def common_platform(change: ImageChange, host: Platform) -> Platform | None:
    """The platform to compare: the host's if both pins have it, else the first that both have.

    Of an entry that is new or gone it is one of the only pin; None where there is none in common.
    """
    before = change.before.platforms if change.before else None
    after = change.after.platforms if change.after else None
    common = [
        platform
        for platform in (before if after is None else after) or ()
        if before is None or platform in before
    ]
    return next((one for one in common if host.matches(one)), next(iter(common), None))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The images of both pins, as far as they could be had."""

    old: Side | None
    new: Side | None
    notes: tuple[str, ...]


def _key(change: ImageChange) -> object:
    """Equal for changes that have the same images on both sides."""
    return tuple(
        (image.repository, image.digest, image.platforms.get(change.platform))
        if image and change.platform
        else None
        for image in (change.before, change.after)
    )


def _read(reader: ImageReader, change: ImageChange) -> _Sides:
    platform = change.platform
    if platform is None:
        return _Sides(old=None, new=None, notes=("the two pins have no platform in common",))
    notes: list[str] = []
    absent: list[str] = []

    def side(image: LockedImage | None, which: str) -> Side | None:
        if image is None:
            return None
        try:
            found = reader.side(image, platform)
        except PinnerError as error:
            notes.append(f"{which} could not be read: {safe(error.what)}")
            return None
        if found is None:
            absent.append(which)
        return found

    both = change.before is not None and change.after is not None
    old = side(change.before, "the older image" if both else "the image")
    new = side(change.after, "the newer image" if both else "the image")
    if absent:
        notes.insert(0, _absence(absent))
    return _Sides(old=old, new=new, notes=tuple(notes))


def _absence(which: Sequence[str]) -> str:
    if len(which) > 1:
        return f"neither image is in the store: {_OFFLINE}"
    return f"{which[0]} is not in the store: {_OFFLINE}"


def _with(change: ImageChange, sides: _Sides | PinnerError, told: Told | None) -> ImageChange:
    if isinstance(sides, PinnerError):
        return replace(change, notes=(safe(sides.what),))
    notes = (*sides.notes, told) if isinstance(told, str) else sides.notes
    return replace(
        change,
        old=sides.old.facts if sides.old else None,
        new=sides.new.facts if sides.new else None,
        link=link_between(
            sides.old.facts.labels if sides.old else {},
            sides.new.facts.labels if sides.new else {},
        ),
        packages=None if isinstance(told, str) else told,
        notes=notes,
    )
