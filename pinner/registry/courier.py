"""Carries one request to whoever answers it: pauses, redirects, counts, warnings.

Redirects are followed by hand (httpx would resend headers to strangers), at most five. The
`Authorization` of a request goes to the origin that was asked and to no other; once the way has
left that origin, it is not sent again even if the way leads back. Nothing of a redirect's body is
read. Failures are told apart later, by `failures`; here every status is an answer.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

import pinner
from pinner.errors import ProtocolError, RegistryError
from pinner.registry.connections import SLACK
from pinner.registry.redirects import HOP_LIMIT, KEEPING, REDIRECTS, next_hop
from pinner.registry.reply import MinimumRate, Reply
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pinner.oci.digest import Buffer
    from pinner.registry.retry import Pauses
    from pinner.registry.urls import Url

_EVERYWHERE: Final = {
    "User-Agent": f"pinner/{pinner.__version__}",
    # Digests are of the bytes as stored: nobody on the way may compress them.
    "Accept-Encoding": "identity",
}
_WARNING_LIMIT: Final = 4096
_WARNINGS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body of known length that is read while it is sent, anew for each attempt and redirect.

    Attributes:
        size: bytes.
        pieces: gives all of them, from the first, in pieces that are valid until the next.
    """

    size: int
    pieces: Callable[[], Iterable[Buffer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request.

    Attributes:
        kind: what it is counted as: manifest, head, blob, tags, token, ping or push.
        headers: may go to whoever answers in the end.
        authorization: for the origin of `url` alone; never shown.
        body: bytes go to the origin of `url` alone, so that a redirect elsewhere is an error; a
            `Body` goes where a redirect leads, as registries send uploads to their storage.
        slack: seconds more than usual that the answer may take.
    """

    method: str
    url: Url
    kind: str
    headers: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = field(default=None, repr=False)
    body: bytes | Body = field(default=b"", repr=False)
    slack: float = 0


class Counts:
    """How many requests of each kind were sent; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counter: Counter[str] = Counter()

    def add(self, kind: str) -> None:
        """One more."""
        with self._lock:
            self._counter[kind] += 1

    def snapshot(self) -> Counter[str]:
        """The counts now, as a copy."""
        with self._lock:
            return Counter(self._counter)


class Warnings:
    """Passes on what registries warn of (`Warning: 299`), each text once."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._lock = threading.Lock()
        self._seen: set[str] = set()

    def look(self, url: Url, headers: httpx.Headers) -> None:
        """Note the new warnings among the headers of an answer.

        The specification allows 4096 bytes in all and wants them shown, never acted upon.
        """
        for value in headers.get_list("warning"):
            code, _, rest = value[:_WARNING_LIMIT].partition(" ")
            text = rest.partition(" ")[2].strip().strip('"')
            if code == "299" and text and self._is_new(text):
                self._note(f"{url.origin.authority} warns: {safe(text)}")

    def _is_new(self, text: str) -> bool:
        with self._lock:
            if text in self._seen or len(self._seen) >= _WARNINGS_SHOWN:
                return False
            self._seen.add(text)
            return True


class Courier:
    """Sends requests, one attempt each."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        pauses: Pauses,
        warnings: Warnings,
        rate: MinimumRate,
        monotonic: Callable[[], float],
    ) -> None:
        self._client = client
        self._pauses = pauses
        self._warnings = warnings
        self._counts = Counts()
        self._rate = rate
        self._monotonic = monotonic

    @property
    def counts(self) -> Counter[str]:
        """How many requests of each kind were sent so far."""
        return self._counts.snapshot()

    def send(self, ask: Ask) -> Reply:
        """The answer at the end of all redirects, whatever its status; to be closed.

        Raises:
            Unavailable: no connection, or no answer.
            RateLimited: a host on the way asked for a longer pause than pinner waits.
            ProtocolError: not HTTP, or a redirect that is not followed.
        """
        url, trusted = ask.url, True
        for _ in range(HOP_LIMIT + 1):
            response = self._hop(ask, url, trusted=trusted)
            if response.status_code not in REDIRECTS:
                return Reply(
                    response,
                    url=url,
                    redirected=not trusted,
                    rate=self._rate,
                    monotonic=self._monotonic,
                )
            response.close()
            locations = response.headers.get_list("location")
            url = next_hop(url, locations, asked=ask.url)
            trusted = trusted and url.origin == ask.url.origin
            if not self._may_follow(ask, response.status_code, trusted=trusted):
                raise ProtocolError(
                    f"a redirect of a {ask.method} to {url} is not followed", where=str(ask.url)
                )
        raise ProtocolError(f"more than {HOP_LIMIT} redirects", where=str(ask.url))

    @staticmethod
    def _may_follow(ask: Ask, status: int, *, trusted: bool) -> bool:
        """Whether the same request may be sent to where a redirect leads (RFC 9110, 15.4)."""
        if isinstance(ask.body, Body):
            return status in KEEPING  # the others mean: go there with a GET
        return trusted or not ask.body

    def _hop(self, ask: Ask, url: Url, *, trusted: bool) -> httpx.Response:
        self._pauses.wait(url.origin.authority)
        headers = {**_EVERYWHERE, **ask.headers}
        if trusted and ask.authorization is not None:
            headers["Authorization"] = ask.authorization
        content: Any = ask.body or None
        if isinstance(ask.body, Body):
            headers["Content-Length"] = str(ask.body.size)
            content = ask.body.pieces()
        if url == ask.url:
            self._counts.add(ask.kind)
        try:
            # httpx logs and normalises URLs, so it gets this one without the query; the target
            # that is sent is the server's own, to the letter.
            request = httpx.Request(
                ask.method,
                f"{url.origin}{url.path}",
                headers=headers,
                content=content,
                extensions={
                    "target": url.target.encode("ascii"),
                    SLACK: ask.slack,
                },
            )
            response = self._client.send(request, stream=True)
        except RegistryError as error:
            error.where = error.where or str(url)
            raise
        except httpx.RemoteProtocolError:
            # httpx reads the Location of a redirect even where it is not to follow it. Here and
            # below, the message would repeat what it complains of: a signed URL, or a credential.
            raise ProtocolError("a redirect to what is not a URL", where=str(url)) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError):
            raise ProtocolError("the request cannot be said in HTTP", where=str(url)) from None
        self._warnings.look(url, response.headers)
        return response
