"""The text of a new images.toml: as people read it, and as pinner reads it back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.spec import parse_spec
from pinner.start.model import Proposal, Sighting
from pinner.start.propose import propose
from pinner.start.write import render_spec
from support.strategies import platforms, references

HEX = "ab" * 32


def entry(name: str, reference: str, *places: str) -> Proposal:
    return Proposal(name=name, reference=Reference.parse(reference), places=places)


def test_comments_say_where_entries_are_used() -> None:
    text = render_spec(
        [
            entry("python", "python:3.12-slim", "Dockerfile:1", "api/Dockerfile:1"),
            entry("redis7.2", "redis:7.2", "compose.yaml:12"),
            entry("app", f"ghcr.io/acme/app@sha256:{HEX}"),
        ],
        platforms=[Platform.parse("linux/amd64"), Platform.parse("linux/arm64")],
    )
    assert text == (
        '[settings]\nplatforms = ["linux/amd64", "linux/arm64"]\n'
        "\n"
        "[images]\n"
        "# Dockerfile:1, api/Dockerfile:1\n"
        'python = "python:3.12-slim"\n'
        "\n"
        "# compose.yaml:12\n"
        '"redis7.2" = "redis:7.2"\n'
        "\n"
        f'app = "ghcr.io/acme/app@sha256:{HEX}"\n'
    )


def test_no_settings_without_platforms() -> None:
    assert render_spec([entry("a", "a:1")]) == '[images]\na = "a:1"\n'


def test_many_places_are_wrapped_and_counted() -> None:
    places = [f"services/number-{number:02}/Dockerfile:1" for number in range(15)]
    text = render_spec([entry("a", "a:1", *places)])
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert all(len(line) <= 100 for line in comments)
    assert " ".join(line.removeprefix("# ") for line in comments) == (
        ", ".join(places[:12]) + ", and 3 more"
    )


@pytest.mark.parametrize(
    "place",
    [
        'a\nevil = "evil:1"\n#:1',
        'a\revil = "evil:1"\r#:1',
        "a\x00\x1b[2J:1",
        "a\x85\u2028b = 1:1",
        "a\udcff:1",
        "x" * 100_000,
    ],
)
def test_a_file_name_cannot_forge_toml(place: str) -> None:
    text = render_spec([entry("a", "a:1", place)])
    assert tomllib.loads(text) == {"images": {"a": "a:1"}}
    comment, line = text.splitlines()[1:]
    assert comment.isprintable()
    assert len(comment) < 300
    assert line == 'a = "a:1"'
    text.encode()


found = st.lists(
    st.builds(
        Sighting,
        reference=references(),
        where=st.text(max_size=12),
        name=st.sampled_from(["", "", "db", "a.b", "-"]),
    ),
    min_size=1,
    max_size=5,
)


@given(found, st.lists(platforms(), max_size=2))
def test_what_is_written_is_read_back(seen: list[Sighting], wanted: list[Platform]) -> None:
    proposals = propose(seen)
    data = render_spec(proposals, platforms=wanted).encode()
    spec = parse_spec(data, path="images.toml", base=Path("/nowhere"))
    assert [(one.name, one.reference) for one in spec.entries] == [
        (one.name, one.reference) for one in proposals
    ]
    assert spec.platforms == (tuple(dict.fromkeys(wanted)) or None)
