"""A JSON value and the way to it, read field by field with the type that each must have.

Messages name the place: `manifests[3].size is "12", which is not a size`. A field that is null
counts as absent, since Go writes empty lists and maps so.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.platform import InvalidPlatform, Platform
from pinner.oci.strictjson import SIZE_LIMIT, MalformedJson
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHOWN: Final = 80
_FEATURE_LIMIT: Final = 64


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a JSON document, at `path` from its root.

    Every method raises `MalformedJson` where the value is not what is asked for.
    """

    value: Any
    path: str = ""

    def has(self, key: str) -> bool:
        """Whether the object has this key, be it null."""
        return key in self._object()

    def __getitem__(self, key: str) -> Field:
        """The object's member; its value is None where there is none."""
        return Field(self._object().get(key), f"{self.path}.{key}".lstrip("."))

    def names(self) -> tuple[str, ...]:
        """The keys of an object, in their order; none where the field is absent."""
        return tuple(self._object())

    def items(self, *, limit: int) -> Iterator[Field]:
        """The elements of a list, at most `limit`; none where the field is absent."""
        elements = [] if self.value is None else self.value
        if not isinstance(elements, list):
            raise self.wrong("is not a list")
        if len(elements) > limit:
            raise self.wrong(f"has {len(elements)} elements, more than {limit}")
        for number, element in enumerate(elements):
            yield Field(element, f"{self.path}[{number}]")

    def text(self, *, default: str | None = None) -> str:
        """A text; `default` where the field is absent, unless it is required."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self.wrong("is missing" if self.value is None else "is not text")
        return self.value

    def texts(self) -> Mapping[str, str]:
        """A map of text to text; empty where the field is absent."""
        return MappingProxyType({key: self[key].text() for key in self._object()})

    def size(self) -> int:
        """A size in bytes: an integer from 0 to 2**63 - 1; a boolean is none."""
        if type(self.value) is not int or not 0 <= self.value < SIZE_LIMIT:
            raise self.wrong(f"is {safe(repr(self.value), limit=_SHOWN)}, which is not a size")
        return self.value

    def digest(self) -> Digest:
        """A digest in its exact form."""
        try:
            return Digest.parse(self.text())
        except InvalidDigest as error:
            raise self.wrong(f"is not a digest: {error.what}") from error

    def platform(self) -> Platform:
        """The platform that an object's `os`, `architecture`, `variant` and so on give."""
        features = self["os.features"].items(limit=_FEATURE_LIMIT)
        try:
            return Platform(
                self["os"].text(),
                self["architecture"].text(),
                self["variant"].text(default=""),
                self["os.version"].text(default=""),
                tuple(feature.text() for feature in features),
            )
        except InvalidPlatform as error:
            raise self.wrong(f"is not a platform: {error.what}") from error

    def wrong(self, what: str) -> MalformedJson:
        """The error that says what is wrong here."""
        return MalformedJson(f"{safe(self.path) or 'the document'} {what}")

    def _object(self) -> dict[str, Any]:
        """The object; that of an absent field is empty, that of the whole document is required."""
        if self.value is None and self.path:
            return {}
        if not isinstance(self.value, dict):
            raise self.wrong("is not an object")
        return self.value
