"""What `pinner tag` and `pinner rm` tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.output.errors import error_fields
from pinner.output.images import familiar
from pinner.output.units import plural
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.errors import PinnerError
    from pinner.store.names import NamedDescriptor
    from pinner.store.naming import Tagged


def render_tag(tagged: Tagged) -> str:
    """One line, with what the name stood for before."""
    before = f", which was {tagged.replaced.digest.short}" if tagged.replaced else ""
    digest = tagged.descriptor.digest.short
    return f"Tagged {familiar(tagged.source)} ({digest}) as {familiar(tagged.target)}{before}\n"


def tag_fields(tagged: Tagged) -> dict[str, Any]:
    """The JSON document."""
    return {
        "source": safe(tagged.source),
        "reference": safe(tagged.target),
        "digest": str(tagged.descriptor.digest),
        "replaced": str(tagged.replaced.digest) if tagged.replaced else None,
    }


def render_rm(gone: Sequence[NamedDescriptor]) -> str:
    """A line for each name, in docker's words, then the sum."""
    if not gone:
        return "Removed no name\n"
    lines = "".join(f"Untagged: {familiar(one.name)}\n" for one in gone)
    return (
        f"{lines}Removed {plural(len(gone), 'name')}; blobs stay in the store. Next: pinner prune\n"
    )


def rm_fields(gone: Sequence[NamedDescriptor], errors: Sequence[PinnerError]) -> dict[str, Any]:
    """The JSON document: the names that went, and why others did not."""
    return {
        "untagged": [
            {"reference": safe(one.name), "digest": str(one.descriptor.digest)} for one in gone
        ],
        "errors": [error_fields(error) for error in errors],
    }
