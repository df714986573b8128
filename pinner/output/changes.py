"""What changed inside an image in a few words, for a row of a table.

Everything here is of our own making: labels and packages' names are told by `output.diff`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.inventory.model import Direction
from pinner.output.pins import other_changes
from pinner.output.units import plural, size, size_change, span

if TYPE_CHECKING:
    from pinner.compare.model import ImageChange
    from pinner.inventory.model import PackageChanges

_DIRECTIONS: Final = (
    Direction.UPGRADED,
    Direction.DOWNGRADED,
    Direction.ADDED,
    Direction.REMOVED,
)


def phrase(change: ImageChange) -> str:
    """One image in a few words: `9 days newer, 5 packages, 12 CVEs named fixed`.

    Empty where nothing is known beyond the pins.
    """
    if change.before is None or change.after is None:
        return facts_phrase(change)
    words = [_newer(change), _same(change)]
    if change.packages is None:
        words.append(_sizes(change))
    elif not has_same_images(change):
        count = len(change.packages.changes)
        words.append(plural(count, "package") if count else _no_package(change.packages))
        words.append(_named(change.packages))
    return ", ".join(filter(None, [*words, *other_changes(change.before, change.after)]))


def kind(change: ImageChange) -> str:
    """`added`, `changed` or `removed`."""
    if change.before is None:
        return "added"
    return "changed" if change.after else "removed"


def facts_phrase(change: ImageChange) -> str:
    """What the manifests tell, in one line."""
    facts = change.new or change.old
    if change.before is None or change.after is None:
        told = f"{size(facts.size)} in {plural(len(facts.layers), 'layer')}" if facts else ""
        return ", ".join(filter(None, [kind(change), told]))
    words = [_newer(change), _same(change), _sizes(change)]
    if change.kept_layers is not None and change.new is not None and not has_same_images(change):
        words.append(f"{change.kept_layers} of {plural(len(change.new.layers), 'layer')} kept")
    return ", ".join(filter(None, [*words, *other_changes(change.before, change.after)]))


def _newer(change: ImageChange) -> str:
    """How far apart the two images were made."""
    if not change.old or not change.new or not change.old.created or not change.new.created:
        return ""
    seconds = (change.new.created - change.old.created).total_seconds()
    apart = span(abs(seconds))
    return apart and f"{apart} {'newer' if seconds > 0 else 'older'}"


def has_same_images(change: ImageChange) -> bool:
    """Whether another tag or index leads to the very images that were locked."""
    if change.before is None or change.after is None:
        return False
    return change.before.platforms == change.after.platforms


def _same(change: ImageChange) -> str:
    return "same images" if has_same_images(change) else ""


def _sizes(change: ImageChange) -> str:
    if change.new is None:
        return ""
    return size_change(change.old.size, change.new.size) if change.old else size(change.new.size)


def count_packages(packages: PackageChanges) -> str:
    """`5 packages upgraded, 1 added; 12 CVEs named fixed in their changelogs`."""
    counts = [
        (direction.value, sum(change.direction is direction for change in packages.changes))
        for direction in _DIRECTIONS
    ]
    told = [(word, count) for word, count in counts if count]
    if not told:
        return _no_package(packages)
    first, *others = told
    words = [f"{plural(first[1], 'package')} {first[0]}"]
    words += [f"{count} {word}" for word, count in others]
    named = _named(packages)
    whose = "its changelog" if len(packages.changes) == 1 else "their changelogs"
    return ", ".join(words) + (f"; {named} in {whose}" if named else "")


def _no_package(packages: PackageChanges) -> str:
    return "no package is known to differ" if packages.notes else "no package differs"


def _named(packages: PackageChanges) -> str:
    return f"{plural(len(packages.fixes), 'CVE')} named fixed" if packages.fixes else ""
