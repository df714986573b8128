"""Digests are exact, or refused in docker's words."""

from __future__ import annotations

import pytest

from pinner.oci.digest import Digest, InvalidDigest

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
EMPTY_512 = (
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)


def test_of_bytes() -> None:
    assert str(Digest.of(b"")) == EMPTY
    assert Digest.of(memoryview(b"xabc")[1:]) == Digest.of(bytearray(b"abc"))


@pytest.mark.parametrize("text", [EMPTY, EMPTY_512], ids=["R20-sha256", "R25-sha512"])
def test_matches_its_bytes_alone(text: str) -> None:
    digest = Digest.parse(text)
    assert str(digest) == text
    assert digest.matches(b"")
    assert not digest.matches(b"\0")


def test_hashes_as_bytes_come() -> None:
    digest = Digest.of(b"one two")
    hasher = digest.hasher()
    for piece in (b"one", b" ", memoryview(b"two")):
        hasher.update(piece)
    assert hasher.hexdigest() == digest.hex


def test_short_is_twelve_digits() -> None:
    assert Digest.parse(EMPTY).short == "e3b0c44298fc"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "invalid digest", id="empty"),
        pytest.param("f" * 64, "invalid digest", id="no-algorithm"),
        pytest.param("sha256:", "invalid digest", id="no-digits"),
        pytest.param("sha256:" + "f" * 63, "invalid checksum digest length", id="R20-63"),
        pytest.param("sha256:" + "f" * 65, "invalid checksum digest length", id="R20-65"),
        pytest.param("sha256:" + "F" * 64, "invalid checksum digest format", id="R21"),
        pytest.param("sha256:../../etc", "invalid digest", id="R22"),
        pytest.param("sha256:" + "../" * 21 + "x", "invalid digest", id="R22-of-64"),
        pytest.param("sha256:%2e%2e%2f", "invalid digest", id="R23"),
        pytest.param("md5:" + "f" * 32, 'unsupported digest algorithm "md5"', id="R24"),
        pytest.param("SHA256:" + "f" * 64, "unsupported digest algorithm", id="R21-algorithm"),
        pytest.param("sha512:" + "f" * 64, "invalid checksum digest length", id="R25"),
        pytest.param(EMPTY + "\n", "invalid digest", id="R26"),
        pytest.param(" " + EMPTY, "invalid digest", id="R02"),
        pytest.param("sha256:" + "f" * 63 + "٣", "invalid digest", id="R27"),
        pytest.param(EMPTY + "?x=1", "invalid digest", id="R28-query"),
        pytest.param(EMPTY + "#x", "invalid digest", id="R28-fragment"),
        pytest.param("sha256:\x1b[31m", r"invalid digest \"sha256:\\x1b\[31m\"", id="R16"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    with pytest.raises(InvalidDigest, match=says):
        Digest.parse(text)
