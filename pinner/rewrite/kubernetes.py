"""Kubernetes manifests: pods wherever a workload has them.

Pod                                           spec
Deployment, StatefulSet, DaemonSet, Job, …    spec.template.spec, and custom kinds of that shape
CronJob                                       spec.jobTemplate.spec.template.spec
PodTemplate                                   template.spec
List                                          each of items

A pod has containers, initContainers and ephemeralContainers, each with `image`, and volumes that
are images (`image.reference`). Documents of Tekton are read as Tekton reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.rewrite import tekton
from pinner.rewrite.yamlsearch import Search, search

if TYPE_CHECKING:
    from pinner.rewrite.model import Found
    from pinner.rewrite.page import Page
    from pinner.rewrite.yamlspans import Node

_PODS: Final = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_TEMPLATE: Final = ("spec", "template", "spec")
_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_MOST_LISTS: Final = 4


def find_images(page: Page) -> tuple[Found, ...]:
    """What a file of manifests names."""
    return search(page, _document)


def _document(looking: Search, root: Node) -> None:
    _object(looking, root, 0)


def _object(looking: Search, node: Node, depth: int) -> None:
    kind = looking.plain(looking.get(node, "kind"))
    version = looking.plain(looking.get(node, "apiVersion"))
    if not kind or not version or depth > _MOST_LISTS:
        return
    if version.startswith(tekton.GROUP):
        tekton.find_in_object(looking, node)
    elif kind.endswith("List") and looking.get(node, "items") is not None:
        for item in looking.elements(looking.get(node, "items")):
            _object(looking, item, depth + 1)
    else:
        _pod(looking, looking.get(node, *_PODS.get(kind, _TEMPLATE)))


def _pod(looking: Search, pod: Node | None) -> None:
    for key in _CONTAINERS:
        for container in looking.elements(looking.get(pod, key)):
            looking.image(looking.get(container, "image"))
    for volume in looking.elements(looking.get(pod, "volumes")):
        looking.image(looking.get(volume, "image", "reference"))
