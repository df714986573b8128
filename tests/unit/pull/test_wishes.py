"""What a command line of `pinner pull` means."""

from __future__ import annotations

import pytest

from pinner.errors import InputError
from pinner.oci.platform import InvalidPlatform, Platform
from pinner.oci.reference import InvalidReference
from pinner.pull import parse_platforms, parse_wishes

AMD64 = Platform.parse("linux/amd64")
ARM64 = Platform.parse("linux/arm64")
DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("name", "full", "defaulted"),
    [
        ("debian", "docker.io/library/debian", True),
        ("debian:bookworm", "docker.io/library/debian:bookworm", False),
        ("index.docker.io/team/app", "docker.io/team/app", True),
        ("127.0.0.1:5000/app", "127.0.0.1:5000/app", True),
        (f"debian@{DIGEST}", f"docker.io/library/debian@{DIGEST}", False),
        (f"debian:1@{DIGEST}", f"docker.io/library/debian:1@{DIGEST}", False),
    ],
)
def test_a_name(name: str, full: str, *, defaulted: bool) -> None:
    (wish,) = parse_wishes([name], all_tags=False)
    assert (str(wish.given), wish.defaulted) == (full, defaulted)


def test_no_tag_is_implied_where_all_are_meant() -> None:
    (wish,) = parse_wishes(["debian"], all_tags=True)
    assert not wish.defaulted


def test_a_name_that_is_given_twice_is_meant_once() -> None:
    wishes = parse_wishes(["debian", "docker.io/library/debian:latest", "alpine"], all_tags=False)
    assert [wish.given.familiar() for wish in wishes] == ["debian", "alpine"]


@pytest.mark.parametrize("name", ["debian:1", f"debian@{DIGEST}", f"debian:1@{DIGEST}"])
def test_all_tags_and_a_tag_exclude_each_other(name: str) -> None:
    with pytest.raises(InputError, match=r"^tag can't be used with") as error:
        parse_wishes(["alpine", name], all_tags=True)
    assert error.value.what == "tag can't be used with --all-tags/-a"
    assert error.value.mend == ("write debian alone for all of its tags",)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a b", "invalid reference format"),
        ("", "repository name must have at least one component"),
        ("UPPER", r"invalid reference format: repository name \(library/UPPER\) must be lowercase"),
        ("debian:-x", "invalid reference format"),
        ("debian@sha256:12", "invalid reference format"),
        ("https://registry.example/app", "invalid reference format"),
        ("ab" * 32, r"invalid repository name \(ab.+\), cannot specify 64-byte hexadecimal"),
    ],
)
def test_no_name(name: str, says: str) -> None:
    with pytest.raises(InvalidReference, match=f"^{says}"):
        parse_wishes(["debian", name], all_tags=False)


@pytest.mark.parametrize(
    ("given", "default", "found"),
    [
        pytest.param([], None, (AMD64,), id="the host's"),
        pytest.param([], "", (AMD64,), id="an empty variable"),
        pytest.param([], "linux/arm64", (ARM64,), id="the variable"),
        pytest.param(["linux/amd64"], "linux/arm64", (AMD64,), id="the option beats it"),
        pytest.param(["arm64"], None, (ARM64,), id="half of one"),
        pytest.param(["linux"], None, (AMD64,), id="the other half"),
        pytest.param(["arm64", "amd64", "linux/arm64/v8"], None, (ARM64, AMD64), id="several"),
    ],
)
def test_platforms(given: list[str], default: str | None, found: tuple[Platform, ...]) -> None:
    assert parse_platforms(given, default, AMD64) == found


def test_no_platform_is_told_as_docker_tells_it() -> None:
    with pytest.raises(InvalidPlatform) as caught:
        parse_platforms(["foobar"], None, AMD64)
    assert caught.value.what == (
        '"foobar": unknown operating system or architecture: invalid argument'
    )
    assert not any("DOCKER_DEFAULT_PLATFORM" in line for line in caught.value.mend)


def test_no_platform_in_the_environment() -> None:
    with pytest.raises(InvalidPlatform) as caught:
        parse_platforms([], "a/b/c/d", AMD64)
    assert caught.value.what == '"a/b/c/d": cannot parse platform specifier: invalid argument'
    assert caught.value.mend[-1] == "it stands in DOCKER_DEFAULT_PLATFORM"
