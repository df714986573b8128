"""Sixteen images in a slow registry, for sixteen processes at once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from support import registries
from support.layouts import LayoutWriter, layer
from support.pushing import push_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.registries import Registry
    from support.workspace import Workspace

CROWD: Final = 16
AMD64: Final = ("--platform", "linux/amd64")


@contextlib.contextmanager
def slow_crowd(
    folder: Path, behind: Registry, prefix: str, shared: bytes, *, rate: str, indexed: bool = False
) -> Iterator[Registry]:
    """A registry of `PREFIX/app-0:1` to `app-15:1`, each with a layer of its own and a shared one.

    Args:
        folder: a new one.
        behind: holds the images.
        prefix: of the repositories.
        shared: the layer that all have.
        rate: bytes a second for each connection, as nginx writes it.
        indexed: whether each tag names an index.
    """
    writer = LayoutWriter(folder / "layout")
    for number in range(CROWD):
        own = layer({"own": b"%s %d" % (prefix.encode(), number)})
        image = writer.image("linux/amd64", [shared, own])
        writer.name(str(number), writer.index([image]) if indexed else image)
        push_layout(behind, writer.folder, str(number), f"{prefix}/app-{number}:1")
    with registries.limited(folder / "slow", behind, rate=rate) as registry:
        yield registry


def lock_crowd(workspace: Workspace, address: str, prefix: str) -> dict[str, str]:
    """Lock all sixteen, from the registry at `address`; their references by name."""
    references = {f"app-{number}": f"{address}/{prefix}/app-{number}:1" for number in range(CROWD)}
    workspace.want(**references)
    workspace.pinner("lock")
    return references
