"""The user's logins: where they are looked for, and in which order (docs/credentials.md).

    0 PINNER_ANONYMOUS                      registries that get none
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

import re
import threading
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.oci.grammar import fold_registry
from pinner.registry.authfile import AuthFile, Credential, server_names
from pinner.registry.helpers import ask_helper, program_name
from pinner.registry.lookup import Found, Look, Lookup, Outcome
from pinner.registry.places import places
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pinner.registry.helpers import Runner
    from pinner.registry.places import Place

__all__ = ["Credential", "CredentialStore", "Found"]

ANONYMOUS: Final = "PINNER_ANONYMOUS"
"""The variable that names registries which are asked without a login, whatever is stored."""

_SEPARATORS: Final = re.compile(r"[,\s]+")


class _Unsettled(Exception):  # noqa: N818 - no error: the search cannot go on
    """A helper would have to be asked."""


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
        self._places = places(environ, home)
        self._anonymous = {
            fold_registry(host.lower()) for host in _SEPARATORS.split(environ.get(ANONYMOUS, ""))
        }
        self._run_helper = run_helper
        self._note = note
        self._lock = threading.Lock()
        self._files: dict[Place, AuthFile | None] = {}
        self._helped: dict[tuple[str, str], Credential | None] = {}
        self._looked_at: set[Place] = set()

    def find(self, registry: str, repository: str) -> Found | None:
        """The login for a repository of `host[:port]`; None if there is none.

        Raises:
            InputError: a file that cannot be read, or a helper that failed.
        """
        lookup = self.look_up(registry, repository)
        if lookup.error is not None:
            raise lookup.error
        return lookup.found

    def look_up(self, registry: str, repository: str, *, ask_helpers: bool = True) -> Lookup:
        """The same search with all that it looked at; what ends it early is part of the answer.

        Args:
            registry: `host[:port]`.
            repository: its path there; "" for the registry as a whole.
            ask_helpers: whether helpers are run; the search ends at the first that is not.
        """
        if registry.lower() in self._anonymous:
            why = "names this registry, so no login is used"
            return Lookup(looks=(Look(place=ANONYMOUS, outcome=Outcome.NONE, why=why),))
        search = _Search(self, registry, repository, ask_helpers=ask_helpers)
        with self._lock:
            found, error, settled = None, None, True
            left = iter(self._places)
            for place in left:
                try:
                    found = search.look_in(place)
                except InputError as failure:
                    error = failure
                except _Unsettled:
                    settled = False
                if found or error or not settled:
                    break
            search.looks += [
                Look(place=place.name, outcome=Outcome.NOT_REACHED, why="not reached")
                for place in left
            ]
        return Lookup(looks=tuple(search.looks), found=found, error=error, settled=settled)

    def read(self, place: Place) -> AuthFile | None:
        """What is in a place, read once; the lock is held."""
        if place not in self._files:
            self._files[place] = place.read()
        return self._files[place]

    def ask(self, suffix: str, server: str, file: AuthFile) -> Credential | None:
        """What a helper has for a server, asked once; the lock is held."""
        asked = (suffix, server)
        if asked not in self._helped:
            self._helped[asked] = ask_helper(suffix, server, source=file.name, run=self._run_helper)
        return self._helped[asked]

    def look_at_mode(self, place: Place) -> None:
        """Warn once where everybody can read the file; the lock is held."""
        if place not in self._looked_at and place.is_open_to_all():
            self._note(f"{place.name} holds logins and everybody can read it: chmod 600")
        self._looked_at.add(place)


class _Search:
    """One search, place by place; `looks` grows."""

    def __init__(
        self, store: CredentialStore, registry: str, repository: str, *, ask_helpers: bool
    ) -> None:
        self.looks: list[Look] = []
        self._store = store
        self._registry = registry
        self._repository = repository
        self._ask_helpers = ask_helpers

    def look_in(self, place: Place) -> Found | None:
        before = len(self.looks)
        try:
            file = self._store.read(place)
            if file is None:
                self._note(place.name, "", Outcome.MISSING, "is not there")
                return None
            found = self._of_helper(file) or self._of_auths(file)
        except InputError as error:
            helper = len(self.looks) > before and self.looks[-1].outcome is Outcome.NOT_ASKED
            entry = self.looks.pop().entry if helper else ""
            self._note(place.name, entry, Outcome.FAILED, error.what, helper=helper)
            raise
        if found is not None and self.looks[-1].entry.startswith("auths"):
            self._store.look_at_mode(place)
        return found

    def _of_helper(self, file: AuthFile) -> Found | None:
        helper = file.helper(self._registry)
        if helper is None:
            return None
        key, suffix = helper
        entry = f"{safe(key)} → {program_name(suffix)}"
        self._note(file.name, entry, Outcome.NOT_ASKED, "helper not asked", helper=True)
        if not self._ask_helpers:
            raise _Unsettled
        for server in server_names(self._registry):
            if (credential := self._store.ask(suffix, server, file)) is not None:
                self.looks.pop()
                self._note(file.name, entry, Outcome.FOUND, "helper answered: yes", helper=True)
                return Found(credential=credential, source=f"{file.name} ({entry})")
        self.looks.pop()
        self._note(file.name, entry, Outcome.NONE, "helper answered: no login", helper=True)
        return None

    def _of_auths(self, file: AuthFile) -> Found | None:
        fitting = False
        for key, credential in file.logins(self._registry, self._repository):
            entry, fitting = f"auths: {safe(key)}", True
            if credential is not None:
                self._note(file.name, entry, Outcome.FOUND, "holds a login")
                return Found(credential=credential, source=f"{file.name} ({entry})")
            self._note(file.name, entry, Outcome.NONE, "holds no login")
        if not fitting:
            count = f"no key fits (of {len(file.auths)})" if file.auths else "empty"
            self._note(file.name, "auths", Outcome.NONE, count)
        return None

    def _note(
        self, place: str, entry: str, outcome: Outcome, why: str, *, helper: bool = False
    ) -> None:
        self.looks.append(Look(place=place, entry=entry, outcome=outcome, why=why, helper=helper))
