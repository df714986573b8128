"""What docker's and podman's credential files say: auths, credHelpers, credsStore.

    {"auths": {KEY: {"auth": base64("user:password"), "identitytoken": …, "registrytoken": …}},
     "credHelpers": {HOST: SUFFIX}, "credsStore": SUFFIX}

    KEY := host[:port] ["/" path]        quay.io, quay.io/org, quay.io/org/repo: the longest wins
         | scheme "://" host[:port] …    legacy: the path counts for nothing
         | https://index.docker.io/v1/   Docker Hub, which goes by other names as well

Hosts match whole and with their port: what is stored for gcr.io is for no other host (A15). Pure:
reading is `credentials`' task.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pinner.errors import InputError
from pinner.oci.grammar import DEFAULT_REGISTRY, fold_registry
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
_ENVIRONMENT: Final = '{"auths": {"registry.example": {"auth": base64 of "user:password"}}}'
_SHOWN: Final = 160
_SPOKEN: Final = {dict: "an object", str: "a string"}
_Kind = TypeVar("_Kind", dict[str, Any], str)
_LEGACY: Final = re.compile(r"https?://([^/]+)(?:/.*)?", re.ASCII | re.DOTALL)
_API_PATH: Final = re.compile(r"([^/]+)/(?:v[12]/?)?", re.ASCII)
# docker's OAuth login keeps these under Docker Hub's key; they are no logins for pulling.
OAUTH_KEYS: Final = frozenset({f"{DOCKER_HUB_KEY}access-token", f"{DOCKER_HUB_KEY}refresh-token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A login; nothing of it but the user is ever shown.

    Attributes:
        user: "" where there is only a token.
        password: may be empty beside an identity token.
        identity_token: a refresh token, for token servers.
        registry_token: a bearer token that the registry itself takes.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFile:
    """One credential file.

    Attributes:
        name: how messages call it: `~/.docker/config.json`.
        auths: entries by key, in the file's order, not yet decoded.
        helpers: suffixes of `docker-credential-…` by host; "" turns the store off for a host.
        store: the suffix for all other hosts; "" for none.
    """

    name: str
    auths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str = ""

    def logins(self, registry: str, repository: str) -> Iterator[tuple[str, Credential | None]]:
        """The keys that `auths` has for a repository, the closest first, each with its login.

        A key without any login has None: docker leaves such where a helper keeps the login.

        Raises:
            InputError: an entry cannot be decoded.
        """
        for key in self.keys(registry, repository):
            yield key, _decode(self.auths[key], key, self.name)

    def keys(self, registry: str, repository: str) -> Iterator[str]:
        """The keys of `auths` that fit a repository, the closest first.

        With "" for the repository, these are the keys of the registry as a whole.
        """
        names = {key: _named(key) for key in self.auths}
        parts = repository.split("/") if repository else []
        for count in range(len(parts), -1, -1):
            wanted = "/".join([registry.lower(), *parts[:count]])
            fitting = [key for key, name in names.items() if name == wanted]
            # A key that is spelled exactly so comes before a legacy spelling of the same.
            yield from sorted(fitting, key=lambda key: key not in {wanted, DOCKER_HUB_KEY})

    def registries(self) -> tuple[str, ...]:
        """Every `host[:port]` that `auths` has a key for, each once, in the file's order."""
        hosts = (_named(key).partition("/")[0] for key in self.auths)
        return tuple(dict.fromkeys(host for host in hosts if host))

    def namespaces(self, registry: str) -> tuple[str, ...]:
        """The keys of `auths` that are for a part of a registry alone: podman's `quay.io/org`."""
        return tuple(key for key in self.auths if _named(key).startswith(f"{registry.lower()}/"))

    def helper(self, registry: str) -> tuple[str, str] | None:
        """The key and the suffix of the helper to ask about a registry, if there is one."""
        for key, suffix in self.helpers.items():
            if _named(key) == registry.lower():
                return (f"credHelpers: {key}", suffix) if suffix else None
        return ("credsStore", self.store) if self.store else None


