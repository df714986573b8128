"""What every reader of other tools' lockfiles needs: errors that name the file, and references."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import InputError
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.reference import InvalidReference, Reference
from pinner.oci.strictjson import MalformedJson, loads
from pinner.start.model import Sighting
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN: Final = 160


@contextmanager
def problems_of(file: str) -> Iterator[None]:
    """Turn whatever is wrong with a document into an `InputError` that names the file."""
    try:
        yield
    except (MalformedJson, InvalidReference, InvalidDigest) as error:
        raise InputError(error.what, where=file, mend=error.mend) from error


def read_json(data: bytes, limit: int) -> dict[str, Any]:
    """The object that a JSON document is.

    Raises:
        MalformedJson: it is another document.
    """
    document = loads(data, limit)
    if not isinstance(document, dict):
        raise MalformedJson("it is not an object")
    return document


def seen(name: str, tag: str, digest: str, where: str) -> Sighting:
    """The sighting of a repository with its tag and digest, which may be empty.

    Raises:
        InvalidReference: one of them is wrong.
        InvalidDigest: the digest is.
    """
    reference = Reference.parse(name)
    if reference.tag is not None or reference.digest is not None:
        raise InvalidReference(
            f'"{safe(name, limit=_SHOWN)}" has a tag or digest where a repository is wanted'
        )
    return Sighting(
        reference=Reference(
            reference.repository, tag or None, Digest.parse(digest) if digest else None
        ),
        where=where,
    )
