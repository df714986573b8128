"""Section Y of the fault catalogue, as far as it is about compression: Y01 to Y06."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma

import pytest
import zstandard

from pinner.inventory import decompress
from pinner.inventory.decompress import Decompressed, Limits
from pinner.inventory.unreadable import Unreadable

TEXT = b"".join(b"line %d of some text\n" % number for number in range(50_000))
GZIPPED = gzip.compress(TEXT, mtime=0)


def read(data: bytes, limits: Limits | None = None) -> bytes:
    return b"".join(Decompressed(io.BytesIO(data), limits))


def why(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read(data, limits)
    return str(caught.value)


def flaws(data: bytes) -> list[str]:
    chunks = Decompressed(io.BytesIO(data))
    assert b"".join(chunks) == TEXT
    return chunks.flaws


@pytest.mark.parametrize(
    "data",
    [
        GZIPPED,
        zstandard.compress(TEXT),
        zstandard.ZstdCompressor(write_checksum=True, threads=2).compress(TEXT),
        TEXT,
    ],
    ids=["gzip", "zstd", "zstd-checksum", "plain"],
)
def test_what_it_is_its_bytes_say(data: bytes) -> None:
    assert read(data) == TEXT


def test_an_empty_layer_has_no_bytes() -> None:
    assert read(b"") == b""


def test_pieces_are_small_and_not_empty() -> None:
    for data in (gzip.compress(bytes(10**7)), zstandard.compress(bytes(10**7)), bytes(10**7)):
        sizes = [len(piece) for piece in Decompressed(io.BytesIO(data))]
        assert sum(sizes) == 10**7
        assert min(sizes) > 0
        assert max(sizes) <= decompress.PIECE


def zeros(size: int) -> bytes:
    return gzip.compress(bytes(size), 9, mtime=0)


def test_Y01_a_bomb_stops_at_the_total() -> None:
    assert why(zeros(10**6), Limits(total=10**6 - 1)) == (
        "it has more than 999999 bytes when decompressed"
    )
    assert len(read(zeros(10**6), Limits(total=10**6))) == 10**6


def test_Y01_a_bomb_stops_at_the_ratio() -> None:
    data = zstandard.compress(bytes(10**7))  # some 30,000 times
    assert why(data, Limits(ratio_free=10**6)) == "it expands more than 1200 times"


def test_Y01_gzip_cannot_reach_the_ratio_and_little_is_free_of_it() -> None:
    """RFC 1951: a match is at most 258 bytes, and takes two bits at least: 1032 times."""
    assert len(read(zeros(10**7), Limits(ratio_free=10**6))) == 10**7
    assert len(read(zstandard.compress(bytes(10**7)))) == 10**7


def test_Y02_gzip_within_gzip_is_read_once() -> None:
    assert read(gzip.compress(GZIPPED)) == GZIPPED


def test_Y03_a_zstd_window_of_2_GiB_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = writer.compress(TEXT) + writer.flush()
    assert zstandard.get_frame_parameters(data).window_size == 2**31
    assert why(data) == "its zstd data needs too much memory"


def test_Y03_the_window_of_zstds_highest_level_is_taken() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert read(writer.compress(TEXT) + writer.flush()) == TEXT


@pytest.mark.parametrize("cut", [3, 9, 18, len(GZIPPED) // 2, len(GZIPPED) - 8, len(GZIPPED) - 1])
def test_Y04_gzip_that_ends_early(cut: int) -> None:
    assert why(GZIPPED[:cut]) == "its gzip data ends early"


def test_Y04_zstd_that_ends_early() -> None:
    data = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)
    for cut in (12, len(data) // 2, len(data) - 4, len(data) - 1):
        assert "ends early" in why(data[:cut])


@pytest.mark.parametrize("at", [len(GZIPPED) - 8, len(GZIPPED) - 4])
def test_Y04_gzips_own_sums_are_checked(at: int) -> None:
    """RFC 1952: CRC-32, then the size."""
    damaged = GZIPPED[:at] + bytes([GZIPPED[at] ^ 1]) + GZIPPED[at + 1 :]
    assert why(damaged) == "its gzip data is corrupt"


def test_Y04_zstds_own_sum_is_checked() -> None:
    data = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(TEXT))
    data[-1] ^= 1
    assert why(bytes(data)) == "its zstd data is corrupt or ends early"


def test_Y05_zeros_behind_gzip_are_padding() -> None:
    assert flaws(GZIPPED + bytes(100_000)) == []


@pytest.mark.parametrize("garbage", [b"garbage", bytes(70_000) + b"x", b"\x1f", b"\x1fx" * 10])
def test_Y05_garbage_behind_gzip_is_a_flaw(garbage: bytes) -> None:
    assert flaws(GZIPPED + garbage) == ["bytes that are no gzip follow its gzip data"]


def test_Y05_all_gzip_members_are_read() -> None:
    parts = [TEXT[at : at + 9999] for at in range(0, len(TEXT), 9999)]
    assert read(b"".join(gzip.compress(part) for part in parts)) == TEXT
    assert read(gzip.compress(b"") + GZIPPED + gzip.compress(b"")) == TEXT


def test_Y05_gzip_members_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompress, "GZIP_MEMBERS", 3)
    assert read(gzip.compress(b"a") * 3) == b"aaa"
    assert why(gzip.compress(b"a") * 4) == "it has more than 3 gzip members"


def test_Y05_all_zstd_frames_are_read_and_skippable_ones_skipped() -> None:
    """RFC 8878 3.1.2; zstd:chunked layers end with such a frame."""
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00meta"
    half = len(TEXT) // 2
    first, second = zstandard.compress(TEXT[:half]), zstandard.compress(TEXT[half:])
    assert read(first + zstandard.compress(b"") + second) == TEXT
    assert read(first + skippable + second + skippable) == TEXT
    assert read(skippable + first + second) == TEXT


def test_Y05_garbage_behind_zstd() -> None:
    assert why(zstandard.compress(TEXT) + b"garbage") == "its zstd data is corrupt or ends early"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (lzma.compress(b"x"), "xz"),
        (bz2.compress(b"x"), "bzip2"),
        (b"\x04\x22\x4d\x18\x64\x40\xa7", "lz4"),
        (lzma.compress(b"x", format=lzma.FORMAT_ALONE), "lzma"),
    ],
    ids=["xz", "bzip2", "lz4", "lzma"],
)
def test_Y06_what_is_not_supported_is_named(data: bytes, name: str) -> None:
    assert why(data) == f"it is compressed with {name}, which is not supported"


def test_a_file_that_fails() -> None:
    class Failing:
        def read(self, size: int, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(Unreadable, match="it cannot be read: Input/output error"):
        list(Decompressed(Failing()))


def test_a_file_that_gives_single_bytes() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1))

    small = gzip.compress(b"abc") + gzip.compress(b"def")
    assert b"".join(Decompressed(Slow(small + bytes(9)))) == b"abcdef"
    assert b"".join(Decompressed(Slow(zstandard.compress(b"abc")))) == b"abc"
