"""The body of an update pull request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinner.compare.model import ImageChange, ImageFacts
from pinner.errors import NotFound
from pinner.inventory.model import (
    Changelog,
    Direction,
    Ecosystem,
    Fix,
    PackageChange,
    PackageChanges,
)
from pinner.oci.reference import Repository
from pinner.outcome import Failed
from pinner.output.summary import LIMIT, render_changes, render_summary
from pinner.update.model import Age, Alarm, Evidence, Held, IndexOnly, Unchanged, Updated, Waiting
from support.golden import expected
from support.outcomes import AMD64, ARM64, descriptor, digest, locked

if TYPE_CHECKING:
    from pinner.oci.platform import Platform
    from pinner.update.model import UpdateOutcome

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
RECENT = Age(since=NOW - timedelta(days=1), evidence=Evidence.REGISTRY)
OLD = Age(since=NOW - timedelta(days=15), evidence=Evidence.OBSERVED)


def upgraded(name: str, *cves: str, urgency: str = "high", read: bool = True) -> PackageChange:
    return PackageChange(
        ecosystem=Ecosystem.DEB,
        name=name,
        architecture="amd64",
        before="5.36.0-7+deb12u1",
        after="5.36.0-7+deb12u4",
        direction=Direction.UPGRADED,
        fixes=tuple(Fix(cve=cve, urgency=urgency) for cve in cves),
        changelog=Changelog.READ if read else Changelog.ABSENT,
    )


def facts(days: int, *layers: int, version: str = "3.12.7") -> ImageFacts:
    return ImageFacts(
        created=NOW - timedelta(days=days),
        layers=tuple(descriptor(layer, 11_275_000) for layer in layers),
        labels={"org.opencontainers.image.version": version},
    )


def change(name: str, packages: PackageChanges | None, **settings: Any) -> ImageChange:
    before, after = locked(name, "3.12-slim", 0x1A), locked(name, "3.12-slim", 0x77)
    return ImageChange(name=name, before=before, after=after, packages=packages, **settings)


PYTHON = change(
    "python",
    PackageChanges(
        changes=(
            upgraded("libssl3", "CVE-2026-1111", "CVE-2026-2222"),
            upgraded("perl-base", "CVE-2026-3333", urgency=""),
            upgraded("zlib1g", read=False),
            PackageChange(
                ecosystem=Ecosystem.DEB,
                name="libnew",
                architecture="amd64",
                before=None,
                after="1.0|2",
                direction=Direction.ADDED,
            ),
        ),
        notes=("layer 2 could not be read: <b>",),
    ),
    platform=AMD64,
    old=facts(24, 1, 2, 3, 4),
    new=facts(15, 1, 2, 3, 5, version="3.12.8"),
    link="https://code.example/python/compare/aaa...bbb",
)
PINS = (
    locked("python", "3.12-slim", 0x1A),
    locked("python", "3.12-slim", 0x77),
    locked("node", "22.11.0-alpine", 0xB6),
    locked("node", "22.12.0-alpine", 0xC0, AMD64),
)
NODE = ImageChange(
    name="node",
    before=PINS[2],
    after=PINS[3],
    notes=("packages were not compared",),
)
OUTCOMES: list[UpdateOutcome] = [
    Updated(name="python", before=PINS[0], image=PINS[1], age=OLD),
    Updated(name="node", before=PINS[2], image=PINS[3]),
    Held(
        name="postgres",
        image=locked("postgres", "16", 0x0F),
        waiting=Waiting(
            tag="16",
            digest=digest(0x2F),
            age=RECENT,
            minimum_age=timedelta(days=3),
            matures=NOW + timedelta(days=2),
        ),
    ),
    IndexOnly(name="redis", image=locked("redis", "latest", 0x99), digest=digest(0x98)),
    Alarm(name="tool", image=locked("tool", "1.2.3", 0x11), digest=digest(0x12)),
    Failed(name="app", error=NotFound("ghcr.io/acme/app:stable is not there (@someone)")),
    Unchanged(name="web", image=locked("web", "1", 0x44)),
]


def many(count: int, packages: int) -> list[ImageChange]:
    return [
        change(
            f"image-{number:04}",
            PackageChanges(
                changes=tuple(
                    upgraded(
                        f"lib{package}", *(f"CVE-2026-{number}{package:03}",) * (number % 7 > 0)
                    )
                    for package in range(packages)
                )
            ),
            platform=AMD64,
            old=facts(24, 1, 2),
            new=facts(15, 1, 3),
        )
        for number in range(count)
    ]


def test_the_whole_body() -> None:
    files = ["images.lock", "Dockerfile:1"]
    body = render_summary(OUTCOMES, [PYTHON, NODE], files=files, now=NOW)
    assert body == expected("summary.md", body)


def test_nothing_moved() -> None:
    assert render_summary([OUTCOMES[-1]], [], files=[], now=NOW) == "### No image to update\n"


def test_cves_that_two_images_share_count_once() -> None:
    body = render_changes([PYTHON, change("other", PYTHON.packages)], now=NOW)
    assert body.startswith("### Update 2 images: 3 CVEs named fixed\n")


def test_five_images_are_told_whole() -> None:
    changes = many(5, 30)
    body = render_changes(changes, now=NOW)
    assert body.count("<details>") == 5
    assert body.count("| `lib29` |") == 5
    assert "want of room" not in body


def test_of_200_images_each_has_a_row_and_what_is_left_out_is_named() -> None:
    changes = many(200, 40)
    body = render_changes(changes, now=NOW)
    assert len(body) < LIMIT
    assert all(f"\n| {change.name} |" in body for change in changes)
    told = body.count("<details>")
    assert told > 10
    named = body[body.index("left out: ") :]
    assert named.startswith("left out: image-0000, ")
    assert "and " in named
    assert "`pinner diff --packages` shows them" in named


def test_those_that_name_most_cves_are_told_longest() -> None:
    quiet, loud = many(2, 90)
    body = render_changes([quiet, loud], now=NOW, limit=13_000)
    assert f"shortened: {quiet.name}." in body
    assert "| `lib89` |" in body


NOTE = ("layer 2 could not be read",)
NO_CHANGELOG = PackageChanges(changes=(upgraded("busybox", read=False),))
NONE_NAMED = PackageChanges(changes=(upgraded("tzdata"), upgraded("busybox", read=False)))


@pytest.mark.parametrize(
    ("packages", "notes", "cells", "headline"),
    [
        (None, (), "|  |  |", ""),
        (None, NOTE, "| not compared |  |", ": packages not compared"),
        (PackageChanges(), (), "| none changed | 0 |", ": no package changed"),
        (
            PackageChanges(notes=NOTE),
            (),
            "| none known to differ |  |",
            ": no package known to differ",
        ),
        (NO_CHANGELOG, (), "| 1 ↑ | no changelogs |", ": 1 ↑"),
        (NONE_NAMED, (), "| 2 ↑ | 0 |", ": 2 ↑"),
    ],
)
def test_what_is_not_known_is_no_zero(
    packages: PackageChanges | None, notes: tuple[str, ...], cells: str, headline: str
) -> None:
    body = render_changes([change("app", packages, notes=notes)], now=NOW)
    (row,) = [line for line in body.splitlines() if line.startswith("| app |")]
    assert row.endswith(cells)
    assert f"<summary><b>app</b> 3.12-slim{headline}</summary>" in body


def test_an_image_that_comes_from_elsewhere_is_said() -> None:
    before, after = locked("app", "1", 0x1A), locked("app", "1", 0x77)
    moved = replace(after, repository=Repository.parse("ghcr.io/acme/app"))
    for pin, line in (
        (after, f"- image: `{before.repository}`\n"),
        (moved, f"- image: `{before.repository}` → `ghcr.io/acme/app`\n"),
    ):
        assert line in render_changes([ImageChange(name="app", before=before, after=pin)], now=NOW)


@settings(max_examples=30)
@given(
    count=st.integers(0, 60),
    packages=st.sampled_from([0, 3, 40]),
    limit=st.integers(10_000, 20_000),
    held=st.integers(0, 60),
)
def test_the_body_keeps_within_its_limit(count: int, packages: int, limit: int, held: int) -> None:
    changes = many(count, packages)
    outcomes = [*([OUTCOMES[2]] * held), *OUTCOMES[3:], *([OUTCOMES[5]] * held)]
    body = render_summary(outcomes, changes, files=["f" * 80] * 50, now=NOW, limit=limit)
    assert len(body) <= limit


@pytest.mark.parametrize("platforms", [(AMD64,), (AMD64, ARM64)])
def test_a_platform_that_went_is_said(platforms: tuple[Platform, ...]) -> None:
    after = locked("node", "22", 0xC0, *platforms)
    one = ImageChange(name="node", before=locked("node", "22", 0xB6), after=after)
    assert ("platforms lost: `linux/arm64`" in render_changes([one], now=NOW)) == (
        platforms == (AMD64,)
    )
