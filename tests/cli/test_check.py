"""`pinner check`: what it finds, counts and passes, and what registries say with `--remote`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import Lock, dumps
from support.files import LOCK, SPEC, digest, pin, write_project
from support.gitrepos import Ground
from support.registry_faults import instead

if TYPE_CHECKING:
    from pathlib import Path

    from support.ground import Ground as Proving

Pinner = Any
PYTHON = f"python:3.12-slim@{digest('2')}"


@pytest.fixture
def repository(tmp_path: Path) -> Ground:
    ground = Ground.make(tmp_path)
    write_project(tmp_path)
    ground.git("add", "--all")
    return ground


@pytest.mark.parametrize(
    ("line", "said", "count"),
    [
        pytest.param(
            "FROM python:3.12-slim",
            "python:3.12-slim is not pinned: run `pinner rewrite`",
            "1 unpinned",
            id="unpinned",
        ),
        pytest.param(
            f"FROM python:3.12-slim@{digest('0')}",
            "python:3.12-slim is pinned to 000000000000, images.lock says 222222222222: run"
            " `pinner rewrite`",
            "1 stale",
            id="stale",
        ),
        pytest.param(
            f"FROM node:22.11.0@{digest('1')}",
            "node:22.11.0 has the digest of another tag, images.lock says 22.12.0: run"
            " `pinner rewrite`",
            "1 stale",
            id="stale-tag",
        ),
        pytest.param(
            "FROM $BASE",
            "$BASE: BASE has no default here: give the ARG a default or add `# pinner: ignore`",
            "1 unresolvable",
            id="unresolvable",
        ),
        pytest.param(
            "FROM debian:12",
            "debian:12 is not in images.toml: run `pinner add debian:12` or add `# pinner: ignore`",
            "1 unknown",
            id="unknown",
        ),
        pytest.param(
            "FROM python:3.12-slim # pinned",
            "python:3.12-slim # pinned: ",
            "1 skipped",
            id="skipped",
        ),
    ],
)
def test_one_line_a_finding(
    pinner: Pinner, repository: Ground, line: str, said: str, count: str
) -> None:
    repository.write({"a/Dockerfile": f"{line}\nFROM {PYTHON}\n"})
    ran = pinner("check")
    assert ran.code == 1
    finding, last = ran.out.splitlines()
    assert finding.startswith(f"a/Dockerfile:1: {said}")
    assert last == f"1 finding: 1 pinned, {count}"


def test_all_pinned_is_green(pinner: Pinner, repository: Ground) -> None:
    repository.write(
        {
            "Dockerfile": f"FROM {PYTHON}\n# pinner: ignore\nFROM debian\n",
            "b/Dockerfile": f"FROM node@{digest('b')}\n",
        }
    )
    ran = pinner("check")
    assert (ran.code, ran.out) == (
        0,
        "Every reference in 2 files is pinned as locked: 2 pinned, 1 ignored\n",
    )


def test_a_repository_that_names_no_image_is_green_and_says_so(
    pinner: Pinner, repository: Ground
) -> None:
    repository.write({"Dockerfile": "FROM scratch\n", "main.py": "FROM x\n"})
    ran = pinner("check")
    assert (ran.code, ran.out) == (0, "No image is named in 1 file that can name one\n")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("FROM $BASE", 0),
        ("FROM debian", 0),
        ("FROM python:3.12-slim # x", 0),
        ("FROM python:3.12-slim", 1),
        (f"FROM python:3.12-slim@{digest('0')}", 1),
    ],
)
def test_lenient_passes_what_is_unknown_and_nothing_else(
    pinner: Pinner, repository: Ground, line: str, code: int
) -> None:
    repository.write({"Dockerfile": f"{line}\n"})
    strict, lenient = pinner("check"), pinner("check", "--lenient")
    assert (strict.code, lenient.code) == (1, code)
    assert lenient.out == strict.out


def test_a_stale_entry_is_a_finding_with_its_kind(pinner: Pinner, repository: Ground) -> None:
    repository.write({"images.toml": SPEC.replace(">=22,<23", ">=23")})
    ran = pinner("check", "--lenient")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        'images.lock: node does not satisfy images.toml (version ">=23"): run `pinner lock`',
        "1 finding: 1 entry stale",
    ]
    document = json.loads(pinner("check", "--json").out)
    assert [(one["name"], one["kind"]) for one in document["stale"]] == [("node", "version")]


def test_an_injected_lock_does_not_make_files_green(pinner: Pinner, repository: Ground) -> None:
    lock = Lock(
        images=(*LOCK.images[::2], pin("python", "evil.example/p", "3.12-slim", "0", "0", "0"))
    )
    repository.write(
        {
            "images.lock": dumps(lock),
            "Dockerfile": f"FROM python:3.12-slim@{digest('0')}\n",
        }
    )
    ran = pinner("check")
    assert ran.code == 1
    assert ran.out.splitlines()[0] == (
        "Dockerfile:1: python is evil.example/p in images.lock, not what images.toml says: run"
        " `pinner lock`"
    )


def test_json(pinner: Pinner, repository: Ground) -> None:
    repository.write({"Dockerfile": f"FROM {PYTHON} AS a\nFROM redis\n"})
    assert json.loads(pinner("check", "--json").out) == {
        "schema": 1,
        "command": "check",
        "green": False,
        "lenient": False,
        "files": 1,
        "counts": {
            "pinned": 1,
            "unpinned": 1,
            "stale": 0,
            "unknown": 0,
            "unresolvable": 0,
            "skipped": 0,
            "ignored": 0,
        },
        "findings": [
            {
                "file": "Dockerfile",
                "line": 2,
                "text": "redis",
                "status": "unpinned",
                "reason": None,
                "entry": "redis",
                "after": f"redis:latest@{digest('3')}",
                "why": "redis is not pinned",
                "mend": "run `pinner rewrite`",
                "note": "",
            }
        ],
        "stale": [],
        "unreadable": [],
    }


def test_annotations_for_githubs_runner(pinner: Pinner, repository: Ground) -> None:
    repository.write({"a,b/Dockerfile": "FROM redis\n"})
    ran = pinner("check", GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(repository.folder.parent))
    top = repository.folder.name
    assert ran.out.splitlines() == [
        f"::error file={top}/a%2Cb/Dockerfile,line=1::redis is not pinned: run `pinner rewrite`",
        "a,b/Dockerfile:1: redis is not pinned: run `pinner rewrite`",
        "1 finding: 1 unpinned",
    ]


@pytest.mark.parametrize(
    ("missing", "mend"),
    [("images.toml", "`pinner add IMAGE`"), ("images.lock", "run `pinner lock`")],
)
def test_without_spec_or_lock_the_mend_is_said(
    pinner: Pinner, repository: Ground, missing: str, mend: str
) -> None:
    (repository.folder / missing).unlink()
    ran = pinner("check")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: there is no {missing}")
    assert mend in ran.err


def lock_of(ground: Proving) -> None:
    """A project with one locked image of the registry, and a file that names it as locked."""
    ground.sim.content.add_image("team/app", "stable", layers=[b"1"])
    ground.want(app="team/app:stable")
    assert ground.run("lock").code == 0
    (ground.project / "Dockerfile").write_text(f"FROM {ground.sim.host}/team/app:stable\n")
    assert ground.run("rewrite").code == 0


def test_remote_all_is_served(ground: Proving) -> None:
    lock_of(ground)
    ground.sim.requests.clear()
    ran = ground.run("check", "--remote")
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.splitlines()[-1] == "Registries: 1 of 1 image served"
    assert {request.method for request in ground.sim.requests} == {"HEAD"}


def test_L27_remote_a_tag_that_moved(ground: Proving) -> None:
    lock_of(ground)
    ground.sim.content.add_image("team/app", "stable", layers=[b"2"])
    ran = ground.run("check", "--remote")
    assert ran.code == 1
    assert "images.lock: app has a tag that moved, stable from sha256:" in ran.out
    assert ran.out.splitlines()[-1].endswith("1 of 1 image served, 1 with a tag that moved")
    document = json.loads(ground.run("check", "--remote", "--json").out)
    assert (document["green"], document["remote"][0]["moved"]) == (False, True)


def test_L27_remote_a_registry_that_is_down_is_3(ground: Proving) -> None:
    lock_of(ground)
    ground.sim.always("/manifests/", instead(503))
    ran = ground.run("check", "--remote")
    assert ran.code == 3, ran.out
    assert ran.err.startswith("error: ")
    assert ran.out.splitlines()[-1] == "Registries: 0 of 1 image served, 1 not known"


def test_offline_by_default(ground: Proving) -> None:
    lock_of(ground)
    ground.sim.requests.clear()
    assert ground.run("check").code == 0
    assert ground.sim.requests == []
