"""Encodings, ends of lines and sizes; that hostile files end is shown by counting steps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pinner.rewrite.model import Occurrence, Reason, Skipped
from pinner.rewrite.plan import plan_file
from support.dockerfiles import listed, read
from support.rewriting import digest_of, pinned, wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

ALPINE = b"alpine:3.19"
PINNED = f"alpine:3.19@{digest_of('alpine:3.19')}".encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"FROM alpine:3.19\r\nRUN a \\\r\n  b\r\n", id="CRLF"),
        pytest.param(b"FROM alpine:3.19\nRUN a\r\n\nRUN b\r\r\n", id="mixed"),
        pytest.param(b"FROM alpine:3.19", id="no last newline"),
        pytest.param(b"FROM alpine:3.19\\", id="a continuation at the end"),
        pytest.param(b"\xef\xbb\xbfFROM alpine:3.19\n", id="BOM"),
        pytest.param(b"\xef\xbb\xbf\r\n\r\nFROM alpine:3.19\r\n", id="BOM and CRLF"),
        pytest.param(b"# caf\xe9 \xff\xa0\x85\nFROM alpine:3.19\nENV A=\xe9\n", id="Latin-1"),
        pytest.param(b"FROM alpine:3.19\nRUN a\0b\n", id="NUL in a line"),
        pytest.param(b"FROM alpine:3.19\nRUN x\rFROM no:1\n", id="lone CR in a line"),
        pytest.param("\u3000\xa0FROM alpine:3.19\u2003\n".encode(), id="blanks of Unicode"),
        pytest.param(b"FROM alpine:3.19\n" + b"# x\n" * 250_000, id="1 MB"),
        pytest.param(b"FROM alpine:3.19\nRUN " + b"x" * 65_531 + b"\n", id="the longest line"),
    ],
)
def test_one_place_changes_and_no_other_byte(data: bytes) -> None:
    assert pinned(data, read) == data.replace(ALPINE, PINNED)
    assert [type(one) for one in read(data)] == [Occurrence]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param("FROM a:1\n".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param("FROM a:1\n".encode("utf-16-be"), "UTF-16", id="UTF-16, other end, no BOM"),
        pytest.param(b"FROM a:1\nRUN " + b"x" * 65_532 + b"\n", "longer than", id="a long line"),
        pytest.param(b"FROM a:1\nRUN " + b"x" * 70_000, "longer than", id="70 kB, the last line"),
        pytest.param(b"# escape=x\nFROM a:1\n", "neither", id="an unknown escape"),
        pytest.param(b"# escape=`\n# escape=`\nFROM a:1\n", "only one", id="two of a directive"),
        pytest.param(b"FROM a:1\nRUN <<E\n", "does not end", id="an open heredoc"),
    ],
)
def test_what_buildkit_refuses_is_left_and_said(data: bytes, why: str) -> None:
    (one,) = read(data)
    assert isinstance(one, Skipped)
    assert one.reason is Reason.UNSUPPORTED
    assert why in one.why
    assert pinned(data, read) == data


@pytest.mark.parametrize(
    "data", [b"FROM alpine:3.19\rRUN x\r", b"FROM--platform=linux/arm64 alpine:3.19\n"]
)
def test_what_is_no_from_line_is_said(data: bytes) -> None:
    (one,) = read(data)
    assert isinstance(one, Skipped)
    assert pinned(data, read) == data


def test_an_indented_directive_escapes_but_names_no_syntax() -> None:
    data = b" # escape=`\n # syntax=a/b:1\nFROM `\n  alpine:3.19\n"
    assert listed(data) == ("4  alpine:3.19",)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"RUN --mount=target=/x,FROM=a:1 ls", id="a key in capitals"),
        pytest.param(b"COPY --from=a:1\xa0/a /b", id="a byte that is a blank in Latin-1"),
        pytest.param(b"COPY --fr'o'm=a:1 /a /b", id="quotes in a flag"),
        pytest.param(b"COPY --link --fr'o'm=a:1 /a /b", id="quotes in the second flag"),
        pytest.param(b"COPY --link\xa0--fr'o'm=a:1 /a /b", id="quotes behind a blank in Latin-1"),
        pytest.param(b"RUN --mount=\\from=a:1,target=/x ls", id="an escape in a flag"),
        pytest.param(b'RUN --mount=target=/x,"from=a:1" ls', id="quotes in a mount"),
        pytest.param(b"RUN \\\\\nCOPY --from=a:1 /a /b", id="two escapes go on nowhere"),
    ],
)
def test_one_image_in_a_stage(line: bytes) -> None:
    (one,) = read(b"FROM scratch\n" + line)
    assert isinstance(one, Occurrence)
    assert one.reference.text == "a:1"


def test_the_first_unknown_instruction_is_said_once() -> None:
    assert listed(b"FROM a:1\nFOO x\nBAR y\nFROMx\n") == (
        "1  a:1",
        "2  skipped unsupported  FOO",
        "4  skipped unsupported  FROMx",
    )


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# pinner: web", "web"),
        ("  #pinner:web  ", "web"),
        ("# pinner: web and more", ""),
        ("# Pinner: web", ""),
    ],
)
def test_a_comment_names_the_entry(comment: str, expected: str) -> None:
    (one,) = read(f"{comment}\nFROM a:1\n".encode())
    assert isinstance(one, Occurrence)
    assert one.entry == expected


def test_a_comment_above_an_instruction_counts_for_its_further_lines() -> None:
    data = b"FROM scratch\n# pinner: tool\nRUN --mount=target=/x \\\n --mount=from=a:1 ls\n"
    (one,) = read(data)
    assert isinstance(one, Occurrence)
    assert (one.line, one.entry) == (4, "tool")


def steps(run: Callable[[], object]) -> int:
    """How many lines of Python are run."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()  # of a measurement of coverage
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def redeclared(number: int) -> bytes:
    arguments = [f"A{index}" for index in range(number)]
    first = "".join(f"ARG {name}=x:1\n" for name in arguments)
    again = "".join(f"ARG {name}\n" for name in arguments)
    stages = "FROM $A0\n" * number
    return f"{first}FROM a:1\n{again}{stages}".encode()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: b"FROM alpine:3.19\n" * n, id="FROM"),
        pytest.param(
            lambda n: b"".join(
                b"FROM a:1 AS s%d\nCOPY --from=s%d / /\n" % (i, i) for i in range(n)
            ),
            id="stages",
        ),
        pytest.param(lambda n: b"ARG X=a:1\n" + b"FROM $X\n" * n, id="one ARG, one image"),
        pytest.param(
            lambda n: b"ARG T=1\n" + b"".join(b"FROM x%d:$T\n" % i for i in range(n)),
            id="one ARG, as many images",
        ),
        pytest.param(redeclared, id="as many ARGs that stages use"),
        pytest.param(
            lambda n: b"FROM a AS b\n" + b"FROM s-$TARGETARCH\n" * n, id="stages of platforms"
        ),
        pytest.param(lambda n: b"RUN " + b"<<E " * n + b"\n" + b"E\n" * n, id="heredocs"),
        pytest.param(lambda n: b"RUN " + b"--mount=from=a:1 " * n, id="mounts"),
        pytest.param(lambda n: b"RUN a \\\n" * n, id="continuations"),
        pytest.param(lambda n: b"# pinner: ignore\nFROM a:1\n" * n, id="comments"),
    ],
)
def test_twice_the_file_takes_twice_the_steps(make: Callable[[int], bytes]) -> None:
    def taken(number: int) -> int:
        data = make(number)
        return steps(lambda: plan_file(data, read, wish))

    taken(10)
    assert taken(400) < 2.3 * taken(200)


def test_values_that_double_end() -> None:
    data = b"ARG a=xxxxxxxxxx\n" + b"ARG a=$a$a\n" * 2_000 + b"FROM $a\n"
    (one,) = read(data)
    assert isinstance(one, Skipped)
    assert "longer than any reference" in one.why


@pytest.mark.parametrize(
    "word", [b"${a%*a*a*a*a*b}", b"${a##*a*a*a*a*b}", b"${a/*a*a*a*b/c}", b"${a//a*a*b/c}"]
)
def test_patterns_with_many_stars_end(word: bytes) -> None:
    assert len(read(b"ARG a=" + b"a" * 1_000 + b"\nFROM " + word + b"\n")) == 1


def test_a_hundred_thousand_stages_are_read() -> None:
    assert len(read(b"FROM alpine:3.19\n" * 100_000)) == 100_000
