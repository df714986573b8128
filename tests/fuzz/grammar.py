"""The published grammar of references, as data: a generator and a judge of its own.

distribution/reference's regexp.go as rules, and `ParseNormalizedNamed` around them. Nothing here is
shared with `pinner.oci.grammar`, not even `re`: a rule's matches are the places where it can end,
the preferred first, as a regular expression engine that goes back would try them.

What pinner does otherwise on purpose (docs of `pinner.oci`): more names of Docker Hub are one
registry; a port is a number from 1 to 65535 without leading zeros; where what stands before the
first slash is no host after all (`a_b.example/x`), docker has a name without a registry, and pinner
a refusal.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random


@dataclass(frozen=True, slots=True)
class Of:
    """One character out of these."""

    characters: str


@dataclass(frozen=True, slots=True)
class All:
    """One after the other."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """The first that leads to a match."""

    branches: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """The same, from `least` to `most` times, the more the better."""

    part: Rule
    least: int
    most: int


Rule: TypeAlias = "str | Of | All | Any | Many"
_ENDLESS: Final = 10_000


def _all(*parts: Rule) -> Rule:
    return All(parts)


def _maybe(*parts: Rule) -> Rule:
    return Many(All(parts), 0, 1)


def _some(part: Rule, least: int = 1) -> Rule:
    return Many(part, least, _ENDLESS)


_ALNUM: Final = string.ascii_letters + string.digits
_LOWER: Final = Of(string.ascii_lowercase + string.digits)
_HEX: Final = string.digits + "abcdefABCDEF"
# Rules name each other by words in capitals; other texts stand for themselves.
RULES: Final[Mapping[str, Rule]] = {
    "DOMAIN": _all(Any(("HOST", "IPV6")), _maybe(":", _some(Of(string.digits)))),
    "HOST": _all("LABEL", _some(_all(".", "LABEL"), 0)),
    "LABEL": Any((_all(Of(_ALNUM), _some(Of(_ALNUM + "-"), 0), Of(_ALNUM)), Of(_ALNUM))),
    "IPV6": _all("[", _some(Of(_HEX + ":")), "]"),
    "PATH": _all("COMPONENT", _some(_all("/", "COMPONENT"), 0)),
    "COMPONENT": _all(_some(_LOWER), _some(_all("SEPARATOR", _some(_LOWER)), 0)),
    "SEPARATOR": Any((Of("._"), "__", _some(Of("-")))),
    "TAG": _all(Of(_ALNUM + "_"), Many(Of(_ALNUM + "_.-"), 0, 127)),
    "DIGEST": _all("ALGORITHM", ":", _some(Of(_HEX), 32)),
    "ALGORITHM": _all("WORD", _some(_all(Of("-_+."), "WORD"), 0)),
    "WORD": _all(Of(string.ascii_letters), _some(Of(_ALNUM), 0)),
}
PATH_LIMIT: Final = 255
_LENGTHS: Final = {"sha256": 64, "sha512": 128}
_HUB: Final = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}


class Read(NamedTuple):
    """What a reference means; what is absent is empty."""

    registry: str
    path: str
    tag: str
    digest: str


def ends(rule: Rule, text: str, at: int) -> list[int]:
    """Where `rule` can end in `text` if it begins at `at`, the preferred first, each once."""
    match rule:
        case str() if rule in RULES:
            return ends(RULES[rule], text, at)
        case str():
            return [at + len(rule)] if text.startswith(rule, at) else []
        case Of(characters):
            return [at + 1] if at < len(text) and text[at] in characters else []
        case All(parts):
            found = [at]
            for part in parts:
                found = _each(part, text, found)
            return found
        case Any(branches):
            return list(dict.fromkeys(end for one in branches for end in ends(one, text, at)))
        case Many():
            return _repeated(rule, text, at)


def _each(rule: Rule, text: str, starts: list[int]) -> list[int]:
    return list(dict.fromkeys(end for start in starts for end in ends(rule, text, start)))


def _repeated(rule: Many, text: str, at: int) -> list[int]:
    """The ends of all counts. As parts differ in one character alone, more is always further."""
    reached, count, found = [at], 0, [at] if rule.least == 0 else []
    while count < rule.most:
        reached = [end for end in _each(rule.part, text, reached) if end > at]
        count += 1
        new = [end for end in reached if end not in found]
        if not reached or (count > rule.least and not new):
            break
        if count >= rule.least:
            found += new
    return sorted(found, reverse=True)


def split(text: str) -> Read | None:
    """docker's `Parse`: the parts as they stand; None for no reference."""
    for start, domain in [*((end + 1, text[:end]) for end in _domains(text)), (0, "")]:
        for end in ends("PATH", text, start):
            for tag_end in _behind(text, end, ":", "TAG"):
                for last in _behind(text, tag_end, "@", "DIGEST"):
                    if last == len(text):
                        return _checked(
                            Read(
                                domain,
                                text[start:end],
                                text[end + 1 : tag_end],
                                text[tag_end + 1 : last],
                            )
                        )
    return None


