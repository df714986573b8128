"""One spelling for each operating system and architecture (containerd/platforms, database.go).

The canonical names are Go's (`GOOS`, `GOARCH`), as the image specification asks.
"""

from __future__ import annotations

import re
from typing import Final

_OS: Final = re.compile(
    "aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|linux|nacl|netbsd|openbsd|plan9|"
    "solaris|windows|zos"
)
_ARCHITECTURE: Final = re.compile(
    "386|amd64|amd64p32|arm|arm64|arm64be|armbe|loong64|mips|mips64|mips64le|mips64p32|"
    "mips64p32le|mipsle|ppc|ppc64|ppc64le|riscv|riscv64|s390|s390x|sparc|sparc64|wasm"
)
_OS_NAMES: Final = {"macos": "darwin"}
_NAMES: Final = {
    "aarch64": "arm64",
    "armel": "arm",
    "armhf": "arm",
    "i386": "386",
    "x86-64": "amd64",
    "x86_64": "amd64",
}
_IMPLIED_VARIANTS: Final = {"armel": "v6", "armhf": "v7", "i386": ""}
_VARIANT_NAMES: Final = {
    ("amd64", "v1"): "",
    ("arm", ""): "v7",
    ("arm", "5"): "v5",
    ("arm", "6"): "v6",
    ("arm", "7"): "v7",
    ("arm", "8"): "v8",
    ("arm64", "8"): "",
    ("arm64", "v8"): "",
    ("arm64", "v8.0"): "",
    ("arm64", "9"): "v9",
    ("arm64", "9.0"): "v9",
    ("arm64", "v9.0"): "v9",
}
# What kernels call a machine where Go says otherwise. A 32-bit system on a v8 processor (armv8l)
# runs images for v7; nobody publishes 32-bit ones for v8.
_MACHINES: Final = {
    "armv5tejl": ("arm", "v5"),
    "armv5tel": ("arm", "v5"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v7"),
    "i486": ("386", ""),
    "i586": ("386", ""),
    "i686": ("386", ""),
    "loongarch64": ("loong64", ""),
}


def normalise_os(os: str) -> str:
    """Go's name of an operating system."""
    os = os.lower()
    return _OS_NAMES.get(os, os)


def normalise(architecture: str, variant: str = "") -> tuple[str, str]:
    """Go's name of an architecture, and the variant that is meant.

    The variant is empty for an architecture's usual one, except for arm, where it is `v7`.
    """
    architecture, variant = architecture.lower(), variant.lower()
    variant = _IMPLIED_VARIANTS.get(architecture, variant)
    architecture = _NAMES.get(architecture, architecture)
    return architecture, _VARIANT_NAMES.get((architecture, variant), variant)


def of_machine(machine: str) -> tuple[str, str]:
    """Architecture and variant of what `uname -m` names."""
    machine = machine.lower()
    return _MACHINES.get(machine) or normalise(machine)


def is_known_os(os: str) -> bool:
    """Whether this normalised name is an operating system of Go's list."""
    return _OS.fullmatch(os) is not None


def is_known(architecture: str) -> bool:
    """Whether this normalised name is an architecture of Go's list."""
    return _ARCHITECTURE.fullmatch(architecture) is not None
