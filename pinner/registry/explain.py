"""Why a repository is asked with which login, by which way: the lookup itself, without a request.

For the registry and each of its mirrors: where it is, what `credentials` looked at, whether the
login may be sent there, which proxy leads there, and whom TLS trusts. Nothing in the values is
secret but the login that they carry, of which the user's name alone may be shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.registry.credentials import CredentialStore
from pinner.registry.endpoints import endpoints_for
from pinner.registry.helpers import ProcessRunner
from pinner.registry.proxies import Proxies
from pinner.registry.tls import TlsContexts, certificate_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pinner.oci.reference import Repository
    from pinner.oci.registryconfig import RegistryConfig
    from pinner.registry.endpoints import Endpoint
    from pinner.registry.lookup import Lookup
    from pinner.registry.proxies import Proxy
    from pinner.registry.tls import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How one place would be asked for a repository.

    Attributes:
        repository: its path there.
        proxy: None to go straight.
        certificates: None for plain http.
        system: the variables that name other authorities in place of the system's: name and value.
    """

    endpoint: Endpoint
    repository: str
    lookup: Lookup
    proxy: Proxy | None
    certificates: Material | None
    system: tuple[tuple[str, str], ...] = ()


def explain(
    repository: Repository,
    *,
    configs: Sequence[RegistryConfig],
    environ: Mapping[str, str],
    home: Path,
    ask_helpers: bool,
    note: Callable[[str], None],
) -> tuple[Way, ...]:
    """The ways to a repository in the order in which they are tried: mirrors, then the registry.

    Args:
        repository: what would be asked for.
        configs: what images.toml and the user's own file say of registries.
        environ: as for `open_client`.
        home: the user's home folder.
        ask_helpers: whether credential helpers are run.
        note: takes a line for the user.

    Raises:
        InputError: a proxy, mirror or folder of certificates that cannot be used.
    """
    contexts = TlsContexts(
        folders=certificate_folders(environ, home), environ=environ, configs=configs
    )
    proxies = Proxies.of(environ)
    credentials = CredentialStore(
        environ=environ, home=home, run_helper=ProcessRunner(environ=environ), note=note
    )
    system = [(name, environ.get(name, "")) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]

    def way(endpoint: Endpoint) -> Way:
        path = endpoint.scope(repository).repository
        secure = endpoint.origin.scheme == "https"
        return Way(
            endpoint=endpoint,
            repository=path,
            lookup=credentials.look_up(endpoint.registry, path, ask_helpers=ask_helpers),
            proxy=proxies.proxy_for(endpoint.origin),
            certificates=contexts.material_for(endpoint.origin) if secure else None,
            system=tuple(pair for pair in system if pair[1]) if secure else (),
        )

    endpoints = endpoints_for(
        repository, configs, by_digest=True, has_certificates=contexts.has_certificates
    )
    return tuple(map(way, endpoints))
