"""The replay replays what the record says, measures what it says, and docs show what came of it.

Expected lags are computed here from the lines of the record, without pinner and without the replay.
"""

from __future__ import annotations

import json
import lzma
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from xml.etree import ElementTree as ET

import pytest

from pinner.spec import parse_spec
from replay import plot, record, report, results
from replay.__main__ import PAGE, PICTURE
from replay.course import Course, Replay, load_spec
from replay.lag import At, measure
from replay.record import DAY, FOLDER, Made, World, read
from replay.registry import Dates

if TYPE_CHECKING:
    from pinner.spec import Spec
    from replay.course import Story

pytestmark = pytest.mark.unmeasured

HOUR = DAY / 24
SOME = ("node:current", "golang:1-alpine", "debian:bookworm", "redis:latest", "python:3-alpine")
START = datetime(2025, 1, 1, 6, tzinfo=UTC).timestamp()
END = datetime(2025, 3, 26, 6, tzinfo=UTC).timestamp()


def spec_of(*references: str) -> Spec:
    lines = [f'"{reference.replace(":", "-")}" = "{reference}"' for reference in references]
    text = "\n".join(['[settings]\nplatforms = ["linux/amd64"]\n[images]', *lines])
    return parse_spec(text.encode(), path="images.toml", base=Path())


@pytest.fixture(scope="module")
def some() -> Replay:
    """Twelve weeks of five tags."""
    return Replay(spec_of(*SOME), record.load(), start=START, end=END)


def moves_of(reference: str) -> list[float]:
    """When a tag moved in these weeks, from the record's own lines."""
    image, _, tag = reference.partition(":")
    text = lzma.decompress((FOLDER / "official-history.jsonl.xz").read_bytes())
    when = [
        datetime.fromisoformat(line["when"]).timestamp()
        for line in map(json.loads, text.splitlines())
        if line["image"] == image and any(tag in tags for tags in line["build"].values())
    ]
    return sorted(moment for moment in when if START < moment <= END)


def expected_lags(
    moves: list[float], *, age: int, every: int, remembers: bool, dated: bool
) -> list[float]:
    """Days from each move to the first update that can take it or a later one."""
    updates = [START + n * every * DAY for n in range(1, int((END - START) / every / DAY) + 1)]
    taken: list[float] = []
    for move, following in zip(moves, [*moves[1:], END + DAY], strict=True):
        seen = [update for update in updates if move <= update < following]
        since = move if dated else min(seen, default=END)
        able = [one for one in (updates if remembers else seen) if one >= since + age * DAY]
        taken.append(min((one for one in able if seen and one >= seen[0]), default=END))
    return [(min(taken[place:]) - move) / DAY for place, move in enumerate(moves)]


def test_the_expected_lags_of_a_made_up_tag() -> None:
    moves = [START + 0.5 * DAY, START + 2.5 * DAY]
    wish = {"age": 3, "every": 1, "dated": True}
    assert expected_lags(moves, remembers=True, **wish) == [3.5, 3.5]  # type: ignore[arg-type]
    assert expected_lags(moves, remembers=False, **wish) == [5.5, 3.5]  # type: ignore[arg-type]


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("age", [0, 3, 7])
@pytest.mark.parametrize(
    ("tool", "dates", "remembers", "dated"),
    [
        ("pinner", Dates.PUSHES, True, True),
        ("pinner", Dates.CREATED, True, False),
        ("pinner", Dates.NONE, True, False),
        ("Renovate", Dates.PUSHES, False, True),
        ("Dependabot", Dates.PUSHES, False, True),
        ("Dependabot", Dates.CREATED, False, True),
    ],
)
def test_lags_are_those_of_the_record(
    some: Replay, tool: str, dates: Dates, age: int, every: int, *, remembers: bool, dated: bool
) -> None:
    story = some.run(Course(tool=tool, minimum_age=age, dates=dates, every=every))
    for reference in SOME:
        expected = expected_lags(
            moves_of(reference), age=age, every=every, remembers=remembers, dated=dated or not age
        )
        lags = story.behind[reference.replace(":", "-")].lags
        assert lags == pytest.approx(expected), reference
    assert story.young == 0


@pytest.mark.parametrize("dates", [Dates.CREATED, Dates.NONE])
def test_renovate_holds_what_no_registry_dates(some: Replay, dates: Dates) -> None:
    story = some.run(Course(tool="Renovate", minimum_age=3, dates=dates))
    assert story.updates == 0
    assert starving(story) == {reference.replace(":", "-") for reference in SOME}


def test_dependabot_takes_what_nothing_dates(some: Replay) -> None:
    story = some.run(Course(tool="Dependabot", minimum_age=3, dates=Dates.NONE))
    free = some.run(Course(tool="Dependabot", minimum_age=0, dates=Dates.NONE))
    assert story.behind == free.behind
    assert story.young == story.updates > 0


def test_requests_of_a_day_on_which_nothing_moves() -> None:
    replay = Replay(spec_of(*SOME), record.load(), start=START, end=START + DAY)
    assert not any(START < move <= START + DAY for one in SOME for move in moves_of(one))
    story = replay.run(Course(tool="pinner", minimum_age=3, dates=Dates.PUSHES))
    assert (story.runs, story.asked) == (1, {"HEAD": 5})


def starving(story: Story) -> set[str]:
    return {name for name, one in story.behind.items() if one.starved}


