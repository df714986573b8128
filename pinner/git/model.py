"""What is to be committed, where, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pinner.errors import PinnerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A commit's message, without the trailer by which pinner knows its own commits.

    Attributes:
        subject: one line.
        body: lines without the last line feed; empty where the subject says it all.
    """

    subject: str
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Files for one commit.

    Attributes:
        files: the new bytes of each; at least one of them differs from what the base has.
        beside: the last part of the branch's name, behind a `/`; empty for the branch itself.
    """

    message: Message
    files: Mapping[Path, bytes]
    beside: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where commits go.

    Attributes:
        branch: a branch of this name, made fresh from the base; None: whatever is checked out.
        base: the revision that commits follow; without a branch, `HEAD`.
        force: whether to drop commits on the branch that pinner did not make.
    """

    branch: str | None = None
    base: str = "HEAD"
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One commit, and where it is.

    Attributes:
        branch: its name without `refs/heads/`; None where no branch is checked out.
        commit: its id.
        base: its parent's id.
        changed: whether it was made now; else the branch had the same already.
    """

    branch: str | None
    commit: str
    base: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A branch that was left as it is.

    Attributes:
        error: why.
    """

    branch: str
    error: PinnerError
