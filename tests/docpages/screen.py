"""What a terminal shows after some output: the few controls that pinner and rich write.

Colours stay in the lines as they came; the cursor moves by whole lines.
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"\x1b\[(?P<count>\d*)A"  # up
    r"|(?P<erase>\x1b\[2K)"
    r"|(?P<down>\n)"
    r"|(?P<other>\r|\x1b\[\?25[hl])"
    r"|(?P<text>(?:\x1b\[[\d;]*m|[^\x1b\r\n])+)"
)


class Screen:
    """A terminal that scrolls for ever.

    Attributes:
        lines: as they stand, with the codes of their colours.
    """

    def __init__(self) -> None:
        self.lines = [""]
        self._row = 0

    def feed(self, output: str) -> None:
        """Show more output.

        Raises:
            ValueError: a control that this terminal does not know.
        """
        at = 0
        while at < len(output):
            token = _TOKEN.match(output, at)
            if token is None:
                raise ValueError(f"no terminal of ours knows {output[at : at + 12]!r}")
            self._show(token)
            at = token.end()

    def _show(self, token: re.Match[str]) -> None:
        if token["text"]:
            self.lines[self._row] += token["text"]
        elif token["erase"]:
            self.lines[self._row] = ""
        elif token["down"]:
            self._row += 1
            if self._row == len(self.lines):
                self.lines.append("")
        elif token["count"] is not None:
            self._row = max(0, self._row - int(token["count"] or 1))
