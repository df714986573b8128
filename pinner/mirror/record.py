"""What a run notes on its way: outcomes, amounts, warnings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.mirror.result import Mirrored, Skipped
from pinner.outcome import Failed
from pinner.sync.result import Amount

if TYPE_CHECKING:
    from pinner.errors import PinnerError
    from pinner.mirror.look import Wish


@dataclass(slots=True)
class Record:
    """The notes of one run; the main thread's alone."""

    outcomes: dict[str, Mirrored | Skipped | Failed] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    _blobs: Counter[str] = field(default_factory=Counter)
    _sizes: Counter[str] = field(default_factory=Counter)

    def done(self, wish: Wish, *, manifests: int) -> None:
        """The target has this image, for which so many manifests were sent."""
        self.outcomes[wish.name] = Mirrored(
            name=wish.name,
            source=wish.source,
            repository=wish.repository,
            tag=wish.tag,
            digests=wish.digests,
            manifests=manifests,
            complete_before=not manifests,
        )

    def fail(self, name: str, error: PinnerError) -> None:
        """The image cannot be completed; the first reason counts."""
        self.outcomes.setdefault(name, Failed(name=name, error=error))

    def count(self, what: str, more: Amount) -> None:
        """So much more was `uploaded`, `mounted` or `fetched`."""
        self._blobs[what] += more.blobs
        self._sizes[what] += more.size

    def amount(self, what: str) -> Amount:
        """The sum of what was counted."""
        return Amount(blobs=self._blobs[what], size=self._sizes[what])
