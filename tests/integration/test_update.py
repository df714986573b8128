"""Updates on a real registry: what is asked, counted at the server (design section 4)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from support.pushing import tag_again

if TYPE_CHECKING:
    from integration.conftest import PushLayout
    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers


def many(registry: Registry, repository: str, count: int) -> dict[str, str]:
    """References to so many tags of a repository that has the tag 1, by entry."""
    tag_again(registry, repository, "1", *(str(number) for number in range(2, count + 1)))
    return {
        f"entry-{number}": f"{registry.address}/{repository}:{number}"
        for number in range(1, count + 1)
    }


def test_a_hundred_unchanged_entries_are_a_hundred_heads_and_no_get(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "updated/many:1")
    workspace.want(**many(plain_registry, "updated/many", 100))
    workspace.pinner("lock")
    locked = workspace.locked()
    for command in ("update", "outdated"):
        with plain_registry.recording() as seen:
            document = workspace.document(command)
        assert seen.counts() == {"HEAD manifests": 100}, command
        assert document["requests"] == {"head": 100, "manifest": 0, "tags": 0, "blob": 0}
    assert workspace.locked() == locked


def test_a_moved_entry_is_one_get_more(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "updated/moved:1")
    workspace.want(**many(plain_registry, "updated/moved", 10))
    workspace.pinner("lock")
    push_layout(plain_registry, "updated/moved:7", name="single")
    with plain_registry.recording() as seen:
        outcomes = workspace.document("outdated", code=1)["images"]
    # A lone manifest says only in its config for which platform it is.
    assert seen.counts() == {"HEAD manifests": 10, "GET manifests": 1, "GET blobs": 1}
    assert [one["name"] for one in outcomes if one["outcome"] == "updated"] == ["entry-7"]


def test_a_moved_index_is_one_get_more(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "updated/index:1", name="single")
    push_layout(plain_registry, "updated/index:2", name="single")
    workspace.want(
        **{f"entry-{tag}": f"{plain_registry.address}/updated/index:{tag}" for tag in (1, 2)}
    )
    workspace.pinner("lock")
    push_layout(plain_registry, "updated/index:2", name="multi")
    with plain_registry.recording() as seen:
        workspace.pinner("outdated", code=1)
    assert seen.counts() == {"HEAD manifests": 2, "GET manifests": 1}
    with plain_registry.recording() as seen:
        ran = workspace.pinner("update")
    # To tell what changed inside: manifest and config of one platform, before and after.
    assert seen.counts() == {"HEAD manifests": 2, "GET manifests": 3, "GET blobs": 2}
    assert ran.out.splitlines()[-1] == (
        "Updated 1 of 2 images. 1 unchanged. Wrote images.lock. "
        "Next: pinner diff --fetch, pinner rewrite"
    )
    with plain_registry.recording() as seen:
        workspace.pinner("update")
    assert seen.counts() == {"HEAD manifests": 2}
    workspace.pinner("sync")


def test_entries_of_one_repository_share_its_tag_list(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "updated/versions:1.0.0")
    tag_again(plain_registry, "updated/versions", "1.0.0", "1.1.0", "2.0.0", "latest")
    address = f"{plain_registry.address}/updated/versions"
    wishes = [
        f'[images.{name}]\nimage = "{address}"\nversion = "{version}"'
        for name, version in (("one", "==1.*"), ("two", "==2.*"), ("pin", "==1.0.0"))
    ]
    workspace.want(*wishes)
    workspace.pinner("lock")
    push_layout(plain_registry, "updated/versions:1.2.0", name="large")
    with plain_registry.recording() as seen:
        images = workspace.document("outdated", code=1)["images"]
    asked = seen.counts()
    assert asked.pop("GET blobs") == 1  # the lone manifest's config
    assert asked == {"GET tags": 1, "HEAD manifests": 3, "GET manifests": 1}
    assert [(one["outcome"], one["tag"]) for one in images] == [
        *(("updated", "1.2.0"), ("unchanged", "2.0.0"), ("unchanged", "1.0.0"))
    ]


def days_pass(workspace: Workspace, days: int) -> None:
    """Let everything in the log have been seen so many days earlier."""
    log = workspace.folder / "seen.json"
    known = json.loads(log.read_bytes())
    for history in known["tags"].values():
        for sighting in history:
            for time in ("first", "last"):
                sighting[time] -= days * 86_400
    log.write_text(json.dumps(known))


def test_an_older_digest_is_taken_as_long_as_it_is_served(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    address = f"{plain_registry.address}/updated/rebuilt:1"
    push_layout(plain_registry, "updated/rebuilt:1", name="single")
    workspace.want(app=address)
    workspace.pinner("lock")
    workspace.pinner("update", "--seen", "seen.json")
    days_pass(workspace, 1)
    push_layout(plain_registry, "updated/rebuilt:1", name="multi")
    held = workspace.document("update", "--seen", "seen.json", "--minimum-age", "3d")["images"][0]
    assert (held["outcome"], held["waiting"]["age"]["evidence"]) == ("held", "observed")
    days_pass(workspace, 4)
    push_layout(plain_registry, "updated/rebuilt:1", name="large")
    with plain_registry.recording() as seen:
        taken = workspace.document("outdated", "--seen", "seen.json", "--minimum-age", "3d", code=1)
    (image,) = taken["images"]
    assert image["outcome"] == "updated"
    assert image["digest"] == held["waiting"]["digest"]
    assert image["waiting"]["digest"] != image["digest"]
    assert seen.counts()["HEAD manifests"] == 2
    assert seen.counts()["GET manifests"] == 2


def test_runs_at_once_lose_no_sight(
    plain_registry: Registry, push_layout: PushLayout, workspace: Workspace
) -> None:
    push_layout(plain_registry, "updated/at-once:1")
    entries = many(plain_registry, "updated/at-once", 12)
    workspace.want(**entries)
    workspace.pinner("lock")
    with ThreadPoolExecutor(4) as pool:
        runs = [
            pool.submit(workspace.pinner, "outdated", name, "--seen", "seen.json")
            for name in entries
        ]
        for run in runs:
            run.result()
    known = json.loads((workspace.folder / "seen.json").read_bytes())["tags"]
    assert set(known) == set(entries.values())
