from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.gitrepos import Ground

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """An empty repository."""
    return Ground.make(tmp_path / "ground")
