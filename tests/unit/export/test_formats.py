"""The table of formats, which the command line repeats so that help is quick."""

from __future__ import annotations

from pinner.cli.export import FORMAT_NAMES
from pinner.export.formats import FORMATS


def test_the_command_line_offers_every_format() -> None:
    assert tuple(FORMATS) == FORMAT_NAMES
