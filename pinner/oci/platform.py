"""Platforms: operating system, architecture and variant (image-spec, containerd/platforms).

    <os>[(<os version>[+<os feature>]*)]/<architecture>[/<variant>]      or its first or second part

A platform is stored normalised, so that equal platforms are equal values: `x86_64` is `amd64`,
`arm64/v8` is `arm64`, `arm` is `arm/v7`. A lock matches strictly (containerd's `OnlyStrict`): no
`386` for `amd64`, no `arm/v6` for `arm/v7`, where engines fall back in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pinner.errors import InputError
from pinner.oci import architecture as names
from pinner.oci import windows
from pinner.terminal import safe

_OS: Final = re.compile(
    r"(?P<os>[A-Za-z0-9_-]+)"
    r"(?:\((?P<version>[A-Za-z0-9_.%-]*)(?P<features>(?:\+[A-Za-z0-9_.%-]+)*)\))?",
    re.ASCII,
)
_PART: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_OPTION: Final = re.compile(r"[ -~]{0,128}", re.ASCII)  # decoded: printable ASCII
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})", re.ASCII)
_ESCAPED: Final = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_SHOWN: Final = 160
_EXAMPLE: Final = 'write it like "linux/arm64" or "linux/arm/v7"'


class InvalidPlatform(InputError, ValueError):  # noqa: N818 - `X.parse` raises `InvalidX`
    """Text that is not a platform."""

    code = "invalid-platform"


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """A normalised platform; `str()` gives `linux/arm/v7` and round-trips.

    Attributes:
        os: as Go names it: `linux`, `windows`.
        architecture: as Go names it: `amd64`, `arm64`.
        variant: `v7`; empty where the architecture's usual one is meant (amd64 v1, arm64 v8).
        os_version: empty except for windows: `10.0.20348.1249`.
        os_features: sorted, each once.
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self)
        architecture, variant = names.normalise(self.architecture, self.variant)
        object.__setattr__(self, "os", names.normalise_os(self.os))
        object.__setattr__(self, "architecture", architecture)
        object.__setattr__(self, "variant", variant)
        object.__setattr__(self, "os_features", tuple(sorted(set(self.os_features))))

    @classmethod
    def parse(cls, text: str, *, host: Platform | None = None) -> Platform:
        """The platform that `text` specifies, by containerd's rules.

        Args:
            text: a specifier such as `linux/arm64`.
            host: completes a lone operating system or architecture; None refuses those, since a
                file must mean the same on every host.

        Raises:
            InvalidPlatform: not a specifier, or an incomplete one without `host`.
        """
        os, parts = _split(text)
        version = _decoded(os["version"] or "")
        features = tuple(_decoded(part) for part in (os["features"] or "").split("+")[1:])
        match parts:
            case [architecture]:
                return cls(os["os"], architecture, "", version, features)
            case [architecture, variant]:
                return cls(os["os"], architecture, variant, version, features)
            case []:
                half = _completed(text, os["os"], host)
                return cls(half.os, half.architecture, half.variant, version, features)
            case _:
                raise InvalidPlatform(
                    f'"{safe(text, limit=_SHOWN)}": cannot parse platform specifier', mend=_EXAMPLE
                )

    @classmethod
    def parse_canonical(cls, text: str) -> Platform:
        """The platform that `text` spells as `str()` would, as files of the project have it.

        Raises:
            InvalidPlatform: not a platform, or another spelling; the message names the right one.
        """
        platform = cls.parse(text)
        if str(platform) != text:
            raise InvalidPlatform(f'"{safe(text, limit=_SHOWN)}" is written "{platform}"')
        return platform

    @classmethod
    def of_host(cls, machine: str, system: str) -> Platform:
        """Linux on the host's architecture: what containers on this machine run as.

        Args:
            machine: as `platform.machine()` or `uname -m` says.
            system: as `platform.system()` says; on a Mac, containers run in a linux machine too.

        Raises:
            InvalidPlatform: neither Linux nor macOS.
        """
        if system not in {"Linux", "Darwin"}:
            raise InvalidPlatform(
                f'pinner runs on Linux and macOS, not on "{safe(system, limit=80)}"'
            )
        return cls("linux", *names.of_machine(machine))

    def matches(self, offered: Platform) -> bool:
        """Whether an image for `offered` is one for this platform, strictly.

        Operating system, architecture and variant are equal, and `offered` needs no feature that
        is not wanted. Of windows, the version must be one that a host of this version runs;
        versions of other systems do not count, nor does the feature win32k.
        """
        return (
            (self.os, self.architecture, self.variant)
            == (offered.os, offered.architecture, offered.variant)
            and set(offered.os_features) <= {*self.os_features, "win32k"}
            and (self.os != "windows" or windows.runs(self.os_version, offered.os_version))
        )

    def __str__(self) -> str:
        os = self.os
        if self.os_version or self.os_features:
            features = "".join(f"+{_encoded(feature)}" for feature in self.os_features)
            os = f"{os}({_encoded(self.os_version)}{features})"
        return f"{os}/{self.architecture}" + (f"/{self.variant}" if self.variant else "")


