"""Which manifests of a store have which subject (distribution-spec, "Listing Referrers").

    index.json's entries -> members of indexes -> those whose `subject` is the digest

Signatures, attestations and other artifacts refer so to what they are about. A manifest is read
once for as long as index.json leads to it; one that is corrupt or no manifest refers to nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.errors import IntegrityError
from pinner.oci import mediatypes, strictjson
from pinner.oci.descriptor import Descriptor
from pinner.oci.fields import Field
from pinner.oci.manifest import MANIFEST_LIMIT, MEMBER_LIMIT
from pinner.oci.stored import stored_manifest
from pinner.oci.strictjson import MalformedJson
from pinner.serve.verified import steadily

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.oci.digest import Digest
    from pinner.store.layout import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one manifest says.

    Attributes:
        subject: what it refers to; None for nothing.
        descriptor: of the manifest itself, with its artifact type and annotations.
        members: what an index leads to.
    """

    subject: Digest | None = None
    descriptor: Descriptor | None = None
    members: tuple[Digest, ...] = ()


class ReferrersOf:
    """The referrers within one store; may be asked from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[Digest, Facts] = {}

    def find(self, subject: Digest, roots: Iterable[Digest]) -> tuple[Descriptor, ...]:
        """The descriptors of what refers to `subject`, among what the roots lead to.

        Raises:
            StoreError: the disk failed.
        """
        with self._lock:
            reached = self._walk(roots)
            self._known = reached
        return tuple(
            facts.descriptor
            for facts in reached.values()
            if facts.subject == subject and facts.descriptor is not None
        )

    def _walk(self, roots: Iterable[Digest]) -> dict[Digest, Facts]:
        reached: dict[Digest, Facts] = {}
        waiting = list(roots)
        while waiting:
            digest = waiting.pop()
            if digest in reached:
                continue
            size = self._store.size(digest)
            if size is None or size > MANIFEST_LIMIT:
                continue
            facts = self._known.get(digest) or self._read(digest)
            if facts is not None:
                reached[digest] = facts
                waiting += facts.members
        return reached

    def _read(self, digest: Digest) -> Facts | None:
        """None where it is not there, or not now: it may be mended."""
        try:
            data = steadily(
                self._store.path(digest), lambda: self._store.read(digest, MANIFEST_LIMIT)
            )
        except IntegrityError:
            return None
        if data is None:
            return None
        try:
            return read_facts(digest, data)
        except MalformedJson:
            return Facts()


def read_facts(digest: Digest, data: bytes) -> Facts:
    """What a manifest or index says.

    Raises:
        MalformedJson: it is none.
    """
    media_type = stored_manifest(digest, data).media_type
    document = Field(strictjson.loads(data, MANIFEST_LIMIT))
    is_index = mediatypes.is_index(media_type)
    if not (is_index or mediatypes.is_manifest(media_type)):
        return Facts()
    members = document["manifests"].items(limit=MEMBER_LIMIT) if is_index else ()
    # The config's type speaks for a manifest without a type of its own, never for an index.
    kind = document["artifactType"].text(default="")
    if not (kind or is_index):
        kind = document["config"]["mediaType"].text(default="")
    descriptor = Descriptor(
        media_type=media_type,
        digest=digest,
        size=len(data),
        artifact_type=kind,
        annotations=document["annotations"].texts(),
    )
    return Facts(
        subject=document["subject"]["digest"].digest() if document["subject"].value else None,
        descriptor=descriptor,
        members=tuple(member["digest"].digest() for member in members),
    )
