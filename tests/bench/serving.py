"""`pinner serve` beside docker-registry and nginx: 64 connections of wrk, and pinner syncs.

    manifest or blob, http or https  ->  wrk for some seconds  ->  Load

Servers run one at a time, in another order each round.
"""

from __future__ import annotations

import contextlib
import json
import random
import shlex
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import report
from bench.contestants import PINNER as COMMAND
from bench.contestants import Source, lock_of, spec_of
from bench.material import LARGE_IMAGES, SMALL_IMAGES
from bench.measure import Run, side_by_side
from bench.registries import CONTENDERS, DOCKER, PINNER, Contender, Place, Target
from support.programs import clean_environment, find
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.measure import Result
    from bench.registries import Up
    from support.tls import Certified

CONNECTIONS: Final = 64
SYNCS: Final = 4
_SECONDS: Final = 5
_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_TIMEOUT: Final = "60s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of wrk; rates are a second's.

    Attributes:
        slowest: seconds within which 99 of 100 answers were whole.
        cpu: CPU seconds of the server in each second.
    """

    requests: float
    megabytes: float
    slowest: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What wrk asks for, and which figure counts then."""

    url: Callable[[Contender, Up, Target], str]
    figure: str


MANIFEST: Final = Kind(Contender.manifest, "requests")
BLOB: Final = Kind(Contender.blob, "megabytes")


@dataclass(slots=True)
class Load:
    """All samples of one server under one kind of load."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    def median(self, attribute: str) -> float:
        """The median of one figure."""
        return statistics.median(self._all(attribute))

    def lowest(self, attribute: str) -> float:
        """The lowest of one figure."""
        return min(self._all(attribute))

    def highest(self, attribute: str) -> float:
        """The highest of one figure."""
        return max(self._all(attribute))

    def cpu_each(self, attribute: str) -> float:
        """The median of the server's CPU seconds for each request, or megabyte."""
        pairs = zip(self._all("cpu"), self._all(attribute), strict=True)
        return statistics.median([cpu / rate for cpu, rate in pairs])

    def _all(self, attribute: str) -> list[float]:
        return [getattr(sample, attribute) for sample in self.samples]


def measure_serving(layout: Path, storage: Path, folder: Path, *, rounds: int) -> list[str]:
    """All tables, as Markdown.

    Args:
        layout: of `bench.material`, named as a store by `as_store`.
        storage: of a docker-registry that has the same images.
        folder: for everything else.
        rounds: how often each is measured.
    """
    place, target = Place(store=layout, storage=storage), _target(layout)
    certified = Authority.create(folder / "authority").issue("bench")
    bench = _Bench(place, target, folder, rounds)
    loads = [bench.load(kind, tls) for tls in (None, certified) for kind in (MANIFEST, BLOB)]
    first, syncs = bench.first_requests(), bench.syncs()
    size = f"{target.blob_size / 1e6:.0f} MB"
    titles = [
        f"{what}{over}"
        for over in ("", ", over TLS")
        for what in ("A manifest by its tag", f"A blob of {size}")
    ]
    kinds = [MANIFEST, BLOB] * 2
    sections: list[str] = []
    factors: dict[str, float] = {}
    for title, kind, found in zip(titles, kinds, loads, strict=True):
        sections.append(f"**{title}, {CONNECTIONS} connections**")
        sections.append(report.rates(found, kind.figure, DOCKER))
        factors[title] = found[PINNER].median(kind.figure) / found[DOCKER].median(kind.figure)
    factors[f"{SYNCS} pinner syncs at once"] = syncs[DOCKER].seconds / syncs[PINNER].seconds
    return [
        f"Medians of {rounds} runs, interleaved; {_SECONDS} seconds each for wrk:",
        *sections,
        f"**A blob of {size}, one connection: first request of a server's life, and second**",
        report.first_and_second(first),
        f"**{SYNCS} `pinner sync` at once, each of {len(LARGE_IMAGES)} images**",
        report.table(syncs, PINNER),
        *report.serving_goals(factors),
    ]


def _target(layout: Path) -> Target:
    index = json.loads((layout / "index.json").read_bytes())
    named = {
        entry["annotations"]["org.opencontainers.image.ref.name"].rpartition("/")[2]: entry
        for entry in index["manifests"]
    }
    small, large = SMALL_IMAGES[0], LARGE_IMAGES[-1]
    entry = named[f"{small.name}:{small.tag}"]
    images = _document(layout, named[f"{large.name}:{large.tag}"]["digest"])["manifests"]
    layers = _document(layout, images[0]["digest"])["layers"]
    blob = max(layers, key=lambda layer: layer["size"])
    return Target(
        repository=small.repository,
        tag=small.tag,
        manifest=entry["digest"],
        media_type=entry["mediaType"],
        blob_repository=large.repository,
        blob=blob["digest"],
        blob_size=blob["size"],
    )


