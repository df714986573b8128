"""Which repository of the target an image goes to (pure).

    full   docker.io/library/debian -> TARGET/docker.io/library/debian   mirror TARGET/docker.io
    path   docker.io/library/debian -> TARGET/library/debian             mirror TARGET

`full` keeps images of two registries apart that have one path; it is what everybody gets who does
not ask for something else. A mirror `host/prefix` is asked for `prefix/path` (design section 2),
so either is found by `pinner sync` once images.toml names it.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.oci.grammar import is_path
from pinner.oci.reference import InvalidReference, Repository, parse_registry
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.lockfile import LockedImage

_SHOWN: Final = 160
_IPV6: Final = re.compile(r"\[(?P<address>[^]]*)\](?::(?P<port>[0-9]+))?", re.ASCII)


class Naming(enum.Enum):
    """How repositories are named at the target."""

    FULL = "full"
    PATH = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A registry, and what stands before every path in it.

    Attributes:
        registry: `host[:port]`.
        prefix: without slashes at its ends; "" for none.
    """

    registry: str
    prefix: str = ""
    naming: Naming = Naming.FULL

    @classmethod
    def parse(cls, text: str, naming: Naming) -> Target:
        """The target that `host[:port][/prefix]` names.

        Raises:
            InputError: it names none.
        """
        if "://" in text:
            raise InputError(
                "a target has no scheme: registry.example/mirror",
                mend='plain http is asked for with plain-http = true in [registries."host"]',
            )
        if "@" in text:  # not repeated: it may be a password
            raise InputError("a target holds no user or password", mend="log in: pinner login HOST")
        host, slash, prefix = text.partition("/")
        try:
            registry = parse_registry(host)
        except InvalidReference:
            registry = ""
        if not registry or (slash and not is_path(prefix)):
            raise InputError(
                f'"{safe(text, limit=_SHOWN)}" is not a registry, or a registry and a path',
                mend='like "registry.example" or "registry.example:5000/mirror"',
            )
        return cls(registry=registry, prefix=prefix, naming=naming)

    def repository(self, source: Repository) -> Repository:
        """Where the images of `source` go.

        Raises:
            InvalidReference: the name would be too long.
        """
        parts = (self.prefix, self._folder(source.registry), source.path)
        return Repository(self.registry, "/".join(filter(None, parts)))

    def mirror_of(self, registry: str) -> str:
        """The value for `mirrors` of a registry whose images went here."""
        return "/".join(filter(None, (self.registry, self.prefix, self._folder(registry))))

    def is_home_of(self, image: LockedImage) -> bool:
        """Whether an image comes from the target's own registry."""
        return image.repository.registry.lower() == self.registry.lower()

    def _folder(self, registry: str) -> str:
        return as_component(registry) if self.naming is Naming.FULL else ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.registry, self.prefix)))


def as_component(registry: str) -> str:
    """A registry as a part of a path, one for each: `registry.example:5000` with `_` for the colon.

    A host has no `_`; an IPv6 address is spelled with dashes.
    """
    found = _IPV6.fullmatch(registry)
    if found is None:
        return registry.lower().replace(":", "_")
    groups = "-".join(group or "0" for group in found["address"].lower().split(":"))
    return f"ipv6-{groups}" + (f"_{found['port']}" if found["port"] else "")
