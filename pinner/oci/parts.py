"""References taken apart, or refused in docker's words with the mend.

`split` is docker's `Parse`, `split_normalized` its `ParseNormalizedNamed` (distribution/reference).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.oci.grammar import (
    IMAGE_ID,
    PATH_LIMIT,
    PORT_LIMIT,
    REFERENCE,
    UPPER_CASE,
    is_authority,
    split_domain,
)
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN: Final = 160
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://", re.ASCII)
_LIKE_A_DIGEST: Final = re.compile(r"(?:sha|md|blake)[0-9]+[a-z]*:", re.ASCII | re.IGNORECASE)


class InvalidReference(InputError, ValueError):  # noqa: N818 - `X.parse` raises `InvalidX`
    """Text that is not a reference, a repository, a tag or a registry's host."""

    code = "invalid-reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A reference taken apart; what is absent is empty."""

    domain: str
    path: str
    tag: str
    digest: str


def split(text: str, *, original: str | None = None) -> Parts:
    """The parts of a reference as it stands, nothing implied.

    The digest has the shape of one; whether it is one, `Digest.parse` says.

    Args:
        text: the reference.
        original: what was written, for messages, where `text` is its full form.

    Raises:
        InvalidReference: `text` is not a reference.
    """
    written = text if original is None else original
    found = REFERENCE.fullmatch(text)
    if found is None or not is_authority(found["domain"] or "localhost"):
        raise _refusal(written)
    if len(found["path"]) > PATH_LIMIT:
        raise InvalidReference(
            f"repository name must not be more than {PATH_LIMIT} characters: "
            f'"{safe(written, limit=_SHOWN)}"'
        )
    return Parts(**found.groupdict(default=""))


def split_normalized(text: str) -> Parts:
    """The parts of the full reference that `text` means.

    Raises:
        InvalidReference: `text` is not a reference, or docker would take it for an image ID. A
            user or password before the host is not repeated in the message.
    """
    if not text or _has_userinfo(text) or _SCHEME.match(text):
        raise _refusal(text)
    if IMAGE_ID.fullmatch(text):
        raise InvalidReference(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings",
            mend="an image ID names no repository: write repository@sha256:…",
        )
    domain, rest = split_domain(text)
    repository = re.split("[:@]", rest, maxsplit=1)[0]
    if UPPER_CASE.search(repository):
        raise InvalidReference(
            f"invalid reference format: repository name ({safe(repository, limit=_SHOWN)}) "
            "must be lowercase"
        )
    return split(f"{domain}/{rest}", original=text)


def _has_userinfo(text: str) -> bool:
    """Whether an `@` stands before what cannot be a digest, so that a secret may precede it."""
    _, at, tail = text.rpartition("@")
    return bool(at) and not _LIKE_A_DIGEST.match(tail) and not REFERENCE.fullmatch(text)


def _refusal(text: str) -> InvalidReference:
    """Why `text` is no reference, and what to write instead."""
    if not text:
        return InvalidReference(
            "repository name must have at least one component",
            mend='write a name such as "debian:bookworm"',
        )
    if _has_userinfo(text):
        return InvalidReference(
            f'invalid reference format: "…@{safe(text.rpartition("@")[2], limit=_SHOWN)}"',
            mend="a reference holds no user or password; `pinner login` stores them",
        )
    shown = safe(text, limit=_SHOWN)
    if UPPER_CASE.search(text) and text.isascii() and REFERENCE.fullmatch(text.lower()):
        return InvalidReference(f'repository name must be lowercase: "{shown}"')
    return InvalidReference(f'invalid reference format: "{shown}"', mend=next(_mends(text), ()))


def _mends(text: str) -> Iterator[str]:
    """What may be wrong, a fault that hides others before those."""
    host, slash, _ = text.partition("/")
    if scheme := _SCHEME.match(text):
        yield f'leave out "{scheme[0]}": a reference starts with the registry or the repository'
    if any(character.isspace() or not character.isprintable() for character in text):
        yield "it has a space or a control character in it"
    if slash and not host.isascii():
        yield _punycode(host)
    if not text.isascii():
        yield "only ASCII letters, digits and . _ - / : @ are allowed"
    if "@" in text:
        digest = safe(text.partition("@")[2], limit=_SHOWN)
        yield f'"{digest}" is not a digest: sha256: and 64 lower-case digits'
    if slash and is_authority(host.rpartition(":")[0]) and not is_authority(host):
        yield f"a port is a number from 1 to {PORT_LIMIT}"
    name, colon, tag = text.rpartition(":")
    if colon and "/" not in tag and REFERENCE.fullmatch(name):
        yield "a tag has 1 to 128 letters, digits, _ . - and does not begin with . or -"


def _punycode(host: str) -> str:
    """A host with foreign letters, shown as what it is: this tells look-alikes apart."""
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        return "write the host in ASCII"
    return f'write the host in ASCII (punycode): "{safe(ascii_host)}", if that is what you mean'
