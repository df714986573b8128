"""What a reboot makes of blobs that were not synced (docs/adr/0001-durability-by-boot-id.md)."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import StoreError
from pinner.oci.digest import Digest
from pinner.store import fs
from pinner.store.boot import current_boot_id, parse_boot_id
from support import storing
from support.storing import BOOT, NEXT_BOOT, open_store

if TYPE_CHECKING:
    from pathlib import Path

THIRD_BOOT = "33333333-3333-4333-8333-333333333333"
BLOBS = {Digest.of(data): data for data in (b"one", b"two", b"three")}
ONE, TWO, THREE = BLOBS


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were made durable, in order."""
    seen: list[str] = []
    real = fs.sync_file

    def noted(fd: int, path: Path) -> None:
        seen.append(str(path))
        real(fd, path)

    monkeypatch.setattr(fs, "sync_file", noted)
    return seen


def write_all(root: Path, boot: str | None = BOOT) -> None:
    with open_store(root, boot=boot) as store:
        store.announce(BLOBS)
        for digest, data in BLOBS.items():
            store.put(digest, data)


def notes(root: Path) -> dict[str, set[str]]:
    return {
        path.name: set(path.read_text(encoding="ascii").split())
        for path in (root / ".pinner" / "unsynced").iterdir()
    }


def lose(root: Path, digest: Digest) -> None:
    """What a power cut can make of a file that was not synced: its size, and zeros."""
    path = root / "blobs" / "sha256" / digest.hex
    path.chmod(0o644)
    path.write_bytes(b"\0" * path.stat().st_size)


def hashed(store: object, monkeypatch: pytest.MonkeyPatch) -> list[Digest]:
    """The blobs that are hashed from now on."""
    seen: list[Digest] = []
    blobs = store.blobs  # type: ignore[attr-defined]
    real = blobs.matches

    def matches(digest: Digest) -> bool:
        seen.append(digest)
        return bool(real(digest))

    monkeypatch.setattr(blobs, "matches", matches)
    return seen


def note_syncs(root: Path) -> list[str]:
    """The syncs that make a note durable, whatever of its path is new."""
    folder = root / ".pinner" / "unsynced"
    return [str(path) for path in (folder / BOOT, folder, folder.parent, root)]


def test_a_run_costs_the_syncs_of_its_note_however_many_blobs_it_writes(
    root: Path, synced: list[str]
) -> None:
    write_all(root)
    synced.clear()
    with open_store(root) as store:
        store.announce([Digest.of(b"%d" % number) for number in range(100)])
        for number in range(100):
            storing.fill(store, b"%d" % number)
    assert synced == note_syncs(root)


def test_a_note_is_durable_before_the_first_blob(root: Path, synced: list[str]) -> None:
    with open_store(root) as store:
        synced.clear()
        store.announce([ONE])
    assert synced == note_syncs(root)
    assert notes(root) == {BOOT: {str(ONE)}}


def test_what_is_noted_is_not_written_again_but_is_synced_again(
    root: Path, synced: list[str]
) -> None:
    """Who noted it may have been killed before its sync."""
    write_all(root)
    path = root / ".pinner" / "unsynced" / BOOT
    before = path.read_bytes()
    synced.clear()
    with open_store(root) as store:
        store.announce([ONE, TWO])
        assert synced == note_syncs(root)
        store.announce([TWO, ONE])
        store.announce([])
    assert synced == note_syncs(root)
    assert path.read_bytes() == before


def test_a_blob_that_was_not_announced_is_synced_with_its_name(
    root: Path, synced: list[str]
) -> None:
    with open_store(root) as store:
        synced.clear()
        store.put(ONE, BLOBS[ONE])
        storing.fill(store, BLOBS[TWO])
    folder = root / "blobs" / "sha256"
    assert len(synced) == 4
    assert synced[0].startswith(str(root / "ingest" / "put-"))
    assert synced[1:] == [
        str(folder),
        str(root / "ingest" / f"sha256-{TWO.hex}"),
        str(folder),
    ]


def test_index_json_is_durable_with_its_name_when_naming_returns(
    root: Path, synced: list[str]
) -> None:
    with open_store(root) as store:
        synced.clear()
        storing.name(store, "docker.io/library/a:1", b"a")
    assert synced == [str(root / "index.json"), str(root)]


def test_without_a_boot_id_every_blob_is_synced(root: Path, synced: list[str]) -> None:
    write_all(root, boot=None)
    assert len([path for path in synced if "put-" in path]) == 3
    assert not (root / ".pinner" / "unsynced").exists()


