"""The text of a new images.toml: entries in their short form, below comments on where they are.

Names, references and platforms are of grammars whose characters need no escape in TOML. What a
comment says comes from file names, which may be anything, so whatever is not printable was escaped
before (`terminal.safe`): neither a line break nor a control character gets into the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.oci.platform import Platform
    from pinner.start.model import Proposal

_WIDTH: Final = 100
_MOST: Final = 12
_SHOWN: Final = 240


def render_spec(proposals: Sequence[Proposal], *, platforms: Sequence[Platform] = ()) -> str:
    """The whole file: LF, ending with one line feed; `parse_spec` reads it.

    Args:
        proposals: the entries, in the order of the file.
        platforms: those of `[settings]`; none for every platform that a tag offers.
    """
    head = ""
    if platforms:
        names = ", ".join(f'"{platform}"' for platform in dict.fromkeys(platforms))
        head = f"[settings]\nplatforms = [{names}]\n\n"
    entries = "\n".join(map(_entry, proposals))
    return f"{head}[images]\n{entries}"


def _entry(proposal: Proposal) -> str:
    comment = "".join(f"# {line}\n" for line in _comment(proposal.places))
    key = f'"{proposal.name}"' if "." in proposal.name else proposal.name
    return f'{comment}{key} = "{proposal.reference.familiar()}"\n'


def _comment(places: Sequence[str]) -> Iterator[str]:
    """The places, in as few lines as fit."""
    words = [safe(place, limit=_SHOWN) for place in places[:_MOST]]
    if len(places) > _MOST:
        words.append(f"and {len(places) - _MOST} more")
    line = ""
    for number, word in enumerate(words):
        more = word if number == len(words) - 1 else f"{word},"
        if line and len(f"# {line} {more}") > _WIDTH:
            yield line
            line = more
        else:
            line = f"{line} {more}".lstrip()
    if line:
        yield line
