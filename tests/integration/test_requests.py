"""How much is asked of registries, counted at the server (design section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import registries
from support.layouts import LayoutWriter, layer, noise
from support.pushing import push_layout as push
from support.pushing import tag_again

if TYPE_CHECKING:
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.accesslog import Seen
    from support.registries import Registry
    from support.tokenserver import TokenServer
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

AMD64 = ("--platform", "linux/amd64")
PART = 8 * 1024 * 1024  # no part of a blob is smaller


def many(registry: Registry, repository: str, count: int) -> dict[str, str]:
    """References to so many tags of a repository that has the tag 1, by entry."""
    tag_again(registry, repository, "1", *(str(number) for number in range(2, count + 1)))
    return {
        f"entry-{number}": f"{registry.address}/{repository}:{number}"
        for number in range(1, count + 1)
    }


def test_lock_asks_for_one_manifest_an_entry_and_then_for_none(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "counted/many:1")
    workspace.want(**many(plain_registry, "counted/many", 100))
    with plain_registry.recording() as first:
        document = workspace.document("lock")
    assert first.counts() == {"GET manifests": 100}
    assert document["requests"] == 100
    with plain_registry.recording() as later:
        workspace.pinner("lock")
        workspace.pinner("lock", "--check")
    assert later.requests == ()


def test_a_new_entry_costs_one_request(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "counted/grown:1")
    entries = many(plain_registry, "counted/grown", 3)
    new = entries.pop("entry-2")
    workspace.want(**entries)
    workspace.pinner("lock")
    workspace.want(new=new, **entries)
    with plain_registry.recording() as seen:
        workspace.pinner("lock")
    assert [request.wanted for request in seen.requests] == ["2"]


def test_one_token_serves_a_repository(
    token_registry: Registry,
    token_server: TokenServer,
    push_layout: PushLayout,
    workspace: Workspace,
) -> None:
    tags = [f"counted/tokens:{number}" for number in range(4)]
    for tag in tags:
        push_layout(token_registry, tag)
    workspace.log_in(token_registry)
    workspace.want(**{f"entry-{tag[-1]}": f"{token_registry.address}/{tag}" for tag in tags})
    token_server.forget()
    with token_registry.recording() as seen:
        workspace.pinner("lock")
    assert seen.count("manifests", status=200) == len(tags)
    assert seen.count("manifests", status=401) <= len(tags)  # who asked before there was a token
    assert len(token_server.requests()) == 1


def test_sync_asks_for_what_is_missing_by_digest_and_once(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "counted/multi:1")
    push_layout(plain_registry, "counted/single:1", name="single")
    host = plain_registry.address
    workspace.want(multi=f"{host}/counted/multi:1", single=f"{host}/counted/single:1")
    workspace.pinner("lock")
    with plain_registry.recording() as seen:
        document = workspace.document("sync", *AMD64)
    # An index and two manifests; two configs, two own layers and the one that both share.
    assert seen.counts() == {"GET manifests": 3, "GET blobs": 5}
    assert document["requests"] == 8
    wanted = [request.wanted for request in seen.requests]
    assert sorted(wanted) == sorted(workspace.blobs())
    with plain_registry.recording() as seen:
        workspace.pinner("sync", *AMD64)
    assert seen.requests == ()


def test_a_further_platform_costs_only_what_it_adds(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "counted/platforms:1")
    workspace.want(app=f"{plain_registry.address}/counted/platforms:1")
    workspace.pinner("lock")
    workspace.pinner("sync", *AMD64)
    with plain_registry.recording() as seen:
        workspace.pinner("sync", "--platform", "linux/arm64")
    assert seen.counts() == {"GET manifests": 1, "GET blobs": 2}


def test_a_complete_store_needs_no_registry(
    tmp_path: Path, layout: Path, workspace: Workspace
) -> None:
    with registries.plain(tmp_path / "stopped") as registry:
        push(registry, layout, "multi", "team/app:1")
        workspace.want(app=f"{registry.address}/team/app:1")
        workspace.pinner("lock")
        workspace.pinner("sync", *AMD64)
    store = workspace.blobs(), workspace.names()
    synced = workspace.document("sync", *AMD64)
    assert (synced["complete"], synced["requests"]) == (True, 0)
    assert workspace.document("lock")["requests"] == 0
    workspace.pinner("sync", *AMD64, "--offline")
    assert (workspace.blobs(), workspace.names()) == store


def test_a_tag_that_moved_changes_nothing(
    tmp_path: Path, plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    """Neither what `sync` brings, nor what `lock` has locked."""
    writer = LayoutWriter(tmp_path / "moved")
    writer.name("new", writer.image("linux/amd64", [layer({"app": b"another"})]))
    push_layout(plain_registry, "counted/moved:1")
    reference = f"{plain_registry.address}/counted/moved:1"
    workspace.want(app=reference)
    workspace.pinner("lock")
    before = workspace.locked()
    push(plain_registry, writer.folder, "new", "counted/moved:1")
    with plain_registry.recording() as seen:
        workspace.pinner("lock")
        workspace.pinner("sync", *AMD64)
    assert workspace.locked() == before
    (locked,) = workspace.document("images")["images"]
    assert (locked["reference"], locked["digest"].encode() in before) == (reference, True)
    assert not [request for request in seen.requests if request.wanted == "1"]


# A large blob on slow connections.


def bounds(seen: Seen) -> tuple[int, int]:
    first, _, last = seen.range.removeprefix("bytes=").partition("-")
    return int(first), int(last)


def at_once(requests: list[Seen]) -> int:
    """The largest number of requests that were being answered at the same time."""
    return max(
        sum(other.began <= request.began < other.ended for other in requests)
        for request in requests
    )


def test_a_large_blob_comes_in_several_ranges_at_once(
    tmp_path: Path, plain_registry: Registry, workspace: Workspace
) -> None:
    writer = LayoutWriter(tmp_path / "ranges")
    writer.name("app", writer.image("linux/amd64", [noise("ranges", 4 * PART)]))
    push(plain_registry, writer.folder, "app", "counted/ranges:1")
    with registries.limited(tmp_path / "slow", plain_registry, rate="6m") as registry:
        workspace.want(app=f"{registry.address}/counted/ranges:1")
        workspace.pinner("lock")
        with registry.recording() as seen:
            workspace.pinner("sync", *AMD64)
    parts = [request for request in seen.requests if request.range]
    assert {part.status for part in parts} == {206}
    ranges = sorted(map(bounds, parts))
    (manifest,) = workspace.document("inspect", "app")["platforms"]
    (size,) = (blob["bytes"] for blob in manifest["layers"])
    # Closed, without gap or overlap, and all of it: no byte is asked for twice.
    ends = [0, *(last + 1 for _, last in ranges)]
    assert [first for first, _ in ranges] == ends[:-1]
    assert ends[-1] == size
    assert len(ranges) >= 4
    assert at_once(parts) >= 3
    assert all("manifests" not in request.path for request in parts)
    assert workspace.document("verify")["sound"]
