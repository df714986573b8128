"""What a story is made of, and how it is told.

    Say     a remark to the reader
    Write   a file of the project
    Show    `$ cat FILE`, the file's text
    Run     `$ pinner …`, the command's real output, and its exit code where that is not 0
    Edit    a change to a file, shown as removed and added lines
    Publish a tag of the registry moves

Steps are data; `tell` performs them in order and stops at the first command that ends otherwise
than the story says.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pinner.errors import PinnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pinner.demo.publications import Publication


@dataclass(frozen=True, slots=True)
class Say:
    """A remark, of one or more lines; an empty line sets it off from what came before."""

    text: str


@dataclass(frozen=True, slots=True)
class Write:
    """A file of the project gets this text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Show:
    """A file's text; of a long one the first `lines`."""

    path: str
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A pinner command, as one would type it, and the exit code that belongs to the story."""

    command: str
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """One line of a file becomes another."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Publish:
    """The registry takes an image, and its tag moves there."""

    publication: Publication


Step = Say | Write | Show | Run | Edit | Publish


class StoryBroke(PinnerError):  # noqa: N818 - what happened
    """A command ended otherwise than the story says: a fault of pinner, not of the user."""

    code = "demo"


class Stage(Protocol):
    """Where a story happens.

    Attributes:
        folder: the project, in which commands run.
    """

    folder: Path

    def run(self, arguments: Sequence[str], write: Callable[[str], None]) -> int:
        """Run pinner with these arguments, pass its output on as it comes; the exit code."""
        ...

    def publish(self, publication: Publication) -> None:
        """Let the registry serve this image."""
        ...


def tell(steps: Sequence[Step], stage: Stage, write: Callable[[str], None]) -> None:
    """Perform the steps in order.

    Args:
        steps: the story.
        stage: where it happens.
        write: takes the text, in pieces that end with a line.

    Raises:
        StoryBroke: a command's exit code is not the story's.
    """
    for number, step in enumerate(steps):
        if number and isinstance(step, Say):
            write("\n")
        _perform(step, stage, write)


def _perform(step: Step, stage: Stage, write: Callable[[str], None]) -> None:
    match step:
        case Say(text):
            write("".join(f"# {line}\n" for line in text.splitlines()))
        case Write(path, text):
            (stage.folder / path).write_text(text, encoding="utf-8")
        case Show(path, lines):
            _show(stage.folder / path, lines, write)
        case Run(command, exit_code):
            _run(command, exit_code, stage, write)
        case Edit(path, old, new):
            _edit(stage.folder / path, old, new, write)
        case Publish(publication):
            stage.publish(publication)


def _show(path: Path, lines: int | None, write: Callable[[str], None]) -> None:
    text = path.read_text(encoding="utf-8")
    if lines is None:
        write(f"$ cat {path.name}\n{text}")
    else:
        head = "".join(text.splitlines(keepends=True)[:lines])
        write(f"$ head -n {lines} {path.name}\n{head}")


def _run(command: str, exit_code: int, stage: Stage, write: Callable[[str], None]) -> None:
    write(f"$ {command}\n")
    _, *arguments = shlex.split(command)
    ended = stage.run(arguments, write)
    if ended != exit_code:
        raise StoryBroke(f"`{command}` ended with {ended}, and the story says {exit_code}")
    if ended != 0:
        write(f"$ echo $?\n{ended}\n")


def _edit(path: Path, old: str, new: str, write: Callable[[str], None]) -> None:
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise StoryBroke(f'{path.name} has no line "{old}"')
    path.write_text(text.replace(old, new), encoding="utf-8")
    write(f"-{old}\n+{new}\n")
