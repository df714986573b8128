"""How closely a command looks at the images behind two pins: what `update` and `diff` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.compare.model import ImageChange
    from pinner.compare.reading import CompareSource

_Function = TypeVar("_Function", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the command line says of comparing images.

    Attributes:
        packages: whether to compare the packages inside.
        fetch: whether to download what the store lacks for that.
        store: where images are; None for the user's own store.
    """

    packages: bool = True
    fetch: bool = False
    store: Path | None = None


def comparison_options(function: _Function) -> _Function:
    """`--packages/--no-packages` and `--fetch`, in the order of help."""
    decorators = (
        click.option(
            "--packages/--no-packages",
            default=True,
            help="Compare the packages inside the images, where the store has what that needs.",
        ),
        click.option(
            "--fetch", is_flag=True, help="Download what the store lacks for the comparison."
        ),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def compare(
    session: Session,
    changes: Sequence[ImageChange],
    wish: Comparison,
    *,
    open_source: Callable[[], CompareSource],
    jobs: int,
    asks: bool,
) -> Sequence[ImageChange]:
    """The changes with what the store, and the registry where it may be asked, tell of the images.

    Args:
        session: the run.
        changes: the pins.
        wish: what the command line says.
        open_source: opens the registry, where something is asked.
        jobs: how much is done at once.
        asks: whether manifests and configs may be asked for; with `--fetch` they always may.

    Raises:
        StoreError: the store cannot be used, or the disk failed.
    """
    from pinner.compare.fetching import Fetcher  # noqa: PLC0415 - only where something differs
    from pinner.compare.images import compare_images  # noqa: PLC0415
    from pinner.compare.reader import PackageReader  # noqa: PLC0415

    inventory = PackageReader() if wish.packages else None
    if not wish.fetch:
        with session.existing_store(wish.store) as store:
            return compare_images(
                changes,
                host=session.host_platform,
                store=store,
                jobs=jobs,
                open_source=open_source if asks else None,
                inventory=inventory,
            )
    with (
        session.open_store(wish.store) as store,
        # A store that takes nothing still serves if it has everything.
        store.lease(optional=True) as lease,
        session.watch() as progress,
    ):
        fetcher = Fetcher(
            store=store,
            lease=lease,
            open_source=open_source,
            progress=progress,
            clock=session.clock,
            jobs=jobs,
        )
        return compare_images(
            changes,
            host=session.host_platform,
            store=store,
            jobs=jobs,
            open_source=open_source,
            inventory=inventory,
            fetcher=fetcher if wish.packages else None,
        )
