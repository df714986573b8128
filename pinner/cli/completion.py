"""`pinner completion SHELL`: a script of click's, by which the shell asks `pinner` for candidates.

For each Tab the shell runs `pinner` with `_PINNER_COMPLETE` set; `main` answers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from pinner.cli.options import command
from pinner.cli.program import COMPLETE

if TYPE_CHECKING:
    from pinner.cli.context import Session

_SHELLS: Final[dict[str, type[ShellComplete]]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@command
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def completion(session: Session, shell: str) -> int:
    """Print the completion script of a shell.

    \b
    bash:  pinner completion bash > ~/.local/share/bash-completion/completions/pinner
    zsh:   pinner completion zsh > "${fpath[1]}/_pinner"
    fish:  pinner completion fish > ~/.config/fish/completions/pinner.fish

    bash has to be 4.4 or newer.
    """  # noqa: D301 - click takes the backspace: the paragraph is not wrapped
    program = click.get_current_context().find_root().command
    # The base class's `source`, since bash's own starts a bash to warn about old ones.
    script = ShellComplete.source(_SHELLS[shell](program, {}, "pinner", COMPLETE))
    session.answer(script, {"shell": shell, "script": script})
    return 0
