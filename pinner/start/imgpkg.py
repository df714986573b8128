"""ImagesLock of imgpkg and kbld (carvel.dev): images by digest, the tag in annotations.

apiVersion: imgpkg.carvel.dev/v1alpha1
kind: ImagesLock
images:
- image: index.docker.io/library/nginx@sha256:…
  annotations:
    kbld.carvel.dev/id: nginx:1.27          what the configuration said
    kbld.carvel.dev/origins: |              how kbld came to it, as YAML in a text
      - resolved: {tag: "1.27", url: nginx:1.27}

Read as strictly as imgpkg does: no other keys, no other version, nothing without a digest. A tag
counts only where it is of the very repository; of an image that was copied elsewhere the digest
alone is known.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

from pinner.errors import InputError
from pinner.oci.reference import InvalidReference, Reference
from pinner.rewrite.yamlspans import Mapping, NotYaml, Scalar, Sequence, read_documents
from pinner.start.model import Sighting
from pinner.start.problems import problems_of
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.rewrite.yamlspans import Node

API_VERSION: Final = "imgpkg.carvel.dev/v1alpha1"
KIND: Final = "ImagesLock"
ID: Final = "kbld.carvel.dev/id"
_ORIGINS: Final = "kbld.carvel.dev/origins"
_KEYS: Final = frozenset({"apiVersion", "kind", "images"})
_IMAGE_KEYS: Final = frozenset({"image", "annotations"})
_MOST: Final = 10_000
_SHOWN: Final = 160


def read_sightings(data: bytes, file: str) -> tuple[Sighting, ...]:
    """What the lockfile pins, in its order.

    Raises:
        InputError: it is not an ImagesLock of the known version.
    """
    try:
        documents = read_documents(data)
    except NotYaml as error:
        raise InputError(f"is not YAML: {error}", where=file) from error
    if len(documents) != 1:
        _refuse(file, f"has {len(documents)} documents, where an {KIND} has one")
    root = _mapping(documents[0], _KEYS, file, "the document")
    kind, version = _text(root, "kind", file), _text(root, "apiVersion", file)
    if kind != KIND:
        mend = f"the {KIND} of a bundle is .imgpkg/images.yml within it"
        _refuse(file, f'is of kind "{safe(kind, limit=_SHOWN)}", not {KIND}', mend)
    if version != API_VERSION:
        mend = f"pinner knows {API_VERSION}"
        _refuse(file, f'has apiVersion "{safe(version, limit=_SHOWN)}"', mend)
    images = root.values.get("images")
    if images is None:
        return ()
    if not isinstance(images, Sequence) or len(images.items) > _MOST:
        _refuse(file, f"images is not a list of at most {_MOST}")
    with problems_of(file):
        return tuple(_sighting(node, file) for node in images.items)


def _sighting(node: Node, file: str) -> Sighting:
    image = _mapping(node, _IMAGE_KEYS, file, "an image")
    reference = Reference.parse(_text(image, "image", file))
    if reference.digest is None:
        _refuse(file, f"{reference.familiar()} has no digest, which an {KIND} demands")
    annotations = image.values.get("annotations")
    said = _mapping(annotations, None, file, "annotations") if annotations is not None else None
    about = _plain(said, ID)
    tags = (_tag(text, reference) for text in (about, *_origins(_plain(said, _ORIGINS))))
    tag = next((tag for tag in tags if tag), None)
    shown = safe(about or reference.repository.familiar(), limit=_SHOWN)
    return Sighting(reference=reference.with_tag(tag or reference.tag), where=f"{file}: {shown}")


def _tag(text: str, reference: Reference) -> str | None:
    """The tag that `text` has, where it names the same repository."""
    try:
        named = Reference.parse(text)
    except InvalidReference:
        return None
    return named.tag if named.repository == reference.repository else None


def _origins(text: str) -> Iterator[str]:
    """The references that an annotation on origins names."""
    roots: list[Node] = []
    with suppress(NotYaml, ValueError):
        roots = read_documents(text.encode())
    for root in roots:
        for item in root.items if isinstance(root, Sequence) else ():
            resolved = item.values.get("resolved") if isinstance(item, Mapping) else None
            if isinstance(resolved, Mapping):
                yield _plain(resolved, "url")


def _mapping(node: Node, keys: frozenset[str] | None, file: str, what: str) -> Mapping:
    if not isinstance(node, Mapping):
        _refuse(file, f"{what} is not a mapping")
    if node.merged or node.doubled:
        _refuse(file, f"{what} has merge keys, or a key twice")
    unknown = sorted(set(node.values) - keys) if keys is not None else []
    if unknown:
        shown = safe(unknown[0], limit=_SHOWN)
        _refuse(file, f'"{shown}" is not a key of {what} in an {KIND}')
    return node


def _text(mapping: Mapping, key: str, file: str) -> str:
    text = _plain(mapping, key)
    if not text:
        _refuse(file, f'"{key}" is missing or is not text')
    return text


def _plain(mapping: Mapping | None, key: str) -> str:
    node = mapping.values.get(key) if mapping is not None else None
    return node.value if isinstance(node, Scalar) else ""


def _refuse(file: str, what: str, mend: str = "") -> NoReturn:
    raise InputError(what, where=file, mend=mend or ())
