"""rpm's header format: what is out of bounds is no header (P03)."""

from __future__ import annotations

import struct

import pytest

from pinner.inventory.rpmheader import BadHeader, Header, source_of
from support.rpms import INT32, STRING, STRINGS, header

NAME = (1000, STRING, b"bash\0", 1)
VERSION = (1001, STRING, b"5.1.8\0", 1)
RELEASE = (1002, STRING, b"6.el9\0", 1)


def test_texts() -> None:
    read = Header(header(NAME, VERSION, RELEASE, (1022, STRING, b"x86_64\0", 1)))
    assert (read.name, read.version, read.architecture) == ("bash", "5.1.8-6.el9", "x86_64")
    assert (read.source, read.changelog) == ("", [])


@pytest.mark.parametrize(("epoch", "version"), [(0, "5.1.8-6.el9"), (2, "2:5.1.8-6.el9")])
def test_epoch(epoch: int, version: str) -> None:
    entry = (1003, INT32, struct.pack(">I", epoch), 1)
    assert Header(header(entry, NAME, VERSION, RELEASE)).version == version


def test_changelog() -> None:
    names = (1081, STRINGS, b"A <a@x> - 2\0B <b@x> - 1\0", 2)
    texts = (1082, STRINGS, b"- two\n- more\0- one\0", 2)
    assert Header(header(NAME, names, texts)).changelog == [
        ("A <a@x> - 2", "- two\n- more"),
        ("B <b@x> - 1", "- one"),
    ]


def test_other_tags_are_not_looked_at() -> None:
    other = (5000, 99, b"", 0xFFFFFFFF)
    assert Header(header(other, NAME)).name == "bash"


def read_all(blob: bytes) -> None:
    read = Header(blob)
    assert read.name is not None
    assert read.version
    assert read.changelog is not None


GOOD = header(NAME, VERSION, RELEASE)


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param(b"", id="empty"),
        pytest.param(GOOD[:-1], id="cut"),
        pytest.param(GOOD + b"\0", id="more"),
        pytest.param(struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF), id="huge counts"),
        pytest.param(header(VERSION, RELEASE, VERSION), id="a tag twice"),
        pytest.param(header(NAME, VERSION), id="no release"),
        pytest.param(header((1000, INT32, b"bash", 1), VERSION, RELEASE), id="another type"),
        pytest.param(header(VERSION, RELEASE, (1000, STRING, b"bash", 1)), id="no end"),
        pytest.param(header((1000, STRING, b"a\0b\0", 2), VERSION, RELEASE), id="two names"),
        pytest.param(header(VERSION, RELEASE, (1003, INT32, b"\0\0\0", 1)), id="a short number"),
        pytest.param(header(VERSION, RELEASE, (1003, INT32, b"\0" * 8, 2)), id="two numbers"),
        pytest.param(header(VERSION, RELEASE, (1000, STRING, b"", 1)), id="an offset at the end"),
        pytest.param(
            header(NAME, VERSION, RELEASE, (1081, STRINGS, b"a\0", 0xFFFFFFFF)), id="a huge array"
        ),
        pytest.param(
            header(NAME, VERSION, RELEASE, (1081, STRINGS, b"\0" * 20_001, 20_001)),
            id="more entries than any changelog has",
        ),
        pytest.param(
            header(NAME, VERSION, RELEASE, (1081, STRINGS, b"a\0b\0", 3)), id="an array of more"
        ),
    ],
)
def test_P03_bad_headers(blob: bytes) -> None:
    with pytest.raises(BadHeader):
        read_all(blob)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("bash-5.1.8-6.el9.src.rpm", ("bash", "5.1.8-6.el9")),
        ("java-17-openjdk-17.0.9-1.src.rpm", ("java-17-openjdk", "17.0.9-1")),
        ("driver-1-2.nosrc.rpm", ("driver", "1-2")),
        ("(none)", ("", "")),
        ("", ("", "")),
    ],
)
def test_source_files(file: str, source: tuple[str, str]) -> None:
    assert source_of(file) == source
