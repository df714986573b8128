"""A tag's version is read strictly, and a wish chooses within one variant, precision and form."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from pinner.tagpolicy import InvalidWish, choose_tag
from pinner.tagpolicy.versions import VersionWish, parse_tag
from support.tables import FIXTURES, params

OFFICIAL: dict[str, list[str]] = json.loads((FIXTURES / "tags/official.json").read_text())


def wish_of(row: dict[str, Any]) -> VersionWish:
    return VersionWish(
        specifier=row["version"], variant=row.get("variant", ""), precision=row.get("precision")
    )


@pytest.mark.parametrize("row", params("tags/parse.toml", lambda row: repr(row["tag"])))
def test_what_a_tag_says(row: dict[str, Any]) -> None:
    said = parse_tag(row["tag"])
    if "version" not in row:
        assert said is None
        return
    assert said is not None
    assert str(said.version) == row["version"]
    assert said.precision == row["precision"]
    assert said.variant == row.get("variant", "")
    assert said.has_v == row.get("v", False)


@pytest.mark.parametrize("row", params("tags/choose.toml"))
def test_choice(row: dict[str, Any]) -> None:
    assert choose_tag(row["tags"], wish_of(row)) == row.get("chosen")


@pytest.mark.parametrize("row", params("tags/choose-official.toml"))
def test_choice_among_real_tags(row: dict[str, Any]) -> None:
    assert choose_tag(OFFICIAL[row["image"]], wish_of(row)) == row.get("chosen")


@pytest.mark.parametrize("row", params("tags/choose.toml"))
def test_a_choice_does_not_depend_on_the_registrys_order(row: dict[str, Any]) -> None:
    tags = [*row["tags"], *row["tags"]]
    random.Random(row["id"]).shuffle(tags)
    assert choose_tag(tags, wish_of(row)) == row.get("chosen")


@pytest.mark.parametrize(
    ("tag", "is_admitted"),
    [
        ("22.11.0-alpine", True),
        ("22-alpine", True),  # whether there is a more precise one, only the registry knows
        ("23.0.0-alpine", False),
        ("22.11.0", False),
        ("22.11.0-alpine3.20", False),
        ("22.12.0rc1-alpine", False),
        ("latest", False),
    ],
)
def test_admits(tag: str, *, is_admitted: bool) -> None:
    wish = VersionWish(specifier=">=22,<23", variant="alpine")
    assert wish.admits(tag) is is_admitted


def test_admits_only_the_precision_that_is_asked_for() -> None:
    wish = VersionWish(specifier=">=22", precision=2)
    assert [tag for tag in ("22", "22.1", "22.1.0") if wish.admits(tag)] == ["22.1"]


@pytest.mark.parametrize(
    ("tags", "ranked"),
    [
        pytest.param(["1.0", "1.10", "1.9"], ["1.10", "1.9", "1.0"], id="newest first"),
        pytest.param(["1.2", "1.2.3", "1"], ["1.2.3"], id="one precision"),
        pytest.param(["1.2", "v1.3", "v1.1"], ["v1.3", "v1.1"], id="one form"),
        pytest.param(["v1.3", "1.3", "v1.2"], ["1.3"], id="one form, without v on a tie"),
        pytest.param(["1.2-slim", "1.1"], ["1.1"], id="one variant"),
        pytest.param(["1.02", "1.2", "1.1"], ["1.2", "1.02", "1.1"], id="one version, shortest"),
        pytest.param(["1.1", "1.2", "1.1"], ["1.2", "1.1"], id="each once"),
        pytest.param(["latest"], [], id="none"),
    ],
)
def test_what_competes_is_ranked(tags: list[str], ranked: list[str]) -> None:
    assert VersionWish(specifier=">=1").ranked(tags) == tuple(ranked)


@pytest.mark.parametrize("row", params("tags/specifiers.toml"))
def test_refused_wishes(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidWish) as refused:
        wish_of(row)
    assert row["error"] in refused.value.what
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (VersionWish(specifier=">=23"), 'version ">=23"'),
        (
            VersionWish(specifier=">=22,<23", variant="alpine", precision=3),
            'version ">=22,<23", variant "alpine", precision 3',
        ),
    ],
)
def test_messages_name_the_wish_as_it_was_written(wish: VersionWish, text: str) -> None:
    assert str(wish) == text


def test_wishes_are_values() -> None:
    assert VersionWish(specifier=">=1") == VersionWish(specifier=">=1")
    assert VersionWish(specifier=">=1") != VersionWish(specifier=">=1", variant="x")
