"""Every target, in the order of the table in docs/fuzzing.md."""

from __future__ import annotations

from typing import Final

from fuzz.targets import files, framing, images, keeping, rewriting, serving, telling, values, wire

TARGETS: Final = (
    *values.TARGETS,
    *wire.TARGETS,
    *framing.TARGETS,
    *serving.TARGETS,
    *files.TARGETS,
    *keeping.TARGETS,
    *images.TARGETS,
    *rewriting.TARGETS,
    *telling.TARGETS,
)
BY_NAME: Final = {target.name: target for target in TARGETS}
