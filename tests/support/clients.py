"""A registry client as the program opens it, for a test: no waiting, no real home or proxy."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.oci.reference import Reference
from pinner.registry.http11 import Timeouts
from pinner.registry.open import Surroundings, Tuning, open_client
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pinner.oci.registryconfig import RegistryConfig
    from pinner.registry.client import RegistryClient

PATIENT: Final = Tuning(timeouts=Timeouts(connect=120, answer=120, silence=120))
"""No machine is so busy that a server of these tests would seem silent."""
IMPATIENT: Final = Tuning(timeouts=Timeouts(connect=120, answer=2, silence=2))
"""For servers that are silent; but not within what a busy machine takes to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A client, the clock that it waits by, and the lines that it said."""

    client: RegistryClient
    clock: FakeClock
    notes: list[str] = field(default_factory=list)


@contextmanager
def opened(
    home: Path,
    *,
    configs: Sequence[RegistryConfig] = (),
    environ: Mapping[str, str] | None = None,
    clock: FakeClock | None = None,
    tuning: Tuning = PATIENT,
) -> Iterator[Opened]:
    """Open a client whose home folder is `home`, and close it in the end."""
    clock = clock or FakeClock()
    notes: list[str] = []
    around = Surroundings(
        configs=configs,
        environ=environ or {},
        home=home,
        clock=clock,
        note=notes.append,
        tuning=tuning,
    )
    with open_client(around) as client:
        yield Opened(client=client, clock=clock, notes=notes)


def store_login(home: Path, host: str, user: str, password: str) -> None:
    """Write a login for `host` to docker's config.json in `home`."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    folder = home / ".docker"
    folder.mkdir(exist_ok=True)
    file = folder / "config.json"
    file.write_text(json.dumps({"auths": {host: {"auth": pair}}}))
    file.chmod(0o600)


def ref(host: str, rest: str) -> Reference:
    """The reference `host/rest`."""
    return Reference.parse(f"{host}/{rest}")
