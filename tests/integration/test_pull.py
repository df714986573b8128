"""`pinner pull` and real registries: logins, certificates, readers, interruption."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from support import readers, registries
from support.layouts import LayoutWriter, noise
from support.pushing import push_layout, tag_again
from support.relay import Relay
from support.waiting import await_that, send_signal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

MB = 1_000_000
AMD64 = ("--platform", "linux/amd64")
# Seconds in which an interrupted run has to end: on any machine it does, unless it waits for the
# registry's next bytes, which nobody sends; of that it would have enough after 30 s of silence.
PROMPT = 25


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, plain_registry: Registry) -> Registry:
    """It has pulled/cut:1 and :2 of 20 MB each, of which they share 12."""
    folder = tmp_path_factory.mktemp("pulled")
    writer = LayoutWriter(folder / "layout")
    base = noise("pulled base", 12 * MB)
    for tag in ("1", "2"):
        layers = [base, noise(f"pulled {tag}", 8 * MB)]
        writer.name(tag, writer.index([writer.image("linux/amd64", layers)]))
        push_layout(plain_registry, writer.folder, tag, f"pulled/cut:{tag}")
    return plain_registry


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, shared: Registry) -> Iterator[Registry]:
    """The same, at 4 MB/s a connection."""
    folder = tmp_path_factory.mktemp("slow")
    with registries.limited(folder, shared, rate="4m") as registry:
        yield registry


@pytest.mark.parametrize(
    ("with_signal", "code", "word"),
    [
        pytest.param(signal.SIGINT, 130, "interrupted", id="SIGINT"),
        pytest.param(signal.SIGTERM, 143, "terminated", id="SIGTERM"),
    ],
)
def test_H27_an_interrupted_pull_is_continued(
    workspace: Workspace,
    shared: Registry,
    with_signal: int,
    code: int,
    word: str,
) -> None:
    with Relay(shared.address) as path:
        is_continued(workspace, shared, path, with_signal, code, word)


def is_continued(
    workspace: Workspace, registry: Registry, path: Relay, with_signal: int, code: int, word: str
) -> None:
    name = f"{path.address}/pulled/cut:1"
    path.gate.close_after(9 * MB)  # so that the largest layer is not whole
    process = workspace.start("pull", name, *AMD64)
    await_that(lambda: workspace.occupied() > 6 * MB)
    send_signal(process, with_signal)
    out, err = process.communicate(timeout=PROMPT)  # though nothing comes that it waits for
    path.gate.open()
    await_that(lambda: path.is_idle)
    assert (process.returncode, err) == (code, f"{word}\n")
    assert out.splitlines()[0] == "1: Pulling from pulled/cut"
    assert "Status" not in out
    assert workspace.names() == {}
    here = workspace.occupied()
    assert 6 * MB < here < 20 * MB
    before = path.sent
    with registry.recording() as seen:
        ran = workspace.pinner("pull", name, *AMD64)
    # Of what was on the disk, hardly anything is fetched again.
    sent = path.sent - before
    assert sent + here - sum(workspace.blobs().values()) < 0.02 * here
    assert [request for request in seen.requests if request.status == 206]
    assert f"Status: Downloaded newer image for {name}" in ran.out
    assert workspace.document("verify")["sound"]


def test_two_names_fetch_what_they_share_once(workspace: Workspace, slow: Registry) -> None:
    names = [f"{slow.address}/pulled/cut:{tag}" for tag in ("1", "2")]
    with slow.recording() as seen:
        ran = workspace.pinner("pull", *names, *AMD64, "--max-concurrent-downloads", "3")
    sent = sum(request.sent for request in seen.requests if request.kind == "blobs")
    assert 28 * MB < sent < 29 * MB
    assert ran.out.count("Already exists") == 1
    assert [line for line in ran.out.splitlines() if line.startswith(slow.address)] == names


def test_all_tags_are_one_pool(
    workspace: Workspace, plain_registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(plain_registry, "pulled/many:0")
    tags = [str(number) for number in range(1, 30)]
    tag_again(plain_registry, "pulled/many", "0", *tags)
    with plain_registry.recording() as seen:
        ran = workspace.pinner("pull", "-a", f"{plain_registry.address}/pulled/many", *AMD64)
    counts = seen.counts()
    assert counts["HEAD manifests"] == 30
    assert counts["GET manifests"] == 2  # the index, and one platform's manifest
    assert ran.out.count("Pulling from") == 30
    assert len(workspace.tags()) == 30


def test_a_login_of_docker(
    workspace: Workspace, htpasswd_registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(htpasswd_registry, "pulled/private:1")
    name = f"{htpasswd_registry.address}/pulled/private:1"
    ran = workspace.pinner("pull", name, *AMD64, code=3)
    assert ran.err.splitlines()[0] == "error: no basic auth credentials"
    workspace.log_in(htpasswd_registry)
    assert workspace.pinner("pull", "-q", name, *AMD64).out == f"{name}\n"


def test_a_token_that_is_refused(
    workspace: Workspace, token_registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(token_registry, "private/app:1")
    name = f"{token_registry.address}/private/app"
    err = workspace.pinner("pull", f"{name}:1", *AMD64, code=3).err
    assert err.startswith(
        f"error: pull access denied for {name}, repository does not exist or may require "
        "'docker login'"
    )
    workspace.log_in(token_registry)
    workspace.pinner("pull", f"{name}:1", *AMD64)


def test_a_registry_of_the_project(
    workspace: Workspace, tls_registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(tls_registry, "pulled/secured:1")
    name = f"{tls_registry.address}/pulled/secured:1"
    workspace.pinner("pull", name, *AMD64, code=3)
    workspace.want(f'[registries."{tls_registry.address}"]', f'ca-file = "{tls_registry.ca_file}"')
    assert workspace.pinner("pull", "-q", name, *AMD64).out == f"{name}\n"


def test_a_mirror_serves_digests_and_no_tags(
    workspace: Workspace,
    plain_registry: Registry,
    mirror_registry: Registry,
    push_layout: PushLayout,
) -> None:
    push_layout(plain_registry, "pulled/mirrored:1")
    workspace.want(
        f'[registries."{plain_registry.address}"]', f'mirrors = ["{mirror_registry.address}"]'
    )
    with plain_registry.recording() as asked, mirror_registry.recording() as mirrored:
        workspace.pinner("pull", f"{plain_registry.address}/pulled/mirrored:1", *AMD64)
    by_pinner = [request for request in asked.requests if "pinner" in request.agent.lower()]
    assert [(request.method, request.wanted) for request in by_pinner] == [("HEAD", "1")]
    assert mirrored.counts()["GET manifests"] == 2
    assert all(request.wanted.startswith("sha256:") for request in mirrored.requests)


def test_other_tools_read_what_was_pulled(
    workspace: Workspace, plain_registry: Registry, push_layout: PushLayout, home: Path
) -> None:
    push_layout(plain_registry, "pulled/read:1")
    name = f"{plain_registry.address}/pulled/read:1"
    workspace.pinner("pull", name, *AMD64)
    document = json.loads(readers.skopeo_inspect(workspace.store, name, home=home))
    assert document["manifests"][0]["platform"]["architecture"] == "amd64"


def test_what_was_synced_is_not_pulled_again(
    workspace: Workspace, plain_registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(plain_registry, "pulled/synced:1")
    name = f"{plain_registry.address}/pulled/synced:1"
    workspace.want(app=name)
    workspace.pinner("lock")
    workspace.pinner("sync", *AMD64)
    with plain_registry.recording() as seen:
        ran = workspace.pinner("pull", name, *AMD64)
    assert seen.counts() == {"HEAD manifests": 1}
    assert f"Status: Image is up to date for {name}" in ran.out
