"""What an image consists of: manifests, configs, layers, and the package databases in them."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import zlib
from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import zstandard

from fuzz.seeds import files
from fuzz.target import Target, printable, refusing, spliced
from pinner.compare.links import REVISION, link_between
from pinner.inventory import databases, debianchangelog, spdx
from pinner.inventory.decompress import Decompressed, Limits
from pinner.inventory.difference import difference
from pinner.inventory.layer import Budget, read_tar
from pinner.inventory.model import Direction
from pinner.inventory.overlay import Overlay
from pinner.inventory.rpmheader import BadHeader, Header
from pinner.inventory.rpmsqlite import headers
from pinner.inventory.tar import BLOCK
from pinner.inventory.unreadable import Unreadable
from pinner.inventory.wanted import Wanted
from pinner.oci import mediatypes
from pinner.oci.config import MalformedConfig, parse_config
from pinner.oci.digest import Digest
from pinner.oci.manifest import (
    Index,
    MalformedManifest,
    NoSuchPlatform,
    expand,
    parse_manifest,
    select,
)
from pinner.oci.platform import Platform
from pinner.oci.sources import RawManifest
from pinner.oci.strictjson import MalformedJson, loads
from support import tars
from support.rpms import STRING, STRINGS, header
from support.tarlists import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.inventory.formats import Database
    from pinner.oci.descriptor import Descriptor

_PLATFORMS: Final = tuple(map(Platform.parse, ("linux/amd64", "linux/arm/v7", "windows/amd64")))
_MEDIA_TYPES: Final = (
    *("application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"),
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_STATED: Final = re.compile(rb'"mediaType"\s*:\s*"([^"]{0,200})"')
_NESTED: Final = b"""{"schemaVersion": 2, "manifests": [
    {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7, "digest": "sha256:%b"}
]}""" % (b"c" * 64)
_LINK: Final = re.compile(r"(?:https://[a-z0-9.-]+/[A-Za-z0-9._/+-]+)?")
_MEGABYTE: Final = 1024 * 1024
_STATUS: Final = "var/lib/dpkg/status"
_RPM: Final = "var/lib/rpm/rpmdb.sqlite"
_PART: Final = b"\n%%\n"  # between an older database, a newer one and its changelog
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")


def documents(data: bytes) -> None:
    """A document as a manifest of every kind, a config and an attestation."""
    stated = _STATED.search(data)
    for media_type in (*_MEDIA_TYPES, stated[1].decode("utf-8", "replace") if stated else ""):
        with refusing(MalformedManifest):
            found = parse_manifest(
                RawManifest(media_type=media_type, digest=Digest.of(data), data=data)
            )
            if isinstance(found, Index):
                _index(found, data)
            else:
                assert len({blob.digest for blob in found.blobs()}) == len(found.blobs())
                assert all(blob.size >= 0 for blob in found.blobs())
    with refusing(MalformedConfig):
        config = parse_config(data)
        assert Platform.parse(str(config.platform)) == config.platform
        link = link_between({**config.labels, REVISION: "v1"}, config.labels)
        assert _LINK.fullmatch(link), f"a link that must not be shown: {link!r}"
    _database(spdx.packages(data))
    with refusing(MalformedJson):
        assert loads(data, len(data)) == json.loads(data, object_pairs_hook=_unambiguous)


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    assert len(found) == len(pairs), "a key is there twice"
    return found


class _Below:
    """Whatever is asked for is this."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __call__(self, asked: Descriptor) -> RawManifest:
        return RawManifest(media_type=asked.media_type, digest=asked.digest, data=self._data)


def _index(index: Index, data: bytes) -> None:
    printable(*map(str, index.platforms()))
    for nested in (data, _NESTED):
        with refusing(MalformedManifest):
            whole = expand(index, _Below(nested))
            assert not any(mediatypes.is_index(one.media_type) for one in whole.manifests)
    assert all(mediatypes.is_manifest(image.media_type) for image in index.images())
    for platform in _PLATFORMS:
        with refusing(NoSuchPlatform):
            chosen = select(index, platform)
            assert chosen.platform is not None
            assert chosen in index.images()
            assert platform.matches(chosen.platform)


