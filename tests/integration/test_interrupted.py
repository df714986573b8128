"""A run that is killed or interrupted: nothing is lost, nothing is fetched twice."""

from __future__ import annotations

import random
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from support import registries
from support.layouts import LayoutWriter, noise
from support.pushing import push_layout
from support.waiting import await_that
from support.workspace import Workspace

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from support.registries import Registry

pytestmark = pytest.mark.servers

AMD64 = ("--platform", "linux/amd64")
ROUNDS = 12
MB = 1_000_000
# The largest comes in several ranges at once.
LAYERS = {"large": [20 * MB], "small": [4 * MB, 2 * MB], "tiny": [1_000, 2 * MB]}
PATIENCE = 30


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, plain_registry: Registry) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("interrupted")
    writer = LayoutWriter(folder / "layout")
    for name, sizes in LAYERS.items():
        layers = [noise(f"interrupted {size}", size) for size in sizes]
        writer.name(name, writer.index([writer.image("linux/amd64", layers)]))
        push_layout(plain_registry, writer.folder, name, f"cut/{name}:1")
    with registries.limited(folder / "slow", plain_registry, rate="5m") as registry:
        yield registry


@pytest.fixture
def locked(workspace: Workspace, slow: Registry) -> Workspace:
    workspace.want(**{name: f"{slow.address}/cut/{name}:1" for name in LAYERS})
    workspace.pinner("lock")
    return workspace


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, slow: Registry) -> Workspace:
    """What a run that nobody disturbs comes to."""
    workspace = Workspace(tmp_path_factory.mktemp("whole"))
    workspace.want(**{name: f"{slow.address}/cut/{name}:1" for name in LAYERS})
    workspace.pinner("lock")
    workspace.pinner("sync", *AMD64)
    return workspace


def assert_same(one: Workspace, other: Workspace) -> None:
    """Two stores hold and name the same; the first has nothing half-done."""
    assert one.blobs() == other.blobs()
    assert one.names() == other.names()
    assert list((one.store / "ingest").iterdir()) == []


def killed_sync(workspace: Workspace, seconds: float) -> int:
    """Kill a sync so long after its first trace in the store; its exit code."""
    before = workspace.occupied()
    process = workspace.start("sync", *AMD64)
    await_that(lambda: workspace.occupied() != before or process.poll() is not None)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode


def test_T01_killed_at_any_moment(locked: Workspace, whole: Workspace, slow: Registry) -> None:
    """Round after round on one store; a store that became complete is begun anew."""
    chance = random.Random(1)
    killed = 0
    for _ in range(ROUNDS):
        kept = locked.blobs()
        with slow.recording() as seen:
            code = killed_sync(locked, chance.uniform(0, 0.6))
        killed += code == -signal.SIGKILL
        # What has its name was sound, stays, and is never asked for again.
        assert not {request.wanted for request in seen.requests} & set(kept)
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


def test_T01_killed_before_there_is_anything(locked: Workspace, whole: Workspace) -> None:
    """While the store is made, and manifests are fetched."""
    for seconds in (0.1, 0.2, 0.3, 0.4):
        process = locked.start("sync", *AMD64)
        time.sleep(seconds)
        process.kill()
        process.communicate()
    locked.pinner("sync", *AMD64)
    assert_same(locked, whole)


def interrupt(process: subprocess.Popen[str], with_signal: int) -> tuple[float, str]:
    """The seconds until it ended, and what it wrote to stderr."""
    began = time.monotonic()
    process.send_signal(with_signal)
    _, err = process.communicate(timeout=PATIENCE)
    return time.monotonic() - began, err


@pytest.mark.parametrize(
    ("with_signal", "code", "word"),
    [
        pytest.param(signal.SIGINT, 130, "interrupted", id="SIGINT"),
        pytest.param(signal.SIGTERM, 143, "terminated", id="SIGTERM"),
    ],
)
def test_H27_an_interrupted_run_is_continued(
    locked: Workspace, whole: Workspace, slow: Registry, with_signal: int, code: int, word: str
) -> None:
    process = locked.start("sync", *AMD64)
    await_that(lambda: locked.occupied() > 12 * MB)
    seconds, err = interrupt(process, with_signal)
    assert process.returncode == code
    assert seconds < 1.5
    assert err.splitlines()[-1] == word
    assert "Traceback" not in err
    here = locked.occupied()
    assert 12 * MB < here < 24 * MB
    with slow.recording() as seen:
        locked.pinner("sync", *AMD64)
    assert_same(locked, whole)
    # Of what was on the disk, hardly anything is fetched again.
    sent = sum(request.sent for request in seen.requests)
    assert sent + here - sum(whole.blobs().values()) < 0.02 * here
    assert [request for request in seen.requests if request.status == 206]


def test_a_run_that_waits_for_another_is_interrupted_as_fast(
    locked: Workspace, slow: Registry
) -> None:
    first = locked.start("sync", *AMD64)
    await_that(lambda: locked.occupied() > 1 * MB)
    second = locked.start("sync", "large", *AMD64)
    try:
        time.sleep(0.5)
        seconds, _ = interrupt(second, signal.SIGINT)
        assert (second.returncode, seconds < 1.5) == (130, True)
    finally:
        out, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, out + err


def test_an_update_that_is_interrupted_leaves_the_lock(
    workspace: Workspace, plain_registry: Registry, slow: Registry, tmp_path: Path
) -> None:
    writer = LayoutWriter(tmp_path / "layout")
    for name, size in (("old", 20 * MB), ("new", 21 * MB)):
        layers = [noise(f"updated {name}", size)]
        writer.name(name, writer.index([writer.image("linux/amd64", layers)]))
    push_layout(plain_registry, writer.folder, "old", "cut/moving:1")
    workspace.want(moving=f"{slow.address}/cut/moving:1")
    workspace.pinner("lock")
    locked = workspace.locked()
    push_layout(plain_registry, writer.folder, "new", "cut/moving:1")
    process = workspace.start("update", "--fetch", "--summary", "body.md")
    await_that(lambda: workspace.occupied() > MB or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert workspace.locked() == locked
    assert not (workspace.folder / "body.md").exists()
    assert workspace.names() == {}
    (change,) = workspace.document("update", "--fetch")["changes"]
    assert (change["kept_layers"], change["packages"]["changes"]) == (0, [])
