"""Opening a store's folder: whose it is, whether it is an OCI layout, and making a new one.

`oci-layout` (image-spec image-layout.md) is written last, under the lock, so a folder that has it
is complete. A folder with `.pinner` but without it is one of ours whose making was cut short.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pinner.errors import StoreError
from pinner.oci import strictjson
from pinner.oci.fields import Field
from pinner.oci.strictjson import MalformedJson
from pinner.store.blobs import BLOBS
from pinner.store.control import CONTROL, control_held
from pinner.store.fs import Folder, store_error
from pinner.store.names import EMPTY_INDEX, INDEX_FILE
from pinner.terminal import safe

if TYPE_CHECKING:
    from pathlib import Path

LAYOUT_FILE: Final = "oci-layout"
_KEY: Final = "imageLayoutVersion"
_VERSION: Final = "1.0.0"
_LIMIT: Final = 64 * 1024
_SHOWN: Final = 80
# A fresh file system's own folder: a store may be a mount point.
_NOT_CONTENT: Final = frozenset({CONTROL, "lost+found"})


class NoStore(StoreError):  # noqa: N818 - an answer
    """There is no store at this path, and none was to be made."""

    code = "no-store"


def open_root(path: Path, *, create: bool) -> Folder:
    """The open folder of the store at `path`, which is then known to be ours and a layout.

    An existing store is only read. A new one is made where `create` says so, with its parents.

    Raises:
        NoStore: nothing there, or an empty folder, and `create` is off.
        StoreError: another user's, writable by everybody, another kind of folder, of an unknown
            layout version, or the disk refused.
    """
    try:
        root = Folder.at(path)
    except FileNotFoundError:
        if not create:
            raise _no_store(path) from None
        root = _make_root(path)
    try:
        _open_layout(root, create=create)
    except BaseException:
        root.close()
        raise
    return root


def _make_root(path: Path) -> Folder:
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        return Folder.at(path)
    except OSError as error:
        raise store_error(error, path, "cannot be made") from error


def _open_layout(root: Folder, *, create: bool) -> None:
    if _has_layout(root):
        return
    names = set(root.names())
    if names - _NOT_CONTENT and CONTROL not in names:
        raise StoreError(
            f"is not a store: the folder is not empty and has no {LAYOUT_FILE} file",
            where=safe(str(root.path)),
            mend="choose an empty or new folder with --store or PINNER_STORE",
        )
    if not create:
        raise _no_store(root.path)
    with control_held(root) as held:
        if _has_layout(root):  # another process was faster
            return
        # What tells a store of ours from a stranger's folder must outlast a power cut first.
        root.sync()
        if root.stat(INDEX_FILE) is None:
            held.replace(root, INDEX_FILE, EMPTY_INDEX)
        root.folder(BLOBS, create=True).close()
        held.replace(root, LAYOUT_FILE, json.dumps({_KEY: _VERSION}).encode("ascii"))


def _has_layout(root: Folder) -> bool:
    try:
        data = root.read(LAYOUT_FILE, _LIMIT)
    except FileNotFoundError:
        return False
    where = safe(str(root.path / LAYOUT_FILE))
    try:
        version = Field(strictjson.loads(data, _LIMIT))[_KEY].text()
    except MalformedJson as error:
        raise StoreError(
            f"is damaged: {error.what}",
            where=where,
            mend=f'an intact one is: {{"{_KEY}": "{_VERSION}"}}',
        ) from error
    if version != _VERSION:
        raise StoreError(
            f'is of layout version "{safe(version, limit=_SHOWN)}", and pinner knows {_VERSION}',
            where=where,
            mend="upgrade pinner, or choose another store with --store or PINNER_STORE",
        )
    return True


def _no_store(path: Path) -> NoStore:
    return NoStore("there is no store yet", where=safe(str(path)), mend="`pinner sync` makes one")
