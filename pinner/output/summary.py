"""The body of an update pull request, in Markdown: what a reviewer needs to decide.

    headline, table of all images, one folded section for each, what was held back, the files

Platforms refuse long bodies (GitHub: 65,536 characters). Sections are shortened, then left out,
those that name the fewest CVEs first, until the body fits; what is left out is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.outcome import Failed
from pinner.output.markdown import code, plain, table
from pinner.output.sections import HEADS, Length, change_row, change_section
from pinner.output.units import plural
from pinner.output.update import age_text
from pinner.update.model import Alarm, Held, IndexOnly, Updated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pinner.compare.model import ImageChange
    from pinner.update.model import UpdateOutcome, Waiting

LIMIT: Final = 60_000
_FURTHER: Final = "`pinner diff --packages` shows them"
_LIST_SHARE: Final = 8  # a list of the tail has at most this part of the limit
_NAMES_ROOM: Final = 1000  # characters for the names in one sentence


def render_summary(
    outcomes: Sequence[UpdateOutcome],
    changes: Sequence[ImageChange],
    *,
    files: Sequence[str],
    now: datetime,
    limit: int = LIMIT,
) -> str:
    """The whole body, of fewer than `limit` characters.

    Args:
        outcomes: of an update.
        changes: what changed inside each image whose pin moved, in the order to show.
        files: what was written, as `path` or `path:line`.
        now: for ages; with a time zone.
        limit: what the platform takes, 10,000 or more.
    """
    ages = {
        outcome.name: f"age: {age_text(outcome.age, now)}"
        for outcome in outcomes
        if isinstance(outcome, Updated) and outcome.age is not None
    }
    tail = "".join(f"\n{part}\n" for part in _tail(outcomes, files, room=limit // _LIST_SHARE))
    return render_changes(changes, now=now, facts=ages, tail=tail, limit=limit)


def render_changes(
    changes: Sequence[ImageChange],
    *,
    now: datetime,
    facts: Mapping[str, str] | None = None,
    tail: str = "",
    limit: int = LIMIT,
) -> str:
    """Headline, table and sections of these changes, then `tail`.

    Args:
        changes: in the order to show.
        now: for ages; with a time zone.
        facts: a further line, by name, for the image's section.
        tail: Markdown that begins with an empty line, or nothing.
        limit: of characters.
    """
    head = f"### {_headline(changes)}\n"
    rows, left_rows = _fitting_rows(changes, now=now, room=(limit - len(head) - len(tail)) // 2)
    head += f"\n{table(HEADS, rows)}" if rows else ""
    if left_rows:
        head += f"\n… and {plural(left_rows, 'image')} more: {_FURTHER}.\n"
    told = _Sections(changes, facts or {})
    told.fit(limit - len(head) - len(tail))
    return f"{head}{told.text()}{tail}"


def _headline(changes: Sequence[ImageChange]) -> str:
    if not changes:
        return "No image to update"
    cves = {fix.cve for change in changes if change.packages for fix in change.packages.fixes}
    named = f": {plural(len(cves), 'CVE')} named fixed" if cves else ""
    return f"Update {plural(len(changes), 'image')}{named}"


def _fitting_rows(
    changes: Sequence[ImageChange], *, now: datetime, room: int
) -> tuple[list[tuple[str, ...]], int]:
    """The first rows that have room, and how many have not."""
    rows: list[tuple[str, ...]] = []
    for change in changes:
        row = change_row(change, now=now)
        room -= len(table(row, ())) - len("|---" * len(row) + "|\n")
        if room < 0:
            break
        rows.append(row)
    return rows, len(changes) - len(rows)


class _Sections:
    """The sections of all images, each at a length that lets them fit together."""

    def __init__(self, changes: Sequence[ImageChange], facts: Mapping[str, str]) -> None:
        self._changes = changes
        self._facts = facts
        self._lengths = [Length.WHOLE] * len(changes)
        self._texts = [self._section(index) for index in range(len(changes))]

    def fit(self, room: int) -> None:
        """Shorten, then leave out, those that name the fewest CVEs first."""
        used = sum(map(len, self._texts))
        if used <= room:
            return
        room -= len(self._note(_NAMES_ROOM * "-", _NAMES_ROOM * "-"))
        by_weight = sorted(range(len(self._changes)), key=self._weight)
        for length in (Length.SHORTER, Length.NONE):
            for index in by_weight:
                if used <= room:
                    return
                used -= len(self._texts[index])
                self._lengths[index] = length
                self._texts[index] = self._section(index)
                used += len(self._texts[index])

    def text(self) -> str:
        """All of them, and a line that names those that are not whole."""
        shortened, left_out = map(self._of_length, (Length.SHORTER, Length.NONE))
        return "".join(self._texts) + self._note(shortened, left_out)

    def _section(self, index: int) -> str:
        change = self._changes[index]
        facts = [self._facts[change.name]] if change.name in self._facts else []
        text = change_section(change, self._lengths[index], facts=facts)
        return f"\n{text}" if text else ""

    def _weight(self, index: int) -> tuple[int, int]:
        packages = self._changes[index].packages
        return (0, 0) if packages is None else (len(packages.fixes), len(packages.changes))

    def _of_length(self, length: Length) -> str:
        chosen = zip(self._changes, self._lengths, strict=True)
        return _names([change.name for change, own in chosen if own is length])

    @staticmethod
    def _note(shortened: str, left_out: str) -> str:
        parts = [("shortened", shortened), ("left out", left_out)]
        told = "; ".join(f"{words}: {names}" for words, names in parts if names)
        return f"\nFor want of room, {told}. {_FURTHER}.\n" if told else ""


def _names(names: Sequence[str]) -> str:
    shown = _fitting(names, _NAMES_ROOM - len(f", and {len(names)} more"), separator=2)
    more = len(names) - len(shown)
    return ", ".join([*shown, f"and {more} more"] if more else shown)


def _fitting(texts: Iterable[str], room: int, *, separator: int) -> list[str]:
    """The first of the texts that have room together."""
    shown = []
    for text in texts:
        room -= len(text) + separator
        if room < 0:
            break
        shown.append(text)
    return shown


def _tail(outcomes: Sequence[UpdateOutcome], files: Sequence[str], *, room: int) -> Iterator[str]:
    alarms = [outcome for outcome in outcomes if isinstance(outcome, Alarm)]
    if alarms:
        title = "An immutable tag moved, and the pin was kept"
        yield _list(title, list(map(_alarm, alarms)), room)
    held = [
        _held(outcome.name, outcome.waiting)
        for outcome in outcomes
        if isinstance(outcome, Held | Updated) and outcome.waiting is not None
    ]
    if held:
        yield _list("Held back", held, room)
    failed = [_failed(outcome) for outcome in outcomes if isinstance(outcome, Failed)]
    if failed:
        yield _list("Could not be looked up, and kept", failed, room)
    still = [outcome.name for outcome in outcomes if isinstance(outcome, IndexOnly)]
    if still:
        yield f"**Index moved, locked platforms did not:** {_names(still)}."
    if files:
        yield f"**Files:** {_names(list(map(code, files)))}."


def _list(title: str, items: Sequence[str], room: int) -> str:
    lines = [f"- {item}" for item in _fitting(items, room, separator=3)]
    more = len(items) - len(lines)
    return "\n".join([f"**{title}:**\n", *lines, *([f"- and {more} more"] if more else [])])


def _held(name: str, waiting: Waiting) -> str:
    evidence = waiting.age.evidence.value if waiting.age else "nothing tells its age yet"
    until = f"until {waiting.matures:%-d %b %Y}"
    return f"{name} {code(waiting.tag)} `{waiting.digest.short}` {until} ({evidence})"


def _alarm(alarm: Alarm) -> str:
    return f"{alarm.name} {code(alarm.image.tag or '')} `{alarm.image.digest}` → `{alarm.digest}`"


def _failed(failed: Failed) -> str:
    return f"{failed.name}: {plain(failed.error.what, limit=200)}"
