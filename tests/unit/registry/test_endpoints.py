from __future__ import annotations

from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.oci.reference import Repository
from pinner.oci.registryconfig import RegistryConfig
from pinner.registry.endpoints import Endpoint, config_of, endpoints_for

CA = Path("ca.pem")


def endpoints(
    name: str,
    *configs: RegistryConfig,
    by_digest: bool = True,
    certificates: tuple[str, ...] = (),
) -> tuple[Endpoint, ...]:
    return endpoints_for(
        Repository.parse(name),
        configs,
        by_digest=by_digest,
        has_certificates=certificates.__contains__,
    )


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("debian", "https://registry-1.docker.io/v2/library/debian/manifests/1"),
        ("index.docker.io/me/app", "https://registry-1.docker.io/v2/me/app/manifests/1"),
        ("quay.io/org/app", "https://quay.io/v2/org/app/manifests/1"),
        ("Registry.Example:8443/app", "https://registry.example:8443/v2/app/manifests/1"),
        ("registry.example:443/app", "https://registry.example/v2/app/manifests/1"),
        ("[2001:db8::1]:5000/app", "https://[2001:db8::1]:5000/v2/app/manifests/1"),
        ("10.0.0.1:5000/app", "https://10.0.0.1:5000/v2/app/manifests/1"),
        ("localhost/app", "http://localhost/v2/app/manifests/1"),
        ("localhost:5000/app", "http://localhost:5000/v2/app/manifests/1"),
        ("registry.localhost:5000/app", "http://registry.localhost:5000/v2/app/manifests/1"),
        ("127.0.0.1:5000/app", "http://127.0.0.1:5000/v2/app/manifests/1"),
        ("127.9.9.9:5000/app", "http://127.9.9.9:5000/v2/app/manifests/1"),
        ("[::1]:5000/app", "http://[::1]:5000/v2/app/manifests/1"),
        ("localhost:443/app", "https://localhost/v2/app/manifests/1"),
        ("localhost.example/app", "https://localhost.example/v2/app/manifests/1"),
        ("notlocalhost:5000/app", "https://notlocalhost:5000/v2/app/manifests/1"),
    ],
)
def test_where_a_repository_is(name: str, url: str) -> None:
    (endpoint,) = endpoints(name)
    target = endpoint.url(Repository.parse(name), "manifests/1")
    assert f"{target.origin}{target.target}" == url
    assert endpoint.upstream


def test_the_root() -> None:
    (endpoint,) = endpoints("quay.io/org/app")
    assert str(endpoint.root()) == "https://quay.io/v2/"


@pytest.mark.parametrize(
    ("name", "config", "certificates", "expected"),
    [
        pytest.param("registry.example/a", {}, (), ("https", True), id="https"),
        pytest.param(
            "registry.example/a", {"plain_http": True}, (), ("http", False), id="S20-repositorys"
        ),
        pytest.param(
            "registry.example/a",
            {"plain_http": True, "user_wide": True},
            (),
            ("http", True),
            id="S20-users-own",
        ),
        pytest.param("127.0.0.1:5000/a", {}, (), ("http", True), id="loopback"),
        pytest.param("127.0.0.1:5000/a", {"ca_file": CA}, (), ("https", True), id="ca-file"),
        pytest.param("127.0.0.1:5000/a", {}, ("127.0.0.1:5000",), ("https", True), id="certs.d"),
        pytest.param(
            "127.0.0.1:5000/a", {}, ("127.0.0.1",), ("http", True), id="certs.d-of-another-port"
        ),
        pytest.param(
            "127.0.0.1:5000/a",
            {"plain_http": True, "ca_file": CA},
            (),
            ("http", True),
            id="plain-http-is-explicit",
        ),
    ],
)
def test_scheme_and_credentials(
    name: str, config: dict[str, object], certificates: tuple[str, ...], expected: tuple[str, bool]
) -> None:
    host = name.partition("/")[0]
    configured = RegistryConfig(host=host, **config)  # type: ignore[arg-type]  # rows of a table
    (endpoint,) = endpoints(name, configured, certificates=certificates)
    assert (endpoint.origin.scheme, endpoint.sends_credentials) == expected


MIRRORED = RegistryConfig(
    host="docker.io", mirrors=("cache.example/team", "127.0.0.1:5001", "cache.example:8443")
)


def test_mirrors_come_first_and_get_their_prefix() -> None:
    repository = Repository.parse("debian")
    found = [
        (endpoint.registry, str(endpoint.url(repository, "blobs/x")), endpoint.upstream)
        for endpoint in endpoints("debian", MIRRORED)
    ]
    assert found == [
        ("cache.example", "https://cache.example/v2/team/library/debian/blobs/x", False),
        ("127.0.0.1:5001", "http://127.0.0.1:5001/v2/library/debian/blobs/x", False),
        ("cache.example:8443", "https://cache.example:8443/v2/library/debian/blobs/x", False),
        ("docker.io", "https://registry-1.docker.io/v2/library/debian/blobs/x", True),
    ]


def test_mirrors_are_not_asked_for_tags() -> None:
    assert [one.registry for one in endpoints("debian", MIRRORED, by_digest=False)] == ["docker.io"]


def test_a_scope_is_of_the_path_at_the_endpoint() -> None:
    scopes = [str(one.scope(Repository.parse("debian"))) for one in endpoints("debian", MIRRORED)]
    assert scopes == [
        "repository:team/library/debian:pull",
        *["repository:library/debian:pull"] * 3,
    ]


def test_a_mirror_has_its_own_configuration() -> None:
    mirror = RegistryConfig(host="cache.example", plain_http=True, mirrors=("third.example",))
    first, *_ = endpoints("debian", MIRRORED, mirror)
    assert (first.origin.scheme, first.sends_credentials) == ("http", False)
    assert [one.registry for one in endpoints("debian", MIRRORED, mirror)].count(
        "third.example"
    ) == 0


@pytest.mark.parametrize(
    "mirror",
    [
        "https://cache.example",
        "cache.example/",
        "cache.example/UP",
        "",
        "/team",
        "u:p@cache.example",
    ],
)
def test_a_bad_mirror(mirror: str) -> None:
    config = RegistryConfig(host="docker.io", mirrors=(mirror,))
    with pytest.raises(InputError, match="is not a host, or a host and a path"):
        endpoints("debian", config)
    assert endpoints("debian", config, by_digest=False)


def test_what_the_user_says_of_a_host_replaces_what_a_repository_says() -> None:
    repositorys = RegistryConfig(
        host="registry.example", plain_http=True, mirrors=("evil.example",)
    )
    users = RegistryConfig(host="Registry.Example", user_wide=True)
    assert config_of("registry.example", (repositorys, users)) == users
    assert config_of("registry.example", (repositorys,)) == repositorys
    assert config_of("other.example", (repositorys, users)) == RegistryConfig(host="other.example")
