"""What the machine can do: `curl --parallel` and `sha256sum` beside `pinner sync`, plain and TLS.

Both fetch the same blobs from docker-registry over as many connections, and hash them.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.contestants import CONNECTIONS, Pinner, Source, lock_of, spec_of
from bench.material import LARGE_IMAGES
from bench.measure import Run
from support.programs import clean_environment, find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.measure import Contestant
    from support.registries import Registry

SYNC: Final = "pinner sync"
CURL: Final = "curl --parallel, then sha256sum"
CURL_ON_ALL: Final = "curl --parallel, then sha256sum on every core"
WAYS: Final = ("http", "TLS")


@dataclass(frozen=True, slots=True)
class CurlAndHash:
    """`curl --parallel` of all blobs, then `sha256sum` of the files, by so many at once."""

    name: str
    blobs: tuple[str, ...]
    ca_file: Path | None
    hashers: int

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """Two commands; the addresses stand in a file."""
        lines = []
        files = [f"{folder}/{number}" for number in range(len(self.blobs))]
        for url, file in zip(self.blobs, files, strict=True):
            lines += [f'url = "{url}"', f'output = "{file}"']
        (folder / "blobs").write_text("\n".join(lines))
        options = ["--silent", "--show-error", "--fail", "--parallel-max", CONNECTIONS]
        if self.ca_file:
            options += ["--cacert", str(self.ca_file)]
        curl = [find("curl") or "curl", "--parallel", *options, "--config", f"{folder}/blobs"]
        (folder / "files").write_text("\n".join(files))
        each = len(files) if self.hashers == 1 else 1
        shares = ["--arg-file", f"{folder}/files", "-P", str(self.hashers), "-n", str(each)]
        hashing = [find("xargs") or "xargs", *shares, "sha256sum"]
        yield Run([curl, hashing], clean_environment(folder), folder)


def limit_contestants(
    registry: Registry, blobs: tuple[str, ...], way: str, folder: Path
) -> list[Contestant]:
    """Who fetches and hashes 600 MB in one of the ways.

    Args:
        registry: where from.
        blobs: the addresses of the blobs there.
        way: one of `WAYS`, for the names.
        folder: for making the lockfile.
    """
    spec = spec_of(Source(registry.address, blobs), LARGE_IMAGES)
    if registry.ca_file:
        spec += f'\n[registries."{registry.address}"]\nca-file = "{registry.ca_file}"\n'
    locked = lock_of(spec, folder / f"lock-{way}")
    return [
        Pinner(f"{SYNC}, {way}", ("sync", "-q"), spec, locked),
        CurlAndHash(f"{CURL}, {way}", blobs, registry.ca_file, 1),
        CurlAndHash(f"{CURL_ON_ALL}, {way}", blobs, registry.ca_file, os.cpu_count() or 1),
    ]
