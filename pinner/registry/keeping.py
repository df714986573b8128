"""Keeps logins where `credentials` finds them first: in a helper, or in docker's config.json.

    store   a registry's helper, else the common helper, else `auths`
    erase   the same, for every spelling of the registry's key

Docker's rules hold: where a helper keeps the login, `auths` has an empty entry for the registry;
Docker Hub's key is https://index.docker.io/v1/. A login replaces the registry's earlier one however
its key was spelled. Two processes that store at once wait for one another (a lock on the folder),
and a file that docker, which takes no lock, has changed meanwhile is read anew.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import StoreError
from pinner.fsio import FileChanged, write_atomic
from pinner.oci.grammar import DEFAULT_REGISTRY
from pinner.registry.authfile import OAUTH_KEYS, server_names
from pinner.registry.authtext import with_entry, without_entries
from pinner.registry.helpers import erase_from_helper, program_name, store_in_helper
from pinner.registry.places import written
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pinner.registry.authfile import AuthFile, Credential
    from pinner.registry.helpers import Runner

_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a login is kept.

    Attributes:
        file: the credential file, as messages name it.
        helper: the program that has the login, named by the file; "" for the file itself.
    """

    file: str
    helper: str = ""


class LoginKeeper:
    """Stores and erases logins."""

    def __init__(self, *, environ: Mapping[str, str], home: Path, run_helper: Runner) -> None:
        """Touch nothing yet; the arguments are those of `CredentialStore`."""
        self._place, self._path = written(environ, home)
        self._run_helper = run_helper

    def registries(self) -> tuple[str, ...]:
        """Every registry that has an entry in `auths`, each once, in the file's order.

        Raises:
            InputError: the file cannot be read.
        """
        _, file = self._read()
        return file.registries()

    def namespaces(self, registry: str) -> tuple[str, ...]:
        """The keys that are for a part of a registry alone, which `erase` leaves unless asked.

        Raises:
            InputError: the file cannot be read.
        """
        _, file = self._read()
        return file.namespaces(registry)

    def store(self, registry: str, credential: Credential) -> Kept:
        """Keep user and password for `host[:port]`.

        Raises:
            InputError: the file cannot be read, or the helper failed; nothing is stored.
            StoreError: the file cannot be written.
        """
        key = server_names(registry)[0]
        self._make_folder()
        _, file = self._read()
        helper = file.helper(registry)
        entry: dict[str, str] = {}
        if helper is None:
            pair = f"{credential.user}:{credential.password}".encode()
            entry["auth"] = base64.b64encode(pair).decode()
        else:
            store_in_helper(helper[1], key, credential, source=file.name, run=self._run_helper)

        def edit(data: bytes, file: AuthFile) -> bytes:
            others = {other for other in file.keys(registry, "") if other != key}
            return with_entry(
                without_entries(data, others, name=file.name), key, entry, name=file.name
            )

        self._change(edit)
        return Kept(file=file.name, helper=program_name(helper[1]) if helper else "")

    def erase(self, registry: str, *, namespaces: bool = False) -> Kept | None:
        """Forget the login of `host[:port]`; None where there was none.

        Args:
            registry: whose.
            namespaces: whether those for parts of it alone are forgotten as well.

        Raises:
            InputError: the file cannot be read, or the helper failed; the file is as it was.
            StoreError: the file cannot be written.
        """
        _, file = self._read()
        keys = set(file.keys(registry, ""))
        if namespaces:
            keys |= set(file.namespaces(registry))
        if registry == DEFAULT_REGISTRY:
            keys |= OAUTH_KEYS & set(file.auths)
        known = bool(keys)
        helper = file.helper(registry)
        if helper is not None:
            # Names that only `auths` knows may be known to the helper as well.
            servers = dict.fromkeys([*server_names(registry), *sorted(keys)])
            for server in servers:
                known |= erase_from_helper(
                    helper[1], server, source=file.name, run=self._run_helper
                )
        if keys:
            self._change(lambda data, file: without_entries(data, keys, name=file.name))
        if not known:
            return None
        return Kept(file=file.name, helper=program_name(helper[1]) if helper else "")

    def _read(self) -> tuple[bytes, AuthFile]:
        try:
            data = self._place.data(self._path)
        except FileNotFoundError:
            data = b""
        return data, self._place.parse(data, name=self._place.name)

    def _change(self, edit: Callable[[bytes, AuthFile], bytes]) -> None:
        for attempt in range(_ATTEMPTS):
            with self._locked():
                before, file = self._read()
                after = edit(before, file)
                if after == before:
                    return
                try:
                    write_atomic(
                        {self._path: after},
                        expected={self._path: before} if self._path.exists() else None,
                        private=True,
                    )
                except FileChanged:
                    if attempt == _ATTEMPTS - 1:
                        raise
                else:
                    return

    def _make_folder(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot be made: {error.strerror}",
                where=safe(str(self._path.parent)),
                mend="nothing was stored",
            ) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock on the folder that the file, or what its link leads to, is in."""
        try:
            folder = os.open(self._path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
        except (OSError, RuntimeError):
            yield  # whoever writes says what is wrong with it
            return
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
