"""The project's files that name images: found, read, planned, written.

paths -> listing (as git knows them) -> reading (bounded, within the project) -> plan_tree -> apply
"""

from pinner.files.apply import apply_plans
from pinner.files.model import Place, PlannedFile, Status, Tree
from pinner.files.tree import note_tree, plan_tree, plan_unpinning

__all__ = [
    "Place",
    "PlannedFile",
    "Status",
    "Tree",
    "apply_plans",
    "note_tree",
    "plan_tree",
    "plan_unpinning",
]
