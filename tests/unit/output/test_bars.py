"""The rows of the live display: what fits, what goes first, and that no row is too wide."""

from __future__ import annotations

import pytest

from pinner.output.bars import MOST_ROWS, bars
from pinner.output.tally import ImageRow, State, TotalRow

MB = 1_000_000


def image(name: str, state: State, done: int = 0, size: int = 100 * MB) -> ImageRow:
    return ImageRow(name=name, state=state, done=done, size=size, blobs_done=3, blobs=14)


def shown(*images: ImageRow, speed: float = 0.0, width: int = 80, height: int = 24) -> list[str]:
    total = TotalRow(
        done=sum(row.done for row in images),
        size=sum(row.size for row in images),
        images_done=sum(row.state is State.DONE for row in images),
        images=len(images),
    )
    rows = bars(images, total, speed=speed, width=width, height=height)
    return [f"{row.name}{row.bar}{row.figures}".rstrip() for row in rows]


def test_rows_are_bars_with_figures_and_a_total() -> None:
    assert shown(
        image("python", State.DONE, 45_100_000, 45_100_000),
        image("postgres", State.ACTIVE, 71_200_000, 151 * MB),
        image("node", State.WAITING, 0, 66_300_000),
        speed=96_300_000,
    ) == [
        "  python    ████████████████████████  45.1/45.1 MB",
        "  postgres  ███████████               71.2/151.0 MB   3 of 14 blobs",
        "  node      waiting",
        "  total     ██████████▌               116.3/262.4 MB  96.3 MB/s  0:00:02",
    ]


def test_a_failed_image_says_so() -> None:
    assert shown(image("node", State.FAILED, 50 * MB))[0].endswith("50.0/100.0 MB  failed")


def test_there_are_never_more_rows_than_ten_and_the_moving_ones_go_first() -> None:
    rows = shown(
        *(image(f"done{number}", State.DONE, 100 * MB) for number in range(20)),
        *(image(f"next{number}", State.WAITING) for number in range(20)),
        image("moving", State.ACTIVE, 5),
        image("broken", State.FAILED, 5),
    )
    assert len(rows) == MOST_ROWS
    assert [row.split()[0] for row in rows] == [
        *(f"next{number}" for number in range(7)),
        "moving",
        "broken",
        "total",
    ]
    assert rows[-1].endswith("20 of 42 images")


@pytest.mark.parametrize("height", [1, 2, 3, 5])
def test_a_low_terminal_keeps_a_line_free(height: int) -> None:
    rows = shown(*(image(f"i{number}", State.ACTIVE, 1) for number in range(9)), height=height)
    assert len(rows) == max(1, height - 1)
    assert rows[-1].split()[0] == "total"


@pytest.mark.parametrize("width", [72, 76, 80, 120, 300])
def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    rows = shown(
        image("a-very-long-name-of-an-image", State.ACTIVE, 150_900_000_000, 1_510_000_000_000),
        speed=96_300_000,
        width=width,
    )
    assert max(map(len, rows)) <= width


def test_a_narrow_terminal_gets_figures_without_bars() -> None:
    assert shown(image("node", State.ACTIVE, 50 * MB), width=50) == [
        "  node   50.0/100.0 MB  3 of 14 blobs",
        "  total  50.0/100.0 MB",
    ]


def test_a_long_name_is_cut() -> None:
    assert shown(image("n" * 60, State.ACTIVE, 1))[0].startswith(f"  {'n' * 23}…  ")


def test_nothing_to_count_is_a_full_bar() -> None:
    assert "█" * 24 in shown(image("empty", State.DONE, 0, 0))[0]
