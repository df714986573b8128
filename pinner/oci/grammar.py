"""The grammar of references (distribution/reference regexp.go), as patterns and predicates.

    reference := name [":" tag] ["@" digest]
    name      := [domain "/"] path                 path: at most 255 characters
    domain    := (label ("." label)* | "[" ipv6 "]") [":" port]
    path      := component ("/" component)*
    component := [a-z0-9]+ (("." | "_" | "__" | "-"+) [a-z0-9]+)*
    tag       := [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127}
    digest    := algorithm ":" 32 or more hexadecimal digits, checked by `Digest.parse`

Everything is ASCII and matched whole. `parts` takes references apart, `reference` makes values.
"""

from __future__ import annotations

import re
from typing import Final

DEFAULT_REGISTRY: Final = "docker.io"
OFFICIAL: Final = "library/"
PATH_LIMIT: Final = 255
PORT_LIMIT: Final = 65535
# The hosts of Docker Hub's web site and API. docker folds only index.docker.io; with the others
# left apart, one image could have two rows in a lockfile and two credentials.
_DOCKER_HUB: Final = frozenset(
    {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
)

_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH: Final = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_ALGORITHM: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
_DIGEST: Final = rf"{_ALGORITHM}:[0-9a-fA-F]{{32,}}"

REFERENCE: Final = re.compile(
    rf"(?:(?P<domain>{_HOST}(?::[0-9]+)?)/)?(?P<path>{_PATH})"
    rf"(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?",
    re.ASCII,
)
IMAGE_ID: Final = re.compile(r"[a-f0-9]{64}", re.ASCII)
UPPER_CASE: Final = re.compile(r"[A-Z]", re.ASCII)
_AUTHORITY: Final = re.compile(rf"{_HOST}(?::(?P<port>[1-9][0-9]{{0,4}}))?", re.ASCII)
_WHOLE_PATH: Final = re.compile(_PATH, re.ASCII)
_WHOLE_TAG: Final = re.compile(_TAG, re.ASCII)
_MARKS_HOST: Final = re.compile(r"[.:A-Z]", re.ASCII)


def is_tag(text: str) -> bool:
    """Whether `text` is a tag."""
    return _WHOLE_TAG.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Whether `text` is a repository's path within its registry."""
    return len(text) <= PATH_LIMIT and _WHOLE_PATH.fullmatch(text) is not None


def is_authority(text: str) -> bool:
    """Whether `text` is `host[:port]`, the port from 1 to 65535 and without leading zeros."""
    found = _AUTHORITY.fullmatch(text)
    return found is not None and int(found["port"] or 1) <= PORT_LIMIT


def is_registry(text: str) -> bool:
    """Whether `text` is `host[:port]` of a form that marks it as a registry in a reference.

    That is `localhost`, or anything with a dot, a colon or an upper-case letter.
    """
    return is_authority(text) and (text == "localhost" or _MARKS_HOST.search(text) is not None)


def fold_registry(host: str) -> str:
    """The one name of a registry: docker.io for every host of Docker Hub."""
    return DEFAULT_REGISTRY if host in _DOCKER_HUB else host


def qualify_path(registry: str, path: str) -> str:
    """The full path: on docker.io a lone name is an official image's, `library/NAME`."""
    return OFFICIAL + path if registry == DEFAULT_REGISTRY and "/" not in path else path


def split_domain(text: str) -> tuple[str, str]:
    """The registry that a reference states or implies, and the rest, in full.

    What stands before the first slash is a host only if it marks itself as one (`is_registry`);
    otherwise the registry is docker.io.
    """
    domain, slash, rest = text.partition("/")
    if not slash or (domain != "localhost" and not _MARKS_HOST.search(domain)):
        domain, rest = DEFAULT_REGISTRY, text
    domain = fold_registry(domain)
    return domain, qualify_path(domain, rest)
