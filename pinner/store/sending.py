"""A blob of the store as something to send: read from any place, again where that is needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pinner.errors import IntegrityError, StoreError
from pinner.fsio import release
from pinner.store.fs import store_error
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.oci.digest import Digest
    from pinner.store.blobs import Blobs

# What a connection takes at once: less costs more calls, more only memory.
_PIECE: Final = 128 * 1024


class StoredBlob:
    """The content of a blob that the store has: a `BlobContent`.

    Nothing is hashed here: whoever takes the bytes checks them against the digest.
    """

    def __init__(self, blobs: Blobs, digest: Digest) -> None:
        self._blobs = blobs
        self._digest = digest

    def pieces(self, start: int, end: int) -> Iterator[memoryview]:
        """The bytes [start, end) in order, in pieces that are valid until the next.

        Raises:
            IntegrityError: the file is shorter.
            StoreError: it is gone, no regular file, or unreadable.
        """
        path = self._blobs.path(self._digest)
        folder = self._blobs.folder(self._digest.algorithm, create=False)
        try:
            fd = folder.open_file(self._digest.hex, os.O_RDONLY)
        except FileNotFoundError as error:
            raise StoreError(f"the store lost blob {self._digest}", mend="run again") from error
        try:
            buffer = memoryview(bytearray(min(_PIECE, max(end - start, 1))))
            while start < end:
                try:
                    count = os.preadv(fd, [buffer[: end - start]], start)
                except OSError as error:
                    raise store_error(error, path, "cannot be read") from error
                if not count:
                    raise IntegrityError(
                        f"blob {self._digest} is too short in the store",
                        where=safe(str(path)),
                        mend="run `pinner verify --repair`",
                    )
                yield buffer[:count]
                start += count
        finally:
            release(fd)
