from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import storing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.store.layout import Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    with storing.open_store(root) as opened:
        yield opened
