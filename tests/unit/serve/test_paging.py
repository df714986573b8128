from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinner.serve.paging import next_link, page_of
from pinner.serve.routes import Window


def test_a_page_may_start_behind_an_item_that_is_gone() -> None:
    assert page_of(("a", "c"), Window(None, "b")) == (["c"], False)


@given(st.sets(st.text("aAbB1._-", min_size=1, max_size=4)), st.integers(1, 5))
def test_pages_together_are_all_items_once(items: set[str], count: int) -> None:
    seen: list[str] = []
    more, last = True, ""
    while more:
        page, more = page_of(items, Window(count, last))
        assert len(page) <= count
        seen += page
        last = page[-1] if page else ""
    assert seen == page_of(items, Window())[0]
    assert set(seen) == items


def test_a_link_escapes_what_a_query_cannot_hold() -> None:
    header = next_link("/v2/_catalog", {"n": "1", "last": "a>b&c", "ns": ""})
    assert header == ("Link", '</v2/_catalog?n=1&last=a%3Eb%26c>; rel="next"')
