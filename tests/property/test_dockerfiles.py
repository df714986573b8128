"""Any Dockerfile at all: what is found, what is edited, and that it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from pinner.rewrite.edits import CannotHold, apply
from pinner.rewrite.model import Occurrence, Skipped
from pinner.rewrite.plan import plan_file
from support.dockerfiles import all_cases, read
from support.rewriting import pinned, wish

if TYPE_CHECKING:
    from collections.abc import Callable

PIECES = [
    *("FROM ", "from\t", "ARG ", "COPY --from=", "RUN --mount=from=", "ONBUILD ", "RUN ", "ADD "),
    *(
        "# syntax=",
        "# escape=`\n",
        "#",
        "//syntax=",
        "<<EOF",
        "\nEOF\n",
        " AS ",
        "as",
        "--platform=",
    ),
    *("alpine", "alpine:3.19", "x", "scratch", "T", "=", ":", "@", "/", ",", "-", "0", "1"),
    *("$T", "${T}", "${T:-", "${T#", "${T%%*", "${T/", "}", "'", '"', "\\", "`", "$", "{"),
    *("\n", "\\\n", "`\n", "\r\n", "\r", " ", "\t", "\0", "\xa0", "\xef\xbb\xbf", "\x85", "ÿþ"),
    "@sha256:" + "a" * 64,
]
texts = st.lists(st.sampled_from(PIECES), max_size=40).map(
    lambda pieces: "".join(pieces).encode("latin-1")
)
anything = st.one_of(
    texts, st.binary(max_size=200), st.sampled_from([c.before for c in all_cases()])
)


@given(anything)
@example(b"")
@example(b"\xff\xfeF\0R\0O\0M\0")
@example(b"FROM a AS b\nFROM ${TARGETARCH}")
def test_any_bytes_can_be_read_and_planned(data: bytes) -> None:
    for one in read(data):
        assert one.line in range(1, data.count(b"\n") + 2)
        if isinstance(one, Skipped):
            assert one.text.isprintable()
            assert one.why.isprintable()
    plan_file(data, read, wish)


@given(anything)
def test_bytes_outside_the_edits_stay(data: bytes) -> None:
    plan = plan_file(data, read, wish)
    stuck = {(one.line, one.text) for one in plan.impossible}
    edits = set()
    for one in read(data):
        if isinstance(one, Occurrence) and (one.line, one.reference.text) not in stuck:
            try:
                wanted = wish(one)
            except CannotHold:
                continue
            edits |= set(wanted)
            replaced = {at for edit in wanted for at in range(edit.start, edit.end)}
            assert replaced <= set(one.reference.origins)
    assert plan.after in {data, apply(data, edits)}


@given(anything)
def test_planning_twice_changes_nothing(data: bytes) -> None:
    once = pinned(data, read)
    assert pinned(once, read) == once


@given(anything)
def test_what_is_found_reads_as_it_stands(data: bytes) -> None:
    for one in read(data):
        if isinstance(one, Occurrence):
            known = [
                (character, origin)
                for character, origin in zip(one.reference.text, one.reference.origins, strict=True)
                if origin >= 0
            ]
            assert all(chr(data[origin]) == character for character, origin in known)


# A grammar whose images are known by construction.

names = st.from_regex(r"[a-z]{2,5}(/[a-z]{1,4})?", fullmatch=True)
tags = st.from_regex(r"[0-9]\.[0-9]{1,2}", fullmatch=True)
images = st.builds("{}:{}".format, names, tags)
ends = st.sampled_from(["\n", "\r\n"])
cased = st.sampled_from([str.upper, str.lower, str.title])


@dataclass(frozen=True)
class Written:
    """Lines of an instruction, and the images that they name, in order."""

    lines: list[str]
    images: list[str]


@st.composite
def words(draw: st.DrawFn, image: str) -> str:
    """One way to write an image in FROM."""
    return draw(
        st.sampled_from(
            [image, f'"{image}"', f"'{image}'", f"${{UNSET:-{image}}}", f"${{UNSET-{image}}}"]
        )
    )


@st.composite
def continued(draw: st.DrawFn, words: list[str], escape: str) -> list[str]:
    """An instruction on one line or several, with comments between."""
    lines = [words[0]]
    for word in words[1:]:
        match draw(st.integers(0, 5)):
            case 0:
                lines[-1] += f" {escape}"
                lines += ["  # FROM no:1", f"    {word}"]
            case 1:
                lines[-1] += f"{escape}  "
                lines += ["", f"\t{word}"]
            case _:
                lines[-1] += draw(st.sampled_from([" ", "  ", "\t"])) + word
    return lines


@st.composite
def others(draw: st.DrawFn, stages: list[str], escape: str) -> Written:
    """An instruction behind FROM."""
    image = draw(images)
    keyword: Callable[[str], str] = draw(cased)
    stage = draw(st.sampled_from([*stages, "0"]))
    flag = draw(st.sampled_from([f"--from={image}", f'--from="{image}"', f"--fr'o'm={image}"]))
    copy, run, onbuild = keyword("COPY"), keyword("RUN"), keyword("ONBUILD")
    kind = draw(st.integers(0, 9))
    instruction, found = {
        0: ([copy, "--link", flag, "/a", "/b"], [image]),
        1: ([copy, flag, "--chown=1:1", "/a", "/b"], [image]),
        2: ([copy, f"--from={stage.upper()}", "/a", "/b"], []),
        3: (
            [run, f"--mount=type=bind,from={image},target=/x", "--mount=type=cache", "ls"],
            [image],
        ),
        4: ([run, f"--mount=target=/x,from={image}", f"--mount=from={image}", "ls"], [image] * 2),
        5: ([run, f"echo FROM {image} --from={image}"], []),
        6: ([onbuild, copy, f"--from={image}", "/a", "/b"], [image]),
        7: (["ENV", f"A={image}"], []),
        8: ([copy, "--from=scratch", "/a", "/b"], []),
        9: ([keyword("LABEL"), f'a="{image}"'], []),
    }[kind]
    if draw(st.integers(0, 6)) == 0:
        return Written([f"{run} <<E cat", f"FROM {image}", f"{copy} --from={image} /a /b", "E"], [])
    return Written(draw(continued(instruction, escape)), found)


@st.composite
def bases(draw: st.DrawFn, arguments: dict[str, str], stages: list[str]) -> tuple[str, str]:
    """What FROM says, and the image that it means; empty for none."""
    kind = draw(st.integers(0, 4))
    if kind == 0 and arguments:
        name = draw(st.sampled_from(sorted(arguments)))
        return draw(st.sampled_from([f"${name}", f"${{{name}}}"])), arguments[name]
    if kind == 1 and stages:
        return draw(st.sampled_from(stages)), ""
    if kind == 2:
        return "scratch", ""
    image = draw(images)
    return draw(words(image)), image


@st.composite
def dockerfiles(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """A Dockerfile and the images that it names, in order."""
    lines: list[str] = []
    found: list[str] = []
    escape = draw(st.sampled_from(["\\", "`"]))
    if escape == "`" or draw(st.booleans()):
        lines.append(f"# escape={escape}")
    if draw(st.booleans()):
        syntax = draw(images)
        lines.append(f"# syntax={syntax}")
        found.append(syntax)
    lines += ["# a comment", ""][: draw(st.integers(0, 2))]
    arguments = draw(st.dictionaries(st.sampled_from(["A", "B", "C_1"]), images, max_size=3))
    for name, image in arguments.items():
        quote = draw(st.sampled_from(["", '"', "'"]))
        lines.append(f"ARG {name}={quote}{image}{quote}")
    stages: list[str] = []
    for number in range(draw(st.integers(1, 4))):
        base, image = draw(bases(arguments, stages))
        written = [draw(cased)("FROM")]
        if draw(st.booleans()):
            written.append(
                draw(st.sampled_from(["--platform=$BUILDPLATFORM", "--platform=linux/arm64"]))
            )
        written.append(base)
        # Named last, since one named stage-1 may be the base of what follows.
        if draw(st.booleans()):
            written += [draw(cased)("AS"), f"stage-{number}"]
        lines += draw(continued(written, escape))
        found += [image] if image else []
        if len(written) > 2 and written[-1] == f"stage-{number}":
            stages.append(f"stage-{number}")
        for _ in range(draw(st.integers(0, 3))):
            one = draw(others(stages, escape))
            lines += one.lines
            found += one.images
    end = draw(ends)
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode(), found


@given(dockerfiles())
def test_what_is_found_is_what_was_put_there(case: tuple[bytes, list[str]]) -> None:
    data, images = case
    found = read(data)
    assert [one.reference.text for one in found if isinstance(one, Occurrence)] == images
    assert [one for one in found if isinstance(one, Skipped)] == []


@given(dockerfiles())
def test_what_was_put_there_is_pinned(case: tuple[bytes, list[str]]) -> None:
    data, images = case
    plan = plan_file(data, read, wish)
    after = [one.reference.text for one in read(plan.after) if isinstance(one, Occurrence)]
    assert [text.partition("@")[0] for text in after] == images
    assert len(plan.changed) + len(plan.impossible) == len(images)
    assert [text for text in after if "@" in text] == [one.after for one in plan.changed]
