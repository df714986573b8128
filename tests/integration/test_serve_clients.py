"""docker, podman, containerd and skopeo pull from `pinner serve`: by name, and as from a mirror."""

from __future__ import annotations

import base64
import json
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pinner.oci.manifest import Manifest, parse_manifest
from support.containerd import containerd
from support.dockerd import dockerd
from support.images import DOCKER, image, index, layer
from support.programs import ProgramError, require, run
from support.serving import fill, pinner_serve
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.containerd import Containerd
    from support.dockerd import Dockerd
    from support.images import Image
    from support.registries import Registry
    from support.serving import PinnerServe
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

BASE = layer("base", 50_000)
DEBIAN = index(image("linux/amd64", BASE), image("linux/arm64", BASE))
LOKI = index("linux/amd64", flavour=DOCKER)
APP = index(image("linux/amd64", BASE, layer("app")), "linux/arm64")
LAN = image("linux/amd64", layer("lan"))
IMAGES = {
    "docker.io/library/debian:bookworm": DEBIAN,
    "docker.io/grafana/loki:3": LOKI,
    "ghcr.io/acme/app:1": APP,
    "registry.lan:5000/team/app:2": LAN,
}
FULL = {
    "docker.io/library/debian:bookworm": DEBIAN,
    "debian:bookworm": DEBIAN,
    "grafana/loki:3": LOKI,
    "ghcr.io/acme/app:1": APP,
    "registry.lan_5000/team/app:2": LAN,
}
# `htpasswd -nbB -C 4`: "open sesame".
ADA = "ada:$2y$04$ilIePcCk5U/YBX28LVNVye8/hyfLy45tChDCWm4u5xv8q4uEqoBCC\n"


def image_id(pulled: Image, platform: int = 0) -> str:
    """The digest of the config for one of an index's platforms."""
    parsed = parse_manifest((pulled.images[platform] if pulled.images else pulled).manifest)
    assert isinstance(parsed, Manifest)
    return str(parsed.config.digest)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PinnerServe]:
    folder = tmp_path_factory.mktemp("serve")
    fill(folder / "store", IMAGES)
    with pinner_serve(folder, "--access-log", "log") as server:
        yield server


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory, server: PinnerServe) -> Iterator[Dockerd]:
    """A dockerd with the server as its only mirror of Docker Hub, which it cannot reach."""
    with dockerd(tmp_path_factory.mktemp("dockerd"), mirrors=[server.url]) as daemon:
        yield daemon


@pytest.mark.parametrize("name", FULL)
def test_docker_pulls_by_tag(server: PinnerServe, docker: Dockerd, name: str) -> None:
    reference = f"{server.address}/{name}"
    docker.docker("pull", "--platform=linux/amd64", reference)
    assert docker.image_id(reference) == image_id(FULL[name])


@pytest.mark.parametrize("name", FULL)
def test_docker_pulls_by_digest(server: PinnerServe, docker: Dockerd, name: str) -> None:
    pulled = FULL[name]
    reference = f"{server.address}/{name.partition(':')[0]}@{pulled.digest}"
    docker.docker("pull", "--platform=linux/amd64", reference)
    assert docker.image_id(reference) == image_id(pulled)


def test_docker_pulls_another_platform(server: PinnerServe, docker: Dockerd) -> None:
    reference = f"{server.address}/ghcr.io/acme/app:1"
    docker.docker("pull", "--platform=linux/arm64", reference)
    assert docker.image_id(reference) == image_id(APP, 1)


@pytest.mark.parametrize("name", ["debian:bookworm", f"debian@{DEBIAN.digest}", "grafana/loki:3"])
def test_docker_pulls_docker_hubs_images_through_the_mirror(docker: Dockerd, name: str) -> None:
    docker.forget()
    docker.docker("pull", "--platform=linux/amd64", name)
    assert docker.image_id(name) == image_id(LOKI if "loki" in name else DEBIAN)


