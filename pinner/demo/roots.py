"""The packages of the demo's base images, before and after a security update.

Names, versions, dates and CVE ids are those of Debian 12's and Alpine 3.20's own records; sizes
are small. Only packages with changelogs move.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pinner.demo.packages import Change, Package

_KIB: Final = 1024

_GLIBC: Final = (
    Change(
        "2.36-9+deb12u13",
        "bookworm",
        "Mon, 25 Aug 2025 21:11:05 +0200",
        ("CVE-2025-8058: double free after an allocation failure in regcomp",),
    ),
    Change(
        "2.36-9+deb12u11",
        "bookworm",
        "Thu, 29 May 2025 11:41:11 +0200",
        ("CVE-2025-4802: search of LD_LIBRARY_PATH in static setuid binaries",),
    ),
)
_OPENSSL: Final = (
    Change(
        "3.0.17-1~deb12u3",
        "bookworm-security",
        "Fri, 26 Sep 2025 20:59:22 +0200",
        (
            "CVE-2025-9230: read and write out of bounds in RFC 3211 key unwrapping",
            "CVE-2025-9232: read out of bounds in the HTTP client's no_proxy handling",
        ),
    ),
    Change(
        "3.0.17-1~deb12u2",
        "bookworm",
        "Tue, 05 Aug 2025 09:09:41 +0200",
        ("Revert changes that made other programs crash",),
    ),
)
_PERL: Final = (
    Change(
        "5.36.0-7+deb12u2",
        "bookworm-security",
        "Sat, 12 Apr 2025 18:16:31 +0300",
        ("CVE-2024-56406: heap buffer overflow with tr//",),
    ),
    Change(
        "5.36.0-7+deb12u1",
        "bookworm",
        "Sat, 25 Nov 2023 22:59:54 +0200",
        ("CVE-2023-47038: write past the end of a buffer by a user-defined property",),
    ),
)


DEBIAN_UPDATED: Final = (
    Package(
        name="base-files",
        version="12.4+deb12u11",
        section="admin",
        summary="Debian base system miscellaneous files",
        program="usr/share/base-files/profile",
    ),
    Package(
        name="bash",
        version="5.2.15-2+b8",
        section="shells",
        summary="GNU Bourne Again SHell",
        program="usr/bin/bash",
        size=32 * _KIB,
    ),
    Package(
        name="coreutils",
        version="9.1-1",
        section="utils",
        summary="GNU core utilities",
        program="usr/bin/coreutils",
        size=24 * _KIB,
    ),
    Package(
        name="dpkg",
        version="1.21.22",
        section="admin",
        summary="Debian package management system",
        program="usr/bin/dpkg",
        size=12 * _KIB,
    ),
    Package(
        name="libc6",
        version="2.36-9+deb12u13",
        source="glibc",
        summary="GNU C Library: Shared libraries",
        program="usr/lib/libc.so.6",
        size=48 * _KIB,
        changes=_GLIBC,
    ),
    Package(
        name="libssl3",
        version="3.0.17-1~deb12u3",
        source="openssl",
        summary="Secure Sockets Layer toolkit - shared libraries",
        program="usr/lib/libssl.so.3",
        size=24 * _KIB,
        changes=_OPENSSL,
    ),
    Package(
        name="openssl",
        version="3.0.17-1~deb12u3",
        section="utils",
        summary="Secure Sockets Layer toolkit - cryptographic utility",
        program="usr/bin/openssl",
        size=12 * _KIB,
        changes=_OPENSSL,
    ),
    Package(
        name="perl-base",
        version="5.36.0-7+deb12u2",
        source="perl",
        section="perl",
        summary="minimal Perl system",
        program="usr/bin/perl",
        size=32 * _KIB,
        changes=_PERL,
    ),
    Package(
        name="zlib1g",
        version="1:1.2.13.dfsg-1",
        source="zlib",
        summary="compression library - runtime",
        program="usr/lib/libz.so.1",
        size=8 * _KIB,
    ),
)


def _before(package: Package) -> Package:
    """The package as it was before its newest change, where its changelog tells."""
    earlier = package.changes[1:]
    return replace(package, version=earlier[0].version, changes=earlier) if earlier else package


DEBIAN: Final = tuple(map(_before, DEBIAN_UPDATED))

ALPINE: Final = (
    Package(
        name="alpine-baselayout",
        version="3.6.5-r0",
        summary="Alpine base dir structure and init scripts",
        program="etc/profile",
    ),
    Package(
        name="busybox",
        version="1.36.1-r29",
        summary="Size optimized toolbox of many common UNIX utilities",
        program="bin/busybox",
        size=24 * _KIB,
    ),
    Package(
        name="libcrypto3",
        version="3.3.2-r0",
        source="openssl",
        summary="Crypto library from openssl",
        program="lib/libcrypto.so.3",
        size=16 * _KIB,
    ),
    Package(
        name="musl",
        version="1.2.5-r0",
        summary="the musl c library (libc) implementation",
        program="lib/ld-musl.so.1",
        size=12 * _KIB,
    ),
)


def redis_package(version: str) -> Package:
    """redis, as an alpine image carries it."""
    return Package(
        name="redis",
        version=f"{version}-r0",
        summary="Advanced key-value store",
        program="usr/bin/redis-server",
        size=20 * _KIB,
    )
