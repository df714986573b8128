"""`pinner lock --check`: whether images.lock is fresh, without click and without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.freshness import staleness
from pinner.output.check import check_fields, render_check

if TYPE_CHECKING:
    from pinner.cli.context import Session


def check_lock(session: Session) -> int:
    """Say whether images.lock answers images.toml: 0 for yes, 1 for no."""
    spec = session.project.read_spec()
    lock = session.project.read_lock()
    findings = None if lock is None else staleness(spec, lock)
    images = len(spec.entries)
    session.answer(render_check(findings, images=images), check_fields(findings, images=images))
    return 1 if findings is None or findings else 0
