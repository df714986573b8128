"""Faults A: token servers, challenges, tokens, logins and helpers that mislead, met by lock."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pinner.registry.helpers import ProcessRunner
from support.ground import BASIC, BEARER, PAIR, PASSWORD, USER, Ground
from support.net import Answer, LoopbackServer, Request
from support.oracle import converges, survived
from support.registry_content import digest_of
from support.registry_faults import Fault, body, header, instead, redirect
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from cli.conftest import Abroad

LAYER = bytes(range(256)) * 1024
INSIDE = [
    *("169.254.169.254", "10.0.0.1", "192.168.0.1", "[::1]", "0.0.0.0", "127.0.0.1", "127.1"),
    *("2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "x.localhost", "[fd00::1]"),
]


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Iterator[RegistrySim]:
    """A registry that knows the planted login and gives tokens for it."""
    with RegistrySim(login=getattr(request, "param", BEARER)) as sim:
        yield sim


either_login = pytest.mark.parametrize(
    "sim", [BASIC, BEARER], ids=["basic", "bearer"], indirect=True
)


@pytest.fixture
def wanted(ground: Ground) -> Ground:
    """A project that wants app:stable, of a registry that the user logged in to."""
    want(ground)
    ground.log_in()
    return ground


@pytest.fixture
def far(abroad: Abroad) -> Ground:
    """The same at a public name over https."""
    abroad.ground.sim.login = BEARER
    want(abroad.ground)
    abroad.ground.log_in()
    return abroad.ground


def want(ground: Ground) -> None:
    ground.sim.content.add_image("app", "stable", layers=[LAYER])
    ground.want(app="app:stable")


def challenge(*values: str) -> Fault:
    """A 401 with these values of WWW-Authenticate."""

    def refuse(request: Request, answer: Answer) -> Answer:
        headers = tuple(("WWW-Authenticate", value) for value in values)
        return Answer(status=401, headers=headers)

    return refuse


def to(realm: str) -> Fault:
    """The honest answer, but for the token server that a challenge names."""

    def mislead(request: Request, answer: Answer) -> Answer:
        if answer.status != 401:
            return answer
        return answer.with_header("WWW-Authenticate", f'Bearer realm="{realm}",service="sim"')

    return mislead


def give(**document: Any) -> Fault:
    """A token server's answer."""
    return instead(200, json.dumps(document).encode(), Content_Type="application/json")


def test_A01_no_token_is_asked_for_over_plain_http(far: Ground) -> None:
    far.sim.always("/manifests/", to("http://registry.example/token"))
    survived(far, "lock", code=3, says=["plain http", "registry.example"])
    assert not far.sim.count("GET", "/token")
    converges(far)


@pytest.mark.parametrize("host", INSIDE, ids=lambda host: f"A02-{host}")
def test_from_outside_no_token_server_is_inside(
    far: Ground, secured: ssl.SSLContext, host: str
) -> None:
    with LoopbackServer(lambda _: Answer(body=b'{"token":"t"}'), tls=secured) as inside:
        far.sim.always("/manifests/", to(f"https://{host}:{inside.port}/token"))
        says = ["its token server is not asked, since its address is", "registry.example"]
        survived(far, "lock", code=3, says=says, lasting=False)
        assert not inside.connections
    converges(far)


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[fd00::1]", "0xa9fea9fe"])
def test_A02_A03_from_loopback_no_token_server_is_in_the_network(wanted: Ground, host: str) -> None:
    wanted.sim.always("/manifests/", to(f"http://{host}/token"))
    survived(wanted, "lock", code=3, says=["its token server is not asked", wanted.sim.host])
    converges(wanted)


def test_A03_a_registry_on_loopback_may_have_its_token_server_there(wanted: Ground) -> None:
    with RegistrySim(login=BEARER) as neighbour:
        wanted.sim.always("/manifests/", challenge(f'Bearer realm="{neighbour.url}/token"'))
        survived(wanted, "lock", code=3, says=[wanted.sim.host])
        assert neighbour.count("GET", "/token") == 2, "one for each run"
    converges(wanted)


