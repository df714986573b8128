"""The lock that the files may still be pinned by: the one that git has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import PinnerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pinner.lockfile import Lock


def committed_lock(path: Path, *, environ: Mapping[str, str] | None = None) -> Lock | None:
    """What HEAD has of images.lock; None where there is no git, no commit, or no usable lock in it.

    Args:
        path: of images.lock today.
        environ: for git; None: this process's.
    """
    from pinner.git.repository import Repository  # noqa: PLC0415 - few runs come here
    from pinner.lockfile import loads  # noqa: PLC0415

    try:
        repository = Repository.find(path.parent, environ=environ)
        data = None if repository is None else repository.read("HEAD", path)
        return None if data is None else loads(data, path=f"HEAD:{path.name}")
    except PinnerError:
        return None
