"""`pinner mirror` into real registries, and what `pinner sync` and `docker pull` find there."""

from __future__ import annotations

import collections
import json
import signal
from typing import TYPE_CHECKING

import pytest

from support import registries
from support.cutting import Cutter
from support.layouts import LayoutWriter, layer, noise
from support.pushing import delete, skopeo_inspect
from support.pushing import push_layout as push
from support.relay import Relay
from support.waiting import await_that

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.accesslog import Seen
    from support.dockerd import Dockerd
    from support.registries import Registry
    from support.tokenserver import TokenServer
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

IMAGES = 16
PROMPT = 50  # seconds, of the 60 that an answer may take: less than waiting for it would take


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry of this test's own, to mirror into."""
    with registries.plain(tmp_path / "fresh") as registry:
        yield registry


def folder(registry: Registry) -> str:
    """What repositories of this registry are called at a mirror."""
    return registry.address.replace(":", "_")


def changes(requests: tuple[Seen, ...]) -> list[Seen]:
    return [request for request in requests if request.method not in {"GET", "HEAD"}]


@pytest.mark.parametrize(
    "name", ["plain_registry", "htpasswd_registry", "token_registry", "tls_registry"]
)
def test_an_image_arrives_unchanged_whatever_the_registry_asks_for(
    name: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    layout: Path,
    workspace: Workspace,
) -> None:
    target: Registry = request.getfixturevalue(name)
    with registries.plain(tmp_path / "source") as source:
        push(source, layout, "multi", "team/app:1")
        push(source, layout, "large", "team/large:1")
        workspace.log_in(target)
        sections = [f'[registries."{target.address}"]', f'ca-file = "{target.ca_file}"']
        workspace.want(*(sections if target.ca_file else ()), app=f"{source.address}/team/app:1")
        workspace.pinner("lock")
        document = workspace.document("mirror", f"{target.address}/mirrored")
        path = f"mirrored/{folder(source)}/team/app"
        origin = skopeo_inspect(source, "team/app:1", "--raw")
        assert skopeo_inspect(target, f"{path}:1", "--raw") == origin
        assert document["images"][0]["repository"] == f"{target.address}/{path}"
    # The registry of the images is gone.
    workspace.pinner("sync", "--all-platforms", environ={"PINNER_STORE": str(tmp_path / "runner")})


def test_tokens_are_asked_for_once_a_repository_and_mount(
    token_registry: Registry,
    token_server: TokenServer,
    plain_registry: Registry,
    push_layout: PushLayout,
    workspace: Workspace,
) -> None:
    names = ["one", "two"]
    for name, image in zip(names, ("multi", "large"), strict=True):
        push_layout(plain_registry, f"tokens/{name}:1", name=image)
    workspace.log_in(token_registry)
    workspace.want(**{name: f"{plain_registry.address}/tokens/{name}:1" for name in names})
    workspace.pinner("lock")
    token_server.forget()
    document = workspace.document("mirror", f"{token_registry.address}/t")
    one, two = (f"repository:t/{folder(plain_registry)}/tokens/{name}" for name in names)
    asked = collections.Counter(request.scopes for request in token_server.requests())
    (mount,) = [scopes for scopes in asked if len(scopes) == 2]
    assert set(mount) in ({f"{one}:pull,push", f"{two}:pull"}, {f"{two}:pull,push", f"{one}:pull"})
    assert asked == {(f"{one}:pull,push",): 1, (f"{two}:pull,push",): 1, mount: 1}
    assert document["mounted"]["blobs"] == 1


