"""`pinner check` beside `pindock check` on a tree of 5,000 files.

2,000 of them are Dockerfiles, all pinned, in a git repository. pindock (Go) is installed into a
temporary environment; without a package index it is left out.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.contestants import PINNER
from bench.measure import Run
from support.files import digest, write_project
from support.gitrepos import Ground
from support.programs import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CHECK: Final = "pinner check"
_FILES: Final = 5000
_DOCKERFILES: Final = 2000
_OWN: Final = 2  # images.toml and images.lock
_DOCKERFILE: Final = f"""\
ARG NODE=22.12.0@{digest("1")}
FROM python:3.12-slim@{digest("2")} AS build
WORKDIR /src
COPY requirements.txt ./
RUN --mount=type=cache,target=/root/.cache \\
    pip install -r requirements.txt && \\
    echo done
COPY . .
RUN python -m build

FROM node:${{NODE}} AS web
# the lockfile first, for the cache
COPY package.json package-lock.json ./
RUN npm ci

FROM redis:latest@{digest("3")}
ENV LANG=C.UTF-8 PORT=8080
COPY --from=build /src/dist /app
COPY --from=web /out /static
RUN set -eux; \\
    addgroup --system app; \\
    adduser --system app
USER app
EXPOSE 8080
CMD ["python", "-m", "app"]
"""
_OTHERS: Final = ("py", "go", "md", "js", "txt", "json", "yaml", "toml")
_CONTENT: Final = "x: 1\n" * 50


def make_tree(folder: Path) -> None:
    """Write the tree and commit it."""
    write_project(folder)
    ground = Ground.make(folder)
    services = [f"services/{number // 40}/app{number}" for number in range(_DOCKERFILES)]
    files = {f"{service}/Dockerfile": _DOCKERFILE for service in services}
    for number in range(_FILES - _DOCKERFILES - _OWN):
        ending = _OTHERS[number % len(_OTHERS)]
        files[f"{services[number % _DOCKERFILES]}/file{number}.{ending}"] = _CONTENT
    ground.write(files)
    ground.git("add", "--all")
    ground.git("commit", "--quiet", "--message", "all")


@dataclass(frozen=True, slots=True)
class Checker:
    """A program that checks the tree."""

    name: str
    command: Sequence[str]
    tree: Path

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """The command in the tree, with `folder` as its home."""
        yield Run([self.command], clean_environment(folder), self.tree)


def install_pindock(folder: Path) -> str | None:
    """The program, in an environment of its own; None where it cannot be had."""
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False)
    pip = [str(folder / "bin/pip"), "install", "--quiet", "pindock"]
    if made.returncode or subprocess.run(pip, check=False).returncode:
        sys.stderr.write("pindock cannot be installed and is left out\n")
        return None
    return str(folder / "bin/pindock")


def checking_contestants(folder: Path) -> list[Checker]:
    """Who checks the tree, which is made here."""
    tree = folder / "tree"
    make_tree(tree)
    contestants = [Checker(CHECK, [PINNER, "check"], tree)]
    pindock = install_pindock(folder / "pindock")
    if pindock is not None:
        contestants.append(Checker("pindock check", [pindock, "check"], tree))
    return contestants
