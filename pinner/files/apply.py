"""Writes what was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.fsio import write_atomic

if TYPE_CHECKING:
    from pinner.files.model import Tree


def apply_plans(tree: Tree) -> list[str]:
    """Write every file that changes: all or, where the disk refuses, as `write_atomic` says.

    Returns:
        Where something changed, as `file:line`, in the order of the files.

    Raises:
        StoreError: the disk refused, or a file is not as it was read.
    """
    changing = [file for file in tree.files if file.changes]
    write_atomic(
        {file.path: file.after for file in changing},
        expected={file.path: file.before for file in changing},
    )
    return [place.where for file in changing for place in file.places if place.after]
