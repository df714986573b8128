"""`pinner export` as an archive: which images are meant, and where the tar goes."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.archive import plan_archive, write_archive
from pinner.archive.choose import Chosen, choose_all, choose_entries, choose_named, lookup
from pinner.archive.plan import StoredBlob
from pinner.cli.failures import Usage
from pinner.cli.fresh import require_fresh
from pinner.errors import AnswerNo, InputError
from pinner.outcome import Failed
from pinner.output.archive import archive_fields, archive_notes, render_archive
from pinner.output.units import listing
from pinner.progress import NullProgress
from pinner.sync.select import select_images
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pinner.archive import ArchivePlan, Image, Lacking
    from pinner.cli.context import Session
    from pinner.lockfile import Lock
    from pinner.oci.platform import Platform
    from pinner.store.layout import Store
    from pinner.store.names import NamedDescriptor
    from pinner.sync.select import Wanted as WantedEntry

_HASHERS: Final = 4
_SHOWN: Final = 120
_STDOUT: Final = "standard output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for.

    Attributes:
        names: of entries and references; with `all_` none, else none means every entry.
        platforms: in the order given.
    """

    names: tuple[str, ...]
    all_: bool
    platforms: tuple[Platform, ...]
    all_platforms: bool
    store: Path | None
    frozen: bool


def export_archive(session: Session, wanted: Wanted, *, output: Path | None) -> int:
    """Write the archive and say what is in it.

    Raises:
        Usage: options that exclude each other, or a terminal that the tar would go to.
        AnswerNo: the lock is stale, or an image is not completely in the store.
        InputError: an unknown name.
        IntegrityError: a blob is corrupt.
        StoreError: the store or the target failed.
    """
    _check(session, wanted, output)
    with session.existing_store(wanted.store) as store:
        images, left = _all(store, wanted) if wanted.all_ else (_named(session, store, wanted), [])
        plan = plan_archive(images)
        for note in (*left, *archive_notes(plan)):
            session.warn(note)
        if store is None or not images:
            raise AnswerNo("there is nothing to export", mend="`pinner images` lists the store")
        with store.lease(optional=True) as lease:
            # What was pruned since it was looked up fails aloud when its turn comes.
            lease.hold(entry.digest for entry in plan.entries if isinstance(entry, StoredBlob))
            wrote = _write(session, plan, store, output)
    text = render_archive(plan, wrote=wrote or _STDOUT)
    if output is None:
        session.note(text.rstrip())
    else:
        session.answer(text, archive_fields(plan, wrote=wrote, left=left))
    return 0


def _check(session: Session, wanted: Wanted, output: Path | None) -> None:
    if wanted.all_ and wanted.names:
        raise Usage("--all and NAME exclude each other")
    if wanted.all_platforms and wanted.platforms:
        raise Usage("--platform and --all-platforms exclude each other")
    if output is None and session.options.json:
        raise Usage("--json and the archive cannot both go to standard output", mend="give -o FILE")
    if output is None and session.runtime.console.out_is_terminal:
        raise Usage(
            "cowardly refusing to write an archive to a terminal",
            mend="give -o FILE, or a reader: `pinner export … | docker load`",
        )


def _write(session: Session, plan: ArchivePlan, store: Store, output: Path | None) -> str:
    """Write the tar; the name of the file, safe to print."""
    from pinner.fsio import replacing  # noqa: PLC0415 - not for a pipe

    jobs = min(_HASHERS, os.cpu_count() or 1)
    if output is None:
        fd = session.runtime.console.out_descriptor()
        write_archive(plan, store, fd, _STDOUT, jobs=jobs)
        return ""
    wrote = safe(str(output))
    watched = session.watch() if session.runtime.console.moving else nullcontext(NullProgress())
    with replacing(session.project.seen_from / output) as stream, watched as progress:
        write_archive(
            plan, store, stream.fd, wrote, jobs=jobs, progress=progress, wrote=stream.wrote
        )
    return wrote


def _named(session: Session, store: Store | None, wanted: Wanted) -> list[Image]:
    """The images of entries and references, in any order."""
    lock = session.project.read_lock() if wanted.names else session.project.require_lock()
    locked = {image.name for image in lock.images} if lock else set()
    names = dict.fromkeys(wanted.names or sorted(locked))
    entries = [name for name in names if name in locked]
    known = {named.name: named for named in store.images()} if store else {}
    references: dict[str, NamedDescriptor] = {}
    for name in names:
        if name not in locked:
            named = lookup(known, name)
            if named is None:
                raise _unknown(name, [*locked, *known])
            references[name] = named
    found = Chosen()
    if lock and entries:
        require_fresh(session.project.read_spec(), lock, frozen=wanted.frozen, command="export")
        chosen = _entries(session, lock, entries, wanted)
        found = choose_entries(store, chosen, usual=wanted.all_platforms)
    lacked = [error.asked for error in found.lacking]
    if store is not None:
        found += choose_named(store, references, wanted.platforms)
    _require_none(found.lacking, len(names), wanted, entries=lacked)
    return list(found.images)


def _all(store: Store | None, wanted: Wanted) -> tuple[list[Image], list[str]]:
    """Every image of the store, and a line for each that is not for a wanted platform."""
    found = choose_all(store, wanted.platforms) if store is not None else Chosen()
    if not wanted.platforms:
        count = len(found.images) + len(found.lacking)
        _require_none(found.lacking, count, wanted, entries=[])
    return list(found.images), [
        f"{safe(error.asked)} is left out: {error.what}" for error in found.lacking
    ]


def _entries(
    session: Session, lock: Lock, names: Sequence[str], wanted: Wanted
) -> list[WantedEntry]:
    """The entries with their locked manifests."""
    platforms = None if wanted.all_platforms else (wanted.platforms or (session.host_platform,))
    entries = []
    for entry in select_images(lock, names=names, platforms=platforms):
        if isinstance(entry, Failed):
            raise entry.error
        entries.append(entry)
    return entries


def _unknown(name: str, known: Sequence[str]) -> InputError:
    from difflib import get_close_matches  # noqa: PLC0415 - only after a slip of the fingers

    close = get_close_matches(name[:_SHOWN], known, n=1)
    return InputError(
        f'neither images.lock nor the store has an image "{safe(name, limit=_SHOWN)}"',
        mend=f'did you mean "{safe(close[0])}"?' if close else "`pinner images` lists the store",
    )


def _require_none(
    lacking: Sequence[Lacking], count: int, wanted: Wanted, *, entries: Sequence[str]
) -> None:
    """Refuse an archive that would lack something, with what fetches it.

    Raises:
        AnswerNo: `lacking` is not empty.
    """
    if not lacking:
        return
    what = lacking[0].what
    if len(lacking) > 1:
        missing = listing([safe(error.asked) for error in lacking])
        what = (
            f"{len(lacking)} of {count} images are not in the store, or not completely: {missing}"
        )
    options = [f"--platform {platform}" for platform in wanted.platforms]
    options += ["--all-platforms"] if wanted.all_platforms else []
    options += ["--frozen"] if wanted.frozen else []
    options += [f"--store {safe(str(wanted.store))}"] if wanted.store else []
    mend = []
    if entries:
        mend.append(f"run `{' '.join(['pinner sync', *options, *entries])}`")
    others = [safe(error.asked) for error in lacking if error.asked not in entries]
    if others:
        pull = [option for option in options if option.startswith(("--platform", "--store"))]
        mend.append(f"run `{' '.join(['pinner pull', *pull, *others])}`")
    raise AnswerNo(what, mend=tuple(mend))
