"""Every real tag is a version, or is not by a rule that is written down; choices are reviewed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pinner.spec import parse_spec
from pinner.tagpolicy import choose_tag
from pinner.tagpolicy.versions import parse_tag
from support.tables import FIXTURES, params, read_rows
from support.tagrules import VERSION, WORDS, all_tags, counts, record, rule_of, rules

CHOICES = "tags/choose-record.toml"
RECORD = record()


def test_the_record_is_whole() -> None:
    assert len(RECORD) == 144
    assert sum(map(len, RECORD.values())) == 9849


def test_every_tag_is_explained() -> None:
    table = rules()
    assert [pair for pair in all_tags() if rule_of(pair[1], table) is None] == []


def test_a_tag_is_a_version_where_the_rule_says_so() -> None:
    table = rules()
    wrong = [
        (image, tag)
        for image, tag in all_tags()
        if (parse_tag(tag) is not None) != (rule_of(tag, table) == VERSION)
    ]
    assert wrong == []


def test_every_rule_and_every_word_explains_some_tag() -> None:
    found = counts()
    print(*(f"{number:5} {name}" for name, number in found.items()), sep="\n")  # noqa: T201
    assert [name for name, number in found.items() if not number] == []
    document = tomllib.loads((FIXTURES / "tags/rules.toml").read_text(encoding="utf-8"))
    tags = " ".join(tag for _, tag in all_tags())
    words = " ".join(document[name] for name in WORDS)
    unused = [word for word in words.split() if not re.search(rf"(?<!\S){word}", tags)]
    assert unused == []


@pytest.mark.parametrize("row", params(CHOICES, lambda row: f"{row['image']} {row['entry']}"))
def test_reviewed_choices(row: dict[str, Any]) -> None:
    text = f'[images]\nx = {{ image = "{row["image"]}", {row["entry"]} }}\n'
    (entry,) = parse_spec(text.encode(), path="images.toml", base=Path()).entries
    tags = RECORD[row["image"]]
    chosen = entry.tag if entry.wish is None else choose_tag(tags, entry.wish)
    assert chosen == row.get("chosen")
    assert chosen is None or chosen in tags


def test_enough_images_are_reviewed() -> None:
    assert len({row["image"] for row in read_rows(CHOICES)}) >= 30