@pytest.mark.parametrize(
    "realm",
    [
        pytest.param("file:///etc/passwd", id="A04-file"),
        pytest.param("ftp://127.0.0.1/token", id="A04-ftp"),
        pytest.param("", id="A04-empty"),
        pytest.param("/token", id="A04-relative"),
        pytest.param("//127.0.0.1/token", id="A04-without-scheme"),
        pytest.param("http:///token", id="A04-no-host"),
        pytest.param("http://127.0.0.1:99999/", id="A04-port"),
        pytest.param("http://127.0.0.1/\x1b[2J", id="A04-escape"),
        pytest.param("http://127.0.0.1/" + "x" * 9000, id="A04-long"),
    ],
)
def test_a_realm_that_is_no_token_server(wanted: Ground, realm: str) -> None:
    wanted.sim.always("/manifests/", to(realm))
    survived(wanted, "lock", code=3, says=[wanted.sim.host])
    assert not wanted.sim.count("GET", "/token")
    converges(wanted)


def test_A04_a_challenge_without_a_realm(wanted: Ground) -> None:
    wanted.sim.always("/manifests/", challenge('Bearer service="sim"'))
    survived(wanted, "lock", code=3, says=[wanted.sim.host, "does not say where"])
    converges(wanted)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://169.254.169.254/token?canary", id="A05-metadata"),
        pytest.param("http://10.0.0.1/token?canary", id="A05-private"),
        pytest.param("file:///etc/passwd", id="A05-file"),
    ],
)
def test_a_token_server_that_leads_on(wanted: Ground, location: str) -> None:
    wanted.sim.always("/token", redirect(location))
    survived(wanted, "lock", code=3, says=[wanted.sim.host])
    converges(wanted)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://registry.example/token?canary", id="A05-http"),
        pytest.param("https://127.0.0.1/token?canary", id="A05-loopback"),
    ],
)
def test_a_public_token_server_that_leads_on(far: Ground, location: str) -> None:
    far.sim.always("/token", redirect(location))
    survived(far, "lock", code=3, says=[far.sim.host])
    converges(far)


def test_A05_a_token_server_that_leads_to_a_stranger(wanted: Ground) -> None:
    with LoopbackServer(lambda _: Answer(body=b'{"token":"of-a-stranger"}')) as stranger:
        wanted.strangers.append(stranger)
        wanted.sim.always("/token", redirect(f"{stranger.url}/token"))
        survived(wanted, "lock", code=3, says=[wanted.sim.host])
        converges(wanted)


@pytest.mark.parametrize("logged_in", [False, True], ids=["A06-anonymous", "A06-logged-in"])
def test_a_token_server_of_another_site(
    far: Ground, abroad: Abroad, secured: ssl.SSLContext, *, logged_in: bool
) -> None:
    """It may give a token to anybody; the registry's login is not for it."""

    def exchange(request: Request) -> Answer:
        if logged_in:
            return Answer(status=401)
        return Answer(body=b'{"token":"for-anybody"}')

    def admit(request: Request, answer: Answer) -> Answer:
        if request.headers.get("authorization") == "Bearer for-anybody":
            return far.sim.content.answer(request)
        return to("https://other.example/token")(request, answer)

    with LoopbackServer(exchange, tls=secured) as other:
        abroad.ports["other.example"] = other.port
        far.strangers.append(other)
        far.sim.always("/v2/", admit)
        says = ["was not given to https://other.example", "docker/config.json"]
        survived(far, "lock", code=3 if logged_in else 0, says=says if logged_in else [])
        assert other.requests
    converges(far)


def test_A06_a_token_server_of_the_same_site_gets_the_login(
    far: Ground, abroad: Abroad, secured: ssl.SSLContext
) -> None:
    abroad.ports["auth.registry.example"] = far.sim.port
    far.sim.always("/manifests/", same_site)
    survived(far, "lock", code=0)
    assert far.sim.asked("GET", "/token")[0].headers["host"] == "auth.registry.example"
    survived(far, "sync", code=0)
    converges(far)


