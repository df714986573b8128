"""The formats of `pinner export`. A new one is a module with one function and a row here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.export.buildkit import render_policy
from pinner.export.compose import render_override
from pinner.export.imgpkg import render_images_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.export.model import Rendered, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format that is text.

    Attributes:
        render: the text; raises `InputError` where the format cannot say what is wished.
        takes_compose: whether it is about a compose file.
    """

    render: Callable[[Wish], Rendered]
    takes_compose: bool = False


FORMATS: Final[Mapping[str, Format]] = {
    "buildkit-policy": Format(render=render_policy),
    "compose": Format(render=render_override, takes_compose=True),
    "imgpkg": Format(render=render_images_lock),
}
