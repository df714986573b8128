"""The commands that look into a store and tidy it, on one that `lock` and `sync` filled."""

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
    assert rows[0][:2] == ["REPOSITORY", "TAG"]
    assert [row[:2] for row in rows[1:3]] == [
        [f"{synced.host}/{name}", "stable"] for name in ("app", "debian")
    ]
    assert [row[-1] for row in rows[1:3]] == ["linux/amd64", "linux/amd64"]
    assert rows[3][:2] == ["2", "images,"]


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
    assert ran.out.endswith("1 corrupt. Next: pinner verify --repair, which fetches them anew\n")
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
    (row,) = (line for line in ran.out.splitlines() if "/debian " in line)
    assert row.endswith("damaged")


def test_images_of_one_repository(pinner: Pinner, synced: RegistrySim) -> None:
    for name in (f"{synced.host}/app", f"{synced.host}/app:stable"):
        document = json.loads(pinner("images", name, "--store", "store", "--json").out)
        assert [image["repository"] for image in document["images"]] == [f"{synced.host}/app"]
    ran = pinner("images", f"{synced.host}/app:2", "--store", "store")
    assert ran.out.startswith(f"No images of {synced.host}/app:2 in ")


def test_images_quietly_are_ids(pinner: Pinner, synced: RegistrySim) -> None:
    document = json.loads(pinner("images", "--store", "store", "--json").out)
    ids = [one["image_id"] for image in document["images"] for one in image["platforms"]]
    ran = pinner("images", "-q", "--no-trunc", "--store", "store")
    assert sorted(ran.out.splitlines()) == sorted(ids)
    assert sorted(pinner("images", "-q", "--store", "store").out.splitlines()) == sorted(
        image_id.removeprefix("sha256:")[:12] for image_id in ids
    )


def test_images_with_digests(pinner: Pinner, synced: RegistrySim) -> None:
    document = json.loads(pinner("images", "--store", "store", "--json").out)
    ran = pinner("images", "--digests", "--store", "store")
    assert all(image["digest"] in ran.out for image in document["images"])


def blobs(store: Path) -> int:
    return len(list(store.glob("blobs/sha256/*")))


def test_prune_leaves_what_is_named(pinner: Pinner, synced: RegistrySim, tmp_path: Path) -> None:
    before = blobs(tmp_path / "store")
    ran = pinner("prune", "--store", "store")
    assert (ran.code, ran.out) == (0, "Nothing to remove\n")
    assert blobs(tmp_path / "store") == before


def test_rm_then_prune(pinner: Pinner, synced: RegistrySim, tmp_path: Path) -> None:
    name = f"{synced.host}/debian:stable"
    ran = pinner("rm", name, "--store", "store")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == f"Untagged: {name}"
    assert lines[1].startswith(f"Untagged: {synced.host}/debian@sha256:")
    assert lines[2] == "Removed 2 names; blobs stay in the store. Next: pinner prune"
    before = blobs(tmp_path / "store")
    would = pinner("prune", "--dry-run", "--store", "store", "--json")
    assert blobs(tmp_path / "store") == before
    document = json.loads(pinner("prune", "--store", "store", "--json").out)
    assert {**json.loads(would.out), "dry_run": False} == document
    # Index, manifest, config and own layer; the base is app's too.
    assert len(document["blobs"]) == 4
    assert blobs(tmp_path / "store") == before - 4
    assert pinner("verify", "--store", "store").code == 0
    again = pinner("sync", "--store", "store", "--platform", "linux/amd64")
    assert again.code == 0, again.err
    assert pinner("prune", "--store", "store").out == "Nothing to remove\n"


def test_rm_of_what_is_not_there(pinner: Pinner, synced: RegistrySim) -> None:
    ran = pinner("rm", "nope", f"{synced.host}/app:stable", "--store", "store")
    assert ran.code == 2
    assert 'the store has no image "nope"' in ran.err
    assert "Untagged: " in ran.out
    assert pinner("rm", "nope", "--store", "none").code == 2


def test_prune_keeps_what_a_lockfile_names(
    pinner: Pinner, synced: RegistrySim, tmp_path: Path
) -> None:
    (tmp_path / "all.lock").write_bytes((tmp_path / "images.lock").read_bytes())
    assert pinner("remove", "app").code == 0
    whole = pinner(
        "prune", "--keep-lock", "images.lock", "--keep-lock", "all.lock", "--store", "store"
    )
    assert whole.out == "Nothing to remove\n"
    ran = pinner("prune", "--keep-lock", "images.lock", "--store", "store")
    assert ran.code == 0
    assert f"{synced.host}/app:stable" in ran.out
    assert "in no lockfile given" in ran.out
    document = json.loads(pinner("images", "--store", "store", "--json").out)
    assert [image["reference"] for image in document["images"]] == [f"{synced.host}/debian:stable"]
    assert pinner("sync", "--offline", "--platform", "linux/amd64", "--store", "store").code == 0


