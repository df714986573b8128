"""Names for entries, from what they name.

    python:3.12                        python            the last part of the repository's path
    python:3.12-slim                   python-slim       and the variant, where there are others
    node:20-alpine, node:22-alpine     node-20-alpine    or else the tag
    redis, bitnami/redis               redis, bitnami-redis
    ghcr.io/a/x, quay.io/a/x           ghcr.io-a-x, quay.io-a-x

Which names there are depends on the references alone, never on their order.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from pinner.oci.reference import LATEST
from pinner.tagpolicy.versions import parse_tag
from pinner.tomlfiles.names import NAME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pinner.oci.reference import Reference, Repository

_UNFIT: Final = re.compile(r"[^a-z0-9._-]+")
_EDGE: Final = "-._"
_SHORT: Final = 8
_NUMBER: Final = len("-1000000")
_NONE: Final = "image"
_Key = TypeVar("_Key")


def propose_names(
    references: Collection[Reference], *, taken: Collection[str] = ()
) -> dict[Reference, str]:
    """A valid name for each reference, all of them different and none of them taken.

    Args:
        references: each with a tag or a digest, each once.
        taken: names that are given already.
    """
    labels = _labels({reference.repository for reference in references})
    choices = {
        reference: _choices(labels[reference.repository], reference) for reference in references
    }
    alone = Counter(reference.repository for reference in references)
    least = {reference: 0 if alone[reference.repository] == 1 else 1 for reference in references}
    chosen = sorted(_apart(choices, least).items(), key=lambda item: (item[1], str(item[0])))
    free = _Free(taken)
    return {reference: free.name(name) for reference, name in chosen}


def _choices(label: str, reference: Reference) -> list[str]:
    """Names for a reference, from the shortest to the one that says most."""
    if reference.tag is None:
        digest = f"{label}-{reference.digest.hex[:_SHORT]}" if reference.digest else label
        return [label, digest, digest]
    variant = _variant(reference.tag)
    return [label, _joined(label, variant), _joined(label, reference.tag)]


def _variant(tag: str) -> str:
    """What a tag says beside its version: `slim` of `3.12-slim`, nothing of `latest`."""
    if tag == LATEST:
        return ""
    parsed = parse_tag(tag)
    return tag if parsed is None else parsed.variant


def _joined(label: str, more: str) -> str:
    slug = _UNFIT.sub("-", more.lower()).strip(_EDGE)
    return f"{label}-{slug}" if slug else label


def _labels(repositories: Collection[Repository]) -> dict[Repository, str]:
    """For each repository as many of its last parts as tell it from the others."""
    parts = {
        repository: [
            slug
            for part in repository.familiar().split("/")
            if (slug := _UNFIT.sub("-", part.lower()).strip(_EDGE))
        ]
        or [_NONE]
        for repository in repositories
    }
    return _apart(
        {
            repository: ["-".join(own[-count:]) for count in range(1, len(own) + 1)]
            for repository, own in parts.items()
        },
        dict.fromkeys(repositories, 0),
    )


def _apart(choices: Mapping[_Key, Sequence[str]], least: Mapping[_Key, int]) -> dict[_Key, str]:
    """For each key the first of its choices, from the least on, that no other key has.

    Keys that run out of choices keep the last, alike or not.
    """
    at = dict(least)
    while True:
        names = {key: own[at[key]] for key, own in choices.items()}
        count = Counter(names.values())
        alike = [
            key
            for key, name in names.items()
            if count[name] > 1 and at[key] + 1 < len(choices[key])
        ]
        if not alike:
            return names
        for key in alike:
            at[key] += 1


class _Free:
    """Gives names out once each, with a number behind those that are used already."""

    def __init__(self, used: Collection[str]) -> None:
        self._used = set(used)
        self._numbers: dict[str, int] = {}

    def name(self, wish: str) -> str:
        """The name, or `NAME-2`, `NAME-3` and so on; one that is too long is cut."""
        name = wish = wish[: NAME_LIMIT - _NUMBER]
        number = self._numbers.get(wish, 1)
        while name in self._used:
            number += 1
            name = f"{wish}-{number}"
        self._numbers[wish] = number
        self._used.add(name)
        return name
