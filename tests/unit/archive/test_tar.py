"""Headers that every reader understands, and that say nothing of this machine."""

from __future__ import annotations

import io
import tarfile

import pytest

from pinner.archive.tar import BLOCK, END, header, padded, padding

SHA512 = f"blobs/sha512/{'a' * 128}"


@pytest.mark.parametrize("name", ["index.json", f"blobs/sha256/{'a' * 64}", SHA512])
@pytest.mark.parametrize("size", [0, 1, 8 * 2**30 - 1, 8 * 2**30, 2**40])
def test_a_header_says_name_and_size(name: str, size: int) -> None:
    with tarfile.open(fileobj=io.BytesIO(header(name, size) + END)) as tar:
        read = tar.next()
    assert read is not None
    assert (read.name, read.size, read.isfile()) == (name, size, True)
    assert (read.mode, read.mtime, read.uid, read.gid, read.uname, read.gname) == (
        *(0o444, 0, 0, 0, "", ""),
    )


def test_the_usual_header_is_one_block_of_ustar() -> None:
    data = header(f"blobs/sha256/{'a' * 64}", 123_456_789)
    assert len(data) == BLOCK
    assert data[257:265] == b"ustar\x0000"


@pytest.mark.parametrize(("size", "blocks"), [(0, 0), (1, 1), (512, 1), (513, 2)])
def test_a_file_fills_whole_blocks(size: int, blocks: int) -> None:
    assert padded(size) == size + len(padding(size)) == blocks * BLOCK
