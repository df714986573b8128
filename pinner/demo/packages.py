"""Package databases as Debian and Alpine lay them out, for roots of a few kilobytes.

Versions, and the CVE ids that an upgrade names, are those of Debian 12 and Alpine 3.20; the texts
are shortened and the programs are noise. What reads packages out of images reads these.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.demo.archive import Program, Symlink, gzip, noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.demo.archive import Tree

_MAINTAINER: Final = "Demo Maintainers <demo@registry.example>"
_ALPINE_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a Debian changelog."""

    version: str
    suite: str
    date: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One installed package.

    Attributes:
        version: with epoch and revision, as its package manager writes it.
        source: the source package; empty where it has the package's name.
        summary: the description's first line.
        program: the path of its one file, without a leading slash.
        size: of that file, in bytes.
        changes: the newest first; empty where the image carries no changelog.
    """

    name: str
    version: str
    source: str = ""
    section: str = "libs"
    summary: str
    program: str
    size: int = 4096
    changes: tuple[Change, ...] = ()


def debian_root(packages: Sequence[Package], *, architecture: str, release: str) -> Tree:
    """The files of a Debian 12 root with these packages.

    Args:
        packages: what is installed.
        architecture: Debian's name for it, `amd64`.
        release: the point release, `12.11`.
    """
    tree: dict[str, bytes | Program | Symlink] = {
        "bin": Symlink("usr/bin"),
        "lib": Symlink("usr/lib"),
        "etc/debian_version": f"{release}\n".encode(),
        "etc/os-release": Symlink("../usr/lib/os-release"),
        "usr/lib/os-release": (
            b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n'
            b'VERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n'
        ),
        "var/lib/dpkg/status": "\n".join(
            _dpkg_stanza(package, architecture) for package in packages
        ).encode(),
    }
    for package in packages:
        tree[package.program] = _program(package, architecture)
        tree[f"var/lib/dpkg/info/{package.name}.list"] = f"/.\n/{package.program}\n".encode()
        if package.changes:
            log = "\n".join(_change(package, change) for change in package.changes)
            tree[f"usr/share/doc/{package.name}/changelog.Debian.gz"] = gzip(log.encode())
    return tree


def alpine_root(packages: Sequence[Package], *, architecture: str, release: str) -> Tree:
    """The files of an Alpine root with these packages.

    Args:
        packages: what is installed.
        architecture: as platforms name it, `amd64`.
        release: `3.20.3`.
    """
    tree: dict[str, bytes | Program | Symlink] = {
        "etc/alpine-release": f"{release}\n".encode(),
        "etc/os-release": (
            f'NAME="Alpine Linux"\nID=alpine\nVERSION_ID={release}\n'
            f'PRETTY_NAME="Alpine Linux v{release.rpartition(".")[0]}"\n'
        ).encode(),
        "lib/apk/db/installed": "".join(
            _apk_paragraph(package, architecture) for package in packages
        ).encode(),
        "etc/apk/world": "".join(f"{package.name}\n" for package in packages).encode(),
    }
    for package in packages:
        tree[package.program] = _program(package, architecture)
    return tree


def _program(package: Package, architecture: str) -> Program:
    return Program(noise(f"{package.name} {package.version} {architecture}", package.size))


def _dpkg_stanza(package: Package, architecture: str) -> str:
    source = [f"Source: {package.source}"] if package.source else []
    return "\n".join(
        [
            f"Package: {package.name}",
            "Status: install ok installed",
            "Priority: required",
            f"Section: {package.section}",
            f"Installed-Size: {max(1, package.size // 1024)}",
            f"Maintainer: {_MAINTAINER}",
            f"Architecture: {architecture}",
            *source,
            f"Version: {package.version}",
            f"Description: {package.summary}",
            " Part of the images of `pinner demo`.",
            "",
        ]
    )


def _change(package: Package, change: Change) -> str:
    lines = "\n".join(f"  * {line}" for line in change.lines)
    name = package.source or package.name
    return (
        f"{name} ({change.version}) {change.suite}; urgency=medium\n\n{lines}\n\n"
        f" -- {_MAINTAINER}  {change.date}\n"
    )


def _apk_paragraph(package: Package, architecture: str) -> str:
    folder, _, file = package.program.rpartition("/")
    content = _program(package, architecture).data
    return (
        f"C:{_apk_checksum(f'{package.name}-{package.version}'.encode())}\n"
        f"P:{package.name}\nV:{package.version}\nA:{_ALPINE_ARCHITECTURES[architecture]}\n"
        f"S:{package.size}\nI:{package.size}\nT:{package.summary}\nU:https://registry.example/\n"
        f"L:MIT\no:{package.source or package.name}\nm:{_MAINTAINER}\n"
        f"F:{folder}\nR:{file}\na:0:0:755\nZ:{_apk_checksum(content)}\n\n"
    )


def _apk_checksum(data: bytes) -> str:
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return "Q1" + base64.b64encode(digest).decode()
