"""Images whose parts stand under keys of their own: `repository`, `tag`, `digest`.

image:
  registry: ghcr.io
  repository: acme/app
  tag: "1.2"
  digest: ""            where this key is there, the digest goes there

Without a key for the digest it goes behind the tag, which every chart hands on: `1.2@sha256:…`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import Located
from pinner.rewrite.model import Reason, Slot
from pinner.rewrite.yamlsearch import FILLED_IN, VARIABLE
from pinner.rewrite.yamlspans import Scalar

if TYPE_CHECKING:
    from pinner.rewrite.yamlsearch import Search
    from pinner.rewrite.yamlspans import Mapping, Node

_QUOTES: Final = "'\""
_BLANKS: Final = " \t"


def place_keyed(
    looking: Search,
    mapping: Mapping,
    *,
    registry: Node | None,
    repository: Node,
    tag: Node | None,
    digest: Node | None,
    slot: Slot | None = None,
    head: Node | None = None,
) -> None:
    """A place whose parts are these nodes.

    Args:
        looking: takes what is found.
        mapping: whose keys they are.
        registry: what comes before the repository and a slash; None or empty for nothing.
        repository: a scalar.
        tag: None or empty for none.
        digest: the key of the digest, empty or not.
        slot: where a digest goes if there is no such key; None for behind the tag.
        head: the key that `mapping` stands under.
    """
    parts = [looking.text(node) for node in (registry, repository, tag, digest)]
    host, name, version, pinned = (part.strip() if part is not None else None for part in parts)
    if name is None or not name.text:
        return
    reference = name
    if host is not None and host.text:
        reference = host + Located.made("/") + reference
    if version is not None and version.text:
        reference = reference + Located.made(":") + version
    if pinned is not None and pinned.text:
        reference = reference + Located.made("@") + pinned
    elif not (version is not None and version.text) and ":" not in name.text.rpartition("/")[2]:
        why = "it has no tag here, so what runs is said elsewhere"
        looking.skip(mapping, name, Reason.NO_DEFAULT, why, "write a tag", head=head)
        return
    if VARIABLE.search(reference.text):
        looking.skip(mapping, reference, Reason.TEMPLATE, FILLED_IN, head=head)
        return
    looking.place(mapping, reference, slot=empty_slot(looking, digest) or slot, head=head)


def empty_slot(looking: Search, node: Node | None) -> Slot | None:
    """Where a value goes into a key that has none: between empty quotes, or behind the colon."""
    if not isinstance(node, Scalar) or node.value:
        return None
    if node.style:
        quoted = node.style in _QUOTES and node.end - node.start == len(_QUOTES)
        return Slot(offset=node.start + 1, before=b"", after=b"") if quoted else None
    if node.end != node.start:  # an anchor, and nothing behind it
        return None
    text = looking.page.source.text
    before, here, behind = (
        text[node.end - 1],
        text[node.end : node.end + 1],
        text[node.end + 1 : node.end + 2],
    )
    if before in _BLANKS:
        return Slot(offset=node.end, before=b"", after=b"")
    if here and here in _BLANKS:
        return Slot(offset=node.end + 1, before=b"", after=b" " if behind == "#" else b"")
    return Slot(offset=node.end, before=b" ", after=b"")
