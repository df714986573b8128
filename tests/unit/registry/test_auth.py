"""Logins as registries ask for them: obtained once, shared, renewed, refused (A06 to A19, S20)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pinner.errors import AccessDenied, InputError, ProtocolError, Unavailable
from pinner.registry.auth import Authenticator
from pinner.registry.credentials import Credential
from pinner.registry.endpoints import Endpoint, Scope
from pinner.registry.urls import Origin
from support.clock import FakeClock
from support.logins import ADA, Logins, TokenServer, endpoint, query, refusal, token_reply

if TYPE_CHECKING:
    from pinner.registry.exchange import TokenReply, TokenRequest

REGISTRY = endpoint()
SCOPE, OTHER = Scope("a/b"), Scope("c")
BEARER = ['Bearer realm="https://registry.example/token",service="registry.example"']
BASIC = ['Basic realm="r"']
LOGIN = {"registry.example": ADA}
ADAS_BASIC = "Basic YWRhOmNhbmFyeS1wYXNzd29yZA=="


class Bench:
    """An authenticator between logins and a token server."""

    def __init__(
        self, logins: dict[str, Credential] | None = None, server: TokenServer | None = None
    ) -> None:
        self.logins = Logins(logins or {})
        self.server = server or TokenServer()
        self.clock = FakeClock()
        self.auth = Authenticator(credentials=self.logins, exchange=self.server, clock=self.clock)

    def challenged(
        self,
        headers: list[str],
        *,
        rejected: str | None = None,
        where: Endpoint = REGISTRY,
        scope: Scope = SCOPE,
    ) -> str:
        return self.auth.challenged(where, scope, headers, rejected=rejected)

    def authorize(self, scope: Scope = SCOPE, where: Endpoint = REGISTRY) -> str | None:
        return self.auth.authorize(where, scope)


def shown(error: AccessDenied | InputError) -> str:
    text = str(error)
    assert "canary" not in text
    return text


def test_nothing_is_looked_up_before_a_challenge() -> None:
    bench = Bench(LOGIN)
    assert bench.authorize() is None
    assert bench.logins.asked == []
    assert bench.server.requests == []


def test_an_anonymous_token() -> None:
    bench = Bench()
    assert bench.challenged(BEARER) == "Bearer t1"
    assert bench.authorize() == "Bearer t1"
    (request,) = bench.server.requests
    assert request.authorization is None
    assert query(request) == {"service": "registry.example", "scope": "repository:a/b:pull"}


def test_a_token_for_a_login() -> None:
    bench = Bench(LOGIN)
    assert bench.challenged(BEARER) == "Bearer t1"
    (request,) = bench.server.requests
    assert request.authorization == ADAS_BASIC
    assert bench.logins.asked == [("registry.example", "a/b")]


def test_a_registry_token_is_the_bearer_token() -> None:
    bench = Bench({"registry.example": Credential(registry_token="canary")})
    assert bench.challenged(BEARER) == "Bearer canary"
    assert bench.server.requests == []


def test_basic() -> None:
    bench = Bench(LOGIN)
    assert bench.challenged(BASIC) == ADAS_BASIC
    assert bench.authorize() == ADAS_BASIC
    assert bench.server.requests == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([*BASIC, *BEARER], "Bearer t1", id="A08-bearer-before-basic"),
        pytest.param(["Bearer", *BASIC], ADAS_BASIC, id="A08-bearer-without-realm"),
        pytest.param(["Negotiate", *BASIC], ADAS_BASIC, id="A08-unknown-scheme"),
    ],
)
def test_choice_among_challenges(headers: list[str], expected: str) -> None:
    assert Bench(LOGIN).challenged(headers) == expected


def test_A19_every_repository_has_its_own_token() -> None:
    bench = Bench()
    assert bench.challenged(BEARER) == "Bearer t1"
    assert bench.authorize(OTHER) == "Bearer t2"
    assert bench.authorize() == "Bearer t1"
    assert [query(request)["scope"] for request in bench.server.requests] == [
        "repository:a/b:pull",
        "repository:c:pull",
    ]


def test_A19_every_registry_has_its_own_token() -> None:
    bench = Bench()
    bench.challenged(BEARER)
    assert bench.authorize(where=endpoint("https://registry.example:8443")) is None
    assert bench.authorize(where=endpoint("http://registry.example")) is None


@pytest.mark.parametrize(
    ("stated", "seconds", "expected"),
    [
        pytest.param({"expires_in": 300}, 289, "Bearer t1", id="before-the-end"),
        pytest.param({"expires_in": 300}, 290, "Bearer t2", id="A11-margin"),
        pytest.param({}, 49, "Bearer t1", id="A10-unstated-before-the-end"),
        pytest.param({}, 50, "Bearer t2", id="A10-unstated-margin"),
    ],
)
def test_a_token_is_renewed_before_it_ends(
    stated: dict[str, object], seconds: float, expected: str
) -> None:
    tokens = iter(["t1", "t2"])
    bench = Bench(server=TokenServer(lambda _: token_reply(next(tokens), **stated)))
    bench.challenged(BEARER)
    bench.clock.sleep(seconds)
    assert bench.authorize() == expected


def test_a_token_lives_from_the_request_not_from_the_reply() -> None:
    bench = Bench()

    def slow(_: TokenRequest) -> TokenReply:
        bench.clock.sleep(55)
        return token_reply(f"t{len(bench.server.requests)}")

    bench.server.answer = slow
    assert bench.challenged(BEARER) == "Bearer t1"
    assert bench.authorize() == "Bearer t2"


def test_A11_a_rejected_token_is_renewed() -> None:
    bench = Bench()
    first = bench.challenged(BEARER)
    assert bench.challenged(BEARER, rejected=first) == "Bearer t2"
    assert len(bench.server.requests) == 2


def test_A11_who_comes_late_gets_what_another_has_renewed() -> None:
    bench = Bench()
    first = bench.challenged(BEARER)
    second = bench.challenged(BEARER, rejected=first)
    assert bench.challenged(BEARER, rejected=first) == second
    assert bench.challenged(BEARER) == second
    assert len(bench.server.requests) == 2


def test_A12_the_same_token_again_is_not_tried_again() -> None:
    bench = Bench(LOGIN, TokenServer(lambda _: token_reply("same")))
    first = bench.challenged(BEARER)
    with pytest.raises(AccessDenied, match="refused access to a/b") as caught:
        bench.challenged(BEARER, rejected=first)
    assert "~/.docker/config.json (auths: registry.example)" in shown(caught.value)


def test_A12_rejected_basic_is_not_tried_again() -> None:
    bench = Bench(LOGIN)
    sent = bench.challenged(BASIC)
    with pytest.raises(AccessDenied, match="refused access to a/b") as caught:
        bench.challenged(BASIC, rejected=sent)
    assert "~/.docker/config.json (auths: registry.example)" in shown(caught.value)


def test_a_challenge_that_names_another_token_server_counts_from_then_on() -> None:
    bench = Bench()
    first = bench.challenged(BEARER)
    moved = ['Bearer realm="https://registry.example/moved"']
    bench.challenged(moved, rejected=first)
    bench.clock.sleep(3600)
    bench.authorize()
    paths = [request.url.path for request in bench.server.requests]
    assert paths == ["/token", "/moved", "/moved"]


def test_each_repository_keeps_its_own_token_server() -> None:
    bench = Bench()
    for number, scope in enumerate((SCOPE, OTHER)):
        headers = [f'Bearer realm="https://registry.example/{number}"']
        bench.challenged(headers, scope=scope)
    bench.clock.sleep(3600)
    bench.authorize(SCOPE)
    assert [request.url.path for request in bench.server.requests] == ["/0", "/1", "/0"]


def test_workers_share_one_request() -> None:
    arrived = threading.Barrier(8)
    bench = Bench()
    got: list[str] = []

    def work() -> None:
        arrived.wait(timeout=60)
        got.append(bench.challenged(BEARER))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert got == ["Bearer t1"] * 8
    assert len(bench.server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_A13_a_refused_login_is_named(status: int) -> None:
    bench = Bench(LOGIN, TokenServer(lambda _: refusal(status, "incorrect password")))
    with pytest.raises(AccessDenied) as caught:
        bench.challenged(BEARER)
    assert shown(caught.value) == (
        "registry.example refused the login found in "
        "~/.docker/config.json (auths: registry.example)\n"
        f"  registry.example answered {status}: incorrect password\n"
        "  `pinner login registry.example` renews it; if the image is public, "
        "PINNER_ANONYMOUS=registry.example asks without; "
        "`pinner auth explain registry.example/a/b` shows the lookup"
    )
    assert len(bench.server.requests) == 1


def test_a_missing_login_is_named() -> None:
    bench = Bench(server=TokenServer(lambda _: refusal(401)))
    with pytest.raises(AccessDenied) as caught:
        bench.challenged(BEARER)
    assert shown(caught.value) == (
        "registry.example wants a login for a/b, and none was found\n"
        "  registry.example answered 401: no\n"
        "  if it exists: `pinner login registry.example`; "
        "`pinner auth explain registry.example/a/b` shows the lookup"
    )


@pytest.mark.parametrize(
    ("logins", "headers", "why"),
    [
        pytest.param({}, BASIC, "wants a login for a/b, and none was found", id="basic-no-login"),
        pytest.param(
            {"registry.example": Credential(identity_token="canary")},
            BASIC,
            "wants user and password, and the login found in .* is a token",
            id="basic-token",
        ),
        pytest.param({}, ["Negotiate", "Digest"], "kind .* not know: negotiate, digest", id="A08"),
        pytest.param({}, [], "does not say which login it wants", id="no-challenge"),
    ],
)
def test_no_fitting_login(logins: dict[str, Credential], headers: list[str], why: str) -> None:
    with pytest.raises(AccessDenied, match=why) as caught:
        Bench(logins).challenged(headers)
    assert not caught.value.transient
    shown(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(['Bearer realm="http://registry.example/token"'], id="A01"),
        pytest.param(['Bearer realm="https://169.254.169.254/token"'], id="A02"),
        pytest.param(["Bearer"], id="A04"),
        pytest.param(['Bearer realm="'], id="A08"),
    ],
)
def test_unusable_challenges_cause_no_request(headers: list[str]) -> None:
    bench = Bench(LOGIN)
    with pytest.raises(ProtocolError) as caught:
        bench.challenged(headers)
    assert caught.value.where == "registry.example"
    assert bench.server.requests == []


STRANGER = ['Bearer realm="https://tokens.stranger.test/get"']
WITHHELD = (
    "the login found in ~/.docker/config.json (auths: registry.example) was not given to "
    "https://tokens.stranger.test, which is not known to belong to the registry"
)


def test_A06_a_stranger_is_asked_anonymously() -> None:
    bench = Bench(LOGIN)
    assert bench.challenged(STRANGER) == "Bearer t1"
    assert [request.authorization for request in bench.server.requests] == [None]
    assert bench.auth.remark(REGISTRY, SCOPE) == WITHHELD


def test_A06_a_strangers_refusal_says_who_was_not_given_the_login() -> None:
    bench = Bench(LOGIN, TokenServer(lambda _: refusal(401)))
    with pytest.raises(AccessDenied, match="wants a login for a/b") as caught:
        bench.challenged(STRANGER)
    assert WITHHELD in shown(caught.value)


@pytest.mark.parametrize("headers", [BASIC, BEARER], ids=["basic", "bearer"])
def test_S20_logins_are_not_sent_over_plain_http(headers: list[str]) -> None:
    bench = Bench(LOGIN)
    where = endpoint("http://registry.example", sends_credentials=False)
    with pytest.raises(InputError, match="over plain http") as caught:
        bench.challenged(headers, where=where)
    assert "~/.docker/config.json (auths: registry.example)" in shown(caught.value)
    assert bench.server.requests == []


def test_S20_plain_http_without_a_login_is_asked_anonymously() -> None:
    bench = Bench()
    where = endpoint("http://registry.example", sends_credentials=False)
    headers = ['Bearer realm="http://registry.example/token"']
    assert bench.challenged(headers, where=where) == "Bearer t1"


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        pytest.param(
            ADA,
            "asked with the login found in ~/.docker/config.json (auths: registry.example); "
            "`pinner auth explain registry.example/a/b` shows the lookup",
            id="login",
        ),
        pytest.param(
            None,
            "asked without a login: `pinner login registry.example`; "
            "`pinner auth explain registry.example/a/b` shows the lookup",
            id="anonymous",
        ),
    ],
)
def test_remark(login: Credential | None, expected: str) -> None:
    bench = Bench({"registry.example": login} if login else {})
    assert bench.auth.remark(REGISTRY, SCOPE) == ""
    bench.challenged(BEARER)
    assert bench.auth.remark(REGISTRY, SCOPE) == expected


def test_a_refusal_before_the_request_leaves_the_registry_to_say_whether_it_matters() -> None:
    bench = Bench(LOGIN)
    bench.challenged(BEARER)
    bench.server.answer = lambda _: refusal(403)
    assert bench.authorize(OTHER) is None
    assert bench.authorize(OTHER) is None
    assert len(bench.server.requests) == 2
    with pytest.raises(AccessDenied, match="refused the login"):
        bench.challenged(BEARER, scope=OTHER)
    assert len(bench.server.requests) == 2


def test_another_challenge_is_answered_whatever_was_refused_before() -> None:
    bench = Bench(LOGIN)
    bench.challenged(BEARER)
    bench.server.answer = lambda _: refusal(403)
    assert bench.authorize(OTHER) is None
    assert bench.challenged(BASIC, scope=OTHER) == ADAS_BASIC


@pytest.mark.parametrize("status", [404, 418, 501])
def test_other_answers_of_a_token_server(status: int) -> None:
    bench = Bench(server=TokenServer(lambda _: refusal(status)))
    with pytest.raises(ProtocolError, match=f"answered {status}: no to the request for a token"):
        bench.challenged(BEARER)


def test_failures_of_the_exchange_pass_and_are_not_remembered() -> None:
    bench = Bench()
    bench.challenged(BEARER)

    def down(_: TokenRequest) -> TokenReply:
        raise Unavailable("down")

    bench.server.answer = down
    with pytest.raises(Unavailable, match="down"):
        bench.authorize(OTHER)
    bench.server.answer = None
    assert bench.authorize(OTHER) == "Bearer t3"


def test_A15_two_names_of_one_origin_do_not_share_logins() -> None:
    bench = Bench({"one.example": ADA})
    origin = Origin(scheme="https", host="one.example", port=443)
    one = Endpoint(origin=origin, registry="one.example")
    other = Endpoint(origin=origin, registry="one.example:443")
    assert bench.challenged(BASIC, where=one) == ADAS_BASIC
    with pytest.raises(AccessDenied, match="none was found"):
        bench.challenged(BASIC, where=other)


def test_A14_refresh_tokens_of_answers_are_not_used() -> None:
    bench = Bench(
        LOGIN, TokenServer(lambda _: token_reply("t", refresh_token="canary", expires_in=60))
    )
    bench.challenged(BEARER)
    bench.clock.sleep(60)
    bench.authorize()
    assert [request.method for request in bench.server.requests] == ["GET", "GET"]
