"""Where the campaign happens: a project, its store, and a slow registry with two small images.

    with arena(folder) as here:
        here.begin("sync")                     # as if nothing had been run yet
        process = here.start("sync")           # a real process
        here.run(*SYNC)                        # in this process, for speed

`app` is an index of two platforms, whose tag has moved since the lock was written; `tool` is a lone
manifest that shares a layer with it.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from pinner.store.extents import Extents
from support.ground import Ground
from support.oracle import assert_sound, tree
from support.registry_faults import paced
from support.registry_sim import RegistrySim
from support.storing import noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.ground import Ran
    from support.net import Request

SYNC: Final = ("sync", "--platform", "linux/amd64")
UPDATE: Final = ("update", "--fetch")
LOCK: Final = ("lock",)
COMMANDS: Final = {"sync": SYNC, "update --fetch": UPDATE, "lock": LOCK}
PATIENCE: Final = 120
_POLL: Final = 0.005
LARGEST: Final = ("milliseconds of a run", "largest lag")
"""Counts of which the largest is kept where shards are put together."""


@dataclass(slots=True)
class Tally:
    """What a part of the campaign came to.

    Attributes:
        counts: how often what happened.
        failures: what must never happen, in words.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in what a shard came to."""
        most = {key: max(self.counts[key], other.counts[key]) for key in LARGEST}
        self.counts.update(other.counts)
        self.counts.update({key: most[key] - self.counts[key] for key in most if most[key]})
        self.failures += other.failures

    @contextlib.contextmanager
    def judging(self, label: str) -> Iterator[None]:
        """Note what fails in the block, an assertion or the reading of a torn file, and go on."""
        try:
            yield
        except (AssertionError, OSError, ValueError, LookupError) as error:
            self.counts["failed"] += 1
            self.failures.append(f"{label}: {error}" if str(error) else f"{label}: {error!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes of the layers: of the one that is shared, of `app`'s own, and of `tool`'s own."""

    shared: int
    own: int
    small: int


LARGE: Final = Sizes(shared=700_000, own=5_000_000, small=40_000)
SMALL: Final = Sizes(shared=90_000, own=150_000, small=2_000)


