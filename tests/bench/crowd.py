"""Many images: a project that locks them for four platforms, and a store that holds them.

Written as files, by nothing of pinner, so that what is measured made no part of it. Every image is
an index of four platforms; the store has the host's, with layers of a few bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.material import host_platform
from support.layouts import CONFIG, INDEX, LAYER, MANIFEST, REF_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.registry_content import Content

PLATFORMS: Final = ("linux/amd64", "linux/arm/v7", "linux/arm64", "linux/ppc64le")
HOST: Final = "registry.example"
_CONTAINERD_NAME: Final = "io.containerd.image.name"
_MEMBER_OF: Final = "pinner.member-of"
_HEADER: Final = (
    "# Made by pinner from images.toml."
    " Do not edit: run `pinner lock` or `pinner update`.\nversion = 1\nrevision = 1\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An index or manifest, and its descriptor."""

    data: bytes
    digest: str
    descriptor: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of many images: its index, and the manifest of each platform by name."""

    name: str
    repository: str
    index: Document
    manifests: dict[str, Document]
    blobs: dict[str, bytes]


def member(number: int, *, layers: int = 1, build: int = 0) -> Member:
    """Image number `number`; each `build` of it has another index and other manifests.

    Args:
        number: which.
        layers: how many layers it has on the host's platform; elsewhere none.
        build: which rebuild.
    """
    repository = f"team/app{number:05}"
    manifests: dict[str, Document] = {}
    blobs: dict[str, bytes] = {}
    for platform in PLATFORMS:
        own = platform == host_platform()
        config = _json({**_described(platform), "app": number, "build": build})
        texts = [b"layer %d of %d" % (at, number) for at in range(layers if own else 0)]
        described = [_descriptor(CONFIG, config), *(_descriptor(LAYER, text) for text in texts)]
        if own:
            blobs |= dict(zip([one["digest"] for one in described], [config, *texts], strict=True))
        manifests[platform] = _document(MANIFEST, {"config": described[0], "layers": described[1:]})
    index = _document(
        INDEX,
        {
            "manifests": [
                {**document.descriptor, "platform": _described(platform)}
                for platform, document in manifests.items()
            ]
        },
    )
    return Member(
        name=f"app{number:05}",
        repository=repository,
        index=index,
        manifests=manifests,
        blobs=blobs,
    )


def spec(members: Sequence[Member], host: str = HOST) -> str:
    """Their images.toml."""
    listed = ", ".join(f'"{platform}"' for platform in PLATFORMS)
    head = f"[settings]\nplatforms = [{listed}]\n\n[images]"
    entries = (f'{one.name} = "{host}/{one.repository}:1.0"' for one in members)
    return "\n".join([head, *entries, ""])


def lock(members: Sequence[Member], host: str = HOST) -> str:
    """Their images.lock."""
    tables = [
        f'\n[[image]]\nname = "{one.name}"\nimage = "{host}/{one.repository}"\ntag = "1.0"\n'
        f'digest = "{one.index.digest}"\n[image.platforms]\n'
        + "".join(f'"{name}" = "{one.manifests[name].digest}"\n' for name in PLATFORMS)
        for one in members
    ]
    return _HEADER + "".join(tables)


def write_store(folder: Path, members: Sequence[Member], host: str = HOST) -> int:
    """A store that holds the host's platform of each, named as `pinner sync` names them.

    Returns:
        How many blobs it has.
    """
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    folder.chmod(0o700)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    named = []
    for one in members:
        manifest = one.manifests[host_platform()]
        held = {one.index.digest: one.index.data, manifest.digest: manifest.data, **one.blobs}
        for digest, data in held.items():
            (blobs / digest.removeprefix("sha256:")).write_bytes(data)
        repository = f"{host}/{one.repository}"
        for name, document, marks in (
            (f"{repository}@{manifest.digest}", manifest, {_MEMBER_OF: one.index.digest}),
            (f"{repository}:1.0", one.index, {}),
        ):
            annotations = {**marks, REF_NAME: name, _CONTAINERD_NAME: name}
            named.append({**document.descriptor, "annotations": annotations})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": named}
    (folder / "index.json").write_text(json.dumps(index, indent=2))
    return sum(1 for _ in blobs.iterdir())


def serve(content: Content, members: Sequence[Member]) -> None:
    """Let a scripted registry hold all of them, with their manifests and blobs."""
    for one in members:
        content.add_manifest(one.repository, one.index.data, INDEX, ["1.0"])
        for document in one.manifests.values():
            content.add_manifest(one.repository, document.data, MANIFEST)
        for data in one.blobs.values():
            content.add_blob(one.repository, data)


def _document(media_type: str, fields: dict[str, Any]) -> Document:
    data = _json({"schemaVersion": 2, "mediaType": media_type, **fields})
    descriptor = _descriptor(media_type, data)
    return Document(data=data, digest=descriptor["digest"], descriptor=descriptor)


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _described(platform: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
