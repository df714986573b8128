"""`pinner sync`: make a store hold exactly the locked digests.

Lock --select--> Wanted --gather--> ImageNeed --plan--> SyncPlan --run--> SyncResult

select     which entries and platforms of the lockfile (pure)
present    whether all of it is here with its names, so that nothing is to be done
gather     their indexes and manifests, from the store or by digest from the registry
plan       each missing blob once, with all images and repositories that have it (pure)
board      which worker takes which part of which blob next (no I/O)
transfer   one part of one blob: registry -> verified ingest
download   all of the blobs, by a pool of workers
run        the whole of it: progress, names in index.json last
"""

from pinner.sync.gather import SyncSource
from pinner.sync.offline import OfflineSource
from pinner.sync.result import Synced, SyncResult
from pinner.sync.run import run_sync
from pinner.sync.select import Wanted, select_images

__all__ = [
    "OfflineSource",
    "SyncResult",
    "SyncSource",
    "Synced",
    "Wanted",
    "run_sync",
    "select_images",
]
