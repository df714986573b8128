"""GitLab CI: the images that jobs and their services run in.

image: ruby:3.3             at the top, under `default` and in jobs; also {name: …}
services: [postgres:16]     the same; also [{name: …}]

Variables are followed as far as the file says what they are; one that a script uses too cannot take
a digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.rewrite.gitlabvariables import VARIABLE, UnknownVariable, Variables
from pinner.rewrite.model import Reason
from pinner.rewrite.page import Page
from pinner.rewrite.yamlsearch import TEMPLATE, Search, search
from pinner.rewrite.yamlspans import Mapping, NotYaml, Scalar, read_documents
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.rewrite.located import Located
    from pinner.rewrite.model import Found
    from pinner.rewrite.yamlspans import Node

_PROXY: Final = "CI_DEPENDENCY_PROXY_"
_PREDEFINED: Final = ("CI_", "GITLAB_")
_NO_JOBS: Final = frozenset({"image", "services", "variables", "workflow", "include", "spec"})


def find_images(page: Page) -> tuple[Found, ...]:
    """What a pipeline names."""
    return search(page, _document)


def included_locals(data: bytes) -> tuple[str, ...]:
    """The files of the same repository that a pipeline includes, as it writes them.

    A path begins at the root of the repository, with or without a slash; `*` and `**` may be in
    it. Empty where the file cannot be read.
    """
    if b"include" not in data:
        return ()
    looking, found = Search(Page(data)), []
    try:
        for root in read_documents(data):
            include = looking.get(root, "include")
            for one in (include, *looking.elements(include)):
                local = one if isinstance(one, Scalar) else looking.get(one, "local")
                text = looking.text(local)
                if text is not None and "://" not in text.text and "$" not in text.text:
                    found.append(text.text)
    except NotYaml:
        return ()
    return tuple(text for text in found if text)


def _document(looking: Search, root: Node) -> None:
    jobs = [job for name, job in looking.items(root) if name not in _NO_JOBS]
    with_variables: list[tuple[Scalar, Node]] = []
    for job in [root, *jobs]:
        for node in _images(looking, job):
            text = looking.plain(node)
            if isinstance(node, Scalar) and VARIABLE.search(text) and not TEMPLATE.search(text):
                with_variables.append((node, job))
            else:
                looking.image(node, template=TEMPLATE)
    if with_variables:
        _with_variables(looking, root, with_variables)


def _images(looking: Search, job: Node) -> Iterator[Node | None]:
    for one in (looking.get(job, "image"), *looking.elements(looking.get(job, "services"))):
        named = looking.get(one, "name") if isinstance(one, Mapping) else None
        yield named or one


def _with_variables(looking: Search, root: Node, places: list[tuple[Scalar, Node]]) -> None:
    variables = Variables(looking, root)
    told: list[tuple[Scalar, Located]] = []
    for node, job in places:
        written = looking.text(node)
        if written is None:
            continue
        if _PROXY in written.text:
            why = "it comes through GitLab's dependency proxy, whose name only GitLab knows"
            looking.skip(node, written, Reason.TEMPLATE, why)
            continue
        try:
            told.append((node, variables.fill_in(node, job)))
        except UnknownVariable as error:
            _unknown(looking, node, written, str(error))
    barriers = variables.barriers([reference for _, reference in told])
    for (node, reference), own in zip(told, barriers, strict=True):
        looking.place(node, reference, written=looking.text(node), barriers=own)


def _unknown(looking: Search, node: Scalar, written: Located, name: str) -> None:
    shown = safe(name, limit=80)
    if name.startswith(_PREDEFINED):
        looking.skip(node, written, Reason.TEMPLATE, f"GitLab says what {shown} is")
    else:
        why = f"the file does not say, or not just once, what {shown} is"
        mend = "give it one value under `variables` or add `# pinner: ignore`"
        looking.skip(node, written, Reason.NO_DEFAULT, why, mend)
