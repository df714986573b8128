"""References, digests and platforms, beside the published grammar; expressions over tags."""

from __future__ import annotations

import itertools
import re
import warnings
from random import Random
from typing import TYPE_CHECKING, Final

from fuzz import grammar, orders
from fuzz.seeds import texts
from fuzz.target import Target, printable, refusing
from pinner.errors import InputError
from pinner.inventory.model import Ecosystem
from pinner.inventory.versions import key
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.platform import InvalidPlatform, Platform
from pinner.oci.reference import InvalidReference, Reference, parse_registry
from pinner.spec.edit import Addition
from pinner.tagpolicy import InvalidWish
from pinner.tagpolicy.expressions import parse_expression
from pinner.tagpolicy.machine import Machine, Steps, TooManySteps
from pinner.tagpolicy.patterns import PatternWish
from pinner.tagpolicy.versions import VersionWish, parse_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pinner.tagpolicy import TagWish

_HOST: Final = Platform.parse("linux/amd64")
_TAGS: Final = (
    *("1", "1.2", "1.2.3", "v1.2.3", "1.2.3-alpine", "1.2.3-alpine3.20", "1.2.3-rc1", "20240612"),
    *("jdk-11.0.2", "RELEASE.2024-01-01T16-36-33Z", "2.1.3-debian-10-r38", "latest", "a", "1a"),
)
_JUDGED: Final = 1_000  # the grammar's judge takes its time
_SHORT: Final = 14  # `re` goes back: its time may double with every character


def references(data: bytes) -> None:
    """One text as everything that a reference's parts can be."""
    text = data.decode("utf-8", "surrogateescape")
    _reference(text)
    with refusing(InvalidReference):
        host = parse_registry(text)
        assert parse_registry(host) == host
    with refusing(InputError):
        addition = Addition.parse(text)
        assert addition.reference == Reference.parse(text.rpartition("=")[2])
    with refusing(InvalidDigest):
        digest = Digest.parse(text)
        assert str(digest) == text
    for host_platform in (_HOST, None):
        with refusing(InvalidPlatform):
            platform = Platform.parse(text, host=host_platform)
            printable(str(platform))
            assert Platform.parse(str(platform)) == platform
            assert Platform.parse_canonical(str(platform)) == platform


def grammar_of_references(data: bytes) -> None:
    """A reference that the grammar makes of these bytes, or nearly: both judges agree."""
    random = Random(data)
    _reference(grammar.reference(random))
    _reference(grammar.near_miss(random))


def _reference(text: str) -> None:
    found = _parsed(text)
    if len(text) > _JUDGED:
        return
    expected = grammar.normalized(text)
    if found is None:
        assert expected is None, f"{text!r} is {expected}, and was refused"
        return
    digest = str(found.digest) if found.digest is not None else ""
    said = grammar.Read(found.registry, found.path, found.tag or "", digest)
    assert said == expected, f"{text!r} is {expected}, not {said}"
    printable(str(found), found.familiar())
    assert Reference.parse(str(found)) == found
    assert Reference.parse(found.familiar()) == found


def _parsed(text: str) -> Reference | None:
    found = None
    with refusing(InvalidReference):
        found = Reference.parse(text)
    return found  # noqa: RET504 - mypy takes a return within for the only way out


def tags(data: bytes) -> None:
    """A line that is a wish of each kind; further lines are tags."""
    first, *rest = data.decode("utf-8", "surrogateescape").split("\n")
    different = [*_TAGS, *rest[:20]]
    for tag in different:
        parse_tag(tag)
    specifier, _, variant = first.partition(" ")
    with refusing(InvalidWish):
        _ranked(VersionWish(specifier=specifier, variant=variant), different)
    with refusing(InvalidWish):
        _ranked(PatternWish(expression=first), different)
    with refusing(InvalidWish):
        _machine(first, different)


def _ranked(wish: TagWish, different: list[str]) -> None:
    with refusing(InputError):
        ranked = wish.ranked(different)
        printable(str(wish))
        assert len(set(ranked)) == len(ranked)
        assert all(tag in different and wish.admits(tag) for tag in ranked)
        assert wish.ranked(reversed(different)) == ranked


