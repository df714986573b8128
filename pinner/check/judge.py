"""`pinner check`: is the lockfile fresh, and is every place in the files pinned as locked.

Offline, and by meaning: spec, lock and files alone decide. It is green only where nothing is
unknown, since a check that passes what it cannot read promises what it does not know.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.files.model import Status
from pinner.freshness import staleness

if TYPE_CHECKING:
    from pinner.files.model import Place, Tree
    from pinner.freshness import Stale
    from pinner.lockfile import Lock
    from pinner.spec import Spec

WRONG: Final = frozenset({Status.UNPINNED, Status.STALE})
"""What is never green."""
UNSURE: Final = frozenset({Status.UNKNOWN, Status.UNRESOLVABLE, Status.SKIPPED})
"""What is green only with `--lenient`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check came to.

    Attributes:
        tree: the files.
        stale: in which respects the lockfile is stale.
        lenient: whether what is unknown may pass.
    """

    tree: Tree
    stale: tuple[Stale, ...]
    lenient: bool = False

    @property
    def findings(self) -> tuple[Place, ...]:
        """Every place that deserves a line, in the order of the files."""
        return tuple(place for place in self.tree.places if place.status in WRONG | UNSURE)

    @property
    def counts(self) -> Counter[Status]:
        """How many places there are of each status."""
        return Counter(place.status for place in self.tree.places)

    def weight(self, place: Place) -> str:
        """How grave a place is: `error`, `warning` where it may pass, or nothing."""
        if place.status in WRONG or (place.status in UNSURE and not self.lenient):
            return "error"
        return "warning" if place.status in UNSURE else ""

    @property
    def exit_code(self) -> int:
        """0 for green; 1 where something is wrong or unknown; 2 where a file cannot be read."""
        if self.tree.problems and not self.lenient:
            return 2
        wrong = any(self.weight(place) == "error" for place in self.findings)
        return int(wrong or bool(self.stale))


def judge(spec: Spec, lock: Lock, tree: Tree, *, lenient: bool = False) -> CheckResult:
    """The result for a tree that was planned with the same spec and lock."""
    return CheckResult(tree=tree, stale=staleness(spec, lock), lenient=lenient)
