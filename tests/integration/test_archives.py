"""`pinner export`: every engine that docs/archives.md names loads what the store has."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from support import pushing, readers
from support.containerd import Containerd, containerd
from support.dockerd import client
from support.layouts import LAYER, LayoutWriter, layer
from support.programs import ProgramError, clean_environment, find, require, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.dockerd import Dockerd
    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

# What `kind load image-archive` runs in each node (kind v0.20, nodeutils.LoadImageArchive), but
# for the node's own snapshotter.
KIND = ("--namespace=k8s.io", "images", "import", "--all-platforms", "--digests")
HOST = "arm64" if os.uname().machine in {"aarch64", "arm64"} else "amd64"


@pytest.fixture(scope="module")
def pushed(plain_registry: Registry, push_layout: PushLayout) -> Registry:
    push_layout(plain_registry, "archived/multi:1", name="multi")
    push_layout(plain_registry, "archived/single:2", name="single")
    push_layout(plain_registry, "archived/large:3", name="large")
    return plain_registry


@pytest.fixture
def synced(workspace: Workspace, pushed: Registry) -> Workspace:
    """A project of three images for this platform, in the store."""
    images = {"multi": "multi:1", "single": "single:2", "large": "large:3"}
    workspace.want(**{name: f"{pushed.address}/archived/{at}" for name, at in images.items()})
    workspace.pinner("lock")
    workspace.pinner("sync")
    return workspace


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Containerd]:
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    with containerd(tmp_path / "containerd") as running:
        yield running


def exported(workspace: Workspace, *argv: str) -> Path:
    archive = workspace.folder / "images.tar"
    workspace.pinner("export", *argv, "-o", "images.tar")
    return archive


def piped(workspace: Workspace, reader: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """`pinner export … | reader`, by a shell."""
    pinner = shlex.join([sys.executable, "-P", "-m", "pinner", "export", *argv])
    return subprocess.run(
        ["sh", "-c", f"{pinner} | {reader}"],
        cwd=workspace.folder,
        env=clean_environment(workspace.home, {"PINNER_STORE": str(workspace.store)}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def index_of(archive: Path) -> dict[str, str]:
    """The digest that each name of index.json stands for."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile("index.json")
        assert file is not None
        entries = json.load(file)["manifests"]
    return {
        entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"]
        for entry in entries
    }


def spoil(workspace: Workspace) -> str:
    """Turn a byte in the largest blob of the store; its digest."""
    digest, _ = max(workspace.blobs().items(), key=lambda item: item[1])
    blob = workspace.store / "blobs" / digest.replace(":", "/")
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(data)
    return digest


def test_docker_loads_the_images_that_it_would_pull(
    docker_daemon: Dockerd, pushed: Registry, synced: Workspace
) -> None:
    names = [f"{pushed.address}/archived/{name}" for name in ("large:3", "multi:1", "single:2")]
    docker_daemon.forget()
    for name in names:
        docker_daemon.docker("pull", name)
    pulled = {name: docker_daemon.image_id(name) for name in names}
    docker_daemon.forget()
    said = docker_daemon.load(exported(synced))
    assert said.splitlines() == [f"Loaded image: {name}" for name in names]
    assert {name: docker_daemon.image_id(name) for name in names} == pulled


def test_one_command_through_a_pipe(
    docker_daemon: Dockerd, pushed: Registry, synced: Workspace
) -> None:
    docker_daemon.forget()
    load = shlex.join(["env", f"DOCKER_HOST={docker_daemon.host}", client(), "load"])
    ran = piped(synced, load, "multi", "single")
    assert ran.returncode == 0, ran.stderr
    assert sorted(ran.stdout.splitlines()) == [
        f"Loaded image: {pushed.address}/archived/multi:1",
        f"Loaded image: {pushed.address}/archived/single:2",
    ]
    assert "Wrote 2 images for linux/" in ran.stderr