def test_docker_logs_in_and_pulls(tmp_path: Path, docker: Dockerd) -> None:
    fill(tmp_path / "store", IMAGES)
    (tmp_path / "users").write_text(ADA)
    with pinner_serve(tmp_path, "--htpasswd", "users") as server:
        reference = f"{server.address}/debian:bookworm"
        said = docker.ask("pull", reference)
        assert said.code == 1
        assert "no basic auth credentials" in said.err
        refused = docker.ask("login", "--username=ada", "--password=wrong", server.address)
        assert refused.code == 1
        docker.docker("login", "--username=ada", "--password=open sesame", server.address)
        docker.docker("pull", "--platform=linux/amd64", reference)
        assert docker.image_id(reference) == image_id(DEBIAN)
        docker.docker("logout", server.address)


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """`podman pull` with a storage of its own; its paths must be short."""
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:
        storage = (f"--root={folder}/storage", f"--runroot={folder}/run", "--storage-driver=vfs")

        def pull(reference: str, *options: str, conf: str = "") -> str:
            (tmp_path / "registries.conf").write_text(conf)
            return run(
                *("podman", *storage, "pull", "--quiet", f"--signature-policy={policy}"),
                *("--platform=linux/amd64", *options, reference),
                home=tmp_path,
                environment={"CONTAINERS_REGISTRIES_CONF": str(tmp_path / "registries.conf")},
            ).strip()

        yield pull


@pytest.mark.parametrize("name", FULL)
def test_podman_pulls_by_tag_and_by_digest(
    server: PinnerServe, podman: Callable[..., str], name: str
) -> None:
    repository = name.rpartition(":")[0]
    by_tag = podman(f"{server.address}/{name}", "--tls-verify=false")
    by_digest = podman(f"{server.address}/{repository}@{FULL[name].digest}", "--tls-verify=false")
    assert f"sha256:{by_tag}" == f"sha256:{by_digest}" == image_id(FULL[name])


MIRRORED = """
[[registry]]
prefix = "{registry}"
location = "{registry}"
[[registry.mirror]]
location = "{address}/{spelled}"
insecure = true
"""


@pytest.mark.parametrize(
    ("registry", "spelled", "name", "pulled"),
    [
        ("docker.io", "docker.io", "docker.io/library/debian:bookworm", DEBIAN),
        ("docker.io", "docker.io", f"docker.io/library/debian@{DEBIAN.digest}", DEBIAN),
        ("docker.io", "docker.io", "docker.io/grafana/loki:3", LOKI),
        ("ghcr.io", "ghcr.io", "ghcr.io/acme/app:1", APP),
        ("ghcr.io", "ghcr.io", f"ghcr.io/acme/app@{APP.digest}", APP),
        ("registry.lan:5000", "registry.lan_5000", "registry.lan:5000/team/app:2", LAN),
    ],
)
def test_podman_pulls_through_a_mirror_of_registries_conf(
    server: PinnerServe,
    podman: Callable[..., str],
    registry: str,
    spelled: str,
    name: str,
    pulled: Image,
) -> None:
    conf = MIRRORED.format(registry=registry, spelled=spelled, address=server.address)
    assert f"sha256:{podman(name, conf=conf)}" == image_id(pulled)


@pytest.fixture(scope="module")
def ctr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    require("ctr", "containerd")
    with containerd(tmp_path_factory.mktemp("containerd")) as running:
        yield running


@pytest.fixture
def hosts(tmp_path: Path, server: PinnerServe) -> str:
    """A `certs.d` that leads every registry of the store to the server, and nowhere else."""
    for registry in ("docker.io", "ghcr.io", "registry.lan:5000"):
        folder = tmp_path / "certs.d" / registry
        folder.mkdir(parents=True)
        (folder / "hosts.toml").write_text(
            f'server = "{server.url}"\n[host."{server.url}"]\ncapabilities = ["pull", "resolve"]\n'
        )
    return str(tmp_path / "certs.d")


MIRRORED_NAMES = {
    **IMAGES,
    f"docker.io/library/debian@{DEBIAN.digest}": DEBIAN,
    f"ghcr.io/acme/app@{APP.digest}": APP,
    f"registry.lan:5000/team/app@{LAN.digest}": LAN,
}


