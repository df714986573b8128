"""Every target, in the order of the table in docs/fuzzing.md."""

from __future__ import annotations

from typing import Final

from fuzz.targets import files, images, rewriting, values, wire

TARGETS: Final = (
    *values.TARGETS,
    *wire.TARGETS,
    *files.TARGETS,
    *images.TARGETS,
    *rewriting.TARGETS,
)
BY_NAME: Final = {target.name: target for target in TARGETS}
