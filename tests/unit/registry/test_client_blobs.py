from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from pinner.errors import IntegrityError, NotFound, ProtocolError, Unavailable
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.reference import Repository
from pinner.oci.registryconfig import RegistryConfig
from pinner.registry.http11 import Timeouts
from pinner.registry.open import Tuning
from support.clients import IMPATIENT, Opened, opened
from support.clock import FakeClock
from support.net import Answer, Request, Then
from support.registry_content import digest_of
from support.registry_faults import (
    Fault,
    body,
    changed,
    chunked,
    close_delimited,
    cut,
    dripping,
    dropped,
    flipped,
    gzip_encoded,
    header,
    instead,
    redirect,
)
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = bytes(range(256)) * 800  # 204 800 bytes


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as sim:
        sim.content.add_blob("team/app", DATA)
        yield sim


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Opened]:
    with opened(tmp_path) as here:
        yield here


def descriptor(data: bytes = DATA, size: int | None = None) -> Descriptor:
    digest = Digest.parse(digest_of(data))
    return Descriptor(media_type="", digest=digest, size=len(data) if size is None else size)


def fetched(
    here: Opened,
    sim: RegistrySim,
    wanted: Descriptor | None = None,
    *,
    start: int = 0,
    end: int | None = None,
    avoid: frozenset[str] = frozenset(),
) -> bytes:
    """The bytes that a stream delivers; checks that it delivers what it promises."""
    repository = Repository(sim.host, "team/app")
    wanted = wanted or descriptor()
    with here.client.open_blob(repository, wanted, start=start, end=end, avoid=avoid) as stream:
        pieces = [bytes(piece) for piece in stream.chunks()]
        assert all(pieces)
        assert sum(map(len, pieces)) == stream.end - stream.start
    return b"".join(pieces)


def test_a_whole_blob_is_asked_for_without_range(sim: RegistrySim, here: Opened) -> None:
    repository = Repository(sim.host, "team/app")
    with here.client.open_blob(repository, descriptor()) as stream:
        shape = (stream.source, stream.start, stream.end, stream.ranged)
        assert shape == (sim.url, 0, len(DATA), False)
        assert b"".join(bytes(piece) for piece in stream.chunks()) == DATA
    assert "range" not in sim.requests[0].headers
    assert here.client.counts == {"blob": 1}


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 100_000), (1, None), (204_799, 204_800)])
def test_a_part_is_asked_for_by_a_closed_range(
    sim: RegistrySim, here: Opened, start: int, end: int | None
) -> None:
    assert fetched(here, sim, start=start, end=end) == DATA[start:end]
    last = (end or len(DATA)) - 1
    assert sim.requests[0].headers["range"] == f"bytes={start}-{last}"


def test_B07_an_empty_blob(sim: RegistrySim, here: Opened) -> None:
    sim.content.add_blob("team/app", b"")
    assert fetched(here, sim, descriptor(b"")) == b""


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(chunked, id="chunked"),
        pytest.param(close_delimited, id="close-delimited"),
        pytest.param(changed(interim=5), id="100-continue"),
        pytest.param(changed(then=Then.CLOSE), id="H20"),
        pytest.param(redirect("/v2/team/app/blobs/" + digest_of(DATA)), id="redirected"),
    ],
)
@pytest.mark.parametrize("part", [(0, None), (10, 20_000)], ids=["whole", "part"])
def test_harmless_oddities(
    sim: RegistrySim, here: Opened, fault: Fault, part: tuple[int, int | None]
) -> None:
    sim.script("/blobs/", fault)
    assert fetched(here, sim, start=part[0], end=part[1]) == DATA[part[0] : part[1]]


@pytest.mark.parametrize("connection_header", ["", "Connection: keep-alive\r\n"])
def test_H21_http_1_0(sim: RegistrySim, here: Opened, connection_header: str) -> None:
    head = f"HTTP/1.0 200 OK\r\n{connection_header}Content-Length: {len(DATA)}\r\n\r\n"
    sim.always("/blobs/", changed(raw=head.encode() + DATA, then=Then.CLOSE))
    assert fetched(here, sim) == DATA
    assert fetched(here, sim) == DATA


def ignoring_range(request: Request, answer: Answer) -> Answer:
    return Answer(body=DATA)


