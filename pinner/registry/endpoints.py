"""Where a repository is asked for: its mirrors in order, then the registry itself.

Mirrors serve digests only: what a tag means is for the registry to say. A mirror is spelled
`host[:port][/prefix]` and is asked for `prefix/path`: `cache.example/team` serves
docker.io/library/debian as cache.example/v2/team/library/debian.

The scheme (design section 2; T8 in faults.md) is decided before the first request and never
changes after a failure:

    plain-http = true                         http
    port 443, a ca-file, or a certs.d folder  https
    loopback                                  http
    everything else                           https
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.oci.grammar import DEFAULT_REGISTRY, is_path
from pinner.oci.reference import InvalidReference, parse_registry
from pinner.oci.registryconfig import RegistryConfig
from pinner.registry.addresses import Reach, reach_of
from pinner.registry.urls import Origin, Url
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.oci.reference import Repository

API_HOSTS: Final = {DEFAULT_REGISTRY: "registry-1.docker.io"}
"""Registries whose API answers on another host than the one that names them."""

_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is asked for: reading one repository, or writing to it.

    Attributes:
        repository: its path at the endpoint, which at a mirror may begin with a prefix.
        push: whether to write as well.
        mounts_from: the path of another repository that is read for it; "" for none.
    """

    repository: str
    push: bool = False
    mounts_from: str = ""

    def __str__(self) -> str:
        actions = "pull,push" if self.push else "pull"
        wanted = f"repository:{self.repository}:{actions}"
        return f"{wanted} repository:{self.mounts_from}:pull" if self.mounts_from else wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One place that serves repositories.

    Attributes:
        origin: where its API is.
        registry: `host[:port]` as references or mirrors spell it: the key of its credentials and
            its name in messages.
        prefix: what a mirror puts before every path; "" or without slashes at its ends.
        upstream: the registry itself, which may be asked for tags; not a mirror.
        sends_credentials: whether credentials may be sent to it: over https, to loopback, or where
            the user's own configuration asks for plain http.
    """

    origin: Origin
    registry: str
    prefix: str = ""
    upstream: bool = True
    sends_credentials: bool = True

    def scope(self, repository: Repository) -> Scope:
        """What reading `repository` here needs."""
        return Scope(f"{self.prefix}/{repository.path}" if self.prefix else repository.path)

    def push_scope(self, repository: Repository, *, mounts_from: str = "") -> Scope:
        """What writing to `repository` here needs."""
        return Scope(self.scope(repository).repository, push=True, mounts_from=mounts_from)

    def url(self, repository: Repository, tail: str) -> Url:
        """The URL of `tail` (`manifests/latest`, `tags/list?n=1000`) of a repository."""
        return self.root().with_target(f"/v2/{self.scope(repository).repository}/{tail}")

    def root(self) -> Url:
        """The URL that tells whether, and how, the registry wants a login: `/v2/`."""
        return Url(origin=self.origin, target="/v2/")


def endpoints_for(
    repository: Repository,
    configs: Sequence[RegistryConfig],
    *,
    by_digest: bool,
    has_certificates: Callable[[str], bool],
) -> tuple[Endpoint, ...]:
    """Where to ask for `repository`, in order; at least the registry itself.

    Args:
        repository: what is asked for.
        configs: of all registries. What the user's own file says of a host counts, and what a
            repository's file says of it does not; they are not mixed.
        by_digest: whether what is asked for is named by its digest, so that mirrors may serve it.
        has_certificates: whether `host[:port]` has a certs.d folder.

    Raises:
        InputError: a mirror that is not `host[:port][/prefix]`.
    """
    upstream = config_of(repository.registry, configs)
    mirrors = upstream.mirrors if by_digest else ()
    return (
        *(_mirror(mirror, upstream, configs, has_certificates) for mirror in mirrors),
        _endpoint(upstream, has_certificates),
    )


def endpoint_of(
    registry: str,
    configs: Sequence[RegistryConfig],
    *,
    has_certificates: Callable[[str], bool],
) -> Endpoint:
    """The registry `host[:port]` itself; the arguments are those of `endpoints_for`."""
    return _endpoint(config_of(registry, configs), has_certificates)


def config_of(registry: str, configs: Sequence[RegistryConfig]) -> RegistryConfig:
    """The configuration of a host: the user's own before a repository's, else an empty one."""
    found = [config for config in configs if _same_host(config.host, registry)]
    by_user = [config for config in found if config.user_wide]
    return next(iter([*by_user, *found]), RegistryConfig(host=registry))


def _same_host(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _mirror(
    mirror: str,
    of: RegistryConfig,
    configs: Sequence[RegistryConfig],
    has_certificates: Callable[[str], bool],
) -> Endpoint:
    host, slash, prefix = mirror.partition("/")
    try:
        registry = parse_registry(host)
    except InvalidReference:
        registry = ""
    if not registry or (slash and not is_path(prefix)):
        raise InputError(
            f'the mirror "{safe(mirror, limit=160)}" of {of.host} is not a host, '
            "or a host and a path",
            mend='like "cache.example:5000" or "cache.example/team"',
        )
    return _endpoint(config_of(registry, configs), has_certificates, prefix=prefix, upstream=False)


def _endpoint(
    config: RegistryConfig,
    has_certificates: Callable[[str], bool],
    *,
    prefix: str = "",
    upstream: bool = True,
) -> Endpoint:
    host, port = _split(API_HOSTS.get(config.host, config.host))
    loopback = reach_of(host) is Reach.LOOPBACK
    secured = port == _HTTPS_PORT or config.ca_file is not None or has_certificates(config.host)
    plain = config.plain_http or (loopback and not secured)
    return Endpoint(
        origin=Origin(
            scheme="http" if plain else "https",
            host=host,
            port=port or (_HTTP_PORT if plain else _HTTPS_PORT),
        ),
        registry=config.host,
        prefix=prefix,
        upstream=upstream,
        sends_credentials=not plain or loopback or config.user_wide,
    )


def _split(registry: str) -> tuple[str, int | None]:
    """Host, without brackets and in lower case, and port of a parsed registry."""
    host, colon, port = registry.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = registry, ""
    return host.strip("[]").lower(), int(port) if port else None
