"""Standard output and standard error, as commands write to them.

Results go to stdout, everything else to stderr. What a stream cannot encode is replaced (by a plain
likeness where there is one), so no locale makes pinner fail; a stream that takes no more text
raises here, so that a result which nobody received never counts as done.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, Final

from pinner.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_LIKENESS: Final = {"…": "...", "→": "->", "█": "#", "▌": "#", "·": "-", "↑": "^"}
_BOLD_RED: Final = "\x1b[1;31m"
_PLAIN: Final = "\x1b[0m"


class ClosedOutput(Exception):  # noqa: N818 - the reader left; nothing went wrong
    """Whoever read stdout has left (`| head`): the rest is not wanted."""


class Console:
    """The two streams of a run.

    Args:
        out: takes results.
        err: takes errors, notes and progress.
        environ: says whether colour is wanted (`NO_COLOR`, `TERM`).
    """

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self._out = _lenient(out)
        self.err = _lenient(err)
        self._environ = environ
        self._failure: Exception | None = None

    @property
    def moving(self) -> bool:
        """Whether stderr is a terminal that can move the cursor."""
        return self.err.isatty() and self._capable

    @property
    def colourful_err(self) -> bool:
        """Whether stderr is a terminal where colour is wanted."""
        return self.moving and not self._environ.get("NO_COLOR")

    @property
    def colourful_out(self) -> bool:
        """Whether stdout is a terminal where colour is wanted."""
        return self._out.isatty() and self._capable and not self._environ.get("NO_COLOR")

    @property
    def out_is_terminal(self) -> bool:
        """Whether someone would see raw what is written to stdout."""
        return self._out.isatty()

    @property
    def one_terminal(self) -> bool:
        """Whether both streams go to a terminal, where they get in each other's way."""
        return self._out.isatty() and self.moving

    @property
    def error_label(self) -> str:
        """`error:`, in colour where that is wanted."""
        return f"{_BOLD_RED}error{_PLAIN}:" if self.colourful_err else "error:"

    @property
    def _capable(self) -> bool:
        return self._environ.get("TERM", "dumb") != "dumb"

    def result(self, text: str) -> None:
        """Write whole lines to stdout, at once.

        Raises:
            ClosedOutput: the reader has left.
            StoreError: the text could not be written, such as to a full disk.
        """
        if self._failure:
            raise self._failure
        try:
            _write(self._out, text)
        except BrokenPipeError:
            self._failure = ClosedOutput()
        except OSError as error:
            self._failure = StoreError(f"standard output cannot be written: {error.strerror}")
        if self._failure:
            _discard(self._out)
            raise self._failure

    def out_descriptor(self) -> int:
        """The descriptor behind stdout, for bytes that are no text.

        Raises:
            StoreError: there is none.
        """
        try:
            self._out.flush()
            return self._out.fileno()
        except (OSError, ValueError) as error:
            raise StoreError("standard output takes no bytes") from error

    def note(self, text: str) -> None:
        """Write whole lines to stderr; where that fails there is nobody left to tell."""
        try:
            _write(self.err, text)
        except OSError:
            _discard(self.err)


def system_console(environ: Mapping[str, str]) -> Console:
    """The console of this process; a stream that was closed before the start takes everything."""
    return Console(_or_null(sys.stdout), _or_null(sys.stderr), environ)


def _write(stream: TextIO, text: str) -> None:
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        stream.write(text)
        stream.flush()
        return
    # Under PYTHONUNBUFFERED nobody looks whether a write took all of the text.
    left = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
    while left:
        left = left[raw.write(left) or 0 :]


def _or_null(stream: TextIO | None) -> TextIO:
    # Python sets a standard stream to None where its descriptor was closed (`>&-`).
    return stream or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - the null device


def _lenient(stream: TextIO) -> TextIO:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        codecs.register_error("pinner.likeness", _likeness)
        reconfigure(errors="pinner.likeness")
    return stream


def _likeness(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if character in _LIKENESS:
        return _LIKENESS[character], error.start + 1
    return codecs.backslashreplace_errors(error)


def _discard(stream: TextIO) -> None:
    # What the stream still buffers must not fail a second time when the interpreter flushes it.
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.dup2(null, descriptor)
    finally:
        os.close(null)
