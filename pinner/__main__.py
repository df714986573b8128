"""`python -m pinner`, and the `pinner` command."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

_COLLECT_AFTER = 200_000


def main() -> NoReturn:
    """Run the command line and end the process, with the exit codes of design section 7.

    The version is answered before any library is imported, so that it costs an interpreter alone.
    """
    if sys.argv[1:] == ["--version"]:
        from pinner import __version__  # noqa: PLC0415

        try:
            print(f"pinner {__version__}", flush=True)  # noqa: T201
        except OSError:
            pass  # `run` meets it again, and says so
        else:
            os._exit(0)
    # Importing makes thousands of objects and no garbage: looking for it costs 4 ms.
    gc.set_threshold(_COLLECT_AFTER)
    from pinner.cli.main import run  # noqa: PLC0415

    # `run` has closed and flushed everything. Taking the interpreter apart would cost 8 ms more,
    # and is not safe beside daemon threads that are blocked in a read.
    os._exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
