"""Where a digest goes, and which places cannot hold one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.rewrite.edits import CannotHold, apply, pin_edits, unpin_edits
from pinner.rewrite.located import Located
from pinner.rewrite.model import Barrier, Edit, Occurrence, Slot
from support.outcomes import digest

D = digest(0xD1)
E = digest(0xE2)


def place(file: str, *spans: str | tuple[int, int], **settings: object) -> tuple[bytes, Occurrence]:
    """A file, and a place in it that reads the given pieces one after the other.

    A piece is a text that stands in the file once, or (with a leading "!") text from nowhere.
    """
    whole = Located.of(file.encode())
    pieces = []
    for span in spans or (file,):
        if isinstance(span, str) and span.startswith("!"):
            pieces.append(Located.made(span[1:]))
        elif isinstance(span, str):
            start = file.index(span)
            assert file.count(span) == 1
            pieces.append(whole[start : start + len(span)])
        else:
            pieces.append(whole[slice(*span)])
    return file.encode(), Occurrence(reference=Located.join(pieces), line=1, **settings)  # type: ignore[arg-type]


def pinned(
    file: str, *spans: str | tuple[int, int], tag: str | None = None, **settings: object
) -> str:
    data, occurrence = place(file, *spans, **settings)
    return apply(data, pin_edits(occurrence, tag=tag, digest=D)).decode()


@pytest.mark.parametrize(
    ("file", "spans", "tag", "expected"),
    [
        pytest.param("FROM node", ["node"], "latest", f"FROM node:latest@{D}", id="no tag"),
        pytest.param("FROM node", ["node"], None, f"FROM node@{D}", id="no tag, none wanted"),
        pytest.param("FROM a:1", ["a:1"], "1", f"FROM a:1@{D}", id="tag"),
        pytest.param("FROM a:1", ["a:1"], "1.2", f"FROM a:1.2@{D}", id="another tag"),
        pytest.param(f"FROM a:1@{E}", [f"a:1@{E}"], "1", f"FROM a:1@{D}", id="another digest"),
        pytest.param(f"FROM a:1@{E}", [f"a:1@{E}"], "2", f"FROM a:2@{D}", id="both"),
        pytest.param(f"FROM a@{E}", [f"a@{E}"], None, f"FROM a@{D}", id="digest alone"),
        pytest.param(f"FROM a@{E}", [f"a@{E}"], "2", f"FROM a:2@{D}", id="a tag for a digest"),
        pytest.param("h:50/a", ["h:50/a"], "1", f"h:50/a:1@{D}", id="a port is no tag"),
        pytest.param("h:50/a:2", ["h:50/a:2"], "2", f"h:50/a:2@{D}", id="port and tag"),
        pytest.param(
            "ARG T=3.19\nFROM a:${T} x",
            ["a:", "3.19"],
            "3.19",
            f"ARG T=3.19@{D}\nFROM a:${{T}} x",
            id="34",
        ),
        pytest.param(
            "ARG R=\nFROM ${R}node:21 x",
            ["node:21"],
            "21",
            f"ARG R=\nFROM ${{R}}node:21@{D} x",
            id="45",
        ),
        pytest.param(
            f"ARG s={E}\nFROM j17@$s",
            ["j17@", str(E)],
            None,
            f"ARG s={D}\nFROM j17@$s",
            id="48",
        ),
        pytest.param(
            f'ARG T=v1\nARG H="@{E}"\nFROM a:${{T}}${{H}}',
            ["a:", "v1", f"@{E}"],
            "v2",
            f'ARG T=v2\nARG H="@{D}"\nFROM a:${{T}}${{H}}',
            id="47",
        ),
    ],
)
def test_a_digest_goes_behind_the_tag_wherever_that_stands(
    file: str, spans: list[str], tag: str | None, expected: str
) -> None:
    assert pinned(file, *spans, tag=tag) == expected


@pytest.mark.parametrize(
    ("file", "spans", "tag", "why"),
    [
        ("ARG T=9\nFROM a:${T}-b", ["a:", "9", "-b"], "9-b", "its tag is put together"),
        ("ARG T=9\nFROM a:3.${T}", ["a:3.", "9"], "3.9", "its tag is put together"),
        ("FROM x", ["!a:1"], "1", "its tag is put together"),
        ("FROM x", ["!a"], "1", "its last character"),
        ("ARG T=9\nFROM a:${T}-b", ["a:", "9", "-b"], "8-b", "what would change"),
    ],
)
def test_a_place_that_cannot_hold_a_digest_says_why(
    file: str, spans: list[str], tag: str, why: str
) -> None:
    with pytest.raises(CannotHold, match=why):
        pinned(file, *spans, tag=tag)


def test_what_is_named_already_needs_no_edit() -> None:
    _, occurrence = place(f"FROM a:1@{D}", f"a:1@{D}")
    assert pin_edits(occurrence, tag="1", digest=D) == ()


def test_a_key_of_its_own_takes_the_digest() -> None:
    slot = Slot(offset=12, before=b"\ndigest: ", after=b"")
    assert pinned("name: a\ntag:", (6, 7), slot=slot, tag=None) == f"name: a\ntag:\ndigest: {D}"


def test_a_barrier_is_not_edited() -> None:
    file = "ARG T=3.19\nFROM a:${T} x"
    barrier = Barrier(start=6, end=10, why="T is used elsewhere")
    with pytest.raises(CannotHold, match="T is used elsewhere"):
        pinned(file, "a:", "3.19", tag="3.19", barriers=(barrier,))
    assert pinned("\n" * 9 + "b:1", "b:1", tag="1", barriers=(barrier,)).endswith(f"b:1@{D}")


@pytest.mark.parametrize(
    ("file", "spans", "expected"),
    [
        (f"FROM a:1@{D} x", [f"a:1@{D}"], "FROM a:1 x"),
        ("FROM a:1 x", ["a:1"], "FROM a:1 x"),
    ],
)
def test_unpinning_leaves_the_tag(file: str, spans: list[str], expected: str) -> None:
    data, occurrence = place(file, *spans)
    assert apply(data, unpin_edits(occurrence)).decode() == expected


@pytest.mark.parametrize(
    ("file", "spans", "why"),
    [
        (f"FROM a@{D}", [f"a@{D}"], "it has no tag"),
        (f"ARG s={D}\nFROM a:1@$s", ["a:1@", str(D)], "its digest is put together"),
    ],
)
def test_unpinning_never_makes_a_place_name_another_image(
    file: str, spans: list[str], why: str
) -> None:
    _, occurrence = place(file, *spans)
    with pytest.raises(CannotHold, match=why):
        unpin_edits(occurrence)


def test_equal_edits_are_made_once_and_overlapping_ones_refused() -> None:
    edit = Edit(start=1, end=2, text=b"xy")
    assert apply(b"abc", [edit, edit]) == b"axyc"
    with pytest.raises(ValueError, match="overlap at byte 1"):
        apply(b"abc", [edit, Edit(start=1, end=3, text=b"")])


@given(st.binary(max_size=40), st.data())
def test_bytes_outside_the_edits_stay(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(data)), max_size=6)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    edits = [Edit(start=start, end=end, text=b"<new>") for start, end in spans]
    outside, at = [], 0
    for start, end in spans:
        outside.append(data[at:start])
        at = end
    assert apply(data, edits) == b"<new>".join([*outside, data[at:]])
