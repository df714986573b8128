"""A JSON value and the way to it, read field by field with the type that each must have.

Messages name the place: `manifests[3].size is "12", which is not a size`. A field that is null
counts as absent, since Go writes empty lists and maps so.

A store of 10,000 images is half a million fields at each look: a way is put into words only for a
message, and a platform is checked once.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.platform import InvalidPlatform, Platform
from pinner.oci.strictjson import SIZE_LIMIT, MalformedJson
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHOWN: Final = 80
_FEATURE_LIMIT: Final = 64
_PLATFORMS: Final = 256  # different ones that are remembered
_NO_TEXTS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(slots=True, eq=False)  # not frozen: that would double the price of making one
class Field:
    """A value of a JSON document, and the way to it.

    Every method raises `MalformedJson` where the value is not what is asked for.

    Attributes:
        above: the object or list that it is in; None for the whole document.
        key: its name or number there.
    """

    value: Any
    above: Field | None = None
    key: str | int = ""

    @property
    def path(self) -> str:
        """The way from the document's root, `manifests[3].size`; empty for the root."""
        if self.above is None:
            return ""
        if isinstance(self.key, int):
            return f"{self.above.path}[{self.key}]"
        return f"{self.above.path}.{self.key}".lstrip(".")

    def has(self, key: str) -> bool:
        """Whether the object has this key, be it null."""
        return key in self._object()

    def __getitem__(self, key: str) -> Field:
        """The object's member; its value is None where there is none."""
        return Field(self._object().get(key), self, key)

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
            yield Field(element, self, number)

    def text(self, *, default: str | None = None) -> str:
        """A text; `default` where the field is absent, unless it is required."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self.wrong("is missing" if self.value is None else "is not text")
        return self.value

    def text_at(self, key: str, *, default: str | None = None) -> str:
        """As `self[key].text()`; a field is made only where that fails."""
        value = self._object().get(key, default)
        if type(value) is str:
            return value
        return Field(value, self, key).text(default=default)

    def texts(self) -> Mapping[str, str]:
        """A map of text to text; empty where the field is absent."""
        found = self._object()
        if not found:
            return _NO_TEXTS
        return MappingProxyType({key: Field(text, self, key).text() for key, text in found.items()})

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
            return _platform(
                self.text_at("os"),
                self.text_at("architecture"),
                self.text_at("variant", default=""),
                self.text_at("os.version", default=""),
                tuple(feature.text() for feature in features),
            )
        except InvalidPlatform as error:
            raise self.wrong(f"is not a platform: {error.what}") from error

    def descriptor(self, platform: Platform | None = None) -> Descriptor:
        """A descriptor (image-spec descriptor.md).

        Args:
            platform: what an index says of it; its own `platform` is not looked at.
        """
        # Thousands at a time are read, and nearly all are well: what is not, its field tells of.
        found = self._object()
        media_type, size = found.get("mediaType"), found.get("size")
        annotations, artifact_type = found.get("annotations"), found.get("artifactType")
        return Descriptor(
            # Thousands of them say one of a few words.
            media_type=sys.intern(
                media_type if type(media_type) is str else self["mediaType"].text()
            ),
            digest=self["digest"].digest(),
            size=size if type(size) is int and 0 <= size < SIZE_LIMIT else self["size"].size(),
            platform=platform,
            annotations=_NO_TEXTS if annotations is None else self["annotations"].texts(),
            artifact_type="" if artifact_type is None else self["artifactType"].text(),
        )

    def wrong(self, what: str) -> MalformedJson:
        """The error that says what is wrong here."""
        return MalformedJson(f"{safe(self.path) or 'the document'} {what}")

    def _object(self) -> dict[str, Any]:
        """The object; that of an absent field is empty, that of the whole document is required."""
        if self.value is None and self.above is not None:
            return {}
        if not isinstance(self.value, dict):
            raise self.wrong("is not an object")
        return self.value


_platform = functools.lru_cache(_PLATFORMS)(Platform)
