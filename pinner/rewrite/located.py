"""Text that knows where each of its characters came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOWHERE: Final = -1
"""The origin of a character that stands nowhere in the file, or behind an escape."""


@dataclass(frozen=True, slots=True)
class Located:
    """Characters and, for each, the offset of the byte in the file that it was read from.

    Files are read as Latin-1, a character a byte: what matters in them is ASCII, and every other
    byte passes through unchanged.

    Attributes:
        origins: as long as `text`; a `range` where the text stands in the file as it is.
    """

    text: str
    origins: Sequence[int]

    @classmethod
    def of(cls, data: bytes) -> Located:
        """A whole file."""
        return cls(data.decode("latin-1"), range(len(data)))

    @classmethod
    def made(cls, text: str) -> Located:
        """Text that stands nowhere in the file."""
        return cls(text, (NOWHERE,) * len(text))

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice) -> Located:
        return Located(self.text[part], self.origins[part])

    def __add__(self, other: Located) -> Located:
        if not self.text:
            return other
        if not other.text:
            return self
        return Located(self.text + other.text, (*self.origins, *other.origins))

    def strip(self, characters: str = " \t") -> Located:
        """Without these characters at both ends."""
        start = len(self.text) - len(self.text.lstrip(characters))
        return self[start : start + len(self.text.strip(characters))]

    @staticmethod
    def join(parts: Iterable[Located]) -> Located:
        """All parts, one after the other."""
        kept = [part for part in parts if part.text]
        if len(kept) == 1:
            return kept[0]
        text = "".join(part.text for part in kept)
        return Located(text, tuple(origin for part in kept for origin in part.origins))
