"""Hypothesis strategies for the field's nouns: only values that can exist."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from pinner.oci.digest import Digest
from pinner.oci.grammar import PATH_LIMIT
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference, Repository

_WORD: Final = "[A-Za-z0-9_-]{1,8}"
_OPTION: Final = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
_HOST: Final = (
    r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?(\.[a-z0-9]{1,5}){1,2}"
    r"|localhost|[A-Z][a-z]|\[::[1-9]\]"
)
_PATH: Final = r"[a-z0-9]{1,4}((\.|_|__|-{1,3}|/)[a-z0-9]{1,4}){0,5}"


def digests() -> st.SearchStrategy[Digest]:
    """Digests of both algorithms."""
    return st.one_of(
        st.binary(min_size=32, max_size=32).map(lambda data: Digest("sha256", data.hex())),
        st.binary(min_size=64, max_size=64).map(lambda data: Digest("sha512", data.hex())),
    )


def registries() -> st.SearchStrategy[str]:
    """Hosts with and without ports, docker.io and its aliases among them."""
    hosts = st.from_regex(_HOST, fullmatch=True)
    ports = st.one_of(st.just(""), st.integers(1, 65535).map(":{}".format))
    hub = st.sampled_from(["docker.io", "index.docker.io", "registry-1.docker.io"])
    return st.one_of(hub, st.builds(str.__add__, hosts, ports))


def repositories() -> st.SearchStrategy[Repository]:
    """Repositories of any registry."""
    paths = st.one_of(
        st.from_regex(_PATH, fullmatch=True),
        st.sampled_from(["library/debian", "localhost/x", "a.b/c", "1a" * 32, "docker.io/x"]),
    ).filter(lambda path: len(path) < PATH_LIMIT - len("library/"))
    return st.builds(Repository, registries(), paths)


def references() -> st.SearchStrategy[Reference]:
    """References with tag, digest, both or neither."""
    tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
    return st.builds(Reference, repositories(), st.none() | tags, st.none() | digests())


def platforms() -> st.SearchStrategy[Platform]:
    """Platforms, the usual ones often, with any version and features that can be spelt."""
    usual = st.sampled_from(["amd64", "arm", "arm64", "386", "x86_64", "aarch64", "armhf", "armel"])
    variants = st.sampled_from(
        ["", "v1", "v2", "5", "v6", "7", "v7", "8", "v8", "v8.0", "9", "9.0"]
    )
    words = st.from_regex(_WORD, fullmatch=True)
    return st.builds(
        Platform,
        st.sampled_from(["linux", "windows", "macOS", "unknown"]) | words,
        usual | st.from_regex(r"[A-Za-z0-9_.-]{1,8}", fullmatch=True),
        variants | words,
        st.just("") | _OPTION,
        st.lists(_OPTION.filter(bool), max_size=3).map(tuple),
    )
