"""Counts the requests that pinner and dockerd really make, on small images.

    pinner   the command as a process, against a scripted registry (support.registry_sim)
    docker   a real dockerd, against docker-registry and its pull-through mode, by their access logs

Every image is an index of two platforms; each has a config and `LAYERS` layers of its own.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from fleet.costs import Cost
from support import registries
from support.dockerd import dockerd
from support.layouts import LayoutWriter, layer
from support.programs import free_port
from support.pushing import push_layout
from support.registry_sim import RegistrySim
from support.registry_uploads import Uploads
from support.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.dockerd import Dockerd
    from support.registries import Registry

LAYERS: Final = 3
BLOBS: Final = LAYERS + 1
IMAGES: Final = 4
LOCK: Final = "pinner lock"
FRESH: Final = "pinner sync, empty store"
AGAIN: Final = "pinner sync, all there"
STILL: Final = "pinner update, nothing moved"
MOVED: Final = "pinner update, one image moved"
AFTER: Final = "pinner sync of a new lock: one image moved, its config and one layer"
ALL: Final = "pinner mirror, empty store, empty target"
MIRRORED: Final = "pinner sync, empty store, mirror"
DOWN: Final = "pinner sync, empty store, mirror down"
LOST: Final = "pinner sync, empty store, mirror lacks everything"
PULL: Final = "docker pull, nothing there"
PULL_AGAIN: Final = "docker pull, all there"
THROUGH_EMPTY: Final = "docker pull, nothing there, empty cache"
THROUGH_FULL: Final = "docker pull, nothing there, full cache"
_PLATFORMS: Final = ("amd64", "arm64")


def count_pinner(folder: Path, images: int = IMAGES) -> list[Cost]:
    """What pinner's commands ask, in the life of a project of so many images."""
    with (
        RegistrySim() as public,
        RegistrySim() as mirror,
        RegistrySim() as hollow,
        RegistrySim(content=Uploads()) as target,
    ):
        sims = {"registry": public, "mirror": mirror, "hollow": hollow}
        life = _Life(folder, sims, images)
        for number in range(images):
            life.push(number, version=1)
        first = life.project("first")
        costs = [
            *life.counted(LOCK, first, "lock", images, 0),
            *life.counted(FRESH, first, "sync", images, images * BLOBS),
            *life.counted(AGAIN, first, "sync", images, images * BLOBS),
            *life.counted(STILL, first, "update", images, 0),
        ]
        runner = life.project("runner", lock=first)
        runner.pinner("sync")
        life.push(0, version=2)
        costs += life.counted(MOVED, first, "update", images, 0)
        (runner.folder / "images.lock").write_bytes(first.locked())
        costs += life.counted(AFTER, runner, "sync", 1, 2)
        every = life.project("every", lock=first)
        copied = f"mirror --no-write {target.host}/m"
        costs += life.counted(ALL, every, copied, images, images * BLOBS * 2)
        for action, name in (
            (MIRRORED, mirror.host),
            (DOWN, f"127.0.0.1:{free_port()}"),
            (LOST, hollow.host),
        ):
            one = life.project(action, name, lock=first)
            costs += life.counted(action, one, "sync", images, images * BLOBS)
        return costs


class _Life:
    """A project's registry, its mirror and one that holds nothing."""

    def __init__(self, folder: Path, sims: Mapping[str, RegistrySim], images: int) -> None:
        self._folder = folder
        self._sims = sims
        self._images = images

    def project(self, name: str, mirror: str = "", *, lock: Workspace | None = None) -> Workspace:
        """A project with an empty store, and the lockfile of another one."""
        host = self._sims["registry"].host
        wishes = {f"app{n}": f"{host}/team/app{n}:1" for n in range(self._images)}
        made = Workspace(self._folder / name.replace(" ", "-"))
        made.want(f'[registries."{host}"]', f'mirrors = ["{mirror}"]' if mirror else "", **wishes)
        if lock:
            (made.folder / "images.lock").write_bytes(lock.locked())
        return made

    def counted(
        self, action: str, project: Workspace, command: str, images: int, blobs: int
    ) -> list[Cost]:
        """What a command asks, at each registry that it asks."""
        before = {where: len(sim.requests) for where, sim in self._sims.items()}
        project.pinner(*command.split())
        costs = []
        for where, sim in self._sims.items():
            asked = [(one.method, one.path) for one in sim.requests[before[where] :]]
            if asked or where == "registry":
                place = "mirror" if where == "hollow" else where
                costs.append(Cost.of(action, place, asked, images=images, blobs=blobs))
        return costs

    def push(self, number: int, *, version: int) -> None:
        """An image; of another version, its config and last layer are others."""
        name = f"team/app{number}"
        for where in ("registry", "mirror"):
            content = self._sims[where].content
            made = {}
            for architecture in _PLATFORMS:
                noise = random.Random(f"{name} {architecture}")
                layers = [noise.randbytes(200) for _ in range(LAYERS)]
                layers[-1] += bytes([version])
                made[f"linux/{architecture}"] = content.add_image(
                    name, layers=layers, architecture=architecture
                )
            content.add_index(name, "1", images=made)


def count_docker(folder: Path, images: int = IMAGES) -> list[Cost]:
    """What `docker pull` of tags asks of a registry, and a pull-through cache of its upstream."""
    writer = LayoutWriter(folder / "layout")
    names = [f"app{number}" for number in range(images)]
    for name in names:
        rows = [
            writer.image(
                f"linux/{one}", [layer({f"{name}/{one}/{n}": b"x"}) for n in range(LAYERS)]
            )
            for one in _PLATFORMS
        ]
        writer.name(name, writer.index(rows))
    with registries.plain(folder / "registry") as public:
        for name in names:
            push_layout(public, writer.folder, name, f"team/{name}:1")
        with registries.pull_through(folder / "cache", public) as cache:
            direct, through = {"registry": public}, {"cache": cache, "registry": public}
            with dockerd(folder / "first") as daemon:
                costs = _pulled(PULL, daemon, public, names, direct)
                costs += _pulled(PULL_AGAIN, daemon, public, names, direct)
            for number, action in enumerate((THROUGH_EMPTY, THROUGH_FULL)):
                # A new one each time: dockerd keeps manifests for a while after their image went.
                with dockerd(folder / f"through-{number}") as daemon:
                    costs += _pulled(action, daemon, cache, names, through)
            return costs


def _pulled(
    action: str,
    daemon: Dockerd,
    source: Registry,
    names: Sequence[str],
    watched: Mapping[str, Registry],
) -> list[Cost]:
    with ExitStack() as stack:
        seen = {where: stack.enter_context(one.recording()) for where, one in watched.items()}
        for name in names:
            daemon.docker("pull", "--quiet", f"{source.address}/team/{name}:1")
    return [
        Cost.of(
            action,
            where,
            [(one.method, one.path) for one in recording.requests],
            images=len(names),
            blobs=len(names) * BLOBS,
            sent=sum(one.sent for one in recording.requests if one.kind == "blobs"),
        )
        for where, recording in seen.items()
    ]