class _Source:
    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step

    def read(self, size: int, /) -> bytes:
        count = min(size, self._step)
        piece, self._data = self._data[:count], self._data[count:]
        return piece


def layers(data: bytes) -> None:
    """A layer's bytes: as they are, packed, and as a tar whose checksums are right."""
    whole, why = _unpacked(data, _MEGABYTE)
    assert (whole, why) == _unpacked(data, 7), "pieces of another size give another result"
    for packed in (gzip.compress(data, mtime=0), zstandard.compress(data)):
        assert _unpacked(packed, 64) == (data, "")
        assert _unpacked(packed[:-1], 64)[1], "a layer that was cut is taken for a whole one"
    for archive in (data, sealed(data)):
        told = ours([archive] if archive else [])
        pieces = (archive[at : at + 300] for at in range(0, len(archive), 300))
        assert ours(pieces) == told, "pieces of another size give another list"
        printable(told[1])
        _contents(archive)


def _unpacked(data: bytes, step: int) -> tuple[bytes, str]:
    """What a layer's bytes decompress to, and why they stop; empty where they do not."""
    limits = Limits(total=4 * _MEGABYTE, ratio_free=_MEGABYTE)
    pieces: list[bytes] = []
    try:
        pieces.extend(Decompressed(_Source(data, step), limits))
    except Unreadable as error:
        printable(str(error))
        return b"", str(error)
    return b"".join(pieces), ""


def _contents(archive: bytes) -> None:
    """What is kept of a layer, and put on top of another."""
    try:
        contents = read_tar([archive] if archive else [], Wanted(changelogs=True), Budget())
    except Unreadable as error:
        printable(str(error))
        return
    printable(*contents.notes)
    for stack in ([contents], [contents, contents], [None, contents]):
        overlay = Overlay(stack, is_whole=True)
        for path in (_STATUS, "lib/apk/db/installed", "usr/share/doc/x/changelog.gz", ""):
            spot = overlay.find(path)
            assert ".." not in spot.real.split("/")


