"""Kustomizations: which images take the place of those in the resources.

images:
  - name: nginx
    newName: ghcr.io/acme/nginx     the name where it is not there
    newTag: "1.27"
    digest: sha256:…                goes with newTag, or alone

kustomize (api/filters/imagetag): with both, `newName:newTag@digest`; older versions take the digest
and leave the tag out. So the digest has its own key, which is made below `newTag` if need be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.rewrite.keyed import place_keyed
from pinner.rewrite.model import Slot
from pinner.rewrite.yamlsearch import Search, search
from pinner.rewrite.yamlspans import Mapping, Scalar

if TYPE_CHECKING:
    from pinner.rewrite.model import Found
    from pinner.rewrite.page import Page
    from pinner.rewrite.yamlspans import Node

_BLOCKS: Final = frozenset("|>")


def find_images(page: Page) -> tuple[Found, ...]:
    """What a kustomization names."""
    return search(page, _document)


def _document(looking: Search, root: Node) -> None:
    for image in looking.elements(looking.get(root, "images")):
        if not isinstance(image, Mapping):
            continue
        name = looking.get(image, "newName")
        if not looking.plain(name):
            name = looking.get(image, "name")
        tag = looking.get(image, "newTag")
        digest = looking.get(image, "digest")
        if name is not None:
            slot = _below(looking, image, tag) if digest is None else None
            place_keyed(
                looking, image, registry=None, repository=name, tag=tag, digest=digest, slot=slot
            )


def _below(looking: Search, image: Mapping, tag: Node | None) -> Slot | None:
    """Where a key `digest` can be made: behind the tag, or on a line of its own below it."""
    key = image.keys.get("newTag")
    if key is None or not isinstance(tag, Scalar) or tag.style in _BLOCKS:
        return None
    if image.flow:
        quote = b'"' if key.style == '"' else b""
        before = b", " + quote + b"digest" + quote + b": " + quote
        return Slot(offset=tag.end, before=before, after=quote)
    text = looking.page.source.text
    end = text.find("\n", tag.end)
    end = len(text) if end < 0 else end
    newline = "\n"
    if text[end - 1 : end] == "\r":
        end, newline = end - 1, "\r\n"
    indent = key.start - (text.rfind("\n", 0, key.start) + 1)
    margin = text[key.start - indent : key.start].replace("-", " ")
    if margin.strip(" "):
        return None
    return Slot(offset=end, before=f"{newline}{margin}digest: ".encode(), after=b"")
