"""`pinner mirror`: copy the locked images into another registry, digests unchanged.

    LockedImage --survey--> ImageTree --plan--> MirrorPlan --ship--> MirrorResult

naming     which repository of the target an image goes to, and the `mirrors` entry (pure)
look       what of an image the target has already: one HEAD in the steady state
tree       all manifests of an image, children before parents
survey     images, manifests and blobs together: what is missing
plan       each blob once: uploaded, mounted, or there (pure)
work       which worker does what next
push       one blob, or one image's manifests, to the registry
shipping   downloads, and pushes what is there meanwhile; rounds for what was denied
fetching   how downloads are told beside uploads
run        the whole of it
"""

from pinner.mirror.naming import Naming, Target
from pinner.mirror.result import Mirrored, MirrorResult, Skipped
from pinner.mirror.run import Means, Wishes, run_mirror

__all__ = [
    "Means",
    "MirrorResult",
    "Mirrored",
    "Naming",
    "Skipped",
    "Target",
    "Wishes",
    "run_mirror",
]
