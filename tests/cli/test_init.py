"""`pinner init` in real git repositories: a new images.toml, and nothing that was there is lost."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import dumps
from pinner.spec import parse_spec
from support.gitrepos import Ground
from support.projects import lock_of

if TYPE_CHECKING:
    from pathlib import Path

Pinner = Any
FILES = {
    "Dockerfile": "FROM python:3.12-slim AS build\nFROM build\nFROM scratch\n",
    "api/Dockerfile": "FROM python:3.12-slim\n",
    "web/Dockerfile": "FROM node:22-alpine\n",
    "batch/Dockerfile": "ARG BASE_IMAGE\n\nFROM $BASE_IMAGE\n",
    "compose.yaml": "services:\n  db:\n    image: postgres:16\n  cache:\n    image: redis\n",
    ".github/workflows/ci.yml": (
        "on: push\njobs:\n  a:\n    runs-on: x\n    services:\n      r:\n        image: redis\n"
        "    steps: []\n"
    ),
    "README.md": "FROM nothing:1\n",
}
OLD = f"sha256:{'9' * 64}"


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    ground = Ground.make(tmp_path)
    ground.commit(FILES)
    return ground


def test_a_first_repository(pinner: Pinner, ground: Ground) -> None:
    ran = pinner("init")
    assert ran.code == 0, ran.err
    assert ran.err == ""
    assert ran.out.splitlines() == [
        "Found 6 references to 4 images in 5 files",
        "  python    python:3.12-slim  Dockerfile:1, api/Dockerfile:1",
        "  node      node:22-alpine    web/Dockerfile:1",
        "  postgres  postgres:16       compose.yaml:3",
        "  redis     redis             compose.yaml:5, .github/workflows/ci.yml:7  no tag: latest",
        (
            "  skipped   $BASE_IMAGE       batch/Dockerfile:3                        "
            "  BASE_IMAGE has no default here"
        ),
        "Wrote images.toml. Next: pinner lock",
    ]
    assert (ground.folder / "images.toml").read_text() == (
        "[images]\n"
        "# Dockerfile:1, api/Dockerfile:1\n"
        'python = "python:3.12-slim"\n'
        "\n"
        "# web/Dockerfile:1\n"
        'node = "node:22-alpine"\n'
        "\n"
        "# compose.yaml:3\n"
        'postgres = "postgres:16"\n'
        "\n"
        "# compose.yaml:5, .github/workflows/ci.yml:7\n"
        'redis = "redis:latest"\n'
    )
    assert ground.git("status", "--porcelain") == "?? images.toml"


def test_after_init_and_a_lock_nothing_is_unmatched(
    pinner: Pinner, ground: Ground, tmp_path: Path
) -> None:
    ground.write(
        {
            "two/Dockerfile": f"FROM node:20-alpine\nFROM redis:7@{OLD}\nFROM ghcr.io/a/x@{OLD}\n",
            "named/Dockerfile": "# pinner: db\nFROM postgres:16\n# pinner: db\nFROM postgres:15\n",
        }
    )
    assert pinner("init").code == 0
    data = (tmp_path / "images.toml").read_bytes()
    spec = parse_spec(data, path="images.toml", base=tmp_path)
    (tmp_path / "images.lock").write_text(dumps(lock_of(spec)))
    assert pinner("rewrite").code == 0
    ran = pinner("check", "--lenient", "--json")
    told = json.loads(ran.out)
    assert told["counts"]["unknown"] == told["counts"]["unpinned"] == told["counts"]["stale"] == 0
    assert [one["line"] for one in told["findings"] if one["status"] != "unresolvable"] == []
    assert told["counts"]["pinned"] == 11


def test_what_is_pinned_already_becomes_its_tag(
    pinner: Pinner, ground: Ground, tmp_path: Path
) -> None:
    ground.write({"p/Dockerfile": f"FROM redis:7@{OLD}\nFROM ghcr.io/acme/app@{OLD}\n"})
    ran = pinner("init", "p")
    assert ran.code == 0, ran.err
    assert tomllib.loads((tmp_path / "images.toml").read_text()) == {
        "images": {"redis": "redis:7", "app": f"ghcr.io/acme/app@{OLD}"}
    }
    assert "pinned to 999999999999" in ran.out
    assert "by digest: never updated" in ran.out
    assert (
        "1 image is pinned already: `pinner lock` takes what the tag names now, "
        "`pinner import FILE` keeps the digests\n"
    ) in ran.out


@pytest.mark.parametrize("kind", ["file", "empty", "link", "folder"])
def test_nothing_is_overwritten(pinner: Pinner, ground: Ground, tmp_path: Path, kind: str) -> None:
    spec = tmp_path / "images.toml"
    match kind:
        case "file":
            spec.write_text("not even TOML")
        case "empty":
            spec.touch()
        case "link":
            spec.symlink_to(tmp_path / "elsewhere.toml")
        case "folder":
            spec.mkdir()
    before = spec.read_bytes() if spec.is_file() else None
    ran = pinner("init")
    assert ran.code == 2
    assert "images.toml: is there already, and is not overwritten" in ran.err
    assert "pinner add IMAGE" in ran.err
    assert (spec.read_bytes() if spec.is_file() else None) == before
    assert not (tmp_path / "elsewhere.toml").exists()


def test_one_above_counts(pinner: Pinner, ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "images.toml").write_text("[images]\n")
    ran = pinner("--directory", "api", "init")
    assert ran.code == 2
    assert "../images.toml: is there already" in ran.err


def test_print_writes_nothing(pinner: Pinner, ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "images.toml").write_text("[images]\n")
    ran = pinner("init", "--print", "web", "--platform", "linux/amd64", "--platform", "linux/arm64")
    assert ran.code == 0, ran.err
    assert ran.out == (
        '[settings]\nplatforms = ["linux/amd64", "linux/arm64"]\n\n'
        '[images]\n# web/Dockerfile:1\nnode = "node:22-alpine"\n'
    )
    assert (tmp_path / "images.toml").read_text() == "[images]\n"


def test_json(pinner: Pinner, ground: Ground) -> None:
    told = json.loads(pinner("init", "--json", "compose.yaml", "batch").out)
    assert told["wrote"] == ["images.toml"]
    assert told["images"][1] == {
        "name": "redis",
        "image": "docker.io/library/redis",
        "tag": "latest",
        "digest": None,
        "pinned": [],
        "places": ["compose.yaml:5"],
    }
    assert told["skipped"][0] == {
        "file": "batch/Dockerfile",
        "line": 3,
        "text": "$BASE_IMAGE",
        "reason": "no-default",
        "why": "$BASE_IMAGE: BASE_IMAGE has no default here",
    }
    assert told["text"].startswith("[images]\n# compose.yaml:3\n")


def test_no_image_is_a_no(pinner: Pinner, tmp_path: Path) -> None:
    ground = Ground.make(tmp_path)
    ground.write({"Dockerfile": "FROM scratch\n", "compose.yaml": "services: {}\n"})
    ran = pinner("init")
    assert ran.code == 1
    assert "nothing was written. Next: pinner add IMAGE" in ran.out
    assert not (tmp_path / "images.toml").exists()
    assert pinner("init", "--print").out == ran.out


def test_ignored_places_are_not_entries(pinner: Pinner, tmp_path: Path) -> None:
    Ground.make(tmp_path).write({"Dockerfile": "# pinner: ignore\nFROM a:1\nFROM b:1\n"})
    ran = pinner("init")
    assert tomllib.loads((tmp_path / "images.toml").read_text()) == {"images": {"b": "b:1"}}
    assert "skipped" not in ran.out


def test_a_file_that_cannot_be_read_is_said(pinner: Pinner, tmp_path: Path) -> None:
    ground = Ground.make(tmp_path)
    ground.write({"Dockerfile": "FROM a:1\n", "big/Dockerfile": b"#" * (4 * 1024 * 1024 + 1)})
    ran = pinner("init")
    assert ran.code == 2
    assert "big/Dockerfile: is larger than" in ran.err
    assert "Wrote images.toml" in ran.out


def test_hostile_names_of_files(pinner: Pinner, tmp_path: Path) -> None:
    ground = Ground.make(tmp_path)
    ground.write({'a\nx = "evil:1"\n\x1b[2J#/Dockerfile': "FROM a:1\n"})
    ran = pinner("init")
    assert ran.code == 0, ran.err
    text = (tmp_path / "images.toml").read_text()
    assert tomllib.loads(text) == {"images": {"a": "a:1"}}
    assert "\x1b" not in text + ran.out
    assert len(text.splitlines()) == 3


def test_without_git(pinner: Pinner, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text("FROM a:1\n")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "Dockerfile").write_text("FROM b:1\n")
    assert pinner("init").code == 0
    assert tomllib.loads((tmp_path / "images.toml").read_text()) == {"images": {"a": "a:1"}}
