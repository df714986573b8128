"""The registry client: the protocols of `oci.sources`, over mirrors and the registry itself.

    by tag      the registry alone: resolve (GET), head (HEAD), tags
    by digest   each mirror in turn, then the registry: manifest, open_blob

Mirrors never say what a tag means (design section 6).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, TypeVar

from pinner.errors import AccessDenied
from pinner.oci.mediatypes import ACCEPT
from pinner.oci.reference import LATEST
from pinner.registry import paging
from pinner.registry.blobs import PARTIAL, RANGE_REFUSALS, ReplyStream, part_of_blob, whole_blob
from pinner.registry.courier import Ask
from pinner.registry.fallback import Fallback, source_of
from pinner.registry.login import LoggedIn
from pinner.registry.manifests import read_manifest, stated_digest
from pinner.registry.retry import NOT_RETRIED
from pinner.registry.urls import Url

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Container, Mapping
    from types import TracebackType

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference, Repository
    from pinner.oci.sources import RawManifest
    from pinner.registry.auth import Authenticator
    from pinner.registry.courier import Courier
    from pinner.registry.endpoints import Endpoint
    from pinner.registry.pusher import RegistryPusher
    from pinner.registry.reply import Reply
    from pinner.registry.transport import Transport
    from pinner.registry.wire import Wire

T = TypeVar("T")

_OK: Final = frozenset({200})
_PART: Final = frozenset({200, PARTIAL, *RANGE_REFUSALS})
# A page size that a registry does not like (registries.md 2.1, 15).
_PAGE_REFUSALS: Final = frozenset({400, 413, 414, 422})
_MANIFESTS: Final = {"Accept": ACCEPT}
_MIRROR_ATTEMPTS: Final = 2
_FIRST_PAGE: Final = f"tags/list?n={paging.PAGE_SIZE}"


def _read_head(reply: Reply) -> Digest | None:
    with reply:
        return stated_digest(reply) if reply.status in _OK else None


class RegistryClient:
    """Asks registries; safe for threads. A context manager that closes its connections.

    `open_client` makes one. How many requests run at once is the caller's business.
    """

    def __init__(
        self,
        *,
        wire: Wire,
        courier: Courier,
        authenticator: Authenticator,
        endpoints: Callable[[Repository, bool], tuple[Endpoint, ...]],
        transport: Transport,
        note: Callable[[str], None],
    ) -> None:
        """Put the parts together.

        Args:
            wire: tries again.
            courier: sends and counts requests.
            authenticator: logs in.
            endpoints: where to ask for a repository, the registry last; whether what is asked for
                is named by its digest, so that mirrors may be among them.
            transport: holds the connections.
            note: takes a line for the user.
        """
        self._wire = wire
        self._courier = courier
        self._authenticator = authenticator
        self._endpoints = endpoints
        self._transport = transport
        self._note = note
        self._fallback = Fallback(note)

    @property
    def counts(self) -> Counter[str]:
        """How many requests were sent to registries and mirrors so far, by kind.

        The kinds are `manifest`, `head`, `blob`, `tags`, `token`, `ping` and `push`. Repeated
        requests count each time, hops to storage hosts do not.
        """
        return self._courier.counts

    def resolve(self, reference: Reference) -> RawManifest:
        """The manifest or index that the digest, else the tag (or `latest`), names; one GET."""
        if reference.digest is not None:
            return self.manifest(reference.repository, reference.digest)
        return self._fetch(
            self._registry(reference.repository),
            reference.repository,
            f"manifests/{reference.tag or LATEST}",
            self._read_tagged,
            kind="manifest",
            headers=_MANIFESTS,
            subject=reference.familiar(),
        )

    def head(self, reference: Reference) -> Digest | None:
        """The digest that the registry states for the digest, else the tag, by one HEAD.

        None where it does not say: without the header, or with any refusal (405, 404, 403), since
        registries are known to refuse HEAD alone and their reasons come only with a GET.
        """
        return self._fetch(
            self._registry(reference.repository),
            reference.repository,
            f"manifests/{reference.digest or reference.tag or LATEST}",
            _read_head,
            method="HEAD",
            kind="head",
            headers=_MANIFESTS,
            subject=reference.familiar(),
            accepted=NOT_RETRIED,
        )

    def tags(self, repository: Repository) -> tuple[str, ...]:
        """Every valid tag, in the registry's order, without duplicates, over all pages."""
        endpoint = self._registry(repository)
        return paging.all_tags(
            endpoint.url(repository, _FIRST_PAGE),
            lambda page: self._tag_page(endpoint, repository, page),
        )

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        """The manifest or index of this digest, from a mirror or the registry."""
        subject = f"{repository.familiar()}@{digest}"

        def ask(endpoint: Endpoint) -> RawManifest:
            raw = self._fetch(
                endpoint,
                repository,
                f"manifests/{digest}",
                lambda reply: read_manifest(reply, digest),
                kind="manifest",
                headers=_MANIFESTS,
                subject=subject,
            )
            return raw if endpoint.upstream else replace(raw, last_modified=None)

        return self._fallback.first(
            self._endpoints(repository, True),  # noqa: FBT003 - named where it is declared
            ask,
        )

    def open_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        *,
        start: int = 0,
        end: int | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> ReplyStream:
        """A stream of the bytes [start, end) of a blob, from a mirror or the registry.

        A range that is refused, or answered with another one, is a `ProtocolError`; the caller
        can then ask for the whole blob.
        """
        size = descriptor.size
        end = size if end is None else end
        whole = (start, end) == (0, size)
        subject = f"blob {descriptor.digest} of {repository.familiar()}"

        def ask(endpoint: Endpoint) -> ReplyStream:
            source = source_of(endpoint)

            def use(reply: Reply) -> ReplyStream:
                if whole:
                    stream = whole_blob(reply, source=source, size=size)
                else:
                    stream = part_of_blob(reply, source=source, start=start, end=end, size=size)
                stream.dated = endpoint.upstream
                return stream

            return self._fetch(
                endpoint,
                repository,
                f"blobs/{descriptor.digest}",
                use,
                kind="blob",
                headers={} if whole else {"Range": f"bytes={start}-{end - 1}"},
                subject=subject,
                accepted=_OK if whole else _PART,
            )

        return self._fallback.first(
            self._endpoints(repository, True),  # noqa: FBT003 - named where it is declared
            ask,
            avoid=avoid,
        )

    def pusher(self) -> RegistryPusher:
        """What writes to registries, over the same connections and logins."""
        from pinner.registry.pusher import RegistryPusher  # noqa: PLC0415 - one command pushes

        return RegistryPusher(
            wire=self._wire,
            courier=self._courier,
            authenticator=self._authenticator,
            endpoint_of=self._registry,
        )

    def abort(self) -> None:
        """Cut all connections now: whoever waits for an answer gets `Unavailable`."""
        self._transport.abort()

    def close(self) -> None:
        """Close the connections that are idle."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _registry(self, repository: Repository) -> Endpoint:
        return self._endpoints(repository, False)[-1]  # noqa: FBT003 - named where it is declared

    def _read_tagged(self, reply: Reply) -> RawManifest:
        raw = read_manifest(reply, None)
        stated = stated_digest(reply)
        if stated is not None and stated.algorithm == raw.digest.algorithm and stated != raw.digest:
            self._note(
                f"{reply.url.origin.authority} states digest {stated.short} for bytes that hash "
                f"to {raw.digest.short}; the bytes count"
            )
        return raw

    def _tag_page(
        self, endpoint: Endpoint, repository: Repository, page: Url
    ) -> tuple[tuple[str, ...], Url | None]:
        """The tags of a page, and where the next one is."""

        def use(reply: Reply) -> tuple[tuple[str, ...], Url | None]:
            with reply:
                if reply.status in _PAGE_REFUSALS:
                    return (), endpoint.url(repository, "tags/list")
                found = paging.read_tags(reply.read(paging.BODY_LIMIT + 1), page)
                return found, paging.next_page(reply.headers.get_list("link"), page)

        is_first = page == endpoint.url(repository, _FIRST_PAGE)
        return self._fetch(
            endpoint,
            repository,
            page,
            use,
            kind="tags",
            subject=f"the tags of {repository.familiar()}",
            accepted=_OK | _PAGE_REFUSALS if is_first else _OK,
        )

    def _fetch(
        self,
        endpoint: Endpoint,
        repository: Repository,
        tail: str | Url,
        use: Callable[[Reply], T],
        *,
        kind: str,
        subject: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        accepted: Container[int] = _OK,
    ) -> T:
        url = tail if isinstance(tail, Url) else endpoint.url(repository, tail)
        ask = Ask(method=method, url=url, kind=kind, headers=headers or {})
        scope = endpoint.scope(repository)
        sender = LoggedIn(self._courier, self._authenticator, endpoint, scope)
        attempts = None if endpoint.upstream else _MIRROR_ATTEMPTS
        try:
            return self._wire.fetch(
                sender, ask, use, subject=subject, accepted=accepted, attempts=attempts
            )
        except AccessDenied as error:
            remark = self._authenticator.remark(endpoint, scope)
            if remark and remark not in error.mend:
                error.mend = (*error.mend, remark)
            raise
