"""How time and memory grow: commands on 10, 100, 1,000 and 10,000 images of four platforms each.

The largest store has 100,000 blobs. Registries are simulated, in this process; a command that asks
nobody finds a host that does not exist.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench import crowd
from bench.contestants import PINNER
from bench.measure import Contestant, Result, Run, side_by_side
from support.gitrepos import Ground as Repository
from support.layouts import INDEX
from support.programs import clean_environment
from support.registry_sim import RegistrySim
from support.tagrules import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SIZES: Final = (10, 100, 1_000, 10_000)
BLOBS_EACH: Final = 10  # of an image in the store: index, manifest, config, and layers
MANY: Final = 2_000
CHECKED: Final = "pinner lock --check"
NOTHING_TO_DO: Final = "pinner sync, nothing to do"
LOCK: Final = "pinner lock, all of them new"
ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    CHECKED: ("lock", "--check", "-q"),
    NOTHING_TO_DO: ("sync", "-q"),
    "pinner images": ("images", "-q"),
    "pinner check": ("check", "-q"),
    "pinner diff": ("diff", "-q", "old.lock", "images.lock"),
    LOCK: ("lock", "-q"),
    "pinner outdated": ("outdated", "-q"),
}


@dataclass(frozen=True, slots=True)
class Ground:
    """So many images: their project, and a store that has them."""

    count: int
    folder: Path

    @classmethod
    def make(cls, folder: Path, count: int, host: str, sim: RegistrySim) -> Ground:
        """Write everything down; the scripted registry serves it too."""
        members = [crowd.member(number, layers=BLOBS_EACH - 3) for number in range(count)]
        moved = [
            crowd.member(number, layers=BLOBS_EACH - 3, build=int(number % 10 == 0))
            for number in range(count)
        ]
        for one in members:
            sim.content.add_manifest(one.repository, one.index.data, INDEX, ["1.0"])
        folder.mkdir(parents=True)
        crowd.write_store(folder / "store", members, host)
        project = folder / "project"
        project.mkdir()
        repository = Repository.make(project)  # else git would ignore it as part of our own
        (project / "images.toml").write_text(crowd.spec(members, host))
        (project / "images.lock").write_text(crowd.lock(members, host))
        (project / "old.lock").write_text(crowd.lock(moved, host))
        for one in members:
            (project / f"{one.name}.Dockerfile").write_text(
                f"FROM {host}/{one.repository}:1.0@{one.index.digest}\n"
            )
        repository.git("add", "--all")
        return cls(count, folder)


@dataclass(frozen=True, slots=True)
class Here:
    """A command in the project, with the store; nothing of either changes, but for `fresh`.

    Attributes:
        fresh: in a copy without lockfile and store.
    """

    name: str
    arguments: tuple[str, ...]
    ground: Ground
    fresh: bool = False

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """What it needs is there."""
        project, store = self.ground.folder / "project", self.ground.folder / "store"
        if self.fresh:
            spec = (project / "images.toml").read_text()
            (folder / "images.toml").write_text(spec)
            project, store = folder, folder / "store"
        environment = clean_environment(folder, {"PINNER_STORE": str(store)})
        yield Run([[PINNER, *self.arguments]], environment, project)


def measure_growth(
    folder: Path, *, rounds: int, sizes: Sequence[int] = SIZES
) -> dict[int, dict[str, Result]]:
    """What each command took, by the number of images."""
    found = {}
    for count in sizes:
        with RegistrySim() as sim:
            ground = Ground.make(folder / f"images-{count}", count, sim.host, sim)
            found[count] = side_by_side(_contestants(ground), folder / "runs", rounds=rounds)
    return found


def _contestants(ground: Ground) -> list[Contestant]:
    return [Here(name, arguments, ground, fresh=name == LOCK) for name, arguments in ROWS.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What locking every tag of the record came to."""

    entries: int
    requests: Mapping[str, int]
    lock_bytes: int
    result: Result


def lock_record(folder: Path) -> Tags:
    """Lock all tags of fixtures/tags/record.txt, each with a digest of its own, in one go."""
    with RegistrySim() as sim:
        names: dict[str, str] = {}
        for image, tags in record().items():
            for tag in tags:
                index = crowd.member(len(names)).index
                sim.content.add_manifest(f"library/{image}", index.data, INDEX, [tag])
                names[f"n{len(names):05}"] = f"{sim.host}/library/{image}:{tag}"
        listed = ", ".join(f'"{platform}"' for platform in crowd.PLATFORMS)
        entries = "\n".join(f'{name} = "{reference}"' for name, reference in names.items())
        project = folder / "project"
        project.mkdir(parents=True)
        spec = f"[settings]\nplatforms = [{listed}]\n\n[images]\n{entries}\n"
        (project / "images.toml").write_text(spec)
        ground = Ground(len(names), folder)
        locking = Here("pinner lock", ("lock", "-q"), ground)
        (result,) = side_by_side([locking], folder / "runs", rounds=1).values()
        asked = {"GET": sim.count("GET", ""), "HEAD": sim.count("HEAD", "")}
    size = (project / "images.lock").stat().st_size
    return Tags(entries=len(names), requests=asked, lock_bytes=size, result=result)
