"""The registry as a process over a real store, with a crowd of bad clients around it (W07)."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from bench import servestore
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference, Repository
from pinner.store.layout import Store
from pinner.store.names import NamedDescriptor
from support.dialing import everything
from support.images import index
from support.programs import free_port, listens, serving
from support.waiting import await_that

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.programs import Running

pytestmark = pytest.mark.servers

CROWD: Final = 200
BLOB: Final = random.Random(7).randbytes(20_000_000)
_TESTS: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Registry:
    running: Running
    port: int

    @property
    def pid(self) -> int:
        return self.running.process.pid

    def status(self, key: str) -> int:
        """A number of /proc/pid/status: Threads, VmRSS (kB), …"""
        found = re.search(
            rf"^{key}:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE
        )
        assert found is not None
        return int(found[1])

    def ask(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            data: bytes = answer.read()
        return data

    def dial(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    image = index("linux/amd64")
    with Store.open(tmp_path / "store") as store:
        for digest, data in image.everything().items():
            store.put(digest, data)
        store.put(Digest.of(BLOB), BLOB)
        name = str(Reference(Repository(servestore.HOME, "app"), "1"))
        store.name_images([NamedDescriptor(name=name, descriptor=image.descriptor)])
    port = free_port()
    argv = ("env", f"PYTHONPATH={_TESTS}", sys.executable, "-m", "bench.servestore")
    with serving(
        *argv,
        str(tmp_path / "store"),
        str(port),
        folder=tmp_path,
        ready=lambda _: listens(port),
    ) as running:
        yield Registry(running, port)


def test_W07_200_bad_clients_cost_little_and_keep_nobody_out(registry: Registry) -> None:
    blob = f"/v2/app/blobs/{Digest.of(BLOB)}"
    ask_for_blob = f"GET {blob} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert registry.ask(blob) == BLOB  # hashed once, before anything is counted
    threads, memory, peak = (registry.status(key) for key in ("Threads", "VmRSS", "VmHWM"))
    with ExitStack() as crowd:
        clients = [crowd.enter_context(registry.dial()) for _ in range(CROWD)]
        for number, client in enumerate(clients):
            match number % 4:
                case 1:
                    client.sendall(b"GET /v2/ HTTP/1.1\r\nHo")
                case 2:
                    client.sendall(b"G" * 15_000)  # below the limit of a head, and no end
                case 3:
                    client.sendall(ask_for_blob)  # and never read
        for _ in range(10):
            assert registry.ask("/v2/app/manifests/1")
            assert registry.ask(blob) == BLOB
        await_that(lambda: registry.status("Threads") - threads <= CROWD + 1)
        # A thread's stack and a head for each: whatever the blobs' size.
        assert registry.status("VmRSS") - memory < 200 * CROWD
        assert registry.status("VmHWM") - peak < 200 * CROWD


def test_sigterm_ends_it_beside_idle_clients_and_one_that_never_reads(registry: Registry) -> None:
    with ExitStack() as crowd:
        idle = crowd.enter_context(registry.dial())
        greedy = crowd.enter_context(registry.dial())
        path = f"/v2/app/blobs/{Digest.of(BLOB)}"
        greedy.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        greedy.recv(1)
        os.kill(registry.pid, signal.SIGTERM)
        assert everything(idle) == b""
        assert registry.running.process.wait(25) == 0  # before it would give up a client by itself
    assert registry.running.stderr.read_text() == ""
