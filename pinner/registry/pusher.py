"""Writes to registries: the protocols of `oci.sinks` (distribution-spec, "Push").

Everything goes to the registry itself, never to a mirror, with one token for each repository
(`pull,push`); a mount needs one that may read the other repository as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from pinner.errors import (
    AccessDenied,
    IntegrityError,
    NotFound,
    ProtocolError,
    RegistryError,
)
from pinner.oci.mediatypes import ACCEPT
from pinner.oci.sinks import ContentMissing
from pinner.registry.courier import Ask
from pinner.registry.errorbody import LIMIT, read_error
from pinner.registry.login import LoggedIn
from pinner.registry.manifests import read_manifest, stated_digest
from pinner.registry.retry import NOT_RETRIED
from pinner.registry.sessions import Session
from pinner.registry.uploads import ANY_ANSWER, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference, Repository
    from pinner.oci.sinks import BlobContent
    from pinner.oci.sources import RawManifest
    from pinner.registry.auth import Authenticator
    from pinner.registry.courier import Courier
    from pinner.registry.endpoints import Endpoint, Scope
    from pinner.registry.reply import Reply
    from pinner.registry.wire import Wire

T = TypeVar("T")

_OK: Final = frozenset({200})
_CREATED: Final = 201
_BEGUN: Final = frozenset({202})
_STORED: Final = frozenset({200, 201, 202})
_INCOMPLETE: Final = frozenset({400, 404})
_LACKING: Final = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})
_MANIFESTS: Final = {"Accept": ACCEPT}
_CREATE_FIRST: Final = "some registries want a repository or project to be made first"


class RegistryPusher:
    """Pushes; safe for threads. It is a part of the client, which holds the connections."""

    def __init__(
        self,
        *,
        wire: Wire,
        courier: Courier,
        authenticator: Authenticator,
        endpoint_of: Callable[[Repository], Endpoint],
    ) -> None:
        """Put the parts together.

        Args:
            wire: tries again.
            courier: sends and counts requests.
            authenticator: logs in.
            endpoint_of: the registry itself that a repository is in.
        """
        self._wire = wire
        self._courier = courier
        self._authenticator = authenticator
        self._endpoint_of = endpoint_of
        self._offered: dict[tuple[Repository, Digest], Session] = {}

    def digest_of(self, reference: Reference) -> Digest | None:
        """What the digest, else the tag, names there; None where it is not there."""
        repository, digest = reference.repository, reference.digest
        what = f"manifests/{digest or reference.tag}"

        def seen(reply: Reply) -> tuple[bool, Digest | None]:
            with reply:
                return reply.status in _OK, stated_digest(reply)

        subject = reference.familiar()
        is_there, stated = self._ask(
            repository,
            what,
            seen,
            method="HEAD",
            kind="head",
            subject=subject,
            accepted=NOT_RETRIED,
        )
        if not is_there:
            return None
        if digest is not None:
            return digest
        if stated is not None:
            return stated
        raw = self._ask(
            repository,
            what,
            lambda reply: read_manifest(reply, None),
            method="GET",
            kind="manifest",
            subject=subject,
            accepted=_OK,
        )
        return raw.digest

    def has_blob(self, repository: Repository, descriptor: Descriptor) -> bool:
        """Whether the repository has the blob, by HEAD; a refusal counts as no."""

        def seen(reply: Reply) -> bool:
            with reply:
                return reply.status in _OK and reply.content_length in {None, descriptor.size}

        return self._ask(
            repository,
            f"blobs/{descriptor.digest}",
            seen,
            method="HEAD",
            kind="head",
            subject=_named(repository, descriptor.digest),
            accepted=NOT_RETRIED,
        )

    def mount_blob(
        self, repository: Repository, descriptor: Descriptor, source: Repository
    ) -> bool:
        """Let the repository have a blob that another one of the same registry has.

        Raises:
            Unavailable, RateLimited: no answer. A refusal of any kind is no error.
        """
        endpoint = self._endpoint_of(repository)
        query = urlencode({"mount": str(descriptor.digest), "from": source.path})

        def use(reply: Reply) -> bool:
            with reply:
                if reply.status == _CREATED:
                    return True
                if reply.status in _BEGUN:
                    self._offered[repository, descriptor.digest] = Session.of(reply, endpoint)
                return False

        try:
            return self._ask(
                repository,
                f"blobs/uploads/?{query}",
                use,
                method="POST",
                kind="push",
                subject=_named(repository, descriptor.digest),
                accepted=NOT_RETRIED,
                mounts_from=source.path,
            )
        except (AccessDenied, ProtocolError):
            return False

    def push_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        content: BlobContent,
        advance: Callable[[int], None],
    ) -> None:
        """Upload a blob, as `Upload.run` does."""
        Upload(
            _Desk(self, repository, descriptor),
            descriptor,
            content,
            advance,
            subject=_named(repository, descriptor.digest),
            session=self._offered.pop((repository, descriptor.digest), None),
        ).run()

    def push_manifest(self, repository: Repository, raw: RawManifest, tag: str | None) -> None:
        """Store a manifest under its digest, or under a tag and its digest.

        Raises:
            ContentMissing: the registry lacks something that the manifest names.
            IntegrityError: the registry states another digest for it.
        """
        subject = f"{repository.familiar()}{f':{tag}' if tag else f'@{raw.digest}'}"

        def use(reply: Reply) -> None:
            with reply:
                if reply.status in _INCOMPLETE:
                    raise _refusal(reply, subject)
                stated = stated_digest(reply)
            if stated and stated.algorithm == raw.digest.algorithm and stated != raw.digest:
                raise IntegrityError(
                    f"{reply.url.origin.authority} stored {subject} as {stated}, "
                    f"not as {raw.digest}",
                    where=str(reply.url),
                )

        self._ask(
            repository,
            f"manifests/{tag or raw.digest}",
            use,
            method="PUT",
            kind="push",
            subject=subject,
            accepted=_STORED | _INCOMPLETE,
            content=raw,
        )

    def begin(self, repository: Repository, digest: Digest) -> Session:
        """A new upload session.

        Raises:
            NotFound: there is no such repository, and the registry makes none.
        """
        endpoint = self._endpoint_of(repository)

        def use(reply: Reply) -> Session:
            with reply:
                return Session.of(reply, endpoint)

        try:
            return self._ask(
                repository,
                "blobs/uploads/",
                use,
                method="POST",
                kind="push",
                subject=f"an upload of {_named(repository, digest)}",
                accepted=_BEGUN,
            )
        except NotFound as error:
            error.mend = (*error.mend, _CREATE_FIRST)
            raise

    def ask_session(
        self, repository: Repository, session: Session, ask: Ask, subject: str, attempts: int | None
    ) -> Reply:
        """The answer to a request for a session; one elsewhere gets no credentials."""
        return self._send(
            repository,
            ask,
            lambda reply: reply,
            subject=subject,
            accepted=ANY_ANSWER,
            is_own=session.is_own,
            attempts=attempts,
        )

    def moved(self, repository: Repository, session: Session, reply: Reply) -> Session:
        """Where a session goes on."""
        return session.moved(reply, self._endpoint_of(repository))

    def persistently(self, attempt: Callable[[int], None]) -> None:
        """Run `attempt` until it does not fail for a reason that may pass."""
        self._wire.persistently(attempt)

    def _ask(
        self,
        repository: Repository,
        tail: str,
        use: Callable[[Reply], T],
        *,
        method: str,
        kind: str,
        subject: str,
        accepted: Container[int],
        content: RawManifest | None = None,
        mounts_from: str = "",
    ) -> T:
        endpoint = self._endpoint_of(repository)
        ask = Ask(
            method=method,
            url=endpoint.url(repository, tail),
            kind=kind,
            headers={"Content-Type": content.media_type} if content else _MANIFESTS,
            body=content.data if content else b"",
        )
        return self._send(
            repository, ask, use, subject=subject, accepted=accepted, mounts_from=mounts_from
        )

    def _send(
        self,
        repository: Repository,
        ask: Ask,
        use: Callable[[Reply], T],
        *,
        subject: str,
        accepted: Container[int],
        is_own: bool = True,
        attempts: int | None = None,
        mounts_from: str = "",
    ) -> T:
        if not is_own:
            return self._wire.fetch(
                self._courier, ask, use, subject=subject, accepted=accepted, attempts=attempts
            )
        endpoint = self._endpoint_of(repository)
        scope = endpoint.push_scope(repository, mounts_from=mounts_from)
        sender = LoggedIn(self._courier, self._authenticator, endpoint, scope)
        try:
            return self._wire.fetch(
                sender, ask, use, subject=subject, accepted=accepted, attempts=attempts
            )
        except AccessDenied as error:
            self._explain(error, endpoint, scope)
            raise

    def _explain(self, error: RegistryError, endpoint: Endpoint, scope: Scope) -> None:
        remark = self._authenticator.remark(endpoint, scope)
        if remark and remark not in error.mend:
            error.mend = (*error.mend, remark)


@dataclass(frozen=True, slots=True)
class _Desk:
    """A pusher for one blob of one repository: what `Upload` asks of it."""

    pusher: RegistryPusher
    repository: Repository
    descriptor: Descriptor

    def begin(self) -> Session:
        return self.pusher.begin(self.repository, self.descriptor.digest)

    def is_there(self) -> bool:
        return self.pusher.has_blob(self.repository, self.descriptor)

    def ask(self, session: Session, ask: Ask, *, attempts: int | None) -> Reply:
        subject = _named(self.repository, self.descriptor.digest)
        return self.pusher.ask_session(self.repository, session, ask, subject, attempts)

    def moved(self, session: Session, reply: Reply) -> Session:
        return self.pusher.moved(self.repository, session, reply)

    def persistently(self, attempt: Callable[[int], None]) -> None:
        self.pusher.persistently(attempt)


def _named(repository: Repository, digest: Digest) -> str:
    return f"blob {digest} of {repository.familiar()}"


def _refusal(reply: Reply, subject: str) -> RegistryError:
    """The error for a manifest that was refused."""
    error = read_error(reply.headers.get("content-type", ""), reply.read(LIMIT))
    host = reply.url.origin.authority
    kind = ContentMissing if _LACKING.intersection(error.codes) else ProtocolError
    return kind(
        f"{host} refused {subject}: {reply.status}", mend=(error.text,) if error.text else ()
    )
