"""Files as pinner reads and writes them: bounded, regular files only, replaced whole.

A reader of a file sees the old bytes or the new bytes, never a mixture, and a writer that dies
leaves nothing that the next one does not take away.

reading     whole files with a limit; folders synced; descriptors closed
temporary   the new version of a file before it has the file's name
replace     several files at once from bytes, or one from a stream
writeback   a long stream on its way to the disk
"""

from pinner.fsio.reading import read_limited, release, sync_directory
from pinner.fsio.replace import FileChanged, Stream, replacing, write_atomic

__all__ = [
    "FileChanged",
    "Stream",
    "read_limited",
    "release",
    "replacing",
    "sync_directory",
    "write_atomic",
]
