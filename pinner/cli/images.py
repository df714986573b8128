"""`pinner images`: what the store holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pinner.cli.options import command, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.output.images import NamedImage
    from pinner.store.layout import Store
    from pinner.store.names import NamedDescriptor


@command
@store_option
def images(session: Session, *, store: Path | None) -> int:
    """List the images in the store."""
    from pinner.output.images import images_fields, render_images  # noqa: PLC0415 - help does without

    with session.existing_store(store) as opened:
        found = [_described(opened, named) for named in opened.images()] if opened else []
    place = os.path.normpath(session.store_path(store))
    session.answer(render_images(found, store=place), images_fields(found, store=place))
    return 0


def _described(store: Store, named: NamedDescriptor) -> NamedImage:
    from pinner.errors import PinnerError  # noqa: PLC0415 - help does without
    from pinner.output.images import NamedImage  # noqa: PLC0415
    from pinner.store.contents import stored_manifests  # noqa: PLC0415

    digest = named.descriptor.digest
    try:
        return NamedImage(name=named.name, digest=digest, manifests=stored_manifests(store, digest))
    except PinnerError as error:
        return NamedImage(name=named.name, digest=digest, manifests=error)
