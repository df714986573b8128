"""Which images a version of windows runs (containerd/platforms, platform_windows_compat.go)."""

from __future__ import annotations

import re
from typing import Final

_VERSION: Final = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,5})(?:\..*)?", re.ASCII)
# Builds of Windows Server 2022 and 2025: from the first of them on, the interface is stable.
_LONG_TERM: Final = (20348, 26100)


def runs(host: str, image: str) -> bool:
    """Whether a host of one `os.version` runs an image of another.

    Major and minor version are equal, and so are builds before Server 2022. Later hosts run every
    build from their long-term release on up to their own. Revisions do not count, and a version
    that is not given fits all.
    """
    wanted, offered = _parse(host), _parse(image)
    if wanted is None or not image:
        return True
    if offered is None or wanted[:2] != offered[:2]:
        return False
    build = wanted[2]
    oldest = max((release for release in _LONG_TERM if release <= build), default=build)
    return oldest <= offered[2] <= build


def newness(version: str) -> tuple[int, ...]:
    """A key that sorts versions by their numbers; no version comes first."""
    return tuple(int(number) for number in re.findall("[0-9]+", version))


def _parse(version: str) -> tuple[int, int, int] | None:
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
