"""An answer as the rest of the package sees it: status, headers, and a watched body."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

from pinner.errors import RegistryError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    import httpx

    from pinner.oci.digest import Buffer
    from pinner.registry.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumRate:
    """How slow a body may be before it is cut: a drip keeps every timeout from firing.

    Attributes:
        floor: bytes a second.
        window: seconds over which the average is taken; only waiting for the network counts.
    """

    floor: int = 1024
    window: float = 30

    def watched(self, pieces: Iterator[Buffer], monotonic: Callable[[], float]) -> Iterator[Buffer]:
        """The same pieces, as long as they come fast enough.

        Raises:
            Unavailable: fewer than `floor` bytes a second came over a whole window.
        """
        waited, received = 0.0, 0
        asked = monotonic()
        for piece in pieces:
            waited += monotonic() - asked
            received += len(piece)
            if waited >= self.window:
                if received < self.floor * waited:
                    raise Unavailable(
                        f"only {received} bytes came in {waited:.0f} s, which is too slow"
                    )
                waited, received = 0.0, 0
            yield piece
            asked = monotonic()


class Reply:
    """The answer to a request, after redirects; a context manager that closes it.

    Attributes:
        status: the status code.
        headers: as httpx reads them, case-insensitive.
        url: who answered.
        redirected: whether somebody else answered than was asked.
    """

    def __init__(
        self,
        response: httpx.Response,
        *,
        url: Url,
        redirected: bool,
        rate: MinimumRate,
        monotonic: Callable[[], float],
    ) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.url = url
        self.redirected = redirected
        self._response = response
        self._rate = rate
        self._monotonic = monotonic

    @property
    def content_length(self) -> int | None:
        """The announced length of the body in bytes, where there is one."""
        value = self.headers.get("content-length", "")
        # h11 let only digits through, and at most twenty of them.
        return int(value) if value and "transfer-encoding" not in self.headers else None

    def chunks(self) -> Iterator[Buffer]:
        """The undecoded body in pieces, each valid until the next.

        Raises:
            Unavailable: it broke off, stalled, or dripped.
            ProtocolError: its framing is broken.
        """
        pieces = cast("Iterator[Buffer]", self._response.iter_raw())
        try:
            yield from self._rate.watched(pieces, self._monotonic)
        except RegistryError as error:
            error.where = error.where or str(self.url)
            raise

    def read(self, limit: int) -> bytes:
        """The undecoded body, or its first `limit` bytes.

        Raises:
            Unavailable, ProtocolError: as `chunks` does.
        """
        data = bytearray()
        for piece in self.chunks():
            data += piece[: limit - len(data)]
            if len(data) >= limit:
                break
        return bytes(data)

    def close(self) -> None:
        """Be done with the answer; what was not read is not read."""
        self._response.close()

    @contextlib.contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Close the answer if the block fails; otherwise somebody else does."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