def test_this_boots_blobs_are_trusted_without_a_look(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(root)
    with open_store(root) as store:
        seen = hashed(store, monkeypatch)
        assert all(store.has(digest) for digest in BLOBS)
        assert seen == []


def test_T03_after_a_reboot_each_is_hashed_once_and_then_trusted_for_good(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(root)
    with open_store(root, boot=NEXT_BOOT) as store:
        seen = hashed(store, monkeypatch)
        for _ in range(3):
            assert store.has(ONE, 3)
            assert store.size(TWO) == 3
        assert seen == [ONE, TWO]
    assert notes(root) == {BOOT: {str(THREE)}}
    with open_store(root, boot=NEXT_BOOT) as store:
        seen = hashed(store, monkeypatch)
        assert all(store.has(digest) for digest in BLOBS)
        assert seen == [THREE]
    assert notes(root) == {}


def test_T03_a_blob_that_a_power_cut_spoiled_is_fetched_anew(root: Path) -> None:
    write_all(root)
    lose(root, ONE)
    with open_store(root, boot=NEXT_BOOT) as store:
        assert not store.has(ONE, 3)
        assert store.size(ONE) is None
        assert store.has(TWO, 3)
        store.announce([ONE])
        storing.fill(store, BLOBS[ONE])
        assert store.read(ONE, 3) == b"one"
        assert store.has(ONE, 3)
    storing.check_tree(root)
    with open_store(root, boot=NEXT_BOOT) as store:
        assert store.has(ONE, 3)


def test_T03_a_spoiled_blob_stays_doubted_until_it_is_replaced(root: Path) -> None:
    write_all(root)
    lose(root, ONE)
    for boot in (NEXT_BOOT, THIRD_BOOT):
        with open_store(root, boot=boot) as store:
            assert not store.has(ONE)
            assert store.has(TWO)
    with open_store(root, boot=THIRD_BOOT) as store:
        store.put(ONE, BLOBS[ONE])
        assert store.has(ONE)


def test_a_store_that_is_moved_to_a_system_without_a_boot_id(root: Path) -> None:
    write_all(root)
    lose(root, ONE)
    with open_store(root, boot=None) as store:
        assert not store.has(ONE)
        assert store.has(TWO)


def test_notes_of_earlier_boots_are_folded_into_one(root: Path) -> None:
    write_all(root)
    for boot in (NEXT_BOOT, THIRD_BOOT):
        with open_store(root, boot=boot) as store:
            store.announce([Digest.of(boot.encode())])
    assert notes(root) == {
        "doubted": {str(digest) for digest in BLOBS},
        THIRD_BOOT: {str(Digest.of(THIRD_BOOT.encode()))},
    }, "the blob that NEXT_BOOT announced never came, so nothing is left to doubt"
    with open_store(root, boot=THIRD_BOOT) as store:
        assert all(store.has(digest) for digest in BLOBS)
    assert list(notes(root)) == [THIRD_BOOT]


@pytest.mark.parametrize("torn", [b"\nsha256:0123", b"\nsha256", b"\n", b"\0" * 40, b"\n\xff\xfe"])
def test_T03_a_torn_note_loses_nothing_of_the_next(root: Path, torn: bytes) -> None:
    write_all(root)
    with (root / ".pinner" / "unsynced" / BOOT).open("ab") as note:
        note.write(torn)
    with open_store(root) as store:
        store.announce([Digest.of(b"four")])
        store.put(Digest.of(b"four"), b"four")
    lose(root, ONE)
    lose(root, Digest.of(b"four"))
    with open_store(root, boot=NEXT_BOOT) as store:
        assert not store.has(ONE)
        assert not store.has(Digest.of(b"four"))


def test_T05_a_note_that_cannot_be_made_durable_stops_the_run(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with open_store(root) as store:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(StoreError, match=r"unsynced.*cannot be made durable"):
            store.announce([ONE])
        assert not store.ledger.is_announced(ONE)
        with pytest.raises(StoreError, match="cannot be made durable"):
            store.put(ONE, BLOBS[ONE])


@pytest.mark.parametrize(
    ("text", "boot_id"),
    [
        (f"{BOOT}\n", BOOT),
        ("0F5A1C2E-0B5B-4B1B-8B8B-ABCDEF012345", "0f5a1c2e-0b5b-4b1b-8b8b-abcdef012345"),
        ("", None),
        ("../../etc/passwd", None),
        (f"{BOOT}x", None),
    ],
)
def test_a_boot_id_is_a_uuid(text: str, boot_id: str | None) -> None:
    assert parse_boot_id(text) == boot_id


def test_this_machine_tells_its_boot() -> None:
    assert current_boot_id() == current_boot_id() != None  # noqa: E711 - a chain of both
