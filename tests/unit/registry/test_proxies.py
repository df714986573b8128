from __future__ import annotations

import pytest

from pinner.errors import InputError
from pinner.registry.proxies import NoProxy, Proxies, Proxy
from pinner.registry.urls import Url

PROXY = "http://proxy.example:3128"


def proxy_for(url: str, environ: dict[str, str]) -> Proxy | None:
    return Proxies.of(environ).proxy_for(Url.parse(url).origin)


def host_of(url: str, environ: dict[str, str]) -> str | None:
    proxy = proxy_for(url, environ)
    return proxy.host if proxy else None


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        pytest.param("https://quay.io/", {}, None, id="none"),
        pytest.param("https://quay.io/", {"HTTPS_PROXY": PROXY}, "proxy.example", id="A24-https"),
        pytest.param("http://quay.io/", {"HTTPS_PROXY": PROXY}, None, id="https-only"),
        pytest.param("http://quay.io/", {"HTTP_PROXY": PROXY}, "proxy.example", id="A24-http"),
        pytest.param("https://quay.io/", {"HTTP_PROXY": PROXY}, None, id="http-only"),
        pytest.param("https://quay.io/", {"ALL_PROXY": PROXY}, "proxy.example", id="all"),
        pytest.param("http://quay.io/", {"all_proxy": PROXY}, "proxy.example", id="all-lower"),
        pytest.param(
            "https://quay.io/",
            {"https_proxy": "http://lower:1", "HTTPS_PROXY": "http://upper:1"},
            "lower",
            id="lower-case-wins",
        ),
        pytest.param(
            "https://quay.io/",
            {"https_proxy": "", "HTTPS_PROXY": PROXY},
            "proxy.example",
            id="empty-is-unset",
        ),
        pytest.param(
            "https://quay.io/",
            {"HTTPS_PROXY": PROXY, "ALL_PROXY": "http://all:1"},
            "proxy.example",
            id="own-before-all",
        ),
        pytest.param(
            "http://quay.io/", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None, id="cgi"
        ),
        pytest.param(
            "http://quay.io/",
            {"http_proxy": PROXY, "REQUEST_METHOD": "GET"},
            "proxy.example",
            id="cgi-lower-case",
        ),
        pytest.param("http://127.0.0.1:5000/", {"HTTP_PROXY": PROXY}, None, id="loopback"),
        pytest.param("https://localhost:5000/", {"HTTPS_PROXY": PROXY}, None, id="localhost"),
        pytest.param("https://[::1]/", {"ALL_PROXY": PROXY}, None, id="loopback-6"),
        pytest.param(
            "https://quay.io/", {"HTTPS_PROXY": PROXY, "NO_PROXY": "quay.io"}, None, id="no-proxy"
        ),
        pytest.param(
            "https://quay.io/", {"HTTPS_PROXY": PROXY, "no_proxy": ".io"}, None, id="no-proxy-lower"
        ),
    ],
)
def test_choice(url: str, environ: dict[str, str], expected: str | None) -> None:
    assert host_of(url, environ) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://proxy.example:3128", Proxy(host="proxy.example", port=3128)),
        ("proxy.example:3128", Proxy(host="proxy.example", port=3128)),
        ("http://proxy.example/", Proxy(host="proxy.example", port=80)),
        ("http://[2001:db8::1]:3128", Proxy(host="2001:db8::1", port=3128)),
        (
            "http://ada:open%20sesame%3A@proxy.example:3128",
            Proxy(host="proxy.example", port=3128, authorization="Basic YWRhOm9wZW4gc2VzYW1lOg=="),
        ),
        (
            "ada@proxy.example:3128",
            Proxy(host="proxy.example", port=3128, authorization="Basic YWRhOg=="),
        ),
    ],
)
def test_url_of_a_proxy(text: str, expected: Proxy) -> None:
    assert proxy_for("https://quay.io/", {"HTTPS_PROXY": text}) == expected


def test_A24_a_proxys_password_is_not_shown() -> None:
    proxy = proxy_for("https://quay.io/", {"HTTPS_PROXY": "http://ada:canary@proxy.example"})
    assert repr(proxy) == "Proxy(host='proxy.example', port=80)"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("socks5://ada:canary@proxy.example:1080", "socks5 proxies are not supported"),
        ("https://ada:canary@proxy.example", "https proxies are not supported"),
        ("http://ada:canary@", "is not the URL of a proxy"),
        ("http://ada:canary@proxy.example:0", "is not the URL of a proxy"),
        ("http://ada:canary@proxy.example:99999", "is not the URL of a proxy"),
        ("http://ada:canary@[::1", "is not the URL of a proxy"),
        ("http://ada:canary@proxy.example:port", "is not the URL of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        Proxies.of({"HTTPS_PROXY": text})
    assert caught.value.where == "HTTPS_PROXY"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("entries", "inside", "outside"),
    [
        pytest.param("*", ["quay.io", "10.0.0.1"], [], id="everything"),
        pytest.param("quay.io", ["quay.io", "cdn.quay.io"], ["notquay.io", "quay.io.x"], id="dom"),
        pytest.param(".quay.io", ["cdn.quay.io"], ["quay.io", "notquay.io"], id=".dom"),
        pytest.param("*.quay.io", ["cdn.quay.io", "a.b.quay.io"], ["quay.io"], id="*.dom"),
        pytest.param("QUAY.IO.", ["quay.io", "quay.io."], ["quay"], id="case-and-dot"),
        pytest.param("quay.io:8443", ["quay.io:8443"], ["quay.io", "quay.io:80"], id="port"),
        pytest.param(".quay.io:8443", ["a.quay.io:8443"], ["a.quay.io"], id=".dom-port"),
        pytest.param("10.0.0.1", ["10.0.0.1", "10.0.0.1:80"], ["10.0.0.2"], id="address"),
        pytest.param("10.0.0.1:80", ["10.0.0.1:80"], ["10.0.0.1"], id="address-port"),
        pytest.param("10.0.0.0/8", ["10.255.0.1"], ["11.0.0.1", "quay.io"], id="cidr"),
        pytest.param("10.0.0.1/8", ["10.255.0.1"], ["11.0.0.1"], id="cidr-with-host-bits"),
        pytest.param("fd00::/8", ["[fd12::1]"], ["[2001:db8::1]", "10.0.0.1"], id="cidr-6"),
        pytest.param("2001:db8::1", ["[2001:db8::1]"], ["[2001:db8::2]"], id="bare-6"),
        pytest.param("[2001:db8::1]", ["[2001:db8::1]"], ["[2001:db8::2]"], id="bracketed-6"),
        pytest.param(
            "[2001:db8::1]:8443", ["[2001:db8::1]:8443"], ["[2001:db8::1]"], id="bracketed-6-port"
        ),
        pytest.param(
            "a.test, b.test  c.test", ["a.test", "b.test", "c.test"], ["d.test"], id="list"
        ),
        pytest.param("", [], ["quay.io"], id="empty"),
        pytest.param(",,", [], ["quay.io"], id="commas"),
        pytest.param("10.0.0.0/99,quay.io", ["quay.io"], ["10.0.0.1"], id="bad-entry"),
        pytest.param(":8443", [], ["quay.io:8443"], id="port-alone"),
    ],
)
def test_no_proxy(entries: str, inside: list[str], outside: list[str]) -> None:
    straight = NoProxy.parse(entries)
    origins = {host: Url.parse(f"https://{host}/").origin for host in (*inside, *outside)}
    covered = [
        host for host, origin in origins.items() if straight.covers(origin.host, origin.port)
    ]
    assert covered == inside
