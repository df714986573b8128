"""Whatever the field's nouns hold, their text means the same value, and no text breaks parsing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.platform import InvalidPlatform, Platform
from pinner.oci.reference import InvalidReference, Reference, Repository
from support.strategies import digests, platforms, references, repositories

if TYPE_CHECKING:
    from pinner.errors import InputError

# Text near the grammars: their letters and separators, and what must not slip through.
near_misses = st.text(
    st.sampled_from("aZ0_.-/:@+%()[] \n\x00\x1b\u0663\uff21\u017füsha256linuxamd64"), max_size=60
) | st.text(max_size=40)


@given(digests())
def test_a_digest_is_what_it_prints(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest


@given(references())
def test_a_reference_is_what_it_prints(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference


@given(references())
def test_the_familiar_form_means_the_same_reference(reference: Reference) -> None:
    assert Reference.parse(reference.familiar()) == reference
    assert len(reference.familiar()) <= len(str(reference))


@given(repositories())
def test_a_repository_is_what_it_prints(repository: Repository) -> None:
    assert Repository.parse(str(repository)) == repository
    assert Repository.parse(repository.familiar()) == repository
    assert Repository(repository.registry, repository.path) == repository


@given(platforms())
def test_a_platform_is_what_it_prints(platform: Platform) -> None:
    assert Platform.parse(str(platform)) == platform
    assert Platform.parse_canonical(str(platform)) == platform


@given(platforms())
def test_a_platform_matches_itself(platform: Platform) -> None:
    assert platform.matches(platform)


@given(platforms(), platforms())
def test_matching_never_crosses_architectures(wanted: Platform, offered: Platform) -> None:
    if wanted.matches(offered):
        assert (wanted.os, wanted.architecture, wanted.variant) == (
            offered.os,
            offered.architecture,
            offered.variant,
        )


def refused_well(error: InputError) -> None:
    assert error.exit_code == 2
    assert all(character.isprintable() or character == "\n" for character in str(error))
    str(error).encode("utf-8")


@given(near_misses)
@example("a@" + "\ud800")
def test_any_text_is_a_reference_or_refused_well(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReference as error:
        refused_well(error)
    else:
        assert text.isascii()
        assert Reference.parse(str(reference)) == reference
        assert not re.search(r"(^|/)\.{0,2}(/|$)", reference.path)


@given(near_misses)
def test_any_text_is_a_digest_or_refused_well(text: str) -> None:
    try:
        digest = Digest.parse(f"sha256:{text}")
    except InvalidDigest as error:
        refused_well(error)
    else:
        assert str(digest) == f"sha256:{text}"


@given(near_misses)
def test_any_text_is_a_platform_or_refused_well(text: str) -> None:
    try:
        platform = Platform.parse(text, host=Platform("linux", "amd64"))
    except InvalidPlatform as error:
        refused_well(error)
    else:
        assert Platform.parse(str(platform)) == platform


@given(
    st.text(st.sampled_from("abz09._-"), max_size=12),
    st.text(st.characters(exclude_characters="/@"), min_size=1, max_size=12),
)
def test_R13_a_password_is_never_repeated(user: str, secret: str) -> None:
    with pytest.raises(InvalidReference) as refused:
        Reference.parse(f"{user}:«{secret}»@host.example/x")
    assert "«" not in str(refused.value)
