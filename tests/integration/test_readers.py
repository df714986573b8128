"""The readers of the tests work: they read a good layout, and notice a bad one."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from support import readers
from support.containerd import Containerd, containerd
from support.programs import ProgramError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers


@pytest.fixture
def broken_layout(layout: Path, tmp_path: Path) -> Path:
    """The layout with a byte of `single`'s last layer turned."""
    copy = tmp_path / "broken"
    shutil.copytree(layout, copy)
    blobs = copy / "blobs"
    named = json.loads((copy / "index.json").read_bytes())["manifests"]
    manifest = json.loads((blobs / named[1]["digest"].replace(":", "/")).read_bytes())
    blob = blobs / manifest["layers"][-1]["digest"].replace(":", "/")
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    return copy


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Containerd]:
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    with containerd(tmp_path / "containerd") as running:
        yield running


def copied(layout: Path, folder: Path) -> None:
    readers.skopeo_copy(layout, "single", folder / "copied", home=folder)


def pulled(layout: Path, folder: Path) -> None:
    readers.podman_pull(layout, "single", home=folder)


def unpacked(layout: Path, folder: Path) -> None:
    readers.umoci_unpack(layout, "single", folder / "bundle", home=folder)


def test_skopeo_inspects_an_index(layout: Path, home: Path) -> None:
    assert len(json.loads(readers.skopeo_inspect(layout, "multi", home=home))["manifests"]) == 3


def test_skopeo_copies_blobs(layout: Path, home: Path) -> None:
    copied(layout, home)
    manifest = json.loads((home / "copied/manifest.json").read_bytes())
    assert len(manifest["layers"]) == 2


def test_podman_pulls_into_a_storage_of_its_own(layout: Path, home: Path) -> None:
    assert len(readers.podman_pull(layout, "single", home=home)) == 64


def test_umoci_unpacks(layout: Path, home: Path) -> None:
    root = readers.umoci_unpack(layout, "single", home / "bundle", home=home)
    assert (root / "app").read_bytes() == b"alone"


def test_containerd_imports_an_archive(layout: Path, tmp_path: Path, server: Containerd) -> None:
    archive = readers.archive_of(layout, tmp_path / "layout.tar")
    assert any(name.endswith(":multi") for name in readers.ctr_import(server, archive))


@pytest.mark.parametrize("read", [copied, pulled, unpacked])
def test_a_turned_byte_is_noticed(
    broken_layout: Path, home: Path, read: Callable[[Path, Path], None]
) -> None:
    with pytest.raises(ProgramError):
        read(broken_layout, home)


def test_containerd_leaves_out_what_is_incomplete(
    broken_layout: Path, tmp_path: Path, server: Containerd
) -> None:
    archive = readers.archive_of(broken_layout, tmp_path / "layout.tar")
    names = readers.ctr_import(server, archive)
    assert names
    assert not any(name.endswith(":single") for name in names)
