"""What became of packages: matched by name and architecture, judged by the order of versions."""

from __future__ import annotations

from typing import Final

import pytest

from pinner.inventory.difference import difference
from pinner.inventory.formats import Database
from pinner.inventory.model import Changelog, Direction, Ecosystem, Fix, Package, PackageChanges

DEB, APK, RPM = Ecosystem.DEB, Ecosystem.APK, Ecosystem.RPM


def package(text: str, ecosystem: Ecosystem = DEB) -> Package:
    """Of `name:architecture version`."""
    name, version = text.split(" ")
    name, _, architecture = name.partition(":")
    return Package(
        ecosystem=ecosystem,
        name=name,
        version=version,
        architecture=architecture,
        source=name,
        source_version=version,
    )


def changes(before: str, after: str, ecosystem: Ecosystem = DEB) -> list[str]:
    """As `+name new`, `-name old`, `name old>new` or `name old<new` (a downgrade)."""
    old, new = (
        Database(
            packages=tuple(package(each, ecosystem) for each in filter(None, text.split(", ")))
        )
        for text in (before, after)
    )
    return [
        {
            Direction.ADDED: f"+{each.name} {each.after}",
            Direction.REMOVED: f"-{each.name} {each.before}",
            Direction.UPGRADED: f"{each.name} {each.before}>{each.after}",
            Direction.DOWNGRADED: f"{each.name} {each.before}<{each.after}",
        }[each.direction]
        for each in difference(old, new, {}).changes
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("", "", [], id="nothing"),
        pytest.param("a 1", "a 1", [], id="the same"),
        pytest.param("", "a 1", ["+a 1"], id="added"),
        pytest.param("a 1", "", ["-a 1"], id="removed"),
        pytest.param("a 1", "a 2", ["a 1>2"], id="upgraded"),
        pytest.param("a 2", "a 1", ["a 2<1"], id="downgraded"),
        pytest.param("a 1:1", "a 2", ["a 1:1<2"], id="an epoch less"),
        pytest.param("a 1~rc1", "a 1", ["a 1~rc1>1"], id="a release"),
        pytest.param("a 1.0", "a 0:1.00", [], id="the same version, spelt otherwise"),
        pytest.param("b 1, a 1", "c 1, a 2", ["a 1>2", "-b 1", "+c 1"], id="by name"),
        pytest.param("a 1, a 2", "a 1, a 3", ["a 2>3"], id="two versions, one moved"),
        pytest.param("a 1, a 2", "a 2, a 3", ["a 1>3"], id="two versions, the older left"),
        pytest.param("a 1, a 2", "a 3", ["-a 1", "a 2>3"], id="two versions become one"),
        pytest.param("a 1", "a 2, a 3", ["+a 2", "a 1>3"], id="one version becomes two"),
        pytest.param("a 1, a 1", "a 1", [], id="twice the same"),
        pytest.param("a:amd64 1, a:i386 1", "a:amd64 2, a:i386 1", ["a 1>2"], id="one of two"),
        pytest.param("a:amd64 1", "a:all 2", ["a 1>2"], id="another architecture, upgraded"),
        pytest.param("a:amd64 1", "a:all 1", ["+a 1", "-a 1"], id="another architecture only"),
        pytest.param("a 1", "a:amd64 1", [], id="an architecture that was not said"),
        pytest.param(
            "a:x 1, a:y 1", "a:z 2", ["-a 1", "-a 1", "+a 2"], id="two architectures become one"
        ),
    ],
)
def test_changes(before: str, after: str, expected: list[str]) -> None:
    assert sorted(changes(before, after)) == sorted(expected)


@pytest.mark.parametrize(
    ("ecosystem", "before", "after", "expected"),
    [
        (DEB, "a 1.0", "a 1.0_p1", "a 1.0>1.0_p1"),
        (DEB, "a 1.05", "a 1.1", "a 1.05<1.1"),
        (APK, "a 1.05", "a 1.1", "a 1.05>1.1"),
        (RPM, "a 1-1", "a 1^git-1", "a 1-1>1^git-1"),
        (APK, "a 1.0_rc1", "a 1.0", "a 1.0_rc1>1.0"),
        (RPM, "a 1.0_rc1-1", "a 1.0-1", "a 1.0_rc1-1<1.0-1"),
    ],
)
def test_each_ecosystem_has_its_order(
    ecosystem: Ecosystem, before: str, after: str, expected: str
) -> None:
    assert changes(before, after, ecosystem) == [expected]


def test_keys_have_no_order() -> None:
    old, new = "gpg-pubkey 5a6340b3-6229229e", "gpg-pubkey fd431d51-4ae0493b"
    assert sorted(changes(old, new, RPM)) == [f"+{new}", f"-{old}"]


def test_two_ecosystems_do_not_meet() -> None:
    found = difference(
        Database(packages=(package("a 1", DEB),)), Database(packages=(package("a 2", RPM),)), {}
    )
    assert [(each.ecosystem, each.direction) for each in found.changes] == [
        (DEB, Direction.REMOVED),
        (RPM, Direction.ADDED),
    ]


LOG: Final = b"""\
a (2) bookworm-security; urgency=high

  * CVE-2025-0002, CVE-2025-0001

a (1) bookworm; urgency=low
"""
FILES: Final = {f"usr/share/doc/{name}/changelog.Debian": LOG for name in "ab"}


@pytest.mark.parametrize(
    ("before", "after", "changelog"),
    [
        ("a 1", "a 2", Changelog.READ),
        ("c 1", "c 2", Changelog.ABSENT),
        ("b 1", "b 2", Changelog.ABSENT),
        ("a 2", "a 1", Changelog.UNUSED),
        ("", "a 2", Changelog.UNUSED),
        ("a 2", "", Changelog.UNUSED),
    ],
)
def test_changelogs(before: str, after: str, changelog: Changelog) -> None:
    old, new = (
        Database(packages=tuple(map(package, filter(None, [text])))) for text in (before, after)
    )
    (change,) = difference(old, new, FILES).changes
    assert change.changelog is changelog
    assert bool(change.fixes) is (changelog is Changelog.READ)


def test_fixes() -> None:
    found = difference(
        Database(packages=(package("a 1"),)), Database(packages=(package("a 2"),)), FILES
    )
    newest = Fix(cve="CVE-2025-0002", urgency="high")
    other = Fix(cve="CVE-2025-0001", urgency="high")
    assert found.changes[0].fixes == (newest, other)
    assert found.fixes == (other, newest)


def test_alpine_images_have_no_changelogs() -> None:
    old, new = (Database(packages=(package(f"a {version}", APK),)) for version in ("1", "2"))
    assert difference(old, new, FILES).changes[0].changelog is Changelog.ABSENT


def test_notes_say_whose_they_are() -> None:
    found = difference(Database(notes=("x", "y")), Database(notes=("y", "z")), {})
    assert found == PackageChanges(notes=("the older image: x", "y", "the newer image: z"))
