"""The observation log as text: JSON, sorted, so that equal logs are equal bytes.

{
 "version": 1,
 "tags": {
  "docker.io/library/debian:bookworm": [
   {"digest": "sha256:…", "first": 1790000000, "last": 1790086400, "registry": 1789990000}
  ]
 }
}
"""

from __future__ import annotations

import json
from typing import Any, Final

from pinner.errors import InputError
from pinner.oci import strictjson
from pinner.oci.fields import Field
from pinner.oci.reference import InvalidReference, Reference
from pinner.oci.strictjson import MalformedJson
from pinner.terminal import safe
from pinner.update.age import LAST_SECOND
from pinner.update.seenlog import SeenLog, Sighting, merged

VERSION: Final = 1
LIMIT: Final = 16 * 1024 * 1024
_MOST: Final = 1000


class MalformedLog(InputError):  # noqa: N818 - a kind of document
    """A file that is not an observation log."""


class NewerLog(InputError):  # noqa: N818 - a kind of document
    """A log of a later pinner, which this one neither reads nor replaces."""


def loads(data: bytes) -> SeenLog:
    """The log that a file holds.

    Raises:
        NewerLog: of a later version.
        MalformedLog: not a log.
    """
    try:
        document = Field(strictjson.loads(data, LIMIT))
        version = document["version"].size()
        if version > VERSION:
            raise NewerLog(
                f"is an observation log of version {version}, and this pinner reads {VERSION}",
                mend="upgrade pinner",
            )
        if version != VERSION:
            raise document["version"].wrong(f"is not {VERSION}")
        tags = document["tags"]
        return SeenLog({_key(key): merged((), _history(tags[key])) for key in tags.names()})
    except (MalformedJson, InvalidReference) as error:
        raise MalformedLog(f"is not an observation log: {error.what}") from error


def dumps(log: SeenLog) -> bytes:
    """The text of a log."""
    lines = [
        f"  {json.dumps(str(key))}: [\n{_rows(log, key)}\n  ]" for key in sorted(log.tags, key=str)
    ]
    tags = ",\n".join(lines)
    body = f"{{\n{tags}\n }}" if lines else "{}"
    return f'{{\n "version": {VERSION},\n "tags": {body}\n}}\n'.encode()


def _key(text: str) -> Reference:
    reference = Reference.parse(text)
    if reference.tag is None or reference.digest is not None or str(reference) != text:
        raise InvalidReference(f'"{safe(text, limit=160)}" is not a whole name with a tag')
    return reference


def _history(field: Field) -> tuple[Sighting, ...]:
    return tuple(_sighting(item) for item in field.items(limit=_MOST))


def _sighting(item: Field) -> Sighting:
    first, last = _time(item["first"]), _time(item["last"])
    return Sighting(
        digest=item["digest"].digest(),
        first=first,
        last=max(first, last),
        registry=None if item["registry"].value is None else _time(item["registry"]),
        pinned=item["pinned"].value is True,
    )


def _time(field: Field) -> int:
    seconds = field.size()
    if seconds > LAST_SECOND:
        raise field.wrong("is not a time")
    return seconds


def _rows(log: SeenLog, key: Reference) -> str:
    return ",\n".join(f"   {json.dumps(_fields(sighting))}" for sighting in log.tags[key])


def _fields(sighting: Sighting) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "digest": str(sighting.digest),
        "first": sighting.first,
        "last": sighting.last,
    }
    if sighting.registry is not None:
        fields["registry"] = sighting.registry
    if sighting.pinned:
        fields["pinned"] = True
    return fields
