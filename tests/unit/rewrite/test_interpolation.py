"""Variables as compose fills them in: the rows are compose's documentation of interpolation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.rewrite.interpolation import CannotInterpolate, interpolate
from pinner.rewrite.located import NOWHERE, Located


@pytest.mark.parametrize(
    ("text", "reads", "unset"),
    [
        ("plain", "plain", ()),
        ("${A:-d}", "d", ()),
        ("${A-d}", "d", ()),
        ("${A:-}", "", ()),
        ("x${A:+d}y${A+d}", "xy", ()),
        ("${A:-${B}}", "", ("B",)),
        ("${A:-${B:-d}}", "d", ()),
        ("${A:-a${B:-b}c}", "abc", ()),
        ("${A:-{x}", "{x", ()),
        ("$A ${B} $A", "  ", ("A", "B")),
        ("$$A", "$A", ()),
        ("$${A}", "${A}", ()),
        ("$$$A", "$", ("A",)),
        ("${A-1:-2}", "1:-2", ()),
    ],
)
def test_values(text: str, reads: str, unset: tuple[str, ...]) -> None:
    told = interpolate(Located.of(text.encode()))
    assert (told.text.text, told.unset) == (reads, unset)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${A:?text}", "demands that A is set"),
        ("${A?}", "demands that A is set"),
        ("$", "begins no variable"),
        ("$1", "begins no variable"),
        ("${}", "braces without a variable"),
        ("${1}", "braces without a variable"),
        ("${A/b/c}", "does not know"),
        ("${A", "not closed"),
        ("${A:-${B}", "not closed"),
        ("${A:-" * 30 + "}" * 30, "nested too deeply"),
    ],
)
def test_what_compose_refuses(text: str, why: str) -> None:
    with pytest.raises(CannotInterpolate, match=why):
        interpolate(Located.of(text.encode()))


@given(
    st.lists(st.sampled_from(["$", "{", "}", "A", ":-", "-", "+", "x", "$$", "${B:-"])).map("".join)
)
def test_characters_keep_their_places(text: str) -> None:
    try:
        told = interpolate(Located.of(text.encode()))
    except CannotInterpolate:
        return
    for character, origin in zip(told.text.text, told.text.origins, strict=True):
        assert text[origin] == character if origin != NOWHERE else character == "$"
