"""Which entry of images.toml a place means, and what it should say (design section 9).

An entry matches by repository and tag: its own tag, the pin's tag, or one that its wish admits. No
tag means `latest`. A digest alone means the entry whose pin has it, and so does one behind a tag
that no entry has. A comment `# pinner: NAME` says which of the entries of the repository is meant,
whatever the tag.

A place says the digest of what the tag names, which is an index or a lone manifest. It says a
platform's manifest only where its present digest is known to be that platform's, or where the user
asked for it. Where the present digest is not known, a switch cannot be excluded, and is said.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.freshness import Kind, staleness
from pinner.oci.reference import LATEST, Reference
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.lockfile import Lock, LockedImage
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Repository
    from pinner.rewrite.model import Occurrence
    from pinner.spec import Spec, SpecEntry


class Unmatched(enum.Enum):
    """Why nothing says what a place should say; the values are what `--json` shows."""

    NO_ENTRY = "no-entry"
    """No entry of images.toml has its repository and tag."""
    NO_SUCH_NAME = "no-such-name"
    """`# pinner: NAME` names no entry, or one of another repository."""
    TIE = "tie"
    """Several entries match and say different things."""
    UNKNOWN_DIGEST = "unknown-digest"
    """It has a digest alone, and no pin has that."""
    NOT_LOCKED = "not-locked"
    """The entry is not locked, or its pin does not satisfy images.toml."""
    NO_PLATFORM = "no-platform"
    """The pin does not have the platform that is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a place should say.

    Attributes:
        name: of the entry; the first by name where several say the same.
        tag: what stands before the digest; None where none is known.
        digest: of the index, or of `platform`'s manifest.
        platform: whose manifest the digest is; None for what the tag names.
        present: the digest that the place has now.
        settled: the place says all that already.
        note: what the user should know about the change; empty for nothing.
    """

    name: str
    tag: str | None
    digest: Digest
    platform: Platform | None = None
    present: Digest | None = None
    settled: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why nothing says what a place should say.

    Attributes:
        why: a sentence for people, without a full stop, safe to print.
        mend: what would help.
    """

    kind: Unmatched
    why: str
    mend: str


