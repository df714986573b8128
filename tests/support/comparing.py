"""Pins of images in a registry in memory and in a store, and a reader of their packages."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pinner.demo.images import make_attestation, make_image, make_index
from pinner.inventory.model import Direction, Ecosystem, PackageChange, PackageChanges
from pinner.lockfile import LockedImage
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from support.images import Image, push
from support.waiting import await_that

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.demo.images import Layer
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.memory import MemorySource
    from pinner.store.layout import Store

SPDX: Final = "https://spdx.dev/Document"
STATEMENT: Final = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": SPDX}


def labelled(platform: str, *layers: Layer, labels: Mapping[str, str], created: str = "") -> Image:
    """An image with labels."""
    return make_image(Platform.parse(platform), layers, labels=labels, created=created)


def attested(image: Image, content: str) -> Image:
    """An index of an image and of an SPDX statement about it, as BuildKit lays it out."""
    made = make_attestation(image, {**STATEMENT, "predicate": {"name": content}})
    document = json.loads(made.manifest.data)
    document["layers"][0]["annotations"] = {"in-toto.io/predicate-type": SPDX}
    statement = remade(made, document)
    return make_index([image, statement])


def annotated(image: Image, annotations: Mapping[str, str]) -> Image:
    """The image with annotations in its own manifest or index."""
    return remade(image, {**json.loads(image.manifest.data), "annotations": dict(annotations)})


def remade(image: Image, document: Mapping[str, Any]) -> Image:
    """The image with another manifest."""
    data = json.dumps(document).encode()
    manifest = type(image.manifest)(
        media_type=image.manifest.media_type, digest=Digest.of(data), data=data
    )
    return Image(
        manifest=manifest,
        blobs=image.blobs,
        platform=image.platform,
        annotations=image.annotations,
        images=image.images,
    )


def pin(reference: str, image: Image, name: str = "") -> LockedImage:
    """The pin of an image or index, for all of its platforms."""
    parsed = Reference.parse(reference)
    images = [one for one in image.images if one.platform] or [image]
    return LockedImage(
        name=name or parsed.path.rsplit("/", 1)[-1],
        repository=parsed.repository,
        tag=parsed.tag,
        digest=image.digest,
        platforms={one.platform: one.digest for one in images if one.platform},
    )


def keep(store: Store, *images: Image, without: Sequence[Digest] = ()) -> None:
    """Put everything of these images into a store, but for some blobs."""
    for image in images:
        for digest, data in image.everything().items():
            if digest not in without:
                store.put(digest, data)


def serve(registry: MemorySource, reference: str, image: Image) -> LockedImage:
    """Let a registry serve the image; its pin."""
    push(registry, reference, image)
    return pin(reference, image)


class FakeInventory:
    """Tells what it was asked, as a package that was upgraded.

    Args:
        company: no reading of layers ends before so many were going on at once.

    Attributes:
        asked: `layers` or `statements`, in order.
        unreadable: statements that cannot be read.
        deep: the layers that both images begin with are needed.
        most: how many readings there were at once.
    """

    def __init__(self, *, company: int = 0) -> None:
        self.asked: list[str] = []
        self.unreadable = False
        self.deep = False
        self.most = 0
        self._company = company
        self._now = 0
        self._lock = threading.Lock()

    def of_layers(
        self, before: Sequence[Descriptor], after: Sequence[Descriptor], store: Store
    ) -> PackageChanges:
        with self._lock:
            self.asked.append("layers")
            self._now += 1
            self.most = max(self.most, self._now)
        if self._company:
            await_that(lambda: self.most >= self._company)
            time.sleep(0.02)  # for one more to come, if it may
        missing = [one for one in (*before, *after) if not store.has(one.digest)]
        sizes = [sum(one.size for one in side) for side in (before, after)]
        with self._lock:
            self._now -= 1
        notes = ("a layer is not at hand",) if missing and self.deep else ()
        return replace(upgraded(str(sizes[0]), str(sizes[1])), notes=notes)

    def of_statements(self, before: bytes, after: bytes) -> PackageChanges | None:
        self.asked.append("statements")
        if self.unreadable:
            return None
        names = [json.loads(data)["predicate"]["name"] for data in (before, after)]
        return upgraded(*names)


def upgraded(before: str, after: str) -> PackageChanges:
    """A package that was upgraded."""
    change = PackageChange(
        ecosystem=Ecosystem.DEB,
        name="zlib1g",
        architecture="amd64",
        before=before,
        after=after,
        direction=Direction.UPGRADED,
    )
    return PackageChanges(changes=(change,))
