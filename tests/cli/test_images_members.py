"""Names that `pinner images` does not show are not read, and nothing else is left out."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from pinner.cli import images
from pinner.cli.images import all_described, described
from pinner.oci.digest import Digest
from pinner.oci.memory import MemorySource
from pinner.oci.reference import Repository
from pinner.output.images import images_fields
from pinner.store.names import CONTAINERD_NAME, MEMBER_OF, REF_NAME
from support.images import index, push
from support.storing import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.output.images import NamedImage
    from pinner.store.layout import Store
    from pinner.store.names import NamedDescriptor

APP = "registry.example/app"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def entries(store: Store) -> list[dict[str, Any]]:
    """Entries for two members of an index, and for the index; their manifests are here."""
    registry = MemorySource()
    raw = push(registry, f"{APP}:1", index("linux/amd64", "linux/arm64"))
    store.put(raw.digest, raw.data)
    members = json.loads(raw.data)["manifests"]
    for one in members:
        digest = Digest.parse(one["digest"])
        store.put(digest, registry.manifest(Repository.parse(APP), digest).data)
    top = {"mediaType": raw.media_type, "digest": str(raw.digest), "size": len(raw.data)}
    return [
        *(entry(one, f"{APP}@{one['digest']}", str(raw.digest)) for one in members),
        entry(top, f"{APP}:1"),
    ]


def entry(descriptor: dict[str, Any], name: str, index_digest: str = "") -> dict[str, Any]:
    marks = {MEMBER_OF: index_digest} if index_digest else {}
    kept = {key: descriptor[key] for key in ("mediaType", "digest", "size")}
    return {**kept, "annotations": {**marks, REF_NAME: name, CONTAINERD_NAME: name}}


def renamed(one: dict[str, Any], name: str) -> dict[str, Any]:
    return {**one, "annotations": {**one["annotations"], REF_NAME: name, CONTAINERD_NAME: name}}


def unmarked(one: dict[str, Any]) -> dict[str, Any]:
    kept = {key: text for key, text in one["annotations"].items() if key != MEMBER_OF}
    return {**one, "annotations": kept}


def write(store: Store, manifests: list[dict[str, Any]]) -> None:
    document = {"schemaVersion": 2, "manifests": manifests}
    (store.root / "index.json").write_text(json.dumps(document))


def test_what_is_shown_does_not_depend_on_what_is_read(
    store: Store, entries: list[dict[str, Any]]
) -> None:
    *members, top = entries
    first, second = members
    other_place = renamed(second, second["annotations"][REF_NAME].replace("/app@", "/other@"))
    by_digest = unmarked(renamed(top, f"{APP}@{top['digest']}"))
    nested = {**top, "annotations": {**top["annotations"], MEMBER_OF: top["digest"]}}
    some = [first, unmarked(first), unmarked(second), other_place, unmarked(other_place), top]
    some += [by_digest, renamed(nested, f"{APP}@{top['digest']}")]
    for count in range(4):
        for chosen in itertools.permutations(some, count):
            write(store, list(chosen))
            whole = [described(store, named) for named in store.images()]
            assert images_fields(all_described(store), store="s") == images_fields(whole, store="s")


@pytest.mark.parametrize("mark", [True, False])
def test_members_are_not_read(
    store: Store,
    entries: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    mark: bool,
) -> None:
    write(store, entries if mark else [unmarked(one) for one in entries])
    told: list[str] = []
    real = images.described

    def counted(store: Store, named: NamedDescriptor) -> NamedImage:
        told.append(named.name)
        return real(store, named)

    monkeypatch.setattr(images, "described", counted)
    all_described(store)
    assert told == [f"{APP}:1"]