def _check(platform: Platform) -> None:
    """Wherever the values came from, a specifier must be able to spell them."""
    spellable = (
        _PART.fullmatch(platform.os)
        and "." not in platform.os
        and _PART.fullmatch(platform.architecture)
        and (not platform.variant or _PART.fullmatch(platform.variant))
        and _OPTION.fullmatch(platform.os_version)
        and all(feature and _OPTION.fullmatch(feature) for feature in platform.os_features)
    )
    if not spellable:
        parts = (platform.os, platform.architecture, platform.variant)
        options = "+".join([platform.os_version, *platform.os_features])
        shown = "/".join(parts) + (f" ({options})" if options else "")
        raise InvalidPlatform(f'no specifier can spell "{safe(shown, limit=_SHOWN)}"')


def _split(text: str) -> tuple[re.Match[str], list[str]]:
    """The operating system with its options, and the other parts of a specifier."""
    shown = safe(text, limit=_SHOWN)
    if "*" in text:
        raise InvalidPlatform(f'"{shown}": wildcards not yet supported', mend=_EXAMPLE)
    first, *rest = text.split("/")
    os = _OS.fullmatch(first)
    if os is None:
        raise InvalidPlatform(
            f'"{safe(first, limit=_SHOWN)}" is an invalid OS component of "{shown}"', mend=_EXAMPLE
        )
    for part in rest:
        if not _PART.fullmatch(part):
            raise InvalidPlatform(
                f'"{safe(part, limit=_SHOWN)}" is an invalid component of "{shown}"', mend=_EXAMPLE
            )
    return os, rest


def _completed(text: str, half: str, host: Platform | None) -> Platform:
    """The platform of a specifier that names one operating system or one architecture."""
    os = names.normalise_os(half)
    if names.is_known_os(os):
        if host is None:
            raise InvalidPlatform(
                f'"{safe(text)}" has no architecture', mend=f'write "{os}/amd64", for example'
            )
        return Platform(os, host.architecture, host.variant)
    architecture, variant = names.normalise(half)
    if "(" in text or not names.is_known(architecture):
        raise InvalidPlatform(
            f'"{safe(text, limit=_SHOWN)}": unknown operating system or architecture',
            mend=_EXAMPLE,
        )
    if host is None:
        meant = Platform("linux", architecture, variant)
        raise InvalidPlatform(f'"{safe(text)}" has no operating system', mend=f'write "{meant}"')
    return Platform(host.os, architecture, variant)


def _decoded(option: str) -> str:
    if option.count("%") != len(_ESCAPE.findall(option)):
        raise InvalidPlatform(
            f'"{safe(option, limit=_SHOWN)}" has a % without two hexadecimal digits'
        )
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), option)


def _encoded(option: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", option)
