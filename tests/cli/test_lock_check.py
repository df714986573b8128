"""`pinner lock --check`: the same answer by its short way and through click, and never slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import Lock, LockedImage, dumps
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository

if TYPE_CHECKING:
    from pathlib import Path

Pinner = Any
NODE = LockedImage(
    name="node",
    repository=Repository.parse("node"),
    tag="22",
    digest=Digest.parse("sha256:" + "1" * 64),
    platforms={Platform.parse("linux/amd64"): Digest.parse("sha256:" + "2" * 64)},
)
FRESH = '[images]\nnode = { image = "node:22", platforms = ["linux/amd64"] }\n'
STALE = '[images]\nnode = { image = "node:23", platforms = ["linux/amd64"] }\nredis = "redis"\n'


@pytest.mark.parametrize(
    ("spec", "locked", "code", "last"),
    [
        pytest.param(FRESH, True, 0, "images.lock is fresh: 1 image", id="fresh"),
        pytest.param(STALE, True, 1, "2 entries are stale: run `pinner lock`", id="stale"),
        pytest.param(
            FRESH, False, 1, "There is no images.lock for 1 image: run `pinner lock`", id="unlocked"
        ),
        pytest.param("[images]\nUP = 3\n", True, 2, "", id="bad-spec"),
        pytest.param(
            "", False, 1, "There is no images.lock for 0 images: run `pinner lock`", id="S01"
        ),
    ],
)
@pytest.mark.parametrize("short", [True, False])
def test_both_ways_give_the_same_answer(
    pinner: Pinner,
    tmp_path: Path,
    spec: str,
    code: int,
    last: str,
    *,
    locked: bool,
    short: bool,
) -> None:
    (tmp_path / "images.toml").write_text(spec)
    if locked:
        (tmp_path / "images.lock").write_text(dumps(Lock(images=(NODE,))))
    ran = pinner("lock", "--check") if short else pinner("--directory", ".", "lock", "--check")
    assert ran.code == code
    assert ran.out.splitlines()[-1:] == ([last] if last else [])
    assert ran.err.startswith("error: images.toml:") is (code == 2)


def test_S17_without_a_spec_the_mend_is_to_add(pinner: Pinner) -> None:
    ran = pinner("lock", "--check")
    assert ran.code == 2
    assert ran.err.startswith("error: there is no images.toml in this folder or above it\n")


def test_json_lists_what_is_stale(pinner: Pinner, tmp_path: Path) -> None:
    (tmp_path / "images.toml").write_text(STALE)
    (tmp_path / "images.lock").write_text(dumps(Lock(images=(NODE,))))
    document = json.loads(pinner("lock", "--check", "--json").out)
    assert (document["command"], document["fresh"], document["images"]) == ("lock", False, 2)
    assert [(row["name"], row["kind"]) for row in document["stale"]] == [
        ("node", "identity"),
        ("redis", "missing"),
    ]


def test_the_short_way_loads_neither_click_nor_openssl(tmp_path: Path) -> None:
    (tmp_path / "images.toml").write_text(FRESH)
    (tmp_path / "images.lock").write_text(dumps(Lock(images=(NODE,))))
    program = (
        "import sys; before = set(sys.modules); from pinner.cli.main import run;"
        "code = run(['lock', '--check']); print(code, *set(sys.modules) - before)"
    )
    # Coverage, where it runs, starts in every process and loads half of the standard library.
    unmeasured = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=unmeasured,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    verdict, loaded = ran.stdout.splitlines()
    assert verdict == "images.lock is fresh: 1 image"
    assert loaded.startswith("0 ")
    heavy = {"click", "hashlib", "httpx", "rich", "tomlkit", "packaging", "platformdirs", "ssl"}
    assert not heavy & set(loaded.split())
