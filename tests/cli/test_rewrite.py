"""`pinner rewrite` on real git repositories, with files of several kinds."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import dumps
from support.files import LOCK, PREVIOUS, SPEC, digest, write_project
from support.gitrepos import Ground

if TYPE_CHECKING:
    from pathlib import Path

Pinner = Any
NODE, NODE_ARM, PYTHON, REDIS = (str(digest(one)) for one in "1b23")
OLD_NODE, OLD_NODE_ARM, OLD_PYTHON = (str(digest(one)) for one in "794")

BEFORE = {
    "Dockerfile": "FROM python:3.12-slim AS build\r\nRUN x\r\nFROM node:22.11.0\r\n",
    "compose.yaml": "services:\n  cache:\n    image: redis  # hot\n  web:\n    build: .\n",
    "deploy/app.yaml": (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n"
        '      image: "docker.io/library/node:22.12.0"'
    ),
    ".github/workflows/ci.yml": (
        "on: push\njobs:\n  a:\n    runs-on: x\n    container: python:3.12-slim\n    steps: []\n"
    ),
    "batch/Dockerfile": "ARG BASE\n\nFROM $BASE\n",
    "README.md": "FROM python:3.12-slim\n",
}
AFTER = {
    "Dockerfile": (
        f"FROM python:3.12-slim@{PYTHON} AS build\r\nRUN x\r\nFROM node:22.12.0@{NODE}\r\n"
    ),
    "compose.yaml": (
        f"services:\n  cache:\n    image: redis:latest@{REDIS}  # hot\n  web:\n    build: .\n"
    ),
    "deploy/app.yaml": (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n"
        f'      image: "docker.io/library/node:22.12.0@{NODE}"'
    ),
    ".github/workflows/ci.yml": (
        f"on: push\njobs:\n  a:\n    runs-on: x\n    container: python:3.12-slim@{PYTHON}\n"
        "    steps: []\n"
    ),
    "batch/Dockerfile": BEFORE["batch/Dockerfile"],
    "README.md": BEFORE["README.md"],
}


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A project in a repository, its files committed."""
    ground = Ground.make(tmp_path)
    write_project(tmp_path)
    ground.commit({**BEFORE, "images.toml": SPEC, "images.lock": dumps(LOCK)})
    return ground


def contents(ground: Ground) -> dict[str, str]:
    return {name: (ground.folder / name).read_bytes().decode() for name in BEFORE}


def identities(ground: Ground) -> list[tuple[int, int]]:
    """What is another where a file was written anew."""
    files = [(ground.folder / name).stat() for name in BEFORE]
    return [(file.st_ino, file.st_mtime_ns) for file in files]


def test_every_kind_of_file(pinner: Pinner, ground: Ground) -> None:
    ran = pinner("rewrite")
    assert ran.code == 0, ran.err
    assert contents(ground) == AFTER
    assert ran.out.splitlines() == [
        "  .github/workflows/ci.yml:5  python:3.12-slim → python:3.12-slim@sha256:222222222222…",
        "  Dockerfile:1                python:3.12-slim → python:3.12-slim@sha256:222222222222…",
        "  Dockerfile:3                node:22.11.0 → node:22.12.0@sha256:111111111111…",
        "  compose.yaml:3              redis → redis:latest@sha256:333333333333…",
        (
            "  deploy/app.yaml:6           docker.io/library/node:22.12.0 → "
            "docker.io/library/node:22.12.0@sha256:111111111111…"
        ),
        (
            "Pinned 5 references in 4 files, 1 skipped (batch/Dockerfile:3, $BASE: BASE has no"
            " default here)"
        ),
    ]


def test_F12_rewriting_twice_writes_nothing(pinner: Pinner, ground: Ground) -> None:
    pinner("rewrite")
    before = identities(ground)
    ran = pinner("rewrite")
    assert ran.code == 0
    assert ran.out.startswith("Nothing to rewrite in 5 files, 1 skipped (")
    assert identities(ground) == before


def test_check_after_rewrite_finds_nothing(pinner: Pinner, ground: Ground) -> None:
    assert pinner("rewrite", "--check").code == 1
    assert contents(ground) == BEFORE
    pinner("rewrite")
    assert pinner("rewrite", "--check").code == 0


