"""The observation log as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.update.seenlog import SeenLog, Sighting, merged
from pinner.update.seentext import MalformedLog, NewerLog, dumps, loads
from support.strategies import digests, references

DEBIAN = "docker.io/library/debian:bookworm"
A = Digest.of(b"a")
ROW = {"digest": str(A), "first": 1, "last": 2}

histories = st.lists(
    st.builds(
        Sighting,
        digest=digests(),
        first=st.integers(0, 2**31),
        last=st.integers(2**31, 2**32),
        registry=st.none() | st.integers(0, 2**32),
        pinned=st.booleans(),
    ),
    min_size=1,
    max_size=3,
).map(lambda some: merged((), tuple(some)))
keys = st.builds(lambda one: Reference(one.repository, one.tag or "latest"), references())
logs = st.dictionaries(keys, histories, max_size=3).map(SeenLog)


@given(logs)
def test_what_is_written_is_read(log: SeenLog) -> None:
    assert loads(dumps(log)) == log


@given(logs)
def test_equal_logs_are_equal_bytes(log: SeenLog) -> None:
    turned = SeenLog(dict(reversed(list(log.tags.items()))))
    assert dumps(turned) == dumps(log)


def test_the_text() -> None:
    history = (
        Sighting(digest=A, first=1, last=2),
        Sighting(digest=A, first=1, last=2, pinned=True),
    )
    assert json.loads(dumps(SeenLog({Reference.parse("debian:bookworm"): history}))) == {
        "version": 1,
        "tags": {DEBIAN: [ROW, ROW | {"pinned": True}]},
    }


def test_sightings_in_any_order_are_put_into_theirs() -> None:
    rows = [ROW | {"digest": f"sha256:{number:064}", "first": 9 - number} for number in range(3)]
    text = json.dumps({"version": 1, "tags": {DEBIAN: rows}})
    (history,) = loads(text.encode()).tags.values()
    assert [one.first for one in history] == [7, 8, 9]


def test_a_last_sight_before_the_first_is_mended() -> None:
    text = json.dumps({"version": 1, "tags": {DEBIAN: [ROW | {"first": 5}]}})
    ((sighting,),) = loads(text.encode()).tags.values()
    assert (sighting.first, sighting.last) == (5, 5)


def log_of(tags: Any, version: Any = 1) -> bytes:
    return json.dumps({"version": version, "tags": tags}).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="no-version"),
        pytest.param(b"\x00" * 100, id="zeros"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(log_of({}, version=0), id="version-0"),
        pytest.param(log_of({}, version=True), id="version-true"),
        pytest.param(log_of({}, version="1"), id="version-text"),
        pytest.param(log_of([]), id="tags-list"),
        pytest.param(log_of({DEBIAN: {}}), id="history-object"),
        pytest.param(log_of({DEBIAN: [1]}), id="sighting-number"),
        pytest.param(log_of({DEBIAN: [ROW] * 1001}), id="too-many"),
        pytest.param(log_of({"debian:bookworm": [ROW]}), id="short-name"),
        pytest.param(log_of({"docker.io/library/debian": [ROW]}), id="no-tag"),
        pytest.param(log_of({f"{DEBIAN}@{A}": [ROW]}), id="digest-in-key"),
        pytest.param(log_of({"../../etc/passwd": [ROW]}), id="path"),
        pytest.param(log_of({DEBIAN: [ROW | {"digest": "sha256:1"}]}), id="no-digest"),
        pytest.param(log_of({DEBIAN: [ROW | {"first": -1}]}), id="negative"),
        pytest.param(log_of({DEBIAN: [ROW | {"first": 1.5}]}), id="fraction"),
        pytest.param(log_of({DEBIAN: [ROW | {"first": None}]}), id="no-first"),
        pytest.param(log_of({DEBIAN: [ROW | {"last": 253_402_300_800}]}), id="year-10000"),
        pytest.param(log_of({DEBIAN: [ROW | {"registry": "now"}]}), id="registry-text"),
    ],
)
def test_what_is_no_log(data: bytes) -> None:
    with pytest.raises(MalformedLog, match="is not an observation log"):
        loads(data)


def test_a_later_version_is_told_apart() -> None:
    with pytest.raises(NewerLog, match="of version 2, and this pinner reads 1"):
        loads(b'{"version": 2, "tags": "whatever"}')
