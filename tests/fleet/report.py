"""The results as Markdown, and the place in docs/fleet.md where they stand (pure)."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from fleet.costs import KINDS
from fleet.plan import DAY, GBIT
from fleet.results import COMPARED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fleet.costs import Cost, Costs
    from fleet.plan import Plan
    from fleet.results import Results, Row

BEGIN: Final = "<!-- fleet:begin, written by `make fleet` -->"
END: Final = "<!-- fleet:end -->"
_GB: Final = 1_000_000_000
_TB: Final = 1_000 * _GB


def render(plan: Plan, costs: Costs, results: Results) -> str:
    """All tables."""
    busiest = results.on_the_busiest_day()
    moved = busiest[0].moved
    return "\n\n".join(
        [
            _summary(plan, busiest),
            "**Assumed**",
            _table(("what", "how much", "where from"), "---", plan.rows()),
            "**Counted**",
            _counted(costs),
            f"**The public registry, on the day with the most moves: {moved} of 40 images**",
            _registry(busiest),
            "**Who sends the bytes, that day**",
            _bytes(busiest),
            _shape(busiest[0]),
            "**How long, and what is used up, that day**",
            _times(busiest),
            "**By how much moved**",
            _days(results.rows),
            "**The mirror is down in its busiest hour**",
            _down(plan, busiest),
            "**Storage**",
            _storage(plan, results),
        ]
    )


def placed(page: str, text: str) -> str:
    """The page with this text between its markers.

    Raises:
        ValueError: it has no markers.
    """
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def size(count: float) -> str:
    """Bytes as people say them."""
    if count >= _TB / 10:
        return f"{count / _TB:.1f} TB"
    return f"{count / _GB:.0f} GB" if count >= _GB else f"{count / 1_000_000:.0f} MB"


def _summary(plan: Plan, rows: Sequence[Row]) -> str:
    """What the tables come to, as a list."""
    by_name = {row.strategy: row for row in rows}
    tags, cached = by_name["docker pull, empty runners"], by_name["sync, mirror, CI cache"]
    empty, warm = by_name["sync, mirror, empty runners"], by_name["sync, mirror, warm stores"]
    direct, kept = by_name["sync, empty runners"], by_name["sync, warm stores"]
    sites = by_name["sync, mirror, sites, empty runners"]
    peaks = [_rate(row.peaks["mirror"]) for row in (empty, warm, cached)]
    late, fills = size(sites.served["mirror"]), size(sites.filled["mirror"])
    refused = _share(tags.stopped, tags.jobs)
    said = (
        (
            f"{tags.jobs:,} jobs a day that pull tags onto empty runners ask the public registry"
            f" for {tags.gets:,} manifests. At {plan.anonymous} in 6 hours for each of"
            f" {plan.sites} addresses that takes {tags.hours[0]:,.0f} hours; {refused} of the jobs"
            " are refused."
        ),
        (
            "`pinner sync` straight from the public registry asks for as many on empty runners"
            f" ({direct.gets:,}). Warm stores take it to {kept.gets:,}, which is still too many."
        ),
        (
            f"With a mirror it is {empty.gets} on the day with the most moves, whatever runners"
            " keep."
        ),
        (
            f"Then the mirror carries it: {size(empty.served['mirror'])} and, in the busiest"
            f" minute, {peaks[0]} for empty runners ({empty.nodes} nodes), {peaks[1]} for warm"
            f" ones, {peaks[2]} beside a CI cache."
        ),
        (
            f"With site servers it sends {fills} to fill them, and {late} to jobs that begin"
            " between the merge and then."
        ),
    )
    lines = (
        textwrap.fill(one, width=99, initial_indent="- ", subsequent_indent="  ") for one in said
    )
    return "\n".join(lines)


def _shape(row: Row) -> str:
    mean = row.wanted / DAY
    times = row.peaks["registry"] / mean
    return (
        f"A job's images have {size(row.wanted / row.jobs)} together. With empty runners the"
        f" busiest minute\nasks for {times:.0f} times the mean."
    )


def _counted(costs: Costs) -> str:
    head = ("action", "images", "new blobs", "asked", *KINDS)
    return _table(head, "---|---:|---:|---", [_cost(cost) for cost in costs.rows])


def _cost(cost: Cost) -> tuple[str, ...]:
    counts = (str(cost.asked.get(kind, 0)) for kind in KINDS)
    return (cost.action, str(cost.images), str(cost.blobs), cost.where, *counts)


def _registry(rows: Sequence[Row]) -> str:
    head = (
        "strategy",
        "manifest GETs",
        "HEADs",
        "blob GETs",
        "bytes",
        "hours at 100 in 6 h for each site's address",
        "jobs refused",
        "hours at 200 in 6 h for one user",
    )
    return _table(
        head,
        "---",
        [
            (
                row.strategy,
                f"{row.gets:,}",
                f"{row.heads:,}",
                f"{row.blobs:,}",
                size(row.served["registry"] + row.filled["registry"]),
                f"{row.hours[0]:,.0f}",
                _share(row.stopped, row.jobs),
                f"{row.hours[1]:,.0f}",
            )
            for row in rows
        ],
    )


def _bytes(rows: Sequence[Row]) -> str:
    head = (
        "strategy",
        "own store",
        "CI cache",
        "site's server",
        "mirror or cache",
        "public registry",
        "requests at sites",
        "at the mirror",
    )
    return _table(
        head,
        "---",
        [
            (
                row.strategy,
                *(
                    _share(row.served[tier], row.wanted)
                    for tier in ("own", "ci", "site", "mirror", "registry")
                ),
                f"{row.requests['site']:,}",
                f"{row.requests['mirror']:,}",
            )
            for row in rows
        ],
    )


def _times(rows: Sequence[Row]) -> str:
    head = (
        "strategy",
        "p50",
        "p99",
        "peak at the public registry",
        "at the mirror",
        "into a site",
        "nodes for the mirror",
        "used up first",
    )
    return _table(
        head,
        "---",
        [
            (
                row.strategy,
                f"{row.p50:.1f} s",
                f"{row.p99:.1f} s",
                _rate(row.peaks["registry"]),
                f"{_rate(row.peaks['mirror'])}, {row.asked['mirror']:,}/s"
                if row.requests["mirror"]
                else "",
                _rate(row.peaks["uplink"]),
                str(row.nodes or ""),
                _first(row),
            )
            for row in rows
        ],
    )


def _days(rows: Sequence[Row]) -> str:
    head = (
        "day",
        "images moved",
        "strategy",
        "manifest GETs at the public registry",
        "bytes from the mirror",
        "its peak",
        "p50",
        "p99",
    )
    return _table(
        head,
        "---|---:|---",
        [
            (
                row.day,
                str(row.moved),
                row.strategy,
                f"{row.gets:,}",
                size(row.served["mirror"] + row.filled["mirror"]),
                _rate(row.peaks["mirror"]),
                f"{row.p50:.1f} s",
                f"{row.p99:.1f} s",
            )
            for row in sorted(rows, key=lambda row: (row.moved, row.strategy))
            if row.strategy in COMPARED
        ],
    )


def _down(plan: Plan, rows: Sequence[Row]) -> str:
    head = (
        "strategy",
        "manifest GETs that go upstream",
        "for each address",
        "of its limit",
        "bytes that go upstream",
    )
    return _table(
        head,
        "---",
        [
            (
                row.strategy,
                f"{row.down[0]:,}",
                f"{row.down[0] / plan.sites:,.0f}",
                f"{row.down[0] / plan.sites / plan.anonymous:.1f} times",
                size(row.down[1]),
            )
            for row in rows
            if row.strategy.startswith("sync, mirror")
        ],
    )


def _storage(plan: Plan, results: Results) -> str:
    mirror = results.held * plan.platforms
    lines = [
        (
            "mirror",
            f"{plan.platforms} platforms",
            size(mirror),
            size(results.yearly * plan.platforms),
        ),
        ("a site's server, a warm runner", "1 platform", size(results.held), size(results.yearly)),
    ]
    table = _table(("where", "holds", "all 40 images", "new in a year"), "---|---", lines)
    return (
        f"{table}\n\nIn the record's {results.days} days something moved on {results.moved_days},"
        f" {results.moves / results.days:.1f} of 40 images a day."
    )


def _first(row: Row) -> str:
    name = max(row.used, key=lambda one: row.used[one])
    share = row.used[name]
    return f"{name}: {share:.0f} times" if share >= 2 else f"{name}: {share:.0%}"


def _rate(count: float) -> str:
    return f"{count / GBIT:.1f} Gbit/s" if count >= GBIT / 20 else ""


def _share(part: float, whole: float) -> str:
    share = part / whole
    return "" if not part else f"{share:.1%}" if share >= 0.001 else "< 0.1%"


def _table(head: Sequence[str], left: str, rows: Iterable[Sequence[str]]) -> str:
    """A table; the columns that `left` does not name are figures, on the right."""
    named = left.split("|")
    kinds = named + ["---:"] * (len(head) - len(named)) if head[1] != "how much" else ["---"] * 3
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(kinds)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