def sealed(data: bytes) -> bytes:
    """The same with a right checksum in every block that may be a header."""
    blocks = [bytearray(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]
    for block in blocks:
        if len(block) == BLOCK and any(block):
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
    return b"".join(map(bytes, blocks))


def packages(data: bytes) -> None:
    """One kind of database by the first byte: stanzas, SQLite, an rpm header, a changelog, two."""
    choice, rest = spliced(data, 5)
    match choice:
        case 0:
            paths = (_STATUS, "var/lib/dpkg/status.d/x", "lib/apk/db/installed")
            _compared(dict.fromkeys(paths, rest))
        case 1:
            _compared({_RPM: rest})
        case 2:
            try:
                found = Header(rest)
                for text in (found.name, found.version, found.architecture, found.source):
                    assert isinstance(text, str)
                assert isinstance(found.changelog, list)
            except BadHeader:
                pass
        case 3:
            for packed in (rest, gzip.compress(rest, mtime=0), zlib.compress(rest)):
                text = debianchangelog.unpack(packed)
                for entry in debianchangelog.parse(text, "glibc"):
                    assert all(fix.cve.startswith("CVE-") for fix in entry.fixes)
        case _:
            old, _, behind = rest.partition(_PART)
            new, _, changelog = behind.partition(_PART)
            status = databases.packages({_STATUS: new})
            logs = {
                f"usr/share/doc/{package.name}/changelog.Debian.gz": changelog
                for package in status.packages[:8]
            }
            _mirrored(databases.packages({_STATUS: old}), status, {_STATUS: new, **logs})


def _compared(found: dict[str, bytes]) -> None:
    database = databases.packages(found)
    _database(database)
    after = difference(database, database, found)
    assert not after.changes
    difference(databases.packages({}), database, found)
    older = tuple(replace(one, version="0~", source_version="0~") for one in database.packages)
    _mirrored(replace(database, packages=older), database, found)


def _mirrored(old: Database, new: Database, files: dict[str, bytes]) -> None:
    """What changed is what changes back, the other way round; upgrades alone name fixes."""
    there, back = difference(old, new, files), difference(new, old, {})
    opposite = {
        Direction.ADDED: Direction.REMOVED,
        Direction.REMOVED: Direction.ADDED,
        Direction.UPGRADED: Direction.DOWNGRADED,
        Direction.DOWNGRADED: Direction.UPGRADED,
    }
    assert Counter(
        (one.name, one.before, one.after, one.direction) for one in there.changes
    ) == Counter((one.name, one.after, one.before, opposite[one.direction]) for one in back.changes)
    for change in there.changes:
        assert change.direction is Direction.UPGRADED or not change.fixes
        assert len({fix.cve for fix in change.fixes}) == len(change.fixes)
        assert all(_CVE.fullmatch(fix.cve) for fix in change.fixes)
    printable(*there.notes)


def _database(database: Database) -> None:
    for package in database.packages:
        for word in (package.name, package.version, package.source, package.source_version):
            assert word
            assert " " not in word
            printable(word)
    printable(*database.notes)


def _document_seeds() -> Iterator[bytes]:
    yield from files("manifests/*.json")
    yield _labelled()
    yield b'{"schemaVersion": 2, "schemaVersion": 2, "manifests": []}'
    yield _index_of_variants()
    yield (
        b'{"predicateType": "https://spdx.dev/Document", "predicate": {"packages": [{"externalRefs"'
        b': [{"referenceType": "purl", "referenceLocator": "pkg:deb/debian/a@1?arch=x"}]}]}}'
    )


def _layer_seeds() -> Iterator[bytes]:
    status = tars.member(b"var/lib/dpkg/status", b"Package: a\nVersion: 1\n")
    yield status + tars.END
    yield tars.long_name(b"lib/apk/db/" + b"n" * 200) + tars.member(b"x") + tars.END
    yield tars.pax(tars.record(b"path", b"var/lib/dpkg/status")) + status
    yield tars.pax(tars.record(b"GNU.sparse.name", b"a"), tars.record(b"size", b"1")) + status
    yield tars.member(b"var/lib/dpkg/.wh.status") + tars.member(b"var/lib/.wh..wh..opq") + tars.END
    yield tars.header(b"var/lib/dpkg", kind=b"2", link=b"../../usr/lib/dpkg") + tars.END
    yield gzip.compress(status, mtime=0)[:200]
    yield zstandard.compress(status)[:200]
    yield b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstandard.compress(b"x")
    yield from _packed_seeds(status + tars.END)
    yield from _linked_seeds(status)


def _packed_seeds(archive: bytes) -> Iterator[bytes]:
    """Several members and frames, what stands behind them, what cannot be read, a bomb."""
    whole = gzip.compress(archive, mtime=0)
    first, second = (gzip.compress(part, mtime=0) for part in (archive[:700], archive[700:]))
    yield first + second
    yield whole + bytes(100)
    yield whole + b"\x1f"
    yield whole + b"behind"
    yield zstandard.compress(archive[:700]) + zstandard.compress(archive[700:])
    yield from (b"BZh91AY&SY", b"\xfd7zXZ\0\0", b"\x5d\0\0\x80\0", b"\x04\x22\x4d\x18")
    yield gzip.compress(bytes(3 * _MEGABYTE), mtime=0)
    yield zstandard.compress(bytes(3 * _MEGABYTE))


def _linked_seeds(status: bytes) -> Iterator[bytes]:
    """Files that are reached by links, marks within them, circles, and what is not there."""
    yield tars.archive(tars.symlink(b"var/lib", b"/usr/lib"), tars.member(b"usr/lib/dpkg/status"))
    yield tars.archive(tars.hard_link(b"var/lib/dpkg/status", b"etc/x"), status)
    yield tars.archive(status, tars.hard_link(b"lib/apk/db/installed", b"var/lib/dpkg/status"))
    yield tars.archive(tars.symlink(b"a", b"b"), tars.symlink(b"b", b"a"), tars.member(b"a/var"))
    yield tars.archive(status, tars.symlink(b"var/lib/dpkg/status", b"../../../../x/../etc/y"))
    yield tars.archive(status, tars.member(b"var/.wh.lib"), tars.member(b"var/lib/dpkg/.wh..opq"))
    yield tars.archive(tars.header(b"var/lib/dpkg/", kind=b"5"), tars.header(b"dev/x", kind=b"3"))
    yield tars.archive(tars.member(b"usr/share/doc/x/changelog.Debian.gz", b"x (1) y; urgency=low"))
    sparse = tars.pax(
        tars.record(b"GNU.sparse.major", b"1"), tars.record(b"GNU.sparse.minor", b"0")
    )
    yield tars.archive(sparse, status)
    yield tars.archive(tars.header(b"x", kind=b"S", size=512, tail=bytes(120)), status)
    yield tars.archive(tars.pax(tars.record(b"path", b"y"), kind=b"g"), status)


def _index_of_variants() -> bytes:
    """An index in which several members fit one platform, and a nested one."""
    platforms = (
        *({"os": "linux", "architecture": "arm", "variant": one} for one in ("v5", "v6", "v7")),
        {"os": "linux", "architecture": "amd64", "variant": "v2"},
        {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1"},
        {"os": "windows", "architecture": "amd64", "os.version": "10.0.20348.2"},
        {"os": "unknown", "architecture": "unknown"},
    )
    members = [
        {
            "mediaType": _MEDIA_TYPES[0 if number == 6 else 1],
            "digest": f"sha256:{number:064}",
            "size": number,
            "platform": platform,
        }
        for number, platform in enumerate(platforms)
    ]
    return json.dumps(
        {"schemaVersion": 2, "mediaType": _MEDIA_TYPES[0], "manifests": members}
    ).encode()


def _labelled() -> bytes:
    """A config whose labels say where the image's source is."""
    labels = {
        "org.opencontainers.image.source": "https://github.com/team/app.git#v1",
        "org.opencontainers.image.revision": "a" * 40,
    }
    return json.dumps(
        {"os": "linux", "architecture": "amd64", "config": {"Labels": labels}}
    ).encode()


def _package_seeds() -> Iterator[bytes]:
    yield (
        b"\0Package: libc6\nStatus: install ok installed\nSource: glibc (2.36-9)\n"
        b"Version: 2.36-9+b1\nArchitecture: amd64\nDescription: C\n library\n\n"
    ) * 2
    yield b"\0Package: a\x1b[2J\nStatus: install ok installed\nVersion: 1\xe2\x80\xae\n"
    yield b"\0C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nF:lib\nR:x\n\n" * 2
    yield b"\1" + _small_rpm_database()
    older, newer = (
        b"Package: libc6\nStatus: install ok installed\nSource: glibc\nVersion: %b\n\n" % version
        for version in (b"2.36-8", b"2.36-9")
    )
    log = b"".join(
        b"glibc (%b) bookworm; urgency=high\n\n  * CVE-2025-805%d\n\n -- A <a@x>  date\n\n" % pair
        for pair in ((b"2.36-9", 8), (b"2.36-8", 7))
    )
    yield b"\4" + _PART.join((older, newer, log))
    yield b"\4" + _PART.join((newer, older + newer.replace(b"libc6", b"libc-bin"), b""))
    for packed in files("inventory/*.sqlite.gz"):
        database = gzip.decompress(packed)
        yield b"\1" + database
        yield from (b"\2" + one for one in headers(database))
    yield b"\3glibc (2.36-9) bookworm; urgency=medium\n\n  * CVE-2025-8058\n\n -- A <a@x>  date\n"


def _small_rpm_database() -> bytes:
    """A database of one package, whose header has a changelog; the fixtures are too long."""
    blob = header(
        (1000, STRING, b"bash\0", 1),
        (1001, STRING, b"5.1\0", 1),
        (1002, STRING, b"6.el9\0", 1),
        (1044, STRING, b"bash-5.1-6.el9.src.rpm\0", 1),
        (1081, STRINGS, b"A <a@x> - 5.1-6\0B <b@x> 5.0-1\0", 2),
        (1082, STRINGS, b"- CVE-2025-1234\0- CVE-2024-9999\0", 2),
    )
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(
            "PRAGMA page_size = 512;"
            "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
        )
        database.execute("INSERT INTO Packages VALUES (1, ?)", (blob,))
        database.commit()
        return database.serialize()


TARGETS: Final = (
    Target(
        name="documents",
        about="manifests, indexes, configs, attestations: one meaning, the one that JSON has",
        run=documents,
        longest=8192,
        steady=120_000,
        seeds=_document_seeds,
        tokens=(
            *(b'"schemaVersion": 2', b'"mediaType": "', b'"manifests": [', b'"layers": [', b"null"),
            *(
                b'"config": {',
                b'"platform": {"os": "linux", "architecture": "arm64"}',
                b"{}",
                b"[]",
            ),
            *(b'"digest": "sha256:' + b"a" * 64 + b'"', b'"size": 1', b'"annotations": {', b"-1"),
            *(b'"variant": "v8"', b'"os.features": ["win32k"]', b'"os.version": "10.0.1"', b"1e9"),
            *(b'"Labels": {', b'"diff_ids": [', b'"rootfs": {', b"\\ud800", b"\\u0000", b"NaN"),
            *(
                b'"org.opencontainers.image.source": "https://github.com/a/b"',
                b"git@gitlab.com:a/b.git",
            ),
            *(b'"org.opencontainers.image.revision": "v2"', b"#v1", b"/tree/", b"bitbucket.org"),
            *(b"application/vnd.oci.image.index.v1+json", b"pkg:rpm/fedora/bash@5?epoch=1", b"%2F"),
        ),
    ),
    Target(
        name="layers",
        about="tar, gzip, zstd: any pieces give the same members; nothing leaves the root",
        run=layers,
        steady=40_000,
        seeds=_layer_seeds,
        longest=16 * 1024,
        tokens=(
            *(
                b"ustar\x0000",
                b"ustar  \0",
                b"var/lib/dpkg/status",
                b"lib/apk/db/installed",
                b"../",
            ),
            *(b"20 path=", b"12 size=99\n", b"GNU.sparse.name=", b"././@LongLink", b".wh..wh..opq"),
            *(b"00000000010\0", b"\x80" + bytes(10) + b"\1", b"\xff" * 12, bytes(512), bytes(1024)),
            *(b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b".wh.", b"/", b"x", b"S"),
        ),
    ),
    Target(
        name="packages",
        about="dpkg, apk, rpm (SQLite, headers), Debian changelogs: words that can be printed",
        run=packages,
        steady=75_000,
        seeds=_package_seeds,
        longest=64 * 1024,
        tokens=(
            *(b"Package: ", b"Version: ", b"Status: install ok installed\n", b"\n\n", b"\n ", b":"),
            *(b"Source: a (1)\n", b"P:", b"V:", b"o:", b"A:", b"CVE-2025-1234", b"; urgency=high"),
            *(
                b"glibc (1) ",
                b"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY,blob BLOB NOT NULL)",
            ),
            *(b"\0\0\3\xe8\0\0\0\6", b"\0\0\3\xe9", b"SQLite format 3\0", b"\x1b[2J", b"\xff"),
        ),
    ),
)
