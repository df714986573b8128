"""Requests counted at the server, read from access logs (docker-registry and nginx write alike)."""

from __future__ import annotations

import collections
import contextlib
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The combined format; nginx of `support.registries` adds the Range header and the time.
_LINE: Final = re.compile(
    r'\S+ \S+ \S+ \[[^]]*\] "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[0-9.]+" (?P<status>\d+)'
    r' (?P<sent>\d+|-) "[^"]*" "(?P<agent>[^"]*)"'
    r'(?: "(?P<range>[^"]*)" (?P<ended>[0-9.]+) (?P<took>[0-9.]+))?'
)
_KIND: Final = re.compile(r"/v2/.+/(manifests|blobs|tags|referrers)/([^?]*)")
_MARK: Final = "/v2/?settled="
_QUIET: Final = 0.015
_CALM: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the server logged it.

    Attributes:
        path: with its query.
        sent: bytes of the body that were sent, perhaps not all of them received.
        range: the Range header where the log has it (nginx), else empty.
        began, ended: seconds since the epoch where the log has them (nginx), else 0.
    """

    method: str
    path: str
    status: int
    agent: str
    sent: int = 0
    range: str = ""
    began: float = 0
    ended: float = 0

    @property
    def kind(self) -> str:
        """`manifests`, `blobs`, `tags`, `referrers`, or `ping` for /v2/ itself."""
        found = _KIND.match(self.path)
        return found[1] if found else "ping"

    @property
    def wanted(self) -> str:
        """The digest or tag that was asked for; empty for a ping or a list."""
        found = _KIND.match(self.path)
        return found[2] if found and found[1] != "tags" else ""


@dataclass(slots=True)
class Recording:
    """What `AccessLog.recording` saw, complete when its block has ended."""

    requests: tuple[Seen, ...] = field(default=())

    def count(self, kind: str, method: str = "GET", *, status: int | None = None) -> int:
        """How many requests of this kind and method there were (with this status)."""
        return sum(
            seen.kind == kind and seen.method == method and status in (None, seen.status)
            for seen in self.requests
        )

    def counts(self) -> dict[str, int]:
        """The number of requests by `METHOD kind`, for comparing whole."""
        return dict(collections.Counter(f"{seen.method} {seen.kind}" for seen in self.requests))


class AccessLog:
    """An access log that grows; `url` is the server's, to see that everything was written."""

    def __init__(self, path: Path, url: str, tls: Callable[[], ssl.SSLContext | None]) -> None:
        self._path = path
        self._url = url
        self._tls = tls
        self._marks = 0

    @contextlib.contextmanager
    def recording(self) -> Iterator[Recording]:
        """Record the requests that reach the server within the block."""
        start = self._settled()
        recording = Recording()
        try:
            yield recording
        finally:
            end = self._settled()
            text = self._path.read_bytes()[start:end].decode(errors="replace")
            recording.requests = tuple(_parse(text))

    def _settled(self) -> int:
        """The log's length, once the requests that were answered until now are in it.

        Servers log a request after they answered it. A request of our own shows up behind those,
        or beside them; so it takes several, each with a short silence, beside which none of those
        shows up. However busy the machine is, the server has had its turns by then.
        """
        calm, seen = 0, -1
        while calm < _CALM:
            self._mark()
            time.sleep(_QUIET)
            before, seen = seen, sum(1 for _ in _parse(self._path.read_text(errors="replace")))
            calm = calm + 1 if seen == before else 0
        return self._path.stat().st_size

    def _mark(self) -> None:
        """Ask for something, and wait until that is in the log."""
        self._marks += 1
        mark = f"{_MARK}{self._marks} "
        request = urllib.request.Request(f"{self._url}{mark.strip()}")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._tls())
        )
        try:
            opener.open(request, timeout=60).close()
        except urllib.error.HTTPError as error:  # 401: logged like any other
            error.close()
        deadline = time.monotonic() + 120
        while mark.encode() not in self._path.read_bytes():
            assert time.monotonic() < deadline, f"{self._path} does not show {mark}"
            time.sleep(0.005)


def _parse(text: str) -> Iterator[Seen]:
    for found in _LINE.finditer(text):
        if _MARK not in found["path"]:
            yield Seen(
                method=found["method"],
                path=found["path"],
                status=int(found["status"]),
                agent=found["agent"],
                sent=int(found["sent"].replace("-", "0")),
                range=(found["range"] or "").strip("-"),
                began=float(found["ended"] or 0) - float(found["took"] or 0),
                ended=float(found["ended"] or 0),
            )
