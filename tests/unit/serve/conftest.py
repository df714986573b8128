"""A registry's content in memory and on a temporary disk, for the tests of `serve`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pinner.oci.digest import Digest
from pinner.oci.sources import RawManifest
from pinner.serve.app import App
from pinner.serve.content import BlobFile

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.oci.descriptor import Descriptor
    from pinner.serve.names import Name

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class FakeContent:
    folder: Path
    manifests: dict[Digest, RawManifest] = field(default_factory=dict)
    named: dict[str, dict[str, Digest]] = field(default_factory=dict)
    referring: dict[Digest, list[Descriptor]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)

    def put_blob(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        (self.folder / digest.hex).write_bytes(data)
        return digest

    def put_manifest(
        self,
        name: str,
        tag: str,
        data: bytes,
        media_type: str = OCI_MANIFEST,
        last_modified: float | None = None,
    ) -> Digest:
        digest = Digest.of(data)
        self.manifests[digest] = RawManifest(
            media_type=media_type, digest=digest, data=data, last_modified=last_modified
        )
        self.named.setdefault(name, {})[tag] = digest
        return digest

    def tags(self, name: Name) -> tuple[str, ...] | None:
        self.looked_up.append(name.path)
        repository = self.named.get(name.path)
        return None if repository is None else tuple(repository)

    def manifest(self, name: Name, reference: str | Digest) -> RawManifest | None:
        self.looked_up.append(name.path)
        digest = (
            reference
            if isinstance(reference, Digest)
            else self.named.get(name.path, {}).get(reference)
        )
        return None if digest is None else self.manifests.get(digest)

    def blob(self, name: Name, digest: Digest) -> BlobFile | None:
        self.looked_up.append(name.path)
        path = self.folder / digest.hex
        return BlobFile(path=path, size=path.stat().st_size) if path.exists() else None

    def referrers(self, name: Name, subject: Digest) -> tuple[Descriptor, ...] | None:
        self.looked_up.append(name.path)
        return tuple(self.referring.get(subject, ())) if name.path in self.named else None

    def repositories(self, namespace: str) -> tuple[str, ...]:
        return tuple(f"{namespace}/{name}" if namespace else name for name in self.named)


@pytest.fixture
def content(tmp_path: Path) -> FakeContent:
    return FakeContent(tmp_path)


@pytest.fixture
def app(content: FakeContent) -> App:
    return App(content)
