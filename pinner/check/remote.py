"""`pinner check --remote`: does the registry still serve each locked digest, has each tag moved.

One HEAD for each digest and each tag, whatever entries share it. A registry that does not answer
HEAD is asked by GET, since its reasons come only so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pinner.errors import NotFound, PinnerError
from pinner.oci.reference import Reference
from pinner.oci.sources import ManifestSource, Resolver
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinner.lockfile import Lock, LockedImage
    from pinner.oci.digest import Digest
    from pinner.spec import Spec


class RemoteSource(Resolver, ManifestSource, Protocol):
    """What the check asks of a registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteImage:
    """What the registry says of one pin.

    Attributes:
        image: the pin.
        gone: the digests that are not served any more: the tag's, then those of platforms.
        tag_gone: the tag does not exist any more.
        tag_digest: what the tag names now; None where it was not asked for, or is gone.
        error: why some answer is missing.
    """

    image: LockedImage
    gone: tuple[Digest, ...] = ()
    tag_gone: bool = False
    tag_digest: Digest | None = None
    error: PinnerError | None = None

    @property
    def moved(self) -> bool:
        """Whether the tag names something else now, or nothing."""
        return self.tag_gone or self.tag_digest not in {None, self.image.digest}

    @property
    def exit_code(self) -> int:
        """0 for served and unmoved, 1 for the opposite, the error's where there is one."""
        if self.error is not None:
            return self.error.exit_code
        return int(bool(self.gone) or self.moved)


def ask_registries(
    spec: Spec, lock: Lock, source: RemoteSource, *, jobs: int
) -> tuple[RemoteImage, ...]:
    """Ask for every pin, in the order of the lock; failures are values, never raised.

    Args:
        spec: an entry with a digest by hand follows no tag, so its tag is not asked for.
        lock: the pins.
        source: the registries.
        jobs: how many questions are under way at once.
    """
    fixed = {entry.name for entry in spec.entries if entry.digest is not None}
    questions = {
        image.name: tuple(_questions(image, tag=image.name not in fixed)) for image in lock.images
    }
    asked = list(dict.fromkeys(one for own in questions.values() for one in own))
    answers = dict(
        zip(
            asked,
            map_concurrently(lambda one: _Answer(_ask(source, one)), asked, jobs=jobs),
            strict=True,
        )
    )
    return tuple(_told(image, questions[image.name], answers) for image in lock.images)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The digest that is served; None for nothing."""

    digest: Digest | None


def _questions(image: LockedImage, *, tag: bool) -> Iterator[Reference]:
    for digest in (image.digest, *image.platforms.values()):
        yield Reference(image.repository, None, digest)
    if tag and image.tag is not None:
        yield Reference(image.repository, image.tag)


def _ask(source: RemoteSource, reference: Reference) -> Digest | None:
    stated = source.head(reference)
    if stated is not None and reference.digest in {None, stated}:
        return stated
    try:
        if reference.digest is None:
            return source.resolve(reference).digest
        return source.manifest(reference.repository, reference.digest).digest
    except NotFound:
        return None


def _told(
    image: LockedImage,
    questions: tuple[Reference, ...],
    answers: Mapping[Reference, _Answer | PinnerError],
) -> RemoteImage:
    gone: list[Digest] = []
    tag_gone, tag_digest, error = False, None, None
    for question in dict.fromkeys(questions):
        answer = answers[question]
        if isinstance(answer, PinnerError):
            error = error or answer
        elif question.digest is None:
            tag_digest, tag_gone = answer.digest, answer.digest is None
        elif answer.digest is None:
            gone.append(question.digest)
    return RemoteImage(
        image=image, gone=tuple(gone), tag_gone=tag_gone, tag_digest=tag_digest, error=error
    )