def same_site(request: Request, answer: Answer) -> Answer:
    """The honest challenge, but the token server has another name of the same site."""
    given = answer.header("WWW-Authenticate")
    if given is None:
        return answer
    return answer.with_header("WWW-Authenticate", given.replace("//registry", "//auth.registry"))


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param("repository:app:pull,push", id="A07-push"),
        pytest.param("repository:app:pull registry:catalog:*", id="A07-catalog"),
        pytest.param("repository:other/app:pull", id="A07-another"),
    ],
)
def test_a_token_is_asked_for_what_is_read_alone(wanted: Ground, scope: str) -> None:
    def widen(request: Request, answer: Answer) -> Answer:
        given = answer.header("WWW-Authenticate")
        if given is None:
            return answer
        return answer.with_header(
            "WWW-Authenticate", given.replace('scope="repository:app:pull"', f'scope="{scope}"')
        )

    wanted.sim.always("/manifests/", widen)
    survived(wanted, "lock", code=0)
    (request,) = wanted.sim.asked("GET", "/token")
    assert "scope=repository%3Aapp%3Apull&" in f"{request.target}&"
    assert "push" not in request.target
    converges(wanted)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        pytest.param(
            ['bearer realm="{url}/token",service="a,b",scope="repository:app:pull"'],
            0,
            id="A08-comma",
        ),
        pytest.param(['bEARER REALM="{url}/token"'], 0, id="A08-case"),
        pytest.param(['Bearer realm="{url}/to\\ken"'], 0, id="A08-escape"),
        pytest.param(['Basic realm="x", Bearer realm="{url}/token"'], 0, id="A08-two-in-one"),
        pytest.param(['Basic realm="x"', 'Bearer realm="{url}/token"'], 0, id="A08-two-headers"),
        pytest.param(["Negotiate", 'Bearer realm="{url}/token"'], 0, id="A08-unknown-too"),
        pytest.param(["Bearer realm={url}/token"], 0, id="A08-without-quotes"),
        pytest.param(['Bearer realm="{url}/token'], 3, id="A08-open-quote"),
        pytest.param(['Bearer realm="{url}/token",realm="http://x"'], 3, id="A08-twice"),
        pytest.param(['Bearer realm="' + "a" * 65536 + '"'], 3, id="A08-64K"),
        pytest.param(["Digest", "Negotiate"], 3, id="A08-none-known"),
        pytest.param([""], 3, id="A08-empty"),
        pytest.param(["Bearer " * 2000], 3, id="A08-many"),
        pytest.param(["Bearer"] * 40, 3, id="A08-many-headers"),
        pytest.param([], 3, id="A08-none"),
    ],
)
def test_challenges_of_every_kind(wanted: Ground, values: list[str], code: int) -> None:
    def ask(request: Request, answer: Answer) -> Answer:
        if answer.status != 401:
            return answer
        return challenge(*(value.replace("{url}", wanted.sim.url) for value in values))(
            request, answer
        )

    wanted.sim.always("/v2/", ask)
    survived(wanted, "lock", code=code, says=[wanted.sim.host] if code else [])
    converges(wanted)


NO_JSON = "is not a JSON object"
NO_TOKEN = "has no usable token"
TOO_LONG = "more than 256 KiB"
FLAT = 80 * 1024 * 1024
"""What a process may have at most while it meets an answer that is larger than this."""


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(instead(200, b"<html>", Content_Type="text/html"), NO_JSON, id="A09-html"),
        pytest.param(instead(200), NO_JSON, id="A09-empty"),
        pytest.param(instead(200, b"[" * 100_000), NO_JSON, id="A09-nested"),
        pytest.param(instead(200, b" " * (96 << 20)), TOO_LONG, id="A09-96-MiB"),
        pytest.param(give(), NO_TOKEN, id="A09-none"),
        pytest.param(give(token=1), NO_TOKEN, id="A09-number"),
        pytest.param(give(token=None), NO_TOKEN, id="A09-null"),
        pytest.param(give(token=["a"]), NO_TOKEN, id="A09-list"),
        pytest.param(give(token=""), NO_TOKEN, id="A09-empty-token"),
        pytest.param(give(token="a\r\nX: y"), NO_TOKEN, id="A09-line-feed"),
        pytest.param(give(token="a\x1b[31m"), NO_TOKEN, id="A09-escape"),
        pytest.param(give(token="a b"), NO_TOKEN, id="A09-space"),
        pytest.param(give(token="ü"), NO_TOKEN, id="A09-non-ascii"),
        pytest.param(give(token="\ud800"), NO_TOKEN, id="A09-surrogate"),
        pytest.param(instead(400), "refused the login", id="A09-400"),
        pytest.param(instead(401), "refused the login", id="A09-401"),
        pytest.param(
            instead(403, b'{"details":"\\u001b[2J no"}'), r"403: \x1b[2J no", id="A09-403"
        ),
        pytest.param(instead(404), "answered 404", id="A09-404"),
    ],
)
def test_answers_without_a_token(wanted: Ground, fault: Fault, says: str) -> None:
    wanted.sim.always("/token", fault)
    wanted.process = says == TOO_LONG
    ran = survived(wanted, "lock", code=3, says=[wanted.sim.host, says])
    assert ran.memory < FLAT
    wanted.process = False
    converges(wanted)


