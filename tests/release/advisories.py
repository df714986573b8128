"""Known vulnerabilities, from a pinned file: fixtures/advisories.json, records in the OSV format.

The file says until when it knows of any, and which distributions were looked up: the absence of an
advisory means something for those alone. https://ossf.github.io/osv-schema/ has the format; its
section on evaluation has the rule that `affected` follows, for ranges of the type ECOSYSTEM and
lists of versions (a range of commits says nothing about a release).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from release.pins import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FILE: Final = ROOT / "fixtures/advisories.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was known about some distributions on a day; `records` are by name, as OSV has them."""

    source: str
    until: date
    looked_up: frozenset[NormalizedName]
    records: Mapping[NormalizedName, tuple[Mapping[str, Any], ...]]

    def affecting(self, name: NormalizedName, version: Version) -> list[Mapping[str, Any]]:
        """The records that speak of this version; those that were withdrawn do not count."""
        return [
            record
            for record in self.records.get(name, ())
            if "withdrawn" not in record and affected(record, name, version)
        ]

    def unknown(self, names: Iterable[NormalizedName]) -> list[NormalizedName]:
        """Those that nobody looked up, sorted."""
        return sorted(set(names) - self.looked_up)


def loads(text: str) -> Snapshot:
    """The snapshot in this text.

    Raises:
        ValueError, KeyError: it is none; or a record is about something that was not looked up.
    """
    document = json.loads(text)
    looked_up = frozenset(map(canonicalize_name, document["looked-up"]))
    records: dict[NormalizedName, list[Mapping[str, Any]]] = {}
    for record in document["advisories"]:
        for name in {name for name, _ in _concerned(record)}:
            records.setdefault(name, []).append(record)
    if not looked_up.issuperset(records):
        raise ValueError(
            f"not listed as looked up: {', '.join(sorted(records.keys() - looked_up))}"
        )
    return Snapshot(
        source=document["source"],
        until=date.fromisoformat(document["until"]),
        looked_up=looked_up,
        records={name: tuple(found) for name, found in records.items()},
    )


def affected(record: Mapping[str, Any], name: NormalizedName, version: Version) -> bool:
    """Whether a record is about this version of a distribution."""
    return any(
        _listed(entry, version) or any(_within(events, version) for events in _ranges(entry))
        for concerned, entry in _concerned(record)
        if concerned == name
    )


def _concerned(record: Mapping[str, Any]) -> Iterator[tuple[NormalizedName, Mapping[str, Any]]]:
    for entry in record["affected"]:
        if entry["package"]["ecosystem"] == "PyPI":
            yield canonicalize_name(entry["package"]["name"]), entry


def _listed(entry: Mapping[str, Any], version: Version) -> bool:
    for text in entry.get("versions", ()):
        try:
            if Version(text) == version:
                return True
        except InvalidVersion:  # of a time before PEP 440: it is no pin of ours
            continue
    return False


def _ranges(entry: Mapping[str, Any]) -> Iterator[list[Mapping[str, str]]]:
    for found in entry.get("ranges", ()):
        if found["type"] == "ECOSYSTEM":
            yield found["events"]


def _within(events: Iterable[Mapping[str, str]], version: Version) -> bool:
    """Whether the last event at or before the version begins or goes on with the vulnerability."""
    vulnerable = False
    for event in sorted(events, key=_place):
        ((kind, text),) = event.items()
        at = _version(text)
        if kind == "introduced" and version >= at:
            vulnerable = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            vulnerable = False
    return vulnerable


def _place(event: Mapping[str, str]) -> Version:
    (text,) = event.values()
    return _version(text)


def _version(text: str) -> Version:
    """`0` stands before everything, development releases of 0 included."""
    return Version("0.dev0") if text == "0" else Version(text)
