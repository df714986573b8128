"""`pinner export`: to standard output or a file, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pinner.lockfile import Lock
from support.files import LOCK, SPEC, digest, write_project

if TYPE_CHECKING:
    from pathlib import Path

Pinner = Any
COMPOSE = "services:\n  cache:\n    image: redis\n  db:\n    image: postgres:16\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path)
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    return tmp_path


def test_a_policy_on_standard_output(pinner: Pinner, project: Path) -> None:
    ran = pinner("export", "redis", "--format", "buildkit-policy")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["rules"][0]["updates"]["identifier"] == (
        f"docker-image://docker.io/library/redis:latest@{digest('3')}"
    )


def test_an_override_in_a_file(pinner: Pinner, project: Path) -> None:
    arguments = ("--format", "compose", "--compose", "compose.yaml", "-o", "compose.lock.yaml")
    ran = pinner("export", *arguments)
    assert ran.code == 0, ran.err
    assert ran.out == "Wrote 1 image to compose.lock.yaml\n"
    assert ran.err == "warning: db is left out: postgres:16 is not in images.toml\n"
    assert yaml.safe_load((project / "compose.lock.yaml").read_text()) == {
        "services": {"cache": {"image": f"redis:latest@{digest('3')}"}}
    }


def test_an_images_lock_for_one_platform(pinner: Pinner, project: Path) -> None:
    ran = pinner("export", "node", "--format", "imgpkg", "--platform", "linux/arm64")
    assert yaml.safe_load(ran.out)["images"][0]["image"].endswith(str(digest("b")))


def test_json(pinner: Pinner, project: Path) -> None:
    arguments = ("--format", "compose", "--compose", "compose.yaml", "--json")
    told = json.loads(pinner("export", *arguments).out)
    assert {key: told[key] for key in ("format", "wrote", "images", "left")} == {
        "format": "compose",
        "wrote": [],
        "images": ["redis"],
        "left": ["db is left out: postgres:16 is not in images.toml"],
    }
    assert told["text"].startswith('services:\n  "cache":\n')


def test_nothing_to_export_is_a_no(pinner: Pinner, project: Path) -> None:
    (project / "compose.yaml").write_text("services:\n  db:\n    image: postgres:16\n")
    ran = pinner("export", "--format", "compose", "--compose", "compose.yaml", "-o", "out")
    assert ran.code == 1
    assert ran.out == "Nothing to export; nothing was written\n"
    assert not (project / "out").exists()


def test_a_stale_lock_is_refused(pinner: Pinner, project: Path) -> None:
    write_project(project, lock=Lock(images=LOCK.images[:2]))
    ran = pinner("export", "--format", "imgpkg")
    assert ran.code == 1
    assert "`pinner export --frozen` to take it as it is" in ran.err
    assert pinner("export", "--format", "imgpkg", "--frozen").code == 0


def test_a_lock_of_another_image_is_refused(pinner: Pinner, project: Path) -> None:
    write_project(project, spec=SPEC.replace('"redis"', '"valkey"'))
    assert pinner("export", "--format", "imgpkg", "--frozen").code == 2


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--format", "docker"), "'docker' is not one of"),
        (("--format", "imgpkg", "--all"), "--format imgpkg takes no --all"),
        (("--format", "imgpkg", "--all-platforms"), "takes no --all-platforms"),
        (("--format", "imgpkg", "--store", "x"), "takes no --store DIR"),
        (
            *(("--format", "imgpkg", "--platform", "linux/arm64", "--platform", "linux/amd64"),),
            "takes no --platform more than once",
        ),
        (("--format", "compose"), "--format compose needs --compose FILE"),
        (
            ("--format", "imgpkg", "--compose", "compose.yaml"),
            "--format imgpkg takes no --compose FILE",
        ),
        (("--format", "compose", "--compose", "none"), "none: is not there"),
        (("--format", "imgpkg", "nod"), 'did you mean "node"?'),
        (("--format", "imgpkg", "--platform", "linux/s390x"), "node is not locked for linux/s390x"),
        (("--format", "imgpkg", "--platform", "x y"), "invalid"),
    ],
)
def test_what_is_refused(
    pinner: Pinner, project: Path, arguments: tuple[str, ...], what: str
) -> None:
    ran = pinner("export", *arguments)
    assert ran.code == 2
    assert what in ran.err
    assert ran.out == ""


def test_a_folder_that_is_not_there(pinner: Pinner, project: Path) -> None:
    ran = pinner("export", "--format", "imgpkg", "-o", "none/x.yml")
    assert ran.code == 5
    assert "none/x.yml" in ran.err
