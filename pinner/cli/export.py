"""`pinner export`: images as one tar, or images.lock in the words of other tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pinner.cli.options import command, entry_names, picked, platform_option, store_option
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.cli.context import Session
    from pinner.export.model import Rendered, Wish
    from pinner.oci.platform import Platform

ARCHIVE: Final = "archive"
# Those of export/formats.py; help does not load them. A test compares.
FORMAT_NAMES: Final = ("buildkit-policy", "compose", "imgpkg")
_LIMIT: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveOptions:
    """What is asked of an archive, and of no other format."""

    all_: bool
    all_platforms: bool
    store: Path | None


@command
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=entry_names)
@click.option("--all", "all_", is_flag=True, help="Take every image of the store.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to this file instead of to standard output.",
)
@click.option(
    "--format",
    "wanted",
    type=click.Choice((ARCHIVE, *FORMAT_NAMES)),
    default=ARCHIVE,
    show_default=True,
    help="What to write.",
)
@platform_option
@click.option("--all-platforms", is_flag=True, help="Take every locked platform.")
@click.option(
    "--compose",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The compose file that an override is for.",
)
@click.option("--frozen", is_flag=True, help="Take images.lock as it is, stale or not.")
@store_option
def export(
    session: Session,
    /,
    *,
    names: tuple[str, ...],
    output: Path | None,
    wanted: str,
    platform: tuple[Platform, ...],
    compose: Path | None,
    frozen: bool,
    **given: Any,
) -> int:
    """Write images of the store as one tar, or images.lock for other tools.

    The tar is for `docker load`, `podman load`, `ctr images import` and `kind load image-archive`,
    and is an OCI layout. NAME is an entry of images.lock, or a reference that the store names;
    without NAME, every entry. Nothing is fetched: `pinner sync` does that.

    buildkit-policy pins what `docker buildx build` pulls, whatever the Dockerfile says; compose is
    an override that pins a compose file's services; imgpkg is an ImagesLock for imgpkg and kbld.
    """
    from pinner.cli.failures import Usage  # noqa: PLC0415 - help does without

    options = picked(ArchiveOptions, given)
    if wanted == ARCHIVE:
        if compose is not None:
            raise Usage("an archive takes no --compose FILE")
        from pinner.cli.archiving import Wanted, export_archive  # noqa: PLC0415 - as above

        return export_archive(
            session,
            Wanted(
                names=names,
                all_=options.all_,
                platforms=platform,
                all_platforms=options.all_platforms,
                store=options.store,
                frozen=frozen,
            ),
            output=output,
        )
    refused = {
        "--all": options.all_,
        "--all-platforms": options.all_platforms,
        "--store DIR": options.store is not None,
        "--platform more than once": len(platform) > 1,
    }
    for option, is_given in refused.items():
        if is_given:
            raise Usage(f"--format {wanted} takes no {option}")
    return _export_text(
        session,
        names,
        wanted=wanted,
        output=output,
        platform=platform[0] if platform else None,
        compose=compose,
        frozen=frozen,
    )


def _export_text(
    session: Session,
    names: tuple[str, ...],
    *,
    wanted: str,
    output: Path | None,
    platform: Platform | None,
    compose: Path | None,
    frozen: bool,
) -> int:
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
