"""What changed inside images, as Markdown: a row of a table and a folded section for each.

A section can be told at three lengths, so that a page with many images keeps within a limit.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from pinner.inventory.model import Changelog, Direction
from pinner.output.markdown import code, details, html_text, link, plain, table
from pinner.output.units import plural, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pinner.compare.model import ImageChange, ImageFacts
    from pinner.inventory.model import PackageChange, PackageChanges
    from pinner.lockfile import LockedImage

HEADS: Final = ("image", "tag", "digest", "age", "size", "packages", "CVEs named fixed")
_MARKS: Final = {
    Direction.UPGRADED: "↑",
    Direction.DOWNGRADED: "↓",
    Direction.ADDED: "added",
    Direction.REMOVED: "removed",
}
_SHORTER_ROWS: Final = 20
_SHORTER_FIXES: Final = 5
_SECONDS_OF_DAY: Final = 86400


class Length(enum.IntEnum):
    """How much a section tells."""

    WHOLE = 0
    """Every package and every CVE."""
    SHORTER = 1
    """The first rows, and of each the first CVEs; the rest is counted."""
    NONE = 2
    """No section: the image's row in the table is all."""


def change_row(change: ImageChange, *, now: datetime) -> tuple[str, ...]:
    """The cells of `HEADS` for one image."""
    return (
        change.name,
        _moved(_tag(change.before), _tag(change.after)),
        _moved(_digest(change.before), _digest(change.after)),
        _moved(_age(change.old, now), _age(change.new, now)),
        _size(change),
        _packages_cell(change),
        _fixes_cell(change.packages),
    )


def change_section(change: ImageChange, length: Length, *, facts: Iterable[str] = ()) -> str:
    """The folded section of one image; empty where it is left out.

    Args:
        change: what became of the image.
        length: how much to tell.
        facts: further lines to end with, Markdown.
    """
    if length is Length.NONE:
        return ""
    body = [
        *_package_table(change.packages, length),
        *(f"- {line}\n" for line in (*_facts(change), *facts)),
        *(f"- {plain(note)}\n" for note in _notes(change)),
    ]
    return details(_headline(change), "".join(body))


def _headline(change: ImageChange) -> str:
    words = []
    if change.packages is None:
        words += ["packages not compared"] if _is_uncompared(change) else []
    else:
        words.append(_counts(change.packages) or f"no package {_none_differs(change.packages)}")
        if change.packages.fixes:
            words.append(f"{plural(len(change.packages.fixes), 'CVE')} named fixed")
    told = f": {', '.join(words)}" if words else ""
    tag = _moved(_tag_text(change.before), _tag_text(change.after))
    return f"<b>{change.name}</b> {html_text(tag)}{told}"


def _package_table(packages: PackageChanges | None, length: Length) -> Iterator[str]:
    if packages is None or not packages.changes:
        return
    shorter = length is Length.SHORTER
    shown = packages.changes[:_SHORTER_ROWS] if shorter else packages.changes
    heads = ("package", "from", "to", "CVEs named in its changelog")
    yield table(heads, (_package_row(change, shorter=shorter) for change in shown))
    if len(shown) < len(packages.changes):
        yield f"\n… and {plural(len(packages.changes) - len(shown), 'package')} more\n"
    yield "\n"


def _package_row(change: PackageChange, *, shorter: bool) -> tuple[str, ...]:
    return (
        code(change.name),
        _mark(change.before, "added"),
        _mark(change.after, "removed"),
        _fixes(change, shorter=shorter),
    )


def _mark(version: str | None, absence: str) -> str:
    return absence if version is None else code(version)


def _fixes(change: PackageChange, *, shorter: bool) -> str:
    if change.changelog is Changelog.ABSENT:
        return "changelog not in the image"
    if change.direction is Direction.DOWNGRADED:
        return "downgraded"
    shown = change.fixes[:_SHORTER_FIXES] if shorter else change.fixes
    words = [f"{fix.cve} ({fix.urgency})" if fix.urgency else fix.cve for fix in shown]
    if len(shown) < len(change.fixes):
        words.append(f"and {len(change.fixes) - len(shown)} more")
    return ", ".join(words)


