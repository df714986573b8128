"""References mean what docker means by them, or are refused with its words and the mend."""

from __future__ import annotations

from typing import Any

import pytest

from pinner.oci.digest import Digest
from pinner.oci.parts import split
from pinner.oci.reference import (
    InvalidReference,
    Reference,
    Repository,
    is_tag,
    parse_registry,
)
from support.tables import params

DIGEST = Digest.parse("sha256:" + "f" * 64)


def by_input(row: dict[str, Any]) -> str:
    return str(row["input"])


def parts_of(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row.get(key, "") for key in ("domain", "path", "tag", "digest"))


@pytest.mark.parametrize("row", params("references/parse.toml", by_input))
def test_takes_apart_like_docker(row: dict[str, Any]) -> None:
    def parse(text: str) -> tuple[str, ...]:
        parts = split(text)
        digest = str(Digest.parse(parts.digest)) if parts.digest else ""
        return parts.domain, parts.path, parts.tag, digest

    if "error" in row:
        with pytest.raises(ValueError, match=row["error"]):
            parse(row["input"])
    else:
        assert parse(row["input"]) == parts_of(row)


@pytest.mark.parametrize("row", params("references/normalized.toml", by_input))
def test_understands_like_docker(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(InvalidReference) as refused:
            Reference.parse(row["input"])
        assert refused.value.what.startswith(row["error"])
        return
    reference = Reference.parse(row["input"])
    parts = (reference.registry, reference.path, reference.tag or "", str(reference.digest or ""))
    assert parts == parts_of(row)
    assert reference.repository.familiar() == row["familiar"]


@pytest.mark.parametrize("row", params("references/accepted.toml"))
def test_accepts(row: dict[str, Any]) -> None:
    assert str(Reference.parse(row["input"])) == row["means"]


@pytest.mark.parametrize("row", params("references/hostile.toml"))
def test_refuses(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidReference) as refused:
        Reference.parse(row["input"])
    error = refused.value
    assert row["says"] in error.what
    assert row.get("mend", "") in "\n".join(error.mend)
    assert error.exit_code == 2
    assert "canary" not in str(error).lower()
    assert all(character.isprintable() or character == "\n" for character in str(error))


@pytest.mark.parametrize("text", ["a" * 100_000, "a/" * 50_000, "a" + "-" * 100_000, "@" * 100_000])
def test_a_huge_reference_is_refused_in_a_short_message(text: str) -> None:
    with pytest.raises(InvalidReference) as refused:
        Reference.parse(text)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("docker.io/library/debian:12", "debian:12"),
        ("docker.io/team/app", "team/app"),
        ("docker.io/library/foo/bar", "library/foo/bar"),
        ("ghcr.io/team/app:1", "ghcr.io/team/app:1"),
        (f"debian:12@{DIGEST}", f"debian:12@{DIGEST}"),
        pytest.param("docker.io/localhost/x", "docker.io/localhost/x", id="short is a host"),
        pytest.param("docker.io/a.b/x", "docker.io/a.b/x", id="short has a dot"),
    ],
)
def test_familiar_form(text: str, familiar: str) -> None:
    assert Reference.parse(text).familiar() == familiar


def test_R09_neither_tag_nor_digest_means_latest() -> None:
    reference = Reference.parse("alpine")
    assert reference.tag_or_latest() == Reference.parse("alpine:latest")
    assert reference.with_tag("3").tag_or_latest().tag == "3"
    assert reference.with_digest(DIGEST).tag_or_latest().tag is None


def test_R19_tag_and_digest_are_both_kept() -> None:
    reference = Reference.parse("alpine:3").with_digest(DIGEST)
    assert str(reference) == f"docker.io/library/alpine:3@{DIGEST}"
    assert str(reference.with_tag(None)) == f"docker.io/library/alpine@{DIGEST}"
    assert str(reference.with_digest(None)) == "docker.io/library/alpine:3"


def test_R17_however_it_is_made_a_repository_is_canonical() -> None:
    made = Repository("index.docker.io", "debian")
    assert made == Repository("docker.io", "library/debian") == Repository.parse("debian")
    assert len({made, Repository.parse("registry-1.docker.io/library/debian")}) == 1


@pytest.mark.parametrize("text", ["debian:12", f"debian@{DIGEST}"])
def test_a_repository_has_neither_tag_nor_digest(text: str) -> None:
    with pytest.raises(InvalidReference, match="where a repository is wanted"):
        Repository.parse(text)


@pytest.mark.parametrize(
    ("registry", "path"),
    [
        *(("a.b", "../x"), ("a.b", ""), ("a.b", "a//b"), ("a.b", "x:1"), ("a.b", "x" * 256)),
        *(("a.b/x", "a"), ("", "a"), ("a.b:0", "a"), ("registry", "a")),
    ],
)
def test_R05_values_cannot_be_made_of_what_is_no_name(registry: str, path: str) -> None:
    with pytest.raises(InvalidReference):
        Repository(registry, path)


def test_R08_values_cannot_be_made_of_what_is_no_tag() -> None:
    with pytest.raises(InvalidReference, match=r'"\.x" is not a tag'):
        Reference(Repository.parse("alpine"), ".x")


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry.example:5000", "registry.example:5000"),
        ("localhost", "localhost"),
        ("[::1]:5000", "[::1]:5000"),
        ("[::1]", "[::1]"),
    ],
)
def test_registry(text: str, registry: str) -> None:
    assert parse_registry(text) == registry


@pytest.mark.parametrize(
    "text",
    [
        *("", "host:0", "host:65536", "host:", ":5000", "host/path", "https://host", "u:p@host"),
        *(
            "registry",
            "[00]",
            "h_st",
            "-host",
            "host.",
            "[::1",
            "::1",
            "[fe80::1%eth0]",
            "höst",
            "host\n",
        ),
    ],
)
def test_R12_what_is_not_a_registry(text: str) -> None:
    with pytest.raises(InvalidReference, match="is not a registry"):
        parse_registry(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *(("latest", True), ("3.12-slim", True), ("_x", True), ("A", True), ("t" * 128, True)),
        *(("", False), (".x", False), ("-x", False), ("a:b", False), ("t" * 129, False)),
        *(("x\n", False), ("ä", False), ("٣", False), ("a/b", False)),
    ],
)
def test_R07_tags(text: str, answer: bool) -> None:  # noqa: FBT001 - an expected value
    assert is_tag(text) is answer
