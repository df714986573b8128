from __future__ import annotations

import pytest

from pinner.compare.model import ImageChange
from pinner.inventory.model import Direction, Ecosystem, Fix, PackageChange, PackageChanges
from pinner.lockfile import LockedImage
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.resolve import Added, Changed, Removed
from pinner.update.message import Move, write_message
from pinner.update.model import Updated

AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")


def pin(
    name: str,
    tag: str | None,
    start: str,
    *,
    repository: str | None = None,
    platforms: tuple[Platform, ...] = (AMD64,),
) -> LockedImage:
    digest = Digest("sha256", start.ljust(64, "0"))
    return LockedImage(
        name=name,
        repository=Repository.parse(repository or "debian"),
        tag=tag,
        digest=digest,
        platforms=dict.fromkeys(platforms, digest),
    )


def updated(name: str, before: str, after: str, *, old: str = "aaaa", new: str = "bbbb") -> Updated:
    return Updated(name=name, before=pin(name, before, old), image=pin(name, after, new))


def changed(before: LockedImage, image: LockedImage) -> Changed:
    return Changed(name=image.name, before=before, image=image)


PYTHON = updated("python", "3.12-slim", "3.12-slim", old="1a2b3c4d5e6f7", new="7788990a11223")
NODE = updated("node", "22.11.0", "22.12.0")
LONG = "a" * 60


@pytest.mark.parametrize(
    ("moves", "subject"),
    [
        pytest.param([PYTHON], "update python 3.12-slim to 7788990a", id="a digest"),
        pytest.param([NODE], "update node 22.11.0 to 22.12.0", id="a tag"),
        pytest.param([PYTHON, NODE], "update python and node", id="two"),
        pytest.param([updated(name, "1", "1") for name in "abc"], "update a, b and c", id="three"),
        pytest.param(
            [updated(f"image-{number}", "1", "2") for number in range(7)],
            "update 7 images",
            id="too many to name",
        ),
        pytest.param([updated(LONG, "1", "1")], "update 1 image", id="a name too long"),
        pytest.param(
            [updated("x", "1" * 60, "1" * 60)], "update x to bbbb0000", id="a tag too long"
        ),
        pytest.param([updated("x", "1" * 30, "2" * 30)], f"update x to {'2' * 30}", id="two tags"),
        pytest.param([updated("x", "1" * 60, "2" * 60)], "update x", id="two tags too long"),
        pytest.param(
            [updated("y" * 36, "1", "1")], f"update {'y' * 36} 1 to bbbb0000", id="72 characters"
        ),
        pytest.param(
            [updated("y" * 37, "1", "1")], f"update {'y' * 37} to bbbb0000", id="one more"
        ),
        pytest.param([Added(name="a", image=pin("a", "7", "f"))], "add a 7", id="new"),
        pytest.param([Removed(name="a", before=pin("a", "7", "f"))], "remove a", id="gone"),
        pytest.param(
            [
                Added(name="a", image=pin("a", "7", "f")),
                Removed(name="b", before=pin("b", "7", "f")),
            ],
            "update a and b",
            id="both",
        ),
        pytest.param(
            [changed(pin("a", None, "a"), pin("a", None, "b"))],
            "update a to b0000000",
            id="no tag",
        ),
        pytest.param(
            [changed(pin("a", "1", "a"), pin("a", "1", "a", platforms=(AMD64, ARM64)))],
            "update a",
            id="other platforms",
        ),
    ],
)
def test_the_subject(moves: list[Move], subject: str) -> None:
    assert write_message(moves, {}).subject == f"build(images): {subject}"


def test_the_body_has_a_line_for_each() -> None:
    fixes = tuple(Fix(cve=f"CVE-2026-{number}", urgency="high") for number in (1, 2, 1))
    change = PackageChange(
        ecosystem=Ecosystem.DEB,
        name="perl",
        architecture="amd64",
        before="1",
        after="2",
        direction=Direction.UPGRADED,
        fixes=fixes,
    )
    python = ImageChange(
        name="python",
        before=PYTHON.before,
        after=PYTHON.image,
        packages=PackageChanges(changes=(change,)),
    )
    node = ImageChange(name="node", before=NODE.before, after=NODE.image, packages=PackageChanges())
    moves: list[Move] = [
        PYTHON,
        NODE,
        Added(name="redis", image=pin("redis", "7", "99aa88bb77cc5")),
        Removed(name="old", before=pin("old", "1", "f")),
        changed(pin("app", "1", "a"), pin("app", "1", "a", platforms=(ARM64,))),
        changed(
            pin("tool", None, "a", repository="quay.io/a/tool"),
            pin("tool", "1", "b", repository="ghcr.io/a/tool"),
        ),
    ]
    assert write_message(moves, {"python": python, "node": node}).body.splitlines() == [
        "python: 3.12-slim, 1a2b3c4d5e6f → 7788990a1122, 2 CVEs named fixed",
        "node: 22.11.0 → 22.12.0, aaaa00000000 → bbbb00000000",
        "redis: added, 7, 99aa88bb77cc",
        "old: removed",
        "app: 1, a00000000000, other platforms",
        "tool: quay.io/a/tool → ghcr.io/a/tool, by digest → 1, a00000000000 → b00000000000",
    ]
