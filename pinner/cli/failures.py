"""From any exception to what the user reads and the exit code (design section 7).

A `PinnerError` speaks for itself; what is left is an interruption, or a bug of pinner:
one line, and where to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from pinner.cli.signals import Terminated
from pinner.errors import InputError, PinnerError
from pinner.output.errors import error_fields, render_error
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN: Final = 300


class Usage(InputError):  # noqa: N818 - named as its siblings in `pinner.errors` are
    """The command line cannot be understood."""

    code = "usage"


class Interrupted(PinnerError):  # noqa: N818 - the user's wish, not an error
    """Ctrl-C: 128 + SIGINT, as shells have it."""

    exit_code: ClassVar[int] = 130
    code = "interrupted"


class Ended(PinnerError):  # noqa: N818 - the same
    """SIGTERM: 128 + SIGTERM, as shells have it."""

    exit_code: ClassVar[int] = 143
    code = "terminated"


def as_pinner_error(error: BaseException) -> PinnerError:
    """The error that is reported for an exception that reached the top."""
    match error:
        case PinnerError():
            return error
        case Terminated():
            return Ended("terminated")
        case KeyboardInterrupt():
            return Interrupted("interrupted")
        case _:
            from pinner.output.redact import redact  # noqa: PLC0415 - only where a bug shows

            what = safe(redact(f"{type(error).__name__}: {error}"), limit=_SHOWN)
            return PinnerError(
                f"unexpected {what}", mend="this is a bug in pinner; `--debug` shows where"
            )


def render_failure(error: PinnerError, *, label: str) -> str:
    """The lines for stderr; an interruption is no error and gets no label."""
    if isinstance(error, Interrupted | Ended):
        return f"{error.what}\n"
    return render_error(error, label=label)


def failure_document(error: PinnerError, command: str) -> str:
    """The JSON document that stands in for the result."""
    from pinner.output.machine import document  # noqa: PLC0415 - only with `--json`

    return document(command, {"error": error_fields(error)})


def render_trace(error: BaseException) -> str:
    """The traceback, with secrets taken out and foreign text made safe."""
    import traceback  # noqa: PLC0415 - only with `--debug`

    from pinner.output.redact import redact  # noqa: PLC0415

    lines: Iterable[str] = "".join(traceback.format_exception(error)).splitlines()
    return "".join(f"{safe(redact(line))}\n" for line in lines)
