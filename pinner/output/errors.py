"""A failure as text for people and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinner.errors import FileProblems
from pinner.output.units import plural
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.errors import PinnerError, Problem

# A second wall: who raises an error makes foreign text safe; here nothing passes that is not.
_LIMIT: Final = 2000
_SPEC = "images.toml"
_LOCKFILE = "images.lock"


def render_error(error: PinnerError, *, label: str = "error:") -> str:
    """`error: …` lines for stderr, mends indented below; every line ends with a line feed.

    Args:
        error: what failed; a `FileProblems` gives one line for each problem, then the count.
        label: what each first line begins with, so that a terminal may show it in colour.
    """
    if isinstance(error, FileProblems):
        heads = [_problem(problem) for problem in error.problems]
    else:
        what = safe(error.what, limit=_LIMIT)
        heads = [f"{safe(error.where, limit=_LIMIT)}: {what}" if error.where else what]
    lines = [f"{label} {head}" for head in heads]
    lines += [f"  {safe(line, limit=_LIMIT)}" for line in error.mend]
    if isinstance(error, FileProblems) and len(heads) > 1:
        lines.append(_count(error))
    return "".join(f"{line}\n" for line in lines)


def error_fields(error: PinnerError) -> dict[str, Any]:
    """The `error` object of a JSON document: code, what, where, mend, and problems of a file."""
    fields: dict[str, Any] = {
        "code": error.code,
        "what": safe(error.what, limit=_LIMIT),
        "where": safe(error.where, limit=_LIMIT),
        "mend": [safe(line, limit=_LIMIT) for line in error.mend],
    }
    if isinstance(error, FileProblems):
        fields["problems"] = [
            {"where": safe(p.where), "what": safe(p.what, limit=_LIMIT), "mend": safe(p.mend)}
            for p in error.problems
        ]
    return fields


def _problem(problem: Problem) -> str:
    return safe(str(problem), limit=_LIMIT)


def _count(error: FileProblems) -> str:
    file = safe(error.problems[0].where.split(":")[0])
    found = f"{plural(len(error.problems), 'problem')} in {file}"
    # The spec is read before anything is written, so whoever reads of several problems may rest.
    return f"{found}; {_LOCKFILE} was not touched" if file.endswith(_SPEC) else found
