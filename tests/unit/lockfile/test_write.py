"""images.lock is written in one form: the same bytes for the same content."""

from __future__ import annotations

import pytest

from pinner.lockfile import Lock, LockedImage, dumps, loads
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from support.tables import FIXTURES

GOOD = FIXTURES / "locks/good"
HEADER = """\
# Made by pinner from images.toml. Do not edit: run `pinner lock` or `pinner update`.
version = 1
revision = 1
"""


def image(name: str, *platforms: str, all_platforms: bool = False) -> LockedImage:
    return LockedImage(
        name=name,
        repository=Repository("docker.io", "library/x"),
        tag=None,
        digest=Digest("sha256", "1" * 64),
        platforms={Platform.parse(text): Digest.of(text.encode()) for text in platforms},
        all_platforms=all_platforms,
    )


@pytest.mark.parametrize("name", ["three.lock", "all-platforms.lock"])
def test_L16_the_bytes_are_these(name: str) -> None:
    data = (GOOD / name).read_bytes()
    assert dumps(loads(data, path="images.lock")).encode() == data


def test_no_images() -> None:
    assert dumps(Lock()) == HEADER
    assert loads(HEADER.encode(), path="images.lock") == Lock()


def test_L16_entries_are_sorted_by_code_point() -> None:
    lock = Lock(images=tuple(image(name, "linux/amd64") for name in ["b", "a_", "a-", "a.", "0"]))
    assert [each.name for each in lock.images] == ["0", "a-", "a.", "a_", "b"]


def test_L16_platforms_are_sorted_as_they_are_written() -> None:
    texts = ["windows(10.0.17763)/amd64", "linux/arm/v7", "linux/amd64", "linux/arm64"]
    one, other = image("a", *texts), image("a", *reversed(texts))
    assert one == other
    assert [str(platform) for platform in one.platforms] == sorted(texts)
    assert dumps(Lock(images=(one,))) == dumps(Lock(images=(other,)))


def test_the_count_stands_only_where_the_platforms_are_all() -> None:
    some = dumps(Lock(images=(image("a", "linux/amd64"),)))
    every = dumps(Lock(images=(image("a", "linux/amd64", all_platforms=True),)))
    assert every == some.replace(
        "[image.platforms]", "all-platforms = true\nplatform-count = 1\n[image.platforms]"
    )


def test_the_revision_is_that_of_the_writer() -> None:
    newer = loads((GOOD / "newer-revision.lock").read_bytes(), path="images.lock")
    assert dumps(newer) == (GOOD / "all-platforms.lock").read_text()


def test_platforms_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        image("a", "linux/amd64").platforms[Platform("linux", "386")] = Digest.of(b"")  # type: ignore[index] # what the test shows
