"""What clients send to `pinner serve`: passwords, ranges, whole conversations; and its log."""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import h11

from fuzz.target import Target, refusing
from fuzz.targets.wire import HOSTED, request_seeds
from pinner.errors import FileProblems
from pinner.serve.accesslog import log_line
from pinner.serve.app import App
from pinner.serve.connection import Connection, Limits
from pinner.serve.guard import Guard, basic_credentials
from pinner.serve.htpasswd import parse_htpasswd
from pinner.serve.http1 import BadHead, parse_head
from pinner.serve.message import Request, Response, Sent
from pinner.serve.ranges import Unsatisfiable, parse_range
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pinner.serve.channel import Channel

_HASH: Final = "$2y$05$" + "a" * 53
_WELCOME: Final = Response(status=200, headers=(("Content-Length", "2"),), body=b"{}")
_LIMITS: Final = Limits(head=2_000)
_LONG: Final = 8  # characters of a password that stands nowhere by chance
_LINE: Final = re.compile(
    r"(?P<peer>\S+) - (?P<user>\S+) \[[0-9]{2}/[A-Z][a-z]{2}/[0-9:]{13} \+0000\]"
    r' "(?P<method>\S+) (?P<target>\S+) HTTP/1\.1" (?P<status>[0-9]{3}) (?P<sent>[0-9]+|-)'
    r' "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"\n'
)
_ESCAPED: Final = re.compile(r"\\(?:x([0-9a-f]{2})|(.))")


def users(data: bytes) -> None:
    """A file of users; a header that logs in, which lets in whom the file names and nobody else."""
    text, _, header = data.decode("utf-8", "surrogateescape").partition("\n\n")
    with refusing(FileProblems):
        found = parse_htpasswd(text, file="users")
        written = "".join(f"{user}:{one.decode()}\n" for user, one in found.hashes.items())
        assert parse_htpasswd(written, file="users") == found
        lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
        assert len(found.hashes) == len(lines) > 0
        assert found.hash_of("nobody\0")[4:6] in {one[4:6] for one in found.hashes.values()}
    request = Request(method="GET", target="/v2/", headers={"authorization": header})
    credentials = basic_credentials(request)
    if credentials is None:
        return
    user, password = credentials
    assert _login(user, password) == credentials, "what is read is not what a client would send"
    own = parse_htpasswd(f"ada:{_HASH}\n", file="users")
    guard = Guard(
        lambda _: _WELCOME,
        own,
        check=lambda tried, _: tried == b"secret",  # also of whoever is nobody
        secret=b"s",
    )
    expected = 200 if (user, password) == ("ada", b"secret") else 401
    assert [guard.handle(request).status for _ in range(2)] == [expected] * 2


def _login(user: str, password: bytes) -> tuple[str, bytes] | None:
    sent = base64.b64encode(user.encode() + b":" + password).decode()
    return basic_credentials(
        Request(method="GET", target="/", headers={"authorization": f"Basic {sent}"})
    )


def access_log(data: bytes) -> None:
    """The line of any request: one line of printable ASCII, from which the request is read back."""
    try:
        request = parse_head(data, peer="192.0.2.7")
    except BadHead:
        return
    line = log_line(request, _WELCOME, sent=len(data), now=1_790_000_000.0, users=True)
    found = _LINE.fullmatch(line)
    assert line.isascii()
    assert line[:-1].isprintable()
    assert found is not None, line
    assert _unescaped(found["method"]) == request.method
    assert _unescaped(found["target"]) == request.target
    for field, header in (("referer", "referer"), ("agent", "user-agent")):
        assert _unescaped(found[field]) == (request.headers.get(header) or "-")
    credentials = basic_credentials(request)
    if credentials is None:
        assert found["user"] == "-"
        return
    user, password = credentials
    named = _unescaped(found["user"]).encode("latin-1").decode()
    assert named == (user or "-")
    others = [data.partition(b"uthorization")[0].decode("latin-1"), user]
    shown = password.decode("latin-1")
    if len(shown) >= _LONG and not any(shown in text for text in (*others, *_texts(request))):
        assert shown not in _unescaped(line), "the password is in the log"


