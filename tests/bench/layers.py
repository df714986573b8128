"""Reading packages out of one large layer, beside `gzip -dc | tar -t`, which only lists it.

`python -m bench.layers FILE` is what is measured: a process that compares the layer in FILE with an
image without packages, as `pinner update` does, in a process of its own with limits.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import shutil
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.measure import Contestant, Run
from pinner.inventory.contents import Layer
from pinner.inventory.isolation import compare_packages
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from support.programs import clean_environment, find
from support.tars import member, status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LISTED: Final = "gzip -dc | tar -t"
READ: Final = "pinner, packages of a layer"
LAYER_MB: Final = 100.0
PACKAGES: Final = 300
_TESTS: Final = Path(__file__).resolve().parents[1]
_ROOTS: Final = ("/usr/lib", "/usr/bin", "/usr/share", sys.prefix, sys.base_prefix)
_LARGEST: Final = 4_000_000  # of one file, so that there are many


@dataclass(frozen=True, slots=True)
class OnLayer:
    """A program that reads the layer."""

    name: str
    argv: tuple[str, ...]

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """The command; it writes nothing."""
        environment = clean_environment(folder, {"PYTHONPATH": str(_TESTS)})
        yield Run([self.argv], environment, folder)


def layer_contestants(layer: Path) -> list[Contestant]:
    """Who lists or reads the layer."""
    shell = find("sh") or "/bin/sh"
    return [
        OnLayer(LISTED, (shell, "-c", 'gzip -dc "$1" | tar -t', "sh", str(layer))),
        OnLayer(READ, (sys.executable, "-m", "bench.layers", str(layer))),
    ]


def make_layer(path: Path, megabytes: float) -> Path:
    """A gzip layer of about this size, of dpkg's database and files of this machine."""
    versions = {f"package-{number}": f"1.{number}-1" for number in range(PACKAGES)}
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:
        packed.write(member(b"var/lib/dpkg/status", status(**versions)))
        with tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as archive:
            for file in itertools.cycle(_files()):
                with contextlib.suppress(OSError):
                    archive.add(file, recursive=False)
                if raw.tell() > megabytes * 1e6:
                    break
    return path


def _files() -> Sequence[Path]:
    found = [
        path
        for root in _ROOTS
        for path in sorted(Path(root).rglob("*"))
        if path.is_symlink() or (path.is_file() and path.stat().st_size < _LARGEST)
    ]
    return found or [Path(shutil.__file__)]


def main(layer: Path) -> None:
    """Read it; what is in it must come out."""
    digest = Digest("sha256", "0" * 64)
    descriptor = Descriptor(media_type="", digest=digest, size=layer.stat().st_size)
    changes = compare_packages([], [Layer(descriptor=descriptor, path=layer)])
    if changes.notes or len(changes.changes) != PACKAGES:
        raise SystemExit(f"{len(changes.changes)} packages, {changes.notes}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
