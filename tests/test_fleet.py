"""The fleet's simulation keeps its laws, counts as the programs do, and docs show what came of it.

Expected figures are computed here from the jobs of a day, without the code that routes them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet import costs, counting, plot, report, results, routes
from fleet.__main__ import PAGE, PICTURE
from fleet.estate import Estate, days_by_moves, moved_on, real_moves
from fleet.jobs import jobs_of, replaced
from fleet.outcome import Fleet
from fleet.plan import DAY, HOUR, WINDOW, Plan
from fleet.stores import locked_view, needs, tagged_view
from fleet.waiting import shared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fleet.estate import Moves
    from fleet.outcome import Outcome
    from fleet.routes import Strategy

pytestmark = pytest.mark.unmeasured

# A site's server is late for hours, so that some of the few jobs meet it so.
SMALL = Plan(runners=30, sites=3, jobs=200, warm_up=2, pipelines=8, filled=4 * HOUR)
TODAY = 5
COUNTED = costs.load()
NAMED = {strategy.name: strategy for strategy in routes.STRATEGIES}

moments = st.integers(0, (TODAY + 1) * 24 - 1).map(lambda hour: (hour + 0.5) * HOUR)
some_moves = st.lists(
    st.lists(moments, max_size=4, unique=True).map(sorted).map(tuple), min_size=4, max_size=9
).map(tuple)
any_strategy = pytest.mark.parametrize("strategy", routes.STRATEGIES, ids=lambda one: one.name)
few = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(strategy: Strategy, moves: Moves, plan: Plan = SMALL) -> Outcome:
    return Fleet(plan, COUNTED, moves, TODAY).run(strategy)


class TestLaws:
    @any_strategy
    @few
    @given(moves=some_moves)
    def test_every_byte_is_served_by_one_tier(self, strategy: Strategy, moves: Moves) -> None:
        traffic = run(strategy, moves).traffic
        assert sum(tally.served for tally in traffic.tiers.values()) == traffic.wanted
        view = (tagged_view if strategy.tool == "docker" else locked_view)(
            SMALL, Estate(SMALL, moves), moves, TODAY
        )
        wanted = [
            sum(view.at(when, pipeline).blobs.values())
            for when, _, pipeline in jobs_of(SMALL, TODAY)
        ]
        assert [sum(parts.values()) for parts in traffic.parts] == wanted

    @any_strategy
    @few
    @given(moves=some_moves)
    def test_what_enters_a_site_is_what_others_send_there(
        self, strategy: Strategy, moves: Moves
    ) -> None:
        traffic = run(strategy, moves).traffic
        entered = sum(map(sum, traffic.uplinks))
        far = traffic.tiers["mirror"], traffic.tiers["registry"]
        fills = traffic.tiers["mirror"].filled
        assert entered == sum(tally.served for tally in far) + fills + traffic.restored

    @any_strategy
    @few
    @given(moves=some_moves)
    def test_minutes_add_up_to_the_day(self, strategy: Strategy, moves: Moves) -> None:
        for tally in run(strategy, moves).traffic.tiers.values():
            assert sum(tally.by_minute) == tally.sent
            assert sum(tally.asked_by_minute) == pytest.approx(tally.requests)

    @few
    @given(some_moves)
    def test_a_cache_fetches_nothing_twice_but_as_often_as_was_counted(self, moves: Moves) -> None:
        strategy = NAMED["docker pull through a cache, empty runners"]
        registry = run(strategy, moves).traffic.tiers["registry"]
        view = tagged_view(SMALL, Estate(SMALL, moves), moves, TODAY)
        before = view.blobs_until(TODAY * DAY)
        new = {
            blob: size
            for when, _, pipeline in jobs_of(SMALL, TODAY)
            for blob, size in view.at(when, pipeline).blobs.items()
            if blob not in before
        }
        assert (registry.filled, registry.blobs) == (2 * sum(new.values()), 2 * len(new))

    @few
    @given(
        st.sampled_from([one for one in routes.STRATEGIES if one.store == "warm"]),
        some_moves,
        st.floats(0, 1),
        st.floats(0, 1),
    )
    def test_more_warm_stores_never_ask_for_more(
        self, strategy: Strategy, moves: Moves, one: float, other: float
    ) -> None:
        fewer, more = (
            run(strategy, moves, replace(SMALL, warm=share)).traffic.tiers
            for share in sorted((one, other))
        )
        for tier in ("site", "mirror", "registry"):
            assert more[tier].served <= fewer[tier].served
            assert more[tier].manifests <= fewer[tier].manifests
            assert more[tier].blobs <= fewer[tier].blobs

    @few
    @given(some_moves)
    def test_no_warm_store_is_no_store(self, moves: Moves) -> None:
        cold = run(NAMED["sync, empty runners"], moves).traffic
        none = run(NAMED["sync, warm stores"], moves, replace(SMALL, warm=0)).traffic
        assert none.tiers == cold.tiers

    @few
    @given(some_moves)
    def test_by_the_next_day_tags_have_moved_as_the_lock_did(self, moves: Moves) -> None:
        evening = (TODAY + 1) * DAY
        estate = Estate(SMALL, moves)
        tags, lock = (view(SMALL, estate, moves, TODAY) for view in (tagged_view, locked_view))
        for pipeline in range(SMALL.pipelines):
            assert tags.at(evening, pipeline) is lock.at(evening, pipeline)


class TestOneDay:
    """Figures of a day, computed from its jobs alone."""

    MOVES: Moves = tuple((n * DAY / 4, (TODAY - 0.5) * DAY + n) for n in range(1, 7))

    def jobs(self) -> list[tuple[float, int, int]]:
        return jobs_of(SMALL, TODAY)

    def test_jobs_refused_by_a_limit_for_each_address(self) -> None:
        asked = 2 * SMALL.images  # an index and a manifest of each image
        windows = Counter(
            (runner % SMALL.sites, (when - TODAY * DAY) // WINDOW)
            for when, runner, _ in self.jobs()
        )
        plan = replace(SMALL, anonymous=3 * asked)
        refused = sum(max(0, count - plan.anonymous // asked) for count in windows.values())
        outcome = run(NAMED["sync, empty runners"], self.MOVES, plan)
        assert outcome.traffic.stopped == refused > 0
        addresses = Counter(runner % SMALL.sites for _, runner, _ in self.jobs())
        hours = max(addresses.values()) * asked / plan.anonymous * 6
        assert outcome.hours(plan.anonymous, each_address=True) == hours
        moved = 2 * moved_on(self.MOVES, TODAY)  # asked for by the update
        everybody = (SMALL.jobs * asked + moved) / plan.user * 6
        assert outcome.hours(plan.user, each_address=False) == pytest.approx(everybody)

    def test_the_busiest_minute_of_the_mirror(self) -> None:
        view = locked_view(SMALL, Estate(SMALL, self.MOVES), self.MOVES, TODAY)
        minutes: dict[int, int] = defaultdict(int)
        for when, _, pipeline in self.jobs():
            minutes[int((when - TODAY * DAY) // 60)] += sum(view.at(when, pipeline).blobs.values())
        outcome = run(NAMED["sync, mirror, empty runners"], self.MOVES)
        assert outcome.peak("mirror") == max(minutes.values()) / 60
        link = max(minutes.values()) / 60 * 1.01 / SMALL.headroom
        for share, nodes in ((1, 1), (2, 2), (5, 5)):
            plan = replace(SMALL, node_link=link / share)
            assert run(NAMED["sync, mirror, empty runners"], self.MOVES, plan).nodes() == nodes

    def test_what_goes_upstream_when_the_mirror_is_down(self) -> None:
        view = locked_view(SMALL, Estate(SMALL, self.MOVES), self.MOVES, TODAY)
        asked: Counter[int] = Counter()
        sent: Counter[int] = Counter()
        for when, _, pipeline in self.jobs():
            hour = int((when - TODAY * DAY) // HOUR)
            asked[hour] += 2 * SMALL.images
            sent[hour] += sum(view.at(when, pipeline).blobs.values())
        (busiest, count), (_, fewer) = asked.most_common(2)
        assert count > fewer
        outcome = run(NAMED["sync, mirror, empty runners"], self.MOVES)
        assert outcome.when_down() == (count, sent[busiest])

    def test_with_the_mirror_down_sites_fill_themselves_upstream(self) -> None:
        plan = replace(SMALL, filled=0)
        new = sum(Estate(plan, self.MOVES).new(TODAY).values())
        outcome = run(NAMED["sync, mirror, sites, empty runners"], self.MOVES, plan)
        fills = plan.sites * 2 * moved_on(self.MOVES, TODAY), plan.sites * new
        assert outcome.when_down() == fills

    def test_sites_lack_new_blobs_until_their_servers_have_them(self) -> None:
        plan = SMALL
        estate = Estate(plan, self.MOVES)
        view, new = locked_view(plan, estate, self.MOVES, TODAY), estate.new(TODAY)
        late = sum(
            size
            for when, _, pipeline in self.jobs()
            if plan.merged <= when - TODAY * DAY < plan.merged + plan.filled
            for blob, size in view.at(when, pipeline).blobs.items()
            if blob in new
        )
        mirror = run(NAMED["sync, mirror, sites, empty runners"], self.MOVES, plan).traffic.tiers[
            "mirror"
        ]
        assert mirror.served == late > 0
        assert mirror.filled == plan.sites * sum(new.values())

    def test_what_moved_has_new_blobs_and_the_rest_has_none(self) -> None:
        estate = Estate(SMALL, (*self.MOVES, ()))
        moved = {image for image, layer, _ in estate.new(TODAY) if layer == -1}
        assert moved == set(range(len(self.MOVES)))
        assert estate.new(TODAY - 1) == {}

    def test_the_public_registry_is_asked_for_what_moved_alone(self) -> None:
        new = Estate(SMALL, self.MOVES).new(TODAY)
        registry = run(NAMED["sync, mirror, warm stores"], self.MOVES).traffic.tiers["registry"]
        moved = moved_on(self.MOVES, TODAY)
        assert moved == len(self.MOVES)
        assert registry.manifests == moved * (2 + 1 + SMALL.platforms)  # update, then mirror
        assert registry.heads == len(self.MOVES)
        assert (registry.served, registry.filled) == (0, SMALL.platforms * sum(new.values()))

    def test_a_cache_of_the_ci_has_what_an_ended_job_saved(self) -> None:
        plan = replace(SMALL, pipelines=1, warm_up=0, saved=HOUR)
        still: Moves = ((),) * 5
        (first, *_), jobs = jobs_of(plan, TODAY)[0], jobs_of(plan, TODAY)
        begun = sum(when < first + plan.saved for when, _, _ in jobs)
        outcome = run(NAMED["sync, CI cache"], still, plan)
        each = outcome.traffic.wanted // len(jobs)
        assert outcome.traffic.tiers["registry"].served == begun * each
        assert outcome.traffic.tiers["ci"].served == (len(jobs) - begun) * each > 0
        assert outcome.traffic.restored == outcome.traffic.tiers["ci"].served

    def test_a_runner_lacks_what_it_never_had_or_lost(self) -> None:
        plan = replace(SMALL, churn=0.5)
        view = locked_view(plan, Estate(plan, self.MOVES), self.MOVES, TODAY)
        had: dict[int, set[object]] = defaultdict(set)
        lacked = []
        for day in range(TODAY - plan.warm_up, TODAY + 1):
            ends = sorted((when, runner) for runner, when in replaced(plan, day).items())
            for when, runner, pipeline in jobs_of(plan, day):
                while ends and ends[0][0] <= when:
                    had.pop(ends.pop(0)[1], None)
                blobs = view.at(when, pipeline).blobs
                if day == TODAY:
                    lacked.append({blob for blob in blobs if blob not in had[runner]})
                had[runner] |= set(blobs)
            for _, runner in ends:
                had.pop(runner, None)
        assert [set(need.blobs) for need in needs(plan, view, TODAY, "warm")] == lacked

    def test_waits_are_for_trips_and_for_bytes(self) -> None:
        alone = replace(SMALL, jobs=1, warm_up=0, images=4)
        (job,) = jobs_of(alone, TODAY)
        view = locked_view(alone, Estate(alone, self.MOVES), self.MOVES, TODAY)
        blobs = view.at(job[0], job[2]).blobs
        bytes_ = sum(blobs.values()) / alone.runner_link
        trips = 2 + -(-len(blobs) // 8)  # index, manifest, then blobs, eight at once
        for name, trip in (
            ("sync, empty runners", alone.registry_trip),
            ("sync, mirror, empty runners", alone.mirror_trip),
            ("sync, mirror, sites, empty runners", alone.site_trip),
        ):
            (took,) = run(NAMED[name], self.MOVES, alone).seconds
            assert took == pytest.approx(alone.start + bytes_ + trips * trip), name


flows = st.lists(
    st.tuples(st.integers(0, 50).map(float), st.integers(1, 100).map(float)), max_size=12
).map(sorted)


class TestSharing:
    @given(flows, st.integers(1, 20), st.integers(1, 20))
    def test_as_when_every_step_is_computed_anew(
        self, some: list[tuple[float, float]], capacity: int, each: int
    ) -> None:
        took = shared(some, capacity=capacity, each=each)
        assert took == pytest.approx(step_by_step(some, capacity, each))

    def test_two_that_begin_together_take_twice_as_long(self) -> None:
        assert shared([(0, 10), (0, 10)], capacity=10, each=10) == [2, 2]

    def test_a_link_of_their_own_holds_them_back(self) -> None:
        assert shared([(0, 10), (1, 10)], capacity=1000, each=5) == [2, 2]


def step_by_step(some: Sequence[tuple[float, float]], capacity: float, each: float) -> list[float]:
    """The same, by what is left of every transfer."""
    left = dict(enumerate(size for _, size in some))
    took = dict.fromkeys(left, 0.0)
    now = 0.0
    while left:
        active = [number for number in left if some[number][0] <= now]
        following = min((some[n][0] for n in left if some[n][0] > now), default=float("inf"))
        if not active:
            now = following
            continue
        rate = min(each, capacity / len(active))
        step = min(following - now, *(left[number] / rate for number in active))
        now += step
        for number in active:
            left[number] -= step * rate
            if left[number] < 1e-9:
                del left[number]
                took[number] = now - some[number][0]
    return list(took.values())


class TestCounted:
    def test_pinner_asks_what_is_stored(self, tmp_path: Path) -> None:
        stored = [row for row in COUNTED.rows if row.action.startswith("pinner ")]
        assert counting.count_pinner(tmp_path) == stored

    def test_requests_grow_with_images_and_blobs(self, tmp_path: Path) -> None:
        fewer = costs.Costs(tuple(counting.count_pinner(tmp_path, images=2)))
        for action in (counting.LOCK, counting.FRESH, counting.AGAIN, counting.STILL, counting.ALL):
            two, four = fewer.find(action), COUNTED.find(action)
            for kind in costs.KINDS:
                assert two.per_image(kind) == four.per_image(kind), action
        assert fewer.find(counting.MOVED).asked["GET manifests"] == 2

    def test_a_new_lock_costs_what_is_new_in_it(self) -> None:
        new, fresh = COUNTED.find(counting.AFTER), COUNTED.find(counting.FRESH)
        assert new.per_image("GET manifests") == fresh.per_image("GET manifests")
        assert new.per_blob("GET blobs") == fresh.per_blob("GET blobs")

    def test_without_its_mirror_a_sync_asks_the_registry_as_if_there_were_none(self) -> None:
        fresh = COUNTED.find(counting.FRESH)
        assert COUNTED.find(counting.MIRRORED, "mirror").asked == fresh.asked
        assert COUNTED.find(counting.MIRRORED).asked == {}
        assert COUNTED.find(counting.DOWN).asked == fresh.asked
        assert COUNTED.find(counting.LOST).asked == fresh.asked

    @pytest.mark.servers
    def test_docker_asks_what_is_stored(self, tmp_path: Path) -> None:
        stored = [row for row in COUNTED.rows if row.action.startswith("docker ")]
        counted = counting.count_docker(tmp_path)
        for now, then in zip(counted, stored, strict=True):
            assert replace(now, sent=0) == replace(then, sent=0)
        sent = {row.where: row.sent for row in counted if row.action == counting.THROUGH_EMPTY}
        assert sent["registry"] == 2 * sent["cache"] > 0

    def test_what_was_never_counted_is_not_made_up(self) -> None:
        with pytest.raises(KeyError):
            COUNTED.find("docker push")


@pytest.fixture(scope="module")
def busiest() -> Fleet:
    plan, moves = Plan(), real_moves()
    return Fleet(plan, COUNTED, moves, days_by_moves(moves, plan.warm_up + 2)[-1])


@pytest.mark.parametrize(
    "name",
    [
        "docker pull, empty runners",
        "docker pull through a cache, empty runners",
        "sync, mirror, CI cache",
        "sync, mirror, sites, empty runners",
        "sync, mirror, sites, warm stores",
    ],
)
def test_stored_results_are_those_of_a_simulation(busiest: Fleet, name: str) -> None:
    (stored,) = [row for row in results.load().on_the_busiest_day() if row.strategy == name]
    assert results.row(results.BUSIEST, stored.moved, busiest.run(NAMED[name])) == stored


def test_what_the_record_says_is_stored() -> None:
    stored = results.load()
    assert results.collect(Plan(), real_moves(), stored.rows) == stored
    assert {row.moved for row in stored.rows if row.day == "quiet"} == {0}


def test_the_page_shows_the_stored_results() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert report.placed(shown, report.render(Plan(), COUNTED, results.load())) == shown


def test_the_picture_shows_the_stored_results_in_dark_mode_too() -> None:
    drawn = PICTURE.read_text(encoding="utf-8")
    assert plot.draw(results.load().on_the_busiest_day()) == drawn
    assert "prefers-color-scheme: dark" in drawn
    ET.fromstring(drawn)  # noqa: S314 - our own file


def test_a_page_without_the_place_for_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        report.placed("# A page\n", "tables")
