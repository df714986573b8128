"""What a reader of a file kind finds: image references, and where each of their characters stands.

A reference may be put together from several places: `FROM alpine:${TAG}` takes its tag from `ARG
TAG=3.19`. So each character of the text that the tool behind the file will see is kept with its
origin, the offset of the byte that it was read from. What has to be edited follows from that alone,
whatever the kind of file.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinner.oci.platform import Platform
    from pinner.rewrite.located import Located


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place that was made for a digest, such as a key of its own that is not there yet.

    Attributes:
        offset: where bytes are put in.
        before: what comes before `sha256:…`.
        after: what comes behind it.
    """

    offset: int
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """Bytes [start, end) that must not be edited, though a reference takes characters from them.

    Attributes:
        why: a sentence for people, without a full stop, safe to print.
    """

    start: int
    end: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One place that names an image.

    Attributes:
        reference: as the file's own tool will read it, `alpine:3.19`.
        line: where a person finds it, from 1.
        platform: the one that the place asks for by itself (`--platform=linux/arm64`).
        entry: the entry that `# pinner: NAME` on the line above names; empty for none.
        slot: where a digest goes, if not behind the last character of the tag or name.
        barriers: what must not be edited for it.
    """

    reference: Located
    line: int
    platform: Platform | None = None
    entry: str = ""
    slot: Slot | None = None
    barriers: tuple[Barrier, ...] = ()


class Reason(enum.Enum):
    """Why a place that names an image is passed over; the values are what output shows."""

    IGNORED = "ignored"
    """`# pinner: ignore` on the line above."""
    NO_DEFAULT = "no-default"
    """A variable without a value in the file: whoever runs it says which image."""
    TEMPLATE = "template"
    """Text that another program fills in."""
    NOT_A_REFERENCE = "not-a-reference"
    """What it resolves to is no image reference."""
    UNSUPPORTED = "unsupported"
    """A form that the file's own tool refuses or that pinner does not read."""
    CANNOT_HOLD = "cannot-hold"
    """There is no one place in the file where the digest could stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A place that seems to name an image and is left as it is, aloud.

    Attributes:
        text: as the file has it.
        line: from 1.
        why: a sentence for people, without a full stop, safe to print.
        mend: what would make it pinnable; empty where nothing would.
    """

    text: str
    line: int
    reason: Reason
    why: str
    mend: str = ""


Found = Occurrence | Skipped
"""What a reader of a file kind finds, in the order of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Bytes [start, end) of a file become `text`."""

    start: int
    end: int
    text: bytes