@pytest.mark.parametrize("name", MIRRORED_NAMES)
def test_containerd_pulls_through_hosts_toml(ctr: Containerd, hosts: str, name: str) -> None:
    pulled = MIRRORED_NAMES[name]
    ctr.ctr("images", "pull", "--hosts-dir", hosts, "--platform=linux/amd64", name)
    listed = {line.split()[0]: line.split() for line in ctr.ctr("images", "ls").splitlines()}
    assert listed[name][2] == str(pulled.digest)
    assert ctr.ctr("content", "get", image_id(pulled))


def test_containerd_pulls_every_registry_through_its_default(
    ctr: Containerd, tmp_path: Path, server: PinnerServe
) -> None:
    folder = tmp_path / "certs.d/_default"
    folder.mkdir(parents=True)
    (folder / "hosts.toml").write_text(f'[host."{server.url}"]\n')
    ctr.ctr("content", "fetch", "--hosts-dir", str(folder.parent), "registry.lan:5000/team/app:2")
    assert ctr.ctr("content", "get", image_id(LAN))


def test_containerd_says_which_registry_it_means(
    ctr: Containerd, hosts: str, server: PinnerServe
) -> None:
    ctr.ctr("content", "fetch", "--hosts-dir", hosts, "--all-platforms", "ghcr.io/acme/app:1")
    log = (server.running.stdout.parent / "log").read_text()
    assert "/v2/acme/app/manifests/1?ns=ghcr.io " in log
    for one in APP.images:
        assert ctr.ctr("content", "get", image_id(one))


def test_containerd_sends_the_login_of_hosts_toml(ctr: Containerd, tmp_path: Path) -> None:
    fill(tmp_path / "store", IMAGES)
    (tmp_path / "users").write_text(ADA)
    login = base64.b64encode(b"ada:open sesame").decode()
    folder = tmp_path / "certs.d/ghcr.io"
    folder.mkdir(parents=True)
    with pinner_serve(tmp_path, "--htpasswd", "users") as server:
        host = f'host."{server.url}"'
        (folder / "hosts.toml").write_text(
            f'[{host}]\n[{host}.header]\nauthorization = "Basic {login}"\n'
        )
        ctr.ctr("content", "fetch", "--hosts-dir", str(folder.parent), "ghcr.io/acme/app:1")
        assert server.ask("/v2/").status == 401


@pytest.mark.parametrize("name", FULL)
def test_containerd_fetches_by_full_name(ctr: Containerd, server: PinnerServe, name: str) -> None:
    reference = f"{server.address}/{name}"
    ctr.ctr("content", "fetch", "--plain-http", "--platform=linux/amd64", reference)
    assert ctr.ctr("content", "get", image_id(FULL[name]))


@pytest.mark.parametrize("name", FULL)
def test_skopeo_copies_all_platforms_with_their_digests(
    server: PinnerServe, tmp_path: Path, name: str
) -> None:
    run(
        *("skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests"),
        *("--src-tls-verify=false", f"docker://{server.address}/{name}", f"dir:{tmp_path}/copy"),
        home=tmp_path,
    )
    assert (tmp_path / "copy/manifest.json").read_bytes() == FULL[name].manifest.data


def test_skopeo_lists_tags(server: PinnerServe, tmp_path: Path) -> None:
    listed = run(
        *(
            "skopeo",
            "list-tags",
            "--tls-verify=false",
            f"docker://{server.address}/ghcr.io/acme/app",
        ),
        home=tmp_path,
    )
    assert json.loads(listed)["Tags"] == ["1"]


