"""The log's file: what two runs write is there afterwards, and no file is lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.update.seenfile import SeenFile
from pinner.update.seenlog import SeenLog, Sighting
from pinner.update.seentext import dumps

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_790_000_000
DEBIAN = Reference.parse("debian:bookworm")
BAD = b'{"version": 1, "tags": []}'
NEWER = b'{"version": 7}'


class Place:
    """A file, and the warnings about it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []

    def file(self, *, named: bool = False) -> SeenFile:
        return SeenFile(self.path, named=named, warn=self.warnings.append)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "state/pinner/seen.json")


@pytest.fixture
def there(place: Place) -> Place:
    place.path.parent.mkdir(parents=True)
    return place


def log(*letters: str, at: int = NOW) -> SeenLog:
    history = tuple(
        Sighting(digest=Digest.of(letter.encode()), first=at, last=at) for letter in letters
    )
    return SeenLog({DEBIAN: history})


def digests(place: Place) -> set[Digest]:
    return {one.digest for one in place.file(named=True).read(NOW).tags.get(DEBIAN, ())}


def test_no_file_is_an_empty_log(place: Place) -> None:
    assert place.file(named=True).read(NOW) == SeenLog()
    assert not place.path.parent.exists()


def test_what_is_saved_is_read(place: Place) -> None:
    place.file().save(log("a"), NOW)
    assert place.file().read(NOW) == log("a")
    assert place.warnings == []


def test_nothing_seen_makes_no_file(place: Place) -> None:
    place.file().save(SeenLog(), NOW)
    assert not place.path.exists()


def test_two_runs_at_once_lose_nothing(place: Place) -> None:
    one, other = place.file(), place.file()
    known = one.read(NOW)
    assert other.read(NOW) == known
    one.save(log("a"), NOW)
    other.save(log("b"), NOW)
    assert digests(place) == {Digest.of(b"a"), Digest.of(b"b")}


def test_many_runs_at_once_lose_nothing(place: Place) -> None:
    letters = [chr(number) for number in range(ord("a"), ord("a") + 12)]
    runs = [
        threading.Thread(target=place.file().save, args=(log(letter), NOW)) for letter in letters
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert digests(place) == {Digest.of(letter.encode()) for letter in letters}


def test_what_is_old_is_dropped(place: Place) -> None:
    place.file().save(log("a", at=NOW - 91 * 86_400), NOW)
    assert digests(place) == set()


def test_a_clock_that_went_back_drops_nothing_and_says_so(place: Place) -> None:
    place.file().save(log("a"), NOW)
    earlier = NOW - 100 * 86_400
    place.file().save(log("b", at=NOW), earlier)
    assert digests(place) == {Digest.of(b"a"), Digest.of(b"b")}
    place.file().read(earlier)
    assert "was written at a later time than this machine's clock shows" in place.warnings[0]


@pytest.mark.parametrize("data", [BAD, b"", b"\xff" * 10], ids=["wrong", "empty", "binary"])
def test_what_is_no_log_counts_as_empty_and_is_kept_aside(there: Place, data: bytes) -> None:
    there.path.write_bytes(data)
    file = there.file()
    assert file.read(NOW) == SeenLog()
    assert there.path.read_bytes() == data, "reading changes nothing"
    file.save(log("a"), NOW)
    assert there.path.with_name("seen.json.bad").read_bytes() == data
    assert digests(there) == {Digest.of(b"a")}
    assert "updates do without it" in there.warnings[0]
    assert "is kept as seen.json.bad" in there.warnings[1]


def test_a_later_pinners_file_is_left_alone(there: Place) -> None:
    there.path.write_bytes(NEWER)
    file = there.file()
    assert file.read(NOW) == SeenLog()
    file.save(log("a"), NOW)
    assert there.path.read_bytes() == NEWER
    assert "what was seen is not remembered" in there.warnings[1]


@pytest.mark.parametrize("data", [BAD, NEWER], ids=["wrong", "newer"])
def test_a_file_that_the_user_named_has_to_be_a_log(there: Place, data: bytes) -> None:
    there.path.write_bytes(data)
    with pytest.raises(InputError, match="observation log"):
        there.file(named=True).read(NOW)
    with pytest.raises(InputError, match="cannot be written"):
        there.file(named=True).save(log("a"), NOW)
    assert there.path.read_bytes() == data


def test_one_that_is_too_large_is_not_read(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinner.update.seentext.LIMIT", 100)
    there.path.write_bytes(dumps(log("a", "b")))
    assert there.file().read(NOW) == SeenLog()
    assert "is larger than 100 bytes" in there.warnings[0]
    there.file().save(log("a"), NOW)
    assert there.path.with_name("seen.json.bad").read_bytes() == dumps(log("a", "b"))


def test_a_folder_in_its_place(there: Place) -> None:
    there.path.mkdir()
    with pytest.raises(InputError, match="is not a regular file"):
        there.file(named=True).save(log("a"), NOW)
    there.file().save(log("a"), NOW)
    assert there.path.with_name("seen.json.bad").is_dir()
    assert digests(there) == {Digest.of(b"a")}


def test_a_file_where_its_folder_should_be(there: Place) -> None:
    place = Place(there.path.parent / "file/seen.json")
    place.path.parent.write_text("")
    place.file().save(log("a"), NOW)
    assert "cannot be written" in place.warnings[0]
    with pytest.raises(InputError, match="cannot be written"):
        place.file(named=True).save(log("a"), NOW)


def test_a_planted_lock_file_is_not_followed(there: Place, tmp_path: Path) -> None:
    there.path.with_name(".seen.json.lock").symlink_to(tmp_path / "planted")
    there.file().save(log("a"), NOW)
    assert not (tmp_path / "planted").exists()
    assert "cannot be written" in there.warnings[0]
