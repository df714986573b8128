"""`pinner images`, `inspect` and `verify`, on a store that `lock` and `sync` filled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Pinner = Any


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as registry:
        content = registry.content
        base = b"base" * 1000
        for name in ("debian", "app"):
            images = {
                f"linux/{architecture}": content.add_image(
                    name, layers=[base, name.encode() * 10], architecture=architecture
                )
                for architecture in ("amd64", "arm64")
            }
            content.add_index(name, "stable", images=images)
        yield registry


@pytest.fixture
def synced(pinner: Pinner, sim: RegistrySim, tmp_path: Path) -> RegistrySim:
    """A project with two locked images, whose linux/amd64 is in the store `store`."""
    (tmp_path / "images.toml").write_text(
        f'[images]\ndebian = "{sim.host}/debian:stable"\napp = "{sim.host}/app:stable"\n'
    )
    assert pinner("lock").code == 0
    ran = pinner("sync", "--store", "store", "--platform", "linux/amd64")
    assert ran.code == 0, ran.err
    return sim


def test_images_lists_what_the_store_names(pinner: Pinner, synced: RegistrySim) -> None:
    ran = pinner("images", "--store", "store")
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert [row[0] for row in rows[:2]] == [f"{synced.host}/{n}:stable" for n in ("app", "debian")]
    assert [row[2] for row in rows[:2]] == ["linux/amd64", "linux/amd64"]
    assert rows[2][:2] == ["2", "images,"]


def test_a_shared_layer_counts_once_in_the_sum(pinner: Pinner, synced: RegistrySim) -> None:
    document = json.loads(pinner("images", "--store", "store", "--json").out)
    assert document["bytes"] < sum(image["bytes"] for image in document["images"]) - 3999


@pytest.mark.parametrize("command", ["images", "inspect"])
def test_looking_makes_no_store(pinner: Pinner, tmp_path: Path, command: str) -> None:
    pinner(command, *(["x"] if command == "inspect" else []), "--store", "none")
    assert not (tmp_path / "none").exists()


def test_no_store_is_no_images(pinner: Pinner, tmp_path: Path) -> None:
    ran = pinner("images", "--store", "none")
    assert (ran.code, ran.out) == (0, f"No images in {tmp_path / 'none'}. Next: pinner sync\n")


def test_verify_needs_a_store(pinner: Pinner) -> None:
    ran = pinner("verify", "--store", "none", "--json")
    assert ran.code == 5
    assert json.loads(ran.out)["error"]["code"] == "no-store"


def test_inspect_shows_each_locked_platform(pinner: Pinner, synced: RegistrySim) -> None:
    document = json.loads(pinner("inspect", "debian", "--store", "store", "--json").out)
    assert document["reference"] == f"{synced.host}/debian:stable"
    assert document["locked"]
    states = {row["platform"]: row["stored"] for row in document["platforms"]}
    assert states == {"linux/amd64": True, "linux/arm64": False}
    assert [layer["bytes"] for layer in document["platforms"][0]["layers"]] == [4000, 60]


def test_inspect_needs_no_store_for_a_locked_image(pinner: Pinner, synced: RegistrySim) -> None:
    ran = pinner("inspect", "debian", "--store", "none")
    assert ran.code == 0
    assert ran.out.count("not fetched") == 2


def test_inspect_takes_a_reference_of_the_store(pinner: Pinner, synced: RegistrySim) -> None:
    ran = pinner("inspect", f"{synced.host}/app:stable", "--store", "store")
    assert ran.code == 0
    assert "not in images.lock" in ran.out
    assert "linux/arm64" not in ran.out


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("debain", 'did you mean "debian"?'),
        ("zzz", "`pinner images`"),
        ("UP\x1b", "`pinner images`"),
    ],
)
def test_inspect_knows_its_names(pinner: Pinner, synced: RegistrySim, name: str, mend: str) -> None:
    ran = pinner("inspect", name, "--store", "store")
    assert ran.code == 2
    assert mend in ran.err
    assert "\x1b" not in ran.err


def test_verify_finds_all_sound(pinner: Pinner, synced: RegistrySim) -> None:
    ran = pinner("verify", "--store", "store")
    assert ran.code == 0
    assert ran.out.endswith("all sound\n")


def spoil(store: Path, data: bytes) -> None:
    blob = next(path for path in store.glob("blobs/sha256/*") if path.read_bytes() == data)
    blob.chmod(0o644)
    blob.write_bytes(b"x" * len(data))


def test_verify_finds_a_spoilt_layer_and_sync_mends_it(
    pinner: Pinner, synced: RegistrySim, tmp_path: Path
) -> None:
    spoil(tmp_path / "store", b"debian" * 10)
    ran = pinner("verify", "--store", "store")
    assert ran.code == 1
    assert f"needed by {synced.host}/debian:stable\n" in ran.out
    assert ran.out.endswith("1 corrupt. Next: pinner sync, which fetches them anew\n")
    again = pinner("sync", "--store", "store", "--platform", "linux/amd64")
    assert again.code == 0, again.err
    assert pinner("verify", "--store", "store").code == 0


def test_images_marks_what_cannot_be_read(
    pinner: Pinner, synced: RegistrySim, tmp_path: Path
) -> None:
    document = json.loads(pinner("inspect", "debian", "--store", "store", "--json").out)
    digest = document["platforms"][0]["digest"].removeprefix("sha256:")
    manifest = tmp_path / "store/blobs/sha256" / digest
    spoil(tmp_path / "store", manifest.read_bytes())
    ran = pinner("images", "--store", "store")
    assert ran.code == 0
    assert "damaged: run `pinner verify`" in ran.out
