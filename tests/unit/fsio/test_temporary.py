"""What a writer that dies leaves, and that nobody takes a living one's away."""

from __future__ import annotations

import errno
import fcntl
import functools
import itertools
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinner.fsio import replace, replacing, temporary, write_atomic
from pinner.fsio.temporary import Temporary, remove_abandoned
from support.dying import survives

if TYPE_CHECKING:
    from collections.abc import Callable

PLANTED = ".file.0123abcd.tmp"


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without files that have no name."""
    monkeypatch.setattr(temporary, "_open_unnamed", lambda *_: None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stream(file: Path) -> None:
    with replacing(file) as target:
        os.write(target.fd, b"new")
        target.wrote(3)


def atomically(file: Path) -> None:
    write_atomic({file: b"new"})


def deaths(action: Callable[[Path], None], folder: Path) -> list[int]:
    """How many temporaries each death left, one before every call; each is looked at closely."""
    left = []
    for calls in itertools.count():
        place = folder / str(calls)
        place.mkdir()
        file = place / "file"
        file.write_bytes(b"old")
        survived = survives(functools.partial(action, file), calls=calls)
        assert file.read_bytes() == b"new" if survived else file.read_bytes() in {b"old", b"new"}
        left.append(len(names(place)) - 1)
        action(file)
        assert file.read_bytes() == b"new"
        assert names(place) == ["file"], f"left by a death before call {calls}"
        if survived:
            return left
    raise AssertionError


@pytest.mark.parametrize("action", [atomically, stream])
def test_T02_a_death_leaves_nothing_but_between_link_and_rename(
    tmp_path: Path, action: Callable[[Path], None]
) -> None:
    left = deaths(action, tmp_path)
    assert len(left) > 5
    assert sum(left) == 1


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("action", [atomically, stream])
def test_T02_what_a_death_leaves_the_next_writer_removes(
    tmp_path: Path, action: Callable[[Path], None]
) -> None:
    left = deaths(action, tmp_path)
    assert max(left) == 1
    assert sum(left) > 2


def test_T02_a_death_leaves_at_most_one_for_each_of_several_files(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        write_atomic({folder / name: b"new" for name in "abc"})

    most = 0
    for calls in itertools.count():
        folder = tmp_path / str(calls)
        folder.mkdir()
        survived = survives(functools.partial(write, folder), calls=calls)
        most = max(most, sum(name.startswith(".") for name in names(folder)))
        write(folder)
        assert names(folder) == ["a", "b", "c"]
        if survived:
            break
    assert most == 3


@pytest.mark.usefixtures("named")
def test_T14_one_of_a_living_writer_stays(tmp_path: Path) -> None:
    living = Temporary(tmp_path / "file", 0o666)
    os.write(living.fd, b"living")
    write_atomic({tmp_path / "file": b"other"})
    assert len(names(tmp_path)) == 2
    living.replace()
    living.discard()
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"living"


def test_T14_one_that_just_got_its_name_stays(tmp_path: Path) -> None:
    living = Temporary(tmp_path / "file", 0o666)
    living.give_name()
    remove_abandoned(tmp_path / "file")
    assert len(names(tmp_path)) == 1
    living.discard()
    assert names(tmp_path) == []


def test_one_that_nobody_holds_is_removed(tmp_path: Path) -> None:
    (tmp_path / PLANTED).write_bytes(b"abandoned")
    write_atomic({tmp_path / "file": b"new"})
    assert names(tmp_path) == ["file"]


def test_one_that_has_the_mode_of_a_read_only_file_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / PLANTED
    planted.write_bytes(b"abandoned")
    planted.chmod(0o444)
    honest = os.open

    def as_a_user(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & os.O_ACCMODE != os.O_RDONLY and os.fspath(path) == str(planted):
            raise PermissionError(errno.EACCES, "Permission denied")
        return honest(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", as_a_user)
    remove_abandoned(tmp_path / "file")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [".other.0123abcd.tmp", ".file.0123abc.tmp", ".file.0123ABCD.tmp", ".file.tmp", "file.bak"],
)
def test_what_only_looks_like_one_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    write_atomic({tmp_path / "file": b"new"})
    assert names(tmp_path) == sorted([name, "file"])


def test_a_folder_a_link_and_a_fifo_of_that_name_stay(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / ".file.00000001.tmp").symlink_to("precious")
    (tmp_path / ".file.00000002.tmp").mkdir()
    os.mkfifo(tmp_path / ".file.00000003.tmp")
    before = names(tmp_path)
    write_atomic({tmp_path / "file": b"new"})
    assert names(tmp_path) == sorted([*before, "file"])
    assert (tmp_path / "precious").read_bytes() == b"precious"


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("is_gone", [False, True])
def test_T14_one_that_is_taken_for_abandoned_at_birth_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_gone: bool
) -> None:
    real = fcntl.flock
    found: list[str] = []

    def late(fd: int, how: int) -> None:
        """Lock, but at first when another writer has removed the file, or is about to."""
        if not found:
            found.extend(names(tmp_path))
            if not is_gone:
                raise BlockingIOError
            (tmp_path / found[0]).unlink()
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", late)
    stream(tmp_path / "file")
    assert names(tmp_path) == (["file"] if is_gone else [*found, "file"])
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("kind", ["unnamed", "named"])
def test_a_file_system_without_locks_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    if kind == "named":
        monkeypatch.setattr(temporary, "_open_unnamed", lambda *_: None)
    monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / PLANTED).write_bytes(b"whose?")
    write_atomic({tmp_path / "file": b"new"})
    assert names(tmp_path) == [PLANTED, "file"]
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="Linux has such files")
@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOENT])
def test_where_no_link_is_let_the_bytes_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(0o604)
    monkeypatch.setattr(os, "link", refuse)
    with replacing(file) as target:
        os.write(target.fd, b"new" * 100_000)
    assert file.read_bytes() == b"new" * 100_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="Linux has such files")
@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EISDIR])
def test_a_file_system_that_has_only_files_with_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    real = os.open

    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(code, os.strerror(code))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    with replacing(tmp_path / "file") as target:
        os.write(target.fd, b"new")
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ["n" * 250, "é" * 120])
def test_a_name_of_any_length(tmp_path: Path, name: str) -> None:
    with replacing(tmp_path / name) as target:
        os.write(target.fd, b"new")
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("swept", [False, True])
def test_more_files_than_stay_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, swept: bool
) -> None:
    monkeypatch.setattr(replace, "_MOST_OPEN", 3)
    files = {tmp_path / str(number): b"new" for number in range(8)}
    honest = Path.replace

    def while_others_write(self: Path, target: Path) -> Path:
        if swept and target.name == "0":
            for file in files:
                remove_abandoned(file)
        return honest(self, target)

    monkeypatch.setattr(Path, "replace", while_others_write)
    write_atomic(files)
    assert names(tmp_path) == sorted(file.name for file in files)
    assert {file.read_bytes() for file in files} == {b"new"}


@pytest.mark.usefixtures("named")
def test_T14_many_processes_write_one_file(tmp_path: Path) -> None:
    def write() -> None:
        for number in range(40):
            write_atomic({tmp_path / "file": b"%d" % number * 1000})

    children = []
    for _ in range(6):
        child = os.fork()
        if not child:
            code = 1
            try:
                write()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 6
    assert names(tmp_path) == ["file"]
