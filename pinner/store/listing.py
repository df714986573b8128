"""What lies in `blobs/`: each file that is named as a blob, and whatever else there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.oci.digest import Digest, InvalidDigest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.store.blobs import Blobs

_ALGORITHMS: Final = ("sha256", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Something in `blobs/`.

    Attributes:
        digest: None where the name is not that of a blob.
        stat: links not followed.
    """

    path: Path
    digest: Digest | None
    stat: os.stat_result


def listed(blobs: Blobs) -> Iterator[Listed]:
    """Everything in the folders of blobs, sorted by name; what goes meanwhile is left out.

    Raises:
        StoreError: a folder cannot be read.
    """
    for algorithm in _ALGORITHMS:
        try:
            folder = blobs.folder(algorithm, create=False)
        except FileNotFoundError:
            continue
        for name in sorted(folder.names()):
            found = folder.stat(name)
            if found is not None:
                digest = _digest(f"{algorithm}:{name}")
                yield Listed(path=folder.path / name, digest=digest, stat=found)


def _digest(text: str) -> Digest | None:
    try:
        return Digest.parse(text)
    except InvalidDigest:
        return None