def _texts(request: Request) -> Iterable[str]:
    return (value for name, value in request.headers.items() if name != "authorization")


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda one: chr(int(one[1], 16)) if one[1] else one[2], text)


def ranges(data: bytes) -> None:
    """A Range header over a representation: the bytes that RFC 9110 names, or all, or a refusal."""
    header = data[1:].decode("latin-1")
    for size in (0, 1, data[0] if data else 5, 2**40):
        part = None
        try:
            part = parse_range(header, size)
            found = None if part is None else (part.start, part.stop)
        except Unsatisfiable:
            found = (0, 0)
        assert found == _named(header.strip(), size), f"{header!r} of {size}"
        if part is not None:
            assert part.length > 0
            assert part.content_range == f"bytes {part.start}-{part.stop - 1}/{size}"


def _named(header: str, size: int) -> tuple[int, int] | None:
    """RFC 9110 14.1.2 by hand: (0, 0) for none of the bytes, None for what is no single range."""
    unit, equals, ends = header.partition("=")
    first, hyphen, last = ends.partition("-")
    digits = set("0123456789")
    if unit != "bytes" or not equals or not hyphen or not set(first + last) <= digits:
        return None
    if max(len(first), len(last)) > 40 or not first + last:
        return None
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else (0, 0)
    if last and int(last) < int(first):
        return None
    stop = min(int(last), size - 1) + 1 if last else size
    return (int(first), stop) if int(first) < size else (0, 0)


