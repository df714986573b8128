"""The images whose pins an update moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.compare.model import ImageChange
from pinner.resolve import Added, Changed, Removed
from pinner.update.model import Updated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pinner.update.model import UpdateOutcome


def moved_images(outcomes: Iterable[UpdateOutcome]) -> tuple[ImageChange, ...]:
    """What became of each pin that is new, another or gone, in the outcomes' order."""
    return tuple(_moved(outcomes))


def _moved(outcomes: Iterable[UpdateOutcome]) -> Iterator[ImageChange]:
    for outcome in outcomes:
        match outcome:
            case Updated(before=before, image=image) | Changed(before=before, image=image):
                yield ImageChange(name=outcome.name, before=before, after=image)
            case Added(image=image):
                yield ImageChange(name=outcome.name, before=None, after=image)
            case Removed(before=before):
                yield ImageChange(name=outcome.name, before=before, after=None)
            case _:
                pass
