"""Media types of manifests, indexes and configs (image-spec media-types.md, docker's schema 2).

pinner knows four types of manifest and asks for all of them in every request, since registries
answer 404 for a type that was not asked for. Layers are bytes of any type.
"""

from __future__ import annotations

from typing import Final

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"

INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
_SCHEMA1: Final = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)

ACCEPT: Final = f"{OCI_INDEX}, {DOCKER_LIST}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"
"""The value of the one `Accept` header of every manifest request."""


def is_index(media_type: str) -> bool:
    """Whether this is an OCI index or a docker manifest list."""
    return media_type in INDEXES


def is_manifest(media_type: str) -> bool:
    """Whether this is the manifest of one image, OCI's or docker's."""
    return media_type in MANIFESTS


def is_schema1(media_type: str) -> bool:
    """Whether this is docker's first manifest format, which nothing supports any more."""
    return media_type in _SCHEMA1


def without_parameters(content_type: str) -> str:
    """The media type of a `Content-Type` header: lower case, no `; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()
