"""From places to entries: what is one entry, what it is called, and where it is seen."""

from __future__ import annotations

import pytest

from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.start.model import Proposal, Sighting
from pinner.start.propose import propose

A, B = (f"sha256:{one * 64}" for one in "ab")


def seen(*texts: str) -> list[Sighting]:
    """Sightings of `REFERENCE` or `NAME=REFERENCE`, each on a line of its own of `f`."""
    return [
        Sighting(
            reference=Reference.parse(text.rpartition("=")[2]),
            where=f"f:{number}",
            name=text.rpartition("=")[0],
        )
        for number, text in enumerate(texts, 1)
    ]


def told(proposals: tuple[Proposal, ...]) -> list[tuple[str, str, str]]:
    return [
        (
            one.name,
            one.reference.familiar(),
            " ".join(place.removeprefix("f:") for place in one.places),
        )
        for one in proposals
    ]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param(
            ["python:3", "redis", "python:3"],
            [("python", "python:3", "1 3"), ("redis", "redis:latest", "2")],
            id="in the order of the first places",
        ),
        pytest.param(
            ["redis", "redis:latest", "index.docker.io/library/redis"],
            [("redis", "redis:latest", "1 2 3")],
            id="three spellings",
        ),
        pytest.param(
            [f"python:3@{A}", "python:3", f"python:3@{B}"],
            [("python", "python:3", "1 2 3")],
            id="a digest behind a tag is not part of the entry",
        ),
        pytest.param(
            [f"app@{A}", f"app@{B}", f"app@{A}"],
            [("app-aaaaaaaa", f"app@{A}", "1 3"), ("app-bbbbbbbb", f"app@{B}", "2")],
            id="digests alone",
        ),
        pytest.param(
            ["db=postgres:16"], [("db", "postgres:16", "1")], id="a comment gives the name"
        ),
        pytest.param(
            ["postgres:16", "db=postgres:16"],
            [("db", "postgres:16", "1 2")],
            id="places that say nothing go along",
        ),
        pytest.param(
            ["b=postgres:16", "a=postgres:16", "postgres:16"],
            [("b", "postgres:16", "1"), ("a", "postgres:16", "2 3")],
            id="two entries of one image",
        ),
        pytest.param(
            ["db=postgres:17", "db=postgres:16"],
            [("db", "postgres:16", "1 2")],
            id="one name for two tags is one entry",
        ),
        pytest.param(
            ["x=redis:7", "x=postgres:16"],
            [("redis", "redis:7", "1"), ("x", "postgres:16", "2")],
            id="one name for two repositories",
        ),
        pytest.param(
            ["redis=postgres:16", "redis:7"],
            [("redis", "postgres:16", "1"), ("redis-2", "redis:7", "2")],
            id="a given name is not proposed again",
        ),
        pytest.param(["NO!=redis:7"], [("redis", "redis:7", "1")], id="no valid name"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_entries(places: list[str], expected: list[tuple[str, str, str]]) -> None:
    assert told(propose(seen(*places))) == expected


def test_pins_are_kept_with_their_first_place() -> None:
    (one,) = propose(seen(f"a:1@{A}", f"a:1@{B}", f"a:1@{A}", "a:1"))
    assert one.pins == ((Digest.parse(A), "f:1"), (Digest.parse(B), "f:2"))


def test_the_digest_of_an_entry_by_digest_is_no_pin() -> None:
    (one,) = propose(seen(f"a@{A}"))
    assert one.pins == ()
    assert str(one.reference.digest) == A


@pytest.mark.parametrize(
    ("places", "untagged"),
    [(["a"], True), (["a", "a:latest"], False), (["a:latest"], False), ([f"a@{A}"], False)],
)
def test_whether_a_tag_is_named_anywhere(places: list[str], *, untagged: bool) -> None:
    (one,) = propose(seen(*places))
    assert one.untagged is untagged
