"""Findings as GitHub's runner shows them beside the lines of a change.

`::error file=…,line=…::text` is a command to the runner, and so would be a finding whose file is
called `::add-mask::x`: names and messages are foreign. In commands they are escaped as the runner
unescapes them (actions/toolkit, packages/core, `escapeData` and `escapeProperty`); in other lines
what begins a command is broken up. The runner takes `##[…]` for one anywhere in a line.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pinner.output.findings import message
from pinner.output.remote import remote_messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.check import CheckResult, RemoteImage

_ON: Final = "GITHUB_ACTIONS"
_TOP: Final = "GITHUB_WORKSPACE"


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the runner reads our output."""
    return environ.get(_ON) == "true"


def render_annotations(
    result: CheckResult,
    images: Sequence[RemoteImage],
    lockfile: str,
    environ: Mapping[str, str],
) -> str:
    """One command for each finding; a warning where it passes.

    Args:
        result: of the check.
        images: what registries said, where they were asked.
        lockfile: path of images.lock.
        environ: says which folder the runner names files from.
    """
    top = environ.get(_TOP)
    lines = []
    for file in result.tree.files:
        path = _named(str(file.path), top)
        lines += [
            _command(result.weight(place), path, place.line, message(place))
            for place in file.places
            if result.weight(place)
        ]
    lock = _named(lockfile, top)
    lines += [
        _command("error", lock, 1, f"{stale.what}: run `pinner lock`") for stale in result.stale
    ]
    lines += [
        _command("error", lock, 1, text) for image in images for text in remote_messages(image)
    ]
    lines += [
        f"::{'warning' if result.lenient else 'error'}::{_data(f'{problem.where}: {problem.what}')}"
        for problem in result.tree.problems
    ]
    return "".join(f"{line}\n" for line in lines)


def tamed(text: str) -> str:
    """Lines that the runner takes for no commands."""
    return "".join(map(_tamed, text.splitlines(keepends=True)))


def _tamed(line: str) -> str:
    line = line.replace("##[", "# #[")
    return f"./{line.lstrip()}" if line.lstrip().startswith("::") else line


def _named(path: str, top: str | None) -> str:
    return os.path.relpath(path, os.path.realpath(top)) if top else path


def _command(kind: str, file: str, line: int, text: str) -> str:
    return f"::{kind} file={_property(file)},line={line}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "# #[")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
