from __future__ import annotations

import pytest
from hypothesis import given

from pinner.oci.reference import Repository
from pinner.serve.names import Name, read_name, spell_name, spell_registry
from support.strategies import repositories


@pytest.mark.parametrize(
    ("path", "namespace", "meant"),
    [
        pytest.param("debian", "", "docker.io/library/debian", id="lone"),
        pytest.param("library/debian", "", "docker.io/library/debian", id="dockerd-mirror"),
        pytest.param("grafana/loki", "", "docker.io/grafana/loki", id="dockerd-mirror-of-a-user"),
        pytest.param("docker.io/library/debian", "", "docker.io/library/debian", id="full"),
        pytest.param("index.docker.io/debian", "", "docker.io/library/debian", id="alias"),
        pytest.param("ghcr.io/acme/app", "", "ghcr.io/acme/app", id="other-registry"),
        pytest.param("localhost/app", "", "localhost/app", id="localhost"),
        pytest.param("my.app", "", "docker.io/library/my.app", id="dot-without-slash"),
        pytest.param("registry.lan_5000/team/app", "", "registry.lan:5000/team/app", id="port"),
        pytest.param("127.0.0.1_5000/app", "", "127.0.0.1:5000/app", id="address-and-port"),
        pytest.param("localhost_5000/app", "", "localhost:5000/app", id="localhost-and-port"),
        pytest.param("user_5000/app", "", "docker.io/user_5000/app", id="a-users-name"),
        pytest.param("acme/app", "ghcr.io", "ghcr.io/acme/app", id="containerd"),
        pytest.param(
            "library/debian", "docker.io", "docker.io/library/debian", id="containerd-hub"
        ),
        pytest.param("app", "registry:5000", "registry:5000/app", id="containerd-port"),
        pytest.param("app", "[::1]:5000", "[::1]:5000/app", id="containerd-ipv6"),
        pytest.param("quay.io/app", "ghcr.io", "ghcr.io/quay.io/app", id="a-namespace-decides"),
    ],
)
def test_what_a_name_means(path: str, namespace: str, meant: str) -> None:
    assert read_name(Name(path, namespace)) == Repository.parse(meant)


@pytest.mark.parametrize("path", ["a.b__c/app", "registry.lan_99999/app", "a..b/app"])
def test_what_no_reference_can_name_means_nothing(path: str) -> None:
    assert read_name(Name(path)) is None


@pytest.mark.parametrize(
    ("repository", "spelled"),
    [
        ("debian", "docker.io/library/debian"),
        ("ghcr.io/acme/app", "ghcr.io/acme/app"),
        ("registry.lan:5000/app", "registry.lan_5000/app"),
        ("localhost:5000/app", "localhost_5000/app"),
        ("registry:5000/app", ""),
        ("[::1]:5000/app", ""),
        ("UPPER.example/app", ""),
    ],
)
def test_the_full_name_of_a_repository(repository: str, spelled: str) -> None:
    assert spell_name(Repository.parse(repository)) == spelled


@pytest.mark.parametrize(
    ("registry", "spelled"),
    [("docker.io", "docker.io"), ("r.lan:81", "r.lan_81"), ("registry:5000", "")],
)
def test_how_the_names_of_a_registry_begin(registry: str, spelled: str) -> None:
    assert spell_registry(registry) == spelled


@given(repositories())
def test_a_full_name_means_its_repository_and_no_other(repository: Repository) -> None:
    spelled = spell_name(repository)
    assert not spelled or read_name(Name(spelled)) == repository


@given(repositories())
def test_by_namespace_every_repository_is_reached(repository: Repository) -> None:
    assert read_name(Name(repository.path, repository.registry)) == repository
