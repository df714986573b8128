"""A lock is stale where a pin no longer satisfies the spec, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pinner.freshness import Kind, staleness
from pinner.lockfile import Lock, loads
from pinner.spec import parse_spec
from support.projects import pin_of
from support.tables import FIXTURES

SPEC = """
[settings]
platforms = ["linux/amd64", "linux/arm64"]

[images]
debian = "debian:bookworm"
node = { image = "node", version = ">=22,<23", variant = "alpine" }
redis = "redis:7@sha256:3333333333333333333333333333333333333333333333333333333333333333"
"""
THREES, FOURS = "3" * 64, "4" * 64


@pytest.fixture(scope="module")
def lock() -> Lock:
    return loads((FIXTURES / "locks/good/three.lock").read_bytes(), path="images.lock")


def stale(lock: Lock, old: str = "", new: str = "") -> list[tuple[Kind, str]]:
    assert old in SPEC
    text = SPEC.replace(old, new) if old else SPEC
    spec = parse_spec(text.encode(), path="images.toml", base=Path())
    return [(each.kind, each.what) for each in staleness(spec, lock)]


def test_fresh(lock: Lock) -> None:
    assert stale(lock) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("[images]", "# words\n\n[images]  # more\n", id="comments"),
        pytest.param("\n", "\r\n", id="line ends"),
        pytest.param('["linux/amd64", "linux/arm64"]', '["linux/arm64","linux/amd64"]', id="order"),
        pytest.param('"debian:bookworm"', "'docker.io/library/debian:bookworm'", id="spelling"),
        pytest.param('"debian:bookworm"', '{ image = "debian", tag = "bookworm" }', id="layout"),
        pytest.param('"debian:bookworm"', '{image="debian:bookworm",immutable=true}', id="alarm"),
        pytest.param("[settings]", '[settings]\nminimum-age = "9w"', id="minimum-age"),
        pytest.param(">=22,<23", "<23, >=22", id="order of a specifier"),
        pytest.param(">=22,<23", ">=20", id="a wider version range"),
        pytest.param(
            "[images]", '[registries."docker.io"]\nmirrors=["m.x"]\n[images]', id="mirror"
        ),
        pytest.param(f"@sha256:{THREES}", "", id="a digest that is no longer given by hand"),
    ],
)
def test_L09_what_the_pins_still_satisfy(lock: Lock, old: str, new: str) -> None:
    assert stale(lock, old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "kind", "what"),
    [
        pytest.param(
            'debian = "debian:bookworm"',
            "",
            Kind.EXTRA,
            "debian is locked, but not in images.toml",
            id="L20",
        ),
        pytest.param(
            "[images]",
            '[images]\napp = "app"',
            Kind.MISSING,
            "app is in images.toml, but not locked",
            id="L21",
        ),
        pytest.param(
            "debian:bookworm",
            "ghcr.io/acme/debian:bookworm",
            Kind.IDENTITY,
            "debian does not satisfy images.toml (image ghcr.io/acme/debian, "
            "not docker.io/library/debian)",
            id="L22 registry",
        ),
        pytest.param(
            "debian:bookworm",
            "debian-ci/debian:bookworm",
            Kind.IDENTITY,
            "debian does not satisfy images.toml (image docker.io/debian-ci/debian, "
            "not docker.io/library/debian)",
            id="L22 repository",
        ),
        pytest.param(
            "debian:bookworm",
            "debian:bookworm-slim",
            Kind.IDENTITY,
            'debian does not satisfy images.toml (tag "bookworm-slim", not tag "bookworm")',
            id="L22 tag",
        ),
        pytest.param(
            "redis:7@",
            "redis@",
            Kind.IDENTITY,
            'redis does not satisfy images.toml (no tag, not tag "7")',
            id="L22 no tag",
        ),
        pytest.param(
            THREES,
            FOURS,
            Kind.DIGEST,
            f"redis does not satisfy images.toml (digest sha256:{FOURS}, not sha256:{THREES})",
            id="digest",
        ),
        pytest.param(
            'version = ">=22,<23", variant = "alpine"',
            'version = ">=23"',
            Kind.VERSION,
            'node does not satisfy images.toml (version ">=23")',
            id="version",
        ),
        pytest.param(
            'variant = "alpine"',
            'variant = "slim"',
            Kind.VERSION,
            'node does not satisfy images.toml (version ">=22,<23", variant "slim")',
            id="variant",
        ),
        pytest.param(
            'variant = "alpine"',
            'variant = "alpine", precision = 2',
            Kind.VERSION,
            'node does not satisfy images.toml (version ">=22,<23", variant "alpine", precision 2)',
            id="precision",
        ),
        pytest.param(
            '"debian:bookworm"',
            '{ image = "debian:bookworm", platforms = ["linux/amd64"] }',
            Kind.PLATFORMS,
            "debian does not satisfy images.toml (platforms linux/amd64)",
            id="L25 a platform less",
        ),
        pytest.param(
            '"debian:bookworm"',
            '{ image = "debian:bookworm", platforms = ["linux/amd64", "linux/s390x"] }',
            Kind.PLATFORMS,
            "debian does not satisfy images.toml (platforms linux/amd64, linux/s390x)",
            id="another platform",
        ),
    ],
)
def test_what_they_do_not(lock: Lock, old: str, new: str, kind: Kind, what: str) -> None:
    assert stale(lock, old, new) == [(kind, what)]


MOVED = """
[images]
node = { image = "node:22.11.0-alpine", update = "minor" }
jdk = { image = "jdk", tags = '^jdk-(?P<version>[0-9.]+)$' }
ubi = { image = "ubi", version = ">=9", variant = "*" }
"""


@pytest.mark.parametrize(
    ("tags", "wish"),
    [
        pytest.param({"node": "22.11.0-alpine"}, None, id="the tag as it is written"),
        pytest.param({"node": "22.13.1-alpine"}, None, id="a tag that moved within its cap"),
        pytest.param(
            {"node": "22.10.0-alpine"},
            'node does not satisfy images.toml (tag "22.11.0-alpine", update "minor")',
            id="a tag below the floor",
        ),
        pytest.param(
            {"node": "23.0.0-alpine"},
            'node does not satisfy images.toml (tag "22.11.0-alpine", update "minor")',
            id="a tag above the cap",
        ),
        pytest.param(
            {"node": None},
            'node does not satisfy images.toml (tag "22.11.0-alpine", update "minor")',
            id="no tag",
        ),
        pytest.param({"jdk": "jdk-21"}, None, id="a tag that matches"),
        pytest.param(
            {"jdk": "jdk-21-ea"},
            'jdk does not satisfy images.toml (tags "^jdk-(?P<version>[0-9.]+)$")',
            id="a tag that does not match",
        ),
        pytest.param({"ubi": "9.7-1773299999"}, None, id="a variant that moved"),
        pytest.param(
            {"ubi": "9.7"},
            'ubi does not satisfy images.toml (version ">=9", variant "*")',
            id="another variant",
        ),
    ],
)
def test_a_pin_may_have_every_tag_that_the_wish_admits(
    tags: dict[str, str | None], wish: str | None
) -> None:
    spec = parse_spec(MOVED.encode(), path="images.toml", base=Path())
    usual: dict[str, str | None] = {
        "node": "22.11.0-alpine",
        "jdk": "jdk-11.0.2",
        "ubi": "9.7-1773204619",
    }
    pins = [replace(pin_of(entry), tag=(usual | tags)[entry.name]) for entry in spec.entries]
    found = staleness(spec, Lock(images=tuple(pins)))
    assert [each.what for each in found] == ([wish] if wish else [])
    assert {each.kind for each in found} <= {Kind.VERSION}


def test_every_platform_instead_of_some(lock: Lock) -> None:
    found = stale(lock, 'platforms = ["linux/amd64", "linux/arm64"]', "")
    assert {kind for kind, _ in found} == {Kind.PLATFORMS}
    assert found[0][1] == "debian does not satisfy images.toml (every platform, not only some)"


def test_some_platforms_instead_of_every_one_even_if_they_are_the_same(lock: Lock) -> None:
    images = tuple(replace(image, all_platforms=True) for image in lock.images)
    assert {kind for kind, _ in stale(Lock(images=images))} == {Kind.PLATFORMS}


def test_one_entry_can_be_stale_in_several_respects(lock: Lock) -> None:
    found = stale(lock, '"debian:bookworm"', '{ image = "x/y:1", platforms = ["linux/386"] }')
    assert [kind for kind, _ in found] == [Kind.IDENTITY, Kind.IDENTITY, Kind.PLATFORMS]


def test_the_order_is_the_specs_then_what_is_too_much(lock: Lock) -> None:
    spec = parse_spec(b'[images]\nz = "z"\nnode = "x"\na = "a"\n', path="images.toml", base=Path())
    assert [(each.name, each.kind) for each in staleness(spec, lock)] == [
        ("z", Kind.MISSING),
        ("node", Kind.IDENTITY),
        ("node", Kind.IDENTITY),
        ("node", Kind.PLATFORMS),
        ("a", Kind.MISSING),
        ("debian", Kind.EXTRA),
        ("redis", Kind.EXTRA),
    ]
