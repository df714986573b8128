"""OCI layouts made by hand, for skopeo to push: nothing of pinner has a part in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CONFIG: Final = "application/vnd.oci.image.config.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
REF_NAME: Final = "org.opencontainers.image.ref.name"


def layer(files: Mapping[str, bytes], *, level: int = 6) -> bytes:
    """A gzipped tar of these files, the same bytes each time."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), compresslevel=level, mtime=0)


def noise(seed: str, size: int) -> bytes:
    """A layer of `size` bytes, and some more, that nothing compresses; equal seeds, equal bytes."""
    return layer({"noise": random.Random(seed).randbytes(size)}, level=0)


class LayoutWriter:
    """Adds images to an OCI layout in `folder`; each method returns a descriptor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._named: list[dict[str, Any]] = []
        (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, media_type: str, data: bytes) -> dict[str, Any]:
        """Any content."""
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def image(
        self,
        platform: str,
        layers: Sequence[bytes],
        *,
        created: str = "2026-01-02T03:04:05Z",
        unpacks: bool = True,
    ) -> dict[str, Any]:
        """One platform's image (`linux/arm/v7`) of gzipped layers, damaged where not `unpacks`."""
        system, architecture, *variant = platform.split("/")
        described = {"os": system, "architecture": architecture}
        if variant:
            described["variant"] = variant[0]
        plain = [gzip.decompress(data) for data in layers] if unpacks else layers
        unpacked = [hashlib.sha256(data).hexdigest() for data in plain]
        config = {
            **described,
            "created": created,
            "config": {"Labels": {"org.opencontainers.image.title": platform}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in unpacked]},
            "history": [{"created_by": "tests"} for _ in layers],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(CONFIG, _json(config)),
            "layers": [self.blob(LAYER, data) for data in layers],
        }
        return {**self.blob(MANIFEST, _json(manifest)), "platform": described}

    def index(self, images: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """An index of images."""
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(images)}
        return self.blob(INDEX, _json(document))

    def name(self, name: str, descriptor: Mapping[str, Any]) -> None:
        """Let `oci:folder:name` be this manifest or index."""
        lone = {key: value for key, value in descriptor.items() if key != "platform"}
        self._named.append({**lone, "annotations": {REF_NAME: name}})
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self._named}
        (self.folder / "index.json").write_bytes(_json(document))


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
