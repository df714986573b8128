"""Packages of a BuildKit SPDX attestation: an in-toto statement about an image's content.

    {"predicateType": "https://spdx.dev/Document", "predicate": {"packages": [
      {"externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:deb/…"}]}]}}

BuildKit's documentation, "SBOM attestations"; SPDX 2.3, clauses 7.21 and F.3.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pinner.inventory.formats import PACKAGES_LIMIT, Database
from pinner.inventory.packageurl import InvalidPackageUrl, ecosystem_of, parse
from pinner.oci.fields import Field
from pinner.oci.strictjson import MalformedJson, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.inventory.model import Package

SIZE_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of one attestation."""
_VALUES_LIMIT: Final = 750_000
"""Members and elements: what a value costs in memory is not told by its bytes."""
PREDICATE: Final = "https://spdx.dev/Document"
_REFERENCES_LIMIT: Final = 1_000


def packages(statement: bytes) -> Database:
    """The distribution's packages that the document names; it may name none.

    Never raises: what cannot be read, and how many packages of other kinds are left out, is a note.
    """
    found: dict[Package, None] = {}
    counts: Counter[str] = Counter()
    try:
        for entry in _entries(statement):
            try:
                locator = _locator(entry)
                if ecosystem_of(locator) is not None:
                    found[parse(locator)] = None
                elif locator:
                    counts["foreign"] += 1
            except (InvalidPackageUrl, MalformedJson):
                counts["bad"] += 1
    except MalformedJson as error:
        return Database(notes=(f"the SPDX attestation is not read: {error}",))
    notes = []
    if counts["bad"]:
        notes.append(f"packages of the SPDX attestation that cannot be read: {counts['bad']}")
    if counts["foreign"]:
        notes.append(f"packages of other kinds, which are not compared: {counts['foreign']}")
    return Database(packages=tuple(found), notes=tuple(notes))


def _entries(statement: bytes) -> Iterator[Field]:
    if statement.count(b",") > _VALUES_LIMIT:
        raise MalformedJson(f"it has more than {_VALUES_LIMIT} values")
    document = Field(loads(statement, SIZE_LIMIT))
    if document["predicateType"].text() != PREDICATE:
        raise document["predicateType"].wrong("is not that of an SPDX document")
    return document["predicate"]["packages"].items(limit=PACKAGES_LIMIT)


def _locator(entry: Field) -> str:
    """The package's URL: that of a distribution where it has several; empty without any."""
    locators = [
        reference["referenceLocator"].text()
        for reference in entry["externalRefs"].items(limit=_REFERENCES_LIMIT)
        if reference["referenceType"].text(default="") == "purl"
    ]
    return next(filter(ecosystem_of, locators), next(iter(locators), ""))
