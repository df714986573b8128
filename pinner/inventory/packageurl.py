"""Packages as package URLs name them (purl): `pkg:deb/debian/libc6@2.36-9?arch=amd64`.

The types deb, apk and rpm of the purl specification; of their qualifiers `arch`, `epoch` (rpm), and
`upstream`, by which Syft names the source: `glibc@2.36-9`, or rpm's source file.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from pinner.inventory.formats import is_word
from pinner.inventory.model import Ecosystem, Package
from pinner.inventory.rpmheader import source_of

_LIMIT: Final = 2048
_ECOSYSTEMS: Final = {each.value: each for each in Ecosystem}
_TYPE: Final = re.compile(r"pkg:/{0,2}([A-Za-z][A-Za-z0-9.+-]{0,30})/")


class InvalidPackageUrl(ValueError):  # noqa: N818 - counted, never shown
    """Text that names no package in a version."""


def ecosystem_of(purl: str) -> Ecosystem | None:
    """Whose package this is; None for the kinds that no distribution's database holds."""
    match = _TYPE.match(purl)
    return _ECOSYSTEMS.get(match[1].lower()) if match else None


def parse(purl: str) -> Package:
    """The package of a URL for which `ecosystem_of` knows the ecosystem.

    Raises:
        InvalidPackageUrl: no name, no version, or one of them cannot be one.
    """
    ecosystem = ecosystem_of(purl)
    if ecosystem is None or len(purl) > _LIMIT:
        raise InvalidPackageUrl
    whole, _, query = purl.partition("#")[0].partition("?")
    path, _, version = whole.rpartition("@")
    name, version = unquote(path.rpartition("/")[2]), unquote(version)
    qualifiers = {
        key.lower(): unquote(value)
        for key, _, value in (each.partition("=") for each in query.split("&"))
    }
    architecture, epoch = qualifiers.get("arch", ""), qualifiers.get("epoch", "")
    if ecosystem is Ecosystem.RPM and epoch.strip("0") and epoch.isascii() and epoch.isdecimal():
        version = f"{epoch}:{version}"
    if not (is_word(name) and is_word(version) and (is_word(architecture) or not architecture)):
        raise InvalidPackageUrl
    source, source_version = _source(ecosystem, qualifiers.get("upstream", ""))
    return Package(
        ecosystem=ecosystem,
        name=name,
        version=version,
        architecture=architecture,
        source=source if is_word(source) else name,
        source_version=source_version if is_word(source_version) else version,
    )


def _source(ecosystem: Ecosystem, upstream: str) -> tuple[str, str]:
    if ecosystem is Ecosystem.RPM:
        return source_of(upstream)
    source, _, version = upstream.partition("@")
    return source, version
