"""Runs a page: its files are written, its programs run, its outputs written down anew."""

from __future__ import annotations

import tempfile
import tomllib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from docpages import markdown, transcript
from docpages.network import demo_images, open_network
from docpages.room import Room
from pinner.lockfile import loads
from pinner.settings import Settings
from pinner.spec import parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docpages.network import Network

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
_REBUILT: Final = "debian:bookworm is rebuilt"
_RUN: Final = "run "


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *sorted(DOCS.rglob("*.md")),
    ]


def perform(text: str) -> str:
    """The page as it reads after its examples ran.

    What is as the page shows it stays to the letter, left-out lines and seconds included.

    Raises:
        AssertionError: an example fails.
        PinnerError: a file that pinner would not read.
        ValueError: the page cannot be understood.
    """
    parts = markdown.parse(text)
    with ExitStack() as stack:
        player = _Player(lambda: stack.enter_context(_stage()))
        return markdown.join([player.play(part) for part in parts])


@contextmanager
def _stage() -> Iterator[tuple[Path, Network]]:
    with tempfile.TemporaryDirectory(prefix="pinner-docs-") as temporary:
        folder = Path(temporary)
        with open_network(folder / "network", demo_images()) as network:
            yield folder, network


class _Player:
    """Plays the parts of one page; nothing is set up for a page without examples."""

    def __init__(self, open_stage: Callable[[], tuple[Path, Network]]) -> None:
        self._open_stage = open_stage
        self._stage: tuple[Path, Network] | None = None
        self._room: Room | None = None

    def play(self, part: markdown.Part) -> markdown.Part:
        match part:
            case markdown.Direction(wish=wish):
                self._follow(wish)
            case markdown.Fence():
                return self._play_fence(part)
        return part

    def _play_fence(self, fence: markdown.Fence) -> markdown.Fence:
        if fence.file:
            _check(fence)
            self._enter().write(fence.file, fence.text)
        elif fence.language == "toml":
            tomllib.loads(fence.text)
        elif fence.language == "python":
            self._enter().run_python(fence.text)
        elif fence.language == "console":
            return self._play_console(fence)
        return fence

    def _play_console(self, fence: markdown.Fence) -> markdown.Fence:
        shown = transcript.parse(fence.body)
        outputs = self._enter().run([one.command for one in shown])
        return fence.with_body(
            transcript.render(
                one
                if transcript.agree(one.output, real)
                else transcript.Shown(command=one.command, output=tuple(real))
                for one, real in zip(shown, outputs, strict=True)
            )
        )

    def _follow(self, wish: str) -> None:
        if wish == _REBUILT:
            self._opened()[1].rebuild_debian()
        elif wish.startswith(_RUN):
            self._enter().run([wish.removeprefix(_RUN)])
        else:
            raise ValueError(f"nobody knows how to do this: {wish}")

    def _enter(self) -> Room:
        if self._room is None:
            folder, network = self._opened()
            self._room = Room(folder / "room", network.environment)
        return self._room

    def _opened(self) -> tuple[Path, Network]:
        if self._stage is None:
            self._stage = self._open_stage()
        return self._stage


def _check(fence: markdown.Fence) -> None:
    """Raise PinnerError where pinner would not read a file of this name."""
    data = fence.text.encode()
    match fence.file:
        case "images.toml":
            parse_spec(data, path=fence.file, base=ROOT)
        case "images.lock":
            loads(data, path=fence.file)
        case "config.toml":
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / fence.file).write_bytes(data)
                Settings.load({}, Path(folder), default_store=Path("store"))
