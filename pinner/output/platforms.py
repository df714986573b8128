"""The platforms that a run was about, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.output.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.oci.platform import Platform

_FEW: Final = 4


def for_platforms(sets: Iterable[Iterable[Platform]]) -> str:
    """` for linux/amd64, linux/arm64`, or ` for 9 platforms`; empty where there is none.

    Args:
        sets: the platforms of each image.
    """
    found = sorted({str(platform) for platforms in sets for platform in platforms})
    if not found:
        return ""
    if len(found) > _FEW:
        return f" for {plural(len(found), 'platform')}"
    return f" for {', '.join(found)}"
