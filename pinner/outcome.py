"""Outcomes are data: a run reports one for each image, and its exit code follows from the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.errors import PinnerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """This image could not be completed; the others went on."""

    name: str
    error: PinnerError


def exit_code(outcomes: Iterable[object]) -> int:
    """0 where nothing failed, else the gravest failure's: store, integrity, registry, input, no."""
    codes = [outcome.error.exit_code for outcome in outcomes if isinstance(outcome, Failed)]
    return max(codes, default=0)
