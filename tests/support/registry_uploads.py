"""A scripted registry's content that can be added to over HTTP (distribution-spec, "Push").

    with RegistrySim(content=(uploads := Uploads())) as sim:
        sim.read_only("/blobs/uploads/", 1000)     # the next body breaks off after 1000 bytes
        uploads.mounts = False

Sessions keep what a broken body brought, unless `forgets` is set. Every session has a state in its
query, as distribution has it: a URL that was kept from an earlier answer is refused.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from support.net import Answer, Then
from support.registry_content import Content, digest_of, error

if TYPE_CHECKING:
    from support.net import Request

_SESSIONS: Final = re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<id>[0-9]*)")
_MANIFEST: Final = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<what>[^/]+)")
_CONTENT_RANGE: Final = re.compile(r"([0-9]+)-([0-9]+)")


@dataclass
class _Session:
    name: str
    data: bytearray = field(default_factory=bytearray)
    state: int = 0


class Uploads(Content):
    """Takes blobs and manifests.

    Attributes:
        mounts: whether blobs are mounted across repositories.
        forgets: what a broken body brought is thrown away, and its session with it.
        largest: bytes that a body may have (413).
        least_chunk: bytes that a part but the last must have (`OCI-Chunk-Min-Length`).
        takes: bytes that are taken of a part at most.
        spoils: what a broken body brought is kept wrong.
        blind: digests of blobs that a manifest may not name, as if they were not there.
        uploaded: the digests of all blobs that came, in order; a mount is none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mounts = True
        self.forgets = False
        self.largest: int | None = None
        self.least_chunk = 0
        self.takes: int | None = None
        self.spoils = False
        self.blind: set[str] = set()
        self.uploaded: list[str] = []
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Answer:
        """What an honest registry answers."""
        session = _SESSIONS.fullmatch(request.path)
        manifest = _MANIFEST.fullmatch(request.path)
        with self._lock:
            if session and not session["id"] and request.method == "POST":
                return self._begin(session["name"], request)
            if session:
                return self._continue(session["id"], request)
            if manifest and request.method == "PUT":
                return self._put_manifest(manifest["name"], manifest["what"], request)
        return super().answer(request)

    def _begin(self, name: str, request: Request) -> Answer:
        query = parse_qs(urlsplit(request.target).query)
        mount, source = query.get("mount", [""])[0], query.get("from", [""])[0]
        held = self.repositories.get(source)
        if self.mounts and held is not None and mount in held.blobs:
            self.repository(name).blobs[mount] = held.blobs[mount]
            return Answer(status=201, headers=(("Location", f"/v2/{name}/blobs/{mount}"),))
        key = str(next(self._numbers))
        self._sessions[key] = _Session(name)
        return self._accepted(key, 202)

    def _continue(self, key: str, request: Request) -> Answer:
        session = self._sessions.get(key)
        query = parse_qs(urlsplit(request.target).query)
        if session is None or query.get("state") != [str(session.state)]:
            return error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if request.method == "GET":
            return self._accepted(key, 204)
        if (refusal := self._refusal(key, session, request)) is not None:
            return refusal
        session.data += request.body[: self.takes if request.method == "PATCH" else None]
        if request.cut:
            if self.spoils:
                session.data[0] ^= 1
            if self.forgets:
                del self._sessions[key]
            return Answer(raw=b"", then=Then.RESET)
        if request.method == "PATCH":
            session.state += 1
            return self._accepted(key, 202)
        return self._finish(key, session, query.get("digest", [""])[0])

    def _refusal(self, key: str, session: _Session, request: Request) -> Answer | None:
        """Why a body is not taken: too large, or not from where the session ends."""
        if self.largest is not None and len(request.body) > self.largest:
            return Answer(status=413, body=b"<html>too large</html>")
        stated = _CONTENT_RANGE.fullmatch(request.headers.get("content-range", ""))
        if request.method == "PATCH" and (not stated or int(stated[1]) != len(session.data)):
            return self._accepted(key, 416)
        return None

    def _finish(self, key: str, session: _Session, digest: str) -> Answer:
        del self._sessions[key]
        if digest_of(bytes(session.data)) != digest:
            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self.repository(session.name).blobs[digest] = bytes(session.data)
        self.uploaded.append(digest)
        self.blind.discard(digest)
        location = f"/v2/{session.name}/blobs/{digest}"
        headers = (("Location", location), ("Docker-Content-Digest", digest))
        return Answer(status=201, headers=headers)

    def _accepted(self, key: str, status: int) -> Answer:
        session = self._sessions[key]
        location = f"/v2/{session.name}/blobs/uploads/{key}?state={session.state}"
        headers = [("Location", location), ("Range", f"0-{max(len(session.data) - 1, 0)}")]
        if self.least_chunk:
            headers.append(("OCI-Chunk-Min-Length", str(self.least_chunk)))
        return Answer(status=status, headers=tuple(headers))

    def _put_manifest(self, name: str, what: str, request: Request) -> Answer:
        digest = digest_of(request.body)
        if ":" in what and what != digest:
            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        held = self.repository(name)
        document = json.loads(request.body)
        blobs = [document[key] for key in ("config",) if key in document]
        blobs += document.get("layers", [])
        lacking = [b["digest"] for b in blobs if b["digest"] not in held.blobs.keys() - self.blind]
        members = [m["digest"] for m in document.get("manifests", [])]
        lacking += [member for member in members if member not in held.manifests]
        if lacking:
            return error(404, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {lacking[0]}")
        tags = [] if ":" in what else [what]
        self.add_manifest(name, request.body, request.headers["content-type"], tags)
        location = f"/v2/{name}/manifests/{digest}"
        headers = (("Location", location), ("Docker-Content-Digest", digest))
        return Answer(status=201, headers=headers)
