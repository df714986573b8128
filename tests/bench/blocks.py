"""Blocks of docs/performance.md, each measured and written alone: `make bench ARGS='--only NAME'`.

A block is a function of a folder, the number of rounds and the scale, which returns Markdown.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

from bench import growth, paths, plot, report
from bench.contestants import Source, large_blobs
from bench.limit import CURL, CURL_ON_ALL, SYNC, WAYS, limit_contestants
from bench.material import LARGE_IMAGES, SMALL_IMAGES, make_layout, push
from bench.measure import side_by_side
from bench.pulling import pull_contestants
from bench.registries import as_store
from bench.serving import measure_serving
from support import registries
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.measure import Result

    Block = Callable[..., str]

PICTURES: Final = {"growth": "growth.svg"}  # of blocks that draw one, into their folder
_FEW: Final = 2  # rounds of what takes long and varies little
_SOME: Final = 3
_GOALS: Final = ("goal", "at most", "measured")
_FASTER: Final = 5
_REFETCHED: Final = {"resets": 0.1, "again": 0.02}
_CHECKED_IN: Final = 0.5
_SYNCED_IN: Final = 1.0
_TIMES: Final = 1.2


def pull(folder: Path, *, rounds: int, scale: float) -> str:
    """Images by name, beside docker."""
    layout = make_layout(folder, scale)
    with registries.plain(folder / "registry") as registry:
        push(registry, layout, LARGE_IMAGES)
        shutil.rmtree(layout)
        _say(f"{len(LARGE_IMAGES)} pulls")
        rivals = pull_contestants(Source(registry.address, ()))
        results = side_by_side(rivals, folder, rounds=rounds)
    what = f"{len(LARGE_IMAGES)} images by name, {round(600 * scale)} MB, one shared layer"
    return "\n\n".join(
        [
            f"**{what}, into an empty store; medians of {rounds} runs, interleaved**",
            report.table(results, next(iter(results))),
            report.machine(folder, report.PULLING),
        ]
    )


def serve(folder: Path, *, rounds: int, scale: float) -> str:
    """The store as a registry, beside docker-registry and nginx."""
    layout = make_layout(folder, scale)
    with registries.plain(folder / "registry") as registry:
        push(registry, layout, (*LARGE_IMAGES, *SMALL_IMAGES))
        storage = registry.storage
    as_store(layout)
    _say("serving")
    sections = measure_serving(layout, storage, folder, rounds=rounds)
    return "\n\n".join([*sections, report.machine(folder, report.SERVING)])


def slow(folder: Path, *, rounds: int, scale: float) -> str:
    """A layer over connections of 8 MB/s."""
    _say("slow connections")
    with registries.plain(folder / "registry") as registry:
        size = paths.push_far(registry, folder / "layout", scale)
        with registries.limited(folder / "limited", registry, rate=f"{paths.RATE_MB}m") as limited:
            results = side_by_side(
                paths.far_contestants(limited.address, folder), folder, rounds=min(rounds, _FEW)
            )
    ours = results[paths.SYNC].seconds
    goals = [
        (
            f"{paths.SYNC}, times as fast as {name}",
            f"{_FASTER} at least",
            f"{it.seconds / ours:.1f}",
        )
        for name, it in results.items()
        if name != paths.SYNC
    ]
    return "\n\n".join(
        [
            (
                f"**A layer of {size / 1e6:.0f} MB, each connection at {paths.RATE_MB} MB/s**, "
                f"medians of {min(rounds, _FEW)} runs"
            ),
            report.table(results, paths.SYNC),
            report.rows(("goal", "wanted", "measured"), goals),
            report.short_machine(folder),
        ]
    )


def resets(folder: Path, *, rounds: int, scale: float) -> str:
    """A layer through a path that resets every connection after 5 MB."""
    del rounds  # bytes are counted: they come out the same
    _say("connections that are reset")
    with registries.plain(folder / "registry") as registry:
        size = paths.push_far(registry, folder / "layout", scale)
        outcomes = paths.over_resets(registry, folder)
    title = (
        f"**A layer of {size / 1e6:.0f} MB through a path that resets every connection after "
        f"{paths.RESET_MB} MB**"
    )
    return _counted(title, outcomes, size, folder, _REFETCHED["resets"])


def again(folder: Path, *, rounds: int, scale: float) -> str:
    """A pull that is killed half-way, and begun again."""
    del rounds
    _say("killed half-way")
    with registries.plain(folder / "registry") as registry:
        size = paths.push_far(registry, folder / "layout", scale)
        outcomes = paths.begun_again(registry, folder, size)
    title = (
        f"**A layer of {size / 1e6:.0f} MB, the client ended by a signal at half of it and started "
        "again:\nbytes of both runs**"
    )
    return _counted(title, outcomes, size, folder, _REFETCHED["again"])


def _counted(
    title: str, outcomes: Mapping[str, paths.Outcome], size: int, folder: Path, most: float
) -> str:
    lines = [
        (
            name,
            "complete" if it.ended else "fails",
            f"{it.sent / 1e6:.1f} MB",
            f"{max(it.sent / size - 1, 0):.2%}" if it.ended else "",
            str(it.resets),
        )
        for name, it in outcomes.items()
    ]
    goals = [
        (f"{name}, fetched again", f"{most:.0%}", f"{it.sent / size - 1:.2%}")
        for name, it in outcomes.items()
        if name.startswith(paths.SYNC)
    ]
    head = ("command", "ends", "sent by the server", "fetched again", "connections reset")
    return "\n\n".join(
        [title, report.rows(head, lines), report.rows(_GOALS, goals), report.short_machine(folder)]
    )


def grow(folder: Path, *, rounds: int, scale: float) -> str:
    """How time and memory grow with the number of images; draws the picture."""
    del scale
    _say("growth")
    sizes, rounds = growth.SIZES, min(rounds, _SOME)
    found = growth.measure_growth(folder, rounds=rounds, sizes=sizes)
    names = tuple(growth.ROWS)
    (folder / PICTURES["growth"]).write_text(
        plot.draw(
            sizes,
            {name: [found[size][name].seconds for size in sizes] for name in names},
            {name: [found[size][name].peak / 1e6 for size in sizes] for name in names},
        )
    )
    lines = [(name, *(_figures(found[size][name]) for size in sizes)) for name in names]
    blobs = growth.BLOBS_EACH * sizes[-1]
    return "\n\n".join(
        [
            (
                "**As images become more**: seconds and peak memory by the number of images of\n"
                f"four platforms; the largest store has {blobs:,} blobs; medians of {rounds} runs"
            ),
            report.rows(("command", *(f"{size:,}" for size in sizes)), lines),
            "![How time and memory grow](images/growth.svg)",
            report.short_machine(folder),
        ]
    )


def many(folder: Path, *, rounds: int, scale: float) -> str:
    """2,000 images of four platforms."""
    del scale
    _say(f"{growth.MANY} images")
    rounds = min(rounds, _SOME)
    results = growth.measure_growth(folder, rounds=rounds, sizes=(growth.MANY,))[growth.MANY]
    goals = [
        (name, f"{most} s", f"{results[name].seconds:.2f} s")
        for name, most in ((growth.CHECKED, _CHECKED_IN), (growth.NOTHING_TO_DO, _SYNCED_IN))
    ]
    return "\n\n".join(
        [
            f"**{growth.MANY:,} images of four platforms**, medians of {rounds} runs",
            report.table(results, growth.CHECKED),
            report.rows(_GOALS, goals),
            report.short_machine(folder),
        ]
    )


def tags(folder: Path, *, rounds: int, scale: float) -> str:
    """Every tag of the official images, locked in one go."""
    del rounds, scale
    _say("every tag of the official images")
    told = growth.lock_record(folder / "record")
    line = (
        f"{told.entries:,}",
        ", ".join(f"{count:,} {method}" for method, count in told.requests.items() if count),
        f"{told.result.seconds:.1f} s",
        f"{told.result.cpu:.1f} s",
        f"{told.result.peak / 1e6:.0f} MB",
        f"{told.lock_bytes / 1e6:.1f} MB",
    )
    head = ("entries", "requests", "time", "CPU", "peak memory", "images.lock")
    return "\n\n".join(
        [
            (
                "**Every tag of the 144 official images of Docker Hub, locked by one\n"
                "`pinner lock` from a simulated registry** (in Python, on the same cores)"
            ),
            report.rows(head, [line]),
            report.short_machine(folder),
        ]
    )


def limit(folder: Path, *, rounds: int, scale: float) -> str:
    """What the machine can do, plain and over TLS."""
    _say("the limit")
    results: dict[str, Result] = {}
    authority = Authority.create(folder / "authority")
    layout = make_layout(folder, scale)
    with registries.plain(folder / "registry") as registry:
        push(registry, layout, LARGE_IMAGES)
        blobs = large_blobs(registry.address, layout)
        shutil.rmtree(layout)
        plain = limit_contestants(registry, blobs, WAYS[0], folder)
        with registries.again_with_tls(folder / "tls", registry, authority) as secret:
            secured = tuple(url.replace(registry.url, secret.url) for url in blobs)
            tls = limit_contestants(secret, secured, WAYS[1], folder)
            results = side_by_side([*plain, *tls], folder, rounds=rounds)
    goals = [
        (
            f"{SYNC}, {way}, times {floor}",
            f"{_TIMES}",
            f"{results[f'{SYNC}, {way}'].seconds / results[f'{floor}, {way}'].seconds:.2f}",
        )
        for way in WAYS
        for floor in (CURL, CURL_ON_ALL)
    ]
    return "\n\n".join(
        [
            (
                f"**What the machine can do: {600 * scale:.0f} MB fetched and hashed**, "
                f"medians of {rounds} runs"
            ),
            report.table(results, f"{CURL}, {WAYS[0]}"),
            report.rows(_GOALS, goals),
            report.short_machine(folder),
        ]
    )


def _figures(result: Result) -> str:
    return f"{result.seconds:.2f} s, {result.peak / 1e6:.0f} MB"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


BLOCKS: Final[Mapping[str, Block]] = {
    "pull": pull,
    "serve": serve,
    "slow": slow,
    "resets": resets,
    "again": again,
    "many": many,
    "growth": grow,
    "tags": tags,
    "limit": limit,
}
