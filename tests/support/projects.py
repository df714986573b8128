"""Hypothesis strategies for specs and locks, and a lock that satisfies a spec."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from pinner.lockfile import Lock, LockedImage
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.spec import Spec, SpecEntry
from pinner.tagpolicy.versions import VersionWish
from support.strategies import digests, platforms, repositories

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,6}", fullmatch=True)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
# Few values, since of these only sameness and difference matter; drawing any is slow.
_NAMES: Final = ["a", "a.b", "a-b", "0", "node", "redis7.2"]
_TAGS: Final = ["latest", "1.2", "4.1-alpine", "_", "X.y-z"]
_DIGESTS: Final = [Digest.of(b"1"), Digest.of(b"2"), Digest("sha512", "3" * 128)]
_PLATFORMS: Final = [
    Platform.parse(text)
    for text in (
        "linux/amd64",
        "linux/arm64",
        "linux/arm/v7",
        "linux/amd64/v3",
        "windows(10.0.17763)/amd64",
    )
]
_REPOSITORIES: Final = [
    Repository.parse(text)
    for text in ("debian", "team/app", "ghcr.io/acme/x", "localhost:5000/library/debian")
]


def manifests() -> st.SearchStrategy[dict[Platform, Digest]]:
    """At least one platform, each with its manifest."""
    return st.dictionaries(platforms(), digests(), min_size=1, max_size=3)


def locked_images() -> st.SearchStrategy[LockedImage]:
    """Any pin."""
    return st.builds(
        LockedImage,
        name=names,
        repository=repositories(),
        tag=st.none() | tags,
        digest=digests(),
        platforms=manifests(),
        all_platforms=st.booleans(),
    )


def locks() -> st.SearchStrategy[Lock]:
    """Any lock; names are unique."""
    images = st.lists(locked_images(), max_size=2, unique_by=lambda image: image.name)
    return st.builds(Lock, images=images.map(tuple))


@st.composite
def entries(draw: st.DrawFn, name: str) -> SpecEntry:
    """An entry of any sort: a tag, a digest, both, or a version."""
    sort = draw(st.sampled_from(["tag", "digest", "both", "version"]))
    tag, digest = draw(st.sampled_from(_TAGS)), draw(st.sampled_from(_DIGESTS))
    wanted = st.lists(st.sampled_from(_PLATFORMS), min_size=1, max_size=3, unique=True).map(tuple)
    return SpecEntry(
        name=name,
        repository=draw(st.sampled_from(_REPOSITORIES)),
        tag=tag if sort in {"tag", "both"} else None,
        digest=digest if sort in {"digest", "both"} else None,
        wish=VersionWish(specifier=">=2,<5", variant="alpine") if sort == "version" else None,
        platforms=draw(st.none() | wanted),
    )


@st.composite
def specs(draw: st.DrawFn, *, min_size: int = 0) -> Spec:
    """Any spec."""
    found = draw(st.lists(st.sampled_from(_NAMES), min_size=min_size, max_size=4, unique=True))
    return Spec(entries=tuple(draw(entries(name)) for name in found))


def lock_of(spec: Spec) -> Lock:
    """A lock as `pinner lock` would make it, with made-up digests."""
    return Lock(images=tuple(pin_of(entry) for entry in spec.entries))


def pin_of(entry: SpecEntry) -> LockedImage:
    """A pin that satisfies the entry."""
    return LockedImage(
        name=entry.name,
        repository=entry.repository,
        tag="4.1-alpine" if entry.wish else entry.tag,
        digest=entry.digest or Digest.of(str(entry.reference).encode()),
        platforms={
            platform: Digest.of(str(platform).encode())
            for platform in entry.platforms or _PLATFORMS[:3]
        },
        all_platforms=entry.platforms is None,
    )
