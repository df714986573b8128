"""What BuildKit refuses to read, each turned into a finding by who asked."""

from __future__ import annotations


class MalformedDockerfile(Exception):  # noqa: N818 - an answer
    """BuildKit refuses the file; the message says why, in one line that is safe to print.

    Attributes:
        offset: of a character in the text, near which it is wrong.
    """

    def __init__(self, why: str, offset: int) -> None:
        super().__init__(why)
        self.offset = offset


class CannotExpand(Exception):  # noqa: N818 - an answer
    """BuildKit refuses the word; the message says why, in one line that is safe to print."""