def test_A09_access_token_will_do(wanted: Ground) -> None:
    wanted.sim.always("/token", body(lambda data: data.replace(b'"token"', b'"access_token"')))
    survived(wanted, "lock", code=0)
    converges(wanted)


@pytest.mark.parametrize("stated", ["0", "-1", '"60"', "1e99", "null", "true", "[]", "NaN"])
def test_A10_however_long_a_token_is_said_to_last(wanted: Ground, stated: str) -> None:
    want(wanted)
    wanted.sim.always("/token", body(lambda data: data.replace(b"300", stated.encode())))
    survived(wanted, "lock", code=0)
    survived(wanted, "sync", code=0)
    assert wanted.sim.count("GET", "/token") == 2, "one for each run"
    converges(wanted)


def test_A11_a_token_that_expires_meanwhile_is_renewed_once(wanted: Ground) -> None:
    blob = f"/blobs/{digest_of(LAYER)}"

    def expire(request: Request, answer: Answer) -> Answer:
        wanted.sim.expire_tokens()
        return challenge(f'Bearer realm="{wanted.sim.url}/token"')(request, answer)

    survived(wanted, "lock", code=0)
    wanted.sim.script(blob, expire)
    survived(wanted, "sync", code=0)
    assert wanted.sim.count("GET", blob) == 2
    assert wanted.sim.count("GET", "/token") <= 1 + 3, "one of lock, one at first, one renewed"
    converges(wanted)


@either_login
@pytest.mark.parametrize("path", ["/manifests/", "/blobs/"], ids=["A12-lock", "A12-sync"])
def test_a_registry_that_is_never_content(wanted: Ground, path: str) -> None:
    if path == "/blobs/":
        survived(wanted, "lock", code=0)
    before = wanted.sim.count("GET", path)
    given = (
        'Basic realm="x"' if wanted.sim.login == BASIC else f'Bearer realm="{wanted.sim.url}/token"'
    )
    wanted.sim.always(path, challenge(given))
    command = "lock" if path == "/manifests/" else "sync"
    survived(wanted, command, code=3, says=[wanted.sim.host, "refused"], lasting=False)
    targets = {request.target for request in wanted.sim.asked("GET", path)[before:]}
    assert wanted.sim.count("GET", path) - before <= 2 * len(targets)
    converges(wanted)


@either_login
def test_A13_a_refusal_is_final(wanted: Ground) -> None:
    wanted.sim.always("/manifests/", instead(403))
    survived(wanted, "lock", code=3, says=[wanted.sim.host, "403"], lasting=False)
    assert wanted.sim.count("GET", "/manifests/") == 1
    converges(wanted)


