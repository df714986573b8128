"""Which boot of this machine we run in: a name that changes whenever a power cut may have been."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

_LINUX: Final = Path("/proc/sys/kernel/random/boot_id")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_ROOM: Final = 128


def current_boot_id() -> str | None:
    """The kernel's id of this boot, a lower-case UUID; None where the system does not tell."""
    try:
        text = _darwin() if sys.platform == "darwin" else _LINUX.read_text(encoding="ascii")
    except (OSError, ValueError, AttributeError):
        return None
    return parse_boot_id(text)


def parse_boot_id(text: str) -> str | None:
    """The boot id that `text` holds, fit to be a file's name; None where it is not a UUID."""
    lowered = text.strip().lower()
    return lowered if _UUID.fullmatch(lowered) else None


def _darwin() -> str:
    import ctypes  # noqa: PLC0415 - slow to import, and only macOS needs it

    libc = ctypes.CDLL(None, use_errno=True)
    value = ctypes.create_string_buffer(_ROOM)
    length = ctypes.c_size_t(_ROOM)
    name = b"kern.bootsessionuuid"
    if libc.sysctlbyname(name, value, ctypes.byref(length), None, ctypes.c_size_t(0)) != 0:
        raise OSError(ctypes.get_errno(), "sysctlbyname")
    return value.value.decode("ascii")
