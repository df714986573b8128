"""`python -m pinner`, and the `pinner` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code is design section 7's.

    The version is answered before any library is imported, so that it costs an interpreter alone.
    """
    if sys.argv[1:] == ["--version"]:
        from pinner import __version__  # noqa: PLC0415

        sys.stdout.write(f"pinner {__version__}\n")
        return 0
    from pinner.cli.main import run  # noqa: PLC0415

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
