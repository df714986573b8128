"""One blob's way into a repository: sessions, parts, and going on where it broke off.

    POST uploads/            202, a session
    PUT session?digest=…     the whole blob in one request                              201
    GET session              after a failure: how far did it get?                       204, Range
    PATCH session            the rest, or a part where the whole is too large (413)     202
    PUT session?digest=…     without a body, when all parts are there                   201

A registry that forgets what a broken request brought (distribution does) starts over. Whether the
bytes are right is for the registry to say, which has to hash them anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pinner.errors import AccessDenied, IntegrityError, ProtocolError, RegistryError, Unavailable
from pinner.registry.courier import Ask, Body
from pinner.registry.errorbody import LIMIT, read_error
from pinner.registry.manifests import stated_digest
from pinner.registry.retry import NOT_RETRIED
from pinner.registry.sessions import Session, received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Buffer
    from pinner.oci.sinks import BlobContent
    from pinner.registry.reply import Reply

    class Desk(Protocol):
        """What an upload asks of the registry that it goes to."""

        def begin(self) -> Session:
            """A new session."""
            ...

        def is_there(self) -> bool:
            """Whether the repository has the blob."""
            ...

        def ask(self, session: Session, ask: Ask, *, attempts: int | None) -> Reply:
            """The answer to a request for a session, whatever its status; to be closed."""
            ...

        def moved(self, session: Session, reply: Reply) -> Session:
            """Where the session goes on."""
            ...

        def persistently(self, attempt: Callable[[int], None]) -> None:
            """Run `attempt` until it does not fail for a reason that may pass."""
            ...


T = TypeVar("T")

UPLOADED: Final = frozenset({200, 201, 204})
_TAKEN: Final = frozenset({201, 202, 204})
_TOO_LARGE: Final = 413
_REAL_PROGRESS: Final = 64 * 1024
_CHUNK: Final = 16 * 1024 * 1024
# Registries hash, and some copy, a blob before they answer its last request.
_COMMIT_RATE: Final = 10_000_000
_BYTES: Final = {"Content-Type": "application/octet-stream"}
_DIGEST_INVALID: Final = "DIGEST_INVALID"


class Upload:
    """One upload."""

    def __init__(
        self,
        desk: Desk,
        descriptor: Descriptor,
        content: BlobContent,
        advance: Callable[[int], None],
        *,
        subject: str,
        session: Session | None,
    ) -> None:
        """Send nothing yet.

        Args:
            desk: the way to the registry.
            descriptor: of the blob.
            content: its bytes.
            advance: takes how many more bytes were sent.
            subject: the blob and its repository, for messages.
            session: one that was offered already.
        """
        self._desk = desk
        self._descriptor = descriptor
        self._content = content
        self._advance = advance
        self._subject = subject
        self._session = session
        self._offset = 0  # up to where the registry has it
        self._farthest = 0
        self._shown = 0
        self._in_parts = False
        self._is_broken = False
        self._was_continued = False

    def run(self) -> None:
        """Upload the blob, however often it takes as long as that gets further.

        Raises:
            RegistryError: the registry does not take it.
            IntegrityError: the registry says that the bytes are not the digest's.
        """
        while True:
            before = self._farthest
            try:
                self._desk.persistently(self._attempt)
            except Unavailable:
                if self._farthest - before < _REAL_PROGRESS:
                    raise
            else:
                self._show(self._descriptor.size)
                return

    def _attempt(self, number: int) -> None:
        if self._is_broken:
            self._locate()
        if self._session is None:
            # What seemed to fail may have been done: the answer alone was lost.
            if number > 1 and self._once(self._desk.is_there):
                return
            self._session = self._once(self._desk.begin)
        try:
            self._send(self._session)
        except RegistryError:
            self._is_broken = True
            raise

    def _once(self, ask: Callable[[], T]) -> T:
        """The answer to a request that is tried again by itself, so that its failure is final."""
        try:
            return ask()
        except RegistryError as error:
            error.transient = False
            raise

    def _send(self, session: Session) -> None:
        size = self._descriptor.size
        if not self._offset and not self._in_parts:
            if self._close(session, self._body(0, size)):
                return
            session = self._session = self._once(self._desk.begin)
        while self._offset < size:
            part = max(_CHUNK, session.least_chunk) if self._in_parts else size
            session = self._session = self._append(session, min(self._offset + part, size))
        self._close(session, b"")

    def _close(self, session: Session, body: Body | bytes) -> bool:
        """End the session; False where it has to be begun anew, in parts."""
        ask = Ask(
            method="PUT",
            url=session.closing(self._descriptor.digest),
            kind="push",
            headers=_BYTES,
            body=body,
            slack=self._descriptor.size / _COMMIT_RATE,
        )
        with self._desk.ask(session, ask, attempts=1) as reply:
            if reply.status in UPLOADED:
                self._check(reply)
                return True
            if reply.status == _TOO_LARGE and body and not self._in_parts:
                self._in_parts = True
                self._restart()
                return False
            raise self._refused(reply)

    def _append(self, session: Session, end: int) -> Session:
        """Send the bytes up to `end`; where the session goes on, which may be here, in parts."""
        start = self._offset
        ask = Ask(
            method="PATCH",
            url=session.url,
            kind="push",
            headers={**_BYTES, "Content-Range": f"{start}-{end - 1}"},
            body=self._body(start, end),
        )
        with self._desk.ask(session, ask, attempts=1) as reply:
            if reply.status == _TOO_LARGE and not self._in_parts:
                self._in_parts = True
                return session
            if reply.status not in _TAKEN:
                raise self._refused(reply)
            taken = received(reply)
            self._reach(taken if taken is not None and start < taken < end else end)
            return self._desk.moved(session, reply)

    def _locate(self) -> None:
        """Ask how far the broken session got; forget it where the registry does not say."""
        taken = None
        if self._session is not None:
            ask = Ask(method="GET", url=self._session.url, kind="push")
            try:
                with self._desk.ask(self._session, ask, attempts=1) as reply:
                    taken = received(reply) if reply.status in UPLOADED else None
                    self._session = self._desk.moved(self._session, reply)
            except (ProtocolError, AccessDenied):
                taken = None
        self._is_broken = False
        if not taken or taken > self._descriptor.size:
            self._restart()
        else:
            self._was_continued = True
            self._reach(taken)

    def _restart(self) -> None:
        self._session = None
        self._was_continued = False
        self._reach(0)

    def _refused(self, reply: Reply) -> Exception:
        """The error for a session's refusal: some of them are mended by another session."""
        error = read_error(reply.headers.get("content-type", ""), reply.read(LIMIT))
        host = reply.url.origin.authority
        if _DIGEST_INVALID in error.codes and not self._was_continued:
            return IntegrityError(
                f"{host} says that the bytes of {self._subject} are not those of its digest",
                mend="run `pinner verify --repair`, which fetches what is broken in the store",
            )
        said = f"{host} answered {reply.status} for {self._subject}"
        mend = [error.text] if error.text else []
        if reply.status == _TOO_LARGE:
            mend.append("a proxy in front of it may limit the size of requests")
        refused = ProtocolError(said, mend=tuple(mend))
        # 404 and 416: the session is gone, or elsewhere; or one that was continued came out wrong.
        if reply.status in {404, 416} or self._was_continued:
            if reply.status != 416:  # noqa: PLR2004 - range not satisfiable
                self._restart()
            return Unavailable(said, mend=tuple(mend))
        return refused

    def _check(self, reply: Reply) -> None:
        wanted, stated = self._descriptor.digest, stated_digest(reply)
        if stated is not None and stated.algorithm == wanted.algorithm and stated != wanted:
            raise IntegrityError(
                f"{reply.url.origin.authority} stored {self._subject} as {stated}",
                where=str(reply.url),
            )

    def _body(self, start: int, end: int) -> Body:
        def pieces() -> Iterator[Buffer]:
            self._show(start)
            for piece in self._content.pieces(start, end):
                yield piece
                self._show(self._shown + len(piece))

        return Body(size=end - start, pieces=pieces)

    def _reach(self, offset: int) -> None:
        self._offset = offset
        self._farthest = max(self._farthest, offset)
        self._show(offset)

    def _show(self, sent: int) -> None:
        if sent != self._shown:
            self._advance(sent - self._shown)
            self._shown = sent


ANY_ANSWER: Final = NOT_RETRIED - frozenset({401, 403})
"""What an upload judges itself; the rest are failures as of any request."""
