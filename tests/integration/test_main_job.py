"""The main job, through the program: images.toml -> lock -> images.lock -> sync -> a store."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support import registries
from support.layouts import LayoutWriter, noise
from support.programs import free_port
from support.pushing import delete, push_layout, skopeo_inspect
from support.registry_faults import cut, flipped
from support.registry_sim import RegistrySim
from support.relay import Relay
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.accesslog import Recording
    from support.registries import Registry
    from support.registry_faults import Fault
    from support.tokenserver import Rules, TokenServer
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

HOST = "linux/arm64" if os.uname().machine in {"aarch64", "arm64"} else "linux/amd64"


def served(registry: Registry, repository_tag: str) -> dict[str, Any]:
    """The manifest or index that skopeo gets, with its digest under `digest`."""
    raw = skopeo_inspect(registry, repository_tag, "--raw").encode()
    return {**json.loads(raw), "digest": f"sha256:{hashlib.sha256(raw).hexdigest()}"}


def of_pinner(seen: Recording, kind: str) -> list[str]:
    """What pinner, and not a mirror, asked this registry for."""
    asked = [request for request in seen.requests if request.agent.startswith("pinner/")]
    return [request.wanted for request in asked if request.kind == kind]


# Lock and sync, against each kind of registry.


@pytest.fixture(
    params=["plain_registry", "htpasswd_registry", "token_registry", "tls_registry"],
    ids=lambda name: name.removesuffix("_registry"),
)
def registry(request: pytest.FixtureRequest) -> Registry:
    found: Registry = request.getfixturevalue(request.param)
    return found


def trust(registry: Registry) -> str:
    """The section of images.toml that the registry needs."""
    return f'[registries."{registry.address}"]\nca-file = "{registry.ca_file}"'


def test_lock_then_sync(registry: Registry, push_layout: PushLayout, workspace: Workspace) -> None:
    tags = {name: f"job/{name}:1" for name in ("multi", "single", "large")}
    for name, tag in tags.items():
        push_layout(registry, tag, name=name)
    workspace.log_in(registry)
    references = {name: f"{registry.address}/{tag}" for name, tag in tags.items()}
    workspace.want(*([trust(registry)] if registry.ca_file else []), **references)

    locked = {image["name"]: image for image in workspace.document("lock")["images"]}
    there = {name: served(registry, tag) for name, tag in tags.items()}
    assert {name: image["digest"] for name, image in locked.items()} == {
        name: document["digest"] for name, document in there.items()
    }
    assert set(locked["multi"]["platforms"].values()) == {
        member["digest"] for member in there["multi"]["manifests"]
    }

    synced = workspace.document("sync", "--platform", "linux/amd64")
    assert synced["complete"]
    assert workspace.tags() == {
        references[name]: document["digest"] for name, document in there.items()
    }
    assert workspace.document("verify")["sound"]

    with registry.recording() as seen:
        workspace.pinner("lock")
        workspace.pinner("sync", "--platform", "linux/amd64")
    assert seen.requests == ()


def test_add_inspect_and_remove(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "added/multi:1")
    push_layout(plain_registry, "added/single:1", name="single")
    host = plain_registry.address
    workspace.pinner("add", f"{host}/added/multi:1", f"alone={host}/added/single:1")
    workspace.pinner("sync", "--all-platforms")
    assert set(workspace.tags()) == {f"{host}/added/multi:1", f"{host}/added/single:1"}
    inspected = workspace.document("inspect", "multi")
    assert [one["complete"] for one in inspected["platforms"]] == [True, True, True]
    workspace.pinner("remove", "alone")
    assert b"single" not in workspace.locked()
    workspace.pinner("lock", "--check")


# Logins.


def basic(registry: Registry) -> dict[str, dict[str, str]]:
    login = {"username": registry.user, "password": registry.password}
    return {registry.address: login}


def by_config(registry: Registry, workspace: Workspace) -> dict[str, str]:
    workspace.log_in(registry)
    return {}


def by_file(registry: Registry, workspace: Workspace) -> dict[str, str]:
    file = workspace.home / "auth.json"
    file.write_text(json.dumps({"auths": basic(registry)}))
    return {"REGISTRY_AUTH_FILE": str(file)}


def by_helper(registry: Registry, workspace: Workspace) -> dict[str, str]:
    """A program that answers for this registry alone, named in docker's config.json."""
    programs = workspace.home / "bin"
    answer = {"Username": registry.user, "Secret": registry.password}
    programs.mkdir()
    program = programs / "docker-credential-tests"
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = get ] && [ "$(cat)" = "{registry.address}" ] || exit 1\n'
        f"cat '{programs}/answer'\n"
    )
    program.chmod(0o755)
    (programs / "answer").write_text(json.dumps(answer))
    (workspace.home / ".docker").mkdir()
    config = {"credHelpers": {registry.address: "tests"}}
    (workspace.home / ".docker/config.json").write_text(json.dumps(config))
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("store_login", [by_config, by_file, by_helper])
@pytest.mark.parametrize("name", ["htpasswd_registry", "token_registry"])
def test_a_stored_login_opens_the_registry(
    request: pytest.FixtureRequest,
    push_layout: PushLayout,
    workspace: Workspace,
    name: str,
    store_login: Any,
) -> None:
    registry: Registry = request.getfixturevalue(name)
    push_layout(registry, "private/app:1", name="single")
    environ = store_login(registry, workspace)
    workspace.want(app=f"{registry.address}/private/app:1")
    workspace.pinner("lock", environ=environ)
    workspace.pinner("sync", "--platform", "linux/amd64", environ=environ)
    assert workspace.document("verify")["sound"]


