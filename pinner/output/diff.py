"""The text and the JSON of `pinner diff`: what changed inside the images of a lockfile.

    python  3.12-slim  1a2b3c4d5e6f → 7788990a1122  9 days newer, 45.1 → 45.2 MB, 3 of 4 layers kept
      1 package upgraded; 1 CVE named fixed in its changelog
        perl-base  5.36.0-7 → 5.36.0-8  CVE-2026-1111 (high)
      https://github.com/…/compare/…

Labels, versions and names of packages are foreign: each is made safe, on one line and cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinner.inventory.model import Changelog, Direction
from pinner.oci.digest import Digest, InvalidDigest
from pinner.output.changes import count_packages, facts_phrase, has_same_images, kind
from pinner.output.pins import moved, pin_fields, tag_text
from pinner.output.platforms import for_platforms
from pinner.output.tables import columns
from pinner.output.units import iso, plural
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.compare.model import ImageChange, ImageFacts
    from pinner.inventory.model import PackageChange, PackageChanges

_PREFIX: Final = "org.opencontainers.image."
_LABELS: Final = ("version", "revision", "source", "base.name", "base.digest")
_LINKED: Final = frozenset({"revision", "source"})
_MOST_ROWS: Final = 40
_MOST_FIXES: Final = 4
_NAME: Final = 80
_VERSION: Final = 60
_LABEL: Final = 120


def render_diff(changes: Sequence[ImageChange], *, old: str, new: str) -> str:
    """A row for each image, with what changed inside below it, and the sum.

    Args:
        changes: from `compare_images`.
        old: how the user knows the older lockfile.
        new: the same of the newer one.
    """
    between = f"{safe(old, limit=_LABEL)} and {safe(new, limit=_LABEL)}"
    if not changes:
        return f"No image differs between {between}\n"
    heads = columns(map(_row, changes), indent=0).splitlines(keepends=True)
    sections = [
        head + "".join(_section(change)) for head, change in zip(heads, changes, strict=True)
    ]
    differ = f"{plural(len(changes), 'image')} {'differs' if len(changes) == 1 else 'differ'}"
    compared = for_platforms([[change.platform] for change in changes if change.platform])
    return "".join(sections) + f"{differ} between {between}{compared and f', compared{compared}'}\n"


def diff_fields(changes: Sequence[ImageChange], *, old: str, new: str) -> dict[str, Any]:
    """The JSON document: every package, CVE, layer and note."""
    return {
        "old": safe(old, limit=_LABEL),
        "new": safe(new, limit=_LABEL),
        "images": [change_fields(change) for change in changes],
    }


def change_fields(change: ImageChange) -> dict[str, Any]:
    """The JSON object of one image."""
    return {
        "name": change.name,
        "change": kind(change),
        "before": pin_fields(change.before) if change.before else None,
        "after": pin_fields(change.after) if change.after else None,
        "platforms_gained": list(map(str, change.gained)),
        "platforms_lost": list(map(str, change.lost)),
        "platform": str(change.platform) if change.platform else None,
        "old": _facts_fields(change.old),
        "new": _facts_fields(change.new),
        "kept_layers": change.kept_layers,
        "link": change.link or None,
        "packages": _packages_fields(change.packages),
        "notes": [safe(note) for note in change.notes],
    }


def _row(change: ImageChange) -> tuple[str, ...]:
    pins = [pin for pin in (change.before, change.after) if pin]
    tag = moved(tag_text(pins[0]), tag_text(pins[-1]))
    digest = moved(pins[0].digest.short, pins[-1].digest.short)
    return change.name, tag, digest, facts_phrase(change)


def _section(change: ImageChange) -> Iterator[str]:
    """The lines below an image's row."""
    packages = change.packages
    if packages is not None and not has_same_images(change):
        yield f"  {count_packages(packages)}\n"
        yield _package_rows(packages)
    for label in _LABELS:
        if moved := _label_move(change, label):
            yield f"  {moved}\n"
    if change.link:
        yield f"  {change.link}\n"
    for note in (*change.notes, *(packages.notes if packages else ())):
        yield f"  note: {safe(note)}\n"


def _label_move(change: ImageChange, label: str) -> str:
    """`version 1.2 → 1.3`; what the link shows already is not said twice."""
    if not change.old or not change.new or label in _LINKED:
        return ""
    values = [facts.labels.get(_PREFIX + label, "") for facts in (change.old, change.new)]
    if values[0] == values[1]:
        return ""
    shown = [_label(value) for value in values]
    return f"{label.replace('.', ' ')} {' → '.join(shown)}"


def _label(value: str) -> str:
    """A label's value, cut; of a digest the first digits."""
    try:
        return Digest.parse(value).short
    except InvalidDigest:
        return safe(value, limit=_LABEL) or "none"


def _package_rows(packages: PackageChanges) -> str:
    """Packages with their versions; those that name fixes first, so that a cut spares them."""
    changes = sorted(packages.changes, key=lambda change: not change.fixes)
    shown = changes if len(changes) <= _MOST_ROWS + 1 else changes[:_MOST_ROWS]
    names = [change.name for change in changes]
    rows = columns(
        ((_name(change, among=names), _versions(change), _fixes(change)) for change in shown),
        indent=4,
    )
    left = len(changes) - len(shown)
    return rows + (f"    and {left} more: --json shows all\n" if left else "")


def _name(change: PackageChange, *, among: Sequence[str]) -> str:
    """The name, with the architecture where several packages have it."""
    several = among.count(change.name) > 1 and change.architecture
    return safe(f"{change.name}:{change.architecture}" if several else change.name, limit=_NAME)


def _versions(change: PackageChange) -> str:
    versions = [
        safe(version, limit=_VERSION) for version in (change.before, change.after) if version
    ]
    alone = change.direction in {Direction.ADDED, Direction.REMOVED}
    return f"{change.direction.value} {versions[0]}" if alone else " → ".join(versions)


def _fixes(change: PackageChange) -> str:
    if change.direction is Direction.DOWNGRADED:
        return "downgraded"
    if change.changelog is Changelog.ABSENT:
        return "changelog not in the image"
    shown = change.fixes[:_MOST_FIXES]
    words = [safe(f"{fix.cve} ({fix.urgency})" if fix.urgency else fix.cve) for fix in shown]
    left = len(change.fixes) - len(shown)
    return ", ".join(words) + (f" and {left} more" if left else "")


def _facts_fields(facts: ImageFacts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    return {
        "created": iso(facts.created) if facts.created else None,
        "bytes": facts.size,
        "layers": [{"digest": str(layer.digest), "bytes": layer.size} for layer in facts.layers],
        "labels": {
            _PREFIX + label: safe(facts.labels[_PREFIX + label])
            for label in _LABELS
            if _PREFIX + label in facts.labels
        },
    }


def _packages_fields(packages: PackageChanges | None) -> dict[str, Any] | None:
    if packages is None:
        return None
    return {
        "changes": [
            {
                "ecosystem": change.ecosystem.value,
                "name": safe(change.name),
                "architecture": safe(change.architecture),
                "before": None if change.before is None else safe(change.before),
                "after": None if change.after is None else safe(change.after),
                "change": change.direction.value,
                "changelog": change.changelog.value,
                "fixes": [
                    {"cve": safe(fix.cve), "urgency": safe(fix.urgency)} for fix in change.fixes
                ],
            }
            for change in packages.changes
        ],
        "cves": [safe(fix.cve) for fix in packages.fixes],
        "notes": [safe(note) for note in packages.notes],
    }