def _facts(change: ImageChange) -> Iterator[str]:
    repositories = [code(str(pin.repository)) for pin in (change.before, change.after) if pin]
    yield f"image: {_moved(repositories[0], repositories[-1])}"
    if change.before and change.after and change.before.digest != change.after.digest:
        yield f"`{change.before.digest}` → `{change.after.digest}`"
    if change.link:
        yield link("compare the source", change.link)
    yield from _label_moves(change)
    for words, platforms in (("gained", change.gained), ("lost", change.lost)):
        if platforms and change.before and change.after:
            yield f"platforms {words}: {', '.join(code(str(platform)) for platform in platforms)}"
    if change.platform is not None and (change.new is not None or change.packages is not None):
        yield f"told of {change.platform}"


def _label_moves(change: ImageChange) -> Iterator[str]:
    if change.old is None or change.new is None:
        return
    for label in ("version", "base.name", "base.digest"):
        key = f"org.opencontainers.image.{label}"
        before, after = change.old.labels.get(key), change.new.labels.get(key)
        if before != after:
            yield f"{label}: {code(before or 'none')} → {code(after or 'none')}"


def _notes(change: ImageChange) -> tuple[str, ...]:
    return (*change.notes, *(change.packages.notes if change.packages else ()))


def _packages_cell(change: ImageChange) -> str:
    if change.packages is None:
        return "not compared" if _is_uncompared(change) else ""
    return _counts(change.packages) or f"none {_none_differs(change.packages)}"


def _fixes_cell(packages: PackageChanges | None) -> str:
    """How many CVEs are named; no number where nothing could name any."""
    if packages is None or (packages.notes and not packages.changes):
        return ""
    changelogs = {change.changelog for change in packages.changes}
    if Changelog.ABSENT in changelogs and Changelog.READ not in changelogs:
        return "no changelogs"
    return str(len(packages.fixes))


def _is_uncompared(change: ImageChange) -> bool:
    """Whether packages were to be compared and could not be: a note says why."""
    has_both = change.before is not None and change.after is not None
    return has_both and change.packages is None and bool(change.notes)


def _none_differs(packages: PackageChanges) -> str:
    """What is said of no changes; where there are notes, some may not have been read."""
    return "known to differ" if packages.notes else "changed"


def _counts(packages: PackageChanges) -> str:
    """`5 ↑, 1 added`."""
    found = [(mark, _count(packages, direction)) for direction, mark in _MARKS.items()]
    return ", ".join(f"{count} {mark}" for mark, count in found if count)


def _count(packages: PackageChanges, direction: Direction) -> int:
    return sum(change.direction is direction for change in packages.changes)


def _moved(before: str, after: str) -> str:
    if not before or not after or before == after:
        return after or before
    return f"{before} → {after}"


def _tag(image: LockedImage | None) -> str:
    return code(_tag_text(image)) if image else ""


def _tag_text(image: LockedImage | None) -> str:
    return "" if image is None else image.tag or "by digest"


def _digest(image: LockedImage | None) -> str:
    return f"`{image.digest.short}`" if image else ""


def _age(facts: ImageFacts | None, now: datetime) -> str:
    if facts is None or facts.created is None:
        return ""
    days = (now - facts.created).total_seconds() // _SECONDS_OF_DAY
    return f"{max(0, int(days))} d"


def _size(change: ImageChange) -> str:
    if change.new is None:
        return ""
    if change.old is None or change.kept_layers is None:
        return size(change.new.size)
    kept = f"{change.kept_layers} of {plural(len(change.new.layers), 'layer')} kept"
    return f"{_moved(size(change.old.size), size(change.new.size))} ({kept})"
