"""sources.json of npins: the pins that are containers; other pins are no images.

{"pins": {"web": {"type": "Container", "image_name": "nginx", "image_tag": "1.27",
                  "image_digest": "sha256:…"}}, "version": 8}
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
_NEWEST: Final = 8
_SHOWN: Final = 160
_CONTAINER: Final = "Container"


def read_sightings(data: bytes, file: str) -> tuple[Sighting, ...]:
    """What the containers are pinned to, in the order of the file.

    Raises:
        InputError: it is not one of npins', or of a version that is not known.
    """
    with problems_of(file):
        root = Field(read_json(data, _LIMIT))
        version = root["version"]
        if version.size() > _NEWEST:
            raise version.wrong(f"is {version.value}, and pinner knows up to {_NEWEST}")
        return tuple(_containers(root["pins"], file))


def _containers(pins: Field, file: str) -> Iterator[Sighting]:
    if not isinstance(pins.value, dict):
        raise pins.wrong("is not an object")
    for name in pins.value:
        pin = pins[name]
        if not isinstance(pin.value, dict):
            raise pin.wrong("is not an object")
        if pin["type"].text() == _CONTAINER:
            yield seen(
                pin["image_name"].text(),
                pin["image_tag"].text(),
                pin["image_digest"].text(default=""),
                f"{file}: {safe(name, limit=_SHOWN)}",
            )
