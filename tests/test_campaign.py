"""The campaign's own instruments, and that docs show what came of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from campaign import report, results
from campaign.__main__ import PAGE
from campaign.arena import Tally
from campaign.disk import Disk, How
from campaign.tracing import Call, targets

ROOT = Path("/mounted/store")
FILE = ROOT / "file"


def call(kind: str, *names: str, paths: tuple[str, ...] = (), given: str = "", **more: int) -> Call:
    return Call(
        begun=0,
        thread=more.get("thread", 0),
        kind=kind,
        paths=paths,
        names=names,
        answer=more.get("answer", 0),
        given=given,
        injected=False,
    )


def create(name: str) -> Call:
    return call("openat", name, paths=(str(ROOT),), given="O_CREAT|O_EXCL", answer=3)


def write(path: Path, data: str, offset: int = 0) -> Call:
    given = f'3, "", {len(data)}, {offset}'
    return call("pwrite64", data, paths=(str(path),), given=given, answer=len(data))


def sync(path: Path) -> Call:
    return call("fsync", paths=(str(path),), given="3")


def rename(old: str, new: str) -> Call:
    return call("renameat", old, new, paths=(str(ROOT), str(ROOT)))


def disk_after(*calls: Call) -> Disk:
    disk = Disk([ROOT], {ROOT / "kept": b"kept"})
    for one in calls:
        assert disk.do(one), one
    return disk


def states(disk: Disk, how: How) -> list[dict[str, bytes | None]]:
    """What a hundred power cuts leave, without the root itself."""
    return [
        {path.name: data for path, data in disk.cut(random.Random(seed), how).items()}
        for seed in range(100)
    ]


KEPT = {"store": None, "kept": b"kept"}


class TestDisk:
    @pytest.mark.parametrize("how", How)
    def test_what_was_synced_stays(self, how: How) -> None:
        disk = disk_after(create("file"), write(FILE, "data"), sync(FILE), sync(ROOT))
        assert all(state == {**KEPT, "file": b"data"} for state in states(disk, how))

    def test_what_was_not_may_be_lost(self) -> None:
        disk = disk_after(create("file"), write(FILE, "data"))
        assert states(disk, How.NOTHING) == [KEPT] * 100
        left = [state.get("file") for state in states(disk, How.ANY)]
        assert {None, b"", b"data", b"\0\0\0\0"} <= set(left)

    def test_bytes_alone_are_no_name(self) -> None:
        disk = disk_after(create("file"), write(FILE, "data"), sync(FILE))
        assert {state.get("file") for state in states(disk, How.ANY)} == {None, b"data"}

    def test_a_name_alone_are_no_bytes(self) -> None:
        disk = disk_after(create("file"), sync(ROOT), write(FILE, "data"))
        left = {state["file"] for state in states(disk, How.NAMES)}
        assert {b"", b"data", b"\0\0\0\0"} <= left

    def test_a_replaced_file_is_the_old_or_the_new(self) -> None:
        new = ROOT / "new"
        disk = disk_after(create("new"), write(new, "new"), sync(new), rename("new", "kept"))
        left = {state["kept"] for state in states(disk, How.ANY)}
        assert left == {b"kept", b"new"}

    def test_in_order_a_later_change_needs_the_earlier(self) -> None:
        disk = disk_after(create("one"), create("two"))
        left = {tuple(sorted(state.keys() - KEPT)) for state in states(disk, How.ORDERED)}
        assert left == {(), ("one",), ("one", "two")}
        assert ("two",) in {tuple(state.keys() - KEPT) for state in states(disk, How.ANY)}

    def test_what_failed_changes_nothing(self) -> None:
        disk = Disk([ROOT], {})
        failed = call("openat", "file", paths=(str(ROOT),), given="O_CREAT", answer=-1)
        assert not disk.do(failed)
        assert states(disk, How.NAMES)[0] == {}


class TestTargets:
    def test_a_call_is_found_among_those_of_its_thread(self) -> None:
        calls = [sync(ROOT), sync(FILE), sync(FILE), write(FILE, "data")]
        found = [(target.path, target.number) for target in targets(calls)]
        assert found == [(str(ROOT), 1), (str(FILE), 1), (str(FILE), 2), (str(FILE), 1)]

    def test_a_name_tells_more_than_its_folder(self) -> None:
        calls = [create("one"), create("two")]
        assert [(target.path, target.number) for target in targets(calls)] == [
            ("one", 1),
            ("two", 1),
        ]


def test_shards_add_up_but_for_what_is_the_largest() -> None:
    one, other = Tally(), Tally()
    one.counts.update({"kills": 2, "largest lag": 7})
    other.counts.update({"kills": 3, "largest lag": 5})
    with other.judging("a label"):
        int("torn")
    one.add(other)
    assert one.counts == {"kills": 5, "largest lag": 7, "failed": 1}
    assert one.failures == ["a label: invalid literal for int() with base 10: 'torn'"]


def test_the_page_shows_the_stored_results() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert report.placed(shown, report.render(results.load())) == shown


def test_nothing_failed_in_the_last_campaign() -> None:
    stored = results.load()
    assert {results.part_of(row.name) for row in stored.rows} == set(results.PARTS)
    assert [failure for row in stored.rows for failure in row.failures] == []


def test_results_are_read_as_they_were_written() -> None:
    stored = results.load()
    assert results.dumps(stored) == results.RESULTS.read_text(encoding="utf-8")


def test_a_page_without_the_place_for_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        report.placed("# A page\n", "tables")
