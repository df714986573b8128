"""JSON documents: one line of truth for programs."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pinner.output.machine import document


def test_a_document_names_schema_and_command_first() -> None:
    assert document("lock", {"images": []}).startswith('{\n  "schema": 1,\n  "command": "lock",')


@given(st.text())
def test_O01_no_control_and_no_foreign_character_survives(text: str) -> None:
    written = document("inspect", {"tag": text})
    assert all(character == "\n" or " " <= character <= "~" for character in written)
    assert json.loads(written)["tag"] == text


def test_a_document_ends_its_line() -> None:
    assert document("x", {}).endswith("}\n")
