"""The project that a command works on: the folder with images.toml, and the two files in it.

As uv does with pyproject.toml, the nearest folder upwards that has an images.toml is the project;
the search ends at the root of a git repository. Where there is none, it is the folder itself, so
that messages name the file that is missing where the user expects it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, StoreError
from pinner.fsio import read_limited, write_atomic
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pinner.lockfile import Lock
    from pinner.spec import Spec

SPEC: Final = "images.toml"
LOCKFILE: Final = "images.lock"
_MIB: Final = 1024 * 1024
_SPEC_LIMIT: Final = _MIB
LOCKFILE_LIMIT: Final = 16 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with images.toml and, once locked, images.lock.

    Attributes:
        folder: where both files are; absolute.
        seen_from: the folder that messages name files from.
    """

    folder: Path
    seen_from: Path

    @classmethod
    def find(cls, start: Path) -> Project:
        """The project that `start` is in.

        Raises:
            InputError: `start` is not a folder, or cannot be looked at.
        """
        folder = start.absolute()
        try:
            found = folder.is_dir()
        except OSError as error:
            raise InputError(
                f"cannot be opened: {error.strerror}", where=safe(str(start))
            ) from error
        if not found:
            raise InputError("is not a folder", where=safe(str(start)))
        for candidate in (folder, *folder.parents):
            try:
                if (candidate / SPEC).exists():
                    return cls(folder=candidate, seen_from=folder)
                if (candidate / ".git").exists():
                    break
            except OSError:
                break  # a folder that may not be searched; who reads a file in it says so
        return cls(folder=folder, seen_from=folder)

    @property
    def spec_path(self) -> Path:
        """Where images.toml is, or would be."""
        return self.folder / SPEC

    @property
    def lock_path(self) -> Path:
        """Where images.lock is, or would be."""
        return self.folder / LOCKFILE

    def shown(self, path: Path) -> str:
        """The path as messages name it: relative to where the user is."""
        return os.path.relpath(path, self.seen_from)

    def spec_data(self) -> bytes:
        """The bytes of images.toml, read once for the whole run.

        Raises:
            InputError: there is none, or it cannot be read.
        """
        try:
            return self._read(self.spec_path, _SPEC_LIMIT)
        except FileNotFoundError as error:
            raise InputError(
                f"there is no {SPEC} in this folder or above it",
                mend=(
                    "`pinner init` begins one with the images that files here name,",
                    "`pinner add IMAGE` with one image, such as `pinner add debian:bookworm`",
                ),
            ) from error

    def spec_text(self) -> str:
        """The text of images.toml, for editing; empty where there is none yet.

        Raises:
            InputError: it cannot be read, or it has problems.
        """
        if not self.spec_path.exists():
            return ""
        data = self.spec_data()
        self.parse_spec(data)
        return data.decode()

    def read_spec(self) -> Spec:
        """The parsed images.toml.

        Raises:
            InputError: there is none, it cannot be read, or it has problems.
        """
        return self.parse_spec(self.spec_data())

    def parse_spec(self, data: bytes) -> Spec:
        """The spec that these bytes would be as images.toml.

        Raises:
            InputError: they have problems.
        """
        from pinner.spec import parse_spec  # noqa: PLC0415 - help and completion do without

        return parse_spec(data, path=self.shown(self.spec_path), base=self.folder)

    def read_lock(self) -> Lock | None:
        """The parsed images.lock; None where there is none yet.

        Raises:
            InputError: it cannot be read, or it has problems.
        """
        from pinner.lockfile import loads  # noqa: PLC0415 - help and completion do without

        try:
            data = self._read(self.lock_path, LOCKFILE_LIMIT)
        except FileNotFoundError:
            return None
        return loads(data, path=self.shown(self.lock_path))

    def require_lock(self) -> Lock:
        """The parsed images.lock, for a command that cannot do without.

        Raises:
            InputError: there is none, it cannot be read, or it has problems.
        """
        lock = self.read_lock()
        if lock is None:
            raise InputError(f"there is no {LOCKFILE}", mend="run `pinner lock`")
        return lock

    def require_writable(self, paths: Iterable[Path]) -> None:
        """Make sure that files of the project can be replaced, before a registry is asked for them.

        Raises:
            InputError: a link that leads out of the project's folder; it is not written through.
            StoreError: the folder is read-only.
        """
        for path in paths:
            target = path.resolve()
            if not target.is_relative_to(self.folder.resolve()):
                raise InputError(
                    f"is a link out of the project: {safe(str(target))} is not written",
                    where=self.shown(path),
                    mend="put a file in its place",
                )
            if not os.access(target.parent, os.W_OK | os.X_OK):
                raise StoreError(
                    f"cannot be written: {safe(str(target.parent))} is read-only or not there",
                    where=self.shown(path),
                    mend="it was not changed",
                )

    def write(
        self, files: Mapping[Path, bytes], *, expected: Mapping[Path, bytes] | None = None
    ) -> None:
        """Replace files of the project, all or, where the disk refuses, none.

        Args:
            files: what to write.
            expected: what a file has to have still; no entry, no condition.

        Raises:
            InputError: a link that leads out of the project's folder.
            StoreError: the disk refused, or a file is not as expected.
        """
        self.require_writable(files)
        write_atomic(files, expected=expected)

    def entry_names(self) -> list[str]:
        """The names in images.toml, for completion: an unusable file has none."""
        import tomllib  # noqa: PLC0415 - only completion reads the file this way

        try:
            images = tomllib.loads(self.spec_data().decode()).get("images")
        except (InputError, ValueError, RecursionError):
            return []
        return list(images) if isinstance(images, dict) else []

    def _read(self, path: Path, limit: int) -> bytes:
        """The bytes of a file of the project; problems name it as every other message does."""
        try:
            return read_limited(path, limit)
        except InputError as error:
            error.where = self.shown(path)
            raise
