"""`pinner pull`: what `docker pull` does, into a store and without a daemon.

    names --parse_wishes--> Wish --run_pull--> PullResult

wishes    what the command line names (pure)
finding   what a tag names now, with as few counted requests as can be
choosing  which manifests of it are wanted: platforms, artifacts refused
words     a registry's failures as docker tells them (pure)
run       the whole of it: tags, manifests, then one `sync` of everything
"""

from pinner.pull.model import Block, Pulled, PullProgress, PullResult, Skipped, Wish
from pinner.pull.run import run_pull
from pinner.pull.wishes import parse_platforms, parse_wishes

__all__ = [
    "Block",
    "PullProgress",
    "PullResult",
    "Pulled",
    "Skipped",
    "Wish",
    "parse_platforms",
    "parse_wishes",
    "run_pull",
]
