"""`pinner mirror TARGET`: the locked images into another registry, digests unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from pinner.cli.options import command, entry_names, jobs_option, platform_option, store_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.mirror import Target
    from pinner.oci.platform import Platform
    from pinner.oci.registryconfig import RegistryConfig

# Those of mirror/naming.py; help does not load it. A test compares.
NAMINGS: Final = ("full", "path")


@command
@click.argument("target", metavar="TARGET")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=entry_names)
@platform_option
@click.option(
    "--naming",
    type=click.Choice(NAMINGS),
    default="full",
    help="Name repositories there with the registry that they come from, or by their path alone. "
    "[default: full]",
)
@click.option("--no-tags", is_flag=True, help="Push by digest alone.")
@click.option("--dry-run", is_flag=True, help="Send nothing; say what would be.")
@click.option("--no-write", is_flag=True, help="Leave images.toml as it is; print the lines.")
@click.option("--frozen", is_flag=True, help="Take images.lock as it is, stale or not.")
@jobs_option
@store_option
def mirror(
    session: Session,
    *,
    target: str,
    names: tuple[str, ...],
    platform: tuple[Platform, ...],
    naming: str,
    no_tags: bool,
    dry_run: bool,
    no_write: bool,
    frozen: bool,
    jobs: int | None,
    store: Path | None,
) -> int:
    """Copy the locked images into another registry: TARGET, such as registry.example/mirror.

    Digests stay as they are. All that a locked digest names is copied, every platform of an index,
    unless --platform chooses some of the locked ones. What is there already is not sent. In the
    end images.toml names TARGET among the mirrors, so that every `pinner sync` asks it first.
    """
    from pinner.cli.fresh import require_fresh  # noqa: PLC0415 - help does without
    from pinner.mirror import Means, Naming, Target, Wishes, run_mirror  # noqa: PLC0415
    from pinner.outcome import Failed, exit_code  # noqa: PLC0415
    from pinner.output.mirror import mirror_fields, render_mirror  # noqa: PLC0415
    from pinner.sync import select_images  # noqa: PLC0415

    goal = Target.parse(target, Naming(naming))
    project = session.project
    lock, data = project.require_lock(), project.spec_data()
    spec = project.parse_spec(data)
    require_fresh(spec, lock, frozen=frozen, command="mirror")
    wanted = select_images(lock, names=names, platforms=platform or None)
    expected = {
        image.repository.registry: goal.mirror_of(image.repository.registry)
        for image in lock.images
        if (not names or image.name in names) and not goal.is_home_of(image)
    }
    if not (no_write or dry_run):
        _edited(session, data, expected)  # what cannot be written in the end is said now
        project.require_writable([project.spec_path])
    started = session.clock.monotonic()
    with (
        session.open_store(store) as kept,
        session.registry(_without(goal, spec.registries), jobs=jobs) as registry,
        session.watch() as progress,
    ):
        result = run_mirror(
            wanted,
            goal,
            Wishes(whole=not platform, tags=not no_tags, dry_run=dry_run),
            Means(
                store=kept,
                open_source=registry.open,
                open_sink=registry.open_pusher,
                progress=progress,
                clock=session.clock,
                jobs=registry.jobs,
            ),
        )
        requests = registry.counts.total()
    wrote: list[str] = []
    if not (no_write or dry_run):
        wrote = _write(session, data, result.mirrors)
    for warning in result.warnings:
        session.warn(warning)
    session.report(outcome.error for outcome in result.outcomes if isinstance(outcome, Failed))
    seconds = session.clock.monotonic() - started
    session.answer(
        render_mirror(
            result,
            target=str(goal),
            requests=requests,
            seconds=seconds,
            wrote=wrote,
            by_hand=_by_hand(result.mirrors) if no_write and not dry_run else "",
        ),
        mirror_fields(result, target=str(goal), requests=requests, wrote=wrote),
    )
    return exit_code(result.outcomes)


def _without(goal: Target, configs: Sequence[RegistryConfig]) -> list[RegistryConfig]:
    """The registries without the target as a mirror: it is not asked for what it is to get."""
    return [
        replace(
            config,
            mirrors=tuple(name for name in config.mirrors if name != goal.mirror_of(config.host)),
        )
        for config in configs
    ]


def _edited(session: Session, data: bytes, mirrors: Mapping[str, str]) -> bytes:
    """images.toml with these mirrors."""
    from pinner.spec.mirrors import add_mirror  # noqa: PLC0415 - as above

    path = session.project.shown(session.project.spec_path)
    text = data.decode()
    for registry, name in mirrors.items():
        text = add_mirror(text, registry, name, path=path)
    return text.encode()


def _write(session: Session, data: bytes, mirrors: Mapping[str, str]) -> list[str]:
    """Write what images.toml lacks of these mirrors; the files that were changed."""
    path = session.project.spec_path
    edited = _edited(session, data, mirrors)
    own = {host for host, key in session.settings.stated if key == "mirrors"}
    for registry in mirrors:
        if registry.lower() in own:
            session.warn(f"your config.toml names other mirrors of {registry}, which counts more")
    if edited == data:
        return []
    session.project.write({path: edited}, expected={path: data})
    return [path.name]


def _by_hand(mirrors: Mapping[str, str]) -> str:
    from pinner.spec.mirrors import mirrors_table  # noqa: PLC0415 - as above

    return "".join(mirrors_table(registry, name) for registry, name in mirrors.items())
