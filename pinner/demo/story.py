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
DOCKERFILE: Final = "Dockerfile"
COMPOSE: Final = "compose.yaml"


def story(host: str) -> tuple[Step, ...]:
    """All chapters, with images of the registry at `host`."""
    return (
        *_begin(host),
        *_lock(host),
        *_files(),
        *_sync(),
        *_moved_tag(),
        *_update(),
        *_by_hand(host),
        *_stale(host),
        *_end(),
    )


def _begin(host: str) -> Sequence[Step]:
    return (
        Say(
            f"A registry runs on {host}, everything else in a temporary folder;\n"
            "nothing leaves this machine. A project has a Dockerfile and a compose file:"
        ),
        Write(DOCKERFILE, _dockerfile(host)),
        Show(DOCKERFILE),
        Write(COMPOSE, _compose(host)),
        Show(COMPOSE),
        Say("init finds the images that they name, and writes down the wish:"),
        Run("pinner init --platform linux/amd64 --platform linux/arm64"),
        Show(SPEC),
    )


def _lock(host: str) -> Sequence[Step]:
    return (
        Say("redis shall follow the newest 7 of the alpine variant, not one version:"),
        Edit(SPEC, f'redis = "{host}/redis:7.4.1-alpine"', _redis(host, ">=7,<8")),
        Say("Tags move. lock asks once what they name now, and writes down the digests:"),
        Run("pinner lock"),
        Show(LOCK, lines=12),
    )


def _files() -> Sequence[Step]:
    return (
        Say("rewrite puts the digests where files name images; every other byte stays:"),
        Run("pinner rewrite --diff"),
        Run("pinner rewrite"),
        Say("In CI, check tells offline whether they still stand there:"),
        Run("pinner check"),
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
        Run(f"pinner update --fetch --rewrite --summary {SUMMARY}"),
        Show(SUMMARY),
        Run("pinner check"),
    )


def _by_hand(host: str) -> Sequence[Step]:
    return (
        Say("What is not locked comes by name, in docker's words and without its daemon:"),
        Run(f"pinner pull {host}/redis:7.2.5-alpine"),
        Say("One tar takes images to docker, podman, containerd and kind:"),
        Run(f"pinner export debian {host}/redis:7.2.5-alpine -o images.tar"),
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
            "In your own repository: `pinner init`, `pinner lock`, `pinner rewrite`; commit what\n"
            "they wrote, and let CI run `pinner check` and `pinner sync`."
        ),
    )


def _redis(host: str, version: str) -> str:
    return f'redis = {{ image = "{host}/redis", version = "{version}", variant = "alpine" }}'


def _dockerfile(host: str) -> str:
    return f"""\
FROM {host}/debian:bookworm AS build
RUN make

FROM {host}/alpine:3.20
COPY --from=build /srv /srv
"""


def _compose(host: str) -> str:
    return f"""\
services:
  app:
    image: {host}/team/app:stable   # built on debian: they share a layer
  cache:
    image: {host}/redis:7.4.1-alpine
"""
