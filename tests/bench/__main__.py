"""`make bench`: pinner beside skopeo, ctr, docker and curl on a docker-registry on loopback.

Its own registry is measured beside docker-registry and nginx.

Everything is measured in one go, interleaved, into fresh folders on one file system; medians.
Options: --rounds N (5), --scale F (1.0 is 600 MB), --dry (do not touch docs/performance.md),
--only BLOCK (one block of tables; may be given several times).
"""

from __future__ import annotations

import argparse
import compileall
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import report
from bench.archives import TAR_FILE, archive_contestants
from bench.blocks import BLOCKS, PICTURES
from bench.checking import CHECK, checking_contestants
from bench.contestants import (
    Source,
    large_blobs,
    large_contestants,
    lock_contestants,
    reading_contestants,
    start_contestants,
    update_contestants,
)
from bench.distance import far_away
from bench.layers import LAYER_MB, LISTED, layer_contestants, make_layer
from bench.material import LARGE_IMAGES, SMALL_IMAGES, make_layout, push
from bench.measure import side_by_side
from bench.mirroring import COPIED, mirroring_contestants
from support import registries
from support.programs import find

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).resolve().parents[2]
_STARTS = 21
_DISTANCE = 0.05
_NEEDED = (
    "docker-registry",
    "skopeo",
    "containerd",
    "ctr",
    "curl",
    "nginx",
    "dockerd",
    "docker",
    "wrk",
)


def main(arguments: Sequence[str]) -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--dry", action="store_true")
    blocks = {"clients": (report.MAIN, measure)}
    blocks |= {name: (f"{report.MAIN}:{name}", one) for name, one in BLOCKS.items()}
    parser.add_argument("--only", action="append", choices=tuple(blocks))
    options = parser.parse_args(arguments)
    missing = [name for name in _NEEDED if find(name) is None]
    if missing:
        raise SystemExit(f"bench needs {', '.join(missing)}")
    folder = _ROOT / "build/bench"
    shutil.rmtree(folder, ignore_errors=True)
    compileall.compile_dir(_ROOT / "pinner", quiet=1)  # as installing it from a wheel does
    for name, (block, measured) in blocks.items():
        if options.only and name not in options.only:
            continue
        folder.mkdir(parents=True)
        try:
            text = measured(folder, rounds=options.rounds, scale=options.scale)
            if name in PICTURES and not options.dry:
                shutil.copy(folder / PICTURES[name], _ROOT / "docs/images")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.write(f"{text}\n")
        if not options.dry:
            report.write(_ROOT / "docs/performance.md", text, block)


def measure(folder: Path, *, rounds: int, scale: float) -> str:
    """The clients' tables and the machine, as Markdown."""
    layout = make_layout(folder, scale)
    with registries.plain(folder / "registry") as registry:
        _say("pushing them")
        push(registry, layout, (*LARGE_IMAGES, *SMALL_IMAGES))
        source = Source(registry.address, large_blobs(registry.address, layout))
        shutil.rmtree(layout)
        _say(f"{len(LARGE_IMAGES)} images")
        large = side_by_side(large_contestants(source, folder), folder, rounds=rounds)
        _say("into another registry")
        mirrored = side_by_side(mirroring_contestants(source, folder), folder, rounds=rounds)
        _say("reading")
        reading = side_by_side(reading_contestants(source), folder, rounds=rounds)
        _say(f"{len(SMALL_IMAGES)} digests")
        lock = side_by_side(lock_contestants(source), folder, rounds=rounds)
        _say("whether they moved")
        update = side_by_side(update_contestants(source, folder, "near"), folder, rounds=rounds)
        with far_away(registry.address, _DISTANCE) as address:
            distant = Source(address, ())
            rivals = update_contestants(distant, folder, f"{round(_DISTANCE * 1000)} ms away")
            update |= side_by_side(rivals, folder, rounds=rounds)
        _say("starts")
        start = side_by_side(start_contestants(source, folder), folder, rounds=_STARTS)
    _say("packages of a layer")
    layer = make_layer(folder / "layer.tar.gz", LAYER_MB * scale)
    packages = side_by_side(layer_contestants(layer), folder, rounds=rounds)
    _say("references of a tree")
    checking = side_by_side(checking_contestants(folder / "checked"), folder, rounds=rounds)
    _say("archives")
    archives = side_by_side(archive_contestants(folder / "archived", scale), folder, rounds=rounds)
    size = round(600 * scale)
    return "\n\n".join(
        [
            f"Medians of {rounds} runs ({_STARTS} for starts), interleaved:",
            f"**{len(LARGE_IMAGES)} images, {size} MB, one shared layer, into an empty store**",
            report.table(large, next(iter(large))),
            f"**{len(LARGE_IMAGES)} images, {size} MB, into another, empty docker-registry**",
            report.table(mirrored, COPIED),
            f"**{size} MB read by four threads and hashed, not written**",
            report.table(reading, next(iter(reading))),
            f"**The digests of {len(SMALL_IMAGES)} tags**",
            report.table(lock, next(iter(lock))),
            f"**Whether {len(SMALL_IMAGES)} tags moved**",
            report.table(update, next(iter(update))),
            "**Starts**",
            report.table(start, "python -c pass"),
            f"**Packages out of a gzip layer of {layer.stat().st_size / 1e6:.0f} MB**",
            report.table(packages, LISTED),
            "**The references of 5,000 files, 2,000 of them Dockerfiles, all pinned**",
            report.table(checking, CHECK),
            f"**A store of {size} MB as one tar**",
            report.table(archives, TAR_FILE),
            *report.goals(large | lock | update | start | packages | checking | archives),
            report.machine(folder),
        ]
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
