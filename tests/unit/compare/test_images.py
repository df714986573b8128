"""What became of images: facts from a store and a registry, and whose packages are compared."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pinner.compare.attestations import STATEMENT_LIMIT
from pinner.compare.fetching import Fetcher
from pinner.compare.images import common_platform, compare_images
from pinner.compare.locks import changed_images
from pinner.compare.model import ImageChange
from pinner.errors import StoreError
from pinner.inventory.model import PackageChanges
from pinner.lockfile import Lock, LockedImage
from pinner.oci.memory import MemorySource
from pinner.progress import NullProgress
from pinner.store.layout import Store
from support.clock import FakeClock
from support.comparing import (
    FakeInventory,
    annotated,
    attested,
    keep,
    labelled,
    pin,
    remade,
    serve,
    upgraded,
)
from support.images import image, index, layer, make_index
from support.outcomes import AMD64, ARM64, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.oci.platform import Platform

BASE, OLD_TOP, NEW_TOP = layer("base", 4_000), layer("old", 2_000), layer("new", 3_000)
BEFORE = image("linux/amd64", BASE, OLD_TOP, created="2026-01-02T03:04:05Z")
AFTER = image("linux/amd64", BASE, NEW_TOP, created="2026-01-11T03:04:05.123456789Z")
NAME = "registry.example/app:1"


@pytest.fixture
def registry() -> MemorySource:
    return MemorySource()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def compare(
    old: LockedImage | None,
    new: LockedImage | None,
    store: Store | None,
    *,
    registry: MemorySource | None = None,
    inventory: FakeInventory | None = None,
    fetch: bool = False,
) -> ImageChange:
    """The one change, as `pinner diff` would tell it."""
    locks = [Lock(images=(image,) if image else ()) for image in (old, new)]
    open_source = (lambda: registry) if registry is not None else None
    fetcher = None
    if fetch and store and open_source:
        fetcher = Fetcher(
            store=store,
            lease=store.lease(),
            open_source=open_source,
            progress=NullProgress(),
            clock=FakeClock(),
            jobs=2,
        )
    (change,) = compare_images(
        changed_images(*locks),
        host=AMD64,
        store=store,
        jobs=2,
        open_source=open_source,
        inventory=inventory,
        fetcher=fetcher,
    )
    return change


def test_the_facts_of_both_images_come_from_the_store(store: Store) -> None:
    keep(store, BEFORE, AFTER)
    change = compare(pin(NAME, BEFORE), pin(NAME, AFTER), store)
    assert change.old is not None
    assert change.new is not None
    assert change.old.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert change.new.created == datetime(2026, 1, 11, 3, 4, 5, 123456, tzinfo=UTC)
    assert [one.digest for one in change.new.layers] == [BASE.digest, NEW_TOP.digest]
    assert change.new.size == len(BASE.data) + len(NEW_TOP.data)
    assert change.kept_layers == 1
    assert change.notes == ()
    assert change.packages is None, "nobody asked for packages"


def test_what_the_store_lacks_is_asked_for_by_digest_and_kept(
    store: Store, registry: MemorySource
) -> None:
    old, new = serve(registry, NAME, BEFORE), serve(registry, NAME, AFTER)
    first = compare(old, new, store, registry=registry)
    assert registry.counts == {"manifest": 2, "blob": 2}
    assert compare(old, new, store) == first, "the second time, nobody is asked"


def test_without_a_store_and_a_registry_nothing_can_be_told() -> None:
    change = compare(pin(NAME, BEFORE), pin(NAME, AFTER), None)
    assert (change.old, change.new) == (None, None)
    assert change.notes == ("neither image is in the store: --fetch asks the registry",)


def test_one_side_may_be_all_there_is(store: Store) -> None:
    keep(store, AFTER)
    change = compare(pin(NAME, BEFORE), pin(NAME, AFTER), store, inventory=FakeInventory())
    assert change.old is None
    assert change.new is not None
    assert change.packages is None
    assert change.notes == ("the older image is not in the store: --fetch asks the registry",)


def test_an_image_that_the_registry_lacks_is_a_note(store: Store, registry: MemorySource) -> None:
    new = serve(registry, NAME, AFTER)
    change = compare(pin(NAME, BEFORE), new, store, registry=registry)
    assert change.new is not None
    (note,) = change.notes
    assert note.startswith("the older image could not be read: registry.example/app has no manif")


def test_an_index_in_the_place_of_an_image_is_a_note(store: Store) -> None:
    whole = index("linux/amd64")
    keep(store, BEFORE, whole)
    wrong = replace(pin(NAME, whole), platforms={AMD64: whole.digest})
    change = compare(pin(NAME, BEFORE), wrong, store)
    assert change.new is None
    assert change.notes[0].endswith("is locked for linux/amd64 but is an index, not an image")


def test_a_store_that_takes_nothing_is_no_reason_to_know_nothing(
    store: Store, registry: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("is read-only")

    old, new = serve(registry, NAME, BEFORE), serve(registry, NAME, AFTER)
    monkeypatch.setattr(Store, "put", refuse)
    change = compare(old, new, store, registry=registry)
    assert change.old is not None
    assert change.new is not None


def test_an_index_is_not_asked_for_where_only_facts_are_wanted(
    store: Store, registry: MemorySource
) -> None:
    old, new = (serve(registry, NAME, make_index([one])) for one in (BEFORE, AFTER))
    change = compare(old, new, store, registry=registry)
    assert change.new is not None
    assert registry.counts["manifest"] == 2


def test_an_attestation_is_not_asked_for_where_it_may_not_be_fetched(
    store: Store, registry: MemorySource
) -> None:
    for one in ATTESTED:
        store.put(one.digest, one.manifest.data)
    old, new = (serve(registry, NAME, one) for one in ATTESTED)
    compare(old, new, store, registry=registry, inventory=FakeInventory())
    assert registry.counts["manifest"] == 2, "those of the two images"


def test_a_spoiled_manifest_is_a_note(store: Store) -> None:
    keep(store, BEFORE, AFTER)
    path = store.path(BEFORE.digest)
    path.chmod(0o644)
    path.write_bytes(b"{}")
    change = compare(pin(NAME, BEFORE), pin(NAME, AFTER), store)
    assert change.old is None
    assert "the older image could not be read" in change.notes[0]


def test_an_entry_that_is_new_or_gone_is_told_alone(store: Store) -> None:
    keep(store, AFTER)
    added = compare(None, pin(NAME, AFTER), store, inventory=FakeInventory())
    assert added.old is None
    assert added.new is not None
    assert added.packages is None
    removed = compare(pin(NAME, AFTER), None, store)
    assert removed.old == added.new
    assert removed.notes == ()


def test_a_new_entry_that_is_not_here() -> None:
    change = compare(None, pin(NAME, AFTER), None)
    assert change.notes == ("the image is not in the store: --fetch asks the registry",)


@pytest.mark.parametrize(
    ("before", "after", "host", "platform"),
    [
        pytest.param([AMD64, ARM64], [AMD64, ARM64], ARM64, ARM64, id="the host's"),
        pytest.param([AMD64, ARM64], [ARM64], AMD64, ARM64, id="the first that both have"),
        pytest.param([ARM64], [AMD64], AMD64, None, id="none in common"),
        pytest.param([ARM64], None, AMD64, ARM64, id="of the only pin"),
        pytest.param(None, [AMD64, ARM64], ARM64, ARM64, id="the host's of the only pin"),
    ],
)
def test_which_platform_is_compared(
    before: list[Platform] | None,
    after: list[Platform] | None,
    host: Platform,
    platform: Platform | None,
) -> None:
    change = ImageChange(
        name="app",
        before=locked("app", "1", 1, *before) if before else None,
        after=locked("app", "1", 3, *after) if after else None,
    )
    assert common_platform(change, host) == platform


def test_without_a_common_platform_there_is_nothing_to_compare(store: Store) -> None:
    change = compare(pin(NAME, index("linux/arm64")), pin(NAME, index("linux/amd64")), store)
    assert change.platform is None
    assert change.notes == ("the two pins have no platform in common",)
    assert (change.gained, change.lost) == ((AMD64,), (ARM64,))


@pytest.mark.parametrize("created", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "", "soon"])
def test_a_date_that_is_no_evidence_is_none(store: Store, created: str) -> None:
    after = image("linux/amd64", NEW_TOP, created=created)
    keep(store, BEFORE, after)
    change = compare(pin(NAME, BEFORE), pin(NAME, after), store)
    assert change.new is not None
    assert change.new.created is None


def test_labels_are_those_nearest_to_the_image(store: Store) -> None:
    one = annotated(
        labelled("linux/amd64", BASE, labels={"a": "config"}),
        {"a": "manifest", "b": "manifest"},
    )
    listed = replace(one, annotations={"b": "member", "c": "member"})
    whole = annotated(make_index([listed]), {"c": "index", "d": "index"})
    keep(store, whole)
    change = compare(None, pin(NAME, whole), store)
    assert change.new is not None
    assert dict(change.new.labels) == {"a": "config", "b": "manifest", "c": "member", "d": "index"}


def test_the_link_comes_from_both_images(store: Store) -> None:
    source = "https://github.com/docker-library/python.git#{}:3.12/slim"
    sides = [
        labelled(
            "linux/amd64",
            BASE,
            labels={"org.opencontainers.image.source": source.format(revision * 40)},
        )
        for revision in "ab"
    ]
    keep(store, *sides)
    change = compare(pin(NAME, sides[0]), pin(NAME, sides[1]), store)
    compared = f"compare/{'a' * 40}...{'b' * 40}"
    assert change.link == f"https://github.com/docker-library/python/{compared}"


def test_packages_are_read_where_the_store_has_the_layers(store: Store) -> None:
    keep(store, BEFORE, AFTER)
    change = compare(pin(NAME, BEFORE), pin(NAME, AFTER), store, inventory=FakeInventory())
    assert change.old is not None
    assert change.new is not None
    assert change.packages == upgraded(str(change.old.size), str(change.new.size))


def test_equal_layers_are_not_read(store: Store) -> None:
    inventory = FakeInventory()
    after = image("linux/amd64", BASE, OLD_TOP, created="2026-03-01T00:00:00Z")
    keep(store, BEFORE, without=[BASE.digest])
    keep(store, after, without=[BASE.digest])
    change = compare(pin(NAME, BEFORE), pin(NAME, after), store, inventory=inventory)
    assert change.packages == PackageChanges()
    assert inventory.asked == []


def test_layers_that_are_missing_are_a_note_with_their_size(store: Store) -> None:
    big = image("linux/amd64", BASE, layer("big", 2_400_000))
    keep(store, BEFORE)
    keep(store, big, without=[one for one in big.blobs if len(big.blobs[one]) > 1_000_000])
    change = compare(pin(NAME, BEFORE), pin(NAME, big), store, inventory=FakeInventory())
    assert change.packages is None
    assert change.notes == (
        "packages not compared: layers are not in the store (--fetch downloads up to 2.4 MB)",
    )


def test_fetching_downloads_only_what_is_missing_and_names_nothing(
    store: Store, registry: MemorySource
) -> None:
    old, new = serve(registry, NAME, BEFORE), serve(registry, NAME, AFTER)
    keep(store, BEFORE)
    change = compare(old, new, store, registry=registry, inventory=FakeInventory(), fetch=True)
    assert change.packages is not None
    assert registry.counts == {"manifest": 1, "blob": 2}, "AFTER: manifest; config and top layer"
    assert store.images() == ()


@pytest.mark.parametrize(("deep", "asked"), [(False, ["layers"]), (True, ["layers", "layers"])])
def test_layers_that_both_begin_with_are_fetched_only_where_needed(
    store: Store, registry: MemorySource, *, deep: bool, asked: list[str]
) -> None:
    old, new = serve(registry, NAME, BEFORE), serve(registry, NAME, AFTER)
    inventory = FakeInventory()
    inventory.deep = deep
    change = compare(old, new, store, registry=registry, inventory=inventory, fetch=True)
    assert change.packages is not None
    assert change.packages.notes == ()
    assert inventory.asked == asked
    assert store.has(BASE.digest) is deep


@pytest.mark.parametrize("deep", [False, True])
def test_layers_that_both_begin_with_may_be_missing_where_not_needed(
    store: Store, *, deep: bool
) -> None:
    keep(store, BEFORE, AFTER, without=[BASE.digest])
    inventory = FakeInventory()
    inventory.deep = deep
    change = compare(pin(NAME, BEFORE), pin(NAME, AFTER), store, inventory=inventory)
    assert (change.packages is None) is deep
    assert ("packages not compared" in "".join(change.notes)) is deep


def test_a_manifest_that_lies_about_a_size_is_a_note(store: Store) -> None:
    document = json.loads(AFTER.manifest.data)
    document["layers"][1]["size"] = 2**62
    lying = remade(AFTER, document)
    keep(store, BEFORE, lying)
    inventory = FakeInventory()
    change = compare(pin(NAME, BEFORE), pin(NAME, lying), store, inventory=inventory)
    assert change.packages is None
    assert inventory.asked == []


def test_a_layer_that_cannot_be_fetched_is_a_note(store: Store, registry: MemorySource) -> None:
    keep(store, BEFORE)
    keep(store, AFTER, without=[NEW_TOP.digest])
    change = compare(
        pin(NAME, BEFORE),
        pin(NAME, AFTER),
        store,
        registry=registry,
        inventory=FakeInventory(),
        fetch=True,
    )
    assert change.packages is None
    (note,) = change.notes
    assert note.startswith("packages not compared: registry.example/app has no blob")


PROVENANCE = "https://slsa.dev/provenance/v1"
ATTESTED = (attested(BEFORE, "1.0"), attested(AFTER, "2.0"))
ATTESTED_PINS = (pin(NAME, ATTESTED[0]), pin(NAME, ATTESTED[1]))


def test_attestations_tell_where_layers_are_missing(store: Store) -> None:
    for one in ATTESTED:
        keep(store, one, without=[BASE.digest, OLD_TOP.digest, NEW_TOP.digest])
    inventory = FakeInventory()
    change = compare(*ATTESTED_PINS, store, inventory=inventory)
    assert change.packages is not None
    assert change.packages.changes == upgraded("1.0", "2.0").changes
    assert inventory.asked == ["statements"]
    assert "SPDX" in change.packages.notes[0]


def test_fetching_prefers_attestations_to_layers(store: Store, registry: MemorySource) -> None:
    old, new = (serve(registry, NAME, one) for one in ATTESTED)
    change = compare(old, new, store, registry=registry, inventory=FakeInventory(), fetch=True)
    assert change.packages is not None
    assert change.packages.changes == upgraded("1.0", "2.0").changes
    assert not store.has(BASE.digest)


def test_attestations_that_cannot_be_read_give_way_to_layers(
    store: Store, registry: MemorySource
) -> None:
    old, new = (serve(registry, NAME, one) for one in ATTESTED)
    inventory = FakeInventory()
    inventory.unreadable = True
    change = compare(old, new, store, registry=registry, inventory=inventory, fetch=True)
    assert change.packages is not None
    assert inventory.asked == ["statements", "layers"]
    assert change.packages.notes == ()


def test_an_attestation_that_is_not_served_gives_way_to_layers(
    store: Store, registry: MemorySource
) -> None:
    old = serve(registry, NAME, ATTESTED[0])
    gone = make_index([AFTER, ATTESTED[1].images[1]])
    for one in (AFTER, replace(gone, images=())):
        new = serve(registry, NAME, one)
    inventory = FakeInventory()
    change = compare(
        old,
        replace(new, platforms={AMD64: AFTER.digest}),
        store,
        registry=registry,
        inventory=inventory,
        fetch=True,
    )
    assert change.packages is not None
    assert inventory.asked == ["layers"]


def test_layers_at_hand_are_preferred_for_their_changelogs(store: Store) -> None:
    keep(store, *ATTESTED)
    inventory = FakeInventory()
    compare(*ATTESTED_PINS, store, inventory=inventory)
    assert inventory.asked == ["layers"]


def test_an_attestation_of_another_image_is_not_taken(store: Store) -> None:
    stranger = attested(image("linux/arm64", BASE), "9")
    mixed = make_index([BEFORE, stranger.images[1]])
    keep(store, mixed, ATTESTED[1], without=[BASE.digest, OLD_TOP.digest, NEW_TOP.digest])
    inventory = FakeInventory()
    change = compare(pin(NAME, mixed), pin(NAME, ATTESTED[1]), store, inventory=inventory)
    assert inventory.asked == []
    assert change.packages is None


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"annotations": {"in-toto.io/predicate-type": PROVENANCE}}, id="provenance"),
        pytest.param({"annotations": {}}, id="nothing said"),
        pytest.param({"mediaType": "application/json"}, id="no statement"),
        pytest.param({"size": STATEMENT_LIMIT + 1}, id="too large"),
    ],
)
def test_what_is_no_list_of_packages_is_not_taken(store: Store, told: dict[str, object]) -> None:
    statement = ATTESTED[0].images[1]
    document = json.loads(statement.manifest.data)
    document["layers"][0] |= told
    other = make_index([BEFORE, remade(statement, document)])
    keep(store, other, ATTESTED[1], without=[BASE.digest, OLD_TOP.digest, NEW_TOP.digest])
    inventory = FakeInventory()
    change = compare(pin(NAME, other), ATTESTED_PINS[1], store, inventory=inventory)
    assert inventory.asked == []
    assert change.packages is None


def test_the_same_pair_under_two_names_is_compared_once(
    store: Store, registry: MemorySource
) -> None:
    old, new = serve(registry, NAME, BEFORE), serve(registry, NAME, AFTER)
    keep(store, BEFORE, AFTER)
    inventory = FakeInventory()
    changes = compare_images(
        changed_images(
            Lock(images=(old, replace(old, name="twin"))),
            Lock(images=(new, replace(new, name="twin"))),
        ),
        host=AMD64,
        store=store,
        jobs=2,
        inventory=inventory,
    )
    assert [change.name for change in changes] == ["app", "twin"]
    assert changes[0].packages == changes[1].packages
    assert inventory.asked == ["layers"]


@pytest.mark.real_clock
def test_at_most_two_images_are_read_at_once(store: Store) -> None:
    pairs = [
        (
            image("linux/amd64", layer(f"{number}", 900_000)),
            image("linux/amd64", layer(f"x{number}")),
        )
        for number in range(6)
    ]
    inventory = FakeInventory(company=2)
    for pair in pairs:
        keep(store, *pair)
    changes = compare_images(
        changed_images(
            Lock(images=tuple(pin(NAME, one, f"a{n}") for n, (one, _) in enumerate(pairs))),
            Lock(images=tuple(pin(NAME, one, f"a{n}") for n, (_, one) in enumerate(pairs))),
        ),
        host=AMD64,
        store=store,
        jobs=8,
        inventory=inventory,
    )
    assert all(change.packages for change in changes)
    assert inventory.most == 2