def _machine(expression: str, different: list[str]) -> None:
    """An expression means what `re` makes of it, over tags that are short."""
    machine = Machine(parse_expression(expression))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = re.compile(expression.replace("(?<", "(?P<"), re.ASCII)
    for tag in different:
        if len(tag) > _SHORT or not re.fullmatch(r"[A-Za-z0-9_.-]+", tag):
            continue
        try:
            found = machine.match(tag, Steps(100_000))
        except TooManySteps:
            continue
        match = known.fullmatch(tag)
        expected = match and {k: v for k, v in match.groupdict().items() if v is not None}
        assert found == expected, f"{expression!r} over {tag!r}"


def versions(data: bytes) -> None:
    """Lines of versions: an order, and the one that dpkg's and rpm's own loops find."""
    texts = data.decode("utf-8", "replace").split("\n")[:4]
    for one, other in itertools.product(texts, repeat=2):
        for ecosystem in Ecosystem:
            mine, theirs = key(ecosystem, one), key(ecosystem, other)
            order = (mine > theirs) - (mine < theirs)
            assert order == -((theirs > mine) - (theirs < mine))
            if ecosystem is Ecosystem.DEB:
                assert order == orders.dpkg(one, other), f"{one!r} and {other!r}, of dpkg"
            if ecosystem is Ecosystem.RPM and not {":", "-"} & set(one + other):
                assert order == orders.rpm(one, other), f"{one!r} and {other!r}, of rpm"


def _version_seeds() -> Iterator[bytes]:
    yield b"2.36-9+deb12u1\n2.36-9+deb12u10\n1:2.36-9\n2.36~rc1-1"
    yield b"1.0^git1\n1.0~rc1\n1.0\n1.0.1"
    yield b"1.2.3-r0\n1.2.3_alpha1-r1\n1.02\n1.2b"
    yield b"0\n00\n0~\n" + b"9" * 30


def _reference_seeds() -> Iterator[bytes]:
    yield from texts(
        *(f"references/{name}.toml" for name in ("accepted", "hostile", "normalized", "parse"))
    )
    yield from texts("platforms/specifiers.toml", key="spec")


def _tag_seeds() -> Iterator[bytes]:
    yield from texts("tags/patterns.toml", key="pattern")
    yield from texts("tags/specifiers.toml", key="version")
    yield from (b"(?P<version>[0-9.]+)(?P<build>[0-9]*)", b"(?P<version>.+?)(?P<build>[0-9.]*)")
    yield b"(?P<version>[0-9]|[0-9.]+)(?P<build>[0-9.]*)\n12.3\n1.22"
    yield from (b">=1,<2 " + text for text in texts("tags/variants.toml", key="pattern"))


def _numbers() -> Iterable[bytes]:
    return [b"%d" % number for number in range(8)]


TARGETS: Final = (
    Target(
        name="references",
        about="references, digests, platforms: what parses is written and read again the same",
        run=references,
        steady=48_000,
        seeds=_reference_seeds,
        longest=600,
        tokens=(
            *(b"docker.io/", b"index.docker.io", b"localhost", b"library/", b"[::1]", b":5000"),
            *(b"@sha256:" + b"a" * 64, b"@sha512:", b":latest", b"__", b"--", b"%2F", b"linux/"),
            *(b"windows(10.0.17763+win32k)", b"/v8", b"arm64", b"name=", b"https://", b"user:pw@"),
        ),
    ),
    Target(
        name="grammar",
        about="references made by the published grammar, and near misses: both judges agree",
        run=grammar_of_references,
        seeds=_numbers,
        longest=16,
    ),
    Target(
        name="tags",
        about="versions, variants and expressions over tags; `re` understands them the same",
        run=tags,
        seeds=_tag_seeds,
        longest=800,
        tokens=(
            *(b"(?P<version>", b"(?P<build>", b"(?:", b")", b"[0-9]+", b"{2,3}", b"{128}", b"*?"),
            *(b"\\d", b"\\w", b"|", b"^", b"$", b">=", b"<", b"~=", b"==1.*", b",", b"alpine*"),
            *(b"\n1.2.3", b".post1", b"rc1", b"+local", b"9" * 30),
        ),
    ),
    Target(
        name="versions",
        about="orders of versions: dpkg's and rpm's beside their own loops; apk's is one",
        run=versions,
        seeds=_version_seeds,
        longest=200,
        tokens=(
            *(b"\n", b"~", b"^", b"-", b":", b"+", b".", b"0", b"00", b"_alpha", b"_p1", b"-r1"),
            *(b"1:", b"rc", b"\xc2\xb2", b"\xd9\xa3", b"\0", b"9" * 20),
        ),
    ),
)