@pytest.mark.parametrize("name", ["htpasswd_registry", "token_registry"])
def test_A20_a_wrong_login_is_named_and_never_shown(
    request: pytest.FixtureRequest, push_layout: PushLayout, workspace: Workspace, name: str
) -> None:
    registry: Registry = request.getfixturevalue(name)
    push_layout(registry, "private/app:1", name="single")
    docker = workspace.home / ".docker"
    docker.mkdir()
    login = {"username": registry.user, "password": "canary-of-a-password"}
    (docker / "config.json").write_text(json.dumps({"auths": {registry.address: login}}))
    workspace.want(app=f"{registry.address}/private/app:1")
    ran = workspace.pinner("lock", "--debug", code=3)
    assert "~/.docker/config.json" in ran.err
    assert "canary" not in ran.out + ran.err
    assert not (workspace.folder / "images.lock").exists()


@pytest.mark.parametrize(("repository", "code"), [("public/app", 0), ("private/app", 3)])
def test_without_a_login_only_what_is_public_can_be_had(
    token_registry: Registry,
    push_layout: PushLayout,
    workspace: Workspace,
    repository: str,
    code: int,
) -> None:
    push_layout(token_registry, f"{repository}:1")
    workspace.want(app=f"{token_registry.address}/{repository}:1")
    workspace.pinner("lock", code=code)


def test_A11_a_token_that_ends_during_a_sync_is_renewed(
    token_registry: Registry,
    token_server: TokenServer,
    token_rules: Rules,
    push_layout: PushLayout,
    workspace: Workspace,
) -> None:
    push_layout(token_registry, "ending/large:1", name="large")
    with Relay(token_registry.address) as path:
        workspace.log_in(replace(token_registry, address=path.address))
        workspace.want(large=f"{path.address}/ending/large:1")
        workspace.pinner("lock")
        token_server.forget()
        token_rules.lifetime = 6
        path.gate.close_after(2_000_000)  # the large layer, which comes first, takes longer
        with token_registry.recording() as seen:
            process = workspace.start("sync", "--platform", "linux/amd64", "--jobs", "1")
            path.gate.await_closed()
            token_rules.lifetime = 300
            time.sleep(6.1)
            path.gate.open()
            out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out + err
    assert workspace.document("verify")["sound"]
    assert [asked.status for asked in token_server.requests()] == [200, 200]
    assert seen.count("blobs", status=401) == 1


# Transport security.


def by_ca_file(registry: Registry, workspace: Workspace) -> tuple[str, dict[str, str]]:
    assert registry.ca_file
    (workspace.folder / "certs").mkdir()
    (workspace.folder / "certs/ca.pem").write_bytes(registry.ca_file.read_bytes())
    return f'[registries."{registry.address}"]\nca-file = "certs/ca.pem"', {}


def by_certs_d(registry: Registry, workspace: Workspace) -> tuple[str, dict[str, str]]:
    assert registry.ca_file
    folder = workspace.home / ".config/docker/certs.d" / registry.address
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes(registry.ca_file.read_bytes())
    return "", {}