def test_H14_a_range_that_is_ignored_gives_the_whole_blob(sim: RegistrySim, here: Opened) -> None:
    sim.always("/blobs/", ignoring_range)
    repository = Repository(sim.host, "team/app")
    with here.client.open_blob(repository, descriptor(), start=100, end=200) as stream:
        assert (stream.start, stream.end, stream.ranged) == (0, len(DATA), False)
        assert b"".join(bytes(piece) for piece in stream.chunks()) == DATA


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(header("Content-Range", "bytes 101-199/204800"), id="H15-start"),
        pytest.param(header("Content-Range", "bytes 100-198/204800"), id="H15-end"),
        pytest.param(header("Content-Range", "bytes 100-199/204801"), id="H15-total"),
        pytest.param(header("Content-Range", "items 100-199/204800"), id="H15-unit"),
        pytest.param(header("Content-Range", None), id="H15-missing"),
        pytest.param(body(lambda data: data[:-1]), id="H15-length"),
        pytest.param(
            instead(206, b"--x", Content_Type="multipart/byteranges; boundary=x"), id="H18"
        ),
        pytest.param(instead(416, b"no"), id="H16-416"),
        pytest.param(instead(400, b"no"), id="400"),
    ],
)
def test_ranges_that_do_not_work_are_protocol_errors(
    sim: RegistrySim, here: Opened, fault: Fault
) -> None:
    sim.always("/blobs/", fault)
    with pytest.raises(ProtocolError, match="range") as caught:
        fetched(here, sim, start=100, end=200)
    assert sim.url in caught.value.what
    assert len(sim.requests) == 1


def test_a_total_of_unknown_length_is_fine(sim: RegistrySim, here: Opened) -> None:
    sim.always("/blobs/", header("Content-Range", "bytes 100-199/*"))
    assert fetched(here, sim, start=100, end=200) == DATA[100:200]


def test_a_206_that_nobody_asked_for_is_refused(sim: RegistrySim, here: Opened) -> None:
    sim.always("/blobs/", changed(status=206))
    with pytest.raises(ProtocolError, match="206"):
        fetched(here, sim)


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1], ids=["B04-longer", "B04-shorter"])
def test_a_length_that_contradicts_the_descriptor(
    sim: RegistrySim, here: Opened, size: int
) -> None:
    with pytest.raises(IntegrityError, match=f"offers 204800 bytes for a blob of {size}"):
        here.client.open_blob(Repository(sim.host, "team/app"), descriptor(size=size))


def test_B09_an_empty_answer(sim: RegistrySim, here: Opened) -> None:
    sim.always("/blobs/", instead(200))
    with pytest.raises(IntegrityError, match="offers 0 bytes"):
        fetched(here, sim)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(cut(1000), id="B02-cut"),
        pytest.param(cut(1000, Then.RESET), id="H03-reset"),
    ],
)
def test_a_body_that_breaks_off_is_unavailable(
    sim: RegistrySim, here: Opened, fault: Fault
) -> None:
    sim.always("/blobs/", fault)
    with pytest.raises(Unavailable) as caught:
        fetched(here, sim)
    assert caught.value.transient
    assert len(sim.requests) == 1, "continuing is the caller's business"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(cut(1000, Then.STALL), id="H04-stall"),
        pytest.param(cut(0, Then.STALL), id="H04-stall-after-headers"),
    ],
)
def test_a_body_that_falls_silent_is_unavailable(
    sim: RegistrySim, tmp_path: Path, fault: Fault
) -> None:
    with opened(tmp_path, tuning=IMPATIENT) as hasty:
        test_a_body_that_breaks_off_is_unavailable(sim, hasty, fault)


def test_B02_what_came_before_the_break_was_delivered(sim: RegistrySim, here: Opened) -> None:
    sim.always("/blobs/", cut(100_000))
    got = bytearray()
    with here.client.open_blob(Repository(sim.host, "team/app"), descriptor()) as stream:

        def drain() -> None:
            for piece in stream.chunks():
                got.extend(piece)

        with pytest.raises(Unavailable, match="104800 bytes before its end"):
            drain()
    assert bytes(got) == DATA[:100_000]


def test_B03_a_short_close_delimited_body(sim: RegistrySim, here: Opened) -> None:
    def short(request: Request, answer: Answer) -> Answer:
        return close_delimited(request, body(lambda data: data[:-5])(request, answer))

    sim.always("/blobs/", short)
    with pytest.raises(Unavailable, match="5 bytes before its end"):
        fetched(here, sim)


@pytest.mark.parametrize("framing", [chunked, close_delimited])
def test_B05_no_byte_beyond_the_blob_is_delivered(
    sim: RegistrySim, here: Opened, framing: Fault
) -> None:
    def long(request: Request, answer: Answer) -> Answer:
        return framing(request, body(lambda data: data + b"x")(request, answer))

    sim.always("/blobs/", long)
    with pytest.raises(IntegrityError, match="sends more than the 204800 bytes"):
        fetched(here, sim)


def test_H05_a_drip_is_cut(sim: RegistrySim, tmp_path: Path) -> None:
    sim.always("/blobs/", dripping(0.001))
    patient = Tuning(timeouts=Timeouts(connect=120, answer=600, silence=600))
    with (
        opened(tmp_path, tuning=patient, clock=FakeClock(tick=1.0)) as here,
        pytest.raises(Unavailable, match=r"only \d+ bytes came in 3\d s") as caught,
    ):
        fetched(here, sim)
    assert caught.value.transient


def test_H05_a_slow_but_decent_body_is_not_cut(sim: RegistrySim, tmp_path: Path) -> None:
    patient = Tuning(timeouts=Timeouts(connect=120, answer=600, silence=600))
    with opened(tmp_path, tuning=patient, clock=FakeClock(tick=1.0)) as here:
        assert fetched(here, sim) == DATA


