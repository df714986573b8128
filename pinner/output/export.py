"""What `pinner export` tells where the export itself goes to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.output.units import plural

if TYPE_CHECKING:
    from pinner.export.model import Rendered


def render_export(rendered: Rendered, *, wrote: str) -> str:
    """One line: what was written, or that nothing was."""
    if not wrote:
        return "Nothing to export; nothing was written\n"
    return f"Wrote {plural(len(rendered.names), 'image')} to {wrote}\n"


def export_fields(rendered: Rendered, *, wanted: str, wrote: str) -> dict[str, Any]:
    """The JSON document: the text, the entries in it, and what is not in it."""
    return {
        "format": wanted,
        "wrote": [wrote] if wrote else [],
        "images": list(rendered.names),
        "left": list(rendered.notes),
        "text": rendered.text,
    }
