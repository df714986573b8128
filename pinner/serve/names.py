"""Which repository a name in a request means, and by which name a repository is reached.

    /v2/library/debian/…              docker.io/library/debian      as dockerd asks a mirror
    /v2/debian/…                      docker.io/library/debian
    /v2/ghcr.io/acme/app/…            ghcr.io/acme/app              as in the store
    /v2/registry.lan_5000/app/…       registry.lan:5000/app         a path cannot hold a colon
    /v2/acme/app/…?ns=ghcr.io         ghcr.io/acme/app              as containerd asks a mirror

Without `ns` a name is read as docker reads a reference: a first component with a dot, or
`localhost`, is a registry, and everything else is docker.io's. No name has two meanings, so that no
image is ever served in another's place. `_PORT` behind such a registry is its port: host names have
no underscore. A registry that no path can spell (`registry:5000`, `[::1]:5000`, upper case) is
reached by `ns` alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pinner.oci.grammar import is_path, split_domain
from pinner.oci.reference import InvalidReference, Repository

_SPELLED_PORT: Final = re.compile(
    r"(?P<host>localhost|[^_/]*\.[^_/]*)_(?P<port>[1-9][0-9]{0,4})/(?P<rest>.+)"
)
_ANY_PATH: Final = "any/path"


@dataclass(frozen=True, slots=True)
class Name:
    """A repository as a request names it.

    Attributes:
        path: what stands in the path; of the specification's grammar.
        namespace: the registry that `ns` names; empty where there is no `ns`.
    """

    path: str
    namespace: str = ""


def read_name(name: Name) -> Repository | None:
    """The repository that a name means; None where it can mean none."""
    if name.namespace:
        return _repository(name.namespace, name.path)
    spelled = _SPELLED_PORT.fullmatch(name.path)
    if spelled:
        return _repository(f"{spelled['host']}:{spelled['port']}", spelled["rest"])
    return _repository(*split_domain(name.path))


def spell_name(repository: Repository) -> str:
    """The full name that `read_name` reads as this repository; empty where no path spells it."""
    path = f"{repository.registry.replace(':', '_', 1)}/{repository.path}"
    return path if is_path(path) and read_name(Name(path)) == repository else ""


def spell_registry(registry: str) -> str:
    """How full names begin that mean this registry's repositories; empty where none can."""
    return spell_name(Repository(registry, _ANY_PATH)).removesuffix(f"/{_ANY_PATH}")


def _repository(registry: str, path: str) -> Repository | None:
    try:
        return Repository(registry, path)
    except InvalidReference:
        return None
