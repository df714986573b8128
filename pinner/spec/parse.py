"""images.toml from bytes to values, with every problem at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pinner.spec.entry import Defaults, read_entry, read_minimum_age, read_platforms
from pinner.spec.model import Spec
from pinner.tomlfiles.document import Document
from pinner.tomlfiles.registries import read_registries
from pinner.tomlfiles.table import Report, Table

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.spec.model import SpecEntry

SPEC_LIMIT: Final = 1024 * 1024
_TABLES: Final = ("settings", "images", "registries")
_SETTINGS: Final = ("platforms", "minimum-age")


def parse_spec(data: bytes, *, path: str, base: Path) -> Spec:
    """The spec that an images.toml holds; one without entries is a spec of no images.

    Args:
        data: the file, whole.
        path: the file as messages shall name it.
        base: the folder that it is in, from which a relative `ca-file` starts.

    Raises:
        FileProblems: everything that is wrong with it, in the order of the file.
    """
    document = Document.parse(data, path=path, limit=SPEC_LIMIT)
    report = Report(document)
    root = Table(report, (), document.values)
    root.only(_TABLES, "images.toml")
    defaults = _read_settings(root)
    entries = _read_entries(root, document, defaults)
    registries = read_registries(root, base=base, user_wide=False)
    report.settle()
    return Spec(
        entries=tuple(entry for entry in entries if entry is not None),
        platforms=defaults.platforms,
        minimum_age=defaults.minimum_age,
        registries=registries,
    )


def _read_entries(root: Table, document: Document, defaults: Defaults) -> list[SpecEntry | None]:
    images = root.table("images")
    if images is None:
        return []
    layout = document.layout
    return [
        read_entry(images, name, line=layout.line(("images", name)), defaults=defaults)
        for name in images.values
    ]


def _read_settings(root: Table) -> Defaults:
    settings = root.table("settings")
    if settings is None:
        return Defaults(platforms=None, minimum_age=timedelta(0))
    settings.only(_SETTINGS, "[settings]")
    return Defaults(
        platforms=read_platforms(settings),
        minimum_age=read_minimum_age(settings) or timedelta(0),
    )
