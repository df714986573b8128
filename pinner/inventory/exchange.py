"""What the process that reads packages is asked and answers, as JSON.

    request  {"cpu": seconds, "before": [LAYER…], "after": [LAYER…]}
    LAYER    {"digest": …, "mediaType": …, "size": …, "path": … or null}
    answer   {"changes": [CHANGE…], "notes": [TEXT…]}

The answer is parsed as strictly as any foreign document: who wrote it has read hostile layers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pinner.inventory.contents import Layer
from pinner.inventory.model import (
    Changelog,
    Direction,
    Ecosystem,
    Fix,
    PackageChange,
    PackageChanges,
)
from pinner.oci import strictjson
from pinner.oci.descriptor import Descriptor
from pinner.oci.fields import Field
from pinner.terminal import safe

if TYPE_CHECKING:
    import enum

REQUEST_LIMIT: Final = 16 * 1024 * 1024
ANSWER_LIMIT: Final = 64 * 1024 * 1024
_LAYERS: Final = 1024
_CHANGES: Final = 200_000
_FIXES: Final = 10_000  # of one change
_NOTES: Final = 10_000
_TEXT: Final = 1024
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")

_Enum = TypeVar("_Enum", bound="enum.Enum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which two images to compare.

    Attributes:
        cpu: seconds of processor time that the work may take.
    """

    before: tuple[Layer, ...]
    after: tuple[Layer, ...]
    cpu: int


def dump_request(request: Request) -> bytes:
    """The request as one line."""
    document = {
        "cpu": request.cpu,
        "before": [_layer(layer) for layer in request.before],
        "after": [_layer(layer) for layer in request.after],
    }
    return json.dumps(document).encode() + b"\n"


def load_request(line: bytes) -> Request:
    """The request of such a line.

    Raises:
        MalformedJson: it is none.
    """
    document = Field(strictjson.loads(line, REQUEST_LIMIT))
    return Request(
        cpu=document["cpu"].size(),
        before=tuple(_read_layer(each) for each in document["before"].items(limit=_LAYERS)),
        after=tuple(_read_layer(each) for each in document["after"].items(limit=_LAYERS)),
    )


def dump_answer(changes: PackageChanges) -> bytes:
    """The answer's bytes."""
    document = {
        "changes": [_change(change) for change in changes.changes],
        "notes": list(changes.notes),
    }
    return json.dumps(document).encode()


def load_answer(data: bytes) -> PackageChanges:
    """The answer of such bytes.

    Raises:
        MalformedJson: it is none.
    """
    document = Field(strictjson.loads(data, ANSWER_LIMIT))
    notes = [safe(_text(note)) for note in document["notes"].items(limit=_NOTES)]
    changes = [_read_change(each) for each in document["changes"].items(limit=_CHANGES)]
    return PackageChanges(changes=tuple(changes), notes=tuple(notes))


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "digest": str(layer.descriptor.digest),
        "mediaType": layer.descriptor.media_type,
        "size": layer.descriptor.size,
        "path": None if layer.path is None else str(layer.path),
    }


def _read_layer(field: Field) -> Layer:
    path = field["path"].text(default="")
    return Layer(
        descriptor=Descriptor(
            digest=field["digest"].digest(),
            media_type=field["mediaType"].text(),
            size=field["size"].size(),
        ),
        path=Path(path) if path else None,
    )


def _change(change: PackageChange) -> dict[str, Any]:
    return {
        "ecosystem": change.ecosystem.value,
        "name": change.name,
        "architecture": change.architecture,
        "before": change.before,
        "after": change.after,
        "direction": change.direction.value,
        "changelog": change.changelog.value,
        "fixes": [{"cve": fix.cve, "urgency": fix.urgency} for fix in change.fixes],
    }


def _read_change(field: Field) -> PackageChange:
    return PackageChange(
        ecosystem=_member(Ecosystem, field["ecosystem"]),
        name=_text(field["name"]),
        architecture=_text(field["architecture"]),
        before=_optional(field["before"]),
        after=_optional(field["after"]),
        direction=_member(Direction, field["direction"]),
        changelog=_member(Changelog, field["changelog"]),
        fixes=tuple(_fix(each) for each in field["fixes"].items(limit=_FIXES)),
    )


def _fix(field: Field) -> Fix:
    cve = field["cve"].text()
    if not _CVE.fullmatch(cve):
        raise field["cve"].wrong("is not a CVE's id")
    return Fix(cve=cve, urgency=_text(field["urgency"]))


def _member(kind: type[_Enum], field: Field) -> _Enum:
    try:
        return kind(field.text())
    except ValueError:
        raise field.wrong("is none of its values") from None


def _text(field: Field) -> str:
    text = field.text()
    if len(text) > _TEXT:
        raise field.wrong(f"has {len(text)} characters, more than {_TEXT}")
    return text


def _optional(field: Field) -> str | None:
    return None if field.value is None else _text(field)
