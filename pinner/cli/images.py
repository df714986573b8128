"""`pinner images`: what the store holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.output.images import NamedImage
    from pinner.store.contents import StoredManifest
    from pinner.store.layout import Store
    from pinner.store.names import NamedDescriptor


@command
@click.argument("name", required=False, metavar="[REPOSITORY[:TAG]]")
@click.option("--digests", is_flag=True, help="Show the digests that the names stand for.")
@click.option("--no-trunc", is_flag=True, help="Show whole image IDs.")
@store_option
def images(
    session: Session, *, name: str | None, digests: bool, no_trunc: bool, store: Path | None
) -> int:
    """List the images in the store.

    The columns are docker's, with a row for each platform. SIZE is what config and layers take up
    in the store, compressed. -q prints the image IDs alone.
    """
    from pinner.output import images as told  # noqa: PLC0415 - help does without

    with session.existing_store(store) as opened:
        found = all_described(opened) if opened else []
    if name is not None:
        found = [image for image in told.without_members(found) if told.is_named(image, name)]
    place = os.path.normpath(session.store_path(store))
    shape = told.Columns(digests=digests, truncate=not no_trunc)
    session.answer(
        lambda: (
            told.render_image_ids(found, shape=shape)
            if session.options.quiet
            else told.render_images(
                found, store=place, now=session.clock.now(), shape=shape, asked=name or ""
            )
        ),
        lambda: told.images_fields(found, store=place),
    )
    return 0


def all_described(store: Store) -> list[NamedImage]:
    """What the store names, in its order, less members of indexes that are not shown.

    Names by digest come last: of most, an index that was read says that they are not shown, and
    they need not be read.
    """
    from pinner.oci.mediatypes import is_manifest  # noqa: PLC0415 - help does without
    from pinner.output.images import member_names  # noqa: PLC0415
    from pinner.store.names import MEMBER_OF  # noqa: PLC0415

    entries = store.images()
    found = [None if "@" in named.name else described(store, named) for named in entries]
    members = member_names(image for image in found if image is not None)
    indexes = {str(named.descriptor.digest) for named in entries}
    for place, named in enumerate(entries):
        hidden = named.name in members or (
            named.descriptor.annotations.get(MEMBER_OF) in indexes
            # An index in an index has members of its own.
            and is_manifest(named.descriptor.media_type)
        )
        if found[place] is None and not hidden:
            found[place] = described(store, named)
    return [image for image in found if image is not None]


def described(store: Store, named: NamedDescriptor) -> NamedImage:
    """What is behind one name; why it cannot be told, where it is damaged."""
    from pinner.errors import PinnerError  # noqa: PLC0415 - help does without
    from pinner.output.images import NamedImage  # noqa: PLC0415
    from pinner.store.contents import stored_manifests  # noqa: PLC0415
    from pinner.store.names import MEMBER_OF  # noqa: PLC0415

    digest = named.descriptor.digest
    manifests: tuple[StoredManifest, ...] | PinnerError
    try:
        manifests = stored_manifests(store, digest)
    except PinnerError as error:
        manifests = error
    member_of = named.descriptor.annotations.get(MEMBER_OF, "")
    return NamedImage(name=named.name, digest=digest, manifests=manifests, member_of=member_of)
