"""Which bytes change so that a place names another tag or digest.

The tag and the digest are edited where their characters stand, be that the line itself, the default
of an ARG or a key of its own. A digest goes right behind the tag, so that whoever overrides the
variable that holds the tag overrides the digest with it; where a tag is put together from several
places there is no such point, and the place cannot hold a digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.rewrite.located import NOWHERE
from pinner.rewrite.model import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinner.oci.digest import Digest
    from pinner.rewrite.located import Located
    from pinner.rewrite.model import Occurrence


class CannotHold(Exception):  # noqa: N818 - an answer, turned into a finding by who asked
    """This place cannot be edited so; the message says why, in one line that is safe to print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A reference in its parts, each with its origins; empty where it is not there."""

    name: Located
    tag: Located
    at: Located
    digest: Located


def pin_edits(occurrence: Occurrence, *, tag: str | None, digest: Digest) -> tuple[Edit, ...]:
    """The edits that make a place name this tag and digest; none if it does already.

    Args:
        occurrence: the place.
        tag: what stands before the digest; None leaves out none that is there, and adds none.
        digest: of the index, or of a platform's manifest.

    Raises:
        CannotHold: the characters to change do not stand together in the file.
    """
    parts = _split(occurrence.reference)
    edits: list[Edit] = []
    added_tag = ""
    if tag is not None and not parts.tag.text:
        added_tag = f":{tag}"
    elif tag not in {None, parts.tag.text}:
        edits.append(_replaced(parts.tag, tag or ""))
    if parts.digest.text:
        if added_tag:
            edits.append(_inserted(parts.name, added_tag.encode()))
        if parts.digest.text != str(digest):
            edits.append(_replaced(parts.digest, str(digest)))
    elif occurrence.slot is not None:
        slot = occurrence.slot
        if added_tag:
            edits.append(_inserted(parts.name, added_tag.encode()))
        text = slot.before + str(digest).encode() + slot.after
        edits.append(Edit(start=slot.offset, end=slot.offset, text=text))
    else:
        edits.append(_behind(parts, f"{added_tag}@{digest}"))
    return _allowed(edits, occurrence)


def unpin_edits(occurrence: Occurrence) -> tuple[Edit, ...]:
    """The edits that take the digest away and leave the tag; none where there is none.

    A digest under a key of its own leaves the key empty: the file has no `@` to take away.

    Raises:
        CannotHold: the digest and what joins it to the tag do not stand together in the file.
    """
    parts = _split(occurrence.reference)
    if not parts.digest.text:
        return ()
    if not parts.tag.text:
        raise CannotHold("it has no tag, so without its digest it would name another image")
    own_key = parts.at.origins[0] == NOWHERE
    joined = parts.digest if own_key else parts.at + parts.digest
    start, end = _span(joined, "its digest is put together from several places")
    return _allowed([Edit(start=start, end=end, text=b"")], occurrence)


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The file with all edits made; equal edits are made once.

    Raises:
        ValueError: two edits overlap; who plans them keeps them apart.
    """
    pieces: list[bytes] = []
    at = 0
    for edit in sorted(set(edits), key=lambda edit: (edit.start, edit.end)):
        if edit.start < at:
            raise ValueError(f"edits overlap at byte {edit.start}")
        pieces += [data[at : edit.start], edit.text]
        at = edit.end
    return b"".join([*pieces, data[at:]])


def _split(reference: Located) -> _Parts:
    text = reference.text
    at = text.find("@")
    end = len(text) if at < 0 else at
    colon = text.rfind(":", text.rfind("/", 0, end) + 1, end)
    name_end = end if colon < 0 else colon
    return _Parts(
        name=reference[:name_end],
        tag=reference[name_end + 1 : end],
        at=reference[end : end + 1],
        digest=reference[end + 1 :],
    )


def _behind(parts: _Parts, text: str) -> Edit:
    """Put text behind the tag, or behind the name where there is no tag."""
    if parts.tag.text:
        _, end = _span(parts.tag, "its tag is put together from several places")
        return Edit(start=end, end=end, text=text.encode())
    return _inserted(parts.name, text.encode())


def _inserted(before: Located, text: bytes) -> Edit:
    """Put text behind the last character of `before`."""
    last = before.origins[-1]
    if last == NOWHERE:
        raise CannotHold("its last character does not stand in this file as it is")
    return Edit(start=last + 1, end=last + 1, text=text)


def _replaced(part: Located, text: str) -> Edit:
    start, end = _span(part, "what would change is put together from several places")
    return Edit(start=start, end=end, text=text.encode())


def _span(part: Located, otherwise: str) -> tuple[int, int]:
    """The bytes [start, end) where all characters of `part` stand, in order and nothing between."""
    first: int = part.origins[0]
    if first == NOWHERE or list(part.origins) != list(range(first, first + len(part))):
        raise CannotHold(otherwise)
    return first, first + len(part)


def _allowed(edits: Sequence[Edit], occurrence: Occurrence) -> tuple[Edit, ...]:
    for barrier in occurrence.barriers:
        if any(barrier.start <= edit.start and edit.end <= barrier.end for edit in edits):
            raise CannotHold(barrier.why)
    return tuple(edits)
