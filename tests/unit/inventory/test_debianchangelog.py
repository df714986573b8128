"""Debian changelogs: which entries are between two versions, and the CVE ids in them."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from typing import Final

import pytest

from pinner.inventory import debianchangelog, dpkg
from pinner.inventory.changelog import ENTRIES_LIMIT, wants_changelog
from pinner.inventory.formats import Fixes, Upgrade
from pinner.inventory.model import Ecosystem, Fix, Package

# As Debian 12's openssl has them, shortened.
OPENSSL: Final = """\
openssl (3.0.17-1~deb12u3) bookworm-security; urgency=medium

  * CVE-2025-9230 (Read and write out of bounds in RFC 3211 KEK unwrapping)
  * CVE-2025-9232 (Read out of bounds in HTTP client no_proxy handling)

 -- Sebastian Andrzej Siewior <sebastian@breakpoint.cc>  Fri, 26 Sep 2025 20:59:22 +0200

openssl (3.0.17-1~deb12u2) bookworm; urgency=medium

  * Revert changes that made other programs crash, mentions CVE-2025-9230 too.

 -- Sebastian Andrzej Siewior <sebastian@breakpoint.cc>  Tue, 05 Aug 2025 09:09:41 +0200

openssl (3.0.16-1~deb12u1) bookworm-security; urgency=HIGH

  * Import 3.0.16
    - cve-2024-13176 (Timing side-channel in ECDSA signature computation).
    - CVE-2024-9143, CVE-2024-13176.

 -- Sebastian Andrzej Siewior <sebastian@breakpoint.cc>  Wed, 12 Feb 2025 20:41:22 +0100
"""
PATH: Final = "usr/share/doc/libssl3/changelog.Debian.gz"
R9230: Final = Fix(cve="CVE-2025-9230", urgency="medium")
R9232: Final = Fix(cve="CVE-2025-9232", urgency="medium")
R13176: Final = Fix(cve="CVE-2024-13176", urgency="high")
R9143: Final = Fix(cve="CVE-2024-9143", urgency="high")


def package(name: str, version: str, source: str = "openssl", source_version: str = "") -> Package:
    return Package(
        ecosystem=Ecosystem.DEB,
        name=name,
        version=version,
        architecture="amd64",
        source=source,
        source_version=source_version or version,
    )


def upgrade(before: str, after: str, name: str = "libssl3") -> Upgrade:
    return Upgrade(package(name, before), package(name, after))


def found(one: Upgrade, files: dict[str, bytes], *others: Package) -> tuple[Fix, ...] | None:
    fixes = dpkg.fixes([one], [one.after, *others], files)
    assert fixes.notes == ()
    return fixes.found.get(one.after)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("usr/share/doc/libssl3/changelog.Debian.gz", True),
        ("usr/share/doc/libssl3/changelog.Debian", True),
        ("usr/share/doc/bash/changelog.Debian.amd64.gz", True),
        ("usr/share/doc/dpkg/changelog.gz", True),
        ("usr/share/doc/dpkg/changelog", True),
        ("usr/share/doc/libssl3/copyright", False),
        ("usr/share/doc/libssl3/changelog.html.gz", False),
        ("usr/share/doc/a/b/changelog.gz", False),
        ("usr/share/doc/changelog.gz", False),
        ("home/usr/share/doc/a/changelog.gz", False),
    ],
)
def test_wanted_files(path: str, wanted: bool) -> None:  # noqa: FBT001
    assert wants_changelog(path) is wanted


@pytest.mark.parametrize(
    ("before", "after", "fixes"),
    [
        pytest.param("3.0.17-1~deb12u2", "3.0.17-1~deb12u3", (R9230, R9232), id="one entry"),
        pytest.param(
            "3.0.16-1~deb12u1", "3.0.17-1~deb12u3", (R9230, R9232), id="two entries name one"
        ),
        pytest.param("3.0.16-1~deb12u1", "3.0.17-1~deb12u2", (R9230,), id="none of a newer entry"),
        pytest.param(
            "3.0.11-1~deb12u1",
            "3.0.17-1~deb12u3",
            (R9230, R9232, R13176, R9143),
            id="the log does not reach the older version",
        ),
        pytest.param(
            "3.0.17-1~deb12u3", "3.0.18-1~deb12u1", (), id="the log does not reach the newer one"
        ),
    ],
)
def test_between(before: str, after: str, fixes: tuple[Fix, ...]) -> None:
    assert found(upgrade(before, after), {PATH: gzip.compress(OPENSSL.encode())}) == fixes


def test_the_newest_entry_that_names_an_id_gives_its_urgency() -> None:
    log = b"openssl (3) x; urgency=low\n  * CVE-2025-0001\nopenssl (2) x; urgency=high\n"
    files = {PATH: log + b"  * CVE-2025-0001\n"}
    assert found(upgrade("1", "3"), files) == (Fix(cve="CVE-2025-0001", urgency="low"),)


def test_the_source_is_what_has_versions() -> None:
    """A binary can have an epoch or a rebuild's number that the changelog does not know."""
    one = Upgrade(
        package("libssl3", "1:3.0.17-1~deb12u2+b1", source_version="3.0.17-1~deb12u2"),
        package("libssl3", "1:3.0.17-1~deb12u3+b4", source_version="3.0.17-1~deb12u3"),
    )
    assert found(one, {PATH: gzip.compress(OPENSSL.encode())}) == (R9230, R9232)


