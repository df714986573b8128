"""What an update tells of packages, read back out of its summary and its JSON document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Changes: TypeAlias = dict[str, tuple[str | None, str | None]]
"""The versions before and after of all packages that differ, by name; None where there is none."""
Fixes: TypeAlias = dict[str, set[str]]
"""The CVE ids that packages' changelogs name, by package; those that name none are left out."""

_ROW: Final = re.compile(r"\| `([^`]+)` \| (\S+) \| (\S+) \| (.*) \|")
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")


def told_by_summary(body: str) -> tuple[Changes, Fixes]:
    """The rows of the tables of packages; there is one table."""
    packages: Changes = {}
    fixes: Fixes = {}
    for name, before, after, words in _ROW.findall(body):
        assert name not in packages
        packages[name] = (
            None if before == "added" else before.strip("`"),
            None if after == "removed" else after.strip("`"),
        )
        if named := _CVE.findall(words):
            fixes[name] = set(named)
    return packages, fixes


def told_by_json(change: Mapping[str, Any]) -> tuple[Changes, Fixes]:
    """The same of one image in a JSON document."""
    changes = change["packages"]["changes"]
    packages = {one["name"]: (one["before"], one["after"]) for one in changes}
    assert len(packages) == len(changes)
    named = {one["name"]: {fix["cve"] for fix in one["fixes"]} for one in changes}
    return packages, {name: cves for name, cves in named.items() if cves}
