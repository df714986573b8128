"""`pinner inspect NAME`: one image, from the lockfile or from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from pinner.cli.options import command, entry_names, store_option
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.lockfile import LockedImage
    from pinner.output.inspect import Inspected
    from pinner.store.layout import Store

_SHOWN: Final = 120


@command
@click.argument("name", shell_complete=entry_names)
@store_option
def inspect(session: Session, *, name: str, store: Path | None) -> int:
    """Show one image: digests, platforms, layers and labels.

    NAME is an entry of images.lock, or a reference that the store names.
    """
    from pinner.output.inspect import inspect_fields, render_inspect  # noqa: PLC0415 - help does without

    lock = session.project.read_lock()
    locked = {image.name: image for image in lock.images} if lock else {}
    with session.existing_store(store) as opened:
        found = _locked(locked[name], opened) if name in locked else _stored(name, opened, locked)
    session.answer(render_inspect(found, now=session.clock.now()), inspect_fields(found))
    return 0


def _locked(image: LockedImage, store: Store | None) -> Inspected:
    from pinner.oci.reference import Reference  # noqa: PLC0415 - help does without
    from pinner.output.inspect import Inspected  # noqa: PLC0415
    from pinner.store.contents import stored_manifests  # noqa: PLC0415

    return Inspected(
        name=image.name,
        reference=str(Reference(image.repository, image.tag)),
        digest=image.digest,
        locked=True,
        platforms=tuple(
            (
                platform,
                digest,
                stored_manifests(store, digest)[0] if store and store.has(digest) else None,
            )
            for platform, digest in image.platforms.items()
        ),
    )


def _stored(name: str, store: Store | None, locked: Mapping[str, LockedImage]) -> Inspected:
    from pinner.output.inspect import Inspected  # noqa: PLC0415 - help does without
    from pinner.store.contents import stored_manifests  # noqa: PLC0415
    from pinner.store.naming import find_name  # noqa: PLC0415

    names = store.images() if store else ()
    found = find_name(names, name)
    if store is None or found is None:
        raise _unknown(name, [*locked, *(named.name for named in names)])
    digest = found.descriptor.digest
    manifests = stored_manifests(store, digest)
    return Inspected(
        name=name,
        reference=found.name,
        digest=digest,
        locked=False,
        platforms=tuple((stored.platform, stored.digest, stored) for stored in manifests),
    )


def _unknown(name: str, known: Sequence[str]) -> InputError:
    from difflib import get_close_matches  # noqa: PLC0415 - only after a slip of the fingers

    close = get_close_matches(name[:_SHOWN], known, n=1)
    return InputError(
        f'neither images.lock nor the store has an image "{safe(name, limit=_SHOWN)}"',
        mend=f'did you mean "{safe(close[0])}"?' if close else "`pinner images` lists the store",
    )
