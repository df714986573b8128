"""What `pinner sync` made of real registries' images, read by skopeo, podman, umoci, containerd."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support import readers
from support.containerd import containerd
from support.layouts import LayoutWriter, layer
from support.programs import ProgramError
from support.pushing import push_layout, skopeo_inspect
from support.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.containerd import Containerd
    from support.registries import Registry

pytestmark = pytest.mark.servers

HOST = "linux/arm64" if os.uname().machine in {"aarch64", "arm64"} else "linux/amd64"
OTHERS = [one for one in ("linux/amd64", "linux/arm64", "linux/arm/v7") if one != HOST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """A store after a sync.

    Attributes:
        index: the name of a multi-platform image, by its tag.
        member: the name of the host's image of it, by its digest.
        lone: the name of an image for the host alone.
        raw: the manifests and indexes that the registry serves, by name.
    """

    store: Path
    index: str
    member: str
    lone: str
    raw: dict[str, str]

    def manifest(self, name: str) -> dict[str, Any]:
        """The manifest for the host that a name stands for."""
        document: dict[str, Any] = json.loads(self.raw[name])
        return self.manifest(self.member) if "manifests" in document else document


@pytest.fixture(scope="module", params=["sparse", "whole"])
def synced(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    plain_registry: Registry,
) -> Synced:
    """Three images that share a layer, synced for the host's platform, or for all."""
    folder = tmp_path_factory.mktemp(request.param)
    writer = LayoutWriter(folder / "layout")
    shared = layer({"shared": b"by all"})
    members = [
        writer.image(platform, [shared, layer({"app": platform.encode()})])
        for platform in (*OTHERS, HOST)
    ]
    writer.name("index", writer.index(members))
    writer.name("lone", writer.image(HOST, [shared, layer({"app": b"alone"})]))
    writer.name("shared", writer.image(HOST, [shared]))
    workspace = Workspace(folder / "workspace")
    references = {}
    for name in ("index", "lone", "shared"):
        push_layout(plain_registry, writer.folder, name, f"read/{name}:1.0")
        references[name] = f"{plain_registry.address}/read/{name}:1.0"
    workspace.want(**references)
    workspace.pinner("lock")
    platforms = ("--all-platforms",) if request.param == "whole" else ("--platform", HOST)
    workspace.pinner("sync", *platforms)
    digest = members[-1]["digest"]
    return Synced(
        store=workspace.store,
        index=references["index"],
        member=f"{plain_registry.address}/read/index@{digest}",
        lone=references["lone"],
        raw={
            references["index"]: skopeo_inspect(plain_registry, "read/index:1.0", "--raw"),
            references["lone"]: skopeo_inspect(plain_registry, "read/lone:1.0", "--raw"),
            f"{plain_registry.address}/read/index@{digest}": skopeo_inspect(
                plain_registry, f"read/index@{digest}", "--raw"
            ),
        },
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Containerd]:
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    with containerd(tmp_path / "containerd") as running:
        yield running


@pytest.fixture(params=["index", "member", "lone"])
def name(request: pytest.FixtureRequest, synced: Synced) -> str:
    found: str = getattr(synced, request.param)
    return found


def test_skopeo_inspects_the_very_bytes_of_the_registry(
    synced: Synced, name: str, home: Path
) -> None:
    assert readers.skopeo_inspect(synced.store, name, home=home) == synced.raw[name]


def test_skopeo_copies_the_hosts_image(synced: Synced, name: str, home: Path) -> None:
    readers.skopeo_copy(synced.store, name, home / "copied", home=home)
    copied = json.loads((home / "copied/manifest.json").read_bytes())
    assert copied == synced.manifest(name)
    for blob in (copied["config"], *copied["layers"]):
        file = home / "copied" / blob["digest"].removeprefix("sha256:")
        assert file.stat().st_size == blob["size"]


def test_podman_pulls_the_image_id_of_the_registry(synced: Synced, name: str, home: Path) -> None:
    config = synced.manifest(name)["config"]["digest"]
    assert f"sha256:{readers.podman_pull(synced.store, name, home=home)}" == config


@pytest.mark.parametrize(("which", "content"), [("member", HOST), ("lone", "alone")])
def test_umoci_unpacks(synced: Synced, home: Path, which: str, content: str) -> None:
    root = readers.umoci_unpack(synced.store, getattr(synced, which), home / "bundle", home=home)
    assert (root / "app").read_text() == content
    assert (root / "shared").read_text() == "by all"


def test_containerd_imports_an_archive(synced: Synced, tmp_path: Path, server: Containerd) -> None:
    archive = readers.archive_of(synced.store, tmp_path / "store.tar")
    server.ctr("images", "import", "--no-unpack", str(archive))
    assert {synced.index, synced.member, synced.lone} <= set(
        server.ctr("images", "check", "--quiet").split()
    )


@pytest.mark.parametrize("synced", ["whole"], indirect=True)
class TestAllPlatforms:
    def test_skopeo_copies_every_platform(self, synced: Synced, home: Path) -> None:
        readers.skopeo_copy(synced.store, synced.index, home / "copied", "--all", home=home)
        copied = json.loads((home / "copied/manifest.json").read_bytes())
        assert copied == json.loads(synced.raw[synced.index])
        assert all(
            (home / f"copied/{one['digest'].removeprefix('sha256:')}.manifest.json").exists()
            for one in copied["manifests"]
        )

    def test_containerd_imports_every_platform(
        self, synced: Synced, tmp_path: Path, server: Containerd
    ) -> None:
        archive = readers.archive_of(synced.store, tmp_path / "store.tar")
        assert synced.index in readers.ctr_import(server, archive)


def test_dockers_own_media_types_are_for_containerd_alone(
    tmp_path: Path,
    plain_registry: Registry,
    layout: Path,
    workspace: Workspace,
    home: Path,
    server: Containerd,
) -> None:
    """As docs/store.md says: to convert them would change their digests."""
    push_layout(plain_registry, layout, "multi", "read/docker:1", "--format=v2s2")
    name = f"{plain_registry.address}/read/docker:1"
    workspace.want(app=name)
    workspace.pinner("lock")
    workspace.pinner("sync", "--platform", HOST)
    archive = readers.archive_of(workspace.store, tmp_path / "store.tar")
    server.ctr("images", "import", "--no-unpack", str(archive))
    assert name in server.ctr("images", "check", "--quiet").split()
    with pytest.raises(ProgramError, match="no descriptor found"):
        readers.skopeo_inspect(workspace.store, name, home=home)