class Arena:
    """See above.

    Attributes:
        ground: the project and its store.
        sim: the registry.
        blobs: the size of every blob of `linux/amd64`, by digest.
    """

    def __init__(self, folder: Path, sim: RegistrySim, sizes: Sizes) -> None:
        self.folder = folder
        self.sim = sim
        home = folder / "home"
        home.mkdir(parents=True)
        self._environ = {
            "HOME": str(home),
            **{f"XDG_{kind}_HOME": str(home / kind) for kind in ("CACHE", "CONFIG", "STATE")},
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_COLOR": "1",
        }
        self.ground = Ground(folder / "ground", home, sim, environ=self._environ)
        self._fill(sizes)
        self.ground.want(app="team/app:stable", tool="team/tool:1")
        self._push_app(sizes, "old")
        self._run("lock")
        self.old_lock = self.ground.lockfile.read_bytes()
        self._push_app(sizes, "new")
        self._run("update")
        self.new_lock = self.ground.lockfile.read_bytes()
        self.spec = self.ground.spec.read_bytes()
        self.blobs = {
            digest: len(data)
            for repository in sim.content.repositories.values()
            for digest, data in repository.blobs.items()
        }
        self._whole: dict[str, bytes] = {}

    def _fill(self, sizes: Sizes) -> None:
        layers = [noise(1, sizes.shared), noise(2, sizes.small)]
        self.sim.content.add_image("team/tool", "1", layers=layers)

    def _push_app(self, sizes: Sizes, age: str) -> None:
        content = self.sim.content
        seed = {"old": 10, "new": 20}[age]
        layers = [noise(1, sizes.shared), noise(seed, sizes.own), noise(seed + 1, sizes.small)]
        images = {
            "linux/amd64": content.add_image("team/app", layers=layers),
            "linux/arm64": content.add_image(
                "team/app", layers=[noise(seed + 2, 100)], architecture="arm64"
            ),
        }
        content.add_index("team/app", "stable", images=images)

    def begin(self, command: str) -> None:
        """Everything as it is before the first run of a command."""
        shutil.rmtree(self.ground.store, ignore_errors=True)
        shutil.rmtree(self.ground.home / "STATE", ignore_errors=True)
        for left in self.ground.project.iterdir():
            left.unlink()
        self.ground.spec.write_bytes(self.spec)
        if command != "lock":
            self.ground.lockfile.write_bytes(
                self.old_lock if command.startswith("update") else self.new_lock
            )

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """A command as a process, whose output nobody reads."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return self.ground.start(*COMMANDS[command], **quiet)

    def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a process; its exit code. One that does not end is killed, and a failure."""
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"no end after {PATIENCE} s") from None

    def settle(self) -> None:
        """Wait until the registry has read all that a killed process had sent."""
        # Our own connection comes after those that the process had begun.
        with socket.create_connection(("127.0.0.1", self.sim.port), PATIENCE) as own:
            own.sendall(b"GET /v2/ HTTP/1.1\r\n\r\n")
            own.recv(1)
        deadline = time.monotonic() + PATIENCE
        while not self.sim.is_idle:
            assert time.monotonic() < deadline, "the registry still has connections"
            time.sleep(_POLL)

    def assert_whole(self, command: str) -> None:
        """Assert that no file is torn: the store is sound, lock and spec are old or new."""
        assert_sound(self.ground.store)
        assert self.ground.spec.read_bytes() == self.spec, "images.toml was changed"
        assert self.lock() in self.allowed_locks(command), "torn lockfile"

    def allowed_locks(self, command: str) -> tuple[bytes | None, ...]:
        """What images.lock may be after a run of a command that did not end well."""
        return {"sync": (self.new_lock,), "lock": (None, self.new_lock)}.get(
            command, (self.old_lock, self.new_lock)
        )

    def lock(self) -> bytes | None:
        """The bytes of images.lock; None where there is none."""
        file = self.ground.lockfile
        return file.read_bytes() if file.exists() else None

    def assert_converges(self, command: str) -> None:
        """Run the command again, then a sync, and assert what a faultless run comes to."""
        for again in dict.fromkeys((command, "sync")):
            self._run(*COMMANDS[again])
        assert self.lock() == self.new_lock
        whole, found = self.whole(), self.outcome()
        if command.startswith("update"):  # what it fetched to compare may stay
            found = {name: data for name, data in found.items() if name in whole}
        assert found == whole, "another store than after a faultless run"
        assert not self._beside(), "a temporary is left beside the lockfile"

    def whole(self) -> dict[str, bytes]:
        """What a faultless sync comes to, found out once."""
        if not self._whole:
            twin = Ground(self.folder / "whole", self.ground.home, self.sim, environ=self._environ)
            twin.spec.write_bytes(self.spec)
            twin.lockfile.write_bytes(self.new_lock)
            ran = twin.run(*SYNC)
            assert ran.code == 0, ran.err
            self._whole = _outcome(twin.store)
        return self._whole

    def outcome(self) -> dict[str, bytes]:
        """Blobs, names and layout of the store; what lies in ingest/ is counted elsewhere."""
        return _outcome(self.ground.store)

    def litter(self) -> list[str]:
        """Files that a killed run left: temporaries beside the lockfile, and in ingest/."""
        return self._beside() + [file.name for file in self.ground.store.glob("ingest/*")]

    def _beside(self) -> list[str]:
        known = {self.ground.spec, self.ground.lockfile}
        return [file.name for file in self.ground.project.iterdir() if file not in known]

    def published(self) -> dict[str, int]:
        """The size of every blob that has its name, by digest."""
        files = self.ground.store.glob("blobs/sha256/*")
        return {f"sha256:{file.name}": file.stat().st_size for file in files}

    def partials(self) -> dict[str, tuple[int, int]]:
        """Of each blob under way: the bytes that are on the disk, and those of its journal."""
        found = {}
        for file in self.ground.store.glob("ingest/sha256-*"):
            if not file.suffix:
                journal = file.with_name(f"{file.name}.extents")
                noted = Extents.loads(journal.read_bytes()).total if journal.exists() else 0
                status = file.stat()
                written = min(status.st_blocks * 512, status.st_size)
                found[file.name.replace("-", ":")] = (written, noted)
        return found

    def asked(self, requests: Sequence[Request]) -> Counter[str]:
        """The bytes of each blob that these requests are for."""
        found: Counter[str] = Counter()
        for request in requests:
            digest = request.path.rpartition("/")[2]
            if "/blobs/" not in request.path or digest not in self.blobs:
                continue
            span = request.headers.get("range")
            if span is None:
                found[digest] += self.blobs[digest]
            else:
                first, _, last = span.removeprefix("bytes=").partition("-")
                found[digest] += min(int(last), self.blobs[digest] - 1) - int(first) + 1
        return found

    def run(self, *argv: str) -> Ran:
        """Run a command in this process; one that does not end is interrupted, and fails."""
        with _deadline():
            return self.ground.run(*argv)

    def _run(self, *argv: str) -> None:
        ran = self.run(*argv)
        assert ran.code == 0, f"exit {ran.code}: {ran.err}"


@contextlib.contextmanager
def _deadline() -> Iterator[None]:
    def too_long(*_: object) -> NoReturn:
        raise AssertionError(f"no end after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _outcome(store: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(store).items() if not name.startswith("ingest/")}


@contextlib.contextmanager
def arena(folder: Path, sizes: Sizes = SMALL, *, pace: float = 0) -> Iterator[Arena]:
    """An arena whose registry takes `pace` seconds for each 64 KiB of a blob, by connection."""
    with RegistrySim() as sim:
        here = Arena(folder, sim, sizes)
        if pace:
            sim.always("/blobs/", paced(pace))
        yield here
