"""The story that `pinner demo` tells: the main job, from tags to a store.

A new chapter is a function that returns steps, and a line in `story`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.demo.publications import rebuilt_debian
from pinner.demo.steps import Edit, Publish, Run, Say, Show, Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.demo.steps import Step

SPEC: Final = "images.toml"
LOCK: Final = "images.lock"
SUMMARY: Final = "summary.md"


def story(host: str) -> tuple[Step, ...]:
    """All chapters, with images of the registry at `host`."""
    return (*_lock(host), *_sync(), *_moved_tag(), *_update(), *_stale(host), *_end())


def _lock(host: str) -> Sequence[Step]:
    return (
        Say(
            f"A registry runs on {host}, everything else in a temporary folder;\n"
            "nothing leaves this machine. images.toml says which images a project wants:"
        ),
        Write(SPEC, _spec(host)),
        Show(SPEC),
        Say("Tags move. lock asks once what they name now, and writes down the digests:"),
        Run("pinner lock"),
        Show(LOCK, lines=12),
    )


def _sync() -> Sequence[Step]:
    return (
        Say(
            "sync fetches exactly those digests into a store, an OCI image layout.\n"
            "Layers that images share are fetched once:"
        ),
        Run("pinner sync"),
        Say("The store is complete now, so a second sync asks nobody:"),
        Run("pinner sync"),
    )


def _moved_tag() -> Sequence[Step]:
    rebuilt = rebuilt_debian()
    return (
        Say(
            "Meanwhile the registry rebuilds debian:bookworm with security fixes. The tag now\n"
            f"names {rebuilt.image.digest.short}, but the lock holds:"
        ),
        Publish(rebuilt),
        Run("pinner lock --check"),
        Say("On another machine, sync still brings the very bytes that were locked:"),
        Run("pinner sync --store ../other-machine"),
        Run("pinner images --store ../other-machine"),
    )


def _update() -> Sequence[Step]:
    return (
        Say(
            "When you decide to, update moves the pin, and says what that changes inside:\n"
            "packages, and the CVEs that their own changelogs name as fixed. The summary is the\n"
            "body of a pull request:"
        ),
        Run("pinner outdated", exit_code=1),
        Run(f"pinner update --fetch --summary {SUMMARY}"),
        Show(SUMMARY),
    )


def _stale(host: str) -> Sequence[Step]:
    return (
        Say("Somebody wants redis 8, edits images.toml and forgets to lock. CI notices, offline:"),
        Edit(SPEC, _redis(host, ">=7,<8"), _redis(host, ">=8,<9")),
        Run("pinner lock --check", exit_code=1),
        Say("lock resolves that entry and keeps every other pin, debian's too:"),
        Run("pinner lock"),
        Run("pinner sync"),
    )


def _end() -> Sequence[Step]:
    return (
        Say(
            "In your own repository: `pinner add debian:bookworm`, commit images.toml and\n"
            "images.lock, and let CI run `pinner lock --check` and `pinner sync`."
        ),
    )


def _redis(host: str, version: str) -> str:
    return f'redis  = {{ image = "{host}/redis", version = "{version}", variant = "alpine" }}'


def _spec(host: str) -> str:
    return f"""\
[settings]
platforms = ["linux/amd64", "linux/arm64"]

[images]
debian = "{host}/debian:bookworm"
alpine = "{host}/alpine:3.20"
# the newest version within the range, of the alpine variant
{_redis(host, ">=7,<8")}
app    = "{host}/team/app:stable"   # built on debian: they share a layer
"""
