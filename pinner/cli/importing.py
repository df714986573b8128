"""`pinner import FILE…`: what other tools pinned -> images.toml and images.lock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinner.cli.init import require_no_spec
from pinner.cli.options import command, jobs_option, platform_option
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.cli.context import Session
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.output.importing import Imported
    from pinner.registry.client import RegistryClient
    from pinner.start.model import Proposal, Sighting


@command
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@platform_option
@click.option("--no-lock", is_flag=True, help="Ask no registry: write images.toml alone.")
@click.option("--skip-gone", is_flag=True, help="Leave out pins that the registry no longer has.")
@click.option("--print", "only_print", is_flag=True, help="Write nothing: print the images.toml.")
@jobs_option
def import_(
    session: Session,
    *,
    files: tuple[Path, ...],
    platform: tuple[Platform, ...],
    no_lock: bool,
    skip_gone: bool,
    only_print: bool,
    jobs: int | None,
) -> int:
    """Begin with what another tool has pinned.

    FILE is a docker-lock.json, an ImagesLock of imgpkg, sources.json of npins, or a file of the
    project that names images, such as a Dockerfile. Digests are kept: the registry is asked for
    them, not for the tags. Nothing is written unless all of them can be locked, and nothing that
    is there is overwritten.
    """
    from pinner.output.importing import Imported, import_fields  # noqa: PLC0415 - help does without
    from pinner.start.adopt import pins_of  # noqa: PLC0415
    from pinner.start.propose import propose  # noqa: PLC0415
    from pinner.start.write import render_spec  # noqa: PLC0415

    _require_nothing(session, only_print=only_print)
    proposals = propose(one for file in files for one in _sightings(session, file))
    shown = [_shown(session, file) for file in files]
    if not proposals:
        raise InputError("names no image", where=", ".join(shown))
    text = render_spec(proposals, platforms=platform)
    without = only_print or no_lock
    found = Imported(
        proposals=proposals,
        pins=_some_pins(proposals) if without else pins_of(proposals),
        files=shown,
        text=text,
    )
    if only_print:
        session.answer(text, import_fields(found))
        return 0
    return _write(session, found, no_lock=no_lock, skip_gone=skip_gone, jobs=jobs)


def _write(
    session: Session, found: Imported, *, no_lock: bool, skip_gone: bool, jobs: int | None
) -> int:
    from dataclasses import replace  # noqa: PLC0415 - help does without

    from pinner.lockfile import dumps  # noqa: PLC0415
    from pinner.outcome import Failed, exit_code  # noqa: PLC0415
    from pinner.output.importing import import_fields, render_import  # noqa: PLC0415
    from pinner.start.adopt import adopt, is_gone  # noqa: PLC0415

    project, data = session.project, found.text.encode()
    spec = project.parse_spec(data)
    files = {project.spec_path: data}
    code = 0
    started = session.clock.monotonic()
    if not no_lock:
        with session.registry(spec.registries, jobs=jobs) as registry:

            def open_registry() -> RegistryClient:
                project.require_writable([project.spec_path, project.lock_path])
                return registry.open()

            result = adopt(spec, found.pins, open_registry, jobs=registry.jobs, skip_gone=skip_gone)
            found = replace(found, result=result, requests=registry.counts["manifest"])
        failed = [outcome for outcome in result.outcomes if isinstance(outcome, Failed)]
        session.report(outcome.error for outcome in failed)
        if result.lock is None:
            files, code = {}, exit_code(result.outcomes)
        else:
            files[project.lock_path] = dumps(result.lock).encode()
            code = exit_code(outcome for outcome in failed if not is_gone(outcome))
    project.write(files)
    found = replace(found, wrote=[path.name for path in files])
    seconds = session.clock.monotonic() - started
    session.answer(render_import(found, seconds=seconds), import_fields(found))
    return code


def _require_nothing(session: Session, *, only_print: bool) -> None:
    project = session.project
    if only_print:
        return
    require_no_spec(project)
    if os.path.lexists(project.lock_path):
        raise InputError(
            "is there already, and is not overwritten",
            where=project.shown(project.lock_path),
            mend="move it away: it belongs to an images.toml that is gone",
        )


def _some_pins(proposals: tuple[Proposal, ...]) -> dict[str, Digest]:
    return {proposal.name: proposal.pins[0][0] for proposal in proposals if proposal.pins}


def _sightings(session: Session, file: Path) -> tuple[Sighting, ...]:
    """What one file pins, whichever tool's it is."""
    from pinner.files.tree import note_tree  # noqa: PLC0415 - help does without
    from pinner.fsio import read_limited  # noqa: PLC0415
    from pinner.start.foreign import FILE_LIMIT, foreign_of  # noqa: PLC0415
    from pinner.start.gather import passed_over, sightings_of  # noqa: PLC0415

    project = session.project
    path = project.seen_from / file
    shown = _shown(session, file)
    try:
        data = read_limited(path, FILE_LIMIT)
    except FileNotFoundError as error:
        raise InputError("is not there", where=shown) from error
    foreign = foreign_of(data)
    if foreign is not None:
        return foreign.read(data, shown)
    tree = note_tree(
        project.folder,
        paths=[path],
        seen_from=project.seen_from,
        environ=session.runtime.environ,
    )
    for place in passed_over(tree):
        session.note(f"{place.where}: skipped: {place.why}")
    return sightings_of(tree)


def _shown(session: Session, file: Path) -> str:
    return safe(session.project.shown(session.project.seen_from / file))