def by_environment(registry: Registry, workspace: Workspace) -> tuple[str, dict[str, str]]:
    """The system's authorities; a folder in certs.d says that this host on loopback has TLS."""
    (workspace.home / ".config/docker/certs.d" / registry.address).mkdir(parents=True)
    return "", {"SSL_CERT_FILE": str(registry.ca_file)}


@pytest.mark.parametrize("give", [by_ca_file, by_certs_d, by_environment])
def test_an_own_authority_is_trusted(
    tls_registry: Registry, push_layout: PushLayout, workspace: Workspace, give: Any
) -> None:
    push_layout(tls_registry, "tls/app:1", name="single")
    section, environ = give(tls_registry, workspace)
    workspace.want(section, app=f"{tls_registry.address}/tls/app:1")
    workspace.pinner("lock", environ=environ)
    workspace.pinner("sync", "--platform", "linux/amd64", environ=environ)
    assert workspace.document("verify")["sound"]


def test_H06_an_unknown_authority_is_refused_at_once(
    tls_registry: Registry, workspace: Workspace
) -> None:
    (workspace.home / ".config/docker/certs.d" / tls_registry.address).mkdir(parents=True)
    workspace.want(app=f"{tls_registry.address}/tls/app:1")
    with tls_registry.recording() as seen:
        ran = workspace.pinner("lock", code=3)
    assert f"the TLS certificate of {tls_registry.address.split(':')[0]}" in ran.err
    assert "ca-file" in ran.err
    assert seen.requests == ()


# Mirrors.


def mirrored(registry: Registry, mirror: str) -> str:
    return f'[registries."{registry.address}"]\nmirrors = ["{mirror}"]'


def test_blobs_come_from_the_mirror(
    plain_registry: Registry,
    mirror_registry: Registry,
    push_layout: PushLayout,
    workspace: Workspace,
) -> None:
    push_layout(plain_registry, "mirrored/app:1")
    workspace.want(
        mirrored(plain_registry, mirror_registry.address),
        app=f"{plain_registry.address}/mirrored/app:1",
    )
    with mirror_registry.recording() as at_mirror, plain_registry.recording() as at_origin:
        workspace.pinner("lock")
    assert at_mirror.requests == ()  # a tag's meaning is the registry's to say
    assert of_pinner(at_origin, "manifests") == ["1"]
    with mirror_registry.recording() as at_mirror, plain_registry.recording() as at_origin:
        workspace.pinner("sync", "--platform", "linux/amd64")
    assert len(of_pinner(at_mirror, "manifests")) == 2
    assert len(of_pinner(at_mirror, "blobs")) == 3
    assert of_pinner(at_origin, "manifests") + of_pinner(at_origin, "blobs") == []
    assert list(workspace.tags()) == [f"{plain_registry.address}/mirrored/app:1"]


def test_H29_a_mirror_that_is_down_is_left_with_a_note(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "deserted/app:1")
    dead = f"127.0.0.1:{free_port()}"
    workspace.want(mirrored(plain_registry, dead), app=f"{plain_registry.address}/deserted/app:1")
    workspace.pinner("lock")
    ran = workspace.pinner("sync", "--platform", "linux/amd64")
    assert len([line for line in ran.err.splitlines() if dead in line]) == 1
    assert workspace.document("verify")["sound"]


def test_H29_a_mirror_that_serves_wrong_bytes_is_left(
    tmp_path: Path, plain_registry: Registry, workspace: Workspace
) -> None:
    """Its answers have the right size, so that only the digest gives it away."""
    writer = LayoutWriter(tmp_path / "layout")
    image = writer.image("linux/amd64", [noise("lied about", 300_000)])
    writer.name("app", image)
    with registries.plain(tmp_path / "liar") as mirror:
        for registry in (plain_registry, mirror):
            push_layout(registry, writer.folder, "app", "lied/app:1")
        layer = served(mirror, "lied/app:1")["layers"][0]
        data = bytearray(mirror.blob(layer["digest"]).read_bytes())
        data[-1] ^= 1
        mirror.blob(layer["digest"]).write_bytes(data)
        workspace.want(
            mirrored(plain_registry, mirror.address), app=f"{plain_registry.address}/lied/app:1"
        )
        workspace.pinner("lock")
        with mirror.recording() as at_mirror, plain_registry.recording() as at_origin:
            ran = workspace.pinner("sync", "--platform", "linux/amd64")
    assert of_pinner(at_mirror, "blobs").count(layer["digest"]) == 1
    assert of_pinner(at_origin, "blobs") == [layer["digest"]]
    assert mirror.address in ran.err
    assert workspace.document("verify")["sound"]