def test_skopeo_and_curl_read_over_tls_with_a_password(tmp_path: Path) -> None:
    fill(tmp_path / "store", IMAGES)
    (tmp_path / "users").write_text(ADA)
    authority = Authority.create(tmp_path / "certs")
    issued = authority.issue("serve")
    options = ("--tls-cert", str(issued.certificate), "--tls-key", str(issued.key))
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "ca.crt").write_bytes(authority.ca_file.read_bytes())
    with pinner_serve(tmp_path, *options, "--htpasswd", "users") as server:
        raw = run(
            *("skopeo", "inspect", "--raw", f"--cert-dir={trusted}", "--creds=ada:open sesame"),
            f"docker://{server.address}/debian:bookworm",
            home=tmp_path,
        )
        assert raw.encode() == DEBIAN.manifest.data
        with pytest.raises(ProgramError, match="unauthorized"):
            run(
                *("skopeo", "inspect", "--raw", f"--cert-dir={trusted}", "--creds=ada:wrong"),
                f"docker://{server.address}/debian:bookworm",
                home=tmp_path,
            )
        asked = ("curl", "-sS", "--fail", "--cacert", str(authority.ca_file))
        url = f"{server.url}/v2/_catalog"
        assert "ghcr.io/acme/app" in run(*asked, "--user", "ada:open sesame", url, home=tmp_path)


def test_pinner_syncs_from_a_served_store_as_from_a_mirror(
    server: PinnerServe, workspace: Workspace
) -> None:
    address = server.address
    workspace.want(
        debian=f"{address}/debian:bookworm",
        app=f"{address}/ghcr.io/acme/app:1",
    )
    workspace.pinner("lock")
    workspace.pinner("sync", "--all-platforms")
    assert set(workspace.tags().values()) == {str(DEBIAN.digest), str(APP.digest)}
    workspace.pinner("verify")


def test_pinner_syncs_through_a_mirror_and_asks_the_registry_for_nothing(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace, tmp_path: Path
) -> None:
    push_layout(plain_registry, "mirrored/app:1")
    name = f"{plain_registry.address}/mirrored/app:1"
    workspace.want(app=name)
    workspace.pinner("lock")
    workspace.pinner("sync", "--all-platforms")
    with pinner_serve(tmp_path / "serve", store=workspace.store) as server:
        spelled = plain_registry.address.replace(":", "_")
        workspace.want(
            f'[registries."{plain_registry.address}"]\nmirrors = ["{server.address}/{spelled}"]',
            app=name,
        )
        with plain_registry.recording() as seen:
            workspace.pinner("sync", "--all-platforms", "--store", str(tmp_path / "second"))
        assert seen.counts() == {}
    assert (tmp_path / "second/index.json").exists()


def test_T20_W10_what_is_served_during_a_sync_is_complete(
    slow_registry: Registry, push_layout: PushLayout, workspace: Workspace, tmp_path: Path
) -> None:
    names = [f"beside/{name}:1" for name in ("multi", "single", "large")]
    for name in names:
        push_layout(slow_registry, name, name=name.split("/")[1].split(":")[0])
    address = slow_registry.address
    workspace.want(**{f"image{n}": f"{address}/{name}" for n, name in enumerate(names)})
    workspace.pinner("lock")
    fill(workspace.store, {})
    with pinner_serve(tmp_path / "serve", store=workspace.store) as server:
        seen = [complete_images(server, f"?ns={address}")]
        syncing = workspace.start("sync")
        done = threading.Event()
        while not done.is_set():
            if syncing.poll() is not None:
                done.set()  # and look once more
            seen.append(complete_images(server, f"?ns={address}"))
        assert syncing.wait() == 0
    assert seen[0] == set()
    assert seen[-1] == {name.rpartition(":")[0] for name in names}


def complete_images(server: PinnerServe, query: str) -> set[str]:
    """The repositories that are there; each has to have an image with every blob."""
    found = server.ask(f"/v2/_catalog{query}").document["repositories"]
    for name in found:
        top = server.ask(f"/v2/{name}/manifests/1{query}")
        assert top.status == 200, name
        documents = [top.document]
        if "manifests" in top.document:
            members = [
                server.ask(f"/v2/{name}/manifests/{one['digest']}{query}")
                for one in top.document["manifests"]
            ]
            documents = [one.document for one in members if one.status == 200]
        assert documents, name
        for blob in [blob for one in documents for blob in blobs_of(one)]:
            answer = server.ask(f"/v2/{name}/blobs/{blob['digest']}{query}")
            assert (answer.status, len(answer.body)) == (200, blob["size"]), name
    return set(found)


def blobs_of(manifest: Any) -> list[Any]:
    return [manifest["config"], *manifest["layers"]]
