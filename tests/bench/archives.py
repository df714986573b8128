"""`pinner export` beside `tar -c` of the same bytes, which checks nothing; to a file and a pipe.

`export -o` waits until the disk has the file; so does `sync FILE` behind tar.

`python -m bench.archives FOLDER SCALE` makes the store, in a process of its own.
"""

from __future__ import annotations

import contextlib
import random
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.contestants import PINNER
from bench.material import IMAGES, OWN_MB, SHARED_MB, host_platform
from bench.measure import Contestant, Run
from pinner.store.layout import Store
from support.archiving import built, put
from support.programs import clean_environment, find
from support.storing import name

if TYPE_CHECKING:
    from collections.abc import Iterator

TO_FILE: Final = "pinner export -o FILE"
TAR_FILE: Final = "tar -c -f FILE"
TAR_SYNCED: Final = "tar -c -f FILE; sync FILE"
TO_PIPE: Final = "pinner export | cat"
TAR_PIPE: Final = "tar -c | cat"
_TESTS: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class OnStore:
    """A shell command about the store, with OUT to be written; all bytes are in memory."""

    name: str
    command: str
    store: Path

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Run]:
        """The command, once every blob has been read."""
        for path in self.store.glob("blobs/*/*"):
            with path.open("rb") as file:
                while file.read(1024 * 1024):
                    pass
        shell = find("sh") or "/bin/sh"
        yield Run([(shell, "-c", self.command)], clean_environment(folder), folder)


def archive_contestants(folder: Path, scale: float) -> list[Contestant]:
    """Who writes the store as one tar; the store is made here."""
    store = folder / "store"
    argv = [sys.executable, "-m", "bench.archives", str(store), str(scale)]
    subprocess.run(argv, cwd=_TESTS, check=True)
    at = shlex.quote(str(store))
    pinner = f"{shlex.quote(PINNER)} export -q --all --store {at}"
    tar = f"tar -C {at} -c"
    tar_file = f"{tar} -f out.tar blobs index.json oci-layout"
    return [
        OnStore(TO_FILE, f"{pinner} -o out.tar", store),
        OnStore(TAR_FILE, tar_file, store),
        OnStore(TAR_SYNCED, f"{tar_file} && sync out.tar", store),
        OnStore(TO_PIPE, f"{pinner} | cat > /dev/null", store),
        OnStore(TAR_PIPE, f"{tar} blobs index.json oci-layout | cat > /dev/null", store),
    ]


def main(folder: Path, scale: float) -> None:
    """Make a store of images that share a layer, 600 MB at `scale` 1.0."""
    random_bytes = random.Random(601)

    def noise(megabytes: float) -> bytes:
        return random_bytes.randbytes(int(megabytes * 1e6 * scale))

    shared = noise(SHARED_MB)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Store.open(folder) as store:
        for number in range(IMAGES):
            first = 20.0 + 5.0 * number
            image = built(host_platform(), shared, noise(first), noise(OWN_MB - first))
            put(store, image)
            name(store, f"docker.io/bench/large{number}:1.0", image.raw.data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
