"""The Range header for one representation of known size (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=(?P<first>[0-9]{0,40})-(?P<last>[0-9]{0,40})")


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes [start, stop) of a representation of `size` bytes; never empty."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """As the `Content-Range` header says it, with an inclusive end."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


class Unsatisfiable(Exception):  # noqa: N818 - the standard's word
    """A range that lies outside the representation (416)."""


def parse_range(header: str, size: int) -> Part | None:
    """The part that `header` asks for; None where the whole is to be sent.

    Other units, malformed ranges and several ranges at once are ignored, as the RFC allows: a
    client that sent them must be ready for the whole.

    Raises:
        Unsatisfiable: one well-formed range with no byte inside the representation.
    """
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match["first"] == match["last"] == "":
        return None
    if not match["first"]:
        suffix = int(match["last"])
        if suffix == 0 or size == 0:
            raise Unsatisfiable
        return Part(max(0, size - suffix), size, size)
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else size - 1
    if match["last"] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Part(first, min(last, size - 1) + 1, size)
