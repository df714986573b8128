"""One locked entry: what its tag names now, and whether the pin moves there.

    entry + pin -> the tags that it may move to, the best first
      each: HEAD; only where that names another digest, GET -> platforms -> old enough?
      too young: an older digest of the same tag that is, then the next tag

A pin never moves to a tag that ranks lower, nor to a digest that its tag named before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from pinner.errors import NotFound
from pinner.oci.config import MalformedConfig, parse_config
from pinner.oci.manifest import NoSuchPlatform
from pinner.oci.reference import Reference
from pinner.update.age import Clues, created_time, judge
from pinner.update.model import (
    Age,
    Alarm,
    Held,
    IndexOnly,
    Unchanged,
    Updated,
    Waiting,
)
from pinner.update.seenlog import after, sighting_of, watched_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pinner.lockfile import LockedImage
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.sources import RawManifest
    from pinner.resolve import EntryResolver
    from pinner.spec import SpecEntry
    from pinner.tagpolicy import TagWish
    from pinner.update.age import Verdict
    from pinner.update.observer import Observer
    from pinner.update.seenlog import History

    Outcome = Updated | Unchanged | IndexOnly | Held | Alarm

MOST_TAGS: Final = 5
"""How many better tags are looked at before an entry is held."""
MOST_DIGESTS: Final = 5
"""How many older digests of a tag are asked for before an entry is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """A tag that names another image than the pin."""

    reference: Reference
    raw: RawManifest
    image: LockedImage
    history: History


@dataclass(frozen=True, slots=True)
class _Choice:
    image: LockedImage
    age: Age | None