FOLDER: Final = "usr/share/doc/libssl3/"
ONE: Final = upgrade("3.0.17-1~deb12u2", "3.0.17-1~deb12u3")
LOG: Final = OPENSSL.encode()


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({f"{FOLDER}changelog.Debian": LOG}, id="not packed"),
        pytest.param({f"{FOLDER}changelog.gz": gzip.compress(LOG)}, id="native"),
        pytest.param(
            {
                f"{FOLDER}changelog.Debian.gz": gzip.compress(LOG),
                f"{FOLDER}changelog.gz": gzip.compress(b"Version 3.0.17\n  * CVE-2000-0001\n"),
            },
            id="beside upstream's",
        ),
        pytest.param(
            {
                f"{FOLDER}changelog.Debian.amd64.gz": gzip.compress(
                    b"openssl (3.0.17-1~deb12u3+b1) bookworm; urgency=low, binary-only=yes\n\n"
                    b"  * Rebuild, CVE-2000-0001\n"
                ),
                f"{FOLDER}changelog.Debian.gz": gzip.compress(LOG),
            },
            id="beside a rebuild's",
        ),
        pytest.param(
            {f"{FOLDER}changelog.Debian": LOG.replace(b"Andrzej", b"\xe9\xff")}, id="not UTF-8"
        ),
        pytest.param({f"{FOLDER}changelog.Debian": LOG.replace(b"\n", b"\r\n")}, id="CRLF"),
        pytest.param({f"{FOLDER}changelog.Debian": b"\n# vim\n" * 9 + LOG}, id="other lines"),
    ],
)
def test_files(files: dict[str, bytes]) -> None:
    assert found(ONE, files) == (R9230, R9232)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(gzip.compress(LOG)[:-20], id="cut"),
        pytest.param(b"\x1f\x8b" + b"\xff" * 100, id="damaged"),
        pytest.param(b"", id="empty"),
        pytest.param(LOG.replace(b"openssl (", b"libother ("), id="of another source"),
        pytest.param(LOG.replace(b"; urgency", b", urgency"), id="no headings"),
    ],
)
def test_no_changelog(data: bytes) -> None:
    assert found(ONE, {PATH: data}) is None


