"""The unit file of docs/serve.md, as systemd reads it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from docpages import markdown, pages
from support.programs import require

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.servers


def units() -> list[str]:
    page = markdown.parse((pages.DOCS / "serve.md").read_text(encoding="utf-8"))
    return [
        part.text for part in page if isinstance(part, markdown.Fence) and part.language == "ini"
    ]


def test_systemd_has_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    service, socket = units()
    service = service.replace("/usr/local/bin/pinner", f"{sys.executable} -m pinner")
    (tmp_path / "pinner-serve.service").write_text(service)
    (tmp_path / "pinner-serve.socket").write_text(socket)
    files = [str(tmp_path / f"pinner-serve.{kind}") for kind in ("service", "socket")]
    require("systemd-analyze")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    # What it knows of the machine's own units is theirs.
    complaints = [line for line in said.stderr.splitlines() if "pinner-serve" in line]
    assert (said.returncode, complaints) == (0, [])