class EntryUpdater:
    """Updates the entries of one run.

    Args:
        resolver: asks the registry.
        observer: takes note of what is seen.
        host: whose image is looked at for the publisher's date, where it is among those that moved.
        now: seconds since the epoch.
        warn: takes a line for the user.
    """

    def __init__(
        self,
        resolver: EntryResolver,
        observer: Observer,
        *,
        host: Platform,
        now: float,
        warn: Callable[[str, str], None],
    ) -> None:
        self._resolver = resolver
        self._observer = observer
        self._host = host
        self._now = now
        self._warn = warn

    def update(self, entry: SpecEntry, pin: LockedImage) -> Outcome:
        """Where the pin goes that satisfies an entry without a digest of its own.

        Raises:
            PinnerError: the registry failed, or gave what cannot be locked.
        """
        self._observer.pinned(Reference(pin.repository, pin.tag), pin.digest)
        waiting: list[Waiting] = []
        for tag in self._candidates(entry, pin):
            try:
                found = self._look(entry, pin, tag)
            except NotFound:
                if tag == pin.tag and not waiting:
                    raise
                continue  # listed and gone, or gone while better ones mature
            if isinstance(found, Alarm):
                return found
            if not isinstance(found, _Moved):
                if not waiting:
                    return found
                break  # what ranks lower is no better than the pin
            choice = self._choose(entry, pin, found, waiting)
            if choice is not None:
                return Updated(
                    name=entry.name,
                    before=pin,
                    image=choice.image,
                    age=choice.age,
                    waiting=waiting[0] if waiting else None,
                )
        soonest = min(waiting, key=lambda one: one.matures)
        return Held(name=entry.name, image=pin, waiting=soonest)

    def _candidates(self, entry: SpecEntry, pin: LockedImage) -> list[str]:
        """The tags to look at: those that rank above the pin's, then the pin's own."""
        own = str(pin.tag)  # a pin without a tag satisfies only an entry with a digest
        if entry.wish is None:
            return [own]
        tags = self._resolver.tags(entry.repository)
        better = _above(own, {*tags, own}, entry.wish)
        if own not in tags and not better:
            self._warn(
                entry.name,
                f"{entry.name}: the registry does not list the tag {own} any more, and no tag "
                "that ranks above it; the pin does not go back",
            )
        return [*better[:MOST_TAGS], own]

    def _look(
        self, entry: SpecEntry, pin: LockedImage, tag: str
    ) -> Unchanged | IndexOnly | Alarm | _Moved:
        """What a tag names now, beside the pin: one HEAD, and a GET where that does not settle it.

        A digest that a header states only ever saves a GET; what is taken was computed.
        """
        own = tag == pin.tag
        reference = Reference(entry.repository, tag)
        same = Unchanged(name=entry.name, image=pin, alias=None if own else tag)
        if self._resolver.head(reference) == pin.digest:
            self._observer.saw(reference, pin.digest)
            return same
        raw = self._resolver.resolve(reference)
        history = self._observer.saw(reference, raw.digest, registry=raw.last_modified)
        if raw.digest == pin.digest:
            return same
        if own and entry.immutable:
            return Alarm(name=entry.name, image=pin, digest=raw.digest)
        image = self._resolver.image(entry, reference, raw)
        if image.platforms == pin.platforms:
            return IndexOnly(name=entry.name, image=pin, digest=raw.digest) if own else same
        return _Moved(reference=reference, raw=raw, image=image, history=history)

    def _choose(
        self, entry: SpecEntry, pin: LockedImage, moved: _Moved, waiting: list[Waiting]
    ) -> _Choice | None:
        """What of a tag that moved is old enough to be taken; what is not yet is `waiting`."""
        if not entry.minimum_age:
            return _Choice(moved.image, None)
        verdict = self._judge(entry, pin, moved)
        if verdict.old_enough:
            return _Choice(moved.image, verdict.age)
        waiting.append(_waiting(entry, moved.reference, moved.image.digest, verdict))
        return self._promote(entry, pin, moved, waiting)

    def _judge(self, entry: SpecEntry, pin: LockedImage, moved: _Moved) -> Verdict:
        clues = _clues(moved.history, moved.raw.digest)
        verdict = judge(clues, minimum_age=entry.minimum_age, now=self._now)
        if verdict.settled:
            return verdict
        config = self._resolver.config(entry.repository, self._telling(pin, moved.image))
        if config.last_modified is not None:
            history = self._observer.saw(
                moved.reference, moved.raw.digest, registry=config.last_modified
            )
            clues = _clues(history, moved.raw.digest)
        try:
            created = created_time(parse_config(config.data).created)
        except MalformedConfig:
            created = None  # another kind of artifact, which claims nothing
        clues = replace(clues, created=created)
        return judge(clues, minimum_age=entry.minimum_age, now=self._now)

    def _telling(self, pin: LockedImage, image: LockedImage) -> Digest:
        """The manifest that tells when an image was made: one that moved, the host's if it did."""
        moved = {
            platform: digest
            for platform, digest in image.platforms.items()
            if pin.platforms.get(platform) != digest
        } or image.platforms
        hosts = [digest for platform, digest in moved.items() if self._host.matches(platform)]
        return hosts[0] if hosts else next(iter(moved.values()))

    def _promote(
        self, entry: SpecEntry, pin: LockedImage, moved: _Moved, waiting: list[Waiting]
    ) -> _Choice | None:
        """The newest digest that the tag named after the pin, is old enough and still served."""
        asked = 0
        for sighting in reversed(_since_pin(moved, pin)):
            if sighting.pinned or sighting.digest in {moved.raw.digest, pin.digest}:
                continue
            clues = Clues(registry=sighting.registry, first_seen=sighting.first, watched=True)
            verdict = judge(clues, minimum_age=entry.minimum_age, now=self._now)
            if not verdict.old_enough:
                waiting.append(_waiting(entry, moved.reference, sighting.digest, verdict))
                continue
            asked += 1
            if asked > MOST_DIGESTS:
                break
            image = self._served(entry, moved.reference.with_digest(sighting.digest))
            if image is not None and image.platforms != pin.platforms:
                return _Choice(image, verdict.age)
        return None

    def _served(self, entry: SpecEntry, reference: Reference) -> LockedImage | None:
        """The image that a tag named once; None where it is not to be had any more.

        A HEAD that names no digest means that it is gone, where the registry answers HEAD at all.
        """
        try:
            answers_head = self._resolver.head(reference.with_digest(None)) is not None
            if self._resolver.head(reference) is None and answers_head:
                return None
            return self._resolver.image(entry, reference, self._resolver.resolve(reference))
        except (NotFound, NoSuchPlatform):
            return None


def _above(own: str, tags: Iterable[str], wish: TagWish) -> tuple[str, ...]:
    """The tags that rank above an admitted one, best first.

    One that does not compete with the best tag is not ranked beside those that do, of which some
    may be lower.
    """
    ranked = wish.ranked(tags)
    if own in ranked:
        return ranked[: ranked.index(own)]
    return tuple(takewhile(lambda tag: wish.ranked((tag, own))[0] == tag, ranked))


def _clues(history: History, digest: Digest) -> Clues:
    sighting = next(one for one in history if one.digest == digest)
    return Clues(
        registry=sighting.registry,
        first_seen=sighting.first,
        watched=watched_before(history, digest),
    )


def _since_pin(moved: _Moved, pin: LockedImage) -> History:
    """What the tag named after the pin; all that it ever named, where it never named the pin."""
    named_pin = sighting_of(moved.history, pin.digest) is not None
    return after(moved.history, pin.digest) if named_pin else moved.history


def _waiting(entry: SpecEntry, reference: Reference, digest: Digest, verdict: Verdict) -> Waiting:
    return Waiting(
        tag=str(reference.tag),
        digest=digest,
        age=verdict.age,
        minimum_age=entry.minimum_age,
        matures=verdict.matures,
    )
