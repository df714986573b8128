"""Expressions admit tags that are no versions; hostile ones cost a number of steps, not years."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from pinner.errors import InputError
from pinner.tagpolicy import InvalidWish, choose_tag, patterns
from pinner.tagpolicy.patterns import PatternWish
from support.tables import FIXTURES, params

TABLE = tomllib.loads((FIXTURES / "tags/patterns.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", params("tags/patterns.toml"))
def test_the_tags_that_compete(row: dict[str, Any]) -> None:
    wish = PatternWish(expression=row["pattern"])
    ranked = tuple(row["ranked"])
    assert wish.ranked(row["tags"]) == ranked
    assert wish.ranked([*reversed(row["tags"]), *row["tags"]]) == ranked
    assert choose_tag(row["tags"], wish) == next(iter(ranked), None)
    assert all(map(wish.admits, ranked))
    assert not wish.admits("latest")


@pytest.mark.parametrize("row", TABLE["refused"], ids=lambda row: row["pattern"])
def test_refused_expressions(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidWish) as refused:
        PatternWish(expression=row["pattern"])
    assert row["error"] in refused.value.what
    assert refused.value.what.isprintable()


def test_an_expression_has_a_largest_length() -> None:
    with pytest.raises(InvalidWish, match="is longer than 400 characters"):
        PatternWish(expression=f"(?P<build>{'1' * 400})")


def test_messages_name_the_expression_as_it_was_written() -> None:
    wish = PatternWish(expression=r"^jdk-(?P<version>[0-9.]+)$")
    assert str(wish) == r'tags "^jdk-(?P<version>[0-9.]+)$"'


HOSTILE = [
    "(?P<build>([0-9]+)+)!",
    "(?P<build>([0-9]|[0-9][0-9])+)!",
    "(?P<build>[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*1)!",
    "(?P<build>(.*1){1,20})!",
    "((1+)+)+(?P<build>1)!",
    "(?P<build>[01]*1[01]{100})!",
]


@pytest.mark.parametrize("expression", HOSTILE)
def test_a_hostile_expression_answers(expression: str) -> None:
    wish = PatternWish(expression=expression)
    assert not wish.admits("1" * 128)


def test_a_hostile_expression_over_many_tags_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "_STEPS", 100_000)
    wish = PatternWish(expression=HOSTILE[-1])
    tags = [f"{number:0128b}" for number in range(1000)]
    with pytest.raises(InputError) as refused:
        wish.ranked(tags)
    assert refused.value.what == f'tags "{HOSTILE[-1]}" takes too many steps over 1000 tags'


def test_usual_tags_take_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_STEPS", 200_000)
    wish = PatternWish(expression=r"^(?P<version>[0-9._]+)-jre-alpine$")
    tags = [f"17.0.{number}_8-jre-alpine" for number in range(1000)]
    assert wish.ranked(tags)[0] == "17.0.999_8-jre-alpine"


def test_wishes_are_values() -> None:
    assert PatternWish(expression="(?P<build>1)") == PatternWish(expression="(?P<build>1)")
