"""What every wish about tags can answer, whatever it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pinner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


class InvalidWish(InputError, ValueError):  # noqa: N818 - values raise `InvalidX`
    """A version specifier, variant or precision that no tag could satisfy."""

    code = "invalid-version"


class TagWish(Protocol):
    """Which tags an entry of the spec may follow."""

    def admits(self, tag: str) -> bool:
        """Whether `tag` satisfies this wish, whatever other tags there are."""
        ...

    def ranked(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The tags that satisfy this wish and compete with the best of them, best first.

        Each comes once, and the answer does not depend on the order of `tags`. Empty where none
        satisfies it.
        """
        ...

    def __str__(self) -> str:
        """As messages name it, in the spelling of images.toml."""
        ...


def choose_tag(tags: Iterable[str], wish: TagWish) -> str | None:
    """The best of a repository's tags that satisfy `wish`; None where none does."""
    return next(iter(wish.ranked(tags)), None)
