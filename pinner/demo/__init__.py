"""`pinner demo`: the main job told on an embedded registry, offline, in a temporary folder.

publications (images made on the spot) -> registry (pinner's own server, on loopback)
story (steps) -> steps.tell -> `python -m pinner …` as real processes -> write
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pinner.demo.publications import first_publications
from pinner.demo.registry import open_registry
from pinner.demo.stage import ProcessStage
from pinner.demo.steps import tell
from pinner.demo.story import story

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.clock import Clock


def run(write: Callable[[str], None], *, environ: Mapping[str, str], clock: Clock) -> int:
    """Tell the story; 0 when every command ended as it says.

    Args:
        write: takes the text as it comes, in pieces that end with a line.
        environ: where PATH and Python's own settings come from. Nothing else of it reaches the
            commands: no credentials, proxies or settings of pinner.
        clock: the registry's.

    Raises:
        StoryBroke: a command ended otherwise.
        StoreError: the disk failed.
    """
    with tempfile.TemporaryDirectory(prefix="pinner-demo-") as temporary:
        folder = Path(temporary)
        with open_registry(folder / "registry", clock=clock) as registry:
            registry.publish(first_publications())
            stage = ProcessStage(folder, publish=registry.publish, environ=environ)
            tell(story(registry.host), stage, write)
    return 0
