"""The rules that say of each tag of the record whether it is a version, and if not, why."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Final

from support.tables import FIXTURES

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = "version"
WORDS: Final = ("channels", "distributions", "code-names", "flavours")


def record() -> dict[str, list[str]]:
    """The tags of each image of the record."""
    lines = (FIXTURES / "tags/record.txt").read_text(encoding="ascii").splitlines()
    return {image: tags for image, *tags in map(str.split, lines)}


def all_tags() -> Iterator[tuple[str, str]]:
    """Each tag of the record, behind its image."""
    return ((image, tag) for image, tags in record().items() for tag in tags)


def rules() -> dict[str, re.Pattern[str]]:
    """Each rule with its pattern, in their order."""
    document = tomllib.loads((FIXTURES / "tags/rules.toml").read_text(encoding="utf-8"))
    words = {f"<{name}>": "|".join(document[name].split()) for name in WORDS}
    found = {}
    for row in document["rows"]:
        pattern = row["pattern"]
        for name, choice in words.items():
            pattern = pattern.replace(name, choice)
        found[row["id"]] = re.compile(pattern)
    return found


def rule_of(tag: str, table: dict[str, re.Pattern[str]]) -> str | None:
    """The first rule that explains a tag; None where none does."""
    return next((name for name, pattern in table.items() if pattern.fullmatch(tag)), None)


def counts() -> dict[str, int]:
    """How many tags each rule explains, in the order of the rules."""
    table = rules()
    found = Counter(rule_of(tag, table) for _, tag in all_tags())
    return {name: found[name] for name in table}
