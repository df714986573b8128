"""What is wanted at the target, and what of it is there: one HEAD an image in the steady state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.lockfile import LockedImage
    from pinner.mirror.naming import Target
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository
    from pinner.oci.sinks import ManifestSink
    from pinner.sync.select import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A locked image and where it goes.

    Attributes:
        repository: of the target.
        digests: the locked digest, or the manifests of single platforms.
        tag: what shall name the locked digest there; None for nothing.
    """

    image: LockedImage
    repository: Repository
    digests: tuple[Digest, ...]
    tag: str | None

    @property
    def name(self) -> str:
        """The entry's name."""
        return self.image.name

    @property
    def source(self) -> Repository:
        """Where the image comes from."""
        return self.image.repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What of a wish the target has.

    Attributes:
        has_all: every digest.
        has_tag: and the tag names what it shall, where one is wanted.
    """

    has_all: bool
    has_tag: bool

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.has_all and self.has_tag


def wish_for(wanted: Wanted, target: Target, *, whole: bool, tags: bool) -> Wish:
    """The wish for a selected image.

    Args:
        wanted: the image and its selected platforms.
        target: where it goes.
        whole: all that the locked digest names, not the selected platforms alone.
        tags: whether its tag goes with it, which can be where the locked digest does.

    Raises:
        InvalidReference: the name at the target would be too long.
    """
    image = wanted.image
    platforms = tuple(dict.fromkeys(digest for _, digest in wanted.manifests))
    digests = (image.digest,) if whole else platforms
    return Wish(
        image=image,
        repository=target.repository(image.repository),
        digests=digests,
        tag=image.tag if tags and image.digest in digests else None,
    )


def without_ambiguous_tags(wishes: Sequence[Wish]) -> tuple[list[Wish], list[str]]:
    """The wishes without tags that would have to name two digests, and a line for each such tag."""
    named: dict[tuple[Repository, str], dict[Digest, str]] = {}
    for wish in wishes:
        if wish.tag is not None:
            named.setdefault((wish.repository, wish.tag), {})[wish.image.digest] = wish.name
    torn = {key: digests for key, digests in named.items() if len(digests) > 1}
    kept = [
        Wish(image=wish.image, repository=wish.repository, digests=wish.digests, tag=None)
        if wish.tag is not None and (wish.repository, wish.tag) in torn
        else wish
        for wish in wishes
    ]
    lines = [
        f"{' and '.join(digests.values())} are locked to different digests of "
        f"{repository}:{tag}: that tag is not written"
        for (repository, tag), digests in torn.items()
    ]
    return kept, lines


def look(sink: ManifestSink, wish: Wish) -> Seen:
    """What the target has of an image.

    A tag that names the right index says that the index is there, and with it, as registries have
    it, all that the index names.

    Raises:
        RegistryError: the target does not answer.
    """
    if wish.tag is not None:
        named = sink.digest_of(Reference(wish.repository, wish.tag))
        if wish.digests == (named,):
            return Seen(has_all=True, has_tag=True)
    has_all = all(
        sink.digest_of(Reference(wish.repository, digest=digest)) is not None
        for digest in wish.digests
    )
    return Seen(has_all=has_all, has_tag=wish.tag is None)
