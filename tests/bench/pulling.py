"""`pinner pull` beside `docker pull` and `skopeo copy`: the same images by name.

docker pulls one name a command, so that it is asked eight times, and unpacks what it pulls (vfs):
that is its work, and counts. pinner is asked once for all, and eight times as well.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.contestants import PINNER, Commands, SkopeoCopy, Source
from bench.material import LARGE_IMAGES
from bench.measure import Contestant, Run
from support.dockerd import client, dockerd
from support.programs import clean_environment, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class PinnerPull(Commands):
    """`pinner pull`, of all images in one command, or one command for each."""

    at_once: bool = True

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """Store and home are empty."""
        environment = clean_environment(folder, {"PINNER_STORE": f"{folder}/store"})
        yield Run(self.commands(folder), environment, folder)

    def commands(self, folder: Path) -> Sequence[Sequence[str]]:
        """One, or eight."""
        names = [self.source.reference(place) for place in LARGE_IMAGES]
        groups = [names] if self.at_once else [[name] for name in names]
        return [[PINNER, "pull", *group] for group in groups]


@dataclass(frozen=True, slots=True)
class DockerPull:
    """Eight times `docker pull`, of a dockerd that is empty; its work counts as well."""

    name: str
    source: Source

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """A dockerd of our own is up."""
        with dockerd(folder) as daemon:
            environment = clean_environment(folder, {"DOCKER_HOST": daemon.host})
            pull = (client(), "pull")
            commands = [[*pull, self.source.reference(place)] for place in LARGE_IMAGES]
            yield Run(commands, environment, folder, daemon=daemon.pid)


def pull_contestants(source: Source) -> list[Contestant]:
    """Who pulls; dockerd needs root."""
    contestants: list[Contestant] = [
        PinnerPull("pinner pull", source),
        PinnerPull("pinner pull, 8 times", source, at_once=False),
        SkopeoCopy("skopeo copy", source),
    ]
    if find("dockerd") is None or os.geteuid() != 0:
        sys.stderr.write("dockerd is not there, or needs root: it is left out\n")
        return contestants
    return [*contestants, DockerPull("docker pull, with unpacking", source)]
