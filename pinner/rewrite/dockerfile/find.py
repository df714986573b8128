"""The images that a Dockerfile names, and those that it seems to name.

# syntax=IMAGE                          FROM [--platform=P] IMAGE [AS stage]
COPY --from=IMAGE                       RUN --mount=from=IMAGE,… (each mount)
ONBUILD with one of the last two        the image is pulled when a child is built
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.oci.platform import InvalidPlatform, Platform
from pinner.rewrite.dockerfile.arguments import flag_value, flag_values, mount_fields, split_flags
from pinner.rewrite.dockerfile.lines import (
    SPACE,
    MalformedDockerfile,
    read_dockerfile,
)
from pinner.rewrite.dockerfile.stages import (
    STAGE_NAME,
    Variables,
    shared_variables,
    stage_names,
)
from pinner.rewrite.dockerfile.words import CannotExpand, expand
from pinner.rewrite.model import Found, Reason, Skipped
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.rewrite.dockerfile.lines import Dockerfile
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
        return tuple(_Reader(source, page).found(read_dockerfile(source)))
    except MalformedDockerfile as error:
        near = source[error.offset : error.offset + 1]
        why = f"BuildKit cannot read this file: {error}"
        return (Skipped(text="", line=page.line_of(near), reason=Reason.UNSUPPORTED, why=why),)


@dataclass(slots=True)
class _Reader:
    source: Located
    page: Page
    escape: str = "\\"
    statement: int = 1
    stages: dict[str, None] = field(default_factory=dict)
    later: frozenset[str] = frozenset()
    barriers: tuple[Barrier, ...] = ()
    variables: Variables = field(default_factory=Variables)

    def found(self, file: Dockerfile) -> Iterator[Found]:
        self.escape = file.escape
        self.variables = Variables.of(file.instructions, escape=file.escape)
        self.barriers = shared_variables(
            file.instructions, self.variables.values, escape=file.escape
        )
        self.later = stage_names(file.instructions)
        if file.syntax is not None:
            yield self.page.place(file.syntax)
        elif file.foreign_syntax is not None:
            yield self.page.skip(
                self._at(file.foreign_syntax),
                Reason.UNSUPPORTED,
                "its syntax is named in a form of other frontends",
                "write `# syntax=IMAGE`",
            )
        for instruction in file.instructions:
            self.statement = self.page.line_of(self._at(instruction.start))
            match instruction.keyword:
                case "from":
                    yield from self._from(instruction.arguments)
                case ("copy" | "run") as keyword if "from=" in instruction.text.lower():
                    yield from self._others(keyword, instruction.arguments, child=False)
                case "onbuild":
                    yield from self._onbuild(instruction.arguments)
                case keyword if keyword.startswith("from"):
                    written = self.source[instruction.start : instruction.start + len(keyword)]
                    why = f'"{safe(keyword, limit=80)}" is no instruction: a blank is missing'
                    yield self._refused(written, why)

    def _at(self, offset: int) -> Located:
        return self.source[offset : offset + 1]

    # FROM

    def _from(self, arguments: Located) -> Iterator[Found]:
        flags, rest = split_flags(arguments)
        words = [rest[found.start() : found.end()] for found in _WORD.finditer(rest.text)]
        name = words[_NAMED - 1].text.lower() if len(words) == _NAMED else ""
        stage = name or str(len(self.stages))
        refused = _refusal(words, name)
        if refused:
            yield self._refused(rest, refused)
        else:
            yield from self._base(words[0], _platform(flags))
        self.stages[stage] = None

    def _base(self, written: Located, platform: Platform | None) -> Iterator[Found]:
        try:
            told = expand(written, self.variables.values, escape=self.escape)
        except CannotExpand as error:
            yield self._refused(written, str(error))
            return
        if self._is_stage(told.text.text) or told.text.text == _SCRATCH:
            return
        broken = self.variables.why_unknown(told)
        if broken is None:
            yield self._image(told.text, written=written, platform=platform)
        elif not (told.unset and self._may_be_stage(written)):
            mend = "give the ARG a default or add `# pinner: ignore`"
            yield self.page.skip(written, Reason.NO_DEFAULT, broken, mend, statement=self.statement)

    def _may_be_stage(self, written: Located) -> bool:
        """Whether filling in what only a build knows can name a stage: `build-${TARGETOS}`."""
        pattern = re.sub(r"\\\$(?:\\\{.*?\\\}|\w+)", ".+", re.escape(written.text))
        return any(re.fullmatch(pattern, stage, re.IGNORECASE) for stage in self.stages)

    # COPY --from, RUN --mount

    def _others(self, keyword: str, arguments: Located, *, child: bool) -> Iterator[Found]:
        flags, _ = split_flags(arguments)
        if keyword == "copy":
            source = flag_value(flags, "from")
            sources = [source] if source is not None else []
        else:
            sources = [
                value
                for mount in flag_values(flags, "mount")
                for key, value in mount_fields(mount)
                if key == "from"
            ]
        for source in sources:
            yield from self._source(source, child=child)

    def _source(self, written: Located, *, child: bool) -> Iterator[Found]:
        name = written.text
        if not name or name.isdecimal() or name == _SCRATCH:
            return
        if "$" in name:
            why = "BuildKit fills in no variables here"
            mend = "define a stage with FROM and name that"
            yield self.page.skip(written, Reason.UNSUPPORTED, why, mend, statement=self.statement)
        elif child:
            if _LONE_NAME.fullmatch(name):
                why = "it may be a stage of the Dockerfile that is built on this image"
                yield self._refused(written, why, Reason.NOT_A_REFERENCE)
            else:
                yield self._image(written)
        elif self._is_stage(name):
            return
        elif name.lower() in self.later:
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

    def _is_stage(self, name: str) -> bool:
        return name.lower() in self.stages

    def _image(
        self,
        reference: Located,
        *,
        written: Located | None = None,
        platform: Platform | None = None,
    ) -> Found:
        return self.page.place(
            reference,
            written=written,
            statement=self.statement,
            platform=platform,
            barriers=self.barriers,
        )

    def _refused(self, written: Located, why: str, reason: Reason = Reason.UNSUPPORTED) -> Skipped:
        return self.page.skip(written, reason, why, statement=self.statement)


def _refusal(words: Sequence[Located], name: str) -> str:
    """Why BuildKit refuses a FROM with these words; empty where it does not."""
    if len(words) not in {_ALONE, _NAMED}:
        return "FROM takes one argument, or three: IMAGE AS NAME"
    if len(words) == _NAMED and words[1].text.lower() != "as":
        return f'"{safe(words[1].text, limit=40)}" stands where FROM has AS'
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
