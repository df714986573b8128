"""`pinner tag SOURCE TARGET`: another name in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from pinner.cli.options import command, store_option
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.oci.reference import Reference

_SHOWN: Final = 120


@command
@click.argument("source")
@click.argument("target")
@store_option
def tag(session: Session, *, source: str, target: str, store: Path | None) -> int:
    """Give an image in the store another name.

    SOURCE is a name that the store has, by tag or by digest; TARGET stands for the same image from
    then on, whatever it stood for before. Registries and images.lock know nothing of it.
    """
    from pinner.output.naming import render_tag, tag_fields  # noqa: PLC0415 - help does without
    from pinner.store.naming import NoSuchName  # noqa: PLC0415
    from pinner.store.naming import tag as tag_in_store  # noqa: PLC0415

    wanted = _target(target)
    with session.existing_store(store) as opened:
        if opened is None:
            raise NoSuchName(source)
        tagged = tag_in_store(opened, source, wanted)
    session.answer(render_tag(tagged), tag_fields(tagged))
    return 0


def _target(text: str) -> Reference:
    from pinner.oci.reference import Reference  # noqa: PLC0415 - help does without

    reference = Reference.parse(text)
    if reference.digest is not None:
        raise InputError(
            f'"{safe(text, limit=_SHOWN)}" has a digest, and a name that is given has a tag',
            mend='write it like "app:1"',
        )
    return reference.tag_or_latest()