def test_B10_an_encoded_blob_is_delivered_as_it_is(sim: RegistrySim, here: Opened) -> None:
    packed = gzip.compress(DATA)
    sim.content.add_blob("team/app", packed)
    sim.always("/blobs/", header("Content-Encoding", "gzip"))
    assert fetched(here, sim, descriptor(packed)) == packed


def test_B10_an_encoded_blob_of_another_length_is_explained(sim: RegistrySim, here: Opened) -> None:
    sim.always("/blobs/", gzip_encoded)
    with pytest.raises(IntegrityError, match=r"encoded on the way \(gzip\)"):
        fetched(here, sim)


def test_B20_a_bomb_stays_small(sim: RegistrySim, here: Opened) -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))
    sim.content.add_blob("team/app", bomb)
    sim.always("/blobs/", header("Content-Encoding", "gzip"))
    assert fetched(here, sim, descriptor(bomb)) == bomb


def test_B08_a_missing_blob_is_named(sim: RegistrySim, here: Opened) -> None:
    wanted = descriptor(b"not there")
    with pytest.raises(NotFound, match=f"blob {wanted.digest} of {sim.host}/team/app was not"):
        fetched(here, sim, wanted)


def test_an_early_close_spoils_no_later_request(sim: RegistrySim, here: Opened) -> None:
    repository = Repository(sim.host, "team/app")
    for _ in range(3):
        with here.client.open_blob(repository, descriptor()) as stream:
            next(iter(stream.chunks()))
    assert fetched(here, sim) == DATA


def test_connections_are_used_again(sim: RegistrySim, here: Opened) -> None:
    for start in range(0, 100, 10):
        fetched(here, sim, start=start, end=start + 10)
    assert sim.connections == 1


def test_short_redirect_bodies_keep_the_connection(sim: RegistrySim, here: Opened) -> None:
    target = "/v2/team/app/blobs/" + digest_of(DATA)
    sim.script("/blobs/", redirect(target, body=b"<a href=there>Temporary Redirect</a>"))
    fetched(here, sim)
    assert (len(sim.requests), sim.connections) == (2, 1)


def test_the_registry_itself_is_never_avoided(sim: RegistrySim, here: Opened) -> None:
    assert fetched(here, sim, avoid=frozenset({sim.url})) == DATA


class TestMirrors:
    @pytest.fixture
    def mirror(self) -> Iterator[RegistrySim]:
        with RegistrySim() as mirror:
            mirror.content.add_blob("team/app", DATA)
            yield mirror

    @pytest.fixture
    def here(self, tmp_path: Path, sim: RegistrySim, mirror: RegistrySim) -> Iterator[Opened]:
        with opened(
            tmp_path, configs=[RegistryConfig(host=sim.host, mirrors=(mirror.host,))]
        ) as here:
            yield here

    def test_are_asked_first(self, sim: RegistrySim, mirror: RegistrySim, here: Opened) -> None:
        assert fetched(here, sim) == DATA
        assert (len(mirror.requests), len(sim.requests)) == (1, 0)

    @pytest.mark.parametrize("end", [None, 5])
    def test_do_not_say_how_old_a_blob_is(
        self, sim: RegistrySim, mirror: RegistrySim, here: Opened, end: int | None
    ) -> None:
        mirror.always("/v2/", header("Last-Modified", "Wed, 11 Nov 2026 10:00:00 GMT"))
        descriptor = Descriptor(media_type="", digest=Digest.of(DATA), size=len(DATA))
        repository = Repository.parse(f"{sim.host}/team/app")
        with here.client.open_blob(repository, descriptor, end=end) as stream:
            assert (len(mirror.requests), stream.last_modified) == (1, None)

    def test_B13_one_that_lies_is_avoided(
        self, sim: RegistrySim, mirror: RegistrySim, here: Opened
    ) -> None:
        mirror.always("/blobs/", flipped)
        assert fetched(here, sim) != DATA
        assert fetched(here, sim, avoid=frozenset({mirror.url})) == DATA

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param(instead(500), id="H29-500"),
            pytest.param(instead(404), id="H29-404"),
            pytest.param(dropped, id="H29-dropped"),
            pytest.param(body(lambda data: data[:-1]), id="H29-wrong-length"),
        ],
    )
    def test_one_that_fails_gives_way(
        self, sim: RegistrySim, mirror: RegistrySim, here: Opened, fault: Fault
    ) -> None:
        mirror.always("/blobs/", fault)
        assert fetched(here, sim) == DATA
        assert len(here.notes) == 1

    def test_H29_one_that_is_down_gives_way(
        self, sim: RegistrySim, mirror: RegistrySim, here: Opened
    ) -> None:
        mirror.__exit__(None, None, None)
        assert fetched(here, sim) == DATA
        assert here.notes[0].startswith(f"mirror {mirror.host}: no connection to {mirror.host}: ")
