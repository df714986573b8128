"""The BuildKit source policy: its JSON as BuildKit documents it, and what its engine does with it.

`converted` follows moby/buildkit sourcepolicy/engine.go: rules are tried in order, the first that
changes the source starts over, 20 times at most; a name is compared whole.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from pinner.errors import InputError
from pinner.export.buildkit import render_policy
from pinner.export.model import Wish
from pinner.lockfile import Lock, LockedImage
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.spec import Spec, parse_spec
from support.files import LOCK, SPEC, digest, pin
from support.projects import locks

SHA = "sha256:4edbd2beb5f78b1014028f4fbb99f3237d9561100b6881aabbf5acce2c4f9454"


def wish(lock: Lock = LOCK, **options: Any) -> Wish:
    spec = parse_spec(SPEC.encode(), path="images.toml", base=Path("/nowhere"))
    return Wish(**{"spec": spec, "lock": lock, **options})


def converted(policy: Any, identifier: str) -> str:
    """What BuildKit pulls for a source."""
    for _ in range(20):
        for rule in policy["rules"]:
            assert rule["action"] == "CONVERT"
            target = rule["updates"]["identifier"]
            if rule["selector"]["identifier"] == identifier != target:
                identifier = target
                break
        else:
            return identifier
    raise AssertionError("too many operations")


def test_the_policy_of_the_documentation() -> None:
    # docs.docker.com, "Build variables", EXPERIMENTAL_BUILDKIT_SOURCE_POLICY
    expected = {
        "rules": [
            {
                "action": "CONVERT",
                "selector": {"identifier": "docker-image://docker.io/library/alpine:latest"},
                "updates": {"identifier": f"docker-image://docker.io/library/alpine:latest@{SHA}"},
            }
        ]
    }
    reference = Reference.parse(f"alpine:latest@{SHA}")
    assert reference.digest is not None
    locked = LockedImage(
        name="alpine",
        repository=reference.repository,
        tag="latest",
        digest=reference.digest,
        platforms={},
    )
    rendered = render_policy(wish(Lock(images=(locked,))))
    assert json.loads(rendered.text) == expected
    assert rendered.text == json.dumps(expected, indent=2) + "\n"
    assert rendered.names == ("alpine",)


@pytest.mark.parametrize(
    ("source", "pulled"),
    [
        ("docker.io/library/node:22.12.0", f"docker.io/library/node:22.12.0@{digest('1')}"),
        ("docker.io/library/redis:latest", f"docker.io/library/redis:latest@{digest('3')}"),
        ("docker.io/library/redis:7", "docker.io/library/redis:7"),
        (f"docker.io/library/redis:latest@{SHA}", f"docker.io/library/redis:latest@{SHA}"),
    ],
)
def test_what_buildkit_pulls(source: str, pulled: str) -> None:
    policy = json.loads(render_policy(wish()).text)
    assert converted(policy, f"docker-image://{source}") == f"docker-image://{pulled}"


def test_rules_are_sorted_and_chosen() -> None:
    policy = json.loads(render_policy(wish(names=frozenset({"redis", "node"}))).text)
    assert [rule["selector"]["identifier"].rpartition("/")[2] for rule in policy["rules"]] == [
        "node:22.12.0",
        "redis:latest",
    ]


def test_a_platforms_manifests() -> None:
    arm = Platform.parse("linux/arm64/v8")
    policy = json.loads(render_policy(wish(platform=arm)).text)
    assert [rule["updates"]["identifier"].rpartition(":")[2][0] for rule in policy["rules"]] == [
        *"bdf"
    ]


def test_a_platform_that_is_not_locked() -> None:
    with pytest.raises(InputError, match="node is not locked for linux/s390x, only for linux/amd"):
        render_policy(wish(platform=Platform.parse("linux/s390x")))


def test_an_entry_by_digest_needs_no_rule() -> None:
    rendered = render_policy(wish(Lock(images=(pin("a", "a", None, "1", "2", "3"),))))
    assert json.loads(rendered.text) == {"rules": []}
    assert rendered.names == ()
    assert rendered.notes == ("a has no tag: what names its digest needs no rule",)


def test_two_entries_that_agree_are_one_rule() -> None:
    lock = Lock(images=(pin("a", "x", "1", "1", "2", "3"), pin("b", "x", "1", "1", "2", "3")))
    assert len(json.loads(render_policy(wish(lock)).text)["rules"]) == 1


def test_two_entries_that_differ_are_refused() -> None:
    lock = Lock(images=(pin("a", "x", "1", "1", "2", "3"), pin("b", "x", "1", "4", "2", "3")))
    with pytest.raises(InputError, match="a and b lock x:1 to different digests"):
        render_policy(wish(lock))
    assert render_policy(wish(lock, names=frozenset({"b"}))).names == ("b",)


@given(locks())
def test_every_tag_is_pulled_as_it_is_locked(lock: Lock) -> None:
    try:
        rendered = render_policy(Wish(spec=Spec(), lock=lock))
    except InputError:
        return
    policy = json.loads(rendered.text)
    for image in lock.images:
        if image.tag is not None:
            source = Reference(image.repository, image.tag)
            pulled = converted(policy, f"docker-image://{source}")
            assert pulled == f"docker-image://{source.with_digest(image.digest)}"
            assert converted(policy, pulled) == pulled
