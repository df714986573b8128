"""A file system of its own, for what a rename cannot cross and what a disk cannot hold."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

from support.programs import find, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def tmpfs(place: Path, size: int) -> Iterator[Callable[[int], None]]:
    """Mount a tmpfs of `size` bytes at `place`; what is given back gives it another size."""
    mount, umount = find("mount"), find("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        unavailable("a tmpfs can be mounted as root alone")
    place.mkdir(exist_ok=True)
    options = ("-t", "tmpfs", "-o", f"size={size},mode=0755", "none", str(place))
    mounted = subprocess.run([mount, *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        unavailable(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")

    def resize(size: int) -> None:
        options = ("-o", f"remount,size={size}", str(place))
        subprocess.run([mount, *options], check=True, timeout=10)

    try:
        yield resize
    finally:
        subprocess.run([umount, "--lazy", str(place)], check=True, timeout=10)
