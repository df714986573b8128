"""How token servers are asked: the same redirects and retries, and nothing secret to strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from pinner.errors import ProtocolError, RateLimited, Unavailable
from pinner.registry.connections import Settings
from pinner.registry.courier import Courier, Warnings
from pinner.registry.exchange import TOKEN_LIMIT, TokenRequest
from pinner.registry.http11 import Timeouts
from pinner.registry.reply import MinimumRate
from pinner.registry.retry import Patience, RetryPolicy
from pinner.registry.routes import Route
from pinner.registry.transport import Transport
from pinner.registry.urls import Url
from pinner.registry.wire import TokenExchange, Wire
from support.clock import FakeClock
from support.net import Answer, LoopbackServer, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "canary-secret"
FORM = {"grant_type": "refresh_token", "refresh_token": SECRET, "scope": "repository:a/b:pull"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def exchange(clock: FakeClock) -> Iterator[TokenExchange]:
    transport = Transport(
        lambda _: Route(context=None),
        Settings(timeouts=Timeouts(), idle_limit=30, monotonic=clock.monotonic),
    )
    patience = Patience(
        policy=RetryPolicy(), clock=clock, note=lambda _: None, stopped=lambda: False
    )
    courier = Courier(
        httpx.Client(transport=transport),
        pauses=patience.pauses,
        warnings=Warnings(lambda _: None),
        rate=MinimumRate(),
        monotonic=clock.monotonic,
    )
    yield TokenExchange(Wire(patience, clock), courier)
    transport.close()


def get(url: str) -> TokenRequest:
    return TokenRequest(method="GET", url=Url.parse(url), authorization=f"Basic {SECRET}")


def post(url: str) -> TokenRequest:
    return TokenRequest(method="POST", url=Url.parse(url), form=FORM)


def redirecting(url: str, status: int = 307) -> Answer:
    return Answer(status=status, headers=(("Location", url),))


def test_a_get(exchange: TokenExchange) -> None:
    answer = Answer(body=b"{}", headers=(("Content-Type", "application/json"),))
    with LoopbackServer(lambda _: answer) as server:
        reply = exchange(get(f"{server.url}/token?scope=repository%3Aa%2Fb%3Apull"))
    assert (reply.status, reply.content_type, reply.body) == (200, "application/json", b"{}")
    (request,) = server.requests
    assert request.target == "/token?scope=repository%3Aa%2Fb%3Apull"
    assert request.headers["authorization"] == f"Basic {SECRET}"


def test_a_post_sends_its_form(exchange: TokenExchange) -> None:
    with LoopbackServer(lambda _: Answer(body=b"{}")) as server:
        exchange(post(f"{server.url}/token"))
    (request,) = server.requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == (
        b"grant_type=refresh_token&refresh_token=canary-secret&scope=repository%3Aa%2Fb%3Apull"
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_refusals_are_answers(exchange: TokenExchange, status: int) -> None:
    with LoopbackServer(lambda _: Answer(status=status, body=b"no")) as server:
        reply = exchange(get(server.url))
    assert (reply.status, reply.body, len(server.requests)) == (status, b"no", 1)


def test_A09_the_body_is_cut_behind_the_limit(exchange: TokenExchange) -> None:
    with LoopbackServer(lambda _: Answer(body=b"x" * (TOKEN_LIMIT + 9))) as server:
        assert len(exchange(get(server.url)).body) == TOKEN_LIMIT + 1


def test_D01_basic_credentials_do_not_follow_a_redirect(exchange: TokenExchange) -> None:
    with (
        LoopbackServer(lambda _: Answer(body=b"{}")) as other,
        LoopbackServer(lambda _: redirecting(f"{other.url}/t")) as server,
    ):
        assert exchange(get(server.url)).status == 200
    assert SECRET not in repr(other.requests)
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_A14_a_form_does_not_follow_a_redirect(exchange: TokenExchange, status: int) -> None:
    with (
        LoopbackServer(lambda _: Answer(body=b"{}")) as other,
        LoopbackServer(lambda _: redirecting(f"{other.url}/t", status)) as server,
        pytest.raises(ProtocolError, match="redirect of a POST") as caught,
    ):
        exchange(post(server.url))
    assert other.requests == []
    assert SECRET not in str(caught.value)


def test_A05_a_token_server_leads_into_no_private_network(exchange: TokenExchange) -> None:
    away = redirecting("http://169.254.169.254/latest")
    with LoopbackServer(lambda _: away) as server, pytest.raises(ProtocolError, match="link-local"):
        exchange(get(server.url))


def test_H11_passing_failures_are_tried_again(exchange: TokenExchange) -> None:
    answers = [Answer(body=b"{}"), Answer(status=503), Answer(status=502)]
    with LoopbackServer(lambda _: answers.pop()) as server:
        assert exchange(get(server.url)).status == 200


@pytest.mark.parametrize(("status", "kind"), [(503, Unavailable), (429, RateLimited)])
def test_the_last_failure_is_final_for_the_request_that_needs_the_token(
    exchange: TokenExchange, status: int, kind: type[Unavailable | RateLimited]
) -> None:
    with (
        LoopbackServer(lambda _: Answer(status=status)) as server,
        pytest.raises(kind, match=f"answered {status} .* for a token from") as caught,
    ):
        exchange(get(server.url))
    assert not caught.value.transient
    assert len(server.requests) == 5


def test_A09_a_token_that_is_no_header_is_not_repeated(exchange: TokenExchange) -> None:
    def never(_: Request) -> Answer:
        raise AssertionError

    for secret in ("canary\r\nX: y", "canary-ü"):
        with LoopbackServer(never) as server:
            request = TokenRequest(
                method="GET", url=Url.parse(server.url), authorization=f"Bearer {secret}"
            )
            with pytest.raises(ProtocolError) as caught:
                exchange(request)
        assert "canary" not in str(caught.value)
        assert server.requests == []
