"""The licence that a distribution declares, as SPDX writes it, and whether ours admits it.

pinner is under Apache-2.0 and contains none of its dependencies: they are installed beside it. What
they ask for is met by that where they are permissive, and where their copyleft ends at their own
files (MPL-2.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

if TYPE_CHECKING:
    from importlib.metadata import PackageMetadata

ADMITTED: Final = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "PSF-2.0"}
)

# What metadata says that is older than `License-Expression` (PEP 639): the last part of a
# classifier, or the first line of a licence that was pasted whole. "BSD License" names no one text.
_OLD: Final = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


class LicenceError(ValueError):
    """A distribution says nothing that is known to be one licence."""


def declared(metadata: PackageMetadata) -> str:
    """The SPDX expression of an installed distribution or a wheel.

    Raises:
        LicenceError: there is none, or it is not known.
    """
    expression: list[str] = metadata.get_all("License-Expression", [])
    texts = [text.strip().partition("\n")[0] for text in metadata.get_all("License", [])]
    classifiers = [
        line.rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    for said in (*expression, *texts, *classifiers):
        try:
            return canonicalize_license_expression(_OLD.get(said, said))
        except InvalidLicenseExpression:
            continue
    raise LicenceError(f"{metadata['Name']}: no licence that is known: {texts + classifiers}")


def admitted(expression: str) -> bool:
    """Whether one of the alternatives asks for admitted licences only.

    Raises:
        LicenceError: it has parentheses or exceptions, which nobody needed so far.
    """
    if "(" in expression or " WITH " in expression:
        raise LicenceError(f"too hard to judge: {expression}")
    alternatives = (part.split(" AND ") for part in expression.split(" OR "))
    return any(ADMITTED.issuperset(licences) for licences in alternatives)
