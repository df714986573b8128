"""Archives: images of the store as one tar that every engine loads.

store --find--> Image --plan--> ArchivePlan --write--> tar, in a stream

choose     which images are meant
find       an image's manifests, all of whose blobs the store has
plan       which blobs go along, and in which order (pure)
documents  what index.json and manifest.json name (pure)
tar        the headers of a tar (pure)
write      the stream: the kernel copies blobs while threads hash them
shown      how far it is, told to a listener

The tar is an OCI image layout (image-spec image-layout.md) and has docker's `manifest.json`
(moby image/spec v1.2) over the same blobs. docs/archives.md says what each reader makes of it.
"""

from pinner.archive.find import Lacking, find_locked, find_named
from pinner.archive.model import Image, Member
from pinner.archive.plan import ArchivePlan, plan_archive
from pinner.archive.write import write_archive

__all__ = [
    "ArchivePlan",
    "Image",
    "Lacking",
    "Member",
    "find_locked",
    "find_named",
    "plan_archive",
    "write_archive",
]
