from __future__ import annotations

import gzip as reference
import io
import struct
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.demo.archive import Program, Symlink, Tree, gzip, noise, tar

TREE: Tree = {
    "usr/lib/os-release": b"ID=demo\n",
    "etc/os-release": Symlink("../usr/lib/os-release"),
    "usr/bin/tool": Program(b"\x7fELF"),
}


def test_a_tar_holds_files_links_and_their_folders() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar(TREE))) as archive:
        members = {member.name: member for member in archive.getmembers()}
        release = archive.extractfile("usr/lib/os-release")
        assert release is not None
        assert release.read() == b"ID=demo\n"
    assert list(members) == [
        *("etc", "etc/os-release", "usr", "usr/bin", "usr/bin/tool"),
        *("usr/lib", "usr/lib/os-release"),
    ]
    assert members["etc"].isdir()
    assert members["etc/os-release"].linkname == "../usr/lib/os-release"
    assert members["usr/bin/tool"].mode == 0o755
    assert members["usr/lib/os-release"].mode == 0o644


def test_a_tar_knows_neither_time_nor_user_nor_order() -> None:
    backwards = dict(reversed(list(TREE.items())))
    assert tar(TREE) == tar(backwards)
    with tarfile.open(fileobj=io.BytesIO(tar(TREE))) as archive:
        assert {(m.mtime, m.uid, m.gid, m.uname) for m in archive} == {(0, 0, 0, "")}


def test_names_of_any_length_and_script() -> None:
    tree = {f"{'a' * 120}/é": b"x"}
    with tarfile.open(fileobj=io.BytesIO(tar(tree))) as archive:
        assert archive.getnames() == ["a" * 120, f"{'a' * 120}/é"]


@pytest.mark.parametrize("size", [0, 1, 0xFFFF - 1, 0xFFFF, 0xFFFF + 1, 3 * 0xFFFF])
def test_gzip_at_the_edges_of_a_block(size: int) -> None:
    data = noise("edge", size)
    assert reference.decompress(gzip(data)) == data


@given(st.binary(max_size=1000))
def test_any_bytes_survive_gzip(data: bytes) -> None:
    assert reference.decompress(gzip(data)) == data


def test_gzip_depends_on_no_compressor() -> None:
    header = b"\x1f\x8b\x08\x00" + b"\x00" * 5 + b"\xff"
    block = b"\x01\x06\x00\xf9\xff" + b"pinner"
    assert gzip(b"pinner") == header + block + struct.pack("<II", zlib.crc32(b"pinner"), 6)


def test_noise_is_the_same_for_the_same_seed() -> None:
    assert noise("a", 100) == noise("a", 100) != noise("b", 100)
    assert len(reference.compress(noise("a", 10_000))) > 10_000