def test_the_diff_is_one_that_git_applies(pinner: Pinner, ground: Ground) -> None:
    ran = pinner("rewrite", "--diff", "deploy", ".github", "compose.yaml")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "3 references in 3 files would be pinned"
    assert contents(ground) == BEFORE
    subprocess.run(
        ["git", "apply", "--unidiff-zero", "-p0"],
        cwd=ground.folder,
        input=ran.out.encode(),
        check=True,
    )
    changed = {"compose.yaml", "deploy/app.yaml", ".github/workflows/ci.yml"}
    assert contents(ground) == {
        name: (AFTER if name in changed else BEFORE)[name] for name in BEFORE
    }


def test_unpinning_restores_what_had_a_tag(pinner: Pinner, ground: Ground) -> None:
    pinner("rewrite")
    ran = pinner("rewrite", "--unpin")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("Unpinned 5 references in 4 files, 1 skipped (")
    expected = {**BEFORE}
    # The tags that rewriting added or moved stay: they are what was locked.
    expected["Dockerfile"] = BEFORE["Dockerfile"].replace("22.11.0", "22.12.0")
    expected["compose.yaml"] = BEFORE["compose.yaml"].replace("redis", "redis:latest")
    assert contents(ground) == expected


def test_unpinning_leaves_what_is_not_in_the_spec(pinner: Pinner, ground: Ground) -> None:
    pinned = f"FROM debian:12@{digest('0')}\n"
    ground.write({"other/Dockerfile": pinned})
    ran = pinner("rewrite", "--unpin", "other")
    assert (ran.code, (ground.folder / "other/Dockerfile").read_text()) == (0, pinned)
    assert ran.out == (
        "Nothing to unpin in 1 file, 1 skipped (other/Dockerfile:1, debian:12 is not in"
        " images.toml)\n"
    )


@pytest.mark.usefixtures("ground")
def test_unpinning_and_a_platform_contradict(pinner: Pinner) -> None:
    assert pinner("rewrite", "--unpin", "--platform", "linux/amd64").code == 2


def test_the_committed_lock_tells_which_platform_a_digest_was(
    pinner: Pinner, ground: Ground
) -> None:
    ground.commit({"images.lock": dumps(PREVIOUS)})
    ground.write(
        {
            "images.lock": dumps(LOCK),
            "Dockerfile": f"FROM node:22.11.0@{OLD_NODE_ARM}\nFROM python@{OLD_PYTHON}\n",
        }
    )
    assert pinner("rewrite", "Dockerfile").code == 0
    assert contents(ground)["Dockerfile"] == (
        f"FROM node:22.12.0@{NODE_ARM}\nFROM python@{PYTHON}\n"
    )


def test_a_switch_that_cannot_be_excluded_is_said(pinner: Pinner, ground: Ground) -> None:
    ground.write({"Dockerfile": f"FROM node:22.12.0@{digest('0')}\n"})
    ran = pinner("rewrite", "Dockerfile")
    assert contents(ground)["Dockerfile"] == f"FROM node:22.12.0@{NODE}\n"
    assert "Dockerfile:1: 000000000000 is in no lockfile: if it was one platform's" in ran.out


def test_a_platform_by_option(pinner: Pinner, ground: Ground) -> None:
    pinner("rewrite", "--platform", "linux/arm64", "deploy")
    assert f"node:22.12.0@{NODE_ARM}" in contents(ground)["deploy/app.yaml"]
    assert pinner("rewrite", "--check", "deploy").code == 0
    assert pinner("rewrite", "--platform", "nonsense/").code == 2


def test_a_platform_that_is_not_locked_is_a_no(pinner: Pinner, ground: Ground) -> None:
    ran = pinner("rewrite", "--platform", "linux/s390x", "compose.yaml")
    assert ran.code == 1
    assert "images.lock has redis for linux/amd64, linux/arm64, not for linux/s390x" in ran.out
    assert contents(ground) == BEFORE


def test_a_stale_pin_is_not_written(pinner: Pinner, ground: Ground) -> None:
    ground.write({"images.toml": SPEC.replace("3.12-slim", "3.13-slim")})
    ground.write({"Dockerfile": "FROM python:3.13-slim\n"})
    ran = pinner("rewrite", "Dockerfile")
    assert (ran.code, contents(ground)["Dockerfile"]) == (1, "FROM python:3.13-slim\n")
    assert "python in images.lock does not satisfy images.toml" in ran.out


