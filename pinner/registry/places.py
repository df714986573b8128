"""Where logins may be: files and variables, in the order of `credentials`.

Reading is bounded; a file that is not there is no error, unless the user has named it.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import InputError
from pinner.fsio import read_limited
from pinner.registry.authfile import AuthFile, parse_config, parse_dockercfg, parse_environment
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ENVIRONMENT: Final = "DOCKER_AUTH_CONFIG"
AUTH_FILE: Final = "REGISTRY_AUTH_FILE"
LIMIT: Final = 4 * 1024 * 1024
_CONTAINERS: Final = "containers/auth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where logins may be: a file, or the text of an environment variable.

    Attributes:
        name: for messages; a variable's name, or a path that begins with `~` in the home folder.
        path: None for a variable.
        text: the variable's value; never shown.
        required: a file that the user has named must be there.
    """

    name: str
    path: Path | None = None
    text: str = field(default="", repr=False)
    parse: Callable[..., AuthFile] = parse_config
    required: bool = False

    def read(self) -> AuthFile | None:
        """What is there; None for no file.

        Raises:
            InputError: it cannot be read, or is required and not there.
        """
        if self.path is None:
            return parse_environment(self.text, name=self.name)
        try:
            data = self.data(self.path)
        except FileNotFoundError:
            if self.required:
                raise InputError(
                    "is not there", where=self.name, mend=f"{AUTH_FILE} names this file"
                ) from None
            return None
        return self.parse(data, name=self.name)

    def data(self, path: Path) -> bytes:
        """The bytes of the file.

        Raises:
            FileNotFoundError: there is none.
            InputError: it cannot be read.
        """
        try:
            return read_limited(path, LIMIT)
        except InputError as error:
            error.where = self.name
            raise

    def is_open_to_all(self) -> bool:
        """Whether every user of the machine can read the file."""
        return self.path is not None and bool(self.path.stat().st_mode & stat.S_IROTH)


def places(environ: Mapping[str, str], home: Path) -> tuple[Place, ...]:
    """Every place that is looked at, in order."""
    found = []
    if text := environ.get(ENVIRONMENT):
        found.append(Place(name=ENVIRONMENT, text=text))
    if named := _folder(environ, AUTH_FILE):
        found.append(_file(named, home, required=True))
    found.append(_docker(environ, home))
    if runtime := _folder(environ, "XDG_RUNTIME_DIR"):
        found.append(_file(runtime / _CONTAINERS, home))
    config = _folder(environ, "XDG_CONFIG_HOME") or home / ".config"
    found.append(_file(config / _CONTAINERS, home))
    found.append(_file(home / ".dockercfg", home, parse=parse_dockercfg))
    return tuple(found)


def written(environ: Mapping[str, str], home: Path) -> tuple[Place, Path]:
    """The file that logins are stored in, and its path: the first of `places` that is a file.

    That is the file that REGISTRY_AUTH_FILE names, else docker's config.json.
    """
    named = _folder(environ, AUTH_FILE)
    place = _file(named, home) if named else _docker(environ, home)
    assert place.path is not None  # noqa: S101 - both are files
    return place, place.path


def _docker(environ: Mapping[str, str], home: Path) -> Place:
    return _file((_folder(environ, "DOCKER_CONFIG") or home / ".docker") / "config.json", home)


def _folder(environ: Mapping[str, str], variable: str) -> Path | None:
    return Path(value) if (value := environ.get(variable)) else None


def _file(path: Path, home: Path, **more: Any) -> Place:
    inside = path.is_relative_to(home)
    name = f"~/{path.relative_to(home)}" if inside else str(path)
    return Place(name=safe(name), path=path, **more)
