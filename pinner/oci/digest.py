"""Digests: `algorithm:hex`, the only names of content, and the only way to a blob's path.

image-spec descriptor.md, "Digests": `sha256` is 64 and `sha512` 128 lower-case hexadecimal digits.
A digest that parsed is safe as a path segment and in a URL; nothing else ever builds either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from pinner.errors import InputError
from pinner.terminal import safe

Buffer: TypeAlias = bytes | bytearray | memoryview
_HEX_LENGTH: Final = {"sha256": 64, "sha512": 128}
_VALID: Final = re.compile(
    "|".join(f"({name}):([0-9a-f]{{{length}}})" for name, length in _HEX_LENGTH.items())
)
_NAMES: Final = {name: name for name in _HEX_LENGTH}  # one string for all digests of an algorithm
_GRAMMAR: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}", re.ASCII
)
SHORT: Final = 12


class InvalidDigest(InputError, ValueError):  # noqa: N818 - `X.parse` raises `InvalidX`
    """Text that is not a digest that pinner can check."""

    code = "invalid-digest"


class Hasher(Protocol):
    """A running hash of one algorithm."""

    def update(self, data: Buffer, /) -> None:
        """Take more bytes."""
        ...

    def hexdigest(self) -> str:
        """The hash of all bytes so far, in lower-case hexadecimal."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A checked digest; `str()` gives `algorithm:hex` and round-trips."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """The digest that `text` spells, in the exact form and nothing around it.

        Raises:
            InvalidDigest: no digest, an algorithm other than sha256 and sha512, a wrong length,
                or upper-case digits. The messages are those of docker (registries.md 3.1).
        """
        found = _VALID.fullmatch(text)
        if found is None:
            raise _refusal(text)
        return cls(_NAMES[found[1] or found[3]], found[2] or found[4])

    @classmethod
    def of(cls, data: Buffer) -> Digest:
        """The sha256 digest of `data`."""
        import hashlib  # noqa: PLC0415 - loads OpenSSL, which `lock --check` does without

        return cls("sha256", hashlib.sha256(data).hexdigest())

    def hasher(self) -> Hasher:
        """A fresh hash of this digest's algorithm."""
        import hashlib  # noqa: PLC0415 - as above

        return hashlib.new(self.algorithm, usedforsecurity=True)

    def matches(self, data: Buffer) -> bool:
        """Whether `data` hashes to this digest."""
        hasher = self.hasher()
        hasher.update(data)
        return hasher.hexdigest() == self.hex

    @property
    def short(self) -> str:
        """The first twelve digits, for tables."""
        return self.hex[:SHORT]

    def __hash__(self) -> int:
        return hash(self.hex)  # which the string remembers; a hash of both parts would be made anew

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def _refusal(text: str) -> InvalidDigest:
    """What is wrong with a text that is not a digest, in docker's words."""
    algorithm, _, encoded = text.partition(":")
    if not _GRAMMAR.fullmatch(text):
        return InvalidDigest(f'invalid digest "{safe(text, limit=160)}"')
    length = _HEX_LENGTH.get(algorithm)
    if length is None:
        return InvalidDigest(
            f'unsupported digest algorithm "{safe(algorithm)}"',
            mend="sha256 and sha512 are supported",
        )
    if len(encoded) != length:
        return InvalidDigest(
            f"invalid checksum digest length: {algorithm} has {length} digits, not {len(encoded)}"
        )
    return InvalidDigest("invalid checksum digest format: digits are lower case")
