"""What `pinner update` and `pinner outdated` tell: a row for what is not unchanged, and the sum."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pinner.outcome import Failed
from pinner.output.changes import phrase
from pinner.output.diff import change_fields
from pinner.output.errors import error_fields
from pinner.output.pins import moved, other_changes, pin_fields, tag_text
from pinner.output.tables import columns
from pinner.output.units import day, iso, listing, old, plural
from pinner.resolve import Added, Changed, Removed
from pinner.spec.duration import duration_text
from pinner.update import Alarm, Held, IndexOnly, Pinned, Unchanged, Updated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.compare.model import ImageChange
    from pinner.update import Age, UpdateOutcome, UpdateResult, Waiting

_SUMS: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((Added,), "added"),
    ((Changed,), "locked anew"),
    ((Removed,), "removed"),
    ((Held,), "held"),
    ((Unchanged, IndexOnly), "unchanged"),
    ((Pinned,), "pinned by digest"),
    ((Failed,), "failed"),
)
_WORDS: Final[dict[type, str]] = {
    Updated: "updated",
    Unchanged: "unchanged",
    IndexOnly: "index-only",
    Held: "held",
    Pinned: "pinned",
    Alarm: "alarm",
    Added: "added",
    Changed: "changed",
    Removed: "removed",
    Failed: "failed",
}
_MOST_FILES: Final = 4
_ALARM: Final = "alarm: an immutable tag moved, the pin stays"
_INDEX_ONLY: Final = "index moved, your platforms did not"


def render_update(
    result: UpdateResult,
    *,
    changes: Sequence[ImageChange] = (),
    now: float,
    wrote: Sequence[str],
    rewritten: int | None = None,
    dry_run: bool = False,
) -> str:
    """The rows and the sum of an update.

    Args:
        result: from `run_update`.
        changes: what is known of the images whose pins move.
        now: seconds since the epoch.
        wrote: the files that are others now; none where they are on a branch instead.
        rewritten: how many places were, or would be, rewritten; None where none was asked for.
        dry_run: nothing was to be written.
    """
    rows = _rows(result, now, {change.name: change for change in changes})
    if not result.changed and not rewritten:
        return rows + _nothing("Nothing to update", result)
    head = f"{'Would update' if dry_run else 'Updated'} {_count(result, Updated)} of "
    sums = _sums(result)
    ends = "Nothing was written. Next: pinner update" if dry_run else ""
    if wrote:
        follows = "pinner rewrite" if rewritten is None else "pinner sync"
        ends = f"Wrote {_few(wrote)}. Next: {_look(changes)}, {follows}"
    if rewritten:
        verb = "Would rewrite" if dry_run else "Rewrote"
        ends = f"{verb} {plural(rewritten, 'reference')}. {ends}".rstrip()
    told = f"{rows}{head}{_images(result)}.{f' {sums}.' if sums else ''} {ends}"
    return f"{told.rstrip()}\n"


def render_outdated(result: UpdateResult, *, now: float) -> str:
    """The rows and the sum of what an update would do; arguments as `render_update`'s."""
    rows = _rows(result, now, {})
    if not result.changed:
        return rows + _nothing("No image is outdated", result)
    count = _count(result, Updated)
    verb = "is" if count == 1 else "are"
    sums = _sums(result)
    head = f"{count} of {_images(result)} {verb} outdated."
    return f"{rows}{head}{f' {sums}.' if sums else ''} Next: pinner update\n"


def update_fields(
    result: UpdateResult,
    *,
    changes: Sequence[ImageChange] = (),
    requests: Mapping[str, int],
    wrote: Sequence[str],
    dry_run: bool,
) -> dict[str, Any]:
    """The JSON document of both: every entry with its outcome, and the pin before and after."""
    return {
        "dry_run": dry_run,
        "wrote": list(wrote),
        "requests": {kind: requests.get(kind, 0) for kind in ("head", "manifest", "tags", "blob")},
        "warnings": list(result.warnings),
        "images": [_fields(outcome) for outcome in result.outcomes],
        "changes": [change_fields(change) for change in changes],
    }


def waiting_text(waiting: Waiting, *, pinned_tag: str | None, now: datetime) -> str:
    """Why an image is not taken yet, and until when: `1 day old (first seen), minimum-age 3d, …`.

    Args:
        waiting: the image.
        pinned_tag: the tag of the pin; another one is named.
        now: with a time zone.
    """
    name = "" if waiting.tag == pinned_tag else f"{waiting.tag} is "
    age = age_text(waiting.age, now) if waiting.age else "no evidence of its age yet"
    if not waiting.age and name:
        name = f"{waiting.tag}: "
    wanted = f"minimum-age {duration_text(waiting.minimum_age)}"
    return f"{name}{age}, {wanted}, matures {_day(waiting.matures, now)}"


def age_text(age: Age, now: datetime) -> str:
    """`4 days old (registry time)`."""
    return f"{old((now - age.since).total_seconds())} ({age.evidence.value})"


