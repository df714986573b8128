"""`pinner update`: where do the tags point now, and is that old enough to be taken?

Spec + Lock -> a HEAD for each entry -> candidates -> evidence of age -> outcomes + new Lock
"""

from pinner.update.model import (
    Age,
    Alarm,
    Evidence,
    Held,
    IndexOnly,
    Pinned,
    Unchanged,
    Updated,
    UpdateOutcome,
    UpdateResult,
    Waiting,
)
from pinner.update.moves import moved_images
from pinner.update.run import run_update
from pinner.update.seenfile import SeenFile
from pinner.update.seenlog import SeenLog

__all__ = [
    "Age",
    "Alarm",
    "Evidence",
    "Held",
    "IndexOnly",
    "Pinned",
    "SeenFile",
    "SeenLog",
    "Unchanged",
    "UpdateOutcome",
    "UpdateResult",
    "Updated",
    "Waiting",
    "moved_images",
    "run_update",
]
