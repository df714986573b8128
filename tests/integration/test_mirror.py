"""`pinner mirror` into real registries, and what `pinner sync` and `docker pull` find there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import registries
from support.layouts import LayoutWriter, layer, noise
from support.pushing import push_layout as push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry of this test's own, to mirror into."""
    with registries.plain(tmp_path / "fresh") as registry:
        yield registry


def test_first(
    plain_registry: Registry, fresh: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "mirrored/multi:1")
    push_layout(plain_registry, "mirrored/large:1", name="large")
    host = plain_registry.address
    workspace.want(multi=f"{host}/mirrored/multi:1", large=f"{host}/mirrored/large:1")
    workspace.pinner("lock")
    print(workspace.pinner("mirror", f"{fresh.address}/m", "--dry-run"))
    with fresh.recording() as seen:
        print(workspace.pinner("mirror", f"{fresh.address}/m"))
    for r in seen.requests:
        print(r.method, r.path[:120], r.status)
    with fresh.recording() as seen:
        print(workspace.pinner("mirror", f"{fresh.address}/m"))
    for r in seen.requests:
        print(r.method, r.path[:120], r.status)
    print((workspace.folder / "images.toml").read_text())
