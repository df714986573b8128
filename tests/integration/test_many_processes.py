"""Sixteen `pinner sync` at once on one store: every name is kept, every blob is fetched once."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support.crowds import AMD64, CROWD, lock_crowd, slow_crowd
from support.layouts import noise
from support.workspace import Workspace

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from support.accesslog import Recording
    from support.registries import Registry

pytestmark = pytest.mark.servers

SHARED = noise("shared by all", 3_000_000)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, plain_registry: Registry) -> Iterator[Registry]:
    """Their shared layer takes seconds."""
    folder = tmp_path_factory.mktemp("many")
    with slow_crowd(folder, plain_registry, "many", SHARED, rate="1m") as registry:
        yield registry


@pytest.fixture
def locked(workspace: Workspace, slow: Registry) -> dict[str, str]:
    return lock_crowd(workspace, slow.address, "many")


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """How each of the processes ended, with what it had to say."""
    said = [process.communicate(timeout=600) for process in processes]
    return [
        (process.returncode, out + err)
        for process, (out, err) in zip(processes, said, strict=True)
        if process.returncode
    ]


def blobs(seen: Recording) -> Counter[str]:
    """How often each blob was asked for."""
    return Counter(request.wanted for request in seen.requests if request.kind == "blobs")


def test_T18_each_its_own_image_and_a_shared_layer(
    workspace: Workspace, slow: Registry, locked: dict[str, str]
) -> None:
    with slow.recording() as seen:
        failed = ended([workspace.start("sync", name, *AMD64) for name in locked])
    assert failed == []
    assert set(workspace.tags()) == set(locked.values())
    assert set(blobs(seen).values()) == {1}
    assert f"sha256:{hashlib.sha256(SHARED).hexdigest()}" in blobs(seen)
    assert seen.counts() == {"GET manifests": CROWD, "GET blobs": 1 + 2 * CROWD}
    assert workspace.document("verify")["sound"]


def test_T17_all_the_same_images(
    workspace: Workspace, slow: Registry, locked: dict[str, str]
) -> None:
    with slow.recording() as seen:
        failed = ended([workspace.start("sync", *AMD64) for _ in range(CROWD)])
    assert failed == []
    assert set(workspace.tags()) == set(locked.values())
    assert set(blobs(seen).values()) == {1}
    assert len(blobs(seen)) == 1 + 2 * CROWD
    assert workspace.document("verify")["sound"]


def test_sixteen_projects_share_the_users_store(
    tmp_path: Path, workspace: Workspace, slow: Registry, locked: dict[str, str]
) -> None:
    """Each locks and syncs on its own; the store is made by all of them at once."""
    projects = [Workspace(tmp_path / name) for name in locked]
    for project, (name, reference) in zip(projects, locked.items(), strict=True):
        project.want(**{name: reference})
        project.store = workspace.store
    assert ended([project.start("lock") for project in projects]) == []
    with slow.recording() as seen:
        assert ended([project.start("sync", *AMD64) for project in projects]) == []
    assert set(workspace.tags()) == set(locked.values())
    assert set(blobs(seen).values()) == {1}
