"""What a scripted registry holds, and how the distribution specification answers for it.

Written from the specification (distribution-spec, "Pull", "Content Discovery", "Error Codes"), not
from pinner: manifests by tag and digest, blobs with ranges, tag lists with pages, referrers.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urlsplit

from support.net import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.net import Request

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_ROUTE: Final = re.compile(
    r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|tags|referrers)/(?P<what>[^/]+)"
)
_RANGE: Final = re.compile(r"bytes=([0-9]+)-([0-9]+)")
_MODIFIED: Final = "Wed, 11 Nov 2026 10:00:00 GMT"


def digest_of(data: bytes) -> str:
    """`sha256:…` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class RepositoryContent:
    """The content of one repository."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimImage:
    """One pushed manifest: its digest, its bytes' length, and the digests of its blobs."""

    digest: str
    size: int
    blobs: tuple[str, ...] = ()


class Content:
    """All repositories, and the answers for them."""

    def __init__(self) -> None:
        self.repositories: dict[str, RepositoryContent] = {}

    def repository(self, name: str) -> RepositoryContent:
        return self.repositories.setdefault(name, RepositoryContent())

    def fingerprint(self) -> str:
        """The same for the same content."""
        held = {
            name: (sorted(held.blobs), sorted(held.manifests), sorted(held.tags.items()))
            for name, held in sorted(self.repositories.items())
        }
        return digest_of(_json(held))

    def add_blob(self, name: str, data: bytes) -> str:
        """Hold a blob; its digest."""
        self.repository(name).blobs[digest_of(data)] = data
        return digest_of(data)

    def add_manifest(
        self, name: str, data: bytes, media_type: str, tags: Sequence[str] = ()
    ) -> str:
        """Hold a manifest or index under its digest and these tags; its digest."""
        held = self.repository(name)
        held.manifests[digest_of(data)] = (media_type, data)
        held.tags.update(dict.fromkeys(tags, digest_of(data)))
        return digest_of(data)

    def add_image(
        self,
        name: str,
        *tags: str,
        layers: Sequence[bytes] = (b"layer",),
        architecture: str = "amd64",
        os: str = "linux",
        variant: str = "",
    ) -> SimImage:
        """Hold a whole image for one platform."""
        platform = {"architecture": architecture, "os": os} | (
            {"variant": variant} if variant else {}
        )
        diff_ids = [digest_of(layer) for layer in layers]
        config = _json(platform | {"rootfs": {"type": "layers", "diff_ids": diff_ids}})
        blobs = [(OCI_CONFIG, config), *((OCI_LAYER, layer) for layer in layers)]
        described = [
            {"mediaType": kind, "digest": self.add_blob(name, data), "size": len(data)}
            for kind, data in blobs
        ]
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": described[0],
                "layers": described[1:],
            }
        )
        return SimImage(
            digest=self.add_manifest(name, manifest, OCI_MANIFEST, tags),
            size=len(manifest),
            blobs=tuple(digest_of(data) for _, data in blobs),
        )

    def add_index(self, name: str, *tags: str, images: Mapping[str, SimImage]) -> SimImage:
        """Hold an index of images by platform (`linux/arm/v7`)."""
        entries = []
        for platform, image in images.items():
            parts = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
            entries.append(
                {
                    "mediaType": OCI_MANIFEST,
                    "digest": image.digest,
                    "size": image.size,
                    "platform": parts,
                }
            )
        data = _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        return SimImage(digest=self.add_manifest(name, data, OCI_INDEX, tags), size=len(data))

    def answer(self, request: Request) -> Answer:
        """What an honest registry answers."""
        if request.path == "/v2/":
            return Answer(body=b"{}", headers=(("Content-Type", "application/json"),))
        route = _ROUTE.fullmatch(request.path)
        if request.method not in {"GET", "HEAD"}:
            return error(405, "UNSUPPORTED", "read-only")
        if route is None or route["name"] not in self.repositories:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        held = self.repositories[route["name"]]
        answers = {
            "tags": lambda: _tags(held, route["name"], request),
            "referrers": lambda: _referrers(held, route["what"]),
            "blobs": lambda: _blob(held, route["what"], request),
            "manifests": lambda: _manifest(held, route["what"], request),
        }
        return answers[route["kind"]]()


def error(status: int, code: str, message: str) -> Answer:
    """An error as the specification writes it."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(status=status, headers=(("Content-Type", "application/json"),), body=body)


def _manifest(held: RepositoryContent, what: str, request: Request) -> Answer:
    digest = held.tags.get(what, what)
    if digest not in held.manifests:
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    media_type, data = held.manifests[digest]
    if media_type not in request.headers.get("accept", ""):
        return error(404, "MANIFEST_UNKNOWN", f"accept header does not support {media_type}")
    return Answer(
        headers=(
            ("Content-Type", media_type),
            ("Docker-Content-Digest", digest),
            ("Last-Modified", _MODIFIED),
        ),
        body=data,
    )


def _blob(held: RepositoryContent, digest: str, request: Request) -> Answer:
    if digest not in held.blobs:
        return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
    data = held.blobs[digest]
    plain = (("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", digest))
    asked = request.headers.get("range")
    if asked is None:
        return Answer(headers=plain, body=data)
    wanted = _RANGE.fullmatch(asked)
    if wanted is None or int(wanted[1]) >= len(data) or int(wanted[2]) < int(wanted[1]):
        return error(416, "SIZE_INVALID", "range not satisfiable").with_header(
            "Content-Range", f"bytes */{len(data)}"
        )
    start, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
    return Answer(
        status=206,
        headers=(*plain, ("Content-Range", f"bytes {start}-{last}/{len(data)}")),
        body=data[start : last + 1],
    )


def _referrers(held: RepositoryContent, subject: str) -> Answer:
    found = [
        {"mediaType": media_type, "digest": digest, "size": len(data)}
        | {"artifactType": document.get("artifactType", document["config"]["mediaType"])}
        for digest, (media_type, data) in held.manifests.items()
        if (document := json.loads(data)).get("subject", {}).get("digest") == subject
    ]
    return Answer(
        headers=(("Content-Type", OCI_INDEX),),
        body=_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}),
    )


def _tags(held: RepositoryContent, name: str, request: Request) -> Answer:
    query = parse_qs(urlsplit(request.target).query)
    tags = sorted(held.tags)
    if "last" in query:
        tags = [tag for tag in tags if tag > query["last"][0]]
    page = tags[: int(query["n"][0])] if "n" in query else tags
    answer = Answer(
        headers=(("Content-Type", "application/json"),),
        body=_json({"name": name, "tags": page}),
    )
    if len(page) == len(tags):
        return answer
    last = quote(page[-1], safe="")
    link = f'</v2/{name}/tags/list?n={len(page)}&last={last}>; rel="next"'
    return answer.with_header("Link", link)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
