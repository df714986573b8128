"""The users of `--htpasswd`: `name:hash` lines, bcrypt alone, as docker-registry takes them.

    ada:$2y$12$…            made by `htpasswd -B`
    # a comment

Other kinds of hash (MD5, SHA-1, crypt) can be guessed billions of times a second and are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import FileProblems, InputError, Problem
from pinner.fsio import read_limited
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_LIMIT: Final = 1024 * 1024
_HASH: Final = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}", re.ASCII)
# Below 4 there is no bcrypt; 16 takes some four seconds for each new password.
_COSTS: Final = range(4, 17)
_MEND: Final = "make the file with `htpasswd -B -c FILE USER`"
_SIGNIFICANT: Final = 72  # bytes of a password that bcrypt looks at


@dataclass(frozen=True, slots=True)
class Htpasswd:
    """Users and the bcrypt hashes of their passwords; at least one."""

    hashes: Mapping[str, bytes]

    def hash_of(self, user: str) -> bytes:
        """The user's hash; for an unknown user one of nobody's that costs as much to check."""
        known = self.hashes.get(user)
        if known is not None:
            return known
        cost = max(known[4:6] for known in self.hashes.values())
        return b"$2b$" + cost + b"$" + b"." * 53


def read_htpasswd(path: Path) -> Htpasswd:
    """The users that a file names.

    Raises:
        InputError: no such file, not readable, or not such a file (`FileProblems`).
    """
    try:
        data = read_limited(path, _LIMIT)
    except FileNotFoundError:
        raise InputError("there is no such file", where=safe(str(path)), mend=_MEND) from None
    return parse_htpasswd(data.decode("utf-8", "replace"), file=str(path))


def parse_htpasswd(text: str, *, file: str) -> Htpasswd:
    """The users that the text of a file names.

    Raises:
        FileProblems: a line that is no user with a bcrypt hash; a user twice; no user at all.
    """
    hashes: dict[str, bytes] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        user, _, hashed = line.partition(":")
        what = _problem(user, hashed.strip(), hashes)
        if what:
            problems.append(Problem(where=f"{safe(file)}:{number}", what=what))
        else:
            hashes[user] = hashed.strip().encode("ascii")
    if not hashes and not problems:
        problems.append(Problem(where=safe(file), what="it names no user"))
    if problems:
        raise FileProblems(tuple(problems), mend=_MEND)
    return Htpasswd(hashes)


def _problem(user: str, hashed: str, before: Mapping[str, bytes]) -> str:
    """What is wrong with one line; empty where nothing is. Never repeats a hash."""
    shown = safe(user, limit=80)
    if not user or not hashed:
        return "it is not `user:hash`"
    if user in before:
        return f'the user "{shown}" is there twice'
    found = _HASH.fullmatch(hashed)
    if found is None:
        return f'the hash of "{shown}" is not of bcrypt ($2y$…), the only kind that is taken'
    if int(found["cost"]) not in _COSTS:
        return f'the hash of "{shown}" has a cost outside {_COSTS.start} to {_COSTS.stop - 1}'
    return ""


def bcrypt_checker() -> Callable[[bytes, bytes], bool]:
    """A function that tells whether a password has a hash.

    Raises:
        InputError: the package bcrypt is not installed.
    """
    try:
        import bcrypt  # noqa: PLC0415 - an extra, for those who use it
    except ImportError:
        raise InputError(
            "--htpasswd needs the package bcrypt, which is not installed",
            mend="install it beside pinner: `pip install 'image-pinner[serve]'`",
        ) from None

    def check(password: bytes, hashed: bytes) -> bool:
        # What htpasswd hashed ended at a NUL; a longer password must not pass for its beginning.
        return b"\0" not in password and bcrypt.checkpw(password[:_SIGNIFICANT], hashed)

    return check