def parse_config(data: bytes, *, name: str) -> AuthFile:
    """What config.json (docker) or auth.json (podman) says; other keys are passed over.

    Raises:
        InputError: not JSON, or a value of the wrong type; values are not repeated.
    """
    document = _document(data, name)
    return AuthFile(
        name=name,
        auths=_auths(document.get("auths"), name),
        helpers=_helpers(document.get("credHelpers"), name),
        store=_checked(document.get("credsStore"), str, "credsStore", name) or "",
    )


def parse_dockercfg(data: bytes, *, name: str) -> AuthFile:
    """What ~/.dockercfg of old says: alone what elsewhere is under `auths`.

    Raises:
        InputError: as `parse_config`.
    """
    return AuthFile(name=name, auths=_auths(_document(data, name), name))


def parse_environment(text: str, *, name: str) -> AuthFile:
    """What DOCKER_AUTH_CONFIG says: `auths` alone, each entry with `auth` alone, as in docker.

    Raises:
        InputError: anything else.
    """
    document = _document(text, name)
    auths = _auths(document.get("auths"), name)
    if set(document) - {"auths"} or any(set(entry) != {"auth"} for entry in auths.values()):
        raise InputError(
            "holds more or less than logins", where=name, mend=f"it is read as {_ENVIRONMENT}"
        )
    return AuthFile(name=name, auths=auths)


def server_names(registry: str) -> tuple[str, ...]:
    """What a helper is asked for, one after the other: docker's and podman's names for it."""
    return (DOCKER_HUB_KEY, registry) if registry == DEFAULT_REGISTRY else (registry,)


def _named(key: str) -> str:
    """The `host[:port][/path]` that a key means; "" for none."""
    if key in OAUTH_KEYS:
        return ""
    found = _LEGACY.fullmatch(key) or _API_PATH.fullmatch(key)
    host, slash, path = (found[1] if found else key).partition("/")
    return fold_registry(host.lower()) + slash + path


def _decode(entry: Mapping[str, Any], key: str, name: str) -> Credential | None:
    def text(of: str) -> str:
        return _checked(entry.get(of), str, f"auths: {safe(key, limit=_SHOWN)}: {of}", name) or ""

    user, password = text("username"), text("password")
    if encoded := text("auth"):
        user, password = _user_and_password(encoded, key, name)
    credential = Credential(
        user=user,
        password=password if user else "",
        identity_token=text("identitytoken"),
        registry_token=text("registrytoken"),
    )
    return None if credential == Credential() else credential


def _user_and_password(encoded: str, key: str, name: str) -> tuple[str, str]:
    unbroken = encoded.replace("\r", "").replace("\n", "")  # docker passes over line breaks, too
    try:
        decoded = base64.b64decode(unbroken, validate=True).decode()
    except ValueError:  # not base64, or not UTF-8
        decoded = ""
    user, colon, password = decoded.partition(":")
    if not user or not colon:
        raise InputError(
            f'auths: {safe(key, limit=_SHOWN)}: auth is not the base64 of "user:password"',
            where=name,
        )
    return user, password.rstrip("\0")


def _document(data: str | bytes, name: str) -> dict[str, Any]:
    if not data.strip():
        return {}  # docker takes an empty file for one without logins
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"is not JSON{place}", where=name) from None
    return _checked(document, dict, "the document", name) or {}


def _auths(value: object, name: str) -> dict[str, dict[str, Any]]:
    entries = _checked(value, dict, "auths", name) or {}
    return {
        key: _checked(entry, dict, f"auths: {safe(key, limit=_SHOWN)}", name) or {}
        for key, entry in entries.items()
    }


def _helpers(value: object, name: str) -> dict[str, str]:
    entries = _checked(value, dict, "credHelpers", name) or {}
    return {
        key: _checked(entry, str, f"credHelpers: {safe(key, limit=_SHOWN)}", name) or ""
        for key, entry in entries.items()
    }


def _checked(value: object, kind: type[_Kind], what: str, name: str) -> _Kind | None:
    """`value` if it is of the right type or null."""
    if value is None or isinstance(value, kind):
        return value
    raise InputError(f"{what} is not {_SPOKEN[kind]}", where=name)
