"""What a wheel says of itself, and which pinned distributions an install of it brings."""

from __future__ import annotations

import hashlib
import itertools
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from release.licences import declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from release.pins import Pin

_PYTHON: Final = "Programming Language :: Python :: 3."


class UnpinnedError(ValueError):
    """Something is installed with the wheel that no file pins, or in another version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """The metadata of a built wheel."""

    name: NormalizedName
    version: Version
    licence: str
    summary: str
    requires: tuple[Requirement, ...]
    extras: tuple[str, ...]
    pythons: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A distribution that comes with the wheel; `needs` are those that it brings itself."""

    pin: Pin
    licence: str
    summary: str
    needs: tuple[NormalizedName, ...]
    optional: bool


def read(file: Path) -> Wheel:
    """The wheel in this file."""
    with zipfile.ZipFile(file) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    lines = metadata.get_all("Classifier", [])
    return Wheel(
        name=canonicalize_name(metadata["Name"]),
        version=Version(metadata["Version"]),
        licence=declared(metadata),  # type: ignore[arg-type]  # it is what importlib returns
        summary=metadata["Summary"],
        requires=tuple(map(Requirement, metadata.get_all("Requires-Dist", []))),
        extras=tuple(metadata.get_all("Provides-Extra", [])),
        pythons=tuple("3." + line.removeprefix(_PYTHON) for line in lines if _PYTHON in line),
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
    )


def parts(wheel: Wheel, pins: Iterable[Pin]) -> tuple[Part, ...]:
    """What comes with the wheel on any system that pinner runs on, sorted by name.

    Edges and licences are read from the installed distributions, which are the pinned files.

    Raises:
        UnpinnedError: an edge leads to what is not pinned, or not installed as it is pinned.
        LicenceError: a distribution does not say which licence it is under.
    """
    pinned = _by_name(pins)
    environments = tuple(_environments(wheel.pythons))
    required = _reached(_wanted(wheel.requires, (), environments), pinned, environments)
    everything = _reached(_wanted(wheel.requires, wheel.extras, environments), pinned, environments)
    return tuple(
        _part(pinned[name][0], needs, optional=name not in required)
        for name, needs in sorted(everything.items())
    )


def direct(wheel: Wheel) -> tuple[NormalizedName, ...]:
    """What the wheel itself asks for, its extras included; sorted."""
    environments = tuple(_environments(wheel.pythons))
    return tuple(sorted(_wanted(wheel.requires, wheel.extras, environments)))


def _environments(pythons: Sequence[str]) -> Iterator[dict[str, str]]:
    """Where pinner runs: what a marker may ask for."""
    for python, system, machine in itertools.product(
        pythons, ("linux", "darwin"), ("x86_64", "aarch64", "arm64")
    ):
        yield {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_system": system.capitalize(),
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": system,
        }


def _wanted(
    requirements: Iterable[Requirement],
    extras: Iterable[str],
    environments: Sequence[Mapping[str, str]],
) -> dict[NormalizedName, set[str]]:
    """The names that are asked for in one environment or more, with the extras of each."""
    found: dict[NormalizedName, set[str]] = {}
    for requirement in requirements:
        marker = requirement.marker
        if marker is None or any(
            marker.evaluate({**environment, "extra": extra})
            for environment in environments
            for extra in ("", *extras)
        ):
            name = canonicalize_name(requirement.name)
            found.setdefault(name, set()).update(requirement.extras)
    return found


def _reached(
    begin: Mapping[NormalizedName, set[str]],
    pinned: Mapping[NormalizedName, Sequence[Pin]],
    environments: Sequence[Mapping[str, str]],
) -> dict[NormalizedName, tuple[NormalizedName, ...]]:
    """Every distribution behind those, with its own edges."""
    edges: dict[NormalizedName, tuple[NormalizedName, ...]] = {}
    asked = {name: set(extras) for name, extras in begin.items()}
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        lines = _installed(name, pinned).requires or ()
        needs = _wanted(map(Requirement, lines), asked[name], environments)
        edges[name] = tuple(sorted(needs))
        for other, extras in needs.items():
            if other not in asked or not extras <= asked[other]:
                asked.setdefault(other, set()).update(extras)
                waiting.append(other)
    return edges


def _by_name(pins: Iterable[Pin]) -> dict[NormalizedName, list[Pin]]:
    found: dict[NormalizedName, list[Pin]] = {}
    for pin in pins:
        found.setdefault(pin.name, []).append(pin)
    return found


def _installed(
    name: NormalizedName, pinned: Mapping[NormalizedName, Sequence[Pin]]
) -> Distribution:
    if name not in pinned:
        raise UnpinnedError(f"{name} is not pinned: run `make requirements`")
    if len(pinned[name]) > 1:
        raise UnpinnedError(f"{name} is pinned in two versions: only one can be installed and read")
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise UnpinnedError(f"{name} is pinned, but not installed") from None
    (pin,) = pinned[name]
    if Version(found.version) != pin.version:
        raise UnpinnedError(f"{name} {found.version} is installed, {pin.version} pinned")
    return found


def _part(pin: Pin, needs: tuple[NormalizedName, ...], *, optional: bool) -> Part:
    metadata = distribution(pin.name).metadata
    return Part(
        pin=pin,
        licence=declared(metadata),
        summary=metadata["Summary"],
        needs=needs,
        optional=optional,
    )