class _Client:
    """A client that sends its bytes in pieces, and then no more."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step
        self.received = b""

    @property
    def sent(self) -> int:
        return len(self.received)

    def begin(self) -> None:
        pass

    def receive(self, _within: float) -> bytes:
        piece, self._data = self._data[: self._step], self._data[self._step :]
        return piece

    def send(self, data: bytes) -> None:
        self.received += data

    def send_file(self, head: bytes, file: BinaryIO, start: int, length: int) -> None:
        self.received += head + os.pread(file.fileno(), length, start)

    def discard(self, _within: float) -> bool:
        return False

    def end(self) -> None:
        pass

    def close(self) -> None:
        pass


_APP: Final = App(HOSTED)


def _conversed(data: bytes, step: int) -> tuple[bytes, list[Request]]:
    """What a client gets that sends these bytes, and the requests that were understood."""
    client = _Client(data, step)
    asked: list[Request] = []

    def finished(request: Request, _response: Response, sent: Sent) -> None:
        assert sent.whole
        asked.append(request)

    Connection(
        cast("Channel", client),
        _APP.handle,
        peer="192.0.2.7",
        clock=FakeClock(),
        limits=_LIMITS,
        finished=finished,
    ).run()
    return client.received, asked


def conversations(data: bytes) -> None:
    """Bytes on a connection: in any pieces the same answers, which h11 reads to their end."""
    received, asked = _conversed(data, len(data) or 1)
    for step in (1, 13):
        assert _conversed(data, step)[0] == received, f"pieces of {step} give other answers"
    rest = received
    for request in asked:
        status, rest = _read_answer(rest, "HEAD" if request.method == "HEAD" else "GET")
        assert status < 500
    if rest:
        status, rest = _read_answer(rest, "GET")
        assert status in {400, 431, 505}, "an answer to no request"
    assert rest == b"", "bytes behind the last answer"


def _read_answer(data: bytes, method: str) -> tuple[int, bytes]:
    """The status of one whole answer, and the bytes behind it."""
    reader = h11.Connection(our_role=h11.CLIENT)
    reader.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(data)
    head = reader.next_event()
    assert isinstance(head, h11.Response), head
    while not isinstance(event := reader.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data), event
    return head.status_code, reader.trailing_data[0]


def _user_seeds() -> Iterator[bytes]:
    yield f"# users\nada:{_HASH}\n\nBasic YWRhOnNlY3JldA==".encode()
    yield f"ada:{_HASH}\nada:{_HASH}\nbob:{_HASH[:-1]}\n\nbasic YTpi".encode()
    yield b"ada:$apr1$x$y\n:\neve:$2b$31$" + b"a" * 53 + b"\n\nBasic OnA="
    yield b"\n\nBasic w6R1OsO8"
    yield b"\n\nBasic ZXZlOnNlY3JldA=="
    yield f"ada:{_HASH}\n ada:{_HASH}\nada:{_HASH}".encode()


def _log_seeds() -> Iterator[bytes]:
    agent = b'\r\nUser-Agent: docker/24.0 "x" \\ \xe4\x1b'
    login = b"\r\nAuthorization: Basic YWRhOnNlY3JldC1zZWNyZXQ="
    yield b"GET /v2/ HTTP/1.1\r\nHost: x" + agent[:-1] + login
    yield b'GET /v2/a"\\b HTTP/1.0\r\nReferer: \\x41"' + login
    yield b"GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic 5Z+OIOWfjjpwdw=="


def _range_seeds() -> Iterator[bytes]:
    for text in ("0-", "-5", "1-3", "5-1", "0-0,2-3", "99-", "-0", "007-9", "0-" + "9" * 40):
        yield b"\x08bytes=" + text.encode()
    yield b"\x08 items=0-1 "


def _conversation_seeds() -> Iterator[bytes]:
    heads = [head + b"\r\n\r\n" for head in request_seeds()]
    yield from heads
    yield b"".join(heads[:6])
    yield b"\r\n\r\n" + heads[0] + b"\r\n" + heads[1] + b"\x16\x03\x01"
    yield b"POST /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n" + heads[0]
    yield b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_990


_HEADS: Final = (
    *(b"GET ", b"HEAD ", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\r\n\r\n", b"\n", b"Host: x"),
    *(b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Connection: close", b"/v2/", b"!"),
    *(b"Connection: keep-alive", b"Expect: 100-continue", b"Range: bytes=1-5", b"5\r\nhello\r\n"),
    *(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n", b"\0", b"\x80", b" :", b": ", b"\t"),
)

TARGETS: Final = (
    Target(
        name="users",
        about="htpasswd, HTTP Basic: read, written, read the same; in comes who is named, no other",
        run=users,
        seeds=_user_seeds,
        tokens=(
            *(b"ada:", b":", b"$2y$05$", b"$2b$", b"#", b"\n", b"\n\n", b"Basic ", b"basic\t"),
            *(_HASH.encode(), b"YWRhOnNlY3JldA==", b"=", b"\x0b", b"\x1c", b"\xc2\x85", b"\0"),
        ),
    ),
    Target(
        name="access-log",
        about="lines of the access log: one a request, printable, no password; read back the same",
        run=access_log,
        seeds=_log_seeds,
        tokens=(
            *(b"GET ", b" HTTP/1.1", b"\r\nHost: x", b"\r\nUser-Agent: ", b"\r\nReferer: ", b'"'),
            *(b"\r\nAuthorization: Basic ", b"YWRhOnNlY3JldA==", b"\\", b"\\x22", b"\x80", b"\t"),
        ),
    ),
    Target(
        name="ranges",
        about="Range headers beside RFC 9110 by hand: the bytes that it names, all, or a refusal",
        run=ranges,
        seeds=_range_seeds,
        longest=100,
        tokens=(b"bytes=", b"-", b",", b"0", b"9" * 20, b"\x1f", b"\xa0", b" ", b"=", b"\t"),
    ),
    Target(
        name="conversations",
        about="connections to `pinner serve`: any pieces, the same answers, framed as h11 reads",
        run=conversations,
        seeds=_conversation_seeds,
        tokens=_HEADS,
    ),
)
