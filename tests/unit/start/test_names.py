"""Names for entries: a table, and what holds for any references."""

from __future__ import annotations

from random import Random  # noqa: TC003 - hypothesis reads the annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.reference import Reference
from pinner.start.names import propose_names
from pinner.tomlfiles.names import is_name
from support.strategies import references

HEX = "1a2b3c4d" * 8
OTHER = "5e6f7a8b" * 8


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param({"python:3.12-slim": "python"}, id="alone"),
        pytest.param({"ghcr.io/acme/tools/app:1": "app"}, id="the last part of the path"),
        pytest.param(
            {"python:3.12": "python", "python:3.12-slim": "python-slim"}, id="another variant"
        ),
        pytest.param(
            {"node:20-alpine": "node-20-alpine", "node:22-alpine": "node-22-alpine"},
            id="one variant, two versions",
        ),
        pytest.param(
            {
                "python:3.12": "python",
                "python:3.12-slim": "python-3.12-slim",
                "python:3.11-slim": "python-3.11-slim",
            },
            id="only those alike get longer",
        ),
        pytest.param(
            {"nginx:latest": "nginx", "nginx:alpine": "nginx-alpine"}, id="latest says nothing"
        ),
        pytest.param(
            {"nginx:latest": "nginx-latest", "nginx:1.27": "nginx-1.27"},
            id="latest beside a version",
        ),
        pytest.param({"redis:7": "redis", "bitnami/redis:7": "bitnami-redis"}, id="official first"),
        pytest.param(
            {"acme/app:1": "acme-app", "other/app:1": "other-app"}, id="one more part of the path"
        ),
        pytest.param(
            {"ghcr.io/a/x:1": "ghcr.io-a-x", "quay.io/a/x:1": "quay.io-a-x"}, id="the registry"
        ),
        pytest.param(
            {"localhost:5000/a:1": "localhost-5000-a", "[::1]:5000/a:1": "1-5000-a"}, id="a port"
        ),
        pytest.param({"a/x:V1_A": "x-v1_a", "a/x:v2": "x"}, id="upper case"),
        pytest.param({"a/x:B": "x-b", "a/x:b": "x-b-2"}, id="alike in lower case"),
        pytest.param(
            {f"a/x@sha256:{HEX}": "x-1a2b3c4d", f"a/x@sha256:{OTHER}": "x-5e6f7a8b"}, id="digests"
        ),
        pytest.param({f"a/x@sha256:{HEX}": "x"}, id="a digest alone"),
    ],
)
def test_names(expected: dict[str, str]) -> None:
    names = propose_names([Reference.parse(text) for text in expected])
    assert {reference.familiar(): name for reference, name in names.items()} == expected


def test_a_name_that_is_taken_is_not_given_again() -> None:
    names = propose_names([Reference.parse("redis:7")], taken={"redis", "redis-2"})
    assert list(names.values()) == ["redis-3"]


wished = st.lists(references().filter(lambda one: one.tag or one.digest), unique=True, max_size=6)


@given(wished, st.randoms())
def test_names_are_valid_unique_and_the_same_in_any_order(
    found: list[Reference], random: Random
) -> None:
    names = propose_names(found)
    assert names.keys() == set(found)
    assert all(map(is_name, names.values()))
    assert len(set(names.values())) == len(found)
    shuffled = list(found)
    random.shuffle(shuffled)
    assert propose_names(shuffled) == names


few = st.builds(
    Reference.parse,
    st.builds(
        "{}{}:{}".format,
        st.sampled_from(["", "a/", "b/", "ghcr.io/a/", "ghcr.io/b/", "localhost:1/"]),
        st.sampled_from(["x", "x-1", "a-x", "x-slim"]),
        st.sampled_from(["latest", "1", "2", "1-slim", "2-slim", "slim", "SLIM"]),
    ),
)


@given(st.lists(few, unique=True, max_size=10), st.randoms())
def test_names_that_come_close_are_told_apart(found: list[Reference], random: Random) -> None:
    names = propose_names(found, taken={"x"})
    assert len({*names.values(), "x"}) == len(found) + 1
    shuffled = list(found)
    random.shuffle(shuffled)
    assert propose_names(shuffled, taken={"x"}) == names
