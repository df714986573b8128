"""What `pinner diff` says, and the phrase that tables have of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.compare.model import ImageChange, ImageFacts
from pinner.inventory.model import (
    Changelog,
    Direction,
    Ecosystem,
    Fix,
    PackageChange,
    PackageChanges,
)
from pinner.output.changes import phrase
from pinner.output.diff import diff_fields, render_diff
from support.golden import expected, pretty
from support.outcomes import AMD64, descriptor, digest, locked

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGUN = datetime(2026, 11, 15, 10, tzinfo=UTC)
HOSTILE = "\x1b]52;c;eA==\x07\u202e\n::error::x"
BASE = descriptor(0x50, 29_100_000)


def facts(days: float, top: int, size: int, labels: Mapping[str, str] | None = None) -> ImageFacts:
    """An image of a shared layer and its own, made so many days after the first one."""
    return ImageFacts(
        created=BEGUN + timedelta(days=days),
        layers=(BASE, descriptor(top, size)),
        labels={f"org.opencontainers.image.{key}": text for key, text in (labels or {}).items()},
    )


def package(
    name: str,
    direction: Direction,
    *versions: str,
    fixes: tuple[Fix, ...] = (),
    changelog: Changelog = Changelog.UNUSED,
    architecture: str = "amd64",
) -> PackageChange:
    before = None if direction is Direction.ADDED else versions[0]
    after = None if direction is Direction.REMOVED else versions[-1]
    return PackageChange(
        ecosystem=Ecosystem.DEB,
        name=name,
        architecture=architecture,
        before=before,
        after=after,
        direction=direction,
        fixes=fixes,
        changelog=changelog,
    )


def cves(*numbers: int, urgency: str = "high") -> tuple[Fix, ...]:
    return tuple(Fix(cve=f"CVE-2026-{number}", urgency=urgency) for number in numbers)


PACKAGES = PackageChanges(
    changes=(
        package("adduser", Direction.REMOVED, "3.134"),
        package("libc6", Direction.DOWNGRADED, "2.37-1", "2.36-9"),
        package("libnew1", Direction.ADDED, "1.0-1"),
        package(
            "libssl3",
            Direction.UPGRADED,
            "3.0.15-1~deb12u1",
            "3.0.17-1~deb12u2",
            fixes=cves(1, 2, 3, 4, 5, 6, urgency=""),
            changelog=Changelog.READ,
        ),
        package(
            "perl-base",
            Direction.UPGRADED,
            "5.36.0-7+deb12u1",
            "5.36.0-7+deb12u4",
            fixes=cves(1111),
            changelog=Changelog.READ,
        ),
        package("tzdata", Direction.UPGRADED, "2026a-0", "2026b-0", changelog=Changelog.READ),
        package("zlib1g", Direction.UPGRADED, "1:1.2.13", "1:1.2.14", changelog=Changelog.ABSENT),
    )
)
PYTHON = ImageChange(
    name="python",
    before=locked("python", "3.12-slim", 0x1A),
    after=locked("python", "3.12-slim", 0x77),
    platform=AMD64,
    old=facts(0, 0x51, 16_000_000, {"version": "3.12.7", "base.digest": str(digest(1))}),
    new=facts(9, 0x52, 16_100_000, {"version": "3.12.8", "base.digest": str(digest(2))}),
    packages=PACKAGES,
    link="https://github.com/docker-library/python/compare/1111111...2222222",
)
ADDED = ImageChange(
    name="node",
    before=None,
    after=locked("node", "22-alpine", 0xB6),
    platform=AMD64,
    new=facts(3, 0x53, 900),
)
REMOVED = ImageChange(
    name="old",
    before=locked("old", "3", 0x33),
    after=None,
    notes=("the image is not in the store: --fetch asks the registry",),
)
MOVED = ImageChange(
    name="app",
    before=locked("app", "1", 0xA1),
    after=locked("app", None, 0xA3, AMD64, repository="registry.example/team/app"),
    platform=AMD64,
    notes=("packages not compared: layers are not in the store (--fetch downloads up to 45.1 MB)",),
)
SAME = ImageChange(
    name="redis",
    before=locked("redis", "latest", 0x98),
    after=replace(locked("redis", "latest", 0x98), digest=digest(0x9A)),
    platform=AMD64,
    old=facts(0, 0x54, 900),
    new=facts(0, 0x54, 900),
    packages=PackageChanges(),
)
FOREIGN = replace(
    PYTHON,
    name="foreign",
    old=facts(0, 0x51, 900, {"version": HOSTILE, "base.name": "a" * 300}),
    packages=PackageChanges(
        changes=(
            package(
                HOSTILE,
                Direction.UPGRADED,
                HOSTILE,
                "9" * 300,
                fixes=(Fix(cve=HOSTILE, urgency=HOSTILE),),
                changelog=Changelog.READ,
            ),
        ),
        notes=(HOSTILE,),
    ),
    link="",
    notes=(HOSTILE,),
)
DIFFS: dict[str, tuple[ImageChange, ...]] = {
    "diff-none": (),
    "diff-one": (PYTHON,),
    "diff-several": (MOVED, ADDED, REMOVED, PYTHON, SAME),
    "diff-foreign": (FOREIGN,),
}


@pytest.mark.parametrize("name", DIFFS)
def test_diff(name: str) -> None:
    text = render_diff(DIFFS[name], old="HEAD~1", new="images.lock")
    assert text == expected(f"{name}.txt", text)
    fields = pretty(diff_fields(DIFFS[name], old="HEAD~1", new="images.lock"))
    assert fields == expected(f"{name}.json", fields)


def test_O01_O02_foreign_text_neither_moves_the_cursor_nor_forges_a_line() -> None:
    text = render_diff((FOREIGN,), old=f"x{HOSTILE}", new=f"y{HOSTILE}")
    assert all(line.isprintable() for line in text.splitlines())
    assert not any(line.lstrip().startswith("::error") for line in text.splitlines())
    assert max(map(len, text.splitlines())) < 700


def many(count: int) -> ImageChange:
    """An image with so many upgrades, of which the last alone names a fix."""
    plain = [
        package(f"lib{number:03}", Direction.UPGRADED, "1", "2", changelog=Changelog.ABSENT)
        for number in range(count - 1)
    ]
    fixed = package("zlib", Direction.UPGRADED, "1", "2", fixes=cves(1), changelog=Changelog.READ)
    return replace(PYTHON, packages=PackageChanges(changes=(*plain, fixed)))


def test_a_long_list_is_cut_and_spares_what_names_fixes() -> None:
    lines = render_diff((many(52),), old="a", new="b").splitlines()
    rows = [line for line in lines if " 1 → 2 " in line]
    assert len(rows) == 40
    assert rows[0].split()[0] == "zlib"
    assert "    and 12 more: --json shows all" in lines


@pytest.mark.parametrize("count", [40, 41])
def test_one_row_is_never_cut_for_a_line_that_says_so(count: int) -> None:
    text = render_diff((many(count),), old="a", new="b")
    assert text.count(" 1 → 2 ") == count
    assert "more" not in text


def test_one_name_in_two_architectures_is_told_apart() -> None:
    packages = PackageChanges(
        changes=tuple(
            package("libc6", Direction.REMOVED, "1", architecture=one) for one in ("amd64", "i386")
        )
    )
    text = render_diff((replace(PYTHON, packages=packages),), old="a", new="b")
    assert "    libc6:amd64  removed 1\n    libc6:i386   removed 1\n" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(PYTHON, "9 days newer, 7 packages, 7 CVEs named fixed", id="all is known"),
        pytest.param(
            replace(PYTHON, packages=None), "9 days newer, 45.1 → 45.2 MB", id="no packages"
        ),
        pytest.param(
            replace(PYTHON, packages=PackageChanges()),
            "9 days newer, no package differs",
            id="none differs",
        ),
        pytest.param(
            replace(PYTHON, packages=PackageChanges(notes=("layer 2 is damaged",))),
            "9 days newer, no package is known to differ",
            id="not everything was read",
        ),
        pytest.param(
            replace(PYTHON, packages=PackageChanges(changes=PACKAGES.changes[:1])),
            "9 days newer, 1 package",
            id="no CVE",
        ),
        pytest.param(
            replace(PYTHON, old=PYTHON.new, new=PYTHON.old, packages=None),
            "9 days older, 45.2 → 45.1 MB",
            id="older",
        ),
        pytest.param(
            replace(PYTHON, new=facts(0.25, 0x52, 1), packages=PackageChanges()),
            "6 hours newer, no package differs",
            id="hours",
        ),
        pytest.param(
            replace(PYTHON, new=facts(0, 0x52, 16_000_000), packages=None),
            "45.1 MB",
            id="made at the same time",
        ),
        pytest.param(SAME, "same images", id="index only"),
        pytest.param(MOVED, "was app -linux/arm64", id="a platform less"),
        pytest.param(
            replace(MOVED, before=MOVED.after, after=MOVED.before),
            "was registry.example/team/app +linux/arm64",
            id="a platform more",
        ),
        pytest.param(ADDED, "added, 29.1 MB in 2 layers", id="added"),
        pytest.param(REMOVED, "removed", id="removed"),
        pytest.param(replace(PYTHON, old=None, new=None, packages=None), "", id="nothing is known"),
    ],
)
def test_the_phrase_of_an_image(change: ImageChange, told: str) -> None:
    assert phrase(change) == told


@given(st.text(), st.text(), st.text())
def test_every_line_of_text_is_printable(name: str, version: str, note: str) -> None:
    packages = PackageChanges(
        changes=(package(name, Direction.UPGRADED, version, note),), notes=(note,)
    )
    change = replace(PYTHON, packages=packages, notes=(note,))
    text = render_diff((change,), old=name, new=version)
    assert text.endswith("\n")
    assert text.replace("\n", "").isprintable()
    assert text.count("\n") == 9, "head, counts, package, 2 labels, link, 2 notes and the sum"