def _domains(text: str) -> list[int]:
    return [end for end in ends("DOMAIN", text, 0) if text.startswith("/", end)]


def _behind(text: str, at: int, mark: str, rule: str) -> list[int]:
    """The ends of an optional part behind its mark, and `at` itself for none."""
    return [*(ends(rule, text, at + 1) if text.startswith(mark, at) else []), at]


def _checked(read: Read) -> Read | None:
    """The same, if path and digest are within their limits and the port is one."""
    if len(read.path) > PATH_LIMIT:
        return None
    algorithm, _, digits = read.digest.partition(":")
    if read.digest and (len(digits) != _LENGTHS.get(algorithm) or digits != digits.lower()):
        return None
    _, colon, port = read.registry.rpartition("]")[2].rpartition(":")
    if colon and (port.startswith("0") or not 1 <= int(port) <= 0xFFFF):
        return None
    return read


def normalized(text: str) -> Read | None:
    """docker's `ParseNormalizedNamed`: the parts of the full name; None for no reference."""
    if len(text) == 64 and not text.strip("0123456789abcdef"):
        return None
    domain, slash, rest = text.partition("/")
    marked = any(character in ".:" or "A" <= character <= "Z" for character in domain)
    if not slash or (domain != "localhost" and not marked):
        domain, rest = "docker.io", text
    if domain in _HUB:
        domain = "docker.io"
    if domain == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    remote = rest.partition(":")[0].partition("@")[0]
    if any("A" <= character <= "Z" for character in remote):
        return None
    read = split(f"{domain}/{rest}")
    return read if read is not None and read.registry else None


def derived(random: Random, rule: Rule = "PATH") -> str:
    """A text that a rule produces; short, since long ones are made of the same pieces."""
    match rule:
        case str() if rule in RULES:
            return derived(random, RULES[rule])
        case str():
            return rule
        case Of(characters):
            return random.choice(characters)
        case All(parts):
            return "".join(derived(random, part) for part in parts)
        case Any(branches):
            return derived(random, random.choice(branches))
        case Many(part, least, most):
            count = min(most, least + random.choice((0, 0, 1, 1, 2, 3)))
            return "".join(derived(random, part) for _ in range(count))


_FAMOUS: Final = ("docker.io", "localhost", "index.docker.io", "registry-1.docker.io", "Host")
_ODD: Final = "aA0._-/:@[]%+ \n\té\u0131\u212a"


def reference(random: Random) -> str:
    """A reference by the grammar."""
    text = derived(random, "PATH")
    if random.random() < 0.6:
        domain = random.choice((*_FAMOUS, derived(random, "DOMAIN"), derived(random, "DOMAIN")))
        text = f"{domain}/{text}"
    if random.random() < 0.5:
        text += f":{derived(random, 'TAG')}"
    if random.random() < 0.4:
        text += "@" + random.choice(
            (
                "sha256:" + "".join(random.choices("0123456789abcdef", k=64)),
                "sha512:" + "".join(random.choices("0123456789abcdef", k=128)),
                derived(random, "DIGEST"),
            )
        )
    return text


def near_miss(random: Random) -> str:
    """A reference with a character or two taken out, put in, doubled or replaced."""
    text = reference(random)
    for _ in range(random.choice((1, 1, 1, 2))):
        at = random.randrange(len(text) + 1)
        put = random.choice(("", random.choice(_ODD), text[at : at + 1] * 2))
        text = text[:at] + put + text[at + random.choice((0, 1)) :]
    return text
