"""The servers that are compared: pinner's, docker-registry and nginx, on the same blobs.

Each is a process of its own on loopback, plain or with TLS of its own, with its log of requests
off. pinner and nginx read one folder, docker-registry its own storage; all of it is in the page
cache.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.servestore import HOME
from support.programs import free_port, listens, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.tls import Certified

PINNER: Final = "pinner serve"
DOCKER: Final = "docker-registry"
NGINX: Final = "nginx, static files"
_TESTS: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked for: the manifest of a tag, and a blob of another repository."""

    repository: str
    tag: str
    manifest: str
    media_type: str
    blob_repository: str
    blob: str
    blob_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the content lies.

    Attributes:
        store: an OCI layout that is a store.
        storage: docker-registry's root.
    """

    store: Path
    storage: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A server that runs."""

    address: str
    scheme: str
    pid: int

    def cpu(self) -> float:
        """The CPU seconds of the process and its children so far."""
        return sum(map(_cpu, (self.pid, *_children(self.pid))))


@dataclass(frozen=True, slots=True)
class Contender:
    """One kind of server."""

    name: str
    is_registry: bool = True

    @contextlib.contextmanager
    def running(self, place: Place, folder: Path, certified: Certified | None) -> Iterator[Up]:
        """It runs on a free port of loopback, until the block ends."""
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        argv = _ARGUMENTS[self.name](place, folder, port, certified)
        with serving(*argv, folder=folder, ready=lambda _: listens(port)) as server:
            scheme = "https" if certified else "http"
            yield Up(address=f"127.0.0.1:{port}", scheme=scheme, pid=server.process.pid)

    def manifest(self, up: Up, target: Target) -> str:
        """The URL of the manifest: by tag, where there are tags."""
        if self.is_registry:
            path = f"v2/{target.repository}/manifests/{target.tag}"
            return f"{up.scheme}://{up.address}/{path}"
        return self._file(up, target.manifest)

    def blob(self, up: Up, target: Target) -> str:
        """The URL of the blob."""
        if self.is_registry:
            return f"{up.scheme}://{up.address}/v2/{target.blob_repository}/blobs/{target.blob}"
        return self._file(up, target.blob)

    @staticmethod
    def _file(up: Up, digest: str) -> str:
        return f"{up.scheme}://{up.address}/blobs/{digest.replace(':', '/')}"


CONTENDERS: Final = (Contender(PINNER), Contender(DOCKER), Contender(NGINX, is_registry=False))


def _pinner(place: Place, _: Path, port: int, certified: Certified | None) -> Sequence[str]:
    # This checkout's pinner, wherever the virtual environment has its own from.
    path = f"PYTHONPATH={_TESTS}{os.pathsep}{_TESTS.parent}"
    argv = ["env", path, sys.executable, "-m", "bench.servestore"]
    files = [str(certified.certificate), str(certified.key)] if certified else []
    return [*argv, str(place.store), str(port), *files]


def _docker(place: Place, folder: Path, port: int, certified: Certified | None) -> Sequence[str]:
    tls = (
        {"certificate": str(certified.certificate), "key": str(certified.key)} if certified else {}
    )
    config = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(place.storage)},
            "cache": {"blobdescriptor": "inmemory"},
        },
        "http": {
            "addr": f"127.0.0.1:{port}",
            "secret": "nobody's",
            **({"tls": tls} if tls else {}),
        },
    }
    path = folder / "config.yml"
    path.write_text(json.dumps(config))  # JSON is YAML
    return ["docker-registry", "serve", str(path)]


def _nginx(place: Place, folder: Path, port: int, certified: Certified | None) -> Sequence[str]:
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    lines = [
        "user root;" if os.geteuid() == 0 else "",
        f"daemon off; worker_processes auto; pid {folder}/nginx.pid;",
        "events { worker_connections 512; }",
        "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;",
        *(f"{name}_temp_path {folder}/{name};" for name in names),
        f"server {{ listen 127.0.0.1:{port}{' ssl' if certified else ''}; root {place.store};",
        *(
            [f"ssl_certificate {certified.certificate}; ssl_certificate_key {certified.key};"]
            if certified
            else []
        ),
        "} }",
        "",
    ]
    config = folder / "nginx.conf"
    config.write_text("\n".join(lines))
    return ["nginx", "-p", str(folder), "-c", str(config), "-e", "stderr"]


_ARGUMENTS: Final = {PINNER: _pinner, DOCKER: _docker, NGINX: _nginx}


def as_store(layout: Path) -> None:
    """Name the images of a layout as a store does, so that `bench.servestore` serves them."""
    path = layout / "index.json"
    document = json.loads(path.read_bytes())
    for entry in document["manifests"]:
        notes = entry["annotations"]
        name = notes["org.opencontainers.image.ref.name"]
        notes["org.opencontainers.image.ref.name"] = f"{HOME}/bench/{name}:1.0"
    path.write_text(json.dumps(document))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # ended meanwhile
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []
