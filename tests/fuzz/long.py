"""Long inputs: pieces over and over, to find what takes more than its size in time.

Engines prefer small inputs, in which nothing takes long. Here one token, or two in turn, fill an
input, or stand in the middle of a seed or behind one of its lines.
"""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from fuzz.target import DEADLINE, failure_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from random import Random

    from fuzz.target import Target

SIZE: Final = 64 * 1024
_WAYS: Final = 4


def made(target: Target, random: Random, *, size: int = SIZE) -> bytes:
    """One long input; of a target without tokens, its seeds over and over."""
    seeds = list(target.seeds())
    first, second = random.choices(target.tokens or seeds, k=2)
    seed = random.choice(seeds)
    many = first * (size // len(first))
    match random.randrange(_WAYS):
        case 0:
            return many
        case 1:
            return (first + second) * (size // len(first + second))
        case 2:
            half = len(seed) // 2
            return seed[:half] + many + seed[half:]
        case _:
            line = seed.find(b"\n", random.randrange(len(seed) + 1)) + 1
            return seed[:line] + many + seed[line:]


def run(
    target: Target,
    seconds: float,
    found: Callable[[str, bytes], None],
    random: Random,
    *,
    deadline: float = DEADLINE,
    most: int = sys.maxsize,
    around: Callable[[bytes], AbstractContextManager[object]] = nullcontext,
) -> int:
    """Run long inputs until the time is over; how many.

    Args:
        target: what to fuzz.
        seconds: for how long, about.
        found: called with each failure's name and its input.
        random: chooses.
        deadline: for each input, seconds of processor time.
        most: inputs to run, also where there is time for more.
        around: what each input is run within.
    """
    until = time.monotonic() + seconds
    executed = 0
    while not executed or (executed < most and time.monotonic() < until):
        data = made(target, random)
        executed += 1
        with around(data):
            name = failure_of(target, data, deadline=deadline)
        if name:
            found(name, data)
    return executed
