"""Faults D: redirects that steal logins, lead inside, lie or never end, met by lock and sync."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from support.ground import BASIC, BEARER, Ground
from support.net import Answer, LoopbackServer, Request, Then
from support.oracle import converges, survived
from support.registry_content import digest_of
from support.registry_faults import Fault, header, instead, raw, redirect
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from cli.conftest import Abroad
    from support.tls import Authority

LAYER = bytes(range(256)) * 1024
BLOB = f"/v2/app/blobs/{digest_of(LAYER)}"
PATHS = {"lock": "/manifests/", "sync": BLOB}
NON_ASCII = "HTTP/1.1 307 X\r\nLocation: /ü\r\nContent-Length: 0\r\n\r\n".encode()
TWO = b"HTTP/1.1 307 X\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def sim(request: pytest.FixtureRequest) -> Iterator[RegistrySim]:
    """A registry that knows the user; its tokens would be of use to a stranger."""
    with RegistrySim(login=getattr(request, "param", BEARER)) as sim:
        yield sim


either_login = pytest.mark.parametrize(
    "sim", [BASIC, BEARER], ids=["basic", "bearer"], indirect=True
)


@pytest.fixture
def wanted(ground: Ground) -> Ground:
    """A project that wants app:stable of one layer, of a registry that the user logged in to."""
    return want(ground)


@pytest.fixture
def far(abroad: Abroad) -> Ground:
    """The same at a public name over https."""
    abroad.ground.sim.login = BEARER
    return want(abroad.ground)


def want(ground: Ground) -> Ground:
    ground.sim.content.add_image("app", "stable", layers=[LAYER])
    ground.want(app="app:stable")
    ground.log_in()
    return ground


def prepare(ground: Ground, command: str) -> str:
    """Come to where `command` meets a redirect; the path of what it then asks for."""
    if command == "sync":
        assert ground.run("lock").code == 0
    return PATHS[command]


def serve(request: Request) -> Answer:
    """The layer, or the asked part of it, for whoever asks."""
    asked = request.headers.get("range")
    if asked is None:
        return Answer(body=LAYER)
    start, last = map(int, asked.removeprefix("bytes=").split("-"))
    where = f"bytes {start}-{last}/{len(LAYER)}"
    return Answer(status=206, body=LAYER[start : last + 1], headers=(("Content-Range", where),))


@pytest.fixture
def storage(wanted: Ground) -> Iterator[LoopbackServer]:
    """A storage host, which is not to get a secret."""
    with LoopbackServer(serve) as server:
        wanted.strangers.append(server)
        yield server


@either_login
@pytest.mark.parametrize(
    "location",
    [
        pytest.param(lambda host: f"http://localhost:{host.port}/b?sig=1", id="D01-other-host"),
        pytest.param(lambda host: f"{host.url}/b?sig=1", id="D02-other-port"),
        pytest.param(lambda host: f"//127.0.0.1:{host.port}/b?sig=1", id="D02-without-scheme"),
        pytest.param(lambda host: f"http://ada:canary-password@{host.host}/b?sig=1", id="D08"),
        pytest.param(lambda host: f"http://ada@{host.host}/b?sig=1", id="D08-user-alone"),
    ],
)
def test_a_storage_host_gets_the_request_alone(
    wanted: Ground, storage: LoopbackServer, location: Callable[[LoopbackServer], str]
) -> None:
    wanted.sim.always("/", header("Set-Cookie", "session=canary"))
    survived(wanted, "lock", code=0)
    wanted.sim.always(BLOB, redirect(location(storage)))
    survived(wanted, "sync", code=0)
    (request,) = storage.requests
    assert (request.method, request.target) == ("GET", "/b?sig=1")
    assert request.headers.keys() <= {"host", "user-agent", "accept", "accept-encoding"} | {
        "connection"
    }
    assert wanted.sim.asked("GET", BLOB)[-1].headers["authorization"]
    converges(wanted)


@either_login
def test_D02_D04_another_scheme_is_a_stranger(
    wanted: Ground, secured: ssl.SSLContext, authority: Authority
) -> None:
    with LoopbackServer(serve, tls=secured) as storage:
        wanted.strangers.append(storage)
        wanted.environ["SSL_CERT_FILE"] = str(authority.ca_file)
        survived(wanted, "lock", code=0)
        wanted.sim.always(BLOB, redirect(f"{storage.url}/b"))
        survived(wanted, "sync", code=0)
        assert len(storage.requests) == 1
    converges(wanted)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308], ids=lambda code: f"D12-{code}")
def test_every_redirect_is_followed_by_a_get(
    wanted: Ground, storage: LoopbackServer, status: int
) -> None:
    survived(wanted, "lock", code=0)
    wanted.sim.always(BLOB, redirect(f"{storage.url}/b", status))
    survived(wanted, "sync", code=0)
    assert [request.method for request in storage.requests] == ["GET"]
    converges(wanted)


@either_login
@pytest.mark.parametrize("command", ["lock", "sync"], ids=["D09-lock", "D09-sync"])
def test_manifests_are_redirected_by_the_same_rules(wanted: Ground, command: str) -> None:
    with RegistrySim() as other:
        wanted.strangers.append(other)
        other.content.add_image("app", "stable", layers=[LAYER])
        if command == "sync":
            survived(wanted, "lock", code=0)
        wanted.sim.always(
            "/manifests/",
            lambda request, answer: redirect(f"{other.url}{request.target}")(request, answer),
        )
        survived(wanted, command, code=0)
        assert "vnd.oci.image.index" in other.requests[0].headers["accept"]
        converges(wanted)


@pytest.mark.parametrize("command", ["lock", "sync"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(redirect("file:///etc/passwd"), "neither http", id="D06-file"),
        pytest.param(redirect("gopher://127.0.0.1/x"), "neither http", id="D06-gopher"),
        pytest.param(redirect("http:///x"), "names no host", id="D06-no-host"),
        pytest.param(redirect("http://127.0.0.1:99999/x"), "", id="D06-port"),
        pytest.param(redirect("/" + "x" * 65536), "not a URL", id="D06-64K"),
        pytest.param(redirect(""), "", id="D06-empty"),
        pytest.param(instead(307), "no Location", id="D06-missing"),
        pytest.param(instead(307, LAYER), "no Location", id="D06-missing-with-a-body"),
        pytest.param(raw(TWO), "more than one Location", id="D06-two"),
        pytest.param(raw(NON_ASCII), "not a URL", id="D06-non-ascii"),
        pytest.param(redirect("http://x/\x1b[31m?canary"), "not a URL", id="D06-escape"),
        pytest.param(redirect("http://169.254.169.254/x?canary"), "link-local", id="D05-metadata"),
        pytest.param(redirect("http://10.0.0.1/x?canary"), "private", id="D05-private"),
        pytest.param(redirect("http://[fd00::1]/x"), "private", id="D05-private-6"),
        pytest.param(redirect("http://[::ffff:169.254.169.254]/x"), "link-local", id="D05-mapped"),
        pytest.param(redirect("http://0xa9fea9fe/x"), "link-local", id="D05-hexadecimal"),
    ],
)
def test_where_no_redirect_may_lead(wanted: Ground, fault: Fault, says: str, command: str) -> None:
    path = prepare(wanted, command)
    wanted.sim.always(path, fault)
    survived(wanted, command, code=3, says=[f"{wanted.sim.url}/v2/app/", says])
    converges(wanted)


@pytest.mark.parametrize("command", ["lock", "sync"])
@pytest.mark.parametrize("status", [302, 307], ids=lambda code: f"D07-{code}")
def test_a_way_without_end(wanted: Ground, command: str, status: int) -> None:
    path = prepare(wanted, command)
    before = wanted.sim.count("GET", path)
    wanted.sim.always(path, lambda r, a: redirect(f"{r.target}?", status)(r, a))
    survived(wanted, command, code=3, says=["more than 5 redirects", wanted.sim.host])
    assert wanted.sim.count("GET", path) - before == 2 * 6, "one and five hops, for text and --json"
    converges(wanted)


@pytest.mark.parametrize(("hops", "code"), [(5, 0), (6, 3)], ids=["D07-five", "D07-six"])
def test_five_hops_are_the_most(wanted: Ground, hops: int, code: int) -> None:
    prepare(wanted, "sync")
    wanted.sim.script(BLOB, *[redirect(BLOB)] * hops)
    survived(wanted, "sync", code=code, lasting=False)
    converges(wanted)


@either_login
@pytest.mark.parametrize("status", [401, 403, 404], ids=lambda code: f"D10-{code}")
def test_a_signature_that_has_expired_is_asked_for_anew(wanted: Ground, status: int) -> None:
    prepare(wanted, "sync")

    def storage(request: Request) -> Answer:
        return serve(request) if request.target == "/b?sig=1" else Answer(status=status)

    with LoopbackServer(storage) as server:
        wanted.strangers.append(server)
        wanted.sim.script(BLOB, *[redirect(f"{server.url}/b?sig={number}") for number in range(3)])
        survived(wanted, "sync", code=0)
        assert [request.target for request in server.requests] == ["/b?sig=0", "/b?sig=1"]
        converges(wanted)


@either_login
@pytest.mark.parametrize("scheme", ["Basic", "Bearer"], ids=["D11-basic", "D11-bearer"])
def test_A21_a_challenge_of_a_storage_host_is_never_answered(wanted: Ground, scheme: str) -> None:
    prepare(wanted, "sync")
    tokens = wanted.sim.count("GET", "/token")

    def storage(request: Request) -> Answer:
        realm = f'{scheme} realm="{wanted.sim.url}/token",service="sim"'
        return Answer(status=401, headers=(("WWW-Authenticate", realm),))

    with LoopbackServer(storage) as server:
        wanted.strangers.append(server)
        wanted.sim.always(BLOB, redirect(f"{server.url}/b?X-Sig=hush"))
        ran = survived(wanted, "sync", code=3, says=[digest_of(LAYER), server.host])
        assert "hush" not in ran.err, "A21"
        logins = 2 if wanted.sim.login == BEARER else 0
        assert wanted.sim.count("GET", "/token") <= tokens + logins, "one for each run, at most"
        converges(wanted)


def test_D13_the_body_of_a_redirect_is_not_read(wanted: Ground, storage: LoopbackServer) -> None:
    prepare(wanted, "sync")
    bomb = gzip.compress(bytes(32 << 20), 1) * 40
    encoded = instead(307, bomb, Location=f"{storage.url}/b", Content_Encoding="gzip")
    wanted.sim.always(BLOB, encoded)
    survived(wanted, "sync", code=0)
    assert len(storage.requests) == 1
    converges(wanted)


def test_D14_range_and_host_follow(wanted: Ground) -> None:
    prepare(wanted, "sync")
    cuts = iter([100_000])

    def storage(request: Request) -> Answer:
        answer = serve(request)
        at = next(cuts, None)
        return Answer(body=answer.body, cut_at=at, then=Then.CLOSE) if at else answer

    with LoopbackServer(storage) as server:
        wanted.strangers.append(server)
        wanted.sim.always(BLOB, redirect(f"{server.url}/b"))
        survived(wanted, "sync", code=0)
        first, second = server.requests
        assert "range" not in first.headers
        assert second.headers["range"].startswith("bytes=")
        assert second.headers["host"] == server.host
        converges(wanted)


@pytest.mark.parametrize("command", ["lock", "sync"], ids=["D03-lock", "D03-sync"])
def test_from_https_to_http_no_redirect_leads(far: Ground, command: str) -> None:
    path = prepare(far, command)
    far.sim.always(path, redirect("http://registry.example/x?canary"))
    survived(far, command, code=3, says=["from https to http", "https://registry.example/v2/app/"])
    converges(far)


INSIDE = [
    *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::1]"),
    *(
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "x.localhost",
    ),
]


@pytest.mark.parametrize("host", INSIDE, ids=lambda host: f"D05-{host}")
def test_from_outside_no_redirect_leads_inside(
    far: Ground, secured: ssl.SSLContext, host: str
) -> None:
    prepare(far, "sync")
    with LoopbackServer(serve, tls=secured) as inside:
        far.strangers.append(inside)
        far.sim.always(BLOB, redirect(f"https://{host}:{inside.port}/b?canary"))
        says = ["address is not followed", far.sim.host]
        survived(far, "sync", code=3, says=says, lasting=False)
        assert not inside.connections
    converges(far)


def test_D01_a_public_storage_host_gets_the_request_alone(
    far: Ground, abroad: Abroad, secured: ssl.SSLContext
) -> None:
    with LoopbackServer(serve, tls=secured) as storage:
        far.strangers.append(storage)
        abroad.ports["other.example"] = storage.port
        prepare(far, "sync")
        far.sim.always(BLOB, redirect("https://other.example/b?sig=1"))
        survived(far, "sync", code=0)
        assert len(storage.requests) == 1
        converges(far)
