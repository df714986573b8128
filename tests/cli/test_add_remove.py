"""`pinner add` and `remove`: the spec edited and locked in one step, or nothing written at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import loads
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Pinner = Any


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as registry:
        for name in ("debian", "team/app"):
            image = registry.content.add_image(name)
            registry.content.add_index(name, "stable", "latest", images={"linux/amd64": image})
        yield registry


def locked_names(folder: Path) -> list[str]:
    lock = loads((folder / "images.lock").read_bytes(), path="images.lock")
    return [image.name for image in lock.images]


def test_the_first_image_begins_the_spec(pinner: Pinner, sim: RegistrySim, tmp_path: Path) -> None:
    ran = pinner("add", f"{sim.host}/debian:stable", f"web={sim.host}/team/app")
    assert ran.code == 0, ran.err
    assert (tmp_path / "images.toml").read_text() == (
        f'[images]\ndebian = "{sim.host}/debian:stable"\nweb = "{sim.host}/team/app"\n'
    )
    assert locked_names(tmp_path) == ["debian", "web"]
    assert sim.count("GET", "/manifests/") == 2
    assert ran.out.splitlines()[-1] == (
        "Wrote images.toml and images.lock. Next: pinner rewrite, pinner sync"
    )


def test_an_image_more_keeps_comments_and_pins(
    pinner: Pinner, sim: RegistrySim, tmp_path: Path
) -> None:
    spec = tmp_path / "images.toml"
    spec.write_text(f'# ours\n[images]\napp = "{sim.host}/team/app:stable"  # why\n')
    assert pinner("lock").code == 0
    assert pinner("add", f"{sim.host}/debian:stable").code == 0
    assert spec.read_text() == (
        f'# ours\n[images]\napp = "{sim.host}/team/app:stable"  # why\n'
        f'debian = "{sim.host}/debian:stable"\n'
    )
    assert sim.count("GET", "/manifests/") == 2


@pytest.mark.parametrize(
    ("reference", "code", "what"),
    [
        ("x=HOST/debian:none", 3, "debian:none"),
        ("HOST/UPPER", 2, "lowercase"),
        ("app=HOST/debian", 2, 'has an image "app" already'),
        ("HOST/team/app", 2, 'has an image "app" already'),
        ("a b=HOST/debian", 2, '"a b" cannot be a name'),
    ],
)
def test_nothing_is_written_where_anything_fails(
    pinner: Pinner, sim: RegistrySim, tmp_path: Path, reference: str, code: int, what: str
) -> None:
    spec, lock = tmp_path / "images.toml", tmp_path / "images.lock"
    spec.write_text(f'[images]\napp = "{sim.host}/team/app:stable"\n')
    assert pinner("lock").code == 0
    before = spec.read_bytes(), lock.read_bytes()
    ran = pinner("add", f"{sim.host}/debian:stable", reference.replace("HOST", sim.host))
    assert ran.code == code
    assert what in ran.err
    assert (spec.read_bytes(), lock.read_bytes()) == before


def test_add_needs_a_spec_without_problems(pinner: Pinner, tmp_path: Path) -> None:
    (tmp_path / "images.toml").write_text('[images]\na = "UPPER"\nb = 3\n')
    ran = pinner("add", "debian")
    assert ran.code == 2
    assert ran.err.count("error: images.toml:") == 2


def test_remove_takes_images_out_of_both_files_without_asking(
    pinner: Pinner, sim: RegistrySim, tmp_path: Path
) -> None:
    assert pinner("add", f"{sim.host}/debian:stable", f"{sim.host}/team/app").code == 0
    asked = len(sim.requests)
    ran = pinner("remove", "debian")
    assert ran.code == 0
    assert "  - debian  stable" in ran.out
    assert (tmp_path / "images.toml").read_text() == f'[images]\napp = "{sim.host}/team/app"\n'
    assert locked_names(tmp_path) == ["app"]
    assert len(sim.requests) == asked


def test_remove_knows_its_names(pinner: Pinner, sim: RegistrySim, tmp_path: Path) -> None:
    assert pinner("add", f"{sim.host}/debian:stable").code == 0
    before = (tmp_path / "images.toml").read_bytes()
    ran = pinner("remove", "debain")
    assert ran.code == 2
    assert 'did you mean "debian"?' in ran.err
    assert (tmp_path / "images.toml").read_bytes() == before


def test_json_says_what_was_locked(pinner: Pinner, sim: RegistrySim) -> None:
    document = json.loads(pinner("add", f"{sim.host}/debian:stable", "--json").out)
    assert document["command"] == "add"
    assert document["wrote"] == ["images.toml", "images.lock"]
    assert [image["outcome"] for image in document["images"]] == ["added"]


def test_O08_a_failed_image_is_in_the_document(pinner: Pinner, sim: RegistrySim) -> None:
    ran = pinner("add", f"{sim.host}/debian:none", "--json")
    document = json.loads(ran.out)
    assert ran.code == 3
    assert document["wrote"] == []
    assert document["images"][0]["error"]["code"] == "not-found"
    assert ran.err == ""
