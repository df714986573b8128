"""The largest hostile files, in a process of its own: it ends within limits of time and memory.

Each takes about a second; the limit is for what is not linear, on machines that are slow or busy.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

SECONDS: Final = 60
BYTES: Final = 256 * 1024 * 1024
CHILD: Final = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from pinner.inventory import databases
path, head, piece = sys.argv[1], sys.argv[2].encode("latin-1"), sys.argv[3].encode("latin-1")
size = 64 * 1024 * 1024
data = bytearray(head)
while len(data) < size:
    data += piece * min(100_000, (size - len(data)) // len(piece) + 1)
del data[size:]
files = {{path: bytes(data)}}
del data
found = databases.packages(files)
if sys.platform == "darwin":
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
else:  # there, that would count what pytest has had, until the exec
    status = open("/proc/self/status").read()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(peak, len(found.packages), len(found.notes))
"""
STATUS: Final = "var/lib/dpkg/status"
INSTALLED: Final = "lib/apk/db/installed"
RPMDB: Final = "var/lib/rpm/rpmdb.sqlite"
STANZA: Final = "Package: a\nStatus: install ok installed\nVersion: 1\n"


@pytest.mark.parametrize(
    ("path", "head", "piece", "packages"),
    [
        pytest.param(STATUS, STANZA, "\n", 1, id="P01 empty lines"),
        pytest.param(STATUS, STANZA, " \n", 1, id="P01 lines of spaces"),
        pytest.param(STATUS, STANZA + "\n", "x\n\n", 1, id="P01 stanzas"),
        pytest.param(STATUS, STANZA, "X: y\n", 1, id="P01 one stanza"),
        pytest.param(STATUS, STANZA, " x\n", 0, id="P01 one field"),
        pytest.param(STATUS, STANZA, " ", 1, id="P01 one line"),
        pytest.param(STATUS, STANZA, "Package: a\n", 0, id="P01 one field again and again"),
        pytest.param(INSTALLED, "", "P:a\nV:1\n\n", 1, id="P02 paragraphs"),
        pytest.param(RPMDB, "SQLite format 3\0", "\x01\x02\x03\x04", 0, id="P03 noise"),
    ],
)
def test_the_largest_files(path: str, head: str, piece: str, packages: int) -> None:
    script = CHILD.format(seconds=SECONDS)
    if head.endswith("\0"):
        head, script = head[:-1], script.replace("bytearray(head)", 'bytearray(head + b"\\0")')
    done = subprocess.run(
        [sys.executable, "-c", script, path, head, piece],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    peak, found, _notes = map(int, done.stdout.split())
    assert found == packages
    assert peak < BYTES
