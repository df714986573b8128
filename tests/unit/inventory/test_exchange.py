"""What passes between the reader's process and its parent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.inventory.contents import Layer
from pinner.inventory.exchange import (
    Request,
    dump_answer,
    dump_request,
    load_answer,
    load_request,
)
from pinner.inventory.model import (
    Changelog,
    Direction,
    Ecosystem,
    Fix,
    PackageChange,
    PackageChanges,
)
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.strictjson import MalformedJson

if TYPE_CHECKING:
    from collections.abc import Callable

texts = st.text(max_size=20)
fixes = st.builds(Fix, cve=st.from_regex(r"CVE-[0-9]{4}-[0-9]{4,9}", fullmatch=True), urgency=texts)
answers = st.builds(
    PackageChanges,
    changes=st.lists(
        st.builds(
            PackageChange,
            ecosystem=st.sampled_from(Ecosystem),
            name=texts,
            architecture=texts,
            before=st.none() | texts,
            after=st.none() | texts,
            direction=st.sampled_from(Direction),
            fixes=st.lists(fixes, max_size=2).map(tuple),
            changelog=st.sampled_from(Changelog),
        ),
        max_size=2,
    ).map(tuple),
    notes=st.lists(st.text("abc ü", max_size=9), max_size=2).map(tuple),
)


@given(answers)
def test_an_answer_comes_back_as_it_was(answer: PackageChanges) -> None:
    assert load_answer(dump_answer(answer)) == answer


def test_a_request_comes_back_as_it_was() -> None:
    descriptor = Descriptor(media_type="a/b", digest=Digest.of(b"x"), size=7)
    odd = Layer(descriptor=descriptor, path=Path("/a b/\udcff\n"))
    request = Request(before=(odd,), after=(Layer(descriptor=descriptor, path=None),), cpu=9)
    line = dump_request(request)
    assert line.count(b"\n") == 1
    assert load_request(line) == request


CHANGE = {
    "ecosystem": "deb",
    "name": "a",
    "architecture": "amd64",
    "before": "1",
    "after": "2",
    "direction": "upgraded",
    "changelog": "read",
    "fixes": [{"cve": "CVE-2026-1234", "urgency": "high"}],
}


def changed(**fields: Any) -> dict[str, Any]:
    return {"changes": [CHANGE | fields], "notes": []}


def test_the_change_itself_is_good() -> None:
    assert load_answer(json.dumps(changed()).encode()).changes[0].name == "a"


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ([], "the document is not an object"),
        ({"changes": {}}, "changes is not a list"),
        ({"changes": [], "notes": [1]}, "notes[0] is not text"),
        (changed(ecosystem="gem"), "changes[0].ecosystem is none of its values"),
        (changed(direction=None), "changes[0].direction is missing"),
        (changed(name="x" * 1025), "changes[0].name has 1025 characters, more than 1024"),
        (changed(after=2), "changes[0].after is not text"),
        (changed(fixes=[{"cve": "CVE-2026-12"}]), "changes[0].fixes[0].cve is not a CVE's id"),
        (changed(fixes=[{"cve": "<b>"}]), "changes[0].fixes[0].cve is not a CVE's id"),
    ],
)
def test_other_answers_are_refused(document: Any, what: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        load_answer(json.dumps(document).encode())
    assert caught.value.what == what


@pytest.mark.parametrize("load", [load_answer, load_request])
@given(data=st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(load: Callable[[bytes], object], data: bytes) -> None:
    refused = ""
    try:
        load(data)
    except MalformedJson as error:
        refused = str(error)
    assert all(character.isprintable() for character in refused)


def test_notes_are_made_safe_again() -> None:
    answer = load_answer(json.dumps({"notes": ["a\x1b[31m"]}).encode())
    assert answer.notes == ("a\\x1b[31m",)
