"""The images that a Dockerfile names, and those that it seems to name.

# syntax=IMAGE                          FROM [--platform=P] IMAGE [AS stage]
COPY --from=IMAGE                       RUN --mount=from=IMAGE,… (each mount)
ONBUILD with one of the last two        the image is pulled when a child is built
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from pinner.oci.platform import InvalidPlatform, Platform
from pinner.rewrite.dockerfile.arguments import flag_value, flag_values, mount_source, split_flags
from pinner.rewrite.dockerfile.blanks import SPACE
from pinner.rewrite.dockerfile.lines import read_dockerfile
from pinner.rewrite.dockerfile.refusals import CannotExpand, MalformedDockerfile
from pinner.rewrite.dockerfile.stages import (
    STAGE_NAME,
    Variables,
    automatic_values,
    shared_variables,
    stage_names,
)
from pinner.rewrite.dockerfile.words import expand
from pinner.rewrite.model import Found, Reason, Skipped
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.rewrite.dockerfile.lines import Dockerfile, Instruction
    from pinner.rewrite.located import Located
    from pinner.rewrite.model import Barrier
    from pinner.rewrite.page import Page

_WORD: Final = re.compile(f"[^{SPACE}]+")
_SCRATCH: Final = "scratch"
_LONE_NAME: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ALONE, _NAMED = 1, 3


def find_images(source: Located, page: Page) -> tuple[Found, ...]:
    """What a Dockerfile names, in the order of its instructions.

    Args:
        source: the text of the Dockerfile.
        page: the file that it is, or stands in.
    """
    try:
        return tuple(_Reader(source, page, read_dockerfile(source)).found())
    except MalformedDockerfile as error:
        near = source[error.offset : error.offset + 1]
        why = f"BuildKit cannot read this file: {error}"
        return (Skipped(text="", line=page.line_of(near), reason=Reason.UNSUPPORTED, why=why),)


class _Reader:
    def __init__(self, source: Located, page: Page, file: Dockerfile) -> None:
        self._source_text = source
        self._page = page
        self._file = file
        self._escape = file.escape
        self._variables = Variables.of(file.instructions, escape=file.escape)
        self._barriers = shared_variables(
            file.instructions, self._variables.values, escape=file.escape
        )
        self._stages: set[str] = set()
        self._start = 0

    def found(self) -> Iterator[Found]:
        file = self._file
        if file.syntax is not None:
            yield self._page.place(file.syntax)
        elif file.foreign_syntax is not None:
            # What follows is that frontend's, and need not be a Dockerfile at all.
            end = self._source_text.text.find("\n", file.foreign_syntax)
            line = self._source_text[file.foreign_syntax : end if end >= 0 else None]
            yield self._page.skip(
                line.strip(),
                Reason.UNSUPPORTED,
                "its syntax is named in a form of other frontends",
                "write `# syntax=IMAGE`",
            )
            return
        unknown = False
        for instruction in file.instructions:
            self._start = instruction.start
            match instruction.keyword:
                case "from":
                    yield from self._from(instruction.arguments)
                case "arg":
                    pass
                case ("copy" | "run") as keyword:
                    yield from self._others(keyword, instruction.arguments, child=False)
                case "onbuild":
                    yield from self._onbuild(instruction.arguments)
                case keyword if not unknown or keyword.startswith("from"):
                    # One for a file is enough; one that looks like FROM may name an image.
                    unknown = True
                    yield self._unknown(instruction)

    @functools.cached_property
    def _later(self) -> frozenset[str]:
        return stage_names(self._file.instructions)

    def _at(self, offset: int) -> Located:
        return self._source_text[offset : offset + 1]

    def _statement(self) -> int:
        return self._page.line_of(self._at(self._start))

    def _unknown(self, instruction: Instruction) -> Skipped:
        keyword = instruction.written
        why = f'"{safe(keyword.text, limit=80)}" is no instruction'
        if instruction.keyword.startswith("from"):
            why += ": a blank is missing"
        return self._refused(keyword, why)

    # FROM

    def _from(self, arguments: Located) -> Iterator[Found]:
        flags, rest = split_flags(arguments)
        words = _WORD.findall(rest.text)
        name = words[_NAMED - 1].lower() if len(words) == _NAMED else ""
        refused = _refusal(words, name)
        if refused:
            yield self._refused(rest if rest.text else self._at(self._start), refused)
            return
        yield from self._base(rest[: len(words[0])], _platform(flags))
        if name:
            self._stages.add(name)

    def _base(self, written: Located, platform: Platform | None) -> Iterator[Found]:
        try:
            told = expand(written, self._variables.values, escape=self._escape)
        except CannotExpand as error:
            yield self._refused(written, str(error))
            return
        # As it is written: `FROM Build` is not the stage `build`, though COPY --from=Build is.
        if told.text.text in self._stages or told.text.text == _SCRATCH:
            return
        unknown = self._variables.why_unknown(told)
        if unknown is None:
            yield self._image(told.text, written=written, platform=platform)
        elif not self._stage_of_a_platform(written):
            mend = "give the ARG a default or add `# pinner: ignore`"
            yield self._page.skip(
                written, Reason.NO_DEFAULT, unknown, mend, statement=self._statement()
            )

    def _stage_of_a_platform(self, written: Located) -> bool:
        """Whether it is a stage on some platform: `build-${TARGETARCH}`."""
        if not self._stages:
            return False
        for variables in self._on_platforms:
            try:
                told = expand(written, variables.values, escape=self._escape)
            except CannotExpand:
                continue
            if told.text.text in self._stages:
                return True
        return False

    @functools.cached_property
    def _on_platforms(self) -> list[Variables]:
        return [
            Variables.of(self._file.instructions, escape=self._escape, automatic=values)
            for values in automatic_values()
        ]

    # COPY --from, RUN --mount

    def _others(self, keyword: str, arguments: Located, *, child: bool) -> Iterator[Found]:
        flags, _ = split_flags(arguments)
        if keyword == "copy":
            source = flag_value(flags, "from")
            if source is not None and not source.text.isdecimal():
                yield from self._source(source, child=child)
            return
        for mount in flag_values(flags, "mount"):
            source = mount_source(mount)
            if source is not None and source.text.isdecimal():
                yield self._refused(source, "a mount names a stage by its name, not by its number")
            elif source is not None:
                yield from self._source(source, child=child)

    def _source(self, written: Located, *, child: bool) -> Iterator[Found]:
        name = written.text
        if not name or name == _SCRATCH:
            return
        if "$" in name:
            why = "BuildKit fills in no variables here"
            mend = "define a stage with FROM and name that"
            yield self._page.skip(
                written, Reason.UNSUPPORTED, why, mend, statement=self._statement()
            )
        elif child:
            if _LONE_NAME.fullmatch(name):
                why = "it may be a stage of the Dockerfile that is built on this image"
                yield self._refused(written, why, Reason.NOT_A_REFERENCE)
            else:
                yield self._image(written)
        elif name.lower() in self._stages:
            return
        elif name.lower() in self._later:
            yield self._refused(written, "the stage of this name comes later")
        else:
            yield self._image(written)

    def _onbuild(self, arguments: Located) -> Iterator[Found]:
        found = _WORD.match(arguments.text)
        keyword = found[0].lower() if found else ""
        rest = arguments[len(keyword) :].strip(SPACE)
        if keyword == "from":
            yield self._refused(arguments, "FROM is not allowed behind ONBUILD")
        elif keyword in {"copy", "run"}:
            yield from self._others(keyword, rest, child=True)

    def _image(
        self,
        reference: Located,
        *,
        written: Located | None = None,
        platform: Platform | None = None,
    ) -> Found:
        return self._page.place(
            reference,
            written=written,
            statement=self._statement(),
            platform=platform,
            barriers=self._barriers_of(reference),
        )

    def _barriers_of(self, reference: Located) -> tuple[Barrier, ...]:
        if not self._barriers:
            return ()
        found = (self._barriers.get(origin) for origin in reference.origins)
        return tuple(dict.fromkeys(barrier for barrier in found if barrier is not None))

    def _refused(self, written: Located, why: str, reason: Reason = Reason.UNSUPPORTED) -> Skipped:
        return self._page.skip(written, reason, why, statement=self._statement())


def _refusal(words: Sequence[str], name: str) -> str:
    """Why BuildKit refuses a FROM with these words; empty where it does not."""
    if len(words) not in {_ALONE, _NAMED}:
        return "FROM takes one argument, or three: IMAGE AS NAME"
    if len(words) == _NAMED and words[1].lower() != "as":
        return f'"{safe(words[1], limit=40)}" stands where FROM has AS'
    if len(words) == _NAMED and not STAGE_NAME.fullmatch(name):
        return f'"{safe(name, limit=80)}" cannot be the name of a stage'
    return ""


def _platform(flags: list[Located]) -> Platform | None:
    """The platform of `--platform=`, where it is written out."""
    value = flag_value(flags, "platform")
    if value is None or "$" in value.text:
        return None
    try:
        return Platform.parse(value.text)
    except InvalidPlatform:
        return None
