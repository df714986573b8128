"""GitHub workflows and actions.

jobs.*.container                    an image, or a mapping with `image`
jobs.*.services.*.image
jobs.*.steps[].uses                 docker://IMAGE
runs.image, runs.steps[].uses       the same, in action.yml
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.yamlsearch import Search, search
from pinner.rewrite.yamlspans import Mapping

if TYPE_CHECKING:
    from pinner.rewrite.model import Found
    from pinner.rewrite.page import Page
    from pinner.rewrite.yamlspans import Node

_SCHEME: Final = "docker://"
_EXPRESSION: Final = re.compile(r"\$\{\{|\{\{|\{%|<%")


def find_images(page: Page) -> tuple[Found, ...]:
    """What a workflow names."""
    return search(page, _workflow)


def find_in_action(page: Page) -> tuple[Found, ...]:
    """What an action names."""
    return search(page, _action)


def _workflow(looking: Search, root: Node) -> None:
    for _, job in looking.items(looking.get(root, "jobs")):
        container = looking.get(job, "container")
        if isinstance(container, Mapping) and looking.get(container, "image") is not None:
            container = looking.get(container, "image")
        looking.image(container, template=_EXPRESSION)
        for _, service in looking.items(looking.get(job, "services")):
            looking.image(looking.get(service, "image"), template=_EXPRESSION)
        _steps(looking, looking.get(job, "steps"))


def _action(looking: Search, root: Node) -> None:
    runs = looking.get(root, "runs")
    looking.image(looking.get(runs, "image"), scheme=_SCHEME, template=_EXPRESSION)
    _steps(looking, looking.get(runs, "steps"))


def _steps(looking: Search, steps: Node | None) -> None:
    for step in looking.elements(steps):
        looking.image(looking.get(step, "uses"), scheme=_SCHEME, template=_EXPRESSION)
