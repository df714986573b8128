"""`pinner export`: images.lock in the words of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pinner.cli.options import command, entry_names, one_platform_option
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.cli.context import Session
    from pinner.export.model import Rendered, Wish
    from pinner.oci.platform import Platform

# Those of export/formats.py; help does not load them. A test compares.
FORMAT_NAMES: Final = ("buildkit-policy", "compose", "imgpkg")
_LIMIT: Final = 4 * 1024 * 1024


@command
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=entry_names)
@click.option(
    "--format",
    "wanted",
    type=click.Choice(FORMAT_NAMES),
    required=True,
    help="What to write.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it to this file instead of to standard output.",
)
@click.option(
    "--compose",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The compose file that an override is for.",
)
@one_platform_option("Name this platform's manifests instead of what the tags name.")
@click.option("--frozen", is_flag=True, help="Take images.lock as it is, stale or not.")
def export(
    session: Session,
    *,
    names: tuple[str, ...],
    wanted: str,
    output: Path | None,
    compose: Path | None,
    platform: Platform | None,
    frozen: bool,
) -> int:
    """Write images.lock for other tools: all of it, or the entries NAME.

    buildkit-policy pins what `docker buildx build` pulls, whatever the Dockerfile says; compose is
    an override that pins a compose file's services; imgpkg is an ImagesLock for imgpkg and kbld.
    """
    from pinner.cli.failures import Usage  # noqa: PLC0415 - help does without
    from pinner.cli.fresh import require_fresh  # noqa: PLC0415
    from pinner.export.formats import FORMATS  # noqa: PLC0415
    from pinner.export.model import Wish  # noqa: PLC0415
    from pinner.sync.select import select_images  # noqa: PLC0415

    format_ = FORMATS[wanted]
    if format_.takes_compose != (compose is not None):
        needs = "needs" if format_.takes_compose else "takes no"
        raise Usage(f"--format {wanted} {needs} --compose FILE")
    lock, spec = session.project.require_lock(), session.project.read_spec()
    require_fresh(spec, lock, frozen=frozen, command="export")
    select_images(lock, names=names, platforms=None)  # refuses names that are not locked
    wish = Wish(
        spec=spec,
        lock=lock,
        names=frozenset(names),
        platform=platform,
        compose=None if compose is None else _read(session.project.seen_from / compose),
    )
    return _finish(session, wish, format_.render(wish), wanted=wanted, output=output)


def _finish(
    session: Session, wish: Wish, rendered: Rendered, *, wanted: str, output: Path | None
) -> int:
    from pinner.output.export import export_fields, render_export  # noqa: PLC0415 - as above

    for note in rendered.notes:
        session.warn(note)
    wrote = ""
    if output is not None and rendered.names:
        from pinner.fsio import write_atomic  # noqa: PLC0415 - only here

        wrote = safe(str(output))
        write_atomic({session.project.seen_from / output: rendered.text.encode()})
    session.answer(
        render_export(rendered, wrote=wrote) if output is not None else rendered.text,
        export_fields(rendered, wanted=wanted, wrote=wrote),
    )
    return 0 if rendered.names or not wish.images else 1


def _read(path: Path) -> bytes:
    from pinner.fsio import read_limited  # noqa: PLC0415 - only for an override

    try:
        return read_limited(path, _LIMIT)
    except FileNotFoundError as error:
        raise InputError("is not there", where=safe(str(path))) from error
