"""What a registry says about the login it wants: WWW-Authenticate (RFC 9110, 11.6.1).

    header    := challenge ("," challenge)*
    challenge := scheme [token68 | param ("," param)*]
    param     := name "=" (quoted-string | token)

Commas separate parameters as well as challenges, and may stand in quotes. Unquoted values may hold
what a token may not (`realm=https://…`), since registries are seen to send that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pinner.errors import ProtocolError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LIMIT: Final = 16 * 1024
_HEADERS: Final = 16
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_GAP: Final = re.compile(r"[ \t,]*")
_SCHEME: Final = re.compile(rf"({_WORD})(?:[ \t]+|(?=,)|\Z)")
_TOKEN68: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|\Z))")
_PARAMETER: Final = re.compile(
    rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))', re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class MalformedChallenge(ProtocolError):  # noqa: N818 - a kind of header
    """A WWW-Authenticate header that cannot be read."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One kind of login that would do.

    Attributes:
        scheme: in lower case: `bearer`, `basic`.
        parameters: by name in lower case: `realm`, `service`, `scope`, `error`.
    """

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def parse_challenges(headers: Sequence[str]) -> tuple[Challenge, ...]:
    """Every challenge of the values of WWW-Authenticate, in order; none for no headers.

    Raises:
        MalformedChallenge: more than 16 headers or 16 KiB in one, an open quote, a parameter twice,
            or anything else that is not the grammar.
    """
    if len(headers) > _HEADERS:
        raise MalformedChallenge(f"{len(headers)} WWW-Authenticate headers")
    return tuple(challenge for header in headers for challenge in _parse(header))


def _parse(header: str) -> list[Challenge]:
    if len(header) > _LIMIT:
        raise MalformedChallenge(f"a WWW-Authenticate header of {len(header)} characters")
    found: list[tuple[str, dict[str, str]]] = []
    position = _past(_GAP, header, 0)
    while position < len(header):
        if found and (match := _PARAMETER.match(header, position)):
            name, quoted, plain = match.groups()
            parameters = found[-1][1]
            if name.lower() in parameters:
                raise MalformedChallenge(f'"{safe(name, limit=40)}" twice in WWW-Authenticate')
            parameters[name.lower()] = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
            position = match.end()
        elif match := _SCHEME.match(header, position):
            found.append((match[1].lower(), {}))
            position = match.end()
            if not _PARAMETER.match(header, position):  # `scope=` alone would be either
                position = _past(_TOKEN68, header, position)
        else:
            raise MalformedChallenge(
                f'WWW-Authenticate cannot be read: "{safe(header[position:], limit=80)}"'
            )
        position = _past(_GAP, header, position)
    return [Challenge(scheme, MappingProxyType(parameters)) for scheme, parameters in found]


def _past(pattern: re.Pattern[str], header: str, position: int) -> int:
    match = pattern.match(header, position)
    return match.end() if match else position
