"""What update and outdated say, as fixtures/output has it; the wording is the transcripts'."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pinner.compare.model import ImageFacts
from pinner.errors import NotFound
from pinner.inventory.model import (
    Changelog,
    Direction,
    Ecosystem,
    Fix,
    PackageChange,
    PackageChanges,
)
from pinner.lockfile import Lock
from pinner.oci.platform import Platform
from pinner.outcome import Failed
from pinner.output.update import render_outdated, render_update, update_fields, waiting_text
from pinner.resolve import Added, Changed, Removed
from pinner.update import (
    Age,
    Alarm,
    Evidence,
    Held,
    IndexOnly,
    Pinned,
    SeenLog,
    Unchanged,
    Updated,
    UpdateOutcome,
    UpdateResult,
    Waiting,
    moved_images,
)
from support.golden import expected, pretty
from support.outcomes import AMD64, descriptor, digest, locked

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def ago(days: float, evidence: Evidence = Evidence.REGISTRY) -> Age:
    return Age(since=NOW - timedelta(days=days), evidence=evidence)


def waiting(tag: str, number: int, age: Age | None, *, matures: float, days: int = 3) -> Waiting:
    return Waiting(
        tag=tag,
        digest=digest(number),
        age=age,
        minimum_age=timedelta(days=days),
        matures=NOW + timedelta(days=matures),
    )


POSTGRES = locked("postgres", "16", 0x0F)
TRANSCRIPT: tuple[UpdateOutcome, ...] = (
    Updated(
        name="python",
        before=locked("python", "3.12-slim", 0x1A),
        image=locked("python", "3.12-slim", 0x77),
    ),
    Updated(
        name="node",
        before=locked("node", "22.11.0", 0xB6),
        image=locked("node", "22.12.0", 0xC0),
    ),
    Held(name="postgres", image=POSTGRES, waiting=waiting("16", 0xDD, ago(1), matures=2)),
    IndexOnly(name="redis", image=locked("redis", "latest", 0x99), digest=digest(0x98)),
)
EVERYTHING: tuple[UpdateOutcome, ...] = (
    Updated(
        name="judged",
        before=locked("judged", "1", 0x10),
        image=locked("judged", "1", 0x11),
        age=ago(4, Evidence.OBSERVED),
    ),
    Updated(
        name="promoted",
        before=locked("promoted", "1.2", 0x12),
        image=locked("promoted", "1.3", 0x13),
        age=ago(9.5, Evidence.CREATED),
        waiting=waiting("1.4", 0x14, ago(0.5, Evidence.OBSERVED), matures=2.5),
    ),
    Updated(
        name="grown",
        before=locked("grown", "1", 0x15, AMD64),
        image=locked("grown", "1", 0x16, AMD64, Platform.parse("linux/riscv64")),
    ),
    Unchanged(name="same", image=locked("same", "1", 0x17)),
    Unchanged(name="alias", image=locked("alias", "1.2", 0x18), alias="1.3"),
    Held(
        name="blind", image=locked("blind", "1", 0x19), waiting=waiting("1", 0x1B, None, matures=40)
    ),
    Pinned(name="by-hand", image=locked("by-hand", None, 0x1C)),
    Pinned(name="by-hand-too", image=locked("by-hand-too", "2", 0x1D)),
    Alarm(name="frozen", image=locked("frozen", "1.0", 0x1E), digest=digest(0x1F)),
    Added(name="new", image=locked("new", "1", 0x20)),
    Changed(
        name="moved",
        before=locked("moved", "1", 0x21, repository="nginx"),
        image=locked("moved", "2", 0x22, repository="caddy"),
    ),
    Failed(name="broken", error=NotFound("there is no broken:1", where="https://r.example")),
    Removed(name="old", before=locked("old", "3", 0x23)),
)
ALL_SAME: tuple[UpdateOutcome, ...] = (
    Unchanged(name="same", image=locked("same", "1", 0x17)),
    Held(name="postgres", image=POSTGRES, waiting=waiting("16", 0xDD, ago(1), matures=0.2)),
)
RUNS = {
    "transcript": TRANSCRIPT,
    "everything": EVERYTHING,
    "nothing": ALL_SAME,
    "no-entries": (),
}
REQUESTS = {"head": 4, "manifest": 2, "token": 1}


def result(name: str) -> UpdateResult:
    warnings = ("node: a warning",) if name == "everything" else ()
    return UpdateResult(lock=Lock(), outcomes=RUNS[name], seen=SeenLog(), warnings=warnings)


@pytest.mark.parametrize("name", RUNS)
def test_update_says(name: str) -> None:
    run = result(name)
    wrote = ["images.lock"] if run.changed else []
    text = render_update(run, now=NOW.timestamp(), wrote=wrote)
    assert text == expected(f"update-{name}.txt", text)


def test_what_changed_inside_is_said_in_a_few_words() -> None:
    python, node = moved_images(TRANSCRIPT)
    layers = tuple(descriptor(number, 22_550_000) for number in (1, 2))
    facts = [
        ImageFacts(created=NOW - timedelta(days=days), layers=layers, labels={})
        for days in (24, 15)
    ]
    packages = PackageChanges(
        changes=tuple(
            PackageChange(
                ecosystem=Ecosystem.DEB,
                name=name,
                architecture="amd64",
                before="1",
                after="2",
                direction=Direction.UPGRADED,
                fixes=(Fix(cve=f"CVE-2026-{name}", urgency="high"),),
                changelog=Changelog.READ,
            )
            for name in ("1111", "2222")
        )
    )
    changes = [replace(python, old=facts[0], new=facts[1], packages=packages), node]
    text = render_update(
        result("transcript"), changes=changes, now=NOW.timestamp(), wrote=["images.lock"]
    )
    assert text == expected("update-inside.txt", text)


@pytest.mark.parametrize("name", RUNS)
def test_outdated_says(name: str) -> None:
    text = render_outdated(result(name), now=NOW.timestamp())
    assert text == expected(f"outdated-{name}.txt", text)


def test_a_dry_run_says_so() -> None:
    text = render_update(result("transcript"), now=NOW.timestamp(), wrote=[], dry_run=True)
    assert text.splitlines()[-1] == (
        "Would update 2 of 4 images. 1 held, 1 unchanged. Nothing was written. Next: pinner update"
    )


@pytest.mark.parametrize("name", ["everything", "nothing"])
def test_documents(name: str) -> None:
    fields = update_fields(result(name), requests=REQUESTS, wrote=["images.lock"], dry_run=False)
    assert json.loads(pretty(fields)) == json.loads(expected(f"update-{name}.json", pretty(fields)))


@pytest.mark.parametrize(
    ("age", "tag", "matures", "text"),
    [
        (ago(1), "16", 2, "1 day old (registry time), minimum-age 3d, matures 26 Nov"),
        (ago(1), "17", 2, "17 is 1 day old (registry time), minimum-age 3d, matures 26 Nov"),
        (None, "16", 3, "no evidence of its age yet, minimum-age 3d, matures 27 Nov"),
        (None, "17", 3, "17: no evidence of its age yet, minimum-age 3d, matures 27 Nov"),
        (
            ago(0, Evidence.OBSERVED),
            "16",
            0.25,
            "under a minute old (first seen), minimum-age 3d, matures today at 16:00 UTC",
        ),
        (
            ago(0.1, Evidence.CREATED),
            "16",
            38,
            "2 hours old (image's own date), minimum-age 3d, matures 1 Jan 2027",
        ),
    ],
)
def test_why_an_image_waits(age: Age | None, tag: str, matures: float, text: str) -> None:
    assert waiting_text(waiting(tag, 1, age, matures=matures), pinned_tag="16", now=NOW) == text


@pytest.mark.parametrize("zone", [-11, 0, 13])
def test_days_are_those_of_utc(zone: int) -> None:
    late = waiting("16", 1, ago(1), matures=2)
    elsewhere = Waiting(
        tag=late.tag,
        digest=late.digest,
        age=late.age,
        minimum_age=late.minimum_age,
        matures=late.matures.astimezone(timezone(timedelta(hours=zone))),
    )
    assert waiting_text(elsewhere, pinned_tag="16", now=NOW).endswith("matures 26 Nov")
