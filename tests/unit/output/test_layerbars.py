"""The rows of a pull in a terminal."""

from __future__ import annotations

import pytest

from pinner.output.layerbars import LayerRow, human_size, layer_bars
from pinner.output.pulltale import LayerState
from pinner.output.tally import TotalRow

TOTAL = TotalRow(done=5_000_000, size=20_000_000, images_done=0, images=1)


def lines(*layers: LayerRow, width: int = 120, height: int = 24, speed: float = 0) -> list[str]:
    return [
        row.name + row.bar + row.figures
        for row in layer_bars(layers, TOTAL, speed=speed, width=width, height=height)
    ]


def moving(short: str, done: int = 4_194_304) -> LayerRow:
    return LayerRow(short=short, state=LayerState.PULLING, done=done, size=29_125_000)


def test_rows_are_dockers() -> None:
    assert lines(
        LayerRow(short="fbae14ffe1d7", state=LayerState.EXISTS),
        moving("27dbea96937d"),
        LayerRow(short="9cbefb7b3e2d", state=LayerState.PULLING),
        LayerRow(short="602a17e529b8", state=LayerState.DOWNLOADED),
        speed=5_000_000,
    ) == [
        "fbae14ffe1d7: Already exists",
        f"27dbea96937d: Downloading [{'=' * 7}>{' ' * 42}]  4.194MB/29.12MB",
        "9cbefb7b3e2d: Pulling fs layer",
        "602a17e529b8: Download complete",
        "total  5.0/20.0 MB  5.0 MB/s  0:00:03",
    ]


def test_a_narrow_terminal_has_no_bar() -> None:
    assert lines(moving("27dbea96937d"), width=110)[0] == (
        "27dbea96937d: Downloading   4.194MB/29.12MB"
    )


def test_a_bar_that_is_full() -> None:
    (row, _) = lines(moving("27dbea96937d", done=29_125_000))
    assert f"[{'=' * 50}]" in row


def test_a_low_terminal_shows_what_moves() -> None:
    layers = [LayerRow(short=f"{n}", state=LayerState.DOWNLOADED) for n in range(9)]
    shown = lines(*layers, moving("x"), moving("y"), height=5)
    assert [line.partition(":")[0] for line in shown[:-1]] == ["0", "x", "y"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (1_234, "1.234kB"),
        (29_125_000, "29.12MB"),
        (1_500_000_000, "1.5GB"),
    ],
)
def test_sizes_are_dockers(count: int, text: str) -> None:
    assert human_size(count) == text
