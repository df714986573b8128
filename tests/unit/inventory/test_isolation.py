"""The process that reads packages: its limits, its ends, and that it goes with its parent."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pinner.inventory import isolation
from pinner.inventory.contents import Layer
from pinner.inventory.exchange import Request, dump_request
from pinner.inventory.isolation import Reader, compare_packages
from pinner.inventory.model import PackageChanges
from pinner.inventory.pipeline import compare_layers
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from support.tables import FIXTURES
from support.tars import gzip_layer, member, status, symlink

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STATUS = b"var/lib/dpkg/status"
MIB = 1024**2
MANY_FILES = "[os.open('/dev/null', os.O_RDONLY) for _ in range(99)]"
MODULES = "import sys; sys.path[:] = sys.argv[1:]; from pinner.inventory import child; "


def with_comparing(body: str) -> Reader:
    """A reader whose process does this in place of comparing."""
    return Reader(
        start=f"{MODULES}from pinner.inventory.model import PackageChanges\n"
        f"def compare(before, after):\n    {body}\n"
        "child.compare_layers = compare; child.main()"
    )


def one_note(changes: PackageChanges) -> str:
    assert changes.changes == ()
    (note,) = changes.notes
    return note


def test_it_answers_as_the_direct_function_does(tmp_path: Path) -> None:
    before = gzip_layer(tmp_path, member(STATUS, status(a="1-1", b="1")))
    after = gzip_layer(tmp_path, member(STATUS, status(a="2-1")), b"no header" * 60)
    changes = compare_packages([before], [after])
    assert changes == compare_layers([before], [after])
    good = gzip_layer(tmp_path, member(STATUS, status(a="2-1")))
    changes = compare_packages([before], [good])
    assert changes == compare_layers([before], [good])
    assert [change.name for change in changes.changes] == ["a", "b"]


def test_rpms_database_is_read_there(tmp_path: Path) -> None:
    older, newer = (
        gzip_layer(
            tmp_path,
            symlink(b"var/lib/rpm", b"../../usr/lib/sysimage/rpm"),
            member(
                b"usr/lib/sysimage/rpm/rpmdb.sqlite",
                gzip.decompress((FIXTURES / f"inventory/{name}.sqlite.gz").read_bytes()),
            ),
        )
        for name in ("older", "newer")
    )
    changes = compare_packages([older], [newer])
    assert changes.changes
    assert changes == compare_layers([older], [newer])
    assert changes.notes == ()


def test_a_path_of_any_bytes(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff \n'")
    odd.mkdir()
    layers = [gzip_layer(odd, member(STATUS, status(a=version))) for version in ("1", "2")]
    assert len(compare_packages(layers[:1], layers[1:]).changes) == 1


@pytest.mark.parametrize(
    ("start", "note"),
    [
        ("import os; os.abort()", "the reader was killed (SIGABRT)"),
        ("import sys; sys.exit(3)", "the reader failed (status 3)"),
        ("raise RuntimeError", "the reader failed (status 1)"),
        ("print('{}x')", "the reader's answer is malformed"),
        ("", "the reader's answer is malformed"),
        ("import os; os.close(1); os.kill(os.getpid(), 24)", "it took too much processor time"),
    ],
)
def test_an_end_that_is_no_answer_is_a_note(start: str, note: str) -> None:
    assert one_note(Reader(start=start)((), ())) == f"packages not read: {note}"


def test_an_interpreter_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    assert one_note(compare_packages((), ())) == (
        "packages not read: the reader cannot be started: No such file or directory"
    )


def ticking(times: Iterable[float], started: list[subprocess.Popen[bytes]]) -> Reader:
    """A reader of a process that never answers, with a clock that shows these times."""
    clock = iter(times)

    def monotonic() -> float:
        now = next(clock)
        if now < 0:
            assert started[-1].poll() is None  # it runs
            raise KeyboardInterrupt
        return now

    return Reader(start="import time; time.sleep(600)", monotonic=monotonic)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    processes: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*args: object, **kwargs: object) -> subprocess.Popen[bytes]:
        processes.append(real(*args, **kwargs))  # type: ignore[call-overload]
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return processes


def test_one_that_takes_too_long_is_killed(started: list[subprocess.Popen[bytes]]) -> None:
    reader = ticking([0, 1, 1e9], started)
    assert one_note(reader((), ())) == "packages not read: it took too long"
    assert started[0].returncode == -9


def test_an_interrupt_kills_it(started: list[subprocess.Popen[bytes]]) -> None:
    with pytest.raises(KeyboardInterrupt):
        ticking([0, -1], started)((), ())
    assert started[0].returncode == -9


def test_it_ends_when_its_parent_is_gone() -> None:
    body = "import time; time.sleep(600)"
    start = with_comparing(body).start
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", start, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(dump_request(Request(before=(), after=(), cpu=10)))
        process.stdin.flush()
        process.stdin.close()
        assert process.wait(120) == 1


def test_an_answer_without_end_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "ANSWER_LIMIT", MIB)
    reader = Reader(start="while True: print('x' * 1000)")
    assert one_note(reader((), ())) == "packages not read: the reader's answer is too long"


def test_a_request_larger_than_a_pipe() -> None:
    descriptor = Descriptor(media_type="x" * 1000, digest=Digest.of(b""), size=1)
    layers = [Layer(descriptor=descriptor, path=None)] * 1000
    assert compare_packages(layers, layers) == PackageChanges()


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ("bytes(500 * 1024**2)", "packages not read: they need more memory than 384 MiB"),
        (f"import os; {MANY_FILES}; return PackageChanges()", "status 1"),
    ],
    ids=["memory", "descriptors"],
)
def test_its_limits(body: str, note: str) -> None:
    assert note in one_note(with_comparing(body)((), ()))


def test_its_processor_time() -> None:
    start = "limit = child._limit; child._limit = lambda cpu: limit(1)\n"
    loop = with_comparing("while True: pass").start.replace("def compare", f"{start}def compare")
    assert one_note(Reader(start=loop)((), ())) == (
        "packages not read: it took too much processor time"
    )


def test_it_writes_no_file(tmp_path: Path) -> None:
    write = f"fd = os.open('{tmp_path}/file', os.O_WRONLY | os.O_CREAT); os.write(fd, b'x')"
    reader = with_comparing(f"import os; {write}; return PackageChanges()")
    assert "status 1" in one_note(reader((), ()))
    assert (tmp_path / "file").read_bytes() == b""


def test_it_has_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    reader = with_comparing("import os; return PackageChanges(notes=(','.join(os.environ),))")
    assert "AWS" not in one_note(reader((), ()))


def test_its_parent_does_not_import_what_parses_layers() -> None:
    program = "import sys, pinner.inventory.isolation; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    modules = {name for name in shown.split() if name.startswith("pinner.inventory.")}
    assert modules == {
        f"pinner.inventory.{name}" for name in ("contents", "exchange", "isolation", "model")
    }


def test_it_imports_neither_http_nor_the_command_line() -> None:
    reader = with_comparing("return PackageChanges(notes=(' '.join(sys.modules),))")
    modules = {name.partition(".")[0] for name in one_note(reader((), ())).split()}
    assert not modules & {"httpx", "h11", "click", "rich", "platformdirs", "zstandard", "ssl"}
