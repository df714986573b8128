"""Long inputs: pieces over and over, to find what takes more than its size in time.

Engines prefer small inputs, in which nothing takes long. Here one or two tokens, in turn or one
behind many of the other, fill an input of the size that a reader admits or nearly.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fuzz.target import Target


def repeated(target: Target, size: int) -> Iterator[bytes]:
    """Every token over and over, and every two in turn."""
    for token in target.tokens:
        yield token * (size // len(token))
    for first, second in itertools.permutations(target.tokens, 2):
        pair = first + second
        yield pair * (size // len(pair))


def behind_a_head(target: Target, size: int) -> Iterator[bytes]:
    """Every token over and over behind the first half of a seed or in front of the second."""
    for seed in target.seeds():
        half = len(seed) // 2
        for token in target.tokens:
            many = token * (size // len(token))
            yield seed[:half] + many + seed[half:]
