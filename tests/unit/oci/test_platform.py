"""Platforms are read, normalised and spelt as containerd does, and matched strictly."""

from __future__ import annotations

from typing import Any

import pytest

from pinner.oci.platform import InvalidPlatform, Platform
from support.tables import params

HOST = Platform("linux", "amd64")


@pytest.mark.parametrize("row", params("platforms/specifiers.toml", lambda row: row["spec"]))
def test_reads_like_containerd(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(InvalidPlatform, match=row["error"]):
            Platform.parse(row["spec"], host=HOST)
        return
    platform = Platform.parse(row["spec"], host=HOST)
    assert platform.os == row["os"]
    assert platform.os_version == row.get("os_version", "")
    assert platform.os_features == tuple(row.get("os_features", ()))
    assert platform.architecture == row["architecture"]
    assert platform.variant == row.get("variant", "")
    assert str(platform) == row["written"]


@pytest.mark.parametrize("row", params("platforms/matching.toml", lambda row: row["wanted"]))
def test_M22_matches_strictly(row: dict[str, Any]) -> None:
    wanted = Platform.parse(row["wanted"])
    offered = [*row["takes"], *row["refuses"]]
    assert [text for text in offered if wanted.matches(Platform.parse(text))] == row["takes"]


@pytest.mark.parametrize(
    "row", params("platforms/hosts.toml", lambda row: f"{row['machine']} {row['system']}")
)
def test_host(row: dict[str, Any]) -> None:
    assert str(Platform.of_host(row["machine"], row["system"])) == row["platform"]


def test_a_host_of_another_system_is_refused() -> None:
    with pytest.raises(InvalidPlatform, match='pinner runs on Linux and macOS, not on "Windows"'):
        Platform.of_host("AMD64", "Windows")


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("linux", 'write "linux/amd64", for example'),
        ("windows(10.0.17763)", 'write "windows/amd64", for example'),
        ("arm64", 'write "linux/arm64"'),
        ("armhf", 'write "linux/arm/v7"'),
    ],
)
def test_half_a_platform_means_the_same_on_no_two_hosts(text: str, mend: str) -> None:
    with pytest.raises(InvalidPlatform) as refused:
        Platform.parse(text)
    assert refused.value.mend == (mend,)


def test_the_host_completes_half_a_platform() -> None:
    host = Platform("linux", "arm", "v6")
    assert str(Platform.parse("linux", host=host)) == "linux/arm/v6"
    assert str(Platform.parse("windows(10.0.1)", host=host)) == "windows(10.0.1)/arm/v6"
    assert str(Platform.parse("amd64", host=Platform("freebsd", "386"))) == "freebsd/amd64"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("linux/x86_64", '"linux/x86_64" is written "linux/amd64"'),
        ("linux/arm64/v8", '"linux/arm64/v8" is written "linux/arm64"'),
        ("linux/arm", '"linux/arm" is written "linux/arm/v7"'),
        ("Linux/amd64", '"Linux/amd64" is written "linux/amd64"'),
        ("windows(10.0.1%2e2)/amd64", "is written"),
    ],
)
def test_files_have_one_spelling(text: str, says: str) -> None:
    with pytest.raises(InvalidPlatform, match=says):
        Platform.parse_canonical(text)


def test_the_one_spelling_is_taken() -> None:
    assert Platform.parse_canonical("linux/arm/v7") == Platform("linux", "arm", "7")


@pytest.mark.parametrize(
    "values",
    [
        *(("", "amd64"), ("linux", ""), ("linux", "a/b"), ("linux", "amd64", "v/1")),
        *(("lin ux", "amd64"), ("linux(1)", "amd64"), ("lin.ux", "amd64"), ("linux\n", "amd64")),
        *(("linux", "amd64\n"), ("linux", "amd64", "v1\n"), ("línux", "amd64"), ("l" * 129, "a")),
        *(("windows", "amd64", "", "10\n"), ("windows", "amd64", "", "1" * 129)),
        *(("windows", "amd64", "", "", ("",)), ("windows", "amd64", "", "", ("\x1b",))),
        ("windows", "amd64", "", "\ud800"),
    ],
)
def test_values_cannot_be_made_of_what_no_specifier_spells(values: Any) -> None:
    with pytest.raises(InvalidPlatform, match="no specifier can spell") as refused:
        Platform(*values)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("text", ["linux(%)/amd64", "linux(%4)/amd64", "linux(%zz)/amd64"])
def test_a_broken_escape_is_refused(text: str) -> None:
    with pytest.raises(InvalidPlatform, match="without two hexadecimal digits"):
        Platform.parse(text)


def test_control_characters_of_a_specifier_are_shown_escaped() -> None:
    with pytest.raises(InvalidPlatform) as refused:
        Platform.parse("linux/\x1b[31m")
    assert r"\x1b[31m" in str(refused.value)


def test_features_are_a_set() -> None:
    assert Platform("linux", "amd64", os_features=("b", "a", "b")).os_features == ("a", "b")
