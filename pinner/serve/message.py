"""One HTTP exchange as values: what came in, what goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The head of a request; no method that is answered here has a body.

    Attributes:
        method: as sent; methods are case-sensitive.
        target: path and query as sent, printable ASCII, nothing decoded.
        headers: by lower-case name; repeated fields are joined by a comma.
        keep_alive: whether the connection can carry another request after this one.
        peer: the client's IP address; empty where there is no connection.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    keep_alive: bool = True
    peer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSlice:
    """`length` bytes of a file from offset `start`, to be sent by the kernel."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Status, headers and body; `Content-Length` is among the headers, also of a HEAD."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | FileSlice = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a response.

    Attributes:
        body: bytes of the body that were handed to the kernel.
        seconds: from the end of the request's head to the last of them.
        whole: whether all was sent; else the client left, was too slow, or was cut.
    """

    body: int
    seconds: float
    whole: bool
