"""What a command is given: where it runs, what was asked of it, and the doors to the world.

Only this module knows both sides: use cases take protocols and values, adapters (store, registry)
are built here, each when it is first needed.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pinner.cli.project import Project
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
    from contextlib import AbstractContextManager

    from pinner.cli.console import Console
    from pinner.cli.registries import Registries
    from pinner.clock import Clock
    from pinner.errors import PinnerError
    from pinner.oci.platform import Platform
    from pinner.oci.registryconfig import RegistryConfig
    from pinner.progress import Progress
    from pinner.settings import Settings
    from pinner.store.layout import Store

_APPLICATION: Final = "pinner"
_META: Final = "pinner.global."
_Display = TypeVar("_Display", bound="Progress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The machine as this process sees it; tests give another one."""

    console: Console
    environ: Mapping[str, str]
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalOptions:
    """The options that every command has, wherever on the command line they stood."""

    directory: Path | None = None
    json: bool = False
    quiet: bool = False
    debug: bool = False

    @staticmethod
    def note(meta: MutableMapping[str, Any], name: str, value: object) -> None:
        """Remember that the command line gave this option."""
        meta[_META + name] = value

    @classmethod
    def given(cls, meta: Mapping[str, Any]) -> GlobalOptions:
        """All that was noted for this invocation."""
        noted = {
            key.removeprefix(_META): value for key, value in meta.items() if key.startswith(_META)
        }
        return cls(**noted)


class Session:
    """One run of one command."""

    def __init__(self, runtime: Runtime, options: GlobalOptions, *, command: str) -> None:
        self.runtime = runtime
        self.options = options
        self.command = command
        self._display: Progress | None = None

    @property
    def clock(self) -> Clock:
        """Time and chance."""
        return self.runtime.clock

    @functools.cached_property
    def project(self) -> Project:
        """The folder with images.toml: from `--directory`, or from where the user is, upwards."""
        try:
            here = Path.cwd()
        except FileNotFoundError as error:
            raise InputError("the folder that this was started in is gone") from error
        return Project.find(here / (self.options.directory or ""))

    @functools.cached_property
    def settings(self) -> Settings:
        """The user-wide settings: config.toml, then the environment."""
        import platformdirs  # noqa: PLC0415 - most runs of `lock --check` do without

        from pinner.cli.home import home_needed  # noqa: PLC0415
        from pinner.settings import Settings  # noqa: PLC0415

        with home_needed():
            config = platformdirs.user_config_path(_APPLICATION, appauthor=False)
            cache = platformdirs.user_cache_path(_APPLICATION, appauthor=False)
        return Settings.load(self.runtime.environ, config, default_store=cache / "store")

    def open_store(self, given: Path | None = None, *, create: bool = True) -> Store:
        """The store: `--store` as given, else the user's settings say which; a context manager.

        Raises:
            StoreError: it cannot be used.
        """
        from pinner.store.layout import Store  # noqa: PLC0415

        return Store.open(self.store_path(given), create=create)

    @contextmanager
    def existing_store(self, given: Path | None = None) -> Iterator[Store | None]:
        """The store, for looking into it; None where there is none yet.

        Raises:
            StoreError: it cannot be used.
        """
        from pinner.store.opening import NoStore  # noqa: PLC0415

        try:
            store = self.open_store(given, create=False)
        except NoStore:
            yield None
            return
        with store:
            yield store

    def store_path(self, given: Path | None = None) -> Path:
        """Where the store is, or would be; relative to the folder that the run is in."""
        return self.project.seen_from / (given or self.settings.store)

    def registry(self, configs: Sequence[RegistryConfig], *, jobs: int | None) -> Registries:
        """The registries, as a context; nothing is opened before it is needed.

        Args:
            configs: what images.toml says of registries; the user's own settings come first.
            jobs: `--jobs` as given, else the user's settings say how many connections.
        """
        from pinner.cli.registries import Registries  # noqa: PLC0415 - few commands ask any

        return Registries(
            self.runtime,
            self.settings.with_project(configs),
            jobs=jobs or self.settings.jobs,
            note=self.note,
        )

    @property
    def host_platform(self) -> Platform:
        """Linux on this machine's architecture: what its containers run as."""
        from platform import machine, system  # noqa: PLC0415 - only where no platform is given

        from pinner.oci.platform import Platform  # noqa: PLC0415

        return Platform.of_host(machine(), system())

    def answer(
        self, text: str | Callable[[], str], fields: dict[str, Any] | Callable[[], dict[str, Any]]
    ) -> None:
        """Print the result: text for people, or the document that `--json` asks for.

        Either may be what makes it: of thousands of images, the one that is not printed takes as
        long to make, and as much memory, as the one that is.
        """
        if self.options.json:
            from pinner.output.machine import document  # noqa: PLC0415 - only where asked for

            text = document(self.command, fields() if callable(fields) else fields)
        self.runtime.console.result(text() if callable(text) else text)

    def note(self, text: str) -> None:
        """Print a line beside the result and above the display of a run, unless quiet is asked."""
        if self._display is not None:
            self._display.note(text)
        elif not self.options.quiet:
            self.runtime.console.note(f"{safe(text)}\n")

    def warn(self, text: str) -> None:
        """Print a line that deserves attention, unless quiet is asked for."""
        self.note(f"warning: {text}")

    def report(self, errors: Iterable[PinnerError]) -> None:
        """Print failures that left the run going; with `--json`, the document holds them."""
        from pinner.output.errors import render_error  # noqa: PLC0415 - most runs have none

        console = self.runtime.console
        if not self.options.json:
            for error in errors:
                console.note(render_error(error, label=console.error_label))

    @contextmanager
    def watch(self) -> Iterator[Progress]:
        """The display of a long run, on stderr; notes go through it as long as it is open."""
        from pinner.output.watching import watch  # noqa: PLC0415 - few commands take long

        console = self.runtime.console
        display = watch(
            console.err,
            self.clock.monotonic,
            moving=console.moving,
            colour=console.colourful_err,
            quiet=self.options.quiet,
        )
        with self.watched_by(display) as progress:
            yield progress

    @contextmanager
    def watched_by(self, display: AbstractContextManager[_Display]) -> Iterator[_Display]:
        """The same with a display of the command's own."""
        with display as progress:
            self._display = progress
            try:
                yield progress
            finally:
                self._display = None
