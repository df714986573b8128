"""Which files a command looks at: those below the given paths, as git knows them.

Tracked files and new ones that git does not ignore. A submodule or a repository within is another
project's. Where there is no git, folders are walked, and those that hold what tools put there are
left out (`PASSED_OVER`).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.git.repository import Repository
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

PASSED_OVER: Final = frozenset({
    ".git", ".hg", ".svn", ".jj", ".bzr",
    "node_modules", "bower_components", "vendor",
    ".venv", "venv", "__pycache__", ".tox", ".nox", ".eggs",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".cache",
    ".terraform", ".gradle", ".direnv", ".devenv", ".idea",
})  # fmt: skip
"""Names of folders that a walk without git does not enter."""

_GIT: Final = ".git"
_SPEC: Final = "images.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files to look at.

    Attributes:
        root: the project's folder, links followed; nothing outside of it is read or written.
        named: absolute paths of files that the user named.
        found: absolute paths of the files below the folders; each once, in order.
        problems: folders that could not be walked.
    """

    root: str
    named: tuple[str, ...]
    found: tuple[str, ...]
    problems: tuple[InputError, ...] = ()


def list_files(
    folder: Path, paths: Sequence[Path], *, environ: Mapping[str, str] | None = None
) -> Listing:
    """The files below `paths`, or below the project's folder where there are none.

    Args:
        folder: the project's.
        paths: absolute.
        environ: the caller's environment; None: this process's.

    Raises:
        InputError: a path is not there, is outside of the project, or is neither file nor folder.
        StoreError: git cannot list them.
    """
    root = folder.resolve()
    named: dict[str, None] = {}
    folders: dict[Path, None] = {}
    for path in paths or [folder]:
        _require_inside(path, root)
        if path.is_dir():
            folders[path.resolve()] = None
        else:
            named[str(path)] = None
    problems: list[InputError] = []
    found: dict[str, None] = {}
    listed = _listed(root, os.environ if environ is None else environ) if folders else None
    for one in folders:
        if listed is None:
            files = sorted(_walk(str(one), problems))
        else:
            below = f"{str(one).rstrip('/')}/"
            files = [path for path in listed if path.startswith(below)]
        if not files and paths:
            raise InputError(
                "there is no file in it that git does not ignore", where=safe(str(one))
            )
        found.update(dict.fromkeys(files))
    return Listing(
        root=str(root),
        named=tuple(named),
        found=tuple(one for one in found if one not in named),
        problems=tuple(problems),
    )


def _require_inside(path: Path, root: Path) -> None:
    shown = safe(str(path))
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its links form a loop"
        raise InputError(f"cannot be opened: {reason}", where=shown) from error
    if not target.is_relative_to(root):
        raise InputError(
            f"is outside of the project {safe(str(root))}",
            where=shown,
            mend="run pinner in its own project, or with `--directory`",
        )


def _listed(root: Path, environ: Mapping[str, str]) -> list[str] | None:
    """The files below the project's folder, sorted; None where there is no git to ask.

    A repository that ignores images.toml, such as a home folder of which git has a few files, is
    not the project's.
    """
    if shutil.which("git", path=environ.get("PATH", os.defpath)) is None:
        return None
    if not any(os.access(above / _GIT, os.F_OK) for above in (root, *root.parents)):
        return None
    repository = Repository.find(root, environ=environ)
    if repository is None:
        return None
    top = str(repository.folder).rstrip("/")
    listed = [f"{top}/{name}" for name in repository.files(root)]
    spec = root / _SPEC
    return None if spec.exists() and str(spec) not in listed else listed


def _walk(folder: str, problems: list[InputError]) -> Iterable[str]:
    """Every file below a folder; links to folders are not followed."""
    todo = [folder]
    while todo:
        here = todo.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        yield entry.path
                    elif entry.name not in PASSED_OVER:
                        todo.append(entry.path)
        except OSError as error:
            problems.append(InputError(f"cannot be read: {error.strerror}", where=safe(here)))
