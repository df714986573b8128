"""Pictures of the terminal for docs/images, drawn from what real runs show there."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from docpages.network import demo_images, open_network
from docpages.pages import DOCS
from docpages.room import Room
from docpages.terminal import watch
from pinner.demo.archive import noise
from pinner.demo.images import make_image, make_index, make_layer
from pinner.demo.publications import PLATFORMS, Publication

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

IMAGES: Final = DOCS / "images"
_COLUMNS: Final = 92
_ROWS: Final = 24
_PROMPT: Final = "\x1b[1;32m$\x1b[0m "
_TOTAL: Final = re.compile(r"  total .* ([\d.]+)/([\d.]+) MB  [\d.]+ MB/s  \d:\d\d:\d\d$")
_STYLES: Final = re.compile(r"\x1b\[[\d;]*m")
_MIB: Final = 1024 * 1024
_RATE: Final = 9e6  # a connection; slow enough for bars to be seen
# python, and postgres beside it, stand on debian; sizes in MiB.
_SIZES: Final = {"debian": 28, "python": 17, "postgres": 62, "node": 41, "redis": 9}
_STACKS: Final = {
    "python:3.12-slim": ("debian", "python"),
    "postgres:16": ("debian", "postgres"),
    "node:22-alpine": ("node",),
    "redis:7": ("redis",),
}
# No font is fetched from anywhere: every terminal's fonts will do.
_FORMAT: Final = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font: {char_height}px/{line_height}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def syncing() -> list[str]:
    """A sync at work, half-way."""
    images = "".join(
        f'{reference.partition(":")[0]} = "{reference}"\n' for reference in sorted(_STACKS)
    )
    with _room(_large_images(), rate=_RATE) as room:
        room.write("images.toml", f"[images]\n{images}")
        locked = _typed(room, "pinner lock")
        moments = watch(room, "pinner sync", columns=_COLUMNS, rows=_ROWS)
    moving = [(abs(share - 0.6), lines) for lines in moments if (share := _share(lines))]
    _, half_way = min(moving, key=lambda moment: moment[0])
    return [*locked, f"{_PROMPT}pinner sync", *half_way]


def mistakes() -> list[str]:
    """What mistakes look like: in images.toml, and a lockfile that was forgotten."""
    good = '[images]\ndb = "redis:7.4.1-alpine"\napp = "ghcr.io/acme/app:stable"\n'
    bad = (
        '[images]\ndb = { image = "redis", verson = ">=7" }\n'
        'app = { image = "ghcr.io/acme/app", platforms = ["linux/x86_64"] }\n'
    )
    with _room(demo_images()) as room:
        room.write("images.toml", bad)
        lines = _typed(room, "pinner lock")
        room.write("images.toml", good)
        room.run(["pinner lock"])
        room.write("images.toml", good.replace("stable", "edge"))
        return [*lines, *_typed(room, "pinner lock --check"), *_typed(room, "pinner sync")]


PICTURES: Final[Mapping[str, Callable[[], list[str]]]] = {"sync": syncing, "mistakes": mistakes}
"""How each picture comes about, by the name of its file."""


def draw(name: str, lines: list[str]) -> str:
    """The picture of a terminal with these lines, as SVG."""
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=_COLUMNS, file=nowhere, force_terminal=True)
        for line in lines:
            console.print(Text.from_ansi(line), soft_wrap=False)
        return console.export_svg(title="pinner", code_format=_FORMAT, unique_id=name)


def write(name: str, lines: list[str]) -> None:
    """Draw a picture into its file."""
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{name}.svg").write_text(draw(name, lines), encoding="utf-8")


def plain(lines: list[str]) -> list[str]:
    """The lines without their colours."""
    return [_STYLES.sub("", line) for line in lines]


@contextmanager
def _room(images: list[Publication], *, rate: float | None = None) -> Iterator[Room]:
    with tempfile.TemporaryDirectory(prefix="pinner-docs-") as temporary:
        folder = Path(temporary)
        with open_network(folder / "network", images, rate=rate) as network:
            yield Room(folder / "room", network.environment)


def _typed(room: Room, command: str) -> list[str]:
    moments = watch(room, command, columns=_COLUMNS, rows=_ROWS)
    return [f"{_PROMPT}{command}", *moments[-1][:-1]]


def _share(lines: list[str]) -> float:
    """How much of the total the bars show; 0 while they do not."""
    found = [match for line in plain(lines) if (match := _TOTAL.match(line))]
    return float(found[-1][1]) / float(found[-1][2]) if found else 0.0


def _large_images() -> list[Publication]:
    layers = {
        name: make_layer({f"srv/{name}": noise(name, size * _MIB)}) for name, size in _SIZES.items()
    }
    return [
        Publication(
            repository=f"library/{repository}",
            tag=tag,
            image=make_index(
                make_image(platform, [layers[name] for name in stack]) for platform in PLATFORMS
            ),
        )
        for reference, stack in _STACKS.items()
        for repository, _, tag in [reference.partition(":")]
    ]
