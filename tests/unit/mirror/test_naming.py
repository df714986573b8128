"""Which repository of a target an image goes to, and that `sync` finds it there."""

from __future__ import annotations

import pytest
from hypothesis import given

from pinner.errors import InputError
from pinner.mirror.naming import Naming, Target, as_component
from pinner.oci.grammar import is_path
from pinner.oci.reference import InvalidReference, Repository
from pinner.oci.registryconfig import RegistryConfig
from pinner.registry.endpoints import endpoints_for
from support.strategies import repositories

ROWS = [
    ("r.example", "debian", "docker.io/library/debian", "r.example/docker.io"),
    ("r.example/m/x", "ghcr.io/a/b", "m/x/ghcr.io/a/b", "r.example/m/x/ghcr.io"),
    ("localhost:5000", "a.example:5000/b", "a.example_5000/b", "localhost:5000/a.example_5000"),
    ("r.example/m", "A.example/b", "m/a.example/b", "r.example/m/a.example"),
    ("r.example", "[::1]:5000/b", "ipv6-0-0-1_5000/b", "r.example/ipv6-0-0-1_5000"),
    ("r.example", "[fe80::a]/b", "ipv6-fe80-0-a/b", "r.example/ipv6-fe80-0-a"),
]


@pytest.mark.parametrize(("target", "image", "path", "mirror"), ROWS)
def test_full(target: str, image: str, path: str, mirror: str) -> None:
    goal, source = Target.parse(target, Naming.FULL), Repository.parse(image)
    assert goal.repository(source) == Repository(goal.registry, path)
    assert goal.mirror_of(source.registry) == mirror


@pytest.mark.parametrize(
    ("target", "image", "path"),
    [
        ("r.example", "debian", "library/debian"),
        ("r.example/m", "ghcr.io/a/b", "m/a/b"),
    ],
)
def test_path(target: str, image: str, path: str) -> None:
    goal, source = Target.parse(target, Naming.PATH), Repository.parse(image)
    assert goal.repository(source) == Repository("r.example", path)
    assert goal.mirror_of(source.registry) == target


@pytest.mark.parametrize("naming", Naming)
@pytest.mark.parametrize("prefix", ["", "/m", "/m/x"])
@given(source=repositories())
def test_sync_asks_the_mirror_for_the_very_repository(
    naming: Naming, prefix: str, source: Repository
) -> None:
    goal = Target.parse(f"mirror.example{prefix}", naming)
    config = RegistryConfig(host=source.registry, mirrors=(goal.mirror_of(source.registry),))
    first, _ = endpoints_for(source, [config], by_digest=True, has_certificates=lambda _: False)
    wanted = goal.repository(source)
    asked = first.url(source, "manifests/x")
    assert (first.registry, asked.target) == (
        "mirror.example",
        f"/v2/{wanted.path}/manifests/x",
    )


@given(one=repositories(), other=repositories())
def test_full_names_never_meet(one: Repository, other: Repository) -> None:
    goal = Target.parse("mirror.example/m", Naming.FULL)
    if one.registry.lower() != other.registry.lower() or one.path != other.path:
        assert goal.repository(one) != goal.repository(other)


@given(repository=repositories())
def test_a_registry_makes_one_component(repository: Repository) -> None:
    component = as_component(repository.registry)
    assert is_path(component)
    assert "/" not in component


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://r.example", "no scheme"),
        ("u:secret@r.example", "no user or password"),
        ("team", '"team" is not a registry'),
        ("r.example/", "is not a registry, or a registry and a path"),
        ("r.example/UP", "is not a registry, or a registry and a path"),
        ("r.example/a:tag", "is not a registry, or a registry and a path"),
        ("\x1b[1m", '"\\x1b[1m"'),
    ],
)
def test_what_is_no_target(text: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        Target.parse(text, Naming.FULL)
    assert what in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_name_that_would_be_too_long_is_refused() -> None:
    with pytest.raises(InvalidReference):
        Target.parse("r.example/m", Naming.FULL).repository(Repository("a.example", "x" * 250))
