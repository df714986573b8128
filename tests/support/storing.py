"""Stores under test, and processes of their own that work on one (`start`)."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pinner.oci import mediatypes
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.store.ingest import Busy, Present
from pinner.store.layout import Store
from pinner.store.names import NamedDescriptor

if TYPE_CHECKING:
    from collections.abc import Sequence

BOOT = "11111111-1111-4111-8111-111111111111"
NEXT_BOOT = "22222222-2222-4222-8222-222222222222"
PIECE = 64 * 1024


def open_store(root: Path, *, boot: str | None = BOOT, create: bool = True) -> Store:
    """The store at `root`, as a process of the boot `boot` sees it."""
    return Store.open(root, create=create, boot_id=lambda: boot)


def noise(seed: int, size: int) -> bytes:
    """The same bytes for the same seed, not compressible."""
    return random.Random(seed).randbytes(size)


def start(task: str, root: Path, number: int = 0) -> subprocess.Popen[str]:
    """A process that does one of the tasks below on the store at `root`."""
    return subprocess.Popen(
        [sys.executable, __file__, task, str(root), str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def describe(data: bytes, media_type: str = mediatypes.OCI_LAYER_GZIP) -> Descriptor:
    """The descriptor of `data`."""
    return Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))


def fill(store: Store, data: bytes, *, piece: int = PIECE) -> None:
    """Receive a blob in order, as `sync` does; present already is fine."""
    digest = Digest.of(data)
    with store.begin(digest, len(data)) as ingest:
        for start, end in ingest.missing():
            for offset in range(start, end, piece):
                ingest.write(offset, data[offset : min(offset + piece, end)])
        ingest.commit()


def manifest_of(config: bytes, layers: Sequence[bytes]) -> bytes:
    """An OCI image manifest."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_MANIFEST,
            "config": _plain(describe(config, mediatypes.OCI_CONFIG)),
            "layers": [_plain(describe(layer)) for layer in layers],
        }
    ).encode()


def index_of(manifests: Sequence[bytes]) -> bytes:
    """An OCI image index whose members are for made-up variants of arm."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_INDEX,
            "manifests": [
                {
                    **_plain(describe(manifest, mediatypes.OCI_MANIFEST)),
                    "platform": {"os": "linux", "architecture": "arm", "variant": f"v{5 + number}"},
                }
                for number, manifest in enumerate(manifests)
            ],
        }
    ).encode()


def name(store: Store, text: str, data: bytes, media_type: str = mediatypes.OCI_MANIFEST) -> None:
    """Let the store name a manifest or index."""
    store.name_images([NamedDescriptor(name=text, descriptor=describe(data, media_type))])


def check_tree(root: Path) -> None:
    """Assert what holds at every moment: each blob hashes to its name, index.json is whole."""
    for path in root.glob("blobs/*/*"):
        assert Digest(path.parent.name, path.name).matches(path.read_bytes()), path
    if (root / "index.json").exists():
        json.loads((root / "index.json").read_bytes())


def _plain(descriptor: Descriptor) -> dict[str, object]:
    return {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }


def _task_name(store: Store, number: int) -> None:
    """Put a manifest of its own and name it."""
    data = manifest_of(f"{number}".encode(), [])
    store.put(Digest.of(data), data)
    name(store, f"docker.io/library/process:{number}", data)


def _task_share(store: Store, number: int) -> None:
    """Receive one blob that all processes want; print who did."""
    data = noise(1, 4_000_000)
    while True:
        try:
            fill(store, data)
        except Present:
            return
        except Busy:
            continue
        sys.stdout.write(f"{number} received it\n")
        return


def _task_many(store: Store, number: int) -> None:
    """Receive and name image after image; after each, say that it is acknowledged."""
    for image in range(1000):
        layer = noise(1000 * number + image, 300_000 + 10_000 * image)
        config = b"{}"
        manifest = manifest_of(config, [layer])
        store.announce([Digest.of(data) for data in (layer, config, manifest)])
        for data in (config, layer):
            try:
                fill(store, data)
            except Present:
                continue
        store.put(Digest.of(manifest), manifest)
        name(store, f"docker.io/library/image:{image}", manifest)
        sys.stdout.write(f"{image}\n")
        sys.stdout.flush()


def _task_hold(store: Store, number: int) -> None:
    """Hold the ingest of a blob with some bytes received, until killed."""
    data = noise(number, 3_000_000)
    with store.begin(Digest.of(data), len(data)) as ingest:
        ingest.write(0, data[:2_000_000])
        sys.stdout.write("holding\n")
        sys.stdout.flush()
        sys.stdin.read()


def _task_lease(store: Store, number: int) -> None:
    """Hold a lease of a blob, until killed."""
    with store.lease() as lease:
        lease.hold([Digest.of(noise(number, 1000))])
        sys.stdout.write("leasing\n")
        sys.stdout.flush()
        sys.stdin.read()


def _task_open(store: Store, number: int) -> None:
    """Open the store, and that is all."""


_TASKS = {
    task.__name__.removeprefix("_task_"): task
    for task in (*(_task_open, _task_name, _task_share, _task_many, _task_hold, _task_lease),)
}


if __name__ == "__main__":
    chosen, place, seed = sys.argv[1:]
    with open_store(Path(place)) as opened:
        _TASKS[chosen](opened, int(seed))
