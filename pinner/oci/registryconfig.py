"""How to reach one registry, as `images.toml` or the user-wide `config.toml` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryConfig:
    """The settings of one registry host (design section 2).

    Attributes:
        host: `host[:port]` as references spell it; the aliases of docker.io are folded.
        plain_http: ask over http. Credentials go over it only to loopback or if `user_wide`.
        mirrors: `host[:port][/prefix]`, tried in order before the registry, for digests only.
        ca_file: a PEM bundle trusted for this host beside the system's authorities.
        user_wide: the user's own file says so; a repository's file never widens trust.
    """

    host: str
    plain_http: bool = False
    mirrors: tuple[str, ...] = ()
    ca_file: Path | None = None
    user_wide: bool = False
