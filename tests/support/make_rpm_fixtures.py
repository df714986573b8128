"""Makes fixtures/inventory/{older,newer}.sqlite.gz: `python tests/support/make_rpm_fixtures.py`."""

from __future__ import annotations

import gzip
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.rpms import NEWER, OLDER, database
from support.tables import FIXTURES

with tempfile.TemporaryDirectory() as folder:
    for name, specs in {"older": OLDER, "newer": NEWER}.items():
        made = database(Path(folder, name), specs)
        packed = gzip.compress(made, compresslevel=9, mtime=0)
        (FIXTURES / "inventory" / f"{name}.sqlite.gz").write_bytes(packed)
