"""Where to read what changed in the source of an image: a link that its labels lead to (pure).

`org.opencontainers.image.source` and `.revision` (image-spec annotations.md) are the publisher's
claim, so a link is built from checked parts alone, for forges whose addresses are known:

    forge                       below https://HOST/OWNER/REPO
    GitHub                      /compare/OLD...NEW            /tree/NEW
    GitLab (with subgroups)     /-/compare/OLD...NEW          /-/tree/NEW
    Gitea, Forgejo, Codeberg    /compare/OLD...NEW            /src/commit/NEW
    bitbucket.org               /branches/compare/NEW%0DOLD   /src/NEW
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE: Final = "org.opencontainers.image.source"
REVISION: Final = "org.opencontainers.image.revision"
_LONGEST: Final = 500

# A host by its name alone: an address or a port is no public forge.
_HOST: Final = r"(?P<host>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})"
_SEGMENT: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
_PATH: Final = rf"(?P<path>{_SEGMENT}(?:/{_SEGMENT}){{1,7}})"
_FRAGMENT: Final = r"(?:#(?P<revision>[^:#]*)(?::[^#]*)?)?"
_FORMS: Final = tuple(
    re.compile(rf"(?i:{prefix}{_HOST}{separator}){_PATH}/?{_FRAGMENT}", re.ASCII)
    for prefix, separator in (("https://", "/"), ("ssh://git@", "/"), ("git@", ":"))
)
# A commit, or a tag such as v1.2.3; no two dots, which separate the revisions of a comparison.
_REF: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_+-]|\.(?!\.)){0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Forge:
    """How one kind of forge spells its addresses, below that of a repository.

    Attributes:
        depth: path segments of a repository, at least and at most.
    """

    compare: str
    tree: str
    depth: tuple[int, int]


_GITHUB: Final = _Forge("/compare/{old}...{new}", "/tree/{new}", (2, 2))
_GITLAB: Final = _Forge("/-/compare/{old}...{new}", "/-/tree/{new}", (2, 8))
_GITEA: Final = _Forge("/compare/{old}...{new}", "/src/commit/{new}", (2, 2))
_BITBUCKET: Final = _Forge("/branches/compare/{new}%0D{old}", "/src/{new}", (2, 2))
# A forge of a company's own is known by the first part of its host, as these are named by custom.
_FORGES: Final = {
    "github": _GITHUB,
    "gitlab": _GITLAB,
    "gitea": _GITEA,
    "forgejo": _GITEA,
    "codeberg": _GITEA,
}
_BITBUCKET_HOST: Final = "bitbucket.org"
_LOOKALIKE: Final = re.compile(r"[a-z]+\.(?:com|org)\..+")  # github.com.example.net


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    host: str
    path: str
    revision: str

    @property
    def repository(self) -> tuple[str, str]:
        """What two sources of one repository have in common, however they spell it."""
        return self.host, self.path.lower()


def link_between(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """The URL of the comparison of two images' sources, else of the newer one's source.

    Without a revision on either side, with the same on both, or where the source moved to another
    repository, there is nothing to compare.

    Args:
        old: the labels of the older image.
        new: the labels of the newer image.

    Returns:
        An https URL of characters that need no escaping in text, Markdown or HTML; empty where
        the labels lead nowhere that is known.
    """
    after = _source(new)
    if after is None:
        return ""
    forge = _forge(after)
    if forge is None:
        return ""
    address = f"https://{after.host}/{after.path}"
    if not after.revision:
        return address
    before = _source(old)
    if (
        before is None
        or before.repository != after.repository
        or before.revision in {"", after.revision}
    ):
        return address + forge.tree.format(new=after.revision)
    return address + forge.compare.format(old=before.revision, new=after.revision)


def _source(labels: Mapping[str, str]) -> _Source | None:
    """The repository and revision that labels name; the revision is empty where they name none."""
    text = labels.get(SOURCE, "")
    if len(text) > _LONGEST:
        return None
    found = next((found for form in _FORMS if (found := form.fullmatch(text))), None)
    if found is None:
        return None
    path = found["path"].removesuffix(".git")
    if any(segment.endswith((".git", ".")) for segment in path.split("/")):
        return None
    revisions = (labels.get(REVISION, ""), found["revision"] or "")
    return _Source(
        host=found["host"].lower(),
        path=path,
        revision=next((text for text in revisions if _REF.fullmatch(text)), ""),
    )


def _forge(source: _Source) -> _Forge | None:
    if source.host == _BITBUCKET_HOST:
        forge: _Forge | None = _BITBUCKET
    elif _LOOKALIKE.fullmatch(source.host):
        forge = None
    else:
        forge = _FORGES.get(source.host.partition(".")[0])
    if forge is None:
        return None
    least, most = forge.depth
    return forge if least <= source.path.count("/") + 1 <= most else None
