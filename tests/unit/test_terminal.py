"""No foreign string moves the cursor, forges a line or hides what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.terminal import safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("debian:12 — ä 🐳", "debian:12 — ä 🐳", id="text"),
        pytest.param("", "", id="empty"),
        pytest.param("\x1b[31mred", r"\x1b[31mred", id="O01-colour"),
        pytest.param("\x1b]8;;https://x\x07", r"\x1b]8;;https://x\x07", id="O01-link"),
        pytest.param("\x9b2J", r"\x9b2J", id="O01-C1"),
        pytest.param("a\r\nb\tc", r"a\r\nb\tc", id="line-breaks"),
        pytest.param("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d", id="unicode-line-breaks"),
        pytest.param("a\u202eb\u2066c", r"a\u202eb\u2066c", id="bidirectional"),
        pytest.param("a\u200bb\ufeffc\u00add", r"a\u200bb\ufeffc\xadd", id="invisible"),
        pytest.param("a\u00a0b\u3000c", r"a\xa0b\u3000c", id="other-spaces"),
        pytest.param("\U000e0041", r"\U000e0041", id="tag-character"),
        pytest.param("\ud800", r"\ud800", id="M16-lone-surrogate"),
        pytest.param("\x7f\x00", r"\x7f\x00", id="delete-and-nul"),
    ],
)
def test_shows(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_cuts_to_the_limit_and_says_so() -> None:
    assert safe("abcdef", limit=6) == "abcdef"
    assert safe("abcdef", limit=4) == "abcd… (+2)"
    assert safe("x" * 10_000) == "x" * 500 + "… (+9500)"


def test_a_cut_counts_what_was_written_not_what_is_shown() -> None:
    assert safe("\x1b\x1b\x1b", limit=2) == r"\x1b\x1b… (+1)"


@given(st.text(st.characters(exclude_categories=())))
def test_the_result_is_one_printable_line(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
