"""Whatever registries, token servers and files say: a value, or an error of ours."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinner.errors import InputError, ProtocolError
from pinner.registry.authfile import parse_config, parse_dockercfg, parse_environment
from pinner.registry.challenge import MalformedChallenge, parse_challenges
from pinner.registry.endpoints import Scope
from pinner.registry.exchange import TokenReply
from pinner.registry.proxies import NoProxy, Proxies
from pinner.registry.realms import is_given_logins, token_server
from pinner.registry.tokens import read_token, token_requests, wish_of
from pinner.registry.urls import Url
from support.logins import ADA, endpoint, query
from support.strategies import registries

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


def outcome(kind: type[E], of: Callable[[], T]) -> T | E:
    """What `of` returns, or the error of that kind that it raises."""
    try:
        return of()
    except kind as error:
        return error


TOKEN = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", fullmatch=True)
NAMES = TOKEN.map(str.lower)
# What headers are made of, so that examples come near the grammar.
PIECES = st.sampled_from(
    [
        *("Bearer", "Basic", "realm", "scope", " ", ",", "=", '"', "\\", "\\\\", "\t", "a", "é"),
        *("https://a.example/t", "repository:a:pull,push", "==", "/", "\x00", "error"),
    ]
)
HEADERS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200)
SERVER = Url.parse("https://auth.example/token")


@given(st.lists(HEADERS, max_size=20))
@example(['Bearer realm="' + "\\" * 16_000])
@example(["a " * 8000])
@example(["=" * 16_000])
def test_A08_any_header_is_read_or_refused(headers: list[str]) -> None:
    found = outcome(MalformedChallenge, lambda: parse_challenges(headers))
    if isinstance(found, MalformedChallenge):
        assert len(found.what) < 1000
    else:
        assert all(challenge.scheme == challenge.scheme.lower() for challenge in found)


@given(
    st.lists(
        st.tuples(NAMES, st.dictionaries(NAMES, st.text(max_size=20), min_size=1, max_size=4)),
        max_size=4,
    )
)
def test_A08_written_challenges_are_read_back(
    challenges: list[tuple[str, dict[str, str]]],
) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} " + ",".join(f"{name}={quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in challenges
    )
    found = [(one.scheme, dict(one.parameters)) for one in parse_challenges([header])]
    assert found == challenges


@given(st.text(max_size=60), st.text(max_size=60))
def test_A07_whatever_a_challenge_says_a_request_can_be_sent(service: str, scope: str) -> None:
    escaped = [text.replace("\\", "").replace('"', "") for text in (service, scope)]
    (challenge,) = parse_challenges([f'Bearer service="{escaped[0]}",scope="{escaped[1]}"'])
    wish = wish_of(challenge, Scope("a/b"))
    for request in token_requests(SERVER, wish, ADA):
        assert request.url.target.isascii()
        if request.method == "GET":
            assert query(request)["scope"] == wish["scope"]


HOSTS = st.from_regex(r"([a-z0-9]{1,6}\.){0,3}[a-z]{2,6}", fullmatch=True)


@given(
    st.sampled_from(["http", "https"]),
    HOSTS,
    st.text(max_size=80) | HOSTS.map("https://{}/t".format),
)
def test_A04_any_realm_is_asked_or_refused(scheme: str, host: str, realm: str) -> None:
    where = endpoint(f"{scheme}://{host}")
    server = outcome(ProtocolError, lambda: token_server(realm, where))
    if isinstance(server, ProtocolError):
        assert server.where == where.registry
    elif is_given_logins(server, where):
        ours, theirs = (name.split(".") for name in (host, server.origin.host))
        assert ours == theirs or ours[-2:] == theirs[-2:]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["token", "access_token", "expires_in", "auths", "auth", "r.example"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_A09_any_answer_is_a_token_or_refused(body: bytes) -> None:
    token = outcome(ProtocolError, lambda: read_token(TokenReply(status=200, body=body), SERVER))
    if not isinstance(token, ProtocolError):
        assert token.value.isascii()
        assert token.value.isprintable()
        assert 60 <= token.lifetime <= 3600


@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_A18_any_credential_file_is_read_or_refused(data: bytes) -> None:
    for parse in (parse_config, parse_dockercfg):
        file = outcome(InputError, partial(parse, data, name="file"))
        if isinstance(file, InputError):
            assert file.where == "file"
        else:
            login = outcome(InputError, partial(any, file.logins("r.example", "a/b")))
            assert not isinstance(login, InputError) or login.where == "file"


@given(JSON.map(json.dumps) | st.text(max_size=40))
def test_A18_any_environment_variable_is_read_or_refused(text: str) -> None:
    file = outcome(InputError, lambda: parse_environment(text, name="DOCKER_AUTH_CONFIG"))
    assert not isinstance(file, InputError) or file.where == "DOCKER_AUTH_CONFIG"


@given(registries(), registries(), st.sampled_from(["", "https://", "http://"]))
def test_A15_a_login_is_found_for_its_own_registry_only(
    stored: str, asked: str, scheme: str
) -> None:
    hub = {"docker.io", "index.docker.io", "registry-1.docker.io"}
    same = stored.lower() == asked.lower() or {stored, asked} <= hub
    entry = {"auth": base64.b64encode(b"u:p").decode()}
    document = {"auths": {f"{scheme}{stored}": entry}}
    file = parse_config(json.dumps(document).encode(), name="file")
    name = "docker.io" if asked in hub else asked
    assert any(login for _, login in file.logins(name, "a/b")) == same


@given(st.text(max_size=60), HOSTS | st.ip_addresses().map(str), st.integers(1, 65535))
def test_any_NO_PROXY_is_read(text: str, host: str, port: int) -> None:
    covered = NoProxy.parse(text).covers(host, port)
    bracketed = f"[{host}]" if ":" in host else host
    assert NoProxy.parse(f"{text},{bracketed}:{port}").covers(host, port)
    assert covered or not NoProxy.parse("").covers(host, port)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "http_proxy"])
@given(text=st.text(max_size=60))
def test_A24_any_proxy_is_read_or_refused_without_its_password(variable: str, text: str) -> None:
    found = outcome(InputError, lambda: Proxies.of({variable: f"http://u:canary@{text}"}))
    assert "canary" not in f"{found!r} {found!s}"
