"""`make release` and `make audit`.

python -m release files                            into dist/
python -m release audit [--online | --refresh]     ends with 1 where something is vulnerable
"""

from __future__ import annotations

import argparse
import functools
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from release import advisories, audit, files, pins
from release.licences import LicenceError
from release.refresh import refreshed
from release.wheel import UnpinnedError

if TYPE_CHECKING:
    from collections.abc import Sequence

TOOLS: Final = pins.ROOT / ".venv/release/bin"


def main(arguments: Sequence[str]) -> int:
    """Do what was asked for, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("files")
    auditing = commands.add_parser("audit").add_mutually_exclusive_group()
    auditing.add_argument("--online", action="store_true")
    auditing.add_argument("--refresh", action="store_true")
    options = parser.parse_args(arguments)
    try:
        if options.command == "files":
            return _files()
        return _audit(online=options.online, refresh=options.refresh)
    except (files.ReleaseError, audit.UnknownError, LicenceError, UnpinnedError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def _files() -> int:
    judge = functools.partial(files.valid, python=TOOLS / "python")
    for name, digest in files.release(pins.ROOT, pins.ROOT / "dist", judge=judge).items():
        sys.stdout.write(f"{digest}  dist/{name}\n")
    return 0


def _audit(*, online: bool, refresh: bool) -> int:
    tool = TOOLS / "pip-audit"
    if online:
        return audit.online(tool=tool)
    today = datetime.now(UTC).date()
    pinned = pins.released()
    if refresh:
        try:
            text = refreshed({pin.name for pin in pinned}, today)
        except OSError as error:
            raise audit.UnknownError(f"the OSV service gave no answer: {error}") from error
        advisories.FILE.write_text(text, encoding="utf-8")
    snapshot = advisories.loads(advisories.FILE.read_text(encoding="utf-8"))
    sys.stderr.write(f"{audit.about(snapshot, pinned, today)}\n")
    return audit.offline(snapshot, pinned, tool=tool)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