@pytest.mark.parametrize(
    ("text", "mend"),
    [(None, "give the path of an images.lock"), ("version = 99\n", "upgrade pinner")],
)
def test_prune_needs_a_lockfile_that_it_can_read(
    pinner: Pinner, synced: RegistrySim, tmp_path: Path, text: str | None, mend: str
) -> None:
    if text is not None:
        (tmp_path / "other.lock").write_text(text)
    before = blobs(tmp_path / "store")
    ran = pinner("prune", "--keep-lock", "other.lock", "--store", "store")
    assert ran.code == 2
    assert "other.lock" in ran.err
    assert mend in ran.err
    assert blobs(tmp_path / "store") == before


def test_prune_by_age(pinner: Pinner, synced: RegistrySim, tmp_path: Path) -> None:
    pinner("rm", f"{synced.host}/debian:stable", "--store", "store")
    assert pinner("prune", "--older-than", "1h", "--store", "store").out == "Nothing to remove\n"
    assert pinner("prune", "--older-than", "0", "--store", "store").out.startswith("  4 blobs")
    assert pinner("prune", "--older-than", "soon", "--store", "store").code == 2


def test_prune_without_a_store(pinner: Pinner, tmp_path: Path) -> None:
    assert pinner("prune", "--store", "none").out == "Nothing to remove\n"
    assert not (tmp_path / "none").exists()


def test_tag(pinner: Pinner, synced: RegistrySim) -> None:
    source = f"{synced.host}/app:stable"
    ran = pinner("tag", source, "mine", "--store", "store")
    assert ran.code == 0
    assert ran.out.startswith(f"Tagged {source} (")
    assert ran.out.endswith(") as mine:latest\n")
    assert pinner("inspect", "mine", "--store", "store").code == 0
    pinner("rm", source, "--store", "store")
    pinner("prune", "--store", "store")
    document = json.loads(pinner("inspect", "mine", "--store", "store", "--json").out)
    assert document["platforms"][0]["complete"]


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("nope", "mine", 'the store has no image "nope"'),
        ("nope", "MINE", "must be lowercase"),
        ("nope", f"mine@sha256:{'0' * 64}", "has a digest"),
    ],
)
def test_tag_refuses(
    pinner: Pinner, synced: RegistrySim, source: str, target: str, said: str
) -> None:
    for store in ("store", "none"):
        ran = pinner("tag", source, target, "--store", store)
        assert ran.code == 2
        assert said in ran.err


def test_verify_repairs(pinner: Pinner, synced: RegistrySim, tmp_path: Path) -> None:
    spoil(tmp_path / "store", b"debian" * 10)
    (missing,) = (
        path
        for path in (tmp_path / "store/blobs/sha256").iterdir()
        if path.read_bytes() == b"app" * 10
    )
    missing.unlink()
    ran = pinner("verify", "--repair", "--store", "store")
    assert ran.code == 0, ran.err
    assert ran.out.count("mended blob sha256:") == 2
    assert f", which was corrupt, needed by {synced.host}/debian:stable\n" in ran.out
    assert f", which was missing, needed by {synced.host}/app:stable\n" in ran.out
    assert ran.out.endswith(": 2 mended, all sound\n")
    assert pinner("verify", "--store", "store").code == 0


def test_verify_repairs_outside_of_a_project(
    pinner: Pinner, synced: RegistrySim, tmp_path: Path
) -> None:
    spoil(tmp_path / "store", b"debian" * 10)
    (tmp_path / "elsewhere/.git").mkdir(parents=True)
    store = str(tmp_path / "store")
    ran = pinner("--directory", "elsewhere", "verify", "--repair", "--store", store)
    assert ran.code == 0, ran.err


def test_verify_says_what_it_could_not_repair(
    pinner: Pinner, synced: RegistrySim, tmp_path: Path
) -> None:
    spoil(tmp_path / "store", b"debian" * 10)
    synced.content.repositories["debian"].blobs.clear()
    ran = pinner("verify", "--repair", "--store", "store")
    assert ran.code == 3
    assert "error: " in ran.err
    assert ran.out.endswith(": 1 corrupt left\n")
    document = json.loads(pinner("verify", "--repair", "--store", "store", "--json").out)
    assert document["failed"][0]["error"]["code"] == "not-found"
    assert document["mended"] == []


def test_verify_leaves_to_prune_what_no_image_needs(
    pinner: Pinner, synced: RegistrySim, tmp_path: Path
) -> None:
    pinner("rm", f"{synced.host}/debian:stable", "--store", "store")
    spoil(tmp_path / "store", b"debian" * 10)
    ran = pinner("verify", "--repair", "--store", "store")
    assert ran.code == 1
    assert ran.out.endswith(
        ": 1 corrupt left. Next: pinner prune, which removes what no image needs\n"
    )
    pinner("prune", "--store", "store")
    assert pinner("verify", "--repair", "--store", "store").out.endswith(
        ": nothing to mend, all sound\n"
    )


def test_inspect_tells_how_an_image_is_run(pinner: Pinner, synced: RegistrySim) -> None:
    document = json.loads(pinner("inspect", "debian", "--store", "store", "--json").out)
    platform = document["platforms"][0]
    assert platform["config"].keys() >= {"env", "cmd", "entrypoint", "user", "exposed_ports"}
    assert len(platform["diff_ids"]) == len(platform["layers"])