def test_A14_a_refresh_token_is_not_taken(wanted: Ground) -> None:
    secret = b'{"refresh_token":"canary-refresh",'
    wanted.sim.always("/token", body(lambda data: data.replace(b"{", secret, 1)))
    survived(wanted, "lock", code=0)
    survived(wanted, "sync", code=0)
    told = [
        r for r in wanted.sim.requests if "canary-refresh" in f"{r.target}{r.headers}{r.body!r}"
    ]
    assert not told
    assert "canary-refresh" not in wanted.docker_config.read_text()
    converges(wanted)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("registry.example.evil", id="A15-suffix"),
        pytest.param("evil-registry.example", id="A15-prefix"),
        pytest.param("auth.registry.example", id="A15-subdomain"),
        pytest.param("registry.example:8443", id="A15-port"),
    ],
)
def test_a_login_is_for_one_registry(abroad: Abroad, secured: ssl.SSLContext, name: str) -> None:
    with RegistrySim(tls=secured, name=name) as evil:
        evil.login = BASIC
        evil.content.add_image("app", "stable")
        abroad.ports[name] = evil.port
        ground = abroad.ground
        ground.log_in()
        ground.strangers.append(evil)
        ground.spec.write_text(f'[images]\napp = "{name}/app:stable"\n')
        survived(ground, "lock", code=3, says=[name, "none was found"])
        assert evil.requests


@pytest.mark.parametrize("key", ["https://{}", "https://{}/v1/", "http://{}/v2/", "{}/"])
def test_A16_a_login_under_an_older_spelling(ground: Ground, key: str) -> None:
    want(ground)
    ground.configure_docker({"auths": {key.format(ground.sim.host): {"auth": PAIR}}})
    ground.knows_login = True
    survived(ground, "lock", code=0)
    converges(ground)


HELPERS = {
    "right": f'echo \'{{"Username":"{USER}","Secret":"{PASSWORD}"}}\'',
    "hangs": "sleep 60",
    "fails": f"echo {PASSWORD}; echo {PASSWORD} >&2; exit 1",
    "endless": "yes canary",
    "text": f"echo {PASSWORD}",
    "list": "echo '[\"canary\"]'",
    "number": 'echo \'{"Username":"ada","Secret":4711}\'',
}


@pytest.mark.parametrize(
    ("helper", "code"),
    [
        pytest.param("right", 0, id="A17-right"),
        pytest.param("hangs", 2, id="A17-hangs"),
        pytest.param("fails", 2, id="A17-fails"),
        pytest.param("endless", 2, id="A17-endless"),
        pytest.param("text", 2, id="A17-text"),
        pytest.param("list", 2, id="A17-list"),
        pytest.param("number", 2, id="A17-number"),
        pytest.param("not-there", 2, id="A17-not-there"),
        pytest.param("../right", 2, id="A17-parent"),
        pytest.param("/bin/right", 2, id="A17-path"),
        pytest.param("right; touch x", 2, id="A17-shell"),
        pytest.param("right -x", 2, id="A17-space"),
        pytest.param("\x1b[31m", 2, id="A17-escape"),
        pytest.param("", 3, id="A17-empty"),
    ],
)
def test_credential_helpers(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helper: str, code: int
) -> None:
    if helper == "hangs":  # all others answer, however long a busy machine takes to start them
        monkeypatch.setattr(ProcessRunner.__init__, "__kwdefaults__", soon(ProcessRunner))
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name, script in HELPERS.items():
        program = bin_ / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    want(ground)
    ground.environ["PATH"] = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    ground.configure_docker({"credHelpers": {ground.sim.host: helper}})
    ground.knows_login = True
    says = ["~/.docker/config.json"] if code == 2 else []
    survived(ground, "lock", code=code, says=says)
    if code:
        ground.configure_docker({"credHelpers": {ground.sim.host: "right"}})
    converges(ground)


def soon(runner: type[ProcessRunner]) -> dict[str, Any]:
    """The defaults of the runner, but its patience."""
    return {**(runner.__init__.__kwdefaults__ or {}), "timeout": 0.2}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="A18-open"),
        pytest.param("[" * 100_000, id="A18-nested"),
        pytest.param("\0", id="A18-nul"),
        pytest.param('{"auths": ["canary"]}', id="A18-auths"),
        pytest.param('{"auths": {"HOST": {"auth": "canary!"}}}', id="A18-pair"),
        pytest.param(f'{{"auths": {{"HOST": {{"auth": "{PAIR}"}}}}', id="A18-cut"),
    ],
)
def test_a_credential_file_that_cannot_be_read(ground: Ground, text: str) -> None:
    want(ground)
    ground.configure_docker({})
    ground.docker_config.write_text(text.replace("HOST", ground.sim.host))
    survived(ground, "lock", code=2, says=["~/.docker/config.json"])
    ground.log_in()
    converges(ground)


