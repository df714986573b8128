"""Any texts have an order, the same whichever way they are put (P04)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pinner.inventory.model import Ecosystem
from pinner.inventory.versions import key

PIECES = (
    *("0", "1", "09", "10", ".", "..", "-", "-r", "-r1", ":", "1:", "~", "~~", "^", "+", "_"),
    *("_alpha", "_p", "_p1", "_foo", "a", "Z", "rc", "~ab", "\x1b", "\n", " ", "é", "\ud800", "٣"),
)
versions = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=12)


@given(st.sampled_from(Ecosystem), st.lists(versions, min_size=2, max_size=8))
def test_P04_any_texts_sort(ecosystem: Ecosystem, texts: list[str]) -> None:
    for lower, higher in pairwise(sorted(texts, key=lambda text: key(ecosystem, text))):
        assert not key(ecosystem, higher) < key(ecosystem, lower)


@given(st.sampled_from(Ecosystem), versions, versions)
def test_P04_two_texts_are_in_one_order(ecosystem: Ecosystem, one: str, other: str) -> None:
    a, b = key(ecosystem, one), key(ecosystem, other)
    assert (a < b) + (a == b) + (b < a) == 1
