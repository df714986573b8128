"""Which token servers are asked (A01 to A04), and which are given logins (A06)."""

from __future__ import annotations

import pytest

from pinner.errors import ProtocolError
from pinner.registry.realms import is_given_logins, token_server
from support.logins import endpoint

PUBLIC = "https://registry.example"
LOOPBACK = "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        pytest.param(PUBLIC, "https://auth.elsewhere.example/token", id="another-host"),
        pytest.param(PUBLIC, "https://registry.example/token?a=b", id="with-query"),
        pytest.param(PUBLIC, "https://8.8.8.8/token", id="public-address"),
        pytest.param("http://registry.example:5000", "http://auth.example/t", id="plain-registry"),
        pytest.param("http://registry.example:5000", "https://auth.example/t", id="more-secure"),
        pytest.param(LOOPBACK, "http://127.0.0.1:5000/token", id="A03-itself"),
        pytest.param(LOOPBACK, "http://127.0.0.1:6000/token", id="A03-loopback-neighbour"),
        pytest.param(LOOPBACK, "http://localhost:6000/token", id="A03-loopback-name"),
        pytest.param("https://[::1]:5000", "https://[::1]:6000/token", id="A03-loopback-6"),
        pytest.param("https://10.0.0.5:5000", "https://10.0.0.5:5000/t", id="A03-private-itself"),
    ],
)
def test_asked(registry: str, realm: str) -> None:
    url = token_server(realm, endpoint(registry))
    assert f"{url.origin}{url.target}" == realm


@pytest.mark.parametrize(
    ("registry", "realm", "why"),
    [
        pytest.param(PUBLIC, "http://registry.example/token", "plain http", id="A01"),
        *(
            pytest.param(PUBLIC, f"https://{host}/token", "its address is", id=f"A02-{host}")
            for host in (
                *("169.254.169.254", "10.0.0.1", "192.168.1.1", "[::1]", "0.0.0.0"),
                *("127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "a.localhost"),
                *("[::ffff:127.0.0.1]", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]"),
            )
        ),
        pytest.param(LOOPBACK, "http://10.0.0.1/token", "private", id="A02-from-loopback"),
        pytest.param(
            "https://10.0.0.5:5000", "https://10.0.0.5:6000/t", "private", id="A03-other-port"
        ),
        pytest.param(
            "https://10.0.0.5:5000", "https://10.0.0.6:5000/t", "private", id="A03-other-host"
        ),
        pytest.param(PUBLIC, "file:///etc/passwd", "neither http", id="A04-file"),
        pytest.param(PUBLIC, "ftp://registry.example/t", "neither http", id="A04-ftp"),
        pytest.param(PUBLIC, "/token", "neither http", id="A04-relative"),
        pytest.param(PUBLIC, "", "does not say where", id="A04-missing"),
        pytest.param(PUBLIC, "https:///token", "names no host", id="A04-no-host"),
        pytest.param(PUBLIC, "https://a b/", "not a URL", id="A04-space"),
        pytest.param(PUBLIC, "https://a/" + "x" * 9000, "9010 characters", id="A04-long"),
    ],
)
def test_not_asked(registry: str, realm: str, why: str) -> None:
    where = endpoint(registry)
    with pytest.raises(ProtocolError, match=why) as caught:
        token_server(realm, where)
    assert caught.value.where == where.registry


def given(registry: str, realm: str) -> bool:
    where = endpoint(registry)
    return is_given_logins(token_server(realm, where), where)


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        pytest.param("https://registry-1.docker.io", "https://auth.docker.io/token", id="docker"),
        pytest.param("https://ghcr.io", "https://ghcr.io/token", id="ghcr"),
        pytest.param("https://quay.io", "https://quay.io/v2/auth", id="quay"),
        pytest.param("https://gcr.io", "https://gcr.io/v2/token", id="gcr"),
        pytest.param("https://eu.gcr.io", "https://eu.gcr.io/v2/token", id="eu-gcr"),
        pytest.param("https://dhi.io", "https://dhi.io/token", id="dhi"),
        pytest.param("https://nvcr.io", "https://nvcr.io/proxy_auth", id="nvcr"),
        pytest.param("https://nvcr.io", "https://authn.nvidia.com/token", id="nvcr-renewal"),
        pytest.param("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", id="gitlab"),
        pytest.param(
            "https://gitlab.example.com:5050", "https://gitlab.example.com/jwt/auth", id="own-port"
        ),
        pytest.param(
            "https://registry.example.com", "https://gitlab.example.com/jwt/auth", id="siblings"
        ),
        pytest.param("https://me.azurecr.io", "https://me.azurecr.io/oauth2/token", id="azure"),
        pytest.param(
            "https://registry.example.co.uk", "https://auth.example.co.uk/token", id="co.uk"
        ),
        pytest.param(LOOPBACK, "http://127.0.0.1:6000/token", id="loopback"),
        pytest.param("http://registry.example", "http://registry.example/token", id="plain-http"),
    ],
)
def test_A06_given_logins(registry: str, realm: str) -> None:
    assert given(registry, realm)


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        pytest.param("https://ghcr.io", "https://ghcr.io.evil.example/token", id="suffix"),
        pytest.param("https://ghcr.io", "https://evil-ghcr.io/token", id="prefix"),
        pytest.param(
            "https://registry-1.docker.io", "https://auth.docker.io.evil.example/t", id="hub"
        ),
        pytest.param(
            "https://me.azurecr.io", "https://you.azurecr.io/oauth2/token", id="customers"
        ),
        pytest.param("https://one.co.uk", "https://two.co.uk/token", id="co.uk"),
        pytest.param("https://a.gcr.io", "https://gcr.io/token", id="short-name-of-a-country"),
        pytest.param("https://registry.com", "https://com/token", id="top-level"),
        pytest.param("https://8.8.8.8", "https://4.4.8.8/token", id="addresses"),
        pytest.param("https://authn.nvidia.com", "https://nvcr.io/token", id="not-the-other-way"),
        pytest.param(
            "http://registry.example.com", "http://auth.example.com/t", id="plain-sibling"
        ),
    ],
)
def test_A06_not_given_logins(registry: str, realm: str) -> None:
    assert not given(registry, realm)
