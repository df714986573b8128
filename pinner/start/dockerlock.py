"""docker-lock.json (safe-waters/docker-lock), the lists of images by the file that names them.

{"dockerfiles": {"api/Dockerfile": [{"name": "python", "tag": "3.12", "digest": "fd25…"}]},
 "composefiles": {…}, "kubernetesfiles": {…}}

A digest has no `sha256:`. The format has no version. `scratch` stands there too, and is no image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.oci.fields import Field
from pinner.start.problems import problems_of, read_json, seen
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.start.model import Sighting

_LIMIT: Final = 16 * 1024 * 1024
_MOST: Final = 10_000
_SHOWN: Final = 160
_LISTS: Final = ("dockerfiles", "composefiles", "kubernetesfiles")
_KEYS: Final = frozenset(
    {"name", "tag", "digest", "dockerfile", "service", "serviceName", "container"}
)
_SCRATCH: Final = "scratch"


def read_sightings(data: bytes, file: str) -> tuple[Sighting, ...]:
    """What the lockfile pins, in its order.

    Raises:
        InputError: it is not one of docker-lock's.
    """
    with problems_of(file):
        root = Field(read_json(data, _LIMIT))
        unknown = sorted(set(root.value) - set(_LISTS))
        if unknown:
            raise root[unknown[0]].wrong("is not a key of docker-lock.json")
        return tuple(one for name in _LISTS for one in _images(root[name], file))


def _images(lists: Field, file: str) -> Iterator[Sighting]:
    if lists.value is not None and not isinstance(lists.value, dict):
        raise lists.wrong("is not an object")
    for path in lists.value or {}:
        for item in lists[path].items(limit=_MOST):
            if not isinstance(item.value, dict):
                raise item.wrong("is not an object")
            unknown = sorted(set(item.value) - _KEYS)
            if unknown:
                raise item[unknown[0]].wrong("is not a key of an image")
            name = item["name"].text()
            if name == _SCRATCH:
                continue
            digest = item["digest"].text(default="")
            where = f"{file}: {safe(path, limit=_SHOWN)}"
            yield seen(
                name, item["tag"].text(default=""), f"sha256:{digest}" if digest else "", where
            )
