"""What other tools read of pinner's store, and write into it (docs/store.md)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.store.names import NamedDescriptor
from pinner.store.verify import verify
from support import readers
from support.containerd import containerd
from support.layouts import LayoutWriter, layer
from support.programs import ProgramError, run
from support.storing import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.store.layout import Store

pytestmark = pytest.mark.servers

TAG = "docker.io/library/app:1.0"
OTHER = "localhost:5000/team/app:2"


class Source:
    """A layout made by hand, of which a store takes what a sync would."""

    def __init__(self, folder: Path) -> None:
        writer = LayoutWriter(folder)
        self.folder = folder
        architecture = "arm64" if os.uname().machine in {"aarch64", "arm64"} else "amd64"
        other = "amd64" if architecture == "arm64" else "arm64"
        self.image = writer.image(f"linux/{architecture}", [layer({"app": b"for this host"})])
        self.index = writer.index([writer.image(f"linux/{other}", [layer({"x": b""})]), self.image])

    def put(self, store: Store, digest: str) -> bytes:
        data = (self.folder / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()
        store.put(Digest.parse(digest), data)
        return data


def named(name: str, descriptor: dict[str, Any]) -> NamedDescriptor:
    return NamedDescriptor(
        name=name,
        descriptor=Descriptor(
            media_type=descriptor["mediaType"],
            digest=Digest.parse(descriptor["digest"]),
            size=descriptor["size"],
        ),
    )


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source")


@pytest.fixture
def store(tmp_path: Path, source: Source) -> Path:
    """A store with the index of two platforms, and the blobs of the host's alone."""
    with open_store(tmp_path / "store") as store:
        source.put(store, source.index["digest"])
        manifest = json.loads(source.put(store, source.image["digest"]))
        for blob in (manifest["config"], *manifest["layers"]):
            source.put(store, blob["digest"])
        by_digest = f"docker.io/library/app@{source.image['digest']}"
        store.name_images(
            [
                named(TAG, source.index),
                named(by_digest, source.image),
                named(OTHER, source.image),
            ]
        )
    return tmp_path / "store"


@pytest.fixture
def names(source: Source) -> list[str]:
    return [TAG, f"docker.io/library/app@{source.image['digest']}", OTHER]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["index", "by digest", "manifest"])
def test_skopeo_and_podman_read_every_name(
    store: Path, names: list[str], home: Path, which: int
) -> None:
    assert json.loads(readers.skopeo_inspect(store, names[which], home=home))
    readers.skopeo_copy(store, names[which], home / "copied", home=home)
    assert len(json.loads((home / "copied/manifest.json").read_bytes())["layers"]) == 1
    assert len(readers.podman_pull(store, names[which], home=home)) == 64


@pytest.mark.parametrize("which", [1, 2], ids=["by digest", "manifest"])
def test_umoci_unpacks_what_names_one_manifest(
    store: Path, names: list[str], home: Path, which: int
) -> None:
    root = readers.umoci_unpack(store, names[which], home / "bundle", home=home)
    assert (root / "app").read_bytes() == b"for this host"


def test_umoci_knows_no_platforms(store: Path, home: Path) -> None:
    """Which is why docs/store.md sends its users to the name with the digest."""
    with pytest.raises(ProgramError, match="ambiguous"):
        readers.umoci_unpack(store, TAG, home / "bundle", home=home)


def test_containerd_imports_by_the_full_names(
    store: Path, names: list[str], tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    archive = readers.archive_of(store, tmp_path / "store.tar")
    with containerd(tmp_path / "containerd") as server:
        server.ctr("images", "import", "--no-unpack", str(archive))
        assert set(server.ctr("images", "check", "--quiet").split()) == set(names)


def test_what_skopeo_writes_into_a_store_survives_pinner(
    store: Path, names: list[str], home: Path
) -> None:
    run(
        *("skopeo", "--insecure-policy", "copy", "--quiet"),
        *(f"oci:{store}:{OTHER}", f"oci:{store}:skopeos"),
        home=home,
    )
    with open_store(store) as opened:
        moved = opened.images()[0]
        opened.name_images([NamedDescriptor(name="new:1", descriptor=moved.descriptor)])
        assert [image.name for image in opened.images()] == [*names, "skopeos", "new:1"]
        assert verify(opened, jobs=2).findings == ()
    assert json.loads(readers.skopeo_inspect(store, "skopeos", home=home))


@pytest.mark.parametrize("name", ["docker.io/library/a__b:1", "docker.io/library/a:_1"])
def test_names_that_the_image_specification_has_no_grammar_for(
    store: Path, home: Path, name: str
) -> None:
    """Legal for registries, not for `oci:` paths: docs/store.md says so."""
    with open_store(store) as opened:
        opened.name_images([NamedDescriptor(name=name, descriptor=opened.images()[0].descriptor)])
    with pytest.raises(ProgramError):
        readers.skopeo_inspect(store, name, home=home)
