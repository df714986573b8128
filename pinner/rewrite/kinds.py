"""The kinds of files that name images: which files are of which kind, and who reads them.

A new kind is a module with one function, a row here, a folder in fixtures/rewrite and a page in
docs/files. The first row that takes a file reads it. Names are looked at first, and content only in
the first bytes; a file that does not have one of a row's words is not parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.rewrite import (
    compose,
    devcontainer,
    dockerfile,
    gitlab,
    helm,
    kubernetes,
    kustomize,
    quadlet,
    workflow,
)
from pinner.rewrite.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePosixPath

    from pinner.rewrite.model import Found

    Takes = Callable[[PurePosixPath, bytes], bool]

HEAD: Final = 8192
"""How many of the first bytes of a file are enough to tell its kind."""

_YAML: Final = (".yaml", ".yml")
_FILES: Final = ("dockerfile", "containerfile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of file.

    Attributes:
        name: as users and folders have it.
        hints: one of them is in every name of such a file, in lower case.
        takes: whether a file is of this kind, by its path (relative to the tree) and its first
            `HEAD` bytes.
        find: what a file names, in order; never raises.
        words: one of them is in every file that names an image; empty for a kind without such.
        includes: the further files of this kind that a file names, whatever they are called, as
            paths from the top with `*`, `?` and `**`; None for a kind that names none.
    """

    name: str
    hints: tuple[str, ...]
    takes: Takes
    find: Callable[[Page], tuple[Found, ...]]
    words: tuple[bytes, ...] = ()
    includes: Callable[[bytes], tuple[str, ...]] | None = None

    def read(self, data: bytes) -> tuple[Found, ...]:
        """What a file of this kind names, in the order of the file; never raises."""
        if self.words and not any(word in data for word in self.words):
            return ()
        return self.find(Page(data))


def _named(pattern: str) -> Takes:
    """Files whose name is of a pattern, whatever the case."""
    expression = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda path, _: expression.fullmatch(path.name) is not None


def _placed(pattern: str) -> Takes:
    """Files whose path is of a pattern, or ends with it behind a slash."""
    expression = re.compile(rf"(?:.*/)?{pattern}", re.DOTALL)
    return lambda path, _: expression.fullmatch(str(path)) is not None


def _containing(*keys: tuple[bytes, bytes], json: bool = False) -> Takes:
    """YAML files (and JSON ones) in whose head each key stands at the margin (or anywhere).

    Args:
        keys: each with the pattern of what follows its colon.
        json: whether files may be JSON.
    """
    suffixes = (*_YAML, ".json") if json else _YAML
    expressions = [
        (
            key,
            re.compile(
                rb'(?:^(?:\xef\xbb\xbf)?["\']?|")%s["\']?[ \t]*:%s' % (key, value), re.MULTILINE
            ),
        )
        for key, value in keys
    ]
    return lambda path, head: (
        path.suffix.lower() in suffixes
        and all(key in head for key, _ in expressions)
        and all(expression.search(head) for _, expression in expressions)
    )


def _dockerfile(page: Page) -> tuple[Found, ...]:
    return dockerfile.find_images(page.source, page)


def _is_dockerfile(path: PurePosixPath, _: bytes) -> bool:
    name = path.name.lower()
    return _DOCKERFILE.fullmatch(name) is not None and not name.endswith(".dockerignore")


_DOCKERFILE: Final = re.compile(
    r"(?:.*\.)?(?:docker|container)file|(?:docker|container)file[^/]*", re.DOTALL
)


def _is_workflow(path: PurePosixPath, _: bytes) -> bool:
    return path.parts[-2:-1] == ("workflows",) and path.parts[-3:-2] in _WORKFLOWS


_WORKFLOWS: Final = ((".github",), (".gitea",), (".forgejo",))


def _is_template(path: PurePosixPath, head: bytes) -> bool:
    return (
        "templates" in path.parts
        and path.suffix.lower() in {*_YAML, ".tpl"}
        and b"{{" in head
        and b"apiVersion" in head
    )


KINDS: Final = (
    Kind(name="dockerfile", hints=_FILES, takes=_is_dockerfile, find=_dockerfile),
    Kind(
        name="workflow",
        hints=_YAML,
        takes=_is_workflow,
        find=workflow.find_images,
        words=(b"container", b"image", b"docker://"),
    ),
    Kind(
        name="action",
        hints=("action.y",),
        takes=_named(r"action\.ya?ml"),
        find=workflow.find_in_action,
        words=(b"docker://",),
    ),
    Kind(
        name="gitlab",
        hints=("gitlab-ci.y",),
        takes=_named(r"(?:.*\.)?\.?gitlab-ci\.ya?ml"),
        find=gitlab.find_images,
        words=(b"image", b"services"),
        includes=gitlab.included_locals,
    ),
    Kind(
        name="devcontainer",
        hints=("devcontainer",),
        takes=_placed(r"\.devcontainer(?:/(?:[^/]+/)?devcontainer)?\.json"),
        find=devcontainer.find_images,
        words=(b"image",),
    ),
    Kind(
        name="kustomize",
        hints=("kustomization",),
        takes=_named(r"kustomization(?:\.ya?ml)?"),
        find=kustomize.find_images,
        words=(b"images",),
    ),
    Kind(
        name="compose",
        hints=("compose",),
        takes=_named(r"(?:docker-)?compose(?:[-._][^/]*)?\.ya?ml|podman-compose\.ya?ml"),
        find=compose.find_images,
        words=(b"image", b"dockerfile_inline"),
    ),
    Kind(
        name="quadlet",
        hints=(".container", ".image", ".volume"),
        takes=_named(r".+\.(?:container|image|volume)"),
        find=quadlet.find_images,
        words=(b"Image",),
    ),
    Kind(
        name="helm-template",
        hints=(*_YAML, ".tpl"),
        takes=_is_template,
        find=helm.find_in_template,
        words=(b"image:",),
    ),
    Kind(
        name="tekton",
        hints=(*_YAML, ".json"),
        takes=_containing((b"apiVersion", rb"[ \t]*[\"']?tekton\.dev/"), json=True),
        find=kubernetes.find_images,
        words=(b"image", b"bundle"),
    ),
    Kind(
        name="kubernetes",
        hints=(*_YAML, ".json"),
        takes=_containing((b"apiVersion", b""), (b"kind", b""), json=True),
        find=kubernetes.find_images,
        words=(b"image",),
    ),
    Kind(
        name="helm",
        hints=("values",),
        takes=_named(r"(?:.*[-._])?values(?:[-._][^/]*)?\.ya?ml"),
        find=helm.find_images,
        words=(b"mage",),
    ),
    Kind(
        name="compose",
        hints=_YAML,
        takes=_containing((b"services", rb"[ \t]*(?:\#.*)?\r?$")),
        find=compose.find_images,
        words=(b"image",),
    ),
)


_HINTS: Final = tuple(dict.fromkeys(hint for kind in KINDS for hint in kind.hints))


def may_be_of_a_kind(name: str) -> bool:
    """Whether a file of this name is worth a look into its head."""
    lower = name.lower()
    return any(hint in lower for hint in _HINTS)


def kind_of(path: PurePosixPath, head: bytes) -> Kind | None:
    """The kind of a file; None for files that name no images.

    Args:
        path: relative to the tree that it is in.
        head: its first `HEAD` bytes, or all.
    """
    name = path.name.lower()
    for kind in KINDS:
        if any(hint in name for hint in kind.hints) and kind.takes(path, head):
            return kind
    return None


def kind_named(name: str) -> Kind:
    """The kind of this name.

    Raises:
        KeyError: there is none.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise KeyError(name)
