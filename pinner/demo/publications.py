"""What the demo's registry serves, and what it publishes later.

    debian:bookworm    dpkg database and changelogs; later rebuilt with security fixes
    alpine:3.20        apk database; docker's media types
    redis:X-alpine     versions to choose from, on alpine's layer
    team/app:stable    on debian's layer, with an attestation beside each image

Each for linux/amd64 and linux/arm64; some 200 kilobytes for one platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.demo.archive import Program, noise
from pinner.demo.images import (
    DOCKER,
    OCI,
    Flavour,
    Image,
    Layer,
    make_attestation,
    make_image,
    make_index,
    make_layer,
)
from pinner.demo.packages import Package, alpine_root, debian_root
from pinner.demo.roots import ALPINE, DEBIAN, DEBIAN_UPDATED, redis_package
from pinner.oci.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLATFORMS: Final = (Platform("linux", "amd64"), Platform("linux", "arm64"))
_REDIS_VERSIONS: Final = ("7.2.5", "7.4.1", "8.0.0")
_FIRST: Final = "2025-09-08T00:00:00Z"
_LATER: Final = "2025-09-29T00:00:00Z"
_PROVENANCE: Final = {
    "_type": "https://in-toto.io/Statement/v0.1",
    "predicateType": "https://slsa.dev/provenance/v0.2",
    "predicate": {"builder": {"id": ""}, "buildType": "https://registry.example/demo"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """An image under a tag of a repository."""

    repository: str
    tag: str
    image: Image


def first_publications() -> tuple[Publication, ...]:
    """What the registry serves when the story begins."""
    debian = {platform: _debian_layer(platform, DEBIAN) for platform in PLATFORMS}
    alpine = {platform: _alpine_layer(platform) for platform in PLATFORMS}
    app = {platform: [layer, _app_layer(platform)] for platform, layer in debian.items()}
    return (
        Publication(repository="debian", tag="bookworm", image=_index(_alone(debian))),
        Publication(repository="alpine", tag="3.20", image=_index(_alone(alpine), flavour=DOCKER)),
        *(_redis(alpine, version) for version in _REDIS_VERSIONS),
        Publication(repository="team/app", tag="stable", image=_index(app, attested=True)),
    )


def rebuilt_debian() -> Publication:
    """debian:bookworm again, with security fixes: the tag has moved."""
    layers = {platform: _debian_layer(platform, DEBIAN_UPDATED) for platform in PLATFORMS}
    image = _index(_alone(layers), created=_LATER)
    return Publication(repository="debian", tag="bookworm", image=image)


def _redis(alpine: Mapping[Platform, Layer], version: str) -> Publication:
    package = redis_package(version)
    stacks = {
        platform: [base, _package_layer(platform, package)] for platform, base in alpine.items()
    }
    return Publication(repository="redis", tag=f"{version}-alpine", image=_index(stacks))


def _alone(layers: Mapping[Platform, Layer]) -> dict[Platform, list[Layer]]:
    return {platform: [layer] for platform, layer in layers.items()}


def _index(
    stacks: Mapping[Platform, Sequence[Layer]],
    *,
    flavour: Flavour = OCI,
    created: str = _FIRST,
    attested: bool = False,
) -> Image:
    images = [
        make_image(platform, layers, flavour=flavour, created=created)
        for platform, layers in stacks.items()
    ]
    attestations = [make_attestation(image, _PROVENANCE) for image in images if attested]
    return make_index([*images, *attestations], flavour=flavour)


def _debian_layer(platform: Platform, packages: Sequence[Package]) -> Layer:
    return make_layer(debian_root(packages, architecture=platform.architecture, release="12.11"))


def _alpine_layer(platform: Platform) -> Layer:
    return make_layer(alpine_root(ALPINE, architecture=platform.architecture, release="3.20.3"))


def _package_layer(platform: Platform, package: Package) -> Layer:
    """What `apk add` leaves: the package's file, and the whole database again."""
    root = alpine_root([*ALPINE, package], architecture=platform.architecture, release="3.20.3")
    changed = (package.program, "lib/apk/db/installed", "etc/apk/world")
    return make_layer({path: root[path] for path in changed})


def _app_layer(platform: Platform) -> Layer:
    return make_layer(
        {
            "srv/app/config.toml": b'greeting = "hello"\n',
            "srv/app/server": Program(noise(f"app {platform}", 40 * 1024)),
        }
    )
