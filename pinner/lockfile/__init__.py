"""images.lock: what is pinned (design section 3).

bytes --loads--> Lock --dumps--> text     the same bytes for the same content, everywhere
"""

from pinner.lockfile.model import LOCK_REVISION, LOCK_VERSION, Lock, LockedImage
from pinner.lockfile.read import LOCK_LIMIT, loads
from pinner.lockfile.write import dumps

__all__ = [
    "LOCK_LIMIT",
    "LOCK_REVISION",
    "LOCK_VERSION",
    "Lock",
    "LockedImage",
    "dumps",
    "loads",
]
