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

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class FakeContent:
    folder: Path
    manifests: dict[Digest, RawManifest] = field(default_factory=dict)
    repositories: dict[str, dict[str, Digest]] = field(default_factory=dict)
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
        self.repositories.setdefault(name, {})[tag] = digest
        return digest

    def tags(self, name: str) -> tuple[str, ...] | None:
        self.looked_up.append(name)
        repository = self.repositories.get(name)
        return None if repository is None else tuple(repository)

    def manifest(self, name: str, reference: str | Digest) -> RawManifest | None:
        self.looked_up.append(name)
        digest = (
            reference
            if isinstance(reference, Digest)
            else self.repositories.get(name, {}).get(reference)
        )
        return None if digest is None else self.manifests.get(digest)

    def blob(self, name: str, digest: Digest) -> BlobFile | None:
        self.looked_up.append(name)
        path = self.folder / digest.hex
        return BlobFile(path=path, size=path.stat().st_size) if path.exists() else None


@pytest.fixture
def content(tmp_path: Path) -> FakeContent:
    return FakeContent(tmp_path)


@pytest.fixture
def app(content: FakeContent) -> App:
    return App(content)
