"""Pushing to a scripted registry: what is sent, how often, and where a broken upload goes on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinner.errors import (
    AccessDenied,
    IntegrityError,
    NotFound,
    ProtocolError,
    RateLimited,
    Unavailable,
)
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference, Repository
from pinner.oci.sinks import ContentMissing
from pinner.oci.sources import RawManifest
from pinner.registry.open import Tuning
from support.clients import Opened, opened, store_login
from support.net import Answer, LoopbackServer, Request, Then
from support.registry_content import OCI_MANIFEST, digest_of, error
from support.registry_faults import Fault, changed, dropped, header, instead, redirect
from support.registry_sim import Login, RegistrySim
from support.registry_uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.registry.pusher import RegistryPusher

DATA = bytes(range(256)) * 8000  # 2 048 000 bytes
SESSIONS = "/blobs/uploads/"
SESSION = "/blobs/uploads/1"


@dataclass
class Content:
    """Bytes to push; notes which ranges were read."""

    data: bytes = DATA
    asked: list[tuple[int, int]] = field(default_factory=list)

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        self.asked.append((start, end))
        for at in range(start, end, 100_000):
            yield self.data[at : min(at + 100_000, end)]


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
def sim(uploads: Uploads) -> Iterator[RegistrySim]:
    with RegistrySim(content=uploads) as sim:
        yield sim


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Opened]:
    with opened(tmp_path) as here:
        yield here


@pytest.fixture
def pusher(here: Opened) -> RegistryPusher:
    return here.client.pusher()


def described(data: bytes = DATA) -> Descriptor:
    return Descriptor(media_type="", digest=Digest.parse(digest_of(data)), size=len(data))


def app(sim: RegistrySim, path: str = "team/app") -> Repository:
    return Repository(sim.host, path)


def push(pusher: RegistryPusher, sim: RegistrySim, content: Content | None = None) -> list[int]:
    """Push DATA; how the count of sent bytes went."""
    counted: list[int] = []
    pusher.push_blob(app(sim), described(), content or Content(), counted.append)
    return list(itertools.accumulate(counted))


def methods(sim: RegistrySim) -> list[str]:
    return [request.method for request in sim.requests]


def test_a_blob_is_sent_in_one_request(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    counted = push(pusher, sim)
    assert uploads.repositories["team/app"].blobs == {digest_of(DATA): DATA}
    assert methods(sim) == ["POST", "PUT"]
    assert sim.requests[1].headers["content-length"] == str(len(DATA))
    assert sim.requests[1].headers["content-type"] == "application/octet-stream"
    assert (counted[-1], len(counted)) == (len(DATA), 21)


def test_an_empty_blob_is_a_blob(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    pusher.push_blob(app(sim), described(b""), Content(b""), lambda _: None)
    assert uploads.uploaded == [digest_of(b"")]


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("{url}/v2/team/app/blobs/uploads/1?state=0", id="absolute"),
        pytest.param("1?state=0", id="relative"),
        pytest.param("/v2/team/app/blobs/uploads/1?state=0#part", id="with-a-fragment"),
        pytest.param("//{host}/v2/team/app/blobs/uploads/1?state=0", id="without-a-scheme"),
    ],
)
def test_a_session_is_where_the_location_says(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads, location: str
) -> None:
    there = location.format(url=sim.url, host=sim.host)
    sim.script(SESSIONS, header("Location", there))
    push(pusher, sim)
    target = f"/v2/team/app/blobs/uploads/1?state=0&digest=sha256%3A{digest_of(DATA)[7:]}"
    assert sim.requests[1].target == target
    assert uploads.uploaded == [digest_of(DATA)]


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(None, id="none"),
        pytest.param("http://user:secret@[bad", id="no-url"),
        pytest.param("ftp://127.0.0.1/x", id="another-scheme"),
        pytest.param("http://192.168.1.1/x", id="a-private-network"),
    ],
)
def test_a_location_that_leads_nowhere_good_is_not_followed(
    pusher: RegistryPusher, sim: RegistrySim, location: str | None
) -> None:
    sim.script(SESSIONS, header("Location", location))
    with pytest.raises(ProtocolError) as caught:
        push(pusher, sim)
    assert methods(sim) == ["POST"]
    assert "secret" not in str(caught.value)


def test_an_upload_elsewhere_gets_no_credentials(tmp_path: Path, uploads: Uploads) -> None:
    def elsewhere(request: Request) -> Answer:
        return Answer(status=201)

    with RegistrySim(content=uploads, login=Login(scheme="basic", user="u", password="p")) as sim:
        store_login(tmp_path, sim.host, "u", "p")
        with LoopbackServer(elsewhere) as other, opened(tmp_path) as here:
            # Two POSTs: the first is answered 401.
            sim.script(
                SESSIONS, lambda _, answer: answer, header("Location", f"{other.url}/up?s=1")
            )
            push(here.client.pusher(), sim)
            (taken,) = other.requests
    assert taken.body == DATA
    assert taken.target.startswith("/up?s=1&digest=")
    assert "authorization" not in taken.headers
    assert "authorization" in sim.requests[-1].headers


def test_an_elsewhere_that_asks_for_a_login_gets_none(tmp_path: Path, uploads: Uploads) -> None:
    def greedy(request: Request) -> Answer:
        return Answer(status=401, headers=(("WWW-Authenticate", 'Basic realm="give"'),))

    with RegistrySim(content=uploads, login=Login(scheme="basic", user="u", password="p")) as sim:
        store_login(tmp_path, sim.host, "u", "p")
        with LoopbackServer(greedy) as other, opened(tmp_path) as here:
            store_login(tmp_path, other.host, "canary", "canary")
            store_login(tmp_path, sim.host, "u", "p")
            sim.script(SESSIONS, lambda _, answer: answer, header("Location", f"{other.url}/up"))
            with pytest.raises(AccessDenied):
                push(here.client.pusher(), sim)
    assert [request.headers.get("authorization") for request in other.requests] == [None]


def test_a_redirect_takes_the_body_and_no_credentials_along(
    tmp_path: Path, uploads: Uploads
) -> None:
    with RegistrySim(content=uploads, login=Login(scheme="basic", user="u", password="p")) as sim:
        store_login(tmp_path, sim.host, "u", "p")
        with (
            LoopbackServer(lambda _: Answer(status=201)) as storage,
            opened(tmp_path) as here,
        ):
            sim.script(SESSION, redirect(f"{storage.url}/bucket?sig=1"))
            push(here.client.pusher(), sim)
            (taken,) = storage.requests
    assert (taken.method, taken.body) == ("PUT", DATA)
    assert "authorization" not in taken.headers


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_means_get_is_not_followed_with_a_body(
    pusher: RegistryPusher, sim: RegistrySim, status: int
) -> None:
    sim.script(SESSION, redirect(f"{sim.url}/elsewhere", status=status))
    with pytest.raises(ProtocolError, match="redirect of a PUT"):
        push(pusher, sim)
    assert sim.count("PUT", "/elsewhere") == 0


def test_a_broken_upload_goes_on_where_the_registry_has_it(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    sim.read_only(SESSION, 1_000_000)
    content = Content()
    counted = push(pusher, sim, content)
    assert uploads.uploaded == [digest_of(DATA)]
    assert methods(sim) == ["POST", "PUT", "GET", "PATCH", "PUT"]
    assert sim.requests[3].headers["content-range"] == f"1000000-{len(DATA) - 1}"
    assert content.asked == [(0, len(DATA)), (1_000_000, len(DATA))]
    assert counted[-1] == len(DATA)


def test_it_goes_on_as_long_as_it_gets_further(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    """Nine breaks are more than the five attempts of a request that does not get further."""
    sim.read_only(SESSION, *([200_000] * 9))
    push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]
    assert sim.count("PATCH", SESSION) == 9


def test_it_gives_up_where_nothing_gets_further(pusher: RegistryPusher, sim: RegistrySim) -> None:
    sim.read_only(SESSIONS, *([0] * 20))
    with pytest.raises(Unavailable):
        push(pusher, sim)
    assert sim.count("POST", SESSIONS) == 5


def test_a_registry_that_begins_nothing_is_not_asked_without_end(
    pusher: RegistryPusher, sim: RegistrySim
) -> None:
    sim.always(SESSIONS, instead(503))
    with pytest.raises(Unavailable):
        push(pusher, sim)
    assert sim.count("POST", SESSIONS) == 5


def test_where_it_stopped_is_asked_until_there_is_an_answer(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    """Going on without would put bytes behind others, and blame the store for the digest."""
    sim.read_only(SESSION, 1_000_000)
    sim.script("/1?state=0", changed(), instead(503), instead(503))
    push(pusher, sim)
    assert methods(sim) == ["POST", "PUT", "GET", "GET", "GET", "PATCH", "PUT"]
    assert uploads.uploaded == [digest_of(DATA)]


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_registry_that_does_not_say_where_it_stopped_gets_it_all_again(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads, status: int
) -> None:
    sim.read_only(SESSION, 1_000_000)
    sim.script("/1?state=0", changed(), instead(status))
    push(pusher, sim)
    assert methods(sim) == ["POST", "PUT", "GET", "HEAD", "POST", "PUT"]
    assert uploads.uploaded == [digest_of(DATA)]


def test_a_registry_that_forgets_gets_it_all_again(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    uploads.forgets = True
    sim.read_only(SESSION, 1_000_000)
    counted = push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]
    assert methods(sim) == ["POST", "PUT", "GET", "HEAD", "POST", "PUT"]
    assert counted[-1] == len(DATA)


def test_what_was_done_though_the_answer_was_lost_is_not_done_twice(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    sim.script(SESSION, dropped)
    push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]
    assert methods(sim) == ["POST", "PUT", "GET", "HEAD"]


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, len(DATA)), max_size=4),
    forgets=st.booleans(),
    takes=st.one_of(st.none(), st.integers(300_000, len(DATA))),
    largest=st.one_of(st.none(), st.integers(700_000, len(DATA))),
)
# What is left after a break is still more than a request may have.
@example(cuts=[0, 0, 0, 2], forgets=False, takes=None, largest=700_000)
def test_wherever_it_breaks_the_blob_arrives_whole_and_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory,
    cuts: list[int],
    forgets: bool,  # noqa: FBT001 - hypothesis passes names
    takes: int | None,
    largest: int | None,
) -> None:
    uploads = Uploads()
    uploads.forgets, uploads.takes, uploads.largest = forgets, takes, largest
    with (
        pytest.MonkeyPatch.context() as patch,
        RegistrySim(content=uploads) as sim,
        opened(tmp_path_factory.mktemp("home"), tuning=Tuning()) as here,
    ):
        patch.setattr("pinner.registry.uploads._CHUNK", 650_000)
        sim.read_only(SESSIONS, *cuts)
        counted = push(here.client.pusher(), sim)
    assert uploads.repositories["team/app"].blobs == {digest_of(DATA): DATA}
    assert counted[-1] == len(DATA)


def test_a_416_is_answered_by_looking_where_the_session_is(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    sim.read_only(SESSION, 1_000_000)
    # Its word on how far it got is wrong once; the part that follows does not fit.
    sim.script("/1?state=0", changed(), header("Range", "0-1100000"))
    push(pusher, sim)
    assert [r.method for r in sim.requests if "state" in r.target] == [
        *("PUT", "GET", "PATCH"),
        *("GET", "PATCH", "PUT"),
    ]
    assert uploads.uploaded == [digest_of(DATA)]


@pytest.mark.parametrize("stated", ["0-99999999", "bytes=5-9", "nonsense", "0-0"])
def test_a_session_that_makes_no_sense_is_begun_anew(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads, stated: str
) -> None:
    sim.read_only(SESSION, 1000)
    sim.script("/1?state=0", changed(), header("Range", stated))
    push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]
    assert methods(sim) == ["POST", "PUT", "GET", "HEAD", "POST", "PUT"]


def test_a_registry_that_takes_less_than_it_is_sent_gets_the_rest(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    uploads.takes = 500_000
    sim.read_only(SESSION, 1_000_000)
    push(pusher, sim)
    ranges = [request.headers["content-range"] for request in sim.asked("PATCH", SESSION)]
    starts = [int(text.partition("-")[0]) for text in ranges]
    assert starts == [1_000_000, 1_500_000, 2_000_000]
    assert uploads.uploaded == [digest_of(DATA)]


def test_a_session_that_is_gone_is_begun_anew(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    def forget(request: Request, answer: Answer) -> Answer:
        uploads.repositories.clear()
        uploads.uploaded.clear()
        return error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")

    sim.script(SESSION, forget)
    push(pusher, sim)
    assert methods(sim) == ["POST", "PUT", "HEAD", "POST", "PUT"]
    assert uploads.uploaded == [digest_of(DATA)]


def test_what_a_registry_kept_wrong_is_sent_once_more(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    uploads.spoils = True
    sim.read_only(SESSION, 1_000_000)
    push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]
    assert methods(sim)[-3:] == ["HEAD", "POST", "PUT"]


def test_what_is_too_large_for_one_request_comes_in_parts(
    monkeypatch: pytest.MonkeyPatch, pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    monkeypatch.setattr("pinner.registry.uploads._CHUNK", 500_000)
    uploads.largest = 1_000_000
    push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]
    assert [len(request.body) for request in sim.asked("PATCH", SESSIONS)] == [
        *([500_000] * 4),
        48_000,
    ]


def test_parts_are_as_large_as_the_registry_wants_them(
    monkeypatch: pytest.MonkeyPatch, pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    monkeypatch.setattr("pinner.registry.uploads._CHUNK", 500_000)
    uploads.largest, uploads.least_chunk = 1_500_000, 1_200_000
    push(pusher, sim)
    parts = [len(request.body) for request in sim.asked("PATCH", SESSIONS)]
    assert parts == [1_200_000, 848_000]


def test_wrong_bytes_are_the_stores_fault(pusher: RegistryPusher, sim: RegistrySim) -> None:
    with pytest.raises(IntegrityError) as caught:
        push(pusher, sim, Content(b"x" + DATA[1:]))
    assert "pinner verify --repair" in str(caught.value)
    assert sim.count("POST", SESSIONS) == 1


def test_a_blob_stored_under_another_digest_is_noticed(
    pusher: RegistryPusher, sim: RegistrySim
) -> None:
    sim.script(SESSION, header("Docker-Content-Digest", digest_of(b"other")))
    with pytest.raises(IntegrityError, match="stored blob"):
        push(pusher, sim)


def test_a_missing_repository_is_said_with_the_mend(
    pusher: RegistryPusher, sim: RegistrySim
) -> None:
    sim.always(SESSIONS, instead(404, b'{"errors":[{"code":"NAME_UNKNOWN"}]}'))
    with pytest.raises(NotFound, match="was not found") as caught:
        push(pusher, sim)
    assert "made first" in str(caught.value)


def test_a_429_is_waited_for(
    here: Opened, pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    sim.script(SESSION, instead(429, Retry_After="7"))
    push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]
    assert here.clock.slept >= 7


def test_a_429_for_too_long_is_not(pusher: RegistryPusher, sim: RegistrySim) -> None:
    sim.script(SESSION, instead(429, Retry_After="7000"))
    with pytest.raises(RateLimited):
        push(pusher, sim)


@pytest.mark.parametrize("when", [SESSIONS, SESSION])
def test_a_503_is_tried_again(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads, when: str
) -> None:
    sim.script(when, instead(503))
    push(pusher, sim)
    assert uploads.uploaded == [digest_of(DATA)]


# Logins.


def with_tokens(uploads: Uploads) -> RegistrySim:
    return RegistrySim(content=uploads, login=Login(user="u", password="p"))


def test_one_token_serves_a_whole_push(tmp_path: Path, uploads: Uploads) -> None:
    with with_tokens(uploads) as sim, opened(tmp_path) as here:
        store_login(tmp_path, sim.host, "u", "p")
        pusher = here.client.pusher()
        assert not pusher.has_blob(app(sim), described())
        push(pusher, sim)
        pusher.push_manifest(app(sim), manifest(), "1")
    (token,) = sim.asked("GET", "/token")
    assert "scope=repository%3Ateam%2Fapp%3Apull%2Cpush&" in f"{token.target}&"


def test_a_token_that_ran_out_midway_is_renewed_and_the_body_sent_again(
    tmp_path: Path, uploads: Uploads
) -> None:
    with with_tokens(uploads) as sim, opened(tmp_path) as here:
        store_login(tmp_path, sim.host, "u", "p")

        def expire(request: Request, answer: Answer) -> Answer:
            sim.expire_tokens()
            return answer

        sim.script(SESSIONS, lambda _, answer: answer, expire)
        push(here.client.pusher(), sim)
    assert [request.method for request in sim.asked("PUT", SESSION)] == ["PUT", "PUT"]
    assert uploads.uploaded == [digest_of(DATA)]


def test_an_answer_that_comes_before_the_body_is_read_is_heard(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    """The server reads nothing and closes nothing: whoever only sends waits for ever."""
    big = bytes(20_000_000)
    sim.read_only(SESSION, 0)
    denied = error(403, "DENIED", "quota exceeded")
    sim.script(SESSION, lambda _, answer: changed(then=Then.STALL)(_, denied))
    content = Content(big)
    with pytest.raises(AccessDenied, match="refused") as caught:
        pusher.push_blob(app(sim), described(big), content, lambda _: None)
    assert "quota exceeded" in str(caught.value)


# Mounts.


def test_a_mount_sends_nothing(tmp_path: Path, uploads: Uploads) -> None:
    with with_tokens(uploads) as sim, opened(tmp_path) as here:
        store_login(tmp_path, sim.host, "u", "p")
        uploads.add_blob("base", DATA)
        assert here.client.pusher().mount_blob(app(sim), described(), app(sim, "base"))
    assert uploads.repositories["team/app"].blobs == {digest_of(DATA): DATA}
    (token,) = sim.asked("GET", "/token")
    assert "scope=repository%3Ateam%2Fapp%3Apull%2Cpush&scope=repository%3Abase%3Apull" in (
        token.target
    )


def test_a_refused_mount_goes_on_with_the_session_that_was_offered(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    uploads.mounts = False
    assert not pusher.mount_blob(app(sim), described(), app(sim, "base"))
    push(pusher, sim)
    assert methods(sim) == ["POST", "PUT"]
    assert uploads.uploaded == [digest_of(DATA)]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_mount_that_is_refused_altogether_is_no_error(
    pusher: RegistryPusher, sim: RegistrySim, status: int
) -> None:
    sim.script(SESSIONS, instead(status), instead(status))
    assert not pusher.mount_blob(app(sim), described(), app(sim, "base"))


def test_a_mount_for_which_there_is_no_token_is_no_error(tmp_path: Path, uploads: Uploads) -> None:
    with with_tokens(uploads) as sim, opened(tmp_path) as here:
        store_login(tmp_path, sim.host, "u", "p")
        sim.always("/token", instead(403))
        assert not here.client.pusher().mount_blob(app(sim), described(), app(sim, "base"))


# Manifests.


def manifest(data: bytes | None = None) -> RawManifest:
    data = data or b'{"schemaVersion":2,"mediaType":"%b","layers":[]}' % OCI_MANIFEST.encode()
    return RawManifest(media_type=OCI_MANIFEST, digest=Digest.of(data), data=data)


@pytest.mark.parametrize("tag", ["1", None])
def test_a_manifest_is_pushed_byte_for_byte(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads, tag: str | None
) -> None:
    raw = manifest()
    pusher.push_manifest(app(sim), raw, tag)
    held = uploads.repositories["team/app"]
    assert held.manifests == {str(raw.digest): (OCI_MANIFEST, raw.data)}
    assert held.tags == ({tag: str(raw.digest)} if tag else {})
    assert sim.requests[0].target == f"/v2/team/app/manifests/{tag or raw.digest}"


def test_a_manifest_whose_blobs_are_missing_is_said_as_such(
    pusher: RegistryPusher, sim: RegistrySim
) -> None:
    data = b'{"layers":[{"digest":"%b"}]}' % digest_of(DATA).encode()
    with pytest.raises(ContentMissing, match="refused"):
        pusher.push_manifest(app(sim), manifest(data), "1")


def test_a_manifest_stored_under_another_digest_is_noticed(
    pusher: RegistryPusher, sim: RegistrySim
) -> None:
    sim.script("/manifests/", header("Docker-Content-Digest", digest_of(b"other")))
    with pytest.raises(IntegrityError, match="stored"):
        pusher.push_manifest(app(sim), manifest(), "1")


def test_a_manifest_goes_to_nobody_else(pusher: RegistryPusher, sim: RegistrySim) -> None:
    with LoopbackServer(lambda _: Answer(status=201)) as other:
        sim.script("/manifests/", redirect(f"{other.url}/x"))
        with pytest.raises(ProtocolError, match="redirect of a PUT"):
            pusher.push_manifest(app(sim), manifest(), "1")
        assert other.requests == []


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        pytest.param(changed(), ["HEAD"], id="honest"),
        pytest.param(header("Docker-Content-Digest", None), ["HEAD", "GET"], id="no-digest"),
    ],
)
def test_what_a_tag_names_is_asked_by_head(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads, fault: Fault, asked: list[str]
) -> None:
    image = uploads.add_image("team/app", "1")
    sim.script("/manifests/", fault)
    assert str(pusher.digest_of(Reference(app(sim), "1"))) == image.digest
    assert methods(sim) == asked


@pytest.mark.parametrize("status", [404, 405, 401, 403])
def test_a_head_that_is_refused_means_that_it_is_not_there(
    pusher: RegistryPusher, sim: RegistrySim, status: int
) -> None:
    sim.always("/v2/team", instead(status))
    assert pusher.digest_of(Reference(app(sim), "1")) is None
    assert not pusher.has_blob(app(sim), described())


def test_a_blob_of_another_size_is_not_the_blob(
    pusher: RegistryPusher, sim: RegistrySim, uploads: Uploads
) -> None:
    uploads.add_blob("team/app", DATA)
    assert pusher.has_blob(app(sim), described())
    sim.script("/blobs/", header("Content-Length", "5"))
    assert not pusher.has_blob(app(sim), described())