@pytest.fixture
def many(tmp_path: Path, plain_registry: Registry, workspace: Workspace) -> list[str]:
    """Sixteen locked images, each with a layer of its own, that share two layers."""
    writer = LayoutWriter(tmp_path / "many")
    shared = [noise("shared", 300_000), layer({"etc/os-release": b"ID=tests\n"})]
    names = [f"image-{number:02}" for number in range(IMAGES)]
    repository = tmp_path.name.replace("_", "-").lower().strip("-")
    wishes = {}
    for name in names:
        writer.name(name, writer.image("linux/amd64", [*shared, layer({"app": name.encode()})]))
    for name in names:
        push(plain_registry, writer.folder, name, f"{repository}/{name}:1")
        wishes[name] = f"{plain_registry.address}/{repository}/{name}:1"
    workspace.want(**wishes)
    workspace.pinner("lock")
    return names


def test_each_blob_is_uploaded_once_and_a_second_run_is_heads(
    many: list[str], fresh: Registry, workspace: Workspace
) -> None:
    with fresh.recording() as first:
        document = workspace.document("mirror", f"{fresh.address}/m")
    done = collections.Counter(
        "mount" if "?mount=" in seen.path else f"{seen.method} {seen.kind}"
        for seen in changes(first.requests)
    )
    # Two shared blobs; and of each image its config and layer: in all 34.
    uploads = 2 + 2 * IMAGES
    assert done == {
        "POST blobs": uploads,
        "PUT blobs": uploads,
        "mount": 2 * (IMAGES - 1),
        "PUT manifests": IMAGES,
    }
    assert {seen.status for seen in changes(first.requests)} == {201, 202}
    assert (document["uploaded"]["blobs"], document["mounted"]["blobs"]) == (uploads, 30)
    assert document["requests"] == len(first.requests) + IMAGES + uploads
    with fresh.recording() as second:
        workspace.pinner("mirror", f"{fresh.address}/m")
    assert second.counts() == {"HEAD manifests": IMAGES}


def test_killed_in_the_middle_the_next_run_sends_only_what_is_missing(
    many: list[str], tmp_path: Path, fresh: Registry, workspace: Workspace
) -> None:
    workspace.pinner("sync", "--all-platforms")
    with registries.limited(tmp_path / "front", fresh, rate="1m") as slow:
        process = workspace.start("mirror", f"{slow.address}/m", "--jobs", "1", "--no-write")
        blobs = fresh.storage / "docker/registry/v2/blobs"
        await_that(lambda: len(list(blobs.glob("*/*/*/data"))) >= 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = {file.parent.name for file in blobs.glob("*/*/*/data")}
    with fresh.recording() as seen:
        workspace.pinner("mirror", f"{fresh.address}/m")
    sent = {s.path.rpartition("sha256%3A")[2] for s in seen.requests if s.method == "PUT"}
    assert kept
    assert not kept & sent
    assert len(workspace.document("mirror", f"{fresh.address}/m")["images"]) == IMAGES
    with fresh.recording() as seen:
        workspace.pinner("mirror", f"{fresh.address}/m")
    assert seen.counts() == {"HEAD manifests": IMAGES}


def test_interrupted_it_ends_soon_and_says_so(
    many: list[str], tmp_path: Path, fresh: Registry, workspace: Workspace
) -> None:
    workspace.pinner("sync", "--all-platforms")
    with Relay(fresh.address) as path:
        path.gate.close_after(20_000)  # of answers; the next one does not come
        process = workspace.start("mirror", f"{path.address}/m", "--jobs", "1")
        blobs = fresh.storage / "docker/registry/v2/blobs"
        await_that(lambda: bool(list(blobs.glob("*/*/*/data"))))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PROMPT)
    assert (process.returncode, err.splitlines()[-1]) == (130, "interrupted")
    assert "mirrors" not in (workspace.folder / "images.toml").read_text()


def test_several_at_once_do_not_disturb_one_another(
    many: list[str], fresh: Registry, workspace: Workspace
) -> None:
    argv = ("mirror", f"{fresh.address}/m", "--no-write")
    running = [workspace.start(*argv) for _ in range(4)]
    for process in running:
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
    with fresh.recording() as seen:
        workspace.pinner(*argv)
    assert seen.counts() == {"HEAD manifests": IMAGES}
    assert workspace.document("verify")["sound"]


