"""Both displays of a run: what they print, when, and that they always give way at the end."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

import pytest

from pinner.output.live import LiveProgress
from pinner.output.plain import PlainProgress
from pinner.output.watcher import Watcher
from pinner.output.watching import watch
from pinner.progress import BlobPlan, ImagePlan, NullProgress, Progress

IMAGES = (
    ImagePlan(name="python", blobs=("p1", "p2"), size=45_100_000),
    ImagePlan(name="node", blobs=("n1",), size=10_000_000),
)
Make: TypeAlias = Callable[[io.StringIO], AbstractContextManager[Progress]]
BLOBS = (
    BlobPlan(digest="p1", size=45_000_000),
    BlobPlan(digest="n1", size=10_000_000),
    BlobPlan(digest="p2", size=100_000),
)
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def plain(stream: io.StringIO, interval: float = 60.0) -> PlainProgress:
    return PlainProgress(stream, time.monotonic, interval=interval)


def live(stream: io.StringIO, *, colour: bool = True) -> LiveProgress:
    return LiveProgress(stream, time.monotonic, colour=colour)


def until(stream: io.StringIO, text: str) -> None:
    deadline = time.monotonic() + 120
    while text not in stream.getvalue():
        assert time.monotonic() < deadline, stream.getvalue()
        time.sleep(0.005)


def finish(progress: Progress) -> None:
    for blob in BLOBS:
        progress.advance(blob.digest, blob.size)
        progress.blob_done(blob.digest)
    progress.image_done("python")
    progress.image_done("node")


def test_a_pipe_gets_a_line_for_each_image_when_it_has_ended() -> None:
    stream = io.StringIO()
    with plain(stream) as progress:
        progress.image_done("complete-before")
        progress.plan(IMAGES, BLOBS)
        progress.image_failed("node")
        progress.image_done("python")
    assert stream.getvalue() == "node: failed\npython: 45.1 MB in 2 blobs\n"


def test_a_pipe_gets_a_total_now_and_then() -> None:
    stream = io.StringIO()
    with plain(stream, interval=0.05) as progress:
        progress.plan(IMAGES, BLOBS)
        until(stream, "total: 0.0/55.1 MB, 0 of 2 images, 0 B/s\n")
        progress.advance("p1", 20_000_000)
        until(stream, "left\n")
    assert re.search(
        r"^total: 20\.0/55\.1 MB, 0 of 2 images, [0-9.]+ [kMG]?B/s, 0:[0-9]{2}:[0-9]{2} left$",
        stream.getvalue(),
        re.MULTILINE,
    )


def test_the_total_waits_for_a_plan() -> None:
    stream = io.StringIO()
    with plain(stream, interval=0.01) as progress:
        progress.note("asking ghcr.io again in 3 s")
        until(stream, "3 s\n")
        time.sleep(0.05)
    assert stream.getvalue() == "asking ghcr.io again in 3 s\n"


def test_O04_a_pipe_gets_no_cursor_movement_and_no_colour() -> None:
    stream = io.StringIO()
    with plain(stream, interval=0.01) as progress:
        progress.plan(IMAGES, BLOBS)
        until(stream, "total")
        finish(progress)
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("make", [plain, live])
def test_O01_a_note_reaches_the_terminal_safe_and_on_one_line(make: Make) -> None:
    stream = io.StringIO()
    with make(stream) as progress:
        progress.note("mirror said \x1b]52;c;eA==\x07\nerror: forged")
    assert stream.getvalue() == r"mirror said \x1b]52;c;eA==\x07\nerror: forged" + "\n"


def test_a_terminal_gets_bars_that_go_away() -> None:
    stream = io.StringIO()
    with live(stream) as progress:
        progress.plan(IMAGES, BLOBS)
        progress.advance("p1", 20_000_000)
        until(stream, "20.0/55.1 MB")
        progress.note("a note")
        until(stream, "a note")
        finish(progress)
    written = stream.getvalue()
    assert written.index(HIDE_CURSOR) < written.index("python") < written.rindex(SHOW_CURSOR)
    assert "\x1b[1A\x1b[2K" in written[written.rindex("total") :]


def test_a_note_between_frames_stays_above_the_bars() -> None:
    stream = io.StringIO()
    with live(stream) as progress:
        progress.plan(IMAGES, BLOBS)
        until(stream, "total")
        progress.note("a [red]note[/] with markup")
        until(stream, "markup")
    after = stream.getvalue().partition("a [red]note[/] with markup")[2]
    assert "total" in after


def test_O04_no_color_is_honoured() -> None:
    written = []
    for colour in (True, False):
        stream = io.StringIO()
        with live(stream, colour=colour) as progress:
            progress.plan(IMAGES, BLOBS)
            progress.advance("p1", 20_000_000)
            until(stream, "20.0/55.1")
        written.append(re.search(r"\x1b\[[0-9;]+m", stream.getvalue()))
    assert written[0]
    assert not written[1]


def test_nothing_to_fetch_shows_nothing() -> None:
    stream = io.StringIO()
    with live(stream) as progress:
        progress.plan((), ())
        time.sleep(0.05)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("make", [plain, live])
def test_an_interrupted_run_takes_its_display_down(make: Make) -> None:
    stream = io.StringIO()

    def interrupted() -> None:
        with make(stream) as progress:
            progress.plan(IMAGES, BLOBS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not [thread for thread in threading.enumerate() if thread.name == "pinner-progress"]
    assert stream.getvalue().count(HIDE_CURSOR) == stream.getvalue().count(SHOW_CURSOR)


class Gone(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("make", [plain, live])
def test_H28_a_terminal_that_is_gone_ends_the_display_and_not_the_run(
    make: Make,
) -> None:
    with make(Gone()) as progress:
        progress.note("into the void")
        progress.plan(IMAGES, BLOBS)
        time.sleep(0.2)
        finish(progress)
        progress.note("still going")
    assert isinstance(progress, Watcher)
    total = progress.tally.total()
    assert (total.done, total.images_done) == (total.size, len(IMAGES))


@pytest.mark.parametrize(
    ("moving", "quiet", "kind"),
    [
        (True, False, LiveProgress),
        (False, False, PlainProgress),
        (True, True, nullcontext),
        (False, True, nullcontext),
    ],
)
def test_each_run_gets_its_display(*, moving: bool, quiet: bool, kind: type[object]) -> None:
    display = watch(io.StringIO(), time.monotonic, moving=moving, colour=True, quiet=quiet)
    assert isinstance(display, kind)
    if quiet:
        with display as progress:
            assert isinstance(progress, NullProgress)
