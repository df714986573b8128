"""What is measured: images of incompressible bytes in a registry on loopback.

Made in a process of its own (`python -m bench.material`), so that the measuring one stays small.
"""

from __future__ import annotations

import platform as machine
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.layouts import LayoutWriter, layer
from support.pushing import push_layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.registries import Registry

IMAGES: Final = 8
SHARED_MB: Final = 50.0
OWN_MB: Final = 68.75  # beside the shared layer, in two layers of varied sizes: 600 MB in all
SMALL: Final = 100
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image is: its name in the layout, and its repository and tag in the registry."""

    name: str
    repository: str
    tag: str = "1.0"


LARGE_IMAGES: Final = tuple(Place(f"large{n}", f"bench/large{n}") for n in range(IMAGES))
SMALL_IMAGES: Final = tuple(Place(f"small{n}", f"bench/small{n}") for n in range(SMALL))


def host_platform() -> str:
    """The platform that clients choose here: linux on the host's architecture."""
    name = machine.machine()
    return f"linux/{_ARCHITECTURES.get(name, name)}"


def make_layout(folder: Path, scale: float) -> Path:
    """The layout below `folder`, made by a process of its own."""
    layout = folder / "layout"
    subprocess.run(
        [sys.executable, "-m", "bench.material", str(layout), str(scale)],
        cwd=Path(__file__).resolve().parents[1],
        check=True,
    )
    return layout


def push(registry: Registry, layout: Path, places: Iterable[Place]) -> None:
    """Put images of the layout into a registry."""
    for place in places:
        push_layout(registry, layout, place.name, f"{place.repository}:{place.tag}")


def write(folder: Path, scale: float) -> None:
    """All images as one OCI layout; `scale` 1.0 makes 600 MB."""
    random_bytes = random.Random(600)
    writer = LayoutWriter(folder)
    others = "linux/s390x"

    def noise(megabytes: float) -> bytes:
        # Stored, not deflated: random bytes do not compress, and the bench should start soon.
        return layer({"noise": random_bytes.randbytes(int(megabytes * 1e6 * scale))}, level=0)

    shared = noise(SHARED_MB)
    for number, place in enumerate(LARGE_IMAGES):
        first = 20.0 + 5.0 * number
        layers = [shared, noise(first), noise(OWN_MB - first)]
        images = [writer.image(host_platform(), layers), writer.image(others, [noise(0.001)])]
        writer.name(place.name, writer.index(images))
    for place in SMALL_IMAGES:
        images = [
            writer.image(platform, [layer({"name": f"{place.name} {platform}".encode()})])
            for platform in (host_platform(), others)
        ]
        writer.name(place.name, writer.index(images))


if __name__ == "__main__":
    write(Path(sys.argv[1]), float(sys.argv[2]))
