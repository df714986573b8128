"""`pinner update` without registries: where tags point is a file.

As a program, `python -m support.publishers update …`, it is `pinner` with this one command. The
file that `PINNER_TEST_TAGS` names has one `NAME HEXDIGIT` a line: the digest that the tag of an
entry has now, all of one digit. Entries that it does not name stay.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pinner.cli.main import run
from pinner.cli.options import command
from pinner.cli.publishing import PublishWish, publishing_options
from pinner.git import Refused
from pinner.lockfile import Lock, LockedImage, dumps
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.output.published import published_fields, render_published
from pinner.update.model import Unchanged, Updated

if TYPE_CHECKING:
    from pinner.cli.context import Session
    from pinner.cli.table import Table

COMMANDS: Final[Table] = {"Plugged": {"update": "support.publishers:update"}}
TAGS: Final = "PINNER_TEST_TAGS"


def pin(name: str, digit: str) -> LockedImage:
    """An entry on `debian:bookworm` of a digest that is easy to tell."""
    digest = Digest("sha256", digit * 64)
    return LockedImage(
        name=name,
        repository=Repository.parse("debian"),
        tag="bookworm",
        digest=digest,
        platforms={Platform.parse("linux/amd64"): digest},
    )


def project(**digits: str) -> dict[str, str]:
    """The files of a project with these entries."""
    spec = "".join(f'{name} = "debian:bookworm"\n' for name in digits)
    lock = Lock(images=tuple(pin(name, digit) for name, digit in digits.items()))
    return {"images.toml": f"[images]\n{spec}", "images.lock": dumps(lock)}


@command
@click.argument("names", nargs=-1)
@click.option("--minimum-age")
@click.option("--seen", type=click.Path(path_type=Path))
@click.option("--summary", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True)
@publishing_options
def update(
    session: Session,
    /,
    *,
    names: tuple[str, ...],
    minimum_age: str | None,
    seen: Path | None,
    summary: Path | None,
    dry_run: bool,
    **publishing: Any,
) -> int:
    """Move the lock to where the file says."""
    wish = PublishWish(**publishing)
    opened = wish.open(session, dry_run=dry_run)
    previous = session.project.require_lock()
    outcomes = _update(previous, Path(session.runtime.environ[TAGS]))
    lock = Lock(images=tuple(outcome.image for outcome in outcomes))
    if lock != previous and (opened is None or opened.writes_files):
        session.project.write({session.project.lock_path: dumps(lock).encode()})
    results = opened.publish(outcomes, previous, lock) if opened else ()
    if seen:
        seen.write_text(f"{names} {minimum_age}\n")
    if summary:
        summary.write_text(f"# {sum(isinstance(o, Updated) for o in outcomes)} updated\n")
    refused = [one.error for one in results if isinstance(one, Refused)]
    session.report(refused)
    session.answer(render_published(results), {"published": published_fields(results)})
    return max((error.exit_code for error in refused), default=0)


def _update(previous: Lock, tags: Path) -> list[Updated | Unchanged]:
    now = dict(line.split() for line in tags.read_text().splitlines())
    outcomes: list[Updated | Unchanged] = []
    for image in previous.images:
        digest = Digest("sha256", now[image.name] * 64) if image.name in now else image.digest
        if digest == image.digest:
            outcomes.append(Unchanged(name=image.name, image=image))
        else:
            moved = dataclasses.replace(
                image, digest=digest, platforms=dict.fromkeys(image.platforms, digest)
            )
            outcomes.append(Updated(name=image.name, before=image, image=moved))
    return outcomes


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], table=COMMANDS))
