"""What other programs see in a tar archive: GNU tar and Python's tarfile."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from typing import TYPE_CHECKING, NamedTuple

from pinner.inventory import tar
from pinner.inventory.unreadable import Unreadable
from support.programs import find

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE = re.compile(
    rb"([-dlhbcpCVMD])\S{9}\S? \d+/\d+ +([\d,]+) \S+ \S+ "
    rb'"((?:[^"\\]|\\.)*)"(?: (?:->|link to) "((?:[^"\\]|\\.)*)")?.*'
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{3})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f"}
_LETTERS[b"v"] = b"\v"
_GNU_KINDS = {b"d": "folder", b"l": "symlink", b"h": "hard link"}
_KINDS = {tar.FOLDER: "folder", tar.SYMLINK: "symlink", tar.HARD_LINK: "hard link"}
_SPECIAL = (b"3", b"4", b"6")


class Seen(NamedTuple):
    """One member, as far as all agree on what there is to see."""

    name: bytes
    kind: str
    link: bytes


def ours(chunks: Iterable[bytes]) -> tuple[list[Seen], str]:
    """What pinner sees, and why it stops before the end; empty where it does not."""
    seen = []
    try:
        for member in tar.Tar(chunks, lambda _name, _size: False):
            kind = _KINDS.get(member.kind, "special" if member.kind in _SPECIAL else "file")
            seen.append(_seen(member.name, kind, member.link))
    except Unreadable as error:
        return seen, str(error)
    return seen, ""


def gnu(data: bytes) -> list[Seen]:
    """What GNU tar sees, whatever it complains about."""
    done = subprocess.run(
        [find("tar") or "tar", "-P", "--numeric-owner", "--quoting-style=c", "-tvf", "-"],
        input=data,
        capture_output=True,
        env={"LC_ALL": "C", "TZ": "UTC"},
        timeout=300,
        check=False,
    )
    seen = []
    for line in done.stdout.splitlines():
        found = _LINE.fullmatch(line)
        assert found, line
        kind = _GNU_KINDS.get(found[1], "special" if found[1] in b"bcp" else "file")
        seen.append(_seen(_unquoted(found[3]), kind, _unquoted(found[4] or b"")))
    return seen


def python(data: bytes) -> list[Seen]:
    """What tarfile sees."""
    seen = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8") as archive:
            for member in archive:
                kind = "file"
                if member.isdir():
                    kind = "folder"
                elif member.issym():
                    kind = "symlink"
                elif member.islnk():
                    kind = "hard link"
                elif member.isdev():
                    kind = "special"
                link = member.linkname if kind in {"symlink", "hard link"} else ""
                seen.append(_seen(_bytes(member.name), kind, _bytes(link)))
    except tarfile.ReadError:
        pass
    return seen


def _seen(name: bytes, kind: str, link: bytes) -> Seen:
    return Seen(name.rstrip(b"/") if kind == "folder" else name, kind, link)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _unquoted(text: bytes) -> bytes:
    return _ESCAPE.sub(
        lambda found: bytes([int(found[1], 8)]) if found[1] else _LETTERS.get(found[2], found[2]),
        text,
    )
