"""The hooks for pre-commit, run by pre-commit on real repositories.

That pre-commit can install pinner is one test, which needs a package index; the others run the
hooks as they are, with the pinner that is installed here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from pinner.lockfile import Lock
from pinner.rewrite.kinds import KINDS
from support.files import LOCK, digest, write_project
from support.gitrepos import IDENTITY, Ground, environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.rewrite.kinds import Kind

ROOT: Final = Path(__file__).parents[2]
MANIFEST: Final = ".pre-commit-hooks.yaml"
HOOKS: Final = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / MANIFEST).read_text(encoding="utf-8"))
}
PINNED: Final = f"FROM redis:latest@{digest('3')}\n"
OFFLINE: Final = re.compile(r"No matching distribution|Connection|Could not find|timed out|resolve")


@dataclass(frozen=True)
class User:
    """A repository with hooks, and the environment that pre-commit runs in."""

    ground: Ground
    environ: Mapping[str, str]

    def hook(self, name: str, *files: str) -> subprocess.CompletedProcess[str]:
        """Run one hook, on all files where none are named."""
        chosen = ["--files", *files] if files else ["--all-files"]
        return self.run("run", name, *chosen)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments],
            cwd=self.ground.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )


def provider(folder: Path, **changes: str) -> Ground:
    """A repository of pinner as it stands here; keys of its hooks may be others."""
    ground = Ground.make(folder)
    for name in ("pinner", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, ground.folder / name)
    hooks = [hook | changes for hook in HOOKS.values()]
    ground.write({MANIFEST: yaml.safe_dump(hooks), ".gitignore": "__pycache__/\n"})
    ground.git("add", "--all")
    ground.git("commit", "--quiet", "--message", "x")
    return ground


def user(tmp_path: Path, hooks: Ground, **environ: str) -> User:
    """A project that is locked, with a Dockerfile that says so."""
    ground = Ground.make(tmp_path / "project")
    write_project(ground.folder)
    config = {
        "repos": [
            {
                "repo": str(hooks.folder),
                "rev": hooks.git("rev-parse", "HEAD"),
                "hooks": [{"id": name} for name in HOOKS],
            }
        ]
    }
    ground.write({"Dockerfile": PINNED, ".pre-commit-config.yaml": yaml.safe_dump(config)})
    ground.git("add", "--all")
    home = tmp_path / "pre-commit"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return User(ground, environment(PRE_COMMIT_HOME=str(home), **environ) | {"PATH": path})


@pytest.fixture
def here(tmp_path: Path) -> User:
    """With the pinner that is installed here."""
    return user(tmp_path, provider(tmp_path / "hooks", language="unsupported"))


def test_pre_commit_takes_the_manifest() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / MANIFEST)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_hooks_pass_where_all_is_pinned(here: User) -> None:
    done = here.run("run", "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 3


def test_check_fails_where_something_is_not(here: User) -> None:
    here.ground.write({"Dockerfile": "FROM redis\n"})
    done = here.hook("pinner-check")
    assert done.returncode == 1
    assert "Dockerfile:1: redis is not pinned" in done.stdout


def test_rewrite_mends_and_says_that_files_changed(here: User) -> None:
    here.ground.write({"Dockerfile": "FROM redis\n"})
    done = here.hook("pinner-rewrite")
    assert done.returncode == 1
    assert "files were modified by this hook" in done.stdout
    assert (here.ground.folder / "Dockerfile").read_text() == PINNED
    assert here.hook("pinner-rewrite").returncode == 0


def test_a_commit_with_a_stale_lock_is_refused(here: User) -> None:
    assert here.run("install").returncode == 0
    write_project(here.ground.folder, lock=Lock(images=LOCK.images[:2]))
    here.ground.git("add", "--all")
    done = subprocess.run(
        ["git", "commit", "--quiet", "-m", "x"],
        cwd=here.ground.folder,
        env={**here.environ, **IDENTITY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "redis is in images.toml, but not locked" in done.stdout + done.stderr


def test_other_files_run_no_hook(here: User) -> None:
    here.ground.write({"Dockerfile": "FROM redis\n", "main.py": ""})
    done = here.run("run", "--files", "main.py")
    assert done.returncode == 0
    assert done.stdout.count("no files to check") == 3


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_file_runs_check(kind: Kind) -> None:
    files = re.compile(HOOKS["pinner-check"]["files"])
    assert all(map(files.search, NAMES[kind.name]))


NAMES: Final = {
    "dockerfile": ["Dockerfile", "a/x.dockerfile", "Dockerfile.dev", "a/Containerfile"],
    "workflow": [".github/workflows/ci.yml"],
    "action": ["action.yaml"],
    "gitlab": [".gitlab-ci.yml"],
    "devcontainer": [".devcontainer.json", ".devcontainer/devcontainer.json"],
    "kustomize": ["a/kustomization.yaml"],
    "compose": ["compose.yaml", "docker-compose.override.yml"],
    "quadlet": ["web.container", "web.image", "web.volume"],
    "helm-template": ["templates/_a.tpl", "templates/a.yaml"],
    "tekton": ["a.yaml", "a.json"],
    "kubernetes": ["a.yml", "a.json"],
    "helm": ["values.yaml"],
}


@pytest.mark.servers
def test_pre_commit_installs_pinner(tmp_path: Path) -> None:
    hooks = provider(tmp_path / "hooks")
    network = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
    alone = user(tmp_path, hooks, **network)
    done = alone.run("install-hooks")
    said = done.stdout + done.stderr
    if done.returncode and OFFLINE.search(said) and not os.environ.get("PINNER_REQUIRE_SERVERS"):
        pytest.skip("pip reaches no package index")
    assert done.returncode == 0, said
    ran = alone.hook("pinner-check")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    alone.ground.write({"Dockerfile": "FROM redis\n"})
    assert "Dockerfile:1: redis is not pinned" in alone.hook("pinner-check").stdout
