"""An expression means what Python's `re` makes of it, in groups too, for all that is understood."""

from __future__ import annotations

import re
import warnings

from hypothesis import example, given
from hypothesis import strategies as st

from pinner.errors import InputError
from pinner.tagpolicy import InvalidWish
from pinner.tagpolicy.expressions import parse_expression
from pinner.tagpolicy.machine import Machine, Steps
from pinner.tagpolicy.patterns import PatternWish

texts = st.text(st.sampled_from("ab1.-"), max_size=8)
atoms = st.sampled_from(["a", "b", "1", ".", r"\.", r"\d", "[ab]", "[^a]", "[0-9-]", r"[\w.]"])
counts = st.sampled_from(["?", "*", "+", "{2}", "{1,2}", "{0,3}", "{1,}", "??", "*?", "+?"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.builds("({})".format, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, counts),
        st.builds("(?P<NAME>{})".format, inner),
    )


def numbered(text: str) -> str:
    """Names for the groups, each its own."""
    count = 0

    def name(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"<g{count}>"

    return re.sub("<NAME>", name, text)


parts = st.recursive(st.builds("{}{}".format, atoms, counts) | atoms, grown, max_leaves=5)
# Groups beside groups: who gets a character is what the order of the possibilities decides.
beside = st.lists(st.builds("(?P<NAME>{})".format, parts), min_size=1, max_size=3).map("".join)
expressions = parts | beside


@example("(?P<g1>a*)(?P<g2>a*)", ["aa"])
@example("(?P<g1>a*?)(?P<g2>a*)", ["aa"])
@example("(?P<g1>a??)(?P<g2>a?)", ["a"])
@example("(?:(?P<g1>a)|(?P<g2>ab))(?P<g3>b?)", ["ab"])
@given(expressions.map(numbered), st.lists(texts, min_size=1, max_size=8))
def test_it_means_what_re_makes_of_it(expression: str, tags: list[str]) -> None:
    try:
        machine = Machine(parse_expression(expression))
    except InvalidWish as error:
        assert re.search("may be empty|too large", error.what), error.what  # noqa: PT017
        return
    for tag in tags:
        found = re.fullmatch(expression, tag, re.ASCII)
        groups = machine.match(tag, Steps(1_000_000))
        expected = found and {k: v for k, v in found.groupdict().items() if v is not None}
        assert groups == expected, tag


@given(st.text(st.sampled_from("ab01.-()[]{}?*+|^$\\<>P:,="), max_size=14) | st.text(max_size=9))
def test_every_text_is_an_expression_or_refused(text: str) -> None:
    try:
        PatternWish(expression=f"(?P<build>1){text}").admits("1ab")
    except InputError as error:
        assert error.what.isprintable()  # noqa: PT017
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        re.compile(re.sub(r"\(\?<", "(?P<", f"(?P<build>1){text}"))