class TestNightlyRebuilds:
    """One tag that the record never moves, watched for forty mornings."""

    LINE: ClassVar = {"when": "2025-01-01T00:00:00+00:00", "image": "app", "build": {"0": ["1"]}}
    DAYS = 40

    def story(self, tool: str, dates: Dates) -> Story:
        end = START + self.DAYS * DAY
        replay = Replay(spec_of("app:1"), read([self.LINE]), start=START, end=end)
        return replay.run(Course(tool=tool, minimum_age=7, dates=dates, nightly=True))

    @pytest.mark.parametrize(
        ("dates", "lag"),
        [
            # Rebuilt at two, updated at six: a push is seven days old on the eighth morning,
            (Dates.PUSHES, 7 * DAY + 4 * HOUR),
            # and what was first seen on the first one is too.
            (Dates.NONE, 7 * DAY + 4 * HOUR),
        ],
    )
    def test_pinner_follows_a_week_behind(self, dates: Dates, lag: float) -> None:
        story = self.story("pinner", dates)
        behind = story.behind["app-1"]
        assert behind.lags[: behind.reached] == pytest.approx([lag / DAY] * (self.DAYS - 7))
        assert (story.updates, starving(story)) == (self.DAYS - 7, set())

    @pytest.mark.parametrize("tool", ["Renovate", "Dependabot"])
    def test_who_remembers_no_digests_never_moves(self, tool: str) -> None:
        story = self.story(tool, Dates.PUSHES)
        assert (story.updates, starving(story)) == (0, {"app-1"})


def test_tags_that_left_the_record_stay_and_are_rebuilt_no_more() -> None:
    midnight = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    lines = [
        {"when": "2025-01-01T00:00:00+00:00", "image": "app", "build": {"0": ["1", "1.0"]}},
        {
            "when": "2025-01-03T00:00:00+00:00",
            "image": "app",
            "build": {"1": ["1"]},
            "gone": ["1.0"],
        },
    ]
    world = World(read(lines), nightly=True)
    world.pass_until(midnight + 9 * DAY)
    assert world.tags("app") == ("1", "1.0")
    assert world.named("app", "1.0") == Made("app", 0, 2)  # of two nights
    assert world.pushed(Made("app", 0, 2)) == midnight + DAY + 2 * HOUR
    assert world.named("app", "1") == Made("app", 1, 7)
    assert world.tag_pushed("app", "1") == midnight + 8 * DAY + 2 * HOUR


A, B, C = (Made("app", build) for build in range(3))


@pytest.mark.parametrize(
    ("tag", "pin", "lags", "reached", "stood"),
    [
        pytest.param([(0, A)], [(0, A)], [], 0, 0, id="nothing moves"),
        pytest.param([(0, A), (2, B)], [(0, A), (5, B)], [3], 1, 3, id="followed"),
        pytest.param([(0, A), (2, B)], [(0, A)], [8], 0, 8, id="never followed"),
        pytest.param(
            [(0, A), (2, B), (3, C)], [(0, A), (5, C)], [3, 2], 2, 3, id="one is passed over"
        ),
        pytest.param(
            [(0, A), (2, B), (3, C)], [(0, A), (5, B), (7, C)], [3, 4], 2, 3, id="in two steps"
        ),
        pytest.param(
            [(0, A), (2, B)], [(0, A), (4, C)], [8], 0, 6, id="moved, and not to what is best"
        ),
    ],
)
def test_measuring(
    tag: list[tuple[int, Made]],
    pin: list[tuple[int, Made]],
    lags: list[float],
    reached: int,
    stood: float,
) -> None:
    behind = measure(
        [At(day * DAY, made) for day, made in tag],
        [At(day * DAY, made) for day, made in pin],
        10 * DAY,
    )
    assert (list(behind.lags), behind.reached, behind.stood) == (lags, reached, stood)
    assert list(behind.left) == [10 - day for day, _ in tag[1:]]


def test_forty_entries_on_the_ten_images_of_the_record() -> None:
    entries = load_spec().entries
    assert len(entries) == 40
    assert {entry.repository.path.removeprefix("library/") for entry in entries} == {
        step.image for step in record.load()
    }


def test_no_tag_goes_back_to_an_earlier_image() -> None:
    for name, row in Replay(load_spec(), record.load()).tags(nightly=False).items():
        assert len({one.made for one in row}) == len(row), name


@pytest.mark.parametrize("tool", ["pinner", "Renovate", "Dependabot"])
def test_stored_results_are_those_of_a_replay(tool: str) -> None:
    course = Course(tool=tool, minimum_age=3, dates=Dates.PUSHES, every=7)
    (stored,) = [
        row
        for row in results.load()
        if (row.tool, row.minimum_age, row.dates, row.every, row.nightly)
        == (tool, 3, Dates.PUSHES.name, 7, False)
    ]
    assert results.row(course, Replay(load_spec(), record.load()).run(course)) == stored


def test_the_page_shows_the_stored_results() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert report.placed(shown, report.render(results.load())) == shown


def test_the_picture_shows_the_stored_results_in_dark_mode_too() -> None:
    drawn = PICTURE.read_text(encoding="utf-8")
    assert plot.draw(results.load()) == drawn
    assert "prefers-color-scheme: dark" in drawn
    assert len(drawn.encode()) < 30_000
    ET.fromstring(drawn)  # noqa: S314 - our own file


def test_a_page_without_the_place_for_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        report.placed("# A page\n", "tables")
