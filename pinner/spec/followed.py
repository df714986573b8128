r"""Which tags an entry of `[images]` follows: one, one that may move, or the best of many.

image = "node:22.11.0-alpine"                         the tag, whatever it names
image = "node:22.11.0-alpine", update = "minor"       the tag, which an update may move
image = "node", version = ">=22", variant = "alpine"  the newest version
image = "minio", tags = '^RELEASE\.(?P<version>…)$'  the newest of what matches
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.oci.reference import LATEST, InvalidReference, Reference, is_tag
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.tagpolicy import TagWish
    from pinner.tagpolicy.versions import VersionWish
    from pinner.tomlfiles.table import Table

KEYS: Final = ("tag", "version", "variant", "precision", "update", "tags")
_MOST_NUMBERS: Final = 8
_DIGEST: Final = "digest"
_UPDATES: Final = (_DIGEST, "patch", "minor", "major")
_LEAVE_ONE: Final = "leave one of them out"


def read_followed(table: Table, image: Reference | None) -> tuple[Reference, TagWish | None] | None:
    """The reference of the entry with its tag, and which tags a pin may have.

    Args:
        table: the entry.
        image: its `image`; None if that is refused, and then the other keys are still checked.
    """
    tag = table.parsed("tag", _parse_tag, 'a tag: "bookworm"')
    update = table.parsed("update", _parse_update, 'a cap: "minor"')
    wish = _read_version(table) or _read_tags(table)
    if image is None:
        return None
    _refuse_twice(table, image)
    reference = image.with_tag(tag or image.tag)
    is_refused = tag is None and "tag" in table
    if _has_cap(table, image) and update not in {None, _DIGEST} and not is_refused:
        wish = _read_cap(table, reference.tag or LATEST)
    return reference, wish


def _read_version(table: Table) -> VersionWish | None:
    specifier = table.text("version", 'a specifier: ">=22,<23"')
    for key in ("variant", "precision"):
        if key in table and "version" not in table:
            table.problem(key, "goes with a version, and there is none", f"leave {key} out")
    if not {"version", "variant", "precision"} & table.values.keys():
        return None
    # packaging takes longer to import than a spec to read, and few specs need it.
    from pinner.tagpolicy.variants import Variant  # noqa: PLC0415
    from pinner.tagpolicy.versions import VersionWish  # noqa: PLC0415

    variant = table.parsed("variant", Variant.parse, 'the rest of the tag: "alpine"')
    precision = table.number("precision", 1, _MOST_NUMBERS)
    if specifier is None:
        return None

    def wish(text: str) -> VersionWish:
        return VersionWish(
            specifier=text, variant=variant.text if variant else "", precision=precision
        )

    return table.attempt("version", wish, specifier)


def _read_tags(table: Table) -> TagWish | None:
    if "tags" not in table:
        return None
    from pinner.tagpolicy.patterns import PatternWish  # noqa: PLC0415 - few specs need it

    def wish(text: str) -> PatternWish:
        return PatternWish(expression=text)

    return table.parsed("tags", wish, "an expression: '^jdk-(?P<version>[0-9.]+)$'")


def _read_cap(table: Table, tag: str) -> TagWish | None:
    from pinner.tagpolicy.caps import Cap, CapWish  # noqa: PLC0415 - it needs packaging

    def wish(update: str) -> CapWish:
        try:
            return CapWish(floor=tag, cap=Cap(update))
        except InputError as error:
            error.mend = ('only a version can move: leave update out, or use "tags"',)
            raise

    return table.parsed("update", wish, "")


def _refuse_twice(table: Table, image: Reference) -> None:
    """An entry says one thing once, and nothing that another key makes void."""
    named = f'image names the tag "{image.tag}" already' if image.tag is not None else ""
    if named and "tag" in table:
        table.problem("tag", named, _LEAVE_ONE)
    is_tagged = named or ("there is a tag already" if "tag" in table else "")
    for key in ("version", "tags"):
        if key not in table:
            continue
        if is_tagged:
            table.problem(key, is_tagged, _LEAVE_ONE)
        if image.digest is not None:
            what = "image has a digest, so that there is nothing to choose"
            table.problem(key, what, _LEAVE_ONE)
    if "version" in table and "tags" in table:
        table.problem("tags", "there is a version already", _LEAVE_ONE)
    if "update" in table and not _has_cap(table, image):
        if image.digest is not None:
            what = "image has a digest, which never moves"
        else:
            key = "version" if "version" in table else "tags"
            what = f"goes with a tag, and {key} says which tags to follow"
        table.problem("update", what, _LEAVE_ONE)


def _has_cap(table: Table, image: Reference) -> bool:
    """Whether `update` is there and has something to cap."""
    return "update" in table and not (
        image.digest is not None or "version" in table or "tags" in table
    )


def _parse_update(text: str) -> str:
    if text not in _UPDATES:
        raise InputError(
            f'"{safe(text, limit=80)}" is no cap', mend=f"caps are {', '.join(_UPDATES)}"
        )
    return text


def _parse_tag(text: str) -> str:
    if not is_tag(text):
        raise InvalidReference(
            f'"{safe(text, limit=160)}" is not a tag',
            mend="a tag has 1 to 128 letters, digits, _ . - and does not begin with . or -",
        )
    return text
