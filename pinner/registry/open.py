"""Opens the registry client: builds what `client` needs from plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final

import httpx

from pinner.registry.auth import Authenticator
from pinner.registry.client import RegistryClient
from pinner.registry.connections import Settings
from pinner.registry.courier import Courier, Warnings
from pinner.registry.credentials import CredentialStore
from pinner.registry.endpoints import endpoint_of, endpoints_for
from pinner.registry.helpers import ProcessRunner
from pinner.registry.http11 import Timeouts
from pinner.registry.proxies import Proxies
from pinner.registry.reply import MinimumRate
from pinner.registry.retry import Patience, RetryPolicy
from pinner.registry.routes import Route
from pinner.registry.signin import SignIn
from pinner.registry.sockets import OpenStreams
from pinner.registry.tls import TlsContexts, certificate_folders
from pinner.registry.transport import Transport
from pinner.registry.wire import TokenExchange, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pinner.clock import Clock
    from pinner.oci.reference import Repository
    from pinner.oci.registryconfig import RegistryConfig
    from pinner.registry.authfile import Credential
    from pinner.registry.endpoints import Endpoint
    from pinner.registry.urls import Origin

_IDLE_LIMIT: Final = 30.0  # seconds; storage hosts close idle connections after a minute or so


def _no_cookies() -> CookieJar:
    """A jar that takes none: registries need none, and one's must not reach another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How patient to be; the defaults are right for everything but tests."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    rate: MinimumRate = field(default_factory=MinimumRate)
    retries: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The machine and the user, as registries are asked for them.

    Attributes:
        configs: what images.toml and the user's own file say of registries.
        environ: proxies, places of credentials and certificates, the PATH of helpers.
        home: the user's home folder.
        clock: time, sleep and chance.
        note: takes a line for the user, from any thread: waits, mirrors left, warnings.
        tuning: timeouts, attempts and rates; None for the usual ones.
    """

    configs: Sequence[RegistryConfig]
    environ: Mapping[str, str]
    home: Path
    clock: Clock
    note: Callable[[str], None]
    tuning: Tuning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """What requests are made with."""

    contexts: TlsContexts
    transport: Transport
    courier: Courier
    wire: Wire


def open_client(around: Surroundings) -> RegistryClient:
    """A client for all registries; nothing is asked, read or connected before its first request.

    Raises:
        InputError: a proxy variable that cannot be used.
    """
    means = _means(around, warn=around.note)

    def endpoints(repository: Repository, by_digest: bool) -> tuple[Endpoint, ...]:  # noqa: FBT001
        return endpoints_for(
            repository,
            around.configs,
            by_digest=by_digest,
            has_certificates=means.contexts.has_certificates,
        )

    authenticator = Authenticator(
        credentials=CredentialStore(
            environ=around.environ,
            home=around.home,
            run_helper=ProcessRunner(environ=around.environ),
            note=around.note,
        ),
        exchange=TokenExchange(means.wire, means.courier),
        clock=around.clock,
    )
    return RegistryClient(
        wire=means.wire,
        courier=means.courier,
        authenticator=authenticator,
        endpoints=endpoints,
        transport=means.transport,
        note=around.note,
    )


def verify_login(registry: str, credential: Credential, around: Surroundings) -> bool:
    """Try user and password at a registry; whether it took them, False where it asks for none.

    Args:
        registry: `host[:port]`.
        credential: what to try; shown nowhere, not even where a server repeats it.
        around: its `configs` are those of the user's own file.

    Raises:
        AccessDenied: the registry refused them.
        InputError: they must not be sent there, or a proxy or certificate cannot be used.
        RegistryError: no answer, or none that can be believed.
    """
    # What a registry warns of could repeat what it was sent.
    means = _means(around, warn=lambda _: None)
    endpoint = endpoint_of(
        registry, around.configs, has_certificates=means.contexts.has_certificates
    )
    sign_in = SignIn(
        endpoint=endpoint, credential=credential, wire=means.wire, courier=means.courier
    )
    try:
        return sign_in.verify(TokenExchange(means.wire, means.courier))
    finally:
        means.transport.close()


def _means(around: Surroundings, *, warn: Callable[[str], None]) -> _Means:
    """What requests are made with; `warn` takes a line for each thing that a registry warns of."""
    environ, clock, tuning = around.environ, around.clock, around.tuning or Tuning()
    contexts = TlsContexts(
        folders=certificate_folders(environ, around.home), environ=environ, configs=around.configs
    )
    proxies = Proxies.of(environ)
    streams = OpenStreams()

    def route_to(origin: Origin) -> Route:
        secure = origin.scheme == "https"
        return Route(
            context=contexts.context_for(origin) if secure else None,
            proxy=proxies.proxy_for(origin),
        )

    transport = Transport(
        route_to,
        Settings(
            timeouts=tuning.timeouts,
            idle_limit=_IDLE_LIMIT,
            monotonic=clock.monotonic,
            streams=streams,
        ),
    )
    patience = Patience(
        policy=tuning.retries, clock=clock, note=around.note, stopped=lambda: streams.aborted
    )
    courier = Courier(
        httpx.Client(transport=transport, trust_env=False, cookies=_no_cookies()),
        pauses=patience.pauses,
        warnings=Warnings(warn),
        rate=tuning.rate,
        monotonic=clock.monotonic,
    )
    return _Means(
        contexts=contexts, transport=transport, courier=courier, wire=Wire(patience, clock)
    )
