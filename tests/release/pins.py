"""Files of pins: what `make requirements` writes, a line with its hashes for each distribution."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).resolve().parents[2]

_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)"
    r"(?: ; (?P<marker>.*?))?"
    r"(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)


class PinsError(ValueError):
    """A line that is not a pin with hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One version of one distribution, and what its files hash to (sha256, as they are listed)."""

    name: NormalizedName
    version: Version
    marker: Marker | None
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        marker = f" ; {self.marker}" if self.marker else ""
        return " \\\n    ".join(
            (f"{self.name}=={self.version}{marker}", *(f"--hash=sha256:{h}" for h in self.hashes))
        )


def parse(text: str) -> tuple[Pin, ...]:
    """The pins of a file; a distribution may have several, for different environments.

    Raises:
        PinsError: a line is something else: not pinned, or without hashes.
    """
    joined = text.replace("\\\n", " ").splitlines()
    lines = (re.sub(r"\s+", " ", line).strip() for line in joined)
    return tuple(_pin(line) for line in lines if line and not line.startswith("#"))


def read(name: str, root: Path = ROOT) -> tuple[Pin, ...]:
    """The pins of a file in `requirements/`."""
    return parse((root / "requirements" / name).read_text(encoding="utf-8"))


def released(root: Path = ROOT) -> tuple[Pin, ...]:
    """What a release brings and is built with: run.txt, and of dev.txt what extras ask for."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    wanted = {canonicalize_name(Requirement(line).name) for line in extras}
    return (*read("run.txt", root), *(pin for pin in read("dev.txt", root) if pin.name in wanted))


def _pin(line: str) -> Pin:
    found = _LINE.fullmatch(line)
    if found is None:
        raise PinsError(f"not a pin with hashes: {line}")
    return Pin(
        name=canonicalize_name(found["name"]),
        version=Version(found["version"]),
        marker=Marker(found["marker"]) if found["marker"] else None,
        hashes=tuple(re.findall(r"[0-9a-f]{64}", found["hashes"])),
    )