def test_another_folder_of_the_same_source_serves() -> None:
    files = {"usr/share/doc/openssl/changelog.Debian.gz": gzip.compress(LOG)}
    assert found(ONE, files) is None
    assert found(ONE, files, package("openssl", "3.0.17-1~deb12u3")) == (R9230, R9232)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(package("openssl", "3.0.17-1~deb12u2"), id="an older build"),
        pytest.param(package("openssl", "3.0.17-1~deb12u3", source="libre"), id="another source"),
    ],
)
def test_no_other_folder_serves(other: Package) -> None:
    files = {"usr/share/doc/openssl/changelog.Debian.gz": gzip.compress(LOG)}
    assert found(ONE, files, other) is None


@pytest.mark.parametrize(
    ("text", "cves"),
    [
        ("CVE-2025-12345678", ["CVE-2025-12345678"]),
        ("(cve-2025-1234)", ["CVE-2025-1234"]),
        ("CVE-2025-1234,CVE-2025-1235/CVE-2025-1236", [f"CVE-2025-123{n}" for n in (4, 5, 6)]),
        ("CVE-2025-123", []),
        ("CVE-25-1234", []),
        ("XCVE-2025-1234", []),
        ("CVE-2025-XXXX CAN-2005-1234", []),
        ("CVE-2025-" + "1" * 20, []),
    ],
)
def test_ids(text: str, cves: list[str]) -> None:
    (entry,) = debianchangelog.parse(f"a (1) unstable; urgency=low\n\n  * {text}\n", "a")
    assert [fix.cve for fix in entry.fixes] == cves


@pytest.mark.parametrize(
    ("keywords", "urgency"),
    [
        ("urgency=medium", "medium"),
        ("urgency=HIGH", "high"),
        ("binary-only=yes, urgency=low", "low"),
        ("urgency=medium (HIGH for users)", "medium"),
        ("urgency=emergency", "emergency"),
        ("urgency=\x1b[31m", ""),
        ("urgency=mediums", ""),
        ("", ""),
    ],
)
def test_urgency(keywords: str, urgency: str) -> None:
    (entry,) = debianchangelog.parse(f"a (1) unstable; {keywords}\n  * CVE-2025-0001\n", "a")
    assert entry.fixes == (Fix(cve="CVE-2025-0001", urgency=urgency),)


def test_a_long_changelog_is_cut_and_still_read() -> None:
    filler = b"old (1) unstable; urgency=low\n" + b"  * nothing\n" * 1_500_000
    assert len(filler) > debianchangelog.TEXT_LIMIT
    assert found(ONE, {PATH: gzip.compress(LOG + filler, 1)}) == (R9230, R9232)


def test_a_bomb_is_unpacked_to_the_limit() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    data = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(128)) + bomb.flush()
    tracemalloc.start()
    try:
        assert len(debianchangelog.unpack(data)) == debianchangelog.TEXT_LIMIT
        assert tracemalloc.get_traced_memory()[1] < 4 * debianchangelog.TEXT_LIMIT
    finally:
        tracemalloc.stop()


def test_more_text_than_all_changelogs_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debianchangelog, "_ALL_TEXTS_LIMIT", len(LOG))
    ones = [upgrade("1", "3.0.17-1~deb12u3", "libssl3"), upgrade("1", "2", "libother")]
    files = {f"usr/share/doc/{one.after.name}/changelog.Debian": LOG for one in ones}
    fixes = dpkg.fixes(ones, [one.after for one in ones], files)
    assert list(fixes.found) == [ones[0].after]
    assert fixes.notes == (
        "some changelogs are not read: there are too many, or they are too long",
    )


def test_more_entries_than_any_changelog_has() -> None:
    text = "a (1) unstable; urgency=low\n\n  * CVE-2025-0001\n" * (ENTRIES_LIMIT + 2)
    assert len(debianchangelog.parse(text, "a")) == ENTRIES_LIMIT


def test_nothing_to_look_up() -> None:
    assert dpkg.fixes([], [], {}) == Fixes()
