"""JSON documents for programs: one on stdout for each command that gets `--json`.

Every document starts with `schema` and `command`. `schema` grows when a key changes its meaning or
goes away; new keys come without notice. Only ASCII is written, so no terminal control survives and
no locale matters.
"""

from __future__ import annotations

import json
from typing import Any, Final

SCHEMA: Final = 1


def document(command: str, fields: dict[str, Any]) -> str:
    """The JSON text of one document, with its last line feed.

    Args:
        command: which command answers; empty where the command line named none.
        fields: the rest: strings, numbers, booleans, None, lists and dicts of them.
    """
    return json.dumps({"schema": SCHEMA, "command": command, **fields}, indent=2) + "\n"
