"""Both displays of a pull: what goes to stdout, what to stderr, and that nothing is lost."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from pinner.oci.reference import Reference
from pinner.output.pulling import LivePull, PlainPull
from pinner.progress import BlobPlan, ImagePlan
from pinner.pull import Block
from pinner.pull.model import Target
from support.outcomes import descriptor, digest

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = Block(
    target=Target(reference=Reference.parse("a:1"), given=Reference.parse("a:1")),
    found=True,
    digest=digest(0xF0),
    layers=(descriptor(1, 1_000_000), descriptor(2, 1_000_000)),
    missing=frozenset({digest(1), digest(2)}),
)
NEXT = Block(
    target=Target(reference=Reference.parse("b:1"), given=Reference.parse("b:1")),
    found=True,
    digest=digest(0xF1),
    layers=(descriptor(3, 1_000_000),),
    missing=frozenset({digest(3)}),
)


def run(display: PlainPull | LivePull) -> None:
    display.found([BLOCK])
    blobs = tuple(str(digest(number)) for number in (1, 2))
    display.plan(
        (ImagePlan(name="a:1", blobs=blobs, size=2_000_000),),
        tuple(BlobPlan(digest=blob, size=1_000_000) for blob in blobs),
    )
    for blob in blobs:
        display.advance(blob, 1_000_000)
        display.blob_done(blob)
    display.image_done("a:1")
    display.drain()


def plain(err: io.StringIO, tell: Callable[[str], None]) -> PlainPull:
    return PlainPull(err, time.monotonic, tell=tell, begun=False)


def live(err: io.StringIO, tell: Callable[[str], None], *, brief: bool = True) -> LivePull:
    return LivePull(err, time.monotonic, colour=False, tell=tell, brief=brief, begun=False)


class Out(io.StringIO):
    """Stdout."""

    def tell_text(self, text: str) -> None:
        self.write(text)


def test_a_pipe_gets_every_line_on_stdout_and_nothing_on_stderr() -> None:
    out, err = Out(), io.StringIO()
    with plain(err, out.tell_text) as display:
        run(display)
    assert len(out.getvalue().splitlines()) == 10
    assert err.getvalue() == ""


def test_a_slow_reader_loses_nothing() -> None:
    out, err = Out(), io.StringIO()

    def slowly(text: str) -> None:
        time.sleep(0.5)
        out.write(text)

    with plain(err, slowly) as display:
        run(display)  # which takes longer than a display may take to end
    assert out.getvalue().endswith("docker.io/library/a:1\n")


def test_nothing_is_told_where_nobody_listens() -> None:
    err = io.StringIO()
    with PlainPull(err, time.monotonic, tell=None, begun=False) as display:
        run(display)
    assert err.getvalue() == ""


def until(stream: io.StringIO, text: str) -> None:
    deadline = time.monotonic() + 120
    while text not in stream.getvalue():
        assert time.monotonic() < deadline, stream.getvalue()
        time.sleep(0.005)


def test_a_terminal_gets_rows_that_give_way_to_lines() -> None:
    out, err = Out(), io.StringIO()
    with live(err, out.tell_text) as display:
        display.found([BLOCK, NEXT])
        blobs = tuple(str(digest(number)) for number in (1, 2, 3))
        display.plan(
            (ImagePlan(name="a:1", blobs=blobs, size=3_000_000),),
            tuple(BlobPlan(digest=blob, size=1_000_000) for blob in blobs),
        )
        display.advance(blobs[0], 400_000)
        display.advance(blobs[2], 300_000)  # of the block that waits
        until(err, f"{'01' * 6}: Downloading")
        until(err, f"{'03' * 6}: Downloading")
        until(err, f"{'02' * 6}: Pulling fs layer")
        until(err, "total  0.7/3.0 MB")
        assert out.getvalue() == "1: Pulling from library/a\n"
        display.blob_done(blobs[0])
        display.blob_done(blobs[1])
        display.image_done("a:1")
        display.drain()
    assert out.getvalue().splitlines()[1:3] == [
        f"{'01' * 6}: Pull complete",
        f"{'02' * 6}: Pull complete",
    ]
    assert "Download complete" not in out.getvalue()
    assert err.getvalue().rfind("\x1b[?25h") > err.getvalue().rfind("\x1b[?25l")


def test_rows_are_taken_down_before_a_line_is_told() -> None:
    """In one terminal both streams draw: what is told must not stand within the rows."""
    screen = Out()
    with live(screen, screen.tell_text) as display:
        display.found([BLOCK])
        blob = str(digest(1))
        display.plan(
            (ImagePlan(name="a:1", blobs=(blob,), size=1_000_000),),
            (BlobPlan(digest=blob, size=1_000_000),),
        )
        display.advance(blob, 10)
        until(screen, "Downloading")
        display.blob_done(blob)
        display.image_done("a:1")
        display.drain()
        drawn, _, _ = screen.getvalue().partition("Digest: ")
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h")


def test_a_terminal_whose_stdout_is_a_pipe_gets_both() -> None:
    out, err = Out(), io.StringIO()
    with live(err, out.tell_text, brief=False) as display:
        run(display)
    assert out.getvalue().count("Download complete") == 2
