"""`pinner mirror` beside a loop of `skopeo copy`: the large images into an empty docker-registry.

The target's own work counts for nobody: it is the same registry for each, started for each run.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.contestants import PINNER
from bench.material import LARGE_IMAGES
from bench.measure import Run
from support import registries
from support.programs import clean_environment, find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.contestants import Source
    from bench.measure import Contestant

COPIED: Final = "skopeo copy, registry to registry"


@dataclass(frozen=True, slots=True)
class Copying:
    """One `skopeo copy --all` an image: it has no command for several that keeps digests."""

    name: str
    source: Source

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """The target is up and empty."""
        options = ("--all", "--preserve-digests", "--src-tls-verify=false")
        skopeo = ("--insecure-policy", "copy", "--quiet", *options, "--dest-tls-verify=false")
        with registries.plain(folder / "target") as target:
            commands = [
                (
                    find("skopeo") or "skopeo",
                    *skopeo,
                    f"docker://{self.source.reference(place)}",
                    f"docker://{target.address}/m/{place.repository}:{place.tag}",
                )
                for place in LARGE_IMAGES
            ]
            yield Run(commands, clean_environment(folder), folder)


@dataclass(frozen=True, slots=True)
class Mirroring:
    """`pinner mirror` of a locked project, whose store may have everything already.

    Attributes:
        project: with images.toml, images.lock and a full store in it.
    """

    name: str
    project: Path
    stored: bool

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """The target is up and empty; the store is full, or empty too."""
        for file in ("images.toml", "images.lock"):
            shutil.copy(self.project / file, folder / file)
        store = self.project / "store" if self.stored else folder / "store"
        environment = clean_environment(folder, {"PINNER_STORE": str(store)})
        with registries.plain(folder / "target") as target:
            yield Run([[PINNER, "mirror", f"{target.address}/m"]], environment, folder)


def mirroring_contestants(source: Source, folder: Path) -> list[Contestant]:
    """Who copies the images; a project is made in `folder` and synced."""
    project = folder / "mirrored"
    project.mkdir()
    wishes = [f'{place.name} = "{source.reference(place)}"' for place in LARGE_IMAGES]
    (project / "images.toml").write_text("\n".join(["[images]", *wishes, ""]))
    environment = clean_environment(project, {"PINNER_STORE": str(project / "store")})
    for argv in (["lock"], ["sync", "--all-platforms"]):
        subprocess.run([PINNER, *argv], cwd=project, env=environment, check=True)
    return [
        Copying(COPIED, source),
        Mirroring("pinner mirror", project, stored=False),
        Mirroring("pinner mirror, store full", project, stored=True),
    ]