def test_two_images_of_one_variable_are_left_and_told(pinner: Pinner, ground: Ground) -> None:
    text = "ARG T=3.12-slim\nFROM python:$T\nFROM debian:$T\n"
    ground.write({"Dockerfile": text})
    ran = pinner("rewrite", "Dockerfile")
    assert (ran.code, contents(ground)["Dockerfile"]) == (0, text)
    assert "Dockerfile:2: python:3.12-slim is not pinned, and pinner cannot change that" in ran.out


@pytest.mark.usefixtures("ground")
def test_json_has_what_changes_and_what_stays(pinner: Pinner) -> None:
    document = json.loads(pinner("rewrite", "--check", "--json").out)
    assert (document["command"], document["wrote"], document["files"]) == ("rewrite", [], 5)
    assert document["changes"][2] == {
        "file": "Dockerfile",
        "line": 3,
        "text": "node:22.11.0",
        "status": "unpinned",
        "reason": None,
        "entry": "node",
        "after": f"node:22.12.0@{NODE}",
        "why": "node:22.11.0 is not pinned, images.lock says 22.12.0 at 111111111111",
        "mend": "run `pinner rewrite`",
        "note": "",
    }
    assert [(one["file"], one["reason"]) for one in document["left"]] == [
        ("batch/Dockerfile", "no-default")
    ]
    assert json.loads(pinner("rewrite", "--json").out)["wrote"] == [
        ".github/workflows/ci.yml",
        "Dockerfile",
        "compose.yaml",
        "deploy/app.yaml",
    ]


def test_from_a_folder_below_files_are_named_from_there(
    pinner: Pinner, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ground.folder / "deploy")
    ran = pinner("rewrite", "--check", "../compose.yaml", "app.yaml")
    assert [line.split()[0] for line in ran.out.splitlines()[:2]] == [
        "../compose.yaml:3",
        "app.yaml:6",
    ]


@pytest.mark.usefixtures("ground")
def test_a_file_of_no_kind_that_is_named_is_an_error(pinner: Pinner) -> None:
    ran = pinner("rewrite", "README.md")
    assert ran.code == 2
    assert ran.err.startswith("error: README.md: is of no kind of file that pinner reads\n")


def test_without_git_the_same(pinner: Pinner, tmp_path: Path) -> None:
    write_project(tmp_path)
    Ground(tmp_path).write({**BEFORE, "node_modules/x/Dockerfile": "FROM redis\n"})
    assert pinner("rewrite").code == 0
    assert contents(Ground(tmp_path)) == AFTER
    assert (tmp_path / "node_modules/x/Dockerfile").read_text() == "FROM redis\n"


def test_without_a_lockfile_the_mend_is_to_lock(pinner: Pinner, tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "images.lock").unlink()
    ran = pinner("rewrite")
    assert (ran.code, ran.err) == (2, "error: there is no images.lock\n  run `pinner lock`\n")


def test_names_of_files_cannot_forge_lines(pinner: Pinner, tmp_path: Path) -> None:
    write_project(tmp_path)
    name = os.fsdecode(b"a\x1b[2J\xff.dockerfile")
    Ground(tmp_path).write({name: "FROM redis\n"})
    ran = pinner("rewrite", "--diff")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert ran.out.splitlines()[0] == r"--- a\x1b[2J\udcff.dockerfile"


def test_what_a_pipeline_includes_is_read_as_one(pinner: Pinner, ground: Ground) -> None:
    assert pinner("rewrite").code == 0
    ground.write(
        {
            ".gitlab-ci.yml": "include:\n  - local: /ci/*.yml\n",
            "ci/build.yml": "include: more/tests.yaml\nbuild:\n  image: redis\n",
            "more/tests.yaml": "tests:\n  services: [redis]\n",
            "other/build.yml": "build:\n  image: redis\n",
        }
    )
    ran = pinner("rewrite")
    assert ran.code == 0
    pinned = [line.split()[0] for line in ran.out.splitlines() if "redis → redis:latest" in line]
    assert pinned == ["ci/build.yml:3", "more/tests.yaml:2"]
