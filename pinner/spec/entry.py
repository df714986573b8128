"""One entry of `[images]`: the short form, or a table.

debian = "debian:bookworm"
node   = { image = "node", version = ">=22,<23", variant = "alpine" }
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.spec import followed
from pinner.spec.duration import parse_duration
from pinner.spec.model import SpecEntry
from pinner.terminal import safe
from pinner.tomlfiles.names import NAME_RULE, is_name, key_text
from pinner.tomlfiles.table import type_name

if TYPE_CHECKING:
    from datetime import timedelta

    from pinner.tagpolicy import TagWish
    from pinner.tomlfiles.table import Table

KEYS: Final = (
    "image",
    *followed.KEYS,
    "platforms",
    "minimum-age",
    "immutable",
)
_HINTS: Final = {"digest": 'write it behind the image: image = "node:22@sha256:…"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What `[settings]` says for entries that do not say it themselves."""

    platforms: tuple[Platform, ...] | None
    minimum_age: timedelta


def read_entry(images: Table, name: str, *, line: int, defaults: Defaults) -> SpecEntry | None:
    """The entry `name` of the table `[images]`; None if it has a problem, which is reported."""
    if not is_name(name):
        lower = name.lower()
        mend = f'write "{safe(lower, limit=80)}"' if is_name(lower) else NAME_RULE
        images.problem(name, "cannot be the name of an image", mend)
    value = images.values[name]
    if isinstance(value, str):
        reference = images.attempt(name, Reference.parse, value)
        if reference is None:
            return None
        return _entry(name, reference, None, line=line, defaults=defaults)
    table = images.table(name) if isinstance(value, dict) else None
    if table is not None:
        return _read_table(name, table, line=line, defaults=defaults)
    images.problem(
        name,
        f"is {type_name(value)}",
        f'write {key_text(name)} = "debian:bookworm", or a table with an image',
    )
    return None


def read_platforms(table: Table) -> tuple[Platform, ...] | None:
    """The `platforms` of an entry or of `[settings]`; None for every one that is offered."""
    platforms = table.parsed_list("platforms", Platform.parse_canonical, 'a list: ["linux/amd64"]')
    if platforms == () and not table.values["platforms"]:
        table.problem("platforms", "is empty", "leave it out for every platform that is offered")
    return platforms


def read_minimum_age(table: Table) -> timedelta | None:
    """The `minimum-age` of an entry or of `[settings]`."""
    return table.parsed("minimum-age", parse_duration, 'a duration: "3d", or "0" for none')


def _read_table(name: str, table: Table, *, line: int, defaults: Defaults) -> SpecEntry | None:
    if "image" not in table:
        table.problem(None, "has no image", _mend_of_no_image(name, table))
    table.only(KEYS, "an image", _HINTS)
    reference = table.parsed("image", Reference.parse, 'a reference: "debian:bookworm"')
    platforms = read_platforms(table)
    minimum_age = read_minimum_age(table)
    immutable = table.flag("immutable")
    found = followed.read_followed(table, reference)
    if found is None:
        return None
    return _entry(
        name,
        *found,
        line=line,
        defaults=Defaults(
            platforms=defaults.platforms if platforms is None else platforms,
            minimum_age=defaults.minimum_age if minimum_age is None else minimum_age,
        ),
        immutable=immutable or False,
    )


def _mend_of_no_image(name: str, table: Table) -> str:
    for key in table.values:
        if key[:1].isdigit() and is_name(f"{name}.{key}"):
            return f'if this is one name, write it in quotes: "{name}.{key}"'
    return f'write image = "{safe(name, limit=80)}", for example'


def _entry(
    name: str,
    reference: Reference,
    wish: TagWish | None,
    *,
    line: int,
    defaults: Defaults,
    immutable: bool = False,
) -> SpecEntry:
    if wish is None:
        reference = reference.tag_or_latest()
    return SpecEntry(
        name=name,
        repository=reference.repository,
        tag=reference.tag,
        digest=reference.digest,
        wish=wish,
        platforms=defaults.platforms,
        minimum_age=defaults.minimum_age,
        immutable=immutable,
        line=line,
    )
