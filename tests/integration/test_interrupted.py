"""A run that is killed or interrupted: nothing is lost, nothing is fetched twice."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.layouts import LayoutWriter, noise
from support.pushing import push_layout
from support.relay import Relay
from support.waiting import PATIENCE, await_that, send_signal
from support.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.registries import Registry

pytestmark = pytest.mark.servers

AMD64 = ("--platform", "linux/amd64")
ROUNDS = 12
MB = 1_000_000
# The largest comes in several ranges at once.
LAYERS = {"large": [20 * MB], "small": [4 * MB, 2 * MB], "tiny": [1_000, 2 * MB]}
# Seconds in which an interrupted run has to end: on any machine it does, unless it waits for the
# registry's next bytes, which nobody sends; of that it would have enough after 30 s of silence.
PROMPT = 25


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, plain_registry: Registry) -> Iterator[Relay]:
    """The way to the registry, which is closed at chosen moments of a transfer."""
    folder = tmp_path_factory.mktemp("interrupted")
    writer = LayoutWriter(folder / "layout")
    for name, sizes in LAYERS.items():
        layers = [noise(f"interrupted {size}", size) for size in sizes]
        writer.name(name, writer.index([writer.image("linux/amd64", layers)]))
        push_layout(plain_registry, writer.folder, name, f"cut/{name}:1")
    with Relay(plain_registry.address) as relay:
        yield relay


@pytest.fixture
def locked(workspace: Workspace, path: Relay) -> Workspace:
    workspace.want(**{name: f"{path.address}/cut/{name}:1" for name in LAYERS})
    workspace.pinner("lock")
    return workspace


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, path: Relay) -> Workspace:
    """What a run that nobody disturbs comes to."""
    workspace = Workspace(tmp_path_factory.mktemp("whole"))
    workspace.want(**{name: f"{path.address}/cut/{name}:1" for name in LAYERS})
    workspace.pinner("lock")
    workspace.pinner("sync", *AMD64)
    return workspace


def assert_same(one: Workspace, other: Workspace) -> None:
    """Two stores hold and name the same; the first has nothing half-done."""
    assert one.blobs() == other.blobs()
    assert one.names() == other.names()
    assert list((one.store / "ingest").iterdir()) == []


def killed_sync(workspace: Workspace, path: Relay, received: int) -> int:
    """Kill a sync once it was sent so many bytes, if it ever is; its exit code."""
    path.gate.close_after(received)
    process = workspace.start("sync", *AMD64)
    await_that(lambda: path.gate.is_closed or process.poll() is not None)
    process.kill()
    process.communicate()
    path.gate.open()
    await_that(lambda: path.is_idle)
    return process.returncode


def test_T01_killed_at_any_moment(locked: Workspace, whole: Workspace, path: Relay) -> None:
    """Round after round on one store; a store that became complete is begun anew."""
    chance = random.Random(1)
    killed = 0
    for _ in range(ROUNDS):
        kept = locked.blobs()
        said = len(path.heard)
        code = killed_sync(locked, path, chance.randrange(5 * MB))
        killed += code == -signal.SIGKILL
        # What has its name was sound, stays, and is never asked for again.
        asked = b"".join(path.heard[said:]).decode()
        assert not {digest for digest in kept if digest in asked}
        assert locked.blobs().items() >= kept.items()
        assert locked.document("verify")["sound"]
        # And names are right from the moment on at which they are there.
        assert locked.names().items() <= whole.names().items()
        if code == 0:
            assert_same(locked, whole)
            shutil.rmtree(locked.store)
    assert killed >= ROUNDS // 2
    locked.pinner("sync", *AMD64)
    assert_same(locked, whole)


def test_T01_killed_before_there_is_anything(
    locked: Workspace, whole: Workspace, path: Relay
) -> None:
    """While the store is made, and manifests are fetched."""
    for received in (1, 500, 2_000, 4_000):
        assert killed_sync(locked, path, received) == -signal.SIGKILL
    locked.pinner("sync", *AMD64)
    assert_same(locked, whole)


@pytest.mark.parametrize(
    ("with_signal", "code", "word"),
    [
        pytest.param(signal.SIGINT, 130, "interrupted", id="SIGINT"),
        pytest.param(signal.SIGTERM, 143, "terminated", id="SIGTERM"),
    ],
)
def test_H27_an_interrupted_run_is_continued(
    locked: Workspace,
    whole: Workspace,
    plain_registry: Registry,
    path: Relay,
    with_signal: int,
    code: int,
    word: str,
) -> None:
    path.gate.close_after(15 * MB)  # so that the largest layer is not whole
    process = locked.start("sync", *AMD64)
    await_that(lambda: locked.occupied() > 12 * MB)
    send_signal(process, with_signal)
    _, err = process.communicate(timeout=PROMPT)  # though nothing comes that it waits for
    path.gate.open()
    await_that(lambda: path.is_idle)
    assert process.returncode == code
    assert err.splitlines()[-1] == word
    assert "Traceback" not in err
    here = locked.occupied()
    assert 12 * MB < here < 24 * MB
    before = path.sent
    with plain_registry.recording() as seen:
        locked.pinner("sync", *AMD64)
    assert_same(locked, whole)
    # Of what was on the disk, hardly anything is fetched again.
    sent = path.sent - before
    assert sent + here - sum(whole.blobs().values()) < 0.02 * here
    assert [request for request in seen.requests if request.status == 206]


def test_a_run_that_waits_for_another_is_interrupted_as_fast(
    locked: Workspace, path: Relay
) -> None:
    path.gate.close_after(6 * MB)
    first = locked.start("sync", *AMD64)
    await_that(lambda: locked.occupied() > 1 * MB)
    second = locked.start("sync", "large", *AMD64)
    try:
        # It has threads once it knows what it lacks; all of that comes to the first, or will.
        threads = Path(f"/proc/{second.pid}/task")
        await_that(lambda: len(list(threads.iterdir())) > 1)
        second.send_signal(signal.SIGINT)
        second.communicate(timeout=PROMPT)
        assert second.returncode == 130
        assert first.poll() is None
    finally:
        path.gate.open()
        out, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, out + err


def test_an_update_that_is_interrupted_leaves_the_lock(
    workspace: Workspace, plain_registry: Registry, path: Relay, tmp_path: Path
) -> None:
    writer = LayoutWriter(tmp_path / "layout")
    for name, size in (("old", 20 * MB), ("new", 21 * MB)):
        layers = [noise(f"updated {name}", size)]
        writer.name(name, writer.index([writer.image("linux/amd64", layers)]))
    push_layout(plain_registry, writer.folder, "old", "cut/moving:1")
    workspace.want(moving=f"{path.address}/cut/moving:1")
    workspace.pinner("lock")
    locked = workspace.locked()
    push_layout(plain_registry, writer.folder, "new", "cut/moving:1")
    path.gate.close_after(8 * MB)
    process = workspace.start("update", "--fetch", "--summary", "body.md")
    await_that(lambda: workspace.occupied() > MB or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PROMPT)
    path.gate.open()
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert workspace.locked() == locked
    assert not (workspace.folder / "body.md").exists()
    assert workspace.names() == {}
    (change,) = workspace.document("update", "--fetch")["changes"]
    assert (change["kept_layers"], change["packages"]["changes"]) == (0, [])
