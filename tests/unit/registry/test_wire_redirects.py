"""Redirects and logins on the wire: who gets which header (faults.md D, A11, A12, A20, A21)."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pinner.errors import AccessDenied, PinnerError, ProtocolError
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.reference import Repository
from support.clients import Opened, opened, ref, store_login
from support.net import Answer, LoopbackServer, Request, Then
from support.registry_content import digest_of
from support.registry_faults import Fault, changed, header, honest, instead, raw, redirect
from support.registry_sim import Login, RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = b"layer" * 1000
SECRET = "canary-password"
PAIR = base64.b64encode(f"me:{SECRET}".encode()).decode()
BLOB = f"/v2/team/app/blobs/{digest_of(DATA)}"


@pytest.fixture(params=["basic", "bearer"])
def sim(request: pytest.FixtureRequest) -> Iterator[RegistrySim]:
    login = Login(scheme=request.param, user="me", password=SECRET)
    with RegistrySim(login=login) as sim:
        sim.content.add_image("team/app", "stable", layers=[DATA])
        yield sim


@pytest.fixture
def storage() -> Iterator[LoopbackServer]:
    """A storage host at another port, which serves the blob to whoever asks."""

    def serve(request: Request) -> Answer:
        wanted = request.headers.get("range")
        if wanted is None:
            return Answer(body=DATA)
        start, last = map(int, wanted.removeprefix("bytes=").split("-"))
        where = f"bytes {start}-{last}/{len(DATA)}"
        part = DATA[start : last + 1]
        return Answer(status=206, body=part, headers=(("Content-Range", where),))

    with LoopbackServer(serve) as storage:
        yield storage


@pytest.fixture
def here(tmp_path: Path, sim: RegistrySim) -> Iterator[Opened]:
    store_login(tmp_path, sim.host, "me", SECRET)
    with opened(tmp_path) as here:
        yield here


def fetch(here: Opened, sim: RegistrySim, start: int = 0, end: int | None = None) -> bytes:
    wanted = Descriptor(media_type="", digest=Digest.parse(digest_of(DATA)), size=len(DATA))
    repository = Repository(sim.host, "team/app")
    with here.client.open_blob(repository, wanted, start=start, end=end) as stream:
        return b"".join(bytes(piece) for piece in stream.chunks())


def resolve(here: Opened, sim: RegistrySim) -> str:
    return str(here.client.resolve(ref(sim.host, "team/app:stable")).digest)


def assert_nothing_secret(requests: list[Request]) -> None:
    for request in requests:
        assert not {"authorization", "cookie", "proxy-authorization"} & set(request.headers)
        assert not [name for name in request.headers if name.startswith("x-")]
        assert SECRET not in repr(request)
        assert PAIR not in repr(request)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308], ids=lambda code: f"D12-{code}")
def test_D01_D02_no_credentials_leave_the_origin(
    sim: RegistrySim, storage: LoopbackServer, here: Opened, status: int
) -> None:
    sim.always("/manifests/", header("Set-Cookie", "session=canary"))
    resolve(here, sim)
    sim.always("/blobs/", redirect(f"{storage.url}/b?sig=1", status))
    assert fetch(here, sim) == DATA
    (request,) = storage.requests
    assert (request.method, request.target) == ("GET", "/b?sig=1")
    assert_nothing_secret(storage.requests)
    assert sim.asked("GET", "/blobs/")[-1].headers["authorization"]


def test_D01_cookies_are_not_kept(sim: RegistrySim, here: Opened) -> None:
    sim.always("/", header("Set-Cookie", "session=canary"))
    for _ in range(2):
        resolve(here, sim)
    assert not [request for request in sim.requests if "cookie" in request.headers]
    assert not list(here.client._courier._client.cookies.jar), "they would pile up"


def test_a_redirect_within_the_origin_keeps_the_login(sim: RegistrySim, here: Opened) -> None:
    resolve(here, sim)
    sim.script("/blobs/", redirect(BLOB))
    assert fetch(here, sim) == DATA
    first, second = sim.asked("GET", "/blobs/")
    assert first.headers["authorization"] == second.headers["authorization"]


def test_a_way_back_to_the_origin_does_not_get_the_login_back(
    sim: RegistrySim, here: Opened
) -> None:
    resolve(here, sim)
    back = Answer(status=307, headers=(("Location", f"{sim.url}{BLOB}?back"),))
    with LoopbackServer(lambda _: back) as elsewhere:
        away = redirect(elsewhere.url)
        sim.always("/blobs/", lambda r, a: a if "?back" in r.target else away(r, a))
        with pytest.raises(AccessDenied):
            fetch(here, sim)
    assert_nothing_secret(sim.asked("GET", "?back"))


def test_D14_range_and_host_follow(sim: RegistrySim, storage: LoopbackServer, here: Opened) -> None:
    resolve(here, sim)
    sim.always("/blobs/", redirect(f"{storage.url}/b"))
    assert fetch(here, sim, 10, 20) == DATA[10:20]
    (request,) = storage.requests
    assert request.headers["range"] == "bytes=10-19"
    assert request.headers["host"] == storage.host
    assert request.headers["accept-encoding"] == "identity"


def test_a_signed_target_is_sent_to_the_letter(
    sim: RegistrySim, storage: LoopbackServer, here: Opened
) -> None:
    target = "/b/%2E%2e//x?X-Amz-Credential=a%2Fb&sig=c+d~%7E==&e=[1]"
    sim.always("/blobs/", redirect(f"{storage.url}{target}"))
    assert fetch(here, sim) == DATA
    assert storage.requests[0].target == target


def test_D09_manifests_too(sim: RegistrySim, storage: LoopbackServer, here: Opened) -> None:
    resolve(here, sim)
    with RegistrySim() as other:
        image = other.content.add_image("team/app", "stable", layers=[DATA])
        target = f"{other.url}/v2/team/app/manifests/stable"
        sim.always("/manifests/", redirect(target))
        assert resolve(here, sim) == image.digest
        assert "vnd.oci.image.index" in other.requests[0].headers["accept"]
        assert_nothing_secret(other.requests)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param(redirect("file:///etc/passwd"), "neither http", id="D06-file"),
        pytest.param(redirect("http:///x"), "names no host", id="D06-no-host"),
        pytest.param(redirect("/" + "x" * 65536), "not a URL", id="D06-64K"),
        pytest.param(instead(307), "no Location", id="D06-missing"),
        pytest.param(
            raw("HTTP/1.1 307 X\r\nLocation: /ü\r\nContent-Length: 0\r\n\r\n".encode()),
            "not a URL",
            id="D06-non-ascii",
        ),
        pytest.param(redirect("http://169.254.169.254/x"), "link-local", id="D05-metadata"),
        pytest.param(redirect(BLOB), "more than 5 redirects", id="D07-loop"),
    ],
)
def test_redirects_that_are_not_followed(
    sim: RegistrySim, here: Opened, fault: Fault, why: str
) -> None:
    resolve(here, sim)
    sim.always("/blobs/", fault)
    with pytest.raises(ProtocolError, match=why) as caught:
        fetch(here, sim)
    assert str(caught.value).startswith(sim.url)
    assert sim.count("GET", "/blobs/") <= 6


def test_D07_five_hops_are_fine(sim: RegistrySim, here: Opened) -> None:
    sim.script("/blobs/", honest, *[redirect(BLOB)] * 5)
    resolve(here, sim)
    assert fetch(here, sim) == DATA


def test_D08_userinfo_is_dropped(sim: RegistrySim, storage: LoopbackServer, here: Opened) -> None:
    sim.always("/blobs/", redirect(f"http://u:{SECRET}@{storage.host}/b"))
    assert fetch(here, sim) == DATA
    assert_nothing_secret(storage.requests)


@pytest.mark.parametrize("status", [400, 401, 403, 404], ids=lambda code: f"D10-{code}")
def test_after_a_storage_refusal_the_registry_is_asked_anew(
    sim: RegistrySim, here: Opened, status: int
) -> None:
    answers = [Answer(status=status, headers=(("WWW-Authenticate", 'Basic realm="x"'),))]
    with LoopbackServer(lambda _: answers.pop() if answers else Answer(body=DATA)) as storage:
        resolve(here, sim)
        asked = sim.count("GET", "/blobs/")
        sim.always("/blobs/", redirect(f"{storage.url}/b?expires=1"))
        assert fetch(here, sim) == DATA
        assert sim.count("GET", "/blobs/") == asked + 2
        assert_nothing_secret(storage.requests)


def test_D11_a_storage_challenge_is_never_answered(sim: RegistrySim, here: Opened) -> None:
    refusal = Answer(status=401, headers=(("WWW-Authenticate", 'Basic realm="x"'),))
    with LoopbackServer(lambda _: refusal) as storage:
        sim.always("/blobs/", redirect(f"{storage.url}/b?X-Sig=canary-signature"))
        with pytest.raises(AccessDenied) as caught:
            fetch(here, sim)
        assert_nothing_secret(storage.requests)
        assert len(storage.requests) == 5
    assert "canary-signature" not in str(caught.value), "A21"


def test_D13_the_body_of_a_redirect_is_not_read(
    sim: RegistrySim, storage: LoopbackServer, here: Opened
) -> None:
    bomb = gzip.compress(b"\0" * (16 << 20))
    sent = replace(
        Answer(
            status=307,
            body=bomb,
            headers=(("Location", f"{storage.url}/b"), ("Content-Encoding", "gzip")),
        ),
        cut_at=9000,
        then=Then.STALL,
    )
    sim.always("/blobs/", lambda request, answer: sent)
    assert fetch(here, sim) == DATA


class TestLogins:
    def test_A12_a_login_that_does_not_help_is_tried_once(
        self, sim: RegistrySim, here: Opened
    ) -> None:
        sim.always("/manifests/", _unauthorized)
        with pytest.raises(AccessDenied):
            resolve(here, sim)
        assert sim.count("GET", "/manifests/") == 2

    def test_A11_a_login_that_ran_out_is_renewed_once(self, sim: RegistrySim, here: Opened) -> None:
        resolve(here, sim)
        sim.expire_tokens()
        assert fetch(here, sim) == DATA
        resolve(here, sim)

    def test_one_login_serves_later_requests(self, sim: RegistrySim, here: Opened) -> None:
        for _ in range(3):
            resolve(here, sim)
            fetch(here, sim)
        assert here.client.counts["manifest"] == 4
        assert here.client.counts["blob"] == 3
        assert here.client.counts["token"] <= 1

    def test_a_challenge_that_only_the_root_gives_is_found(
        self, sim: RegistrySim, here: Opened
    ) -> None:
        sim.script("/manifests/", header("WWW-Authenticate", None))
        resolve(here, sim)
        assert here.client.counts["ping"] == 1

    def test_without_any_challenge_the_401_is_the_answer(
        self, sim: RegistrySim, here: Opened
    ) -> None:
        sim.always("/", header("WWW-Authenticate", None))
        with pytest.raises(AccessDenied, match="401 unauthorized"):
            resolve(here, sim)

    def test_a_refusal_names_the_login(self, sim: RegistrySim, here: Opened) -> None:
        sim.always(
            "/manifests/", lambda r, a: replace(a, status=a.status if a.status == 401 else 403)
        )
        with pytest.raises(AccessDenied) as caught:
            resolve(here, sim)
        assert "config.json (auths: " in caught.value.mend[-1]

    @pytest.mark.parametrize("status", [403, 404])
    def test_A20_secrets_are_in_no_message(
        self, sim: RegistrySim, here: Opened, status: int
    ) -> None:
        sim.always("/manifests/", changed(status=status))
        with pytest.raises(PinnerError) as caught:
            resolve(here, sim)
        shown = f"{caught.value!s} {caught.value!r} {here.client!r} {here.notes}"
        assert SECRET not in shown
        assert PAIR not in shown
        assert "token-" not in shown


def _unauthorized(request: Request, answer: Answer) -> Answer:
    return Answer(status=401, headers=(("WWW-Authenticate", 'Basic realm="sim"'),))
