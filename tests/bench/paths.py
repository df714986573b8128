"""Long paths: a layer of 200 MB over slow connections, over ones that break, and in two runs.

Times over slow connections are taken side by side as everywhere; over broken ones, and for a run
that is killed half-way and begun again, bytes are counted at a relay in front of the registry, and
they come out the same each time.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.contestants import Pinner, lock_of
from bench.material import host_platform
from bench.measure import Contestant, Run
from support.containerd import containerd
from support.dockerd import client, dockerd
from support.layouts import LayoutWriter, noise
from support.programs import clean_environment, find
from support.pushing import push_layout
from support.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.registries import Registry

IMAGE: Final = "bench/far:1.0"
LAYER_MB: Final = 200.0
RATE_MB: Final = 8
RESET_MB: Final = 5
SYNC: Final = "pinner sync"
_SYNC: Final = ("sync", "-q")
_COUNTED_RATE: Final = 40e6  # bytes a second of a connection, where bytes are counted
_PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Pull:
    """A program that pulls the image into an empty place."""

    name: str
    made: Callable[[str, Path], AbstractContextManager[Run]]
    address: str

    def prepared(self, folder: Path) -> AbstractContextManager[Run]:
        """The command, with what it needs."""
        return self.made(self.address, folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a pull came to, in runs of which all but the last were killed half-way.

    Attributes:
        sent: bytes that the registry's side sent in all runs.
        ended: whether the last run succeeded.
        connections: how many were reset.
    """

    sent: int
    ended: bool
    resets: int


def push_far(registry: Registry, folder: Path, scale: float) -> int:
    """Put the image into a registry; its layer's size in bytes."""
    layer = noise("far", int(LAYER_MB * 1e6 * scale))
    writer = LayoutWriter(folder)
    writer.name("far", writer.index([writer.image(host_platform(), [layer])]))
    push_layout(registry, folder, "far", IMAGE)
    return len(layer)


def far_contestants(address: str, folder: Path) -> list[Contestant]:
    """Who pulls it over connections of 8 MB/s."""
    spec = _spec(address)
    return [
        Pinner(SYNC, _SYNC, spec, lock_of(spec, folder / "lock-far")),
        Pull("skopeo copy", _skopeo, address),
        Pull("docker pull", _docker, address),
    ]


def over_resets(registry: Registry, folder: Path) -> dict[str, Outcome]:
    """Each program through a relay that resets every connection after 5 MB."""
    return {
        name: _counted(made, registry, folder / f"resets-{number}", reset_after=RESET_MB * 10**6)
        for number, (name, made) in enumerate(_PULLS.items())
    }


def begun_again(registry: Registry, folder: Path, size: int) -> dict[str, Outcome]:
    """Each program killed when half of the layer was sent, and started again."""
    return {
        f"{name}, {sent.name}": _counted(
            made,
            registry,
            folder / f"again-{number}-{sent.name}",
            half=(size // 2, sent),
        )
        for number, (name, made) in enumerate(_PULLS.items())
        for sent in (signal.SIGKILL, *([signal.SIGINT] if name == SYNC else []))
    }


def _counted(
    made: Callable[[str, Path], AbstractContextManager[Run]],
    registry: Registry,
    folder: Path,
    *,
    reset_after: int | None = None,
    half: tuple[int, signal.Signals] | None = None,
) -> Outcome:
    folder.mkdir(parents=True)
    rate = None if reset_after else _COUNTED_RATE
    with Relay(registry.address, rate=rate, reset_after=reset_after) as relay:
        with made(relay.address, folder) as run:
            before = relay.sent
            if half is not None:
                process = _start(run)
                until = time.monotonic() + _PATIENCE
                while relay.sent - before < half[0] and process.poll() is None:
                    if time.monotonic() > until:
                        break
                    time.sleep(0.002)
                process.send_signal(half[1])
                process.wait()
            ended = _start(run).wait() == 0
        outcome = Outcome(sent=relay.sent - before, ended=ended, resets=relay.resets)
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    return outcome


def _start(run: Run) -> subprocess.Popen[bytes]:
    (argv,) = run.commands
    return subprocess.Popen(
        argv,
        cwd=run.cwd,
        env=dict(run.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _spec(address: str) -> str:
    return f'[settings]\nplatforms = ["{host_platform()}"]\n\n[images]\nfar = "{address}/{IMAGE}"\n'


@contextlib.contextmanager
def _pinner(address: str, folder: Path) -> Iterator[Run]:
    spec = _spec(address)
    locked = lock_of(spec, folder / "lock")
    with Pinner(SYNC, _SYNC, spec, locked).prepared(folder) as run:
        yield run


@contextlib.contextmanager
def _skopeo(address: str, folder: Path) -> Iterator[Run]:
    options = ("--insecure-policy", "copy", "--quiet", "--src-tls-verify=false")
    argv = [find("skopeo") or "skopeo", *options, f"docker://{address}/{IMAGE}"]
    yield Run([[*argv, f"oci:{folder}/copied:1"]], clean_environment(folder), folder)


@contextlib.contextmanager
def _docker(address: str, folder: Path) -> Iterator[Run]:
    with dockerd(folder / "dockerd") as daemon:
        pid = json.loads((folder / "dockerd/daemon.json").read_bytes())["pidfile"]
        environment = clean_environment(daemon.folder, {"DOCKER_HOST": daemon.host})
        argv = [client(), "pull", "--quiet", f"{address}/{IMAGE}"]
        with open(pid) as file:  # noqa: PTH123 - as any file
            yield Run([argv], environment, folder, daemon=int(file.read()))


@contextlib.contextmanager
def _ctr(address: str, folder: Path) -> Iterator[Run]:
    with containerd(folder) as server:
        fetch = (*server.arguments[1:], "content", "fetch", "--plain-http")
        argv = [find("ctr") or "ctr", *fetch, "--platform", host_platform(), f"{address}/{IMAGE}"]
        yield Run([argv], clean_environment(folder), folder, daemon=server.pid)


_PULLS: Final[Mapping[str, Callable[[str, Path], AbstractContextManager[Run]]]] = {
    SYNC: _pinner,
    "skopeo copy": _skopeo,
    "docker pull": _docker,
    "ctr content fetch": _ctr,
}