def _few(files: Sequence[str]) -> str:
    """The files by name, where they are few."""
    first, *others = files
    if len(others) > _MOST_FILES:
        return f"{first} and {plural(len(others), 'other file')}"
    return listing(list(files))


def _look(changes: Sequence[ImageChange]) -> str:
    """The command that shows more of what changed inside."""
    unknown = any(change.packages is None for change in changes if change.before and change.after)
    return "pinner diff --fetch" if unknown else "pinner diff"


def _rows(result: UpdateResult, now: float, changes: Mapping[str, ImageChange]) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    rows = (_row(one, changes.get(one.name), moment) for one in result.outcomes)
    return columns(filter(None, rows), spill=True)


def _row(outcome: UpdateOutcome, change: ImageChange | None, now: datetime) -> tuple[str, ...]:
    match outcome:
        case Unchanged() | Failed():
            return ()
        case Updated(before=before, image=image) | Changed(before=before, image=image):
            tag = moved(tag_text(before), tag_text(image))
            digests = moved(before.digest.short, image.digest.short)
            return (outcome.name, tag, digests, *_reason(outcome, change, now))
        case Added(image=image) | Removed(before=image):
            word = "added" if isinstance(outcome, Added) else "removed"
            return (outcome.name, tag_text(image), image.digest.short, word)
        case _:
            return (outcome.name, outcome.image.tag or "", *_why_it_stays(outcome, now))


def _why_it_stays(outcome: Held | IndexOnly | Pinned | Alarm, now: datetime) -> tuple[str, ...]:
    match outcome:
        case Held(image=image, waiting=waiting):
            return (f"held: {waiting_text(waiting, pinned_tag=image.tag, now=now)}",)
        case IndexOnly():
            return (_INDEX_ONLY,)
        case Pinned():
            return ("pinned by digest",)
        case Alarm(image=image, digest=digest):
            return (moved(image.digest.short, digest.short), _ALARM)


def _reason(
    outcome: Updated | Changed, change: ImageChange | None, now: datetime
) -> tuple[str, ...]:
    words = list(other_changes(outcome.before, outcome.image))
    if change is not None:
        words = [told] if (told := phrase(change)) else []
    if isinstance(outcome, Changed):
        return ("; ".join(["locked anew", *words]),)
    if outcome.age is not None:
        words.append(age_text(outcome.age, now))
    if outcome.waiting is not None:
        text = waiting_text(outcome.waiting, pinned_tag=outcome.image.tag, now=now)
        words.append(f"{outcome.waiting.digest.short} held: {text}")
    return ("; ".join(words),) if words else ()


def _day(moment: datetime, now: datetime) -> str:
    if moment.astimezone(UTC).date() == now.date():
        return f"today at {moment.astimezone(UTC):%H:%M} UTC"
    return day(moment, now)


def _nothing(what: str, result: UpdateResult) -> str:
    sums = _sums(result)
    return f"{what}: {sums}\n" if sums else f"{what}: images.toml names no image\n"


def _sums(result: UpdateResult) -> str:
    counts = [(_count(result, *kinds), word) for kinds, word in _SUMS]
    alarms = _count(result, Alarm)
    parts = [f"{count} {word}" for count, word in counts if count]
    return ", ".join([*([plural(alarms, "alarm")] if alarms else []), *parts])


def _count(result: UpdateResult, *kinds: type) -> int:
    return sum(isinstance(outcome, kinds) for outcome in result.outcomes)


def _images(result: UpdateResult) -> str:
    return plural(len(result.outcomes) - _count(result, Removed), "image")


def _fields(outcome: UpdateOutcome) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": outcome.name, "outcome": _WORDS[type(outcome)]}
    match outcome:
        case Failed(error=error):
            return fields | {"error": error_fields(error)}
        case Removed(before=before):
            return fields | {"before": pin_fields(before)}
        case _:
            return fields | pin_fields(outcome.image) | _more_fields(outcome)


def _more_fields(outcome: UpdateOutcome) -> dict[str, Any]:
    match outcome:
        case Updated(before=before, age=age, waiting=waiting):
            return {
                "before": pin_fields(before),
                "age": _age_fields(age),
                "waiting": _waiting_fields(waiting) if waiting else None,
            }
        case Changed(before=before):
            return {"before": pin_fields(before)}
        case Unchanged(alias=alias):
            return {"alias": alias}
        case IndexOnly(digest=digest) | Alarm(digest=digest):
            return {"moved_to": str(digest)}
        case Held(waiting=waiting):
            return {"waiting": _waiting_fields(waiting)}
        case _:
            return {}


def _age_fields(age: Age | None) -> dict[str, str] | None:
    if age is None:
        return None
    return {"since": iso(age.since), "evidence": age.evidence.name.lower()}


def _waiting_fields(waiting: Waiting) -> dict[str, Any]:
    return {
        "tag": waiting.tag,
        "digest": str(waiting.digest),
        "age": _age_fields(waiting.age),
        "minimum_age": duration_text(waiting.minimum_age),
        "matures": iso(waiting.matures),
    }
