"""Resolving: what `pinner lock` does between reading images.toml and writing images.lock.

    Spec + previous Lock -> for each entry: kept, or one manifest GET -> LockResult

An entry whose pin still satisfies the spec costs no request (design section 4). An index names
the digests of all platforms at once; a lone manifest costs one more request, for its config, since
only that says which platform it is for. The clock, the host and the run leave no trace in the lock.
"""

from pinner.resolve.entry import EntryResolver, LockSource
from pinner.resolve.lock import lock_images, stale_kinds
from pinner.resolve.model import Added, Changed, Kept, LockOutcome, LockResult, Removed

__all__ = [
    "Added",
    "Changed",
    "EntryResolver",
    "Kept",
    "LockOutcome",
    "LockResult",
    "LockSource",
    "Removed",
    "lock_images",
    "stale_kinds",
]
