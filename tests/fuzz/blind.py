"""Fuzzing without coverage: hypothesis makes inputs of a target's seeds and tokens, and shrinks.

This is what tests/test_fuzz.py does for a moment everywhere, and what `make fuzz` falls back to
where atheris is not installed.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz.guided import keep
from fuzz.running import Running
from fuzz.seeds import inputs as seeds_of
from fuzz.table import BY_NAME
from fuzz.target import failure_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.target import Target

_BATCH: Final = 200
_MOST_EDITS: Final = 6
_REMOVED: Final = 40

Edit = tuple[float, int, bytes]


class _Failed(Exception):  # noqa: N818 - for hypothesis, which wants one to shrink by
    """An input failed."""


def made_up(target: Target) -> st.SearchStrategy[bytes]:
    """Inputs: any bytes, tokens in a row, seeds that were damaged, two seeds put together."""
    tokens = st.sampled_from(target.tokens) if target.tokens else st.binary(max_size=8)
    seeds = st.sampled_from(seeds_of(target))
    edits = st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, _REMOVED), tokens | st.binary(max_size=8)),
        min_size=1,
        max_size=_MOST_EDITS,
    )
    halves = st.tuples(seeds, seeds, st.floats(0, 1), st.floats(0, 1)).map(
        lambda four: four[0][: int(four[2] * len(four[0]))] + four[1][int(four[3] * len(four[1])) :]
    )
    return st.one_of(
        st.binary(max_size=200),
        st.lists(tokens, max_size=20).map(b"".join),
        st.tuples(seeds, edits).map(lambda pair: damaged(*pair)),
        halves,
    ).map(lambda data: data[: target.longest])


def damaged(data: bytes, changes: list[Edit]) -> bytes:
    """The same with bytes taken out and put in, each at a share of the length."""
    for place, removed, put in changes:
        at = int(place * len(data))
        data = data[:at] + put + data[at + removed :]
    return data


def run(
    target: Target, seconds: float, found: Callable[[str, bytes], None], *, inputs: int = 0
) -> int:
    """Fuzz until the time is over; how many inputs were run.

    The batches are the same ones in each run: only how many there are depends on the time.

    Args:
        target: what to fuzz.
        seconds: for how long, about.
        found: called with each failure's name and its input, as small as hypothesis made it.
        inputs: end where so many were run; 0 for no such limit.
    """
    executed = 0
    known: set[str] = set()
    until = time.monotonic() + seconds
    for number in itertools.count():
        count, failures = _batch(target, number, known)
        executed += count
        known |= failures.keys()
        for name, data in failures.items():
            found(name, data)
        if time.monotonic() > until or 0 < inputs <= executed:
            return executed
    raise AssertionError


def _batch(target: Target, number: int, known: set[str]) -> tuple[int, dict[str, bytes]]:
    """How many inputs were run, and the smallest ones of failures that are not known."""
    executed = 0
    failures: dict[str, bytes] = {}

    @seed(number)
    @settings(
        max_examples=_BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(made_up(target))
    def run_one(data: bytes) -> None:
        nonlocal executed
        executed += 1
        name = failure_of(target, data)
        if name and name not in known:
            failures[name] = data  # the last one is the one that hypothesis shrank to
            raise _Failed(name)

    with contextlib.suppress(_Failed, BaseExceptionGroup):
        run_one()
    return executed, failures


def main(name: str, folder: str, seconds: str, inputs: str) -> None:
    """Run one target, and say at the end what libFuzzer would."""
    kept = Path(folder)
    running = Running.limited(kept)
    target = BY_NAME[name]

    def noted(data: bytes) -> None:
        with running.input(data):
            target.run(data)

    executed = run(
        replace(target, run=noted),
        float(seconds),
        lambda failure, data: keep(kept, failure, data),
        inputs=int(inputs),
    )
    sys.stderr.write(f"stat::number_of_executed_units: {executed}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