def test_docker_shows_the_short_form_of_a_name_of_its_hub(
    docker_daemon: Dockerd, workspace: Workspace, layout: Path
) -> None:
    named_in_store(workspace, layout, "single", "docker.io/library/app:1")
    docker_daemon.forget()
    assert docker_daemon.load(exported(workspace, "app:1")) == "Loaded image: app:1\n"


def test_two_names_of_one_image(
    docker_daemon: Dockerd, workspace: Workspace, layout: Path, home: Path
) -> None:
    names = ["docker.io/library/app:1", "docker.io/team/alias:2"]
    for name in names:
        named_in_store(workspace, layout, "single", name)
    archive = exported(workspace, "--all")
    docker_daemon.forget()
    assert docker_daemon.load(archive) == "Loaded image: app:1\nLoaded image: team/alias:2\n"
    assert docker_daemon.image_id("app:1") == docker_daemon.image_id("team/alias:2")
    with readers.podman(home) as podman:
        assert sorted(readers.podman_load(podman, archive, home=home)) == names


def test_names_that_layouts_have_no_grammar_for(
    docker_daemon: Dockerd,
    workspace: Workspace,
    layout: Path,
    server: Containerd,
    home: Path,
) -> None:
    """Legal for registries and docker (docs/store.md); skopeo cannot even write them."""
    name = "registry.example:5000/te-am/a__b--c.d:_V1.0--RC_2"
    named_in_store(workspace, layout, "single", "docker.io/library/app:1")
    index = workspace.store / "index.json"
    index.write_text(index.read_text().replace("docker.io/library/app:1", name))
    archive = exported(workspace, name)
    assert docker_daemon.load(archive) == f"Loaded image: {name}\n"
    with readers.podman(home) as podman:
        assert readers.podman_load(podman, archive, home=home).keys() == {name}
    server.ctr("images", "import", "--no-unpack", str(archive))
    assert server.ctr("images", "check", "--quiet").split() == [name]


def test_an_image_by_digest_alone(
    docker_daemon: Dockerd,
    workspace: Workspace,
    pushed: Registry,
    server: Containerd,
    home: Path,
) -> None:
    """Of an index that is not all there, so that the name is that of the manifest."""
    repository = f"{pushed.address}/archived/multi"
    raw = pushing.skopeo_inspect(pushed, "archived/multi:1", "--raw").encode()
    workspace.want(app=f"{repository}@sha256:{hashlib.sha256(raw).hexdigest()}")
    workspace.pinner("lock")
    workspace.pinner("sync")
    archive = exported(workspace)
    (platform,) = [
        platform
        for platform in workspace.document("inspect", "app")["platforms"]
        if platform["stored"]
    ]
    assert index_of(archive) == {f"{repository}@{platform['digest']}": platform["digest"]}
    docker_daemon.forget()
    assert docker_daemon.load(archive) == f"Loaded image ID: {platform['image_id']}\n"
    with readers.podman(home) as podman:
        assert list(readers.podman_load(podman, archive, home=home).values()) == [
            platform["digest"]
        ]
    server.ctr("images", "import", "--no-unpack", str(archive))
    assert server.ctr("images", "check", "--quiet").split() == list(index_of(archive))


def test_podman_loads_one_image_with_its_digest(synced: Workspace, home: Path) -> None:
    locked = synced.document("inspect", "multi")["platforms"]
    archive = exported(synced, "multi")
    with readers.podman(home) as podman:
        assert set(readers.podman_load(podman, archive, home=home).values()) == {
            platform["digest"] for platform in locked if platform["platform"] == f"linux/{HOST}"
        }


def test_podman_loads_several_images_by_their_full_names(
    workspace: Workspace, layout: Path, home: Path
) -> None:
    names = {"docker.io/library/app:1", "docker.io/team/other:2"}
    for name, source in zip(sorted(names), ("single", "large"), strict=True):
        named_in_store(workspace, layout, source, name)
    with readers.podman(home) as podman:
        assert readers.podman_load(podman, exported(workspace, "--all"), home=home).keys() == names


