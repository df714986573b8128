"""What one action asks for: counted by `fleet.counting`, kept in fixtures/fleet/costs.json."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KINDS: Final = ("HEAD manifests", "GET manifests", "HEAD blobs", "GET blobs")
COSTS: Final = Path(__file__).resolve().parents[2] / "fixtures/fleet/costs.json"
_KIND: Final = re.compile(r"/v2/.+/(manifests|blobs|tags)/[^?]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The requests of one action.

    Attributes:
        action: the command and the state that it met.
        where: who was asked: `registry`, or the `mirror` or `cache` before it.
        images: how many images the action was about.
        blobs: how many blobs they have that were not there; for what all was there, all of them.
        asked: requests by `METHOD kind`, without those for /v2/ and tokens.
        sent: bytes of blobs in the answers, where the log has them.
    """

    action: str
    where: str
    images: int
    blobs: int
    asked: Mapping[str, int]
    sent: int = 0

    @classmethod
    def of(
        cls,
        action: str,
        where: str,
        asked: Iterable[tuple[str, str]],
        *,
        images: int,
        blobs: int,
        sent: int = 0,
    ) -> Cost:
        """The cost of requests, each a method and a path."""
        kinds = ((method, _KIND.fullmatch(path.partition("?")[0])) for method, path in asked)
        counts = Counter(f"{method} {found[1]}" for method, found in kinds if found)
        return cls(
            action=action,
            where=where,
            images=images,
            blobs=blobs,
            asked=dict(sorted(counts.items())),
            sent=sent,
        )

    def per_image(self, kind: str) -> float:
        """Requests of this kind for each image."""
        return self.asked.get(kind, 0) / self.images

    def per_blob(self, kind: str) -> float:
        """Requests of this kind for each blob."""
        return self.asked.get(kind, 0) / self.blobs


@dataclass(frozen=True, slots=True)
class Costs:
    """All of them, to look up."""

    rows: tuple[Cost, ...]

    def find(self, action: str, where: str = "registry") -> Cost:
        """The cost of an action at one place; nothing where it did not ask there at all.

        Raises:
            KeyError: the action was never counted.
        """
        rows = [row for row in self.rows if row.action == action]
        for row in rows:
            if row.where == where:
                return row
        if not rows:
            raise KeyError(action)
        return Cost(
            action=action, where=where, images=rows[0].images, blobs=rows[0].blobs, asked={}
        )


def dumps(rows: Sequence[Cost]) -> str:
    """The text of costs.json: one line a row."""
    lines = ",\n".join(json.dumps(asdict(one)) for one in rows)
    return f"[\n{lines}\n]\n"


def load() -> Costs:
    """What was counted last."""
    return Costs(tuple(Cost(**row) for row in json.loads(COSTS.read_text(encoding="utf-8"))))
