"""A file as readers look at it: its text, its lines, and what comments say to pinner.

# pinner: NAME      the place on the next line is of this entry of images.toml
# pinner: ignore    the place on the next line is left as it is
"""

from __future__ import annotations

import bisect
import functools
import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from pinner.oci.reference import InvalidReference, Reference
from pinner.rewrite.located import NOWHERE, Located
from pinner.rewrite.model import Found, Occurrence, Reason, Skipped
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.oci.platform import Platform
    from pinner.rewrite.model import Barrier, Slot

_PRAGMA: Final = re.compile(r"^[ \t]*(?:#|//)[ \t]*pinner:[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE)
_IGNORE: Final = "ignore"
_SHOWN: Final = 160


class Page:
    """One file.

    Attributes:
        data: the bytes.
        source: the whole text.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.source = Located.of(data)

    @functools.cached_property
    def _starts(self) -> list[int]:
        text = self.source.text
        return list(accumulate([len(line) + 1 for line in text.split("\n")], initial=0))[:-1]

    @functools.cached_property
    def _pragmas(self) -> dict[int, str]:
        text = self.source.text
        if "pinner:" not in text:
            return {}
        return {self.line(found.start()): found[1] for found in _PRAGMA.finditer(text)}

    def line(self, offset: int) -> int:
        """The line, from 1, that the byte at `offset` is in."""
        return bisect.bisect_right(self._starts, offset)

    def line_of(self, text: Located) -> int:
        """The line where the first character stands that stands in the file at all; 1 if none."""
        origins = text.origins
        if origins and origins[0] != NOWHERE:
            return self.line(origins[0])
        return self.line(next((origin for origin in origins if origin != NOWHERE), 0))

    def place(
        self,
        reference: Located,
        *,
        written: Located | None = None,
        statement: int = 0,
        platform: Platform | None = None,
        barriers: tuple[Barrier, ...] = (),
        slot: Slot | None = None,
    ) -> Found:
        """A place that names an image, or why it is passed over.

        Args:
            reference: what the file's own tool reads there.
            written: what stands there, if that is not the same (`${BASE}`).
            statement: the first line of what the place belongs to; a comment above that counts too.
            platform: as `Occurrence` has it; so are the others.
            barriers: as `Occurrence` has it.
            slot: as `Occurrence` has it.
        """
        shown = reference if written is None else written
        line = self.line_of(shown)
        pragma = self._pragmas.get(line - 1) or self._pragmas.get(statement - 1, "")
        if pragma == _IGNORE:
            why = "a comment says that pinner shall ignore it"
            return Skipped(text=_safe(shown), line=line, reason=Reason.IGNORED, why=why)
        why = _why_no_reference(reference.text)
        if why:
            return Skipped(text=_safe(shown), line=line, reason=Reason.NOT_A_REFERENCE, why=why)
        return Occurrence(
            reference=reference,
            line=line,
            platform=platform,
            entry=pragma,
            slot=slot,
            barriers=barriers,
        )

    def skip(
        self, written: Located, reason: Reason, why: str, mend: str = "", *, statement: int = 0
    ) -> Skipped:
        """A place that cannot be read, or that a comment says to ignore."""
        line = self.line_of(written)
        pragma = self._pragmas.get(line - 1) or self._pragmas.get(statement - 1, "")
        if pragma == _IGNORE:
            reason, why, mend = Reason.IGNORED, "a comment says that pinner shall ignore it", ""
        return Skipped(text=_safe(written), line=line, reason=reason, why=why, mend=mend)


@functools.lru_cache(maxsize=4096)
def _why_no_reference(text: str) -> str:
    """What is wrong with a reference, empty for nothing; files of a tree repeat the same few."""
    try:
        Reference.parse(text)
    except InvalidReference as error:
        return error.what
    return ""


def _safe(text: Located) -> str:
    return safe(text.text, limit=_SHOWN)
