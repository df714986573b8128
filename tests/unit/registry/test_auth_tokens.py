"""What token servers are asked and how their answers are read (A07, A09, A10, A14)."""

from __future__ import annotations

import json

import pytest

from pinner.errors import ProtocolError
from pinner.registry.challenge import parse_challenges
from pinner.registry.credentials import Credential
from pinner.registry.endpoints import Scope
from pinner.registry.exchange import TOKEN_LIMIT, TokenReply, TokenRequest
from pinner.registry.tokens import ask_for_token, read_token, token_requests, wish_of
from pinner.registry.urls import Url
from support.logins import ADA, TokenServer, query, refusal, token_reply

SERVER = Url.parse("https://auth.example/token")
WISH = {"service": "registry.example", "scope": "repository:a/b:pull"}
BASIC = "Basic YWRhOmNhbmFyeS1wYXNzd29yZA=="
REFRESH = Credential(identity_token="canary-refresh")
BOTH = Credential(user="ada", password="canary-password", identity_token="canary-refresh")
# `az acr login` writes this.
AZURE = Credential(user="00000000-0000-0000-0000-000000000000", identity_token="canary-refresh")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param(
            'service="s",scope="repository:a/b:pull"',
            {"service": "s", "scope": "repository:a/b:pull"},
            id="as-asked",
        ),
        pytest.param(
            'service="s",scope="repository:a/b:pull,push repository:c:*"',
            {"service": "s", "scope": "repository:a/b:pull"},
            id="A07-wider",
        ),
        pytest.param(
            'scope="registry:catalog:*"', {"scope": "repository:a/b:pull"}, id="A07-of-the-root"
        ),
        pytest.param('service="s"', {"service": "s", "scope": "repository:a/b:pull"}, id="none"),
        pytest.param('scope=""', {"scope": "repository:a/b:pull"}, id="empty"),
        pytest.param(
            'service="public.ecr.aws",scope="aws"',
            {"service": "public.ecr.aws", "scope": "aws"},
            id="ecr-public",
        ),
    ],
)
def test_what_is_wished_for(parameters: str, expected: dict[str, str]) -> None:
    (challenge,) = parse_challenges([f'Bearer realm="https://auth.example/token",{parameters}'])
    assert wish_of(challenge, Scope("a/b")) == expected


def summary(request: TokenRequest) -> tuple[str, str | None, dict[str, str]]:
    return (
        request.method,
        request.authorization,
        query(request) if request.method == "GET" else dict(request.form),
    )


def test_anonymous_request() -> None:
    assert [summary(request) for request in token_requests(SERVER, WISH, None)] == [
        ("GET", None, WISH)
    ]


def test_requests_with_user_and_password() -> None:
    assert [summary(request) for request in token_requests(SERVER, WISH, ADA)] == [
        ("GET", BASIC, {**WISH, "client_id": "pinner", "account": "ada"}),
        (
            "POST",
            None,
            {
                **WISH,
                "client_id": "pinner",
                "grant_type": "password",
                "username": "ada",
                "password": "canary-password",
            },
        ),
    ]


@pytest.mark.parametrize(
    "login", [pytest.param(REFRESH, id="token-alone"), pytest.param(AZURE, id="azure")]
)
def test_requests_with_an_identity_token(login: Credential) -> None:
    assert [summary(request) for request in token_requests(SERVER, WISH, login)] == [
        (
            "POST",
            None,
            {
                **WISH,
                "client_id": "pinner",
                "grant_type": "refresh_token",
                "refresh_token": "canary-refresh",
            },
        )
    ]


def test_identity_token_and_password_are_tried_in_this_order() -> None:
    kinds = [
        (request.method, dict(request.form).get("grant_type", ""))
        for request in token_requests(SERVER, WISH, BOTH)
    ]
    assert kinds == [("POST", "refresh_token"), ("GET", ""), ("POST", "password")]


def test_the_realm_keeps_its_own_query() -> None:
    server = Url.parse("https://auth.example/token?tenant=7")
    (request,) = token_requests(server, WISH, None)
    assert query(request) == {"tenant": "7", **WISH}


def test_what_is_asked_for_is_quoted() -> None:
    wish = {"service": "a&scope=evil #é", "scope": "repository:a/b:pull"}
    (request,) = token_requests(SERVER, wish, None)
    assert query(request) == wish
    assert request.url.target.isascii()


