"""Edits of a file as a whole: what places that share characters do to each other."""

from __future__ import annotations

import pytest

from pinner.rewrite.edits import CannotHold
from pinner.rewrite.model import Edit
from pinner.rewrite.plan import plan_file
from support.dockerfiles import read
from support.rewriting import digest_of, wish


def stuck(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.why) for one in plan_file(text.encode(), read, wish).impossible]


def test_two_images_that_want_different_digests_in_one_arg() -> None:
    assert stuck("ARG T=1\nFROM a:$T\nFROM b:$T\nFROM a:$T\n") == [
        (2, "it shares a variable with line 3, which names another image"),
        (3, "it shares a variable with line 2, which names another image"),
        (4, "it shares a variable with line 3, which names another image"),
    ]


def test_one_image_twice_agrees() -> None:
    plan = plan_file(b"ARG T=1\nFROM a:$T\nFROM a:$T\n", read, wish)
    assert plan.after == f"ARG T=1@{digest_of('a:1')}\nFROM a:$T\nFROM a:$T\n".encode()
    assert [(one.before, one.after) for one in plan.changed] == [
        ("a:1", f"a:1@{digest_of('a:1')}")
    ] * 2


def test_a_place_whose_edit_harms_nobody_is_edited() -> None:
    plan = plan_file(b"ARG N=a\nFROM $N\nFROM $N:1\n", read, wish)
    assert plan.after == f"ARG N=a\nFROM $N\nFROM $N:1@{digest_of('a:1')}\n".encode()
    assert [one.line for one in plan.impossible] == [2]


def test_a_place_that_cannot_be_edited_guards_what_it_reads() -> None:
    assert [line for line, _ in stuck("ARG T=1\nFROM a:$T-x\nFROM a:$T\n")] == [2, 3]


def test_a_stage_that_uses_the_arg_guards_it() -> None:
    assert stuck("ARG T=1\nFROM a:$T\nARG T\nRUN echo $T\n") == [
        (2, "ARG T is used inside a stage too, where it would hold the digest")
    ]


def test_a_file_that_would_not_read_as_intended_is_left() -> None:
    data = b"FROM a:1\nFROM b:1\n"
    plan = plan_file(data, read, lambda _: (Edit(start=0, end=4, text=b"RUN "),))
    assert plan.after == data
    assert plan.changed == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ARG T=1\nFROM a:${T//f/0}\n", id="digits of the digest"),
        pytest.param("ARG T=1\nFROM a:${T%f*}\n", id="the digest's end"),
        pytest.param("ARG T=1\nFROM a${T}b:$T\n", id="a variable that is in the name too"),
    ],
)
def test_a_digest_that_the_file_would_change_is_not_put_there(text: str) -> None:
    plan = plan_file(text.encode(), read, wish)
    assert plan.after == text.encode()
    assert [one.why for one in plan.impossible] == ["the edited file would not read as intended"]


def test_nothing_wanted_nothing_done() -> None:
    plan = plan_file(b"FROM a:1\n", read, lambda _: ())
    assert (plan.after, plan.changed, plan.impossible) == (b"FROM a:1\n", (), ())


@pytest.mark.parametrize("why", ["no room", "no way"])
def test_a_wish_that_cannot_be_says_why(why: str) -> None:
    def refuse(_: object) -> tuple[Edit, ...]:
        raise CannotHold(why)

    (one,) = plan_file(b"FROM a:1\n", read, refuse).impossible
    assert (one.line, one.text, one.why) == (1, "a:1", why)
