"""`pinner auth`: questions about logins."""

from __future__ import annotations

from typing import Final

from pinner.cli.lazy import CommandTable

_COMMANDS: Final = {"Commands": {"explain": "pinner.cli.explain:explain"}}

auth = CommandTable(_COMMANDS, name="auth", help="Show which login would be used.", params=[])