@pytest.mark.parametrize(
    ("login", "statuses", "methods"),
    [
        pytest.param(None, [401], ["GET"], id="anonymous"),
        pytest.param(None, [404], ["GET"], id="anonymous-404"),
        pytest.param(ADA, [200], ["GET"], id="password"),
        pytest.param(ADA, [401], ["GET"], id="password-refused-once"),
        pytest.param(ADA, [404, 200], ["GET", "POST"], id="password-404"),
        pytest.param(ADA, [405, 200], ["GET", "POST"], id="password-405"),
        pytest.param(ADA, [405, 405], ["GET", "POST"], id="password-no-way"),
        pytest.param(REFRESH, [200], ["POST"], id="refresh"),
        pytest.param(REFRESH, [404], ["POST"], id="refresh-no-password"),
        pytest.param(BOTH, [404, 200], ["POST", "GET"], id="refresh-404"),
        pytest.param(BOTH, [405, 200], ["POST", "GET"], id="refresh-405"),
        pytest.param(BOTH, [401, 200], ["POST", "GET"], id="refresh-401"),
        pytest.param(BOTH, [403], ["POST"], id="refresh-403"),
        pytest.param(BOTH, [404, 404, 200], ["POST", "GET", "POST"], id="all"),
    ],
)
def test_fallbacks(login: Credential | None, statuses: list[int], methods: list[str]) -> None:
    replies = iter(statuses)
    server = TokenServer(lambda _: refusal(next(replies)))
    assert ask_for_token(SERVER, WISH, login, server).status == statuses[-1]
    assert [request.method for request in server.requests] == methods


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"token": "abc"}, id="token"),
        pytest.param({"access_token": "abc"}, id="A09-access-token-alone"),
        pytest.param({"token": "abc", "access_token": "abc"}, id="both"),
        pytest.param({"token": "", "access_token": "abc"}, id="one-empty"),
        pytest.param({"token": None, "access_token": "abc"}, id="one-null"),
        pytest.param({"token": "abc", "refresh_token": "canary"}, id="A14-refresh-token-ignored"),
        pytest.param({"token": "abc", "issued_at": 1.5, "x": [{}]}, id="other-keys"),
    ],
)
def test_token_read(document: dict[str, object]) -> None:
    reply = TokenReply(status=200, body=json.dumps(document).encode())
    token = read_token(reply, SERVER)
    assert token.value == "abc"
    assert "canary" not in repr(token)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"<html>", "not a JSON object", id="A09-html"),
        pytest.param(b"", "not a JSON object", id="A09-empty"),
        pytest.param(b'"abc"', "not a JSON object", id="A09-string"),
        pytest.param(b"[" * 100_000, "not a JSON object", id="A09-nested"),
        pytest.param(b'{"token":' + b"1" * 5000 + b"}", "not a JSON object", id="A09-digits"),
        pytest.param(b"{}", "no usable token", id="A09-none"),
        pytest.param(b'{"token": 1}', "no usable token", id="A09-number"),
        pytest.param(b'{"token": null}', "no usable token", id="A09-null"),
        pytest.param(b'{"token": ""}', "no usable token", id="A09-empty-token"),
        pytest.param(b'{"token": "a\\r\\nX: y"}', "no usable token", id="A09-crlf"),
        pytest.param(b'{"token": "a\\u001b[31m"}', "no usable token", id="A09-escape"),
        pytest.param(b'{"token": "a b"}', "no usable token", id="A09-space"),
        pytest.param('{"token": "ü"}'.encode(), "no usable token", id="A09-non-ascii"),
        pytest.param(b'{"token": "\\ud800"}', "no usable token", id="A09-surrogate"),
        pytest.param(b" " * (TOKEN_LIMIT + 1), "more than 256 KiB", id="A09-too-large"),
    ],
)
def test_token_refused(body: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why) as caught:
        read_token(TokenReply(status=200, body=body), SERVER)
    assert caught.value.where == "https://auth.example/token"


@pytest.mark.parametrize(
    ("stated", "lifetime"),
    [
        pytest.param(300, 300, id="A10-300"),
        pytest.param(0, 60, id="A10-0"),
        pytest.param(-1, 60, id="A10-minus-1"),
        pytest.param("60", 60, id="A10-text"),
        pytest.param("900", 60, id="A10-text-is-no-number"),
        pytest.param(1e99, 3600, id="A10-1e99"),
        pytest.param(float("inf"), 3600, id="A10-infinite"),
        pytest.param(float("nan"), 60, id="A10-nan"),
        pytest.param(True, 60, id="A10-true"),
        pytest.param(None, 60, id="A10-null"),
        pytest.param(86400, 3600, id="A10-a-day"),
        pytest.param(90.5, 90.5, id="A10-fraction"),
    ],
)
def test_lifetime(stated: object, lifetime: float) -> None:
    assert read_token(token_reply(expires_in=stated), SERVER).lifetime == lifetime


def test_A10_missing_lifetime() -> None:
    assert read_token(token_reply(), SERVER).lifetime == 60


def test_A20_requests_do_not_show_secrets() -> None:
    shown = repr(token_requests(SERVER, WISH, BOTH)) + repr(BOTH) + repr(token_reply("canary"))
    assert "canary" not in shown
    assert BASIC not in shown