def test_A18_a_credential_file_that_everybody_can_read(wanted: Ground) -> None:
    wanted.docker_config.chmod(0o644)
    survived(wanted, "lock", code=0, says=["~/.docker/config.json"])
    converges(wanted)


def test_A19_a_token_is_for_one_repository(wanted: Ground) -> None:
    wanted.sim.content.add_image("other", "stable")
    wanted.want(app="app:stable", other="other:stable")
    survived(wanted, "lock", code=0)
    sent = {
        name: {r.headers.get("authorization") for r in wanted.sim.asked("GET", f"/v2/{name}/")}
        for name in ("app", "other")
    }
    assert sent["app"] & sent["other"] <= {None}
    assert wanted.sim.count("GET", "/token") == 2
    converges(wanted)


@either_login
@pytest.mark.parametrize("command", ["lock", "sync"])
def test_A20_nothing_tells_a_secret(wanted: Ground, command: str) -> None:
    """Not even with --debug, where a traceback is wanted; the oracle looks for canaries."""
    if command == "sync":
        survived(wanted, "lock", code=0)
    wanted.sim.always("/v2/", header("WWW-Authenticate", None))
    wanted.sim.always("/v2/", instead(418, f"you sent {PAIR[:8]}".encode()))
    ran = wanted.run(command, "--debug")
    assert ran.code == 3
    for secret in ("canary", PAIR.rstrip("="), "token-"):
        assert secret not in ran.out + ran.err
    survived(wanted, command, code=3, says=[wanted.sim.host, "418"])
    converges(wanted)


def test_A22_a_bug_tells_no_secret_either(wanted: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, ask: object, url: object, *, trusted: bool) -> NoReturn:
        raise RuntimeError(
            f"{{'Authorization': 'Basic {PAIR}', 'Cookie': 'canary'}} http://h/x?sig=canary "
            f"http://{USER}:{PASSWORD}@h/"
        )

    monkeypatch.setattr("pinner.registry.courier.Courier._hop", fail)
    for argv in (["lock"], ["lock", "--debug"], ["lock", "--json"]):
        ran = wanted.run(*argv)
        assert ran.code == 70
        for secret in ("canary", PAIR.rstrip("=")):
            assert secret not in ran.out + ran.err
    assert "Traceback" in wanted.run("lock", "--debug").err


@either_login
def test_A23_netrc_is_not_read(ground: Ground) -> None:
    want(ground)
    survived(ground, "lock", code=3, says=["none was found", f"pinner login {ground.sim.host}"])
    assert not [r for r in ground.sim.requests if "authorization" in r.headers]
    ground.log_in()
    converges(ground)


def test_A24_a_proxy_sees_connect_alone(far: Ground, abroad: Abroad) -> None:
    survived(far, "lock", code=0)
    survived(far, "sync", code=0)
    assert abroad.proxy.heads
    for head in abroad.proxy.heads:
        assert head.startswith("CONNECT registry.example:443 HTTP/1.1\r\n")
        assert "authorization" not in head.lower()
        assert PAIR not in head
    converges(far)


def test_A24_S20_a_login_is_not_sent_through_a_proxy_in_the_clear(
    abroad: Abroad, ground: Ground
) -> None:
    """Nor anywhere over plain http, which the project's file alone has asked for."""
    with LoopbackServer(lambda _: challenge('Basic realm="x"')(_, _)) as proxy:  # type: ignore[arg-type]
        far = abroad.ground
        far.strangers.append(proxy)
        far.environ = {"HTTP_PROXY": proxy.url}
        far.log_in()
        far.spec.write_text(
            '[images]\napp = "registry.example/app:stable"\n'
            '[registries."registry.example"]\nplain-http = true\n'
        )
        survived(far, "lock", code=2, says=["over plain http", "registry.example"])
        assert proxy.requests
