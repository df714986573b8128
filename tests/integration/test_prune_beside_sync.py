"""`pinner prune` in a loop beside sixteen `pinner sync`, some of either killed: nothing is lost."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Self

import pytest

from support.crowds import AMD64, lock_crowd, slow_crowd
from support.layouts import noise
from support.relay import Relay
from support.waiting import await_that

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

ROUNDS = 3
ALL = ("prune", "--older-than", "0")
SHARED = noise("shared by all", 600_000)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, plain_registry: Registry) -> Iterator[Registry]:
    """Their shared layer takes a while."""
    folder = tmp_path_factory.mktemp("pruned")
    with slow_crowd(
        folder, plain_registry, "pruned", SHARED, rate="500k", indexed=True
    ) as registry:
        yield registry


@pytest.fixture
def references(workspace: Workspace, slow: Registry) -> dict[str, str]:
    return lock_crowd(workspace, slow.address, "pruned")


class Pruner:
    """Prunes again and again until it is stopped; every other time it is killed at random."""

    def __init__(self, workspace: Workspace) -> None:
        self.failed: list[str] = []
        self.ended = self.killed = 0
        self._workspace = workspace
        self._chance = random.Random(19)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            process = self._workspace.start(*ALL)
            if (self.ended + self.killed) % 2:
                self._stop.wait(self._chance.uniform(0.05, 0.4))
                process.kill()
            out, err = process.communicate(timeout=600)
            if process.returncode == 0:
                self.ended += 1
            elif process.returncode == -9:
                self.killed += 1
            else:
                self.failed.append(out + err)


def wait(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """How those ended that failed."""
    said = [process.communicate(timeout=600) for process in processes]
    return [
        (process.returncode, out + err)
        for process, (out, err) in zip(processes, said, strict=True)
        if process.returncode
    ]


def is_whole(workspace: Workspace, references: dict[str, str]) -> None:
    """Sixteen of sixteen names, each image complete."""
    assert set(workspace.tags()) == set(references.values())
    assert workspace.document("verify")["sound"]
    images = workspace.document("images")["images"]
    assert all(one["complete"] for image in images for one in image["platforms"])


def test_T19_prunes_beside_sixteen_syncs(workspace: Workspace, references: dict[str, str]) -> None:
    for number in range(ROUNDS):
        if number:
            # What the syncs need is here then, and has no name.
            workspace.pinner("rm", *references.values())
            assert workspace.tags() == {}
        with Pruner(workspace) as pruner:
            failed = wait([workspace.start("sync", name, *AMD64) for name in references])
        assert failed == []
        assert pruner.failed == []
        assert pruner.ended
        is_whole(workspace, references)
    assert workspace.document(*ALL)["blobs"] == []


def test_T19_a_killed_sync_leaves_nothing_that_blocks(workspace: Workspace, slow: Registry) -> None:
    with Relay(slow.address) as path:
        references = lock_crowd(workspace, path.address, "pruned")
        path.gate.close_after(200_000)  # less than the shared layer
        doomed = workspace.start("sync", *AMD64)
        leases = workspace.store / ".pinner/leases"
        await_that(lambda: leases.exists() and any(leases.iterdir()) and any(workspace.blobs()))
        workspace.pinner(*ALL)
        assert workspace.blobs(), "a running sync needs them"
        assert doomed.poll() is None
        doomed.kill()
        doomed.communicate()
        path.gate.open()
        leaves_nothing(workspace, references, leases)


def leaves_nothing(workspace: Workspace, references: dict[str, str], leases: Path) -> None:
    assert workspace.document(*ALL)["leased"] == 0
    assert workspace.blobs() == {}
    assert list(leases.iterdir()) == []
    workspace.pinner("sync", *AMD64)
    is_whole(workspace, references)
