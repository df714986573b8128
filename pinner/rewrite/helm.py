"""Values of Helm charts: no chart says which keys are images, so this goes by custom.

image: {registry, repository, tag, digest}      a key that is `image` or ends so: sidecarImage
       {registry, image, tag, digest}           `version` stands for `tag` in some charts
image: nginx                                    beside `tag` or `imageTag`
image: nginx:1.27                               a reference in one piece

Templates of charts are no YAML; they are passed over aloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.oci.reference import InvalidReference, Reference
from pinner.rewrite.keyed import place_keyed
from pinner.rewrite.model import Reason, Skipped
from pinner.rewrite.yamlsearch import FILLED_IN, VARIABLE, Search, search
from pinner.rewrite.yamlspans import Mapping, Scalar

if TYPE_CHECKING:
    from pinner.rewrite.model import Found
    from pinner.rewrite.page import Page
    from pinner.rewrite.yamlspans import Node

_IMAGE: Final = "image"
_TAGS: Final = ("tag", "version")
_BESIDE: Final = ("imageTag", "tag")


def find_images(page: Page) -> tuple[Found, ...]:
    """What a file of values names."""
    return search(page, _document)


def find_in_template(page: Page) -> tuple[Found, ...]:
    """One finding for a whole template that names an image."""
    text = page.source.text
    at = text.find("image:")
    if at < 0:
        return ()
    why = "it is a template of a chart; helm fills it in"
    skipped = Skipped(
        text="",
        line=page.line(at),
        reason=Reason.TEMPLATE,
        why=why,
        mend="pin the image in the values of the chart",
    )
    return (skipped,)


def _document(looking: Search, root: Node) -> None:
    for node in looking.everything(root):
        if isinstance(node, Mapping):
            for key, value in looking.items(node):
                if key.lower().endswith(_IMAGE):
                    _image(looking, node, key, value)


def _image(looking: Search, parent: Mapping, key: str, value: Node) -> None:
    if isinstance(value, Mapping):
        name = looking.get(value, "repository") or looking.get(value, _IMAGE)
        if isinstance(name, Scalar):
            head = parent.keys.get(key)
            registry = looking.get(value, "registry")
            _keyed(looking, value, name, registry=registry, tags=_TAGS, head=head)
    elif isinstance(value, Scalar):
        if key == _IMAGE and looking.plain(looking.get(parent, "repository")):
            return
        beside = _BESIDE if key == _IMAGE else (f"{key}Tag",)
        if any(looking.text(looking.get(parent, name)) is not None for name in beside):
            registry = looking.get(parent, "registry") if key == _IMAGE else None
            head = parent.keys.get(key)
            _keyed(looking, parent, value, registry=registry, tags=beside, head=head)
        else:
            _whole(looking, key, value)


def _keyed(
    looking: Search,
    mapping: Mapping,
    name: Scalar,
    *,
    registry: Node | None,
    tags: tuple[str, ...],
    head: Node | None,
) -> None:
    """A name whose tag stands under another key."""
    tag = next((node for key in tags if (node := looking.get(mapping, key)) is not None), None)
    if looking.plain(looking.get(mapping, "sha")):
        text = looking.text(name)
        if text is not None:
            why = "its digest stands under a key `sha`, which pinner does not edit"
            looking.skip(mapping, text, Reason.UNSUPPORTED, why, head=head)
        return
    place_keyed(
        looking,
        mapping,
        registry=registry,
        repository=name,
        tag=tag,
        digest=looking.get(mapping, "digest"),
        head=head,
    )


def _whole(looking: Search, key: str, value: Scalar) -> None:
    """A reference in one piece; under other keys than `image` it has to look like one."""
    text = looking.text(value)
    if text is None or not text.text:
        return
    if VARIABLE.search(text.text):
        looking.skip(value, text, Reason.TEMPLATE, FILLED_IN)
        return
    if key != _IMAGE:
        try:
            reference = Reference.parse(text.text)
        except InvalidReference:
            return
        if reference.tag is None and reference.digest is None:
            return
    looking.image(value)