def _document(layout: Path, digest: str) -> dict[str, Any]:
    path = layout / "blobs" / digest.replace(":", "/")
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


@dataclass(frozen=True, slots=True)
class _Bench:
    """What all measurements share."""

    place: Place
    target: Target
    folder: Path
    rounds: int

    def load(self, kind: Kind, certified: Certified | None) -> dict[str, Load]:
        """What wrk counts at each server; with TLS where there is a certificate."""
        found = {contender.name: Load(contender.name) for contender in CONTENDERS}
        for contender in self._shuffled():
            with contender.running(self.place, self.folder / "server", certified) as up:
                sample = _wrk(kind.url(contender, up, self.target), self.target.media_type, up)
            found[contender.name].samples.append(sample)
            _say(
                f"  {contender.name:<20} {kind.figure} {up.scheme:<5} {sample.requests:9.1f}/s"
                f" {sample.megabytes:8.1f} MB/s"
            )
        return found

    def first_requests(self) -> dict[str, tuple[float, float]]:
        """Seconds of the first request for a blob in a server's life, and of the second."""
        times: dict[str, list[tuple[float, float]]] = {one.name: [] for one in CONTENDERS}
        for contender in self._shuffled():
            with contender.running(self.place, self.folder / "server", None) as up:
                url = contender.blob(up, self.target)
                times[contender.name].append((_read(url), _read(url)))
        return {
            name: (statistics.median(a for a, _ in both), statistics.median(b for _, b in both))
            for name, both in times.items()
        }

    def syncs(self) -> Mapping[str, Result]:
        """Several syncs at once from each registry."""
        registries: Sequence[Syncs] = [
            Syncs(contender, self.place, self.folder)
            for contender in CONTENDERS
            if contender.is_registry
        ]
        return side_by_side(registries, self.folder / "syncs", rounds=self.rounds)

    def _shuffled(self) -> Iterator[Contender]:
        shuffler = random.Random(self.rounds)
        for _ in range(self.rounds):
            yield from shuffler.sample(CONTENDERS, len(CONTENDERS))


def _wrk(url: str, media_type: str, up: Up) -> Sample:
    wrk = [find("wrk") or "wrk", "--threads", "2", "--connections", str(CONNECTIONS)]
    wrk += ["--timeout", _TIMEOUT, "--script", str(_SCRIPT), "--header", f"Accept: {media_type}"]
    # A first request, unmeasured: what is hashed or looked up once has a table of its own.
    subprocess.run([*wrk, "--duration", "1s", url], stdout=subprocess.DEVNULL, check=True)
    before = up.cpu()
    done = subprocess.run(
        [*wrk, "--duration", f"{_SECONDS}s", url], capture_output=True, text=True, check=True
    )
    cpu = up.cpu() - before
    counted = json.loads(done.stdout.splitlines()[-1])
    if counted["failed"]:
        raise SystemExit(f"{url}: wrk counted {counted['failed']} failures\n{done.stdout}")
    seconds = counted["seconds"]
    return Sample(
        requests=counted["requests"] / seconds,
        megabytes=counted["bytes"] / 1e6 / seconds,
        slowest=counted["slowest"],
        cpu=cpu / seconds,
    )


def _read(url: str) -> float:
    """Seconds until the whole body is read and thrown away."""
    buffer = bytearray(1 << 20)
    start = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        while answer.readinto(buffer):
            pass
    return time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Syncs:
    """Several `pinner sync` at once, each into a store of its own, from one server."""

    contender: Contender
    place: Place
    folder: Path

    @property
    def name(self) -> str:
        """The server's."""
        return self.contender.name

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """The server runs; its CPU counts as well."""
        with self.contender.running(self.place, self.folder / "server", None) as up:
            spec = spec_of(Source(up.address, ()), LARGE_IMAGES)
            locked = lock_of(spec, folder / "lock")
            for number in range(SYNCS):
                home = folder / str(number)
                home.mkdir()
                (home / "images.toml").write_text(spec)
                (home / "images.lock").write_bytes(locked)
            yield Run(
                [["/bin/sh", "-c", _at_once(folder)]],
                clean_environment(folder),
                folder,
                daemon=up.pid,
            )


def _at_once(folder: Path) -> str:
    """A shell's script that runs the syncs side by side, and fails if one does."""
    lines = []
    for number in range(SYNCS):
        home = shlex.quote(str(folder / str(number)))
        lines.append(f"{shlex.quote(COMMAND)} --directory {home} sync -q --store {home}/store &")
        lines.append(f"p{number}=$!")
    lines += [f"wait $p{number} || exit" for number in range(SYNCS)]
    return "\n".join(lines)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