# What goes wrong for one image is that image's alone.


@pytest.fixture
def two_images(tmp_path: Path, plain_registry: Registry, workspace: Workspace) -> str:
    """`good` and `bad`, locked; the digest of the layer that only `bad` has."""
    writer = LayoutWriter(tmp_path / "two")
    layers = {name: noise(f"{name} of two", 200_000) for name in ("good", "bad")}
    for name, layer in layers.items():
        writer.name(name, writer.image("linux/amd64", [layer]))
        push_layout(plain_registry, writer.folder, name, f"two/{name}:1")
    host = plain_registry.address
    workspace.want(good=f"{host}/two/good:1", bad=f"{host}/two/bad:1")
    workspace.pinner("lock")
    return f"sha256:{hashlib.sha256(layers['bad']).hexdigest()}"


def test_B06_wrong_bytes_never_get_a_name(
    plain_registry: Registry, workspace: Workspace, two_images: str
) -> None:
    stored = plain_registry.blob(two_images)
    honest = stored.read_bytes()
    files = [path.read_bytes() for path in sorted(workspace.folder.iterdir())]
    stored.write_bytes(bytes([honest[0] ^ 1]) + honest[1:])
    try:
        ran = workspace.pinner("sync", "--platform", "linux/amd64", code=4)
    finally:
        stored.write_bytes(honest)
    assert two_images in ran.err
    assert two_images not in workspace.blobs()
    assert list(workspace.tags()) == [f"{plain_registry.address}/two/good:1"]
    assert [path.read_bytes() for path in sorted(workspace.folder.iterdir())] == files
    workspace.pinner("sync", "--platform", "linux/amd64")
    assert len(workspace.tags()) == 2


def test_B08_a_layer_that_is_gone(
    plain_registry: Registry, workspace: Workspace, two_images: str
) -> None:
    delete(plain_registry, f"two/bad/blobs/{two_images}")
    ran = workspace.pinner("sync", "--platform", "linux/amd64", code=3)
    assert two_images in ran.err
    assert list(workspace.tags()) == [f"{plain_registry.address}/two/good:1"]


def test_an_index_that_is_gone_is_a_warning(
    tmp_path: Path, plain_registry: Registry, workspace: Workspace
) -> None:
    """As long as the registry still serves the manifests that are locked."""
    writer = LayoutWriter(tmp_path / "dropped")
    platforms = ("linux/amd64", "linux/arm64")
    layers = {platform: noise(f"dropped {platform}", 1_000) for platform in platforms}
    images = [writer.image(platform, [layer]) for platform, layer in layers.items()]
    writer.name("app", writer.index(images))
    push_layout(plain_registry, writer.folder, "app", "dropped/app:1")
    workspace.want(app=f"{plain_registry.address}/dropped/app:1")
    workspace.pinner("lock")
    index = served(plain_registry, "dropped/app:1")
    delete(plain_registry, f"dropped/app/manifests/{index['digest']}")
    ran = workspace.pinner("sync", "--platform", "linux/arm64")
    assert f"warning: app: the registry dropped the index {index['digest']}" in ran.err
    assert set(workspace.tags().values()) == {images[1]["digest"]}


@pytest.mark.parametrize(
    "fault", [pytest.param(cut(150_000), id="H03"), pytest.param(flipped, id="B06")]
)
def test_what_fails_once_is_asked_for_again(workspace: Workspace, fault: Fault) -> None:
    with RegistrySim() as sim:
        image = sim.content.add_image("team/app", "1", layers=[noise("fails once", 300_000)])
        workspace.want(app=f"{sim.host}/team/app:1")
        workspace.pinner("lock")
        sim.script(f"/blobs/{image.blobs[-1]}", fault)
        workspace.pinner("sync", "--platform", "linux/amd64")
        assert sim.count("GET", f"/blobs/{image.blobs[-1]}") == 2
    assert workspace.document("verify")["sound"]