def test_containerd_imports_by_the_full_names(synced: Workspace, server: Containerd) -> None:
    archive = exported(synced)
    server.ctr("images", "import", "--no-unpack", str(archive))
    assert set(server.ctr("images", "check", "--quiet").split()) == index_of(archive).keys()


@pytest.mark.parametrize(
    "argv",
    [(), ("--platform", "linux/amd64", "--platform", "linux/arm64"), ("--all-platforms",)],
    ids=["this platform", "two of three", "all"],
)
def test_what_kind_runs_in_its_nodes(
    synced: Workspace, server: Containerd, argv: tuple[str, ...]
) -> None:
    """Kind itself is not run: this is its command."""
    synced.pinner("sync", *argv, "multi")
    archive = exported(synced, *argv, "multi")
    server.ctr(*KIND, "--snapshotter=native", str(archive))
    listed = server.ctr("--namespace=k8s.io", "images", "list", "--quiet").split()
    assert set(listed) >= index_of(archive).keys()


def test_a_pod_that_names_the_index_digest_finds_it_under_a_tag_for_that(
    synced: Workspace, pushed: Registry, server: Containerd
) -> None:
    """As docs/archives.md tells users of kind and k3s whose files are pinned."""
    archive = exported(synced, "multi")
    server.ctr("images", "import", "--no-unpack", str(archive))
    name = f"{pushed.address}/archived/multi"
    pinned = f"{name}@{synced.document('inspect', 'multi')['digest']}"
    server.ctr("images", "tag", f"{name}:1", pinned)
    assert pinned in server.ctr("images", "check", "--quiet").split()


@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
def test_skopeo_copies_one_of_several(
    synced: Workspace, pushed: Registry, home: Path, transport: str
) -> None:
    archive = exported(synced)
    source = f"{transport}:{archive}:{pushed.address}/archived/multi:1"
    run("skopeo", "--insecure-policy", "copy", "--quiet", source, f"dir:{home}/copy", home=home)
    config = json.loads((home / "copy/manifest.json").read_bytes())["config"]["digest"]
    platforms = synced.document("inspect", "multi")["platforms"]
    assert config in {platform.get("image_id") for platform in platforms}


def test_skopeo_copies_all_platforms_of_an_archive_into_a_registry(
    synced: Workspace, pushed: Registry, home: Path
) -> None:
    """Complete, the index keeps its digest."""
    synced.pinner("sync", "--all-platforms")
    archive = exported(synced, "multi", "--all-platforms")
    pushing.skopeo_copy(
        pushed, f"oci-archive:{archive}", f"docker://{pushed.address}/archived/copy:1"
    )
    raw = pushing.skopeo_inspect(pushed, "archived/copy:1", "--raw").encode()
    assert (
        f"sha256:{hashlib.sha256(raw).hexdigest()}" == synced.document("inspect", "multi")["digest"]
    )


def test_skopeo_copies_some_platforms_by_an_index_of_their_own(
    synced: Workspace, pushed: Registry
) -> None:
    platforms = ("--platform", "linux/arm64", "--platform", "linux/amd64")
    synced.pinner("sync", *platforms, "multi")
    archive = exported(synced, *platforms, "multi")
    target = f"docker://{pushed.address}/archived/some:1"
    pushing.skopeo_copy(pushed, f"oci-archive:{archive}", target)
    copied = json.loads(pushing.skopeo_inspect(pushed, "archived/some:1", "--raw"))["manifests"]
    locked = {
        platform["platform"]: platform["digest"]
        for platform in synced.document("inspect", "multi")["platforms"]
    }
    assert [entry["digest"] for entry in copied] == [locked["linux/amd64"], locked["linux/arm64"]]


