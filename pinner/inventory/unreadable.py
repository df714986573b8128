"""Why a layer cannot be read."""

from __future__ import annotations


class Unreadable(Exception):  # noqa: N818 - what became of a layer, for a note to tell
    """A layer or a part of it is not what can be read; the message says why, safe to print."""
