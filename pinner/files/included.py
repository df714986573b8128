"""Files that other files of their kind include, whatever they are called (GitLab CI's `local`)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MOST: Final = 200  # GitLab takes 150 of a pipeline
_ANY: Final = "**"


def included(patterns: Sequence[str], paths: Iterable[str], *, root: str) -> Iterator[str]:
    """Those of the paths that a pattern names.

    Args:
        patterns: from the root, with or without a slash; `*` and `?` stay within a folder, `**`
            does not. At most 200 are looked at.
        paths: absolute.
        root: the folder that patterns begin at, absolute.
    """
    wanted = list(dict.fromkeys(tuple(_segments(pattern)) for pattern in patterns[:_MOST]))
    if not wanted:
        return
    base = f"{root.rstrip('/')}/"
    for path in paths:
        if path.startswith(base):
            names = path[len(base) :].split("/")
            if any(_matches(segments, names) for segments in wanted):
                yield path


def _segments(pattern: str) -> Iterator[str]:
    """The pattern folder by folder; `**.yml` is any file of that ending in any folder below."""
    for segment in pattern.strip("/").split("/"):
        if segment.startswith(_ANY):
            yield _ANY
        if segment != _ANY:
            # A bracket is a letter like others here.
            yield segment.replace(_ANY, "*").replace("[", "[[]")


def _matches(segments: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the segments lead to the last name: all ways are followed at once."""
    at = _with_skipped({0}, segments)
    for name in names:
        ahead = set()
        for index in at:
            if index == len(segments):
                continue
            if segments[index] == _ANY:
                ahead.add(index)
            elif fnmatchcase(name, segments[index]):
                ahead.add(index + 1)
        at = _with_skipped(ahead, segments)
    return len(segments) in at


def _with_skipped(at: set[int], segments: Sequence[str]) -> set[int]:
    """These places, and those behind a `**` that stands for no folder at all."""
    reached = set(at)
    for index in sorted(at):
        behind = index
        while behind < len(segments) and segments[behind] == _ANY:
            behind += 1
            reached.add(behind)
    return reached
