"""`make audit`: pip-audit over what is pinned, against the advisories that are pinned.

Offline it judges what a release brings and is built with: requirements/run.txt and the extras, all
platforms. A distribution that nobody looked up fails the audit: that it has no advisory is not
known. `--online` asks the index's own service instead, about every file of pins; `--refresh`
fetches the snapshot anew from the OSV service, for a person to commit.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release.pins import ROOT
from release.service import serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from release.advisories import Snapshot
    from release.pins import Pin

FILES: Final = ("run.txt", "dev.txt", "release.txt")
_OPTIONS: Final = (
    *("--require-hashes", "--disable-pip", "--strict"),
    *("--progress-spinner", "off", "--timeout", "600"),
)


class UnknownError(Exception):
    """Something is pinned that the snapshot says nothing about."""


def offline(snapshot: Snapshot, pinned: Sequence[Pin], *, tool: Path) -> int:
    """pip-audit's verdict on these pins, by the snapshot: 0, or 1 where one is vulnerable.

    Raises:
        UnknownError: a distribution was not looked up.
    """
    unknown = snapshot.unknown(pin.name for pin in pinned)
    if unknown:
        raise UnknownError(
            f"not looked up, so not known to be safe: {', '.join(unknown)}\n"
            "`make audit ARGS=--refresh` looks up everything that is pinned"
        )
    with tempfile.TemporaryDirectory(prefix="audit-") as name, serving(snapshot) as address:
        file = Path(name) / "requirements.txt"
        # Without markers: this machine's audit is about every machine.
        file.write_text("".join(f"{replace(pin, marker=None)}\n" for pin in pinned))
        service = ("--vulnerability-service", "osv", "--osv-url", address)
        cache = ("--cache-dir", str(Path(name) / "cache"))
        command = (str(tool), "--requirement", str(file), *_OPTIONS, *service, *cache)
        direct = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        return subprocess.run(command, env=direct, check=False).returncode


def online(*, tool: Path) -> int:
    """pip-audit's verdict on every file of pins, by the index's own advisories."""
    named = [
        part for file in FILES for part in ("--requirement", str(ROOT / "requirements" / file))
    ]
    return subprocess.run((str(tool), *named, *_OPTIONS), check=False).returncode


def about(snapshot: Snapshot, pinned: Sequence[Pin], today: date) -> str:
    """What an offline audit was, and how old its knowledge is."""
    records = {record["id"] for found in snapshot.records.values() for record in found}
    age = (today - snapshot.until).days
    return (
        f"{len(pinned)} pins, {len(records)} advisories about {len(snapshot.looked_up)} "
        f"distributions, known until {snapshot.until} ({age} days ago)"
    )