def test_unpacked_it_is_a_store_and_a_layout(
    synced: Workspace, pushed: Registry, home: Path
) -> None:
    archive = exported(synced)
    unpacked = synced.folder / "unpacked"
    unpacked.mkdir()
    run("tar", "-C", str(unpacked), "-xf", str(archive), home=home)
    store = ("--store", str(unpacked))
    verified = synced.document("verify", *store)
    assert (verified["sound"], verified["images"]) == (True, 3)
    name = f"{pushed.address}/archived/multi:1"
    root = readers.umoci_unpack(unpacked, name, home / "bundle", home=home)
    assert (root / "app").read_bytes() == f"linux/{HOST}".encode()
    # The indexes are there too, so nothing has to be asked for; and out comes what went in.
    assert synced.document("sync", "--offline", *store)["complete"]
    before = archive.read_bytes()
    archive.unlink()
    assert exported(synced, *store).read_bytes() == before


def test_docker_s_own_media_types(
    docker_daemon: Dockerd, workspace: Workspace, pushed: Registry, layout: Path, home: Path
) -> None:
    """Which readers of OCI layouts refuse: docker's form is there for them."""
    target = f"docker://{pushed.address}/archived/v2s2:1"
    pushing.skopeo_copy(pushed, f"oci:{layout}:single", target, "--format=v2s2")
    workspace.want(app=f"{pushed.address}/archived/v2s2:1")
    workspace.pinner("lock")
    workspace.pinner("sync", "--platform", "linux/amd64")
    archive = exported(workspace, "--platform", "linux/amd64")
    assert docker_daemon.load(archive).startswith("Loaded image: ")
    with readers.podman(home) as podman:
        loaded = readers.podman_load(podman, archive, home=home)
    assert loaded.keys() == {f"{pushed.address}/archived/v2s2:1"}


def test_zstd_layers(
    docker_daemon: Dockerd, workspace: Workspace, tmp_path: Path, home: Path
) -> None:
    """What the note says: this docker, 20.10, cannot load them."""
    require("zstd")
    writer = LayoutWriter(tmp_path / "zstd")
    plain = layer({"app": b"packed"})
    image = writer.image(f"linux/{HOST}", [plain])
    manifest = json.loads(blob(writer.folder, image["digest"]))
    packed = subprocess.run(
        ["sh", "-c", "gzip -dc | zstd -q -c"], input=plain, capture_output=True, check=True
    ).stdout
    manifest["layers"] = [writer.blob(LAYER.replace("gzip", "zstd"), packed)]
    data = json.dumps(manifest).encode()
    writer.name("zstd", writer.blob(image["mediaType"], data))
    named_in_store(workspace, writer.folder, "zstd", "docker.io/library/zstd:1")
    ran = workspace.pinner("export", "zstd:1", "-o", "images.tar")
    assert ran.err == "warning: zstd:1 has zstd layers, which docker before 23.0 cannot load\n"
    archive = workspace.folder / "images.tar"
    with pytest.raises(ProgramError):
        docker_daemon.load(archive)
    with readers.podman(home) as podman:
        assert readers.podman_load(podman, archive, home=home).keys() == {
            "docker.io/library/zstd:1"
        }


def test_a_corrupt_blob_reaches_no_reader(
    docker_daemon: Dockerd, synced: Workspace, server: Containerd, home: Path
) -> None:
    digest = spoil(synced)
    docker_daemon.forget()
    load = shlex.join(["env", f"DOCKER_HOST={docker_daemon.host}", client(), "load"])
    ran = piped(synced, load)
    assert ran.returncode != 0
    assert "Loaded image" not in ran.stdout
    assert f"blob {digest} is corrupt in the store" in ran.stderr
    assert docker_daemon.docker("images", "--quiet") == ""
    assert piped(synced, "tar -t").returncode != 0
    ctr = shlex.join([find("ctr") or "ctr", *server.arguments[1:]])
    assert piped(synced, f"{ctr} images import -").returncode != 0
    assert server.ctr("images", "list", "--quiet") == ""


def blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()


def named_in_store(workspace: Workspace, layout: Path, source: str, name: str) -> None:
    """Let the workspace's store have an image of a layout under a name of any registry."""
    run(
        *("skopeo", "--insecure-policy", "copy", "--quiet", "--all"),
        *(f"oci:{layout}:{source}", f"oci:{workspace.store}:{name}"),
        home=workspace.home,
    )
