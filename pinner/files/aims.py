"""What a command wants of each place: that it says what the lock says, or that it has no digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from pinner.files.model import Place, Status
from pinner.oci.reference import Reference
from pinner.rewrite.edits import pin_edits, unpin_edits
from pinner.rewrite.matching import Refused, Unmatched
from pinner.rewrite.model import Reason
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.oci.reference import Repository
    from pinner.rewrite.matching import Matcher, Wanted
    from pinner.rewrite.model import Edit, Occurrence, Skipped

_REWRITE: Final = "run `pinner rewrite`"
_SHOWN: Final = 240
_PASSED_OVER: Final = {
    Reason.IGNORED: Status.IGNORED,
    Reason.TEMPLATE: Status.SKIPPED,
    Reason.UNSUPPORTED: Status.SKIPPED,
    Reason.NO_DEFAULT: Status.UNRESOLVABLE,
    Reason.NOT_A_REFERENCE: Status.UNRESOLVABLE,
    Reason.CANNOT_HOLD: Status.UNRESOLVABLE,
}


class Aim(Protocol):
    """What a command wants of each place."""

    def is_settled(self, place: Occurrence) -> bool:
        """Whether nothing is wanted of it."""
        ...

    def edits(self, place: Occurrence) -> tuple[Edit, ...]:
        """What is wanted of it, as edits.

        Raises:
            CannotHold: it cannot be edited so.
        """
        ...

    def judged(self, place: Occurrence, file: str, *, after: str, cannot: str) -> Place:
        """What it comes to.

        Args:
            place: the place.
            file: as messages name it.
            after: what it will be; empty where it stays.
            cannot: why it cannot be edited; empty where it can, or need not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pinning:
    """Every place says what the lock says."""

    matcher: Matcher

    def is_settled(self, place: Occurrence) -> bool:
        """Whether it says that already, or nothing says what it should be."""
        match = self.matcher.match(place)
        return isinstance(match, Refused) or match.settled

    def edits(self, place: Occurrence) -> tuple[Edit, ...]:
        """The edits that make it say so; raises `CannotHold`."""
        match = self.matcher.match(place)
        if isinstance(match, Refused):
            return ()
        return pin_edits(place, tag=match.tag, digest=match.digest)

    def judged(self, place: Occurrence, file: str, *, after: str, cannot: str) -> Place:
        """Pinned, unpinned, stale, unknown or unresolvable."""
        match = self.matcher.match(place)
        text = place.reference.text
        if isinstance(match, Refused):
            # A pin that waits for `pinner lock` is known; so is what the place should not say.
            known = match.kind in {Unmatched.NOT_LOCKED, Unmatched.NO_PLATFORM}
            return Place(
                file=file,
                line=place.line,
                text=text,
                status=Status.STALE if known else Status.UNKNOWN,
                why=match.why,
                mend=match.mend,
                reason=match.kind,
            )
        if match.settled:
            return Place(
                file=file, line=place.line, text=text, status=Status.PINNED, entry=match.name
            )
        unpinned = match.present is None
        status = Status.UNPINNED if unpinned else Status.STALE
        why, mend = _difference(text, match), _REWRITE
        if cannot:
            if unpinned:
                status = Status.UNRESOLVABLE
            why = f"{why}, and pinner cannot change that: {cannot}"
            mend = "change it by hand or add `# pinner: ignore`"
        return Place(
            file=file,
            line=place.line,
            text=text,
            status=status,
            entry=match.name,
            after=after,
            why=why,
            mend=mend,
            note=match.note,
            reason=Reason.CANNOT_HOLD if cannot else None,
        )


@dataclass(frozen=True, slots=True)
class Unpinning:
    """No place of an image of images.toml has a digest.

    Attributes:
        repositories: those of images.toml; other places are not ours.
    """

    repositories: frozenset[Repository]

    def is_settled(self, place: Occurrence) -> bool:
        """Whether it has no digest, or is of another repository."""
        reference = Reference.parse(place.reference.text)
        return reference.digest is None or reference.repository not in self.repositories

    def edits(self, place: Occurrence) -> tuple[Edit, ...]:
        """The edits that take the digest away; raises `CannotHold`."""
        return () if self.is_settled(place) else unpin_edits(place)

    def judged(self, place: Occurrence, file: str, *, after: str, cannot: str) -> Place:
        """Pinned where it will be changed, unresolvable where it cannot be; else left alone."""
        text = place.reference.text
        if self.is_settled(place):
            other = "@" in text
            return Place(
                file=file,
                line=place.line,
                text=text,
                status=Status.UNKNOWN if other else Status.UNPINNED,
                why=f"{_short(text)} is not in images.toml" if other else "",
                reason=Unmatched.NO_ENTRY if other else None,
            )
        return Place(
            file=file,
            line=place.line,
            text=text,
            status=Status.UNRESOLVABLE if cannot else Status.PINNED,
            after=after,
            why=f"{_short(text)} keeps its digest: {cannot}" if cannot else "",
            reason=Reason.CANNOT_HOLD if cannot else None,
        )


@dataclass(frozen=True, slots=True)
class Noting:
    """Every place as it is; nothing is wanted of it."""

    def is_settled(self, place: Occurrence) -> bool:  # noqa: ARG002 - as `Aim` has it
        """Yes."""
        return True

    def edits(self, place: Occurrence) -> tuple[Edit, ...]:  # noqa: ARG002 - as `Aim` has it
        """None."""
        return ()

    def judged(self, place: Occurrence, file: str, *, after: str, cannot: str) -> Place:  # noqa: ARG002
        """Pinned where it has a digest; `entry` is what a comment above it says."""
        text = place.reference.text
        return Place(
            file=file,
            line=place.line,
            text=text,
            status=Status.PINNED if "@" in text else Status.UNPINNED,
            entry=place.entry,
        )


def passed_over(skipped: Skipped, file: str) -> Place:
    """A place that the reader of its file left alone."""
    text = safe(skipped.text, limit=_SHOWN)
    return Place(
        file=file,
        line=skipped.line,
        text=text,
        status=_PASSED_OVER[skipped.reason],
        why=f"{text}: {skipped.why}" if text else skipped.why,
        mend=skipped.mend,
        reason=skipped.reason,
    )


def _difference(text: str, match: Wanted) -> str:
    name = _short(text)
    present = Reference.parse(text)
    tag = "" if match.tag in {None, present.tag_or_latest().tag} else f"{match.tag} at "
    locked = f"images.lock says {tag}{match.digest.short}"
    if match.present is None:
        return f"{name} is not pinned" + (f", {locked}" if tag else "")
    if match.present == match.digest:
        return f"{name} has the digest of another tag, images.lock says {match.tag}"
    return f"{name} is pinned to {match.present.short}, {locked}"


def _short(text: str) -> str:
    """A reference without its digest, as it is spelled."""
    return text.partition("@")[0]
