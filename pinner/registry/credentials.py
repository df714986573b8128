"""The user's logins: where they are looked for, and in which order (docs/credentials.md).

    1 DOCKER_AUTH_CONFIG                    the logins themselves, as JSON
    2 REGISTRY_AUTH_FILE                    a file, which must be there
    3 $DOCKER_CONFIG/config.json            without DOCKER_CONFIG: ~/.docker/config.json
    4 $XDG_RUNTIME_DIR/containers/auth.json
    5 $XDG_CONFIG_HOME/containers/auth.json without XDG_CONFIG_HOME: ~/.config/…
    6 ~/.dockercfg

What is set for this run comes before what is stored, docker's before podman's. The first that has
a login wins; in each, a registry's own helper, then the common helper, then `auths`. Nothing is
read before a registry asks, and everything once.
"""

from __future__ import annotations

import stat
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import InputError
from pinner.fsio import read_limited
from pinner.registry.authfile import (
    AuthFile,
    Credential,
    parse_config,
    parse_dockercfg,
    parse_environment,
    server_names,
)
from pinner.registry.helpers import ask_helper
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.registry.helpers import Runner

__all__ = ["Credential", "CredentialStore", "Found"]

_ENVIRONMENT: Final = "DOCKER_AUTH_CONFIG"
_AUTH_FILE: Final = "REGISTRY_AUTH_FILE"
_LIMIT: Final = 4 * 1024 * 1024
_CONTAINERS: Final = "containers/auth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A login and where it came from.

    Attributes:
        source: file and key for messages: `~/.docker/config.json (auths: ghcr.io)`, or
            `~/.docker/config.json (credHelpers: ghcr.io → docker-credential-gh)`.
    """

    credential: Credential
    source: str


class CredentialStore:
    """Finds logins; safe for threads, which wait for one another: each helper is asked once."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        home: Path,
        run_helper: Runner,
        note: Callable[[str], None],
    ) -> None:
        """Read nothing yet.

        Args:
            environ: names the places.
            home: the user's home folder.
            run_helper: runs credential helpers.
            note: takes a line for the user, where a file with passwords is open to everybody.
        """
        self._places = _places(environ, home)
        self._run_helper = run_helper
        self._note = note
        self._lock = threading.Lock()
        self._files: dict[_Place, AuthFile | None] = {}
        self._helped: dict[tuple[str, str], Credential | None] = {}
        self._looked_at: set[_Place] = set()

    def find(self, registry: str, repository: str) -> Found | None:
        """The login for a repository of `host[:port]`; None if there is none.

        Raises:
            InputError: a file that cannot be read, or a helper that failed.
        """
        with self._lock:
            for place in self._places:
                if place not in self._files:
                    self._files[place] = place.read()
                file = self._files[place]
                if file is None:
                    continue
                found = self._of_helper(file, registry)
                if found is None and (found := _of_auths(file, registry, repository)):
                    self._look_at_mode(place)
                if found is not None:
                    return found
            return None

    def _of_helper(self, file: AuthFile, registry: str) -> Found | None:
        helper = file.helper(registry)
        if helper is None:
            return None
        key, suffix = helper
        source = f"{file.name} ({safe(key)} → docker-credential-{safe(suffix)})"
        for server in server_names(registry):
            asked = (suffix, server)
            if asked not in self._helped:
                self._helped[asked] = ask_helper(
                    suffix, server, source=file.name, run=self._run_helper
                )
            if (credential := self._helped[asked]) is not None:
                return Found(credential=credential, source=source)
        return None

    def _look_at_mode(self, place: _Place) -> None:
        if place not in self._looked_at and place.is_open_to_all():
            self._note(f"{place.name} holds logins and everybody can read it: chmod 600")
        self._looked_at.add(place)


def _of_auths(file: AuthFile, registry: str, repository: str) -> Found | None:
    login = file.login(registry, repository)
    if login is None:
        return None
    key, credential = login
    return Found(credential=credential, source=f"{file.name} (auths: {safe(key)})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
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
        """What is there; None for no file."""
        if self.path is None:
            return parse_environment(self.text, name=self.name)
        try:
            data = read_limited(self.path, _LIMIT)
        except FileNotFoundError:
            if self.required:
                raise InputError(
                    "is not there", where=self.name, mend=f"{_AUTH_FILE} names this file"
                ) from None
            return None
        except InputError as error:
            error.where = self.name
            raise
        return self.parse(data, name=self.name)

    def is_open_to_all(self) -> bool:
        """Whether every user of the machine can read the file."""
        return self.path is not None and bool(self.path.stat().st_mode & stat.S_IROTH)


def _places(environ: Mapping[str, str], home: Path) -> tuple[_Place, ...]:
    def file(path: Path, **more: Any) -> _Place:
        inside = path.is_relative_to(home)
        name = f"~/{path.relative_to(home)}" if inside else str(path)
        return _Place(name=safe(name), path=path, **more)

    def folder(variable: str) -> Path | None:
        return Path(value) if (value := environ.get(variable)) else None

    places = []
    if text := environ.get(_ENVIRONMENT):
        places.append(_Place(name=_ENVIRONMENT, text=text))
    if named := folder(_AUTH_FILE):
        places.append(file(named, required=True))
    places.append(file((folder("DOCKER_CONFIG") or home / ".docker") / "config.json"))
    if runtime := folder("XDG_RUNTIME_DIR"):
        places.append(file(runtime / _CONTAINERS))
    places.append(file((folder("XDG_CONFIG_HOME") or home / ".config") / _CONTAINERS))
    places.append(file(home / ".dockercfg", parse=parse_dockercfg))
    return tuple(places)
