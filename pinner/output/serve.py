"""What `pinner serve` tells: where it listens, and how clients are pointed at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.output.tables import columns
from pinner.output.units import plural
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB: Final = "docker.io"
"""Whose images dockerd asks a mirror for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that listens.

    Attributes:
        listen: `host:port` as it listens.
        address: `host:port` as clients write it.
        tls: whether it speaks TLS.
        login: whether it asks for a password.
        remote: whether other machines can reach it.
        store: the store's folder.
        images: how many names the store has.
        registries: whose images they are, each with its spelling in a path; empty for none.
        example: a name that a client can pull; empty where the store has none.
    """

    listen: str
    address: str
    tls: bool
    login: bool
    remote: bool
    store: str
    images: int
    registries: Mapping[str, str]
    example: str

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"{'https' if self.tls else 'http'}://{self.address}"


def render_served(served: Served) -> str:
    """The one line that says what is served where."""
    images = plural(served.images, "image") if served.images else "no image yet"
    return f"Serving {images} at {served.url}, read-only, until Ctrl-C\n"


def pointers(served: Served) -> list[str]:
    """How clients are pointed at it, a line each."""
    if not served.images:
        return [f"  `pinner sync` into {safe(served.store)} fills it meanwhile"]
    rows: list[tuple[str, str]] = []
    if served.example:
        rows.append(("pull", f"docker pull {served.address}/{served.example}"))
    if HUB in served.registries:
        rows.append(("docker", f'daemon.json: "registry-mirrors": ["{served.url}"]'))
    for name in sorted(served.registries, key=lambda name: (name != HUB, name))[:1]:
        spelled, shown = served.registries[name], safe(name)
        if spelled:
            location = f"{served.address}/{spelled}"
            rows.append(("podman", f'registries.conf: prefix = "{shown}", location = "{location}"'))
        rows.append(("containerd", f'certs.d/{shown}/hosts.toml: [host."{served.url}"]'))
    return [f"  {line}" for line in columns(rows, indent=0).splitlines()]


def exposure(served: Served) -> str:
    """What it means that other machines reach it; empty where nobody else gets more than meant."""
    if not served.remote or (served.tls and served.login):
        return ""
    who = f"whoever reaches {served.address}"
    if served.login:
        return f"passwords cross the network in clear text to {served.address}: add --tls-cert"
    if served.tls:
        return f"{who} can pull every image of this store: --htpasswd asks for a password"
    return (
        f"{who} can pull every image of this store, and can be given another on the way: "
        "--tls-cert and --htpasswd prevent it"
    )


def served_fields(served: Served) -> dict[str, Any]:
    """The JSON document, printed once it listens."""
    return {
        "listen": served.listen,
        "address": served.address,
        "url": served.url,
        "tls": served.tls,
        "login": served.login,
        "remote": served.remote,
        "store": safe(served.store),
        "images": served.images,
        "registries": [safe(name) for name in served.registries],
    }
