"""The rows of the live display of a pull: one a layer, as docker draws them (pure).

27dbea96937d: Downloading [=======>                                           ]  4.19MB/29.1MB
fbae14ffe1d7: Download complete
total  45.2/118.9 MB  96.3 MB/s  0:00:01
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.output.bars import Bar
from pinner.output.pulltale import LayerState
from pinner.output.tally import State
from pinner.output.units import countdown, rate, size_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.output.tally import TotalRow

_BAR: Final = 50
_WIDE: Final = 110  # columns: docker draws bars in wider terminals only
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_STEP: Final = 1000
_STATES: Final = {
    LayerState.EXISTS: State.DONE,
    LayerState.DOWNLOADED: State.DONE,
    LayerState.COMPLETE: State.DONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """A layer at one moment; `done` of `size` bytes are here."""

    short: str
    state: LayerState
    done: int = 0
    size: int = 0


def layer_bars(
    layers: Sequence[LayerRow], total: TotalRow, *, speed: float, width: int, height: int
) -> list[Bar]:
    """The rows to show, and the total below.

    Args:
        layers: in their order; where the terminal is too low, those that move are kept.
        total: of the whole run.
        speed: bytes a second.
        width: columns.
        height: lines.
    """
    room = max(0, height - 2)
    ranked = sorted(range(len(layers)), key=lambda index: _is_still(layers[index]))
    chosen = [layers[index] for index in sorted(ranked[:room])]
    tail = f"  {rate(speed)}  {countdown((total.size - total.done) / speed)}" if speed else ""
    figures = f"{size_of(total.done, total.size)}{tail}"
    return [
        *(_row(layer, width) for layer in chosen),
        Bar(name="total  ", bar="", state=State.ACTIVE, figures=figures[:width]),
    ]


def human_size(count: int) -> str:
    """`29.13MB`: docker's form of sizes, in at most four digits."""
    value, unit = float(count), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.4g}{_UNITS[unit]}"


def _is_still(layer: LayerRow) -> bool:
    return not (layer.state is LayerState.PULLING and layer.done)


def _row(layer: LayerRow, width: int) -> Bar:
    name = f"{layer.short}: "
    if _is_still(layer):
        state = _STATES.get(layer.state, State.WAITING)
        return Bar(name=name, bar="", state=state, figures=layer.state.value)
    figures = f" {human_size(layer.done):>8}/{human_size(layer.size)}"
    return Bar(
        name=f"{name}Downloading ",
        bar=_bar(layer) if width > _WIDE else "",
        state=State.ACTIVE,
        figures=figures,
    )


def _bar(layer: LayerRow) -> str:
    share = min(1.0, layer.done / layer.size) if layer.size else 1.0
    filled = int(share * _BAR)
    return f"[{'=' * filled}{'>' if filled < _BAR else ''}{' ' * (_BAR - filled - 1)}]"
