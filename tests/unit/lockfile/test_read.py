"""images.lock is read strictly: what it says was meant, or every problem is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.errors import FileProblems, InputError
from pinner.freshness import staleness
from pinner.lockfile import LOCK_LIMIT, Lock, dumps, loads
from pinner.lockfile.canonical import read_canonical
from pinner.lockfile.direct import read_direct
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.spec import parse_spec
from support.tables import FIXTURES

GOOD = FIXTURES / "locks/good"
BAD = sorted((FIXTURES / "locks/bad").glob("*.lock"))
SPEC_OF_ALL = b"""
[images]
busybox = "busybox"

[images."0-by.digest_only"]
image = "registry.example:5000/team/app@sha512:%s"
platforms = ["linux/arm/v7"]
""" % (b"9" * 128)
SPEC_OF_THREE = b"""
settings.platforms = ["linux/arm64", "linux/amd64"]
[images]
debian = "debian:bookworm"
node = { image = "node", version = ">=22", variant = "alpine" }
redis = "redis:7"
"""


def read(name: str) -> Lock:
    return loads((GOOD / name).read_bytes(), path="images.lock")


def test_the_designs_example() -> None:
    (image,) = read("design.lock").images
    assert image.name == "node"
    assert str(image.repository) == "docker.io/library/node"
    assert image.tag == "22.11.0-alpine"
    assert image.digest == Digest("sha256", "1" * 64)
    assert dict(image.platforms) == {
        Platform("linux", "amd64"): image.digest,
        Platform("linux", "arm64"): image.digest,
    }
    assert not image.all_platforms


def test_every_platform_and_digest_alone() -> None:
    alone, busybox = read("all-platforms.lock").images
    assert (alone.name, alone.tag, alone.digest.algorithm) == ("0-by.digest_only", None, "sha512")
    assert busybox.all_platforms
    assert [str(platform) for platform in busybox.platforms] == [
        "linux/386",
        "linux/arm64",
        "windows(10.0.17763)/amd64",
    ]


def test_L05_a_newer_revision_may_have_keys_that_this_one_does_not_know() -> None:
    newer = read("newer-revision.lock")
    assert newer.revision == 2
    assert newer == read("all-platforms.lock")


def test_L04_a_newer_version_is_refused_before_anything_else_is_read() -> None:
    with pytest.raises(InputError, match="upgrade pinner"):
        loads(b'version = 3\nname = { x = "y" }\n', path="images.lock")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_problem_is_reported_with_its_line(path: Path) -> None:
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    with pytest.raises(FileProblems) as refused:
        loads(path.read_bytes(), path="images.lock")
    assert str(refused.value) + "\n" == expected


@pytest.mark.parametrize("name", ["three.lock", "all-platforms.lock"])
def test_L10_crlf_is_read_and_lf_written(name: str) -> None:
    data = (GOOD / name).read_bytes()
    lock = loads(data.replace(b"\n", b"\r\n"), path="images.lock")
    assert lock == read(name)
    assert dumps(lock).encode() == data


def test_L09_sorted_by_hand_is_read_all_the_same() -> None:
    head, *images = (GOOD / "three.lock").read_text().split("\n[[image]]\n")
    text = "\n[[image]]\n".join([head, *reversed(images)])
    assert loads(text.encode(), path="images.lock") == read("three.lock")


@pytest.mark.parametrize(
    ("name", "spec"),
    [("three.lock", SPEC_OF_THREE), ("all-platforms.lock", SPEC_OF_ALL)],
    ids=["some platforms", "every platform"],
)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_L03_cut_at_any_byte_it_is_never_taken_for_whole(
    name: str, spec: bytes, newline: bytes
) -> None:
    data = (GOOD / name).read_bytes().replace(b"\n", newline)
    wish = parse_spec(spec, path="images.toml", base=Path())
    assert not staleness(wish, read(name))
    unnoticed = []
    for length in range(len(data)):
        try:
            lock = loads(data[:length], path="images.lock")
        except FileProblems:
            continue
        if not staleness(wish, lock) and lock != read(name):
            unnoticed.append(length)
    assert unnoticed == []


def test_L03_a_cut_within_an_entry_is_refused_by_itself() -> None:
    data = (GOOD / "all-platforms.lock").read_bytes()
    last = data.index(b'name = "busybox"')
    for length in range(last, len(data) - 1):
        with pytest.raises(FileProblems):
            loads(data[:length], path="images.lock")


def test_the_size_is_limited() -> None:
    with pytest.raises(FileProblems, match="larger than 16 MiB"):
        loads(b"#" * (LOCK_LIMIT + 1), path="images.lock")


@pytest.mark.parametrize("name", ["three.lock", "all-platforms.lock"])
def test_what_pinner_wrote_is_read_fast(name: str) -> None:
    assert read_canonical((GOOD / name).read_text()) is not None


@pytest.mark.parametrize("name", ["design.lock", "newer-revision.lock"])
def test_what_was_edited_is_left_to_tomllib(name: str) -> None:
    assert read_canonical((GOOD / name).read_text()) is None


WRITTEN = (GOOD / "all-platforms.lock").read_text()
_ENTRY = WRITTEN[WRITTEN.index("\n[[image]]") : WRITTEN.index("\n[[image]]", 200)]


@pytest.mark.parametrize("name", ["three.lock", "all-platforms.lock"])
def test_a_faultless_file_is_read_directly(name: str) -> None:
    data = (GOOD / name).read_bytes()
    by_tables = loads(data.replace(b"\n", b"\r\n"), path="images.lock")
    assert read_direct(data.decode()) == by_tables


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        pytest.param("version = 1", "version = 2", id="newer"),
        pytest.param("version = 1", "version = 0", id="version-0"),
        pytest.param("revision = 1", "revision = 0", id="revision-0"),
        pytest.param('"busybox"', '"Busybox"', id="name"),
        pytest.param('"busybox"', '"0-by.digest_only"', id="name-twice"),
        pytest.param("docker.io/library/busybox", "busybox", id="short-name"),
        pytest.param('"latest"', '"-latest"', id="tag"),
        pytest.param("sha256:1", "sha256:g", id="digest"),
        pytest.param('"linux/386" = "sha256:2', '"linux/386" = "sha256:', id="digits"),
        pytest.param("linux/386", "linux/arm64", id="platform-twice"),
        pytest.param("linux/386", "linux/x86_64", id="platform-spelling"),
        pytest.param("platform-count = 3", "platform-count = 2", id="count"),
        pytest.param(_ENTRY[_ENTRY.index('"linux/arm/v7"') :], "", id="no-platforms"),
    ],
)
def test_what_has_a_fault_is_not_read_directly_and_is_refused(part: str, instead: str) -> None:
    assert WRITTEN.count(part) >= 1
    text = WRITTEN.replace(part, instead, 1)
    assert read_direct(text) is None
    with pytest.raises(FileProblems):
        loads(text.encode(), path="images.lock")


def test_a_newer_revision_is_not_read_directly() -> None:
    assert read_direct(WRITTEN.replace("revision = 1", "revision = 2")) is None