class Matcher:
    """Matches places with the entries of one spec and the pins of one lock.

    Args:
        spec: what images.toml says.
        lock: what images.lock says.
        previous: the lock that the files may still be pinned by; called at most once, and only
            where a place has a digest that `lock` does not have.
        platform: say this platform's manifest; a place that asks for a platform itself gets that
            one's. None: the rules above.
    """

    def __init__(
        self,
        spec: Spec,
        lock: Lock,
        *,
        previous: Callable[[], Lock | None] = lambda: None,
        platform: Platform | None = None,
    ) -> None:
        self._pins = {image.name: image for image in lock.images}
        self._previous = previous
        self._before: dict[str, LockedImage] | None = None
        self._platform = platform
        self._entries: dict[Repository, list[SpecEntry]] = {}
        self._names = {entry.name: entry for entry in spec.entries}
        for entry in spec.entries:
            self._entries.setdefault(entry.repository, []).append(entry)
        # A pin with other platforms still says what its tag names.
        self._stale = {
            stale.name for stale in staleness(spec, lock) if stale.kind is not Kind.PLATFORMS
        }
        self._known: dict[tuple[str, str, Platform | None], Wanted | Refused] = {}

    def match(self, place: Occurrence) -> Wanted | Refused:
        """What a place should say, or why that cannot be told."""
        key = (place.reference.text, place.entry, place.platform)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._match(*key)
        return found

    def knows(self, repository: Repository) -> bool:
        """Whether some entry is of this repository."""
        return repository in self._entries

    def _match(self, text: str, name: str, asked: Platform | None) -> Wanted | Refused:
        reference = Reference.parse(text)
        entries = self._candidates(reference, name)
        if isinstance(entries, Refused):
            return entries
        found = [self._wanted(entry, reference, asked) for entry in entries]
        wanted = [one for one in found if isinstance(one, Wanted)]
        if len(wanted) < len(found):
            return next(one for one in found if isinstance(one, Refused))
        if len({(one.tag, one.digest) for one in wanted}) > 1:
            names = sorted(entry.name for entry in entries)
            return Refused(
                kind=Unmatched.TIE,
                why=f"{_shown(reference)} is what {' and '.join(names)} of images.toml admit",
                mend=f"say which by a line `# pinner: {names[0]}` above it",
            )
        return min(wanted, key=lambda one: one.name)

    def _candidates(self, reference: Reference, name: str) -> list[SpecEntry] | Refused:
        """The entries that match, at least one."""
        entries = self._entries.get(reference.repository, [])
        if name:
            return self._named(reference, name)
        if reference.tag is None and reference.digest is not None:
            found = self._by_digest(entries, reference.digest)
            if not found and entries:
                return Refused(
                    kind=Unmatched.UNKNOWN_DIGEST,
                    why=f"{_shown(reference)} has a digest that images.lock does not have",
                    mend=f"give it a tag, or a line `# pinner: {entries[0].name}` above it",
                )
        else:
            tag = reference.tag or LATEST
            found = [entry for entry in entries if self._admits(entry, tag)]
            if not found and reference.digest is not None:
                # images.toml wants another tag by now; what pinned the place says whose it is.
                found = self._by_digest(entries, reference.digest)
        return found or _no_entry(reference)

    def _by_digest(self, entries: Sequence[SpecEntry], digest: Digest) -> list[SpecEntry]:
        """The entries whose pin has a digest, now or else before."""
        found = [entry for entry in entries if self._has(entry, digest)]
        return found or [entry for entry in entries if self._had(entry, digest)]

    def _named(self, reference: Reference, name: str) -> list[SpecEntry] | Refused:
        entry = self._names.get(name)
        if entry is not None and entry.repository == reference.repository:
            return [entry]
        shown = safe(name, limit=80)
        why = f"`# pinner: {shown}` names no entry of images.toml"
        if entry is not None:
            image = entry.repository.familiar()
            why = f"`# pinner: {shown}` names an entry of {image}, not of {_shown(reference)}"
        names = sorted(one.name for one in self._entries.get(reference.repository, ()))
        mend = f"its repository has {', '.join(names)}" if names else _add(reference)
        return Refused(kind=Unmatched.NO_SUCH_NAME, why=why, mend=mend)

    def _admits(self, entry: SpecEntry, tag: str) -> bool:
        pin = self._pins.get(entry.name)
        if tag == entry.tag or (pin is not None and tag == pin.tag):
            return True
        return entry.wish is not None and entry.wish.admits(tag)

    def _has(self, entry: SpecEntry, digest: Digest) -> bool:
        pin = self._pins.get(entry.name)
        return digest == entry.digest or (pin is not None and _names_digest(pin, digest))

    def _had(self, entry: SpecEntry, digest: Digest) -> bool:
        pin = self._pin_before(entry.name)
        return pin is not None and _names_digest(pin, digest)

    def _pin_before(self, name: str) -> LockedImage | None:
        if self._before is None:
            previous = self._previous()
            self._before = {image.name: image for image in previous.images} if previous else {}
        return self._before.get(name)

    def _wanted(
        self, entry: SpecEntry, reference: Reference, asked: Platform | None
    ) -> Wanted | Refused:
        pin = self._pins.get(entry.name)
        if pin is None:
            return _not_locked(f"{entry.name} is not locked")
        if pin.repository != entry.repository:
            image = pin.repository.familiar()
            return _not_locked(f"{entry.name} is {image} in images.lock, not what images.toml says")
        platform, note = self._platform_for(pin, reference.digest, asked)
        digest = pin.digest if platform is None else pin.platforms.get(platform)
        if digest is None:
            return Refused(
                kind=Unmatched.NO_PLATFORM,
                why=f"images.lock has {entry.name} for {_listed(pin)}, not for {platform}",
                mend="add the platform to images.toml and run `pinner lock`",
            )
        tag = _tag(pin, reference)
        settled = (tag, digest) == (reference.tag, reference.digest)
        if entry.name in self._stale and not settled:
            return _not_locked(f"{entry.name} in images.lock does not satisfy images.toml")
        return Wanted(
            name=entry.name,
            tag=tag,
            digest=digest,
            platform=platform,
            present=reference.digest,
            settled=settled,
            note=note if digest != reference.digest else "",
        )

    def _platform_for(
        self, pin: LockedImage, present: Digest | None, asked: Platform | None
    ) -> tuple[Platform | None, str]:
        """Whose manifest to say, None for what the tag names; and a note on it."""
        if self._platform is not None:
            return asked or self._platform, ""
        if present is None or present == pin.digest:
            return None, ""
        known: LockedImage | None = pin
        if not _names_digest(pin, present):
            known = self._pin_before(pin.name)
        if known is not None and known.repository == pin.repository:
            if present == known.digest:
                return None, ""
            same = [platform for platform, one in known.platforms.items() if one == present]
            if same:
                # Of several that share a manifest, the one that the place asks for.
                return (asked if asked in same else same[0]), ""
        return None, (
            f"{present.short} is in no lockfile: if it was one platform's manifest, this changes it"
            " to all platforms"
        )


def _tag(pin: LockedImage, reference: Reference) -> str | None:
    """The pin's tag; a place without one that has a digest goes on without."""
    if reference.tag is None and reference.digest is not None:
        return None
    return pin.tag or reference.tag


def _names_digest(pin: LockedImage, digest: Digest) -> bool:
    return digest == pin.digest or digest in pin.platforms.values()


def _not_locked(why: str) -> Refused:
    return Refused(kind=Unmatched.NOT_LOCKED, why=why, mend="run `pinner lock`")


def _no_entry(reference: Reference) -> Refused:
    return Refused(
        kind=Unmatched.NO_ENTRY,
        why=f"{_shown(reference)} is not in images.toml",
        mend=_add(reference),
    )


def _add(reference: Reference) -> str:
    image = reference.with_digest(None).familiar() if reference.tag else reference.familiar()
    return f"run `pinner add {image}` or add `# pinner: ignore`"


def _shown(reference: Reference) -> str:
    """As messages name it: the digest only where there is no tag."""
    if reference.digest is None or reference.tag is not None:
        return reference.with_digest(None).familiar()
    return f"{reference.repository.familiar()}@{reference.digest.short}"


def _listed(pin: LockedImage) -> str:
    return ", ".join(map(str, pin.platforms))