def test_docker_pulls_from_the_mirror_by_the_locked_digest(
    docker_daemon: Dockerd,
    plain_registry: Registry,
    fresh: Registry,
    push_layout: PushLayout,
    workspace: Workspace,
) -> None:
    push_layout(plain_registry, "daemon/mirrored:1")
    workspace.want(app=f"{plain_registry.address}/daemon/mirrored:1")
    workspace.pinner("lock")
    (image,) = workspace.document("mirror", f"{fresh.address}/m")["images"]
    (digest,) = image["digests"]
    assert digest.encode() in workspace.locked()
    for name in (f"{image['repository']}@{digest}", f"{image['repository']}:{image['tag']}"):
        docker_daemon.forget()
        assert f"Digest: {digest}\n" in docker_daemon.docker("pull", name)
        docker_daemon.docker("image", "inspect", name)


def test_docker_pulls_a_single_platform_by_its_locked_digest(
    docker_daemon: Dockerd,
    plain_registry: Registry,
    fresh: Registry,
    push_layout: PushLayout,
    workspace: Workspace,
) -> None:
    push_layout(plain_registry, "daemon/single:1")
    workspace.want(app=f"{plain_registry.address}/daemon/single:1")
    workspace.pinner("lock")
    options = ("--platform", "linux/amd64")
    (image,) = workspace.document("mirror", f"{fresh.address}/m", *options)["images"]
    (digest,) = image["digests"]
    assert (digest.encode() in workspace.locked(), image["tag"]) == (True, None)
    docker_daemon.forget()
    docker_daemon.docker("pull", f"{image['repository']}@{digest}")


def test_a_blob_that_the_registry_lost_is_sent_again(
    plain_registry: Registry, fresh: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    """docker-registry goes on saying that it has it until it is restarted; then it has not."""
    push_layout(plain_registry, "lost/app:1", name="single")
    workspace.want(app=f"{plain_registry.address}/lost/app:1")
    workspace.pinner("lock")
    workspace.pinner("mirror", f"{fresh.address}/m")
    path = f"m/{folder(plain_registry)}/lost/app"
    manifest = json.loads(skopeo_inspect(fresh, f"{path}:1", "--raw"))
    (digest,) = workspace.document("mirror", f"{fresh.address}/m")["images"][0]["digests"]
    lost = manifest["layers"][0]["digest"]
    delete(fresh, f"{path}/manifests/{digest}")
    delete(fresh, f"{path}/blobs/{lost}")
    document = workspace.document("mirror", f"{fresh.address}/m")
    assert document["uploaded"]["blobs"] == 1
    assert json.loads(skopeo_inspect(fresh, f"{path}:1", "--raw")) == manifest


def test_connections_that_break_are_survived(
    tmp_path: Path,
    plain_registry: Registry,
    fresh: Registry,
    workspace: Workspace,
) -> None:
    """docker-registry forgets what a broken request brought: the blob is sent again."""
    writer = LayoutWriter(tmp_path / "large")
    writer.name("app", writer.image("linux/amd64", [noise("broken", 8_000_000)]))
    push(plain_registry, writer.folder, "app", "broken/app:1")
    workspace.want(app=f"{plain_registry.address}/broken/app:1")
    workspace.pinner("lock")
    with Cutter(fresh.address, at=(2_000_000, 5_000_000)) as front, fresh.recording() as seen:
        document = workspace.document("mirror", f"{front.address}/m", "--no-write")
    assert front.cuts == 2
    assert seen.count("blobs", "PUT", status=500) == 2  # what it says of a body that breaks off
    assert document["uploaded"]["blobs"] == 2
    origin = skopeo_inspect(plain_registry, "broken/app:1", "--raw")
    copy = skopeo_inspect(fresh, f"m/{folder(plain_registry)}/broken/app:1", "--raw")
    assert copy == origin
