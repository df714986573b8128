"""Faults for the scripted registry: each turns the honest answer into a dishonest one."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from support.net import Answer, Framing, Request, Then

if TYPE_CHECKING:
    from collections.abc import Callable

Fault: TypeAlias = "Callable[[Request, Answer], Answer]"


def honest(request: Request, answer: Answer) -> Answer:
    """No fault; takes a place in a script."""
    return answer


def changed(**fields: Any) -> Fault:
    """The honest answer with these fields of `Answer` changed."""
    return lambda request, answer: replace(answer, **fields)


def instead(status: int = 200, body: bytes = b"", **headers: str) -> Fault:
    """Another answer altogether; `Retry_After="1"` becomes a header."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda request, answer: Answer(status=status, body=body, headers=named)


def raw(data: bytes, then: Then = Then.CLOSE) -> Fault:
    """These bytes, whatever they are."""
    return changed(raw=data, then=then)


def header(name: str, value: str | None) -> Fault:
    """One header changed, added, or removed (None)."""
    return lambda request, answer: answer.with_header(name, value)


def redirect(location: str, status: int = 307, body: bytes = b"") -> Fault:
    """A redirect."""
    return instead(status, body, Location=location)


def cut(at: int, then: Then = Then.CLOSE) -> Fault:
    """The body ends after so many bytes, though the head promised all."""
    return changed(cut_at=at, then=then)


def dripping(seconds: float) -> Fault:
    """The body comes a byte at a time."""
    return changed(drip=seconds)


def paced(seconds: float) -> Fault:
    """Each 64 KiB of the body take so long."""
    return changed(pace=seconds)


def body(change: Callable[[bytes], bytes]) -> Fault:
    """Other bytes, with the length that is right for them."""
    return lambda request, answer: replace(answer, body=change(answer.body))


def flipped(request: Request, answer: Answer) -> Answer:
    """One bit of the body is wrong."""
    return replace(answer, body=bytes([answer.body[0] ^ 1]) + answer.body[1:])


def chunked(request: Request, answer: Answer) -> Answer:
    """No length: chunks."""
    return replace(answer, framing=Framing.CHUNKED)


def close_delimited(request: Request, answer: Answer) -> Answer:
    """No length: the body ends where the connection does."""
    return replace(answer, framing=Framing.CLOSE)


def gzip_encoded(request: Request, answer: Answer) -> Answer:
    """Compressed on the way, though identity was asked for."""
    return replace(answer, body=gzip.compress(answer.body)).with_header("Content-Encoding", "gzip")


def dropped(request: Request, answer: Answer) -> Answer:
    """The connection closes without an answer."""
    return replace(answer, raw=b"", then=Then.CLOSE)
