"""Faults B: blobs that are wrong, short, long, gone or blown up, met by sync."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.net import Answer, Framing, Request
from support.oracle import converges, survived
from support.registry_content import digest_of
from support.registry_faults import (
    body,
    changed,
    chunked,
    close_delimited,
    cut,
    flipped,
    gzip_encoded,
    header,
    instead,
    raw,
    redirect,
)
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.ground import Ground
    from support.registry_faults import Fault

MIB = 1024 * 1024
FLAT = 80 * MIB
"""What a process may have at most while it meets a bomb, or a blob larger than this."""
LAYER = bytes(range(256)) * 1024
DIGEST = digest_of(LAYER)
BLOB = f"/blobs/{DIGEST}"
BOMB = gzip.compress(bytes(128 * MIB), 1)
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def locked(ground: Ground) -> str:
    """The image app:stable of one layer, locked; the layer's digest."""
    image = ground.sim.content.add_image("app", "stable", layers=[LAYER])
    ground.want(app="app:stable")
    assert ground.run("lock").code == 0
    return image.blobs[-1]


def both(one: Fault, other: Fault) -> Fault:
    """Two faults of one answer."""
    return lambda request, answer: other(request, one(request, answer))


def whole(request: Request, answer: Answer) -> Answer:
    """All of the layer, whatever part of it was asked for."""
    return replace(answer, status=200, body=LAYER).with_header("Content-Range", None)


def endless(request: Request, answer: Answer) -> Answer:
    """The layer, and then ever more, in chunks."""
    return replace(answer, framing=Framing.CHUNKED, body=answer.body + bytes(8 * MIB))


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        pytest.param(flipped, 4, "", id="B01-a-bit-flipped"),
        pytest.param(body(lambda data: bytes(len(data))), 4, "", id="B06-other-bytes-always"),
        pytest.param(cut(1000), 3, "broke off", id="B02-cut"),
        pytest.param(both(cut(1000), chunked), 3, "too early", id="B02-cut-between-chunks"),
        pytest.param(both(body(lambda data: data[:-9]), close_delimited), 3, "", id="B03"),
        pytest.param(both(body(lambda data: data[:-9]), chunked), 3, "", id="B03-chunked"),
        pytest.param(body(lambda data: data[:-1]), 4, "offers 262143 bytes", id="B04-smaller"),
        pytest.param(body(lambda data: data + b"x"), 4, "offers 262145 bytes", id="B04-larger"),
        pytest.param(both(body(lambda data: data + b"x"), chunked), 4, "sends more", id="B05"),
        pytest.param(
            both(body(lambda data: data + b"x"), close_delimited), 4, "sends more", id="B05-closed"
        ),
        pytest.param(endless, 4, "sends more", id="B05-endless"),
        pytest.param(both(cut(200_000), whole), 3, "broke off", id="H14-cut-and-always-whole"),
        pytest.param(instead(404), 3, "was not found", id="B08-404"),
        pytest.param(instead(410), 3, "was not found", id="B08-410"),
        pytest.param(instead(200), 4, "offers 0 bytes", id="B09"),
        pytest.param(gzip_encoded, 4, "encoded on the way (gzip)", id="B10"),
        pytest.param(both(gzip_encoded, chunked), 4, "encoded on the way (gzip)", id="B10-chunked"),
        pytest.param(header("X-Long", "x" * 200_000), 3, "", id="B22"),
        pytest.param(changed(interim=10_000), 3, "interim answers", id="B23"),
        pytest.param(raw(HEAD + b"5;" + b"x" * 200_000), 3, "", id="B24-extension"),
        pytest.param(raw(HEAD + b"1;x\r\ny\r\n" * 4000), 3, "", id="B24-many-extensions"),
        pytest.param(raw(HEAD + b"0\r\n" + b"X: y\r\n" * 40_000), 3, "", id="B24-trailers"),
    ],
)
def test_a_blob_that_never_comes_right(
    ground: Ground, locked: str, fault: Fault, code: int, says: str
) -> None:
    ground.sim.always(BLOB, fault)
    survived(ground, "sync", code=code, says=[locked, ground.sim.host, says])
    assert not (ground.store / "blobs/sha256" / locked.removeprefix("sha256:")).exists()
    assert not [path for path in ground.store.glob("ingest/*") if path.read_bytes() == LAYER]
    converges(ground)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(flipped, id="B06-once-wrong"),
        pytest.param(cut(1000), id="B02-once-cut"),
        pytest.param(both(body(lambda data: data[:-9]), close_delimited), id="B03-once-short"),
        pytest.param(both(body(lambda data: data + b"x"), chunked), id="B05-once-long"),
    ],
)
def test_a_blob_that_comes_right_when_asked_again(
    ground: Ground, locked: str, fault: Fault
) -> None:
    ground.sim.script(BLOB, fault)
    survived(ground, "sync", code=0)
    assert ground.sim.count("GET", BLOB) == 2
    converges(ground)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(header("Content-Encoding", "gzip"), id="B10-not-really-encoded"),
        pytest.param(both(header("Content-Encoding", "gzip"), chunked), id="B10-chunked"),
        pytest.param(changed(interim=9), id="B23-some-interim-answers"),
        pytest.param(close_delimited, id="B03-complete"),
    ],
)
def test_what_is_odd_and_not_wrong(ground: Ground, locked: str, fault: Fault) -> None:
    ground.sim.always(BLOB, fault)
    survived(ground, "sync", code=0)
    assert ground.sim.count("GET", BLOB) == 1
    converges(ground)


def test_B07_an_empty_layer_is_stored_as_any_other(ground: Ground) -> None:
    image = ground.sim.content.add_image("app", "stable", layers=[b""])
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    assert (ground.store / "blobs/sha256" / image.blobs[-1][7:]).read_bytes() == b""
    converges(ground)


def test_B08_the_other_images_are_synced(ground: Ground, locked: str) -> None:
    ground.sim.content.add_image("well", "stable", layers=[b"well"])
    ground.want(app="app:stable", well="well:stable")
    survived(ground, "lock", code=0)
    ground.sim.always(BLOB, instead(404))
    survived(ground, "sync", code=3, says=["app", locked, ground.sim.host])
    survived(ground, "sync", "well", code=0)
    converges(ground)


def test_B11_a_blob_larger_than_the_memory_it_may_take(ground: Ground) -> None:
    ground.process = True
    ground.sim.content.add_image("app", "stable", layers=[bytes(FLAT + 16 * MIB)])
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    ran = survived(ground, "sync", code=0)
    assert ran.memory < FLAT
    converges(ground)


def test_B12_a_blob_of_two_images_is_fetched_once(ground: Ground, locked: str) -> None:
    ground.sim.content.add_image("app", "other", layers=[LAYER, b"more"])
    ground.sim.content.add_image("twin", "stable", layers=[LAYER])
    ground.want(app="app:stable", other="app:other", twin="twin:stable")
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    assert ground.sim.count("GET", BLOB) == 1
    converges(ground)


@pytest.fixture
def hostile(ground: Ground) -> Iterator[RegistrySim]:
    """A second registry, which has the same layer and lies about it."""
    with RegistrySim() as sim:
        ground.strangers.append(sim)
        sim.content.add_image("evil", "stable", layers=[LAYER])
        yield sim


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(flipped, id="B13-wrong"),
        pytest.param(endless, id="B13-endless"),
        pytest.param(instead(404), id="B13-gone"),
        pytest.param(cut(1000), id="B13-cut"),
    ],
)
@pytest.mark.parametrize("evil", ["a", "z"], ids=["asked-first", "not-asked"])
def test_of_two_registries_the_honest_one_counts(
    ground: Ground, locked: str, hostile: RegistrySim, fault: Fault, evil: str
) -> None:
    """Images are planned by name, and the first one's registry is asked first."""
    ground.spec.write_text(
        f'[images]\n{evil} = "{hostile.host}/evil:stable"\napp = "{ground.sim.host}/app:stable"\n'
    )
    survived(ground, "lock", code=0)
    hostile.always(BLOB, fault)
    survived(ground, "sync", code=0)
    assert bool(hostile.count("GET", BLOB)) == (evil == "a")
    assert ground.sim.count("GET", BLOB) == 1
    hostile.heal()
    converges(ground)


def test_B14_what_the_store_holds_is_not_asked_for(ground: Ground, locked: str) -> None:
    survived(ground, "sync", code=0)
    ground.sim.content.add_image("app", "next", layers=[LAYER, b"more"])
    ground.want(app="app:next")
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    assert ground.sim.count("GET", BLOB) == 1
    before = len(ground.sim.requests)
    survived(ground, "sync", code=0)
    assert len(ground.sim.requests) == before


@pytest.mark.parametrize("is_the_layer", [True, False], ids=["B20-the-layer", "B20-instead"])
def test_a_bomb_for_a_blob_is_never_unpacked(ground: Ground, *, is_the_layer: bool) -> None:
    ground.process = True
    image = ground.sim.content.add_image(
        "app", "stable", layers=[BOMB if is_the_layer else bytes(128 * MIB)]
    )
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    encoded = header("Content-Encoding", "gzip")
    fault = encoded if is_the_layer else both(body(lambda _: BOMB), encoded)
    ground.sim.always(f"/blobs/{image.blobs[-1]}", fault)
    code = 0 if is_the_layer else 4
    ran = survived(ground, "sync", code=code, lasting=False)
    assert ran.memory < FLAT
    converges(ground)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        pytest.param("/manifests/", 200, 4, id="B21-manifest"),
        pytest.param("/manifests/", 400, 3, id="B21-error"),
        pytest.param("/token", 200, 3, id="B21-token"),
    ],
)
def test_a_bomb_elsewhere_is_never_unpacked(
    ground: Ground, locked: str, path: str, status: int, code: int
) -> None:
    ground.process = True
    kind = "application/vnd.oci.image.index.v1+json"
    fault = instead(status, BOMB, Content_Encoding="gzip", Content_Type=kind)
    if path == "/token":
        challenge = f'Bearer realm="{ground.sim.url}/token"'
        ground.sim.always("/manifests/", instead(401, WWW_Authenticate=challenge))
    ground.sim.always(path, fault)
    ran = survived(ground, "sync", code=code, says=[ground.sim.host], lasting=False)
    assert ran.memory < FLAT
    converges(ground)


def test_B21_D13_the_body_of_a_redirect_is_not_read(ground: Ground, locked: str) -> None:
    ground.process = True
    bomb = both(redirect(f"/v2/app{BLOB}", body=BOMB), header("Content-Encoding", "gzip"))
    ground.sim.script(BLOB, bomb)
    ran = survived(ground, "sync", code=0)
    assert ran.memory < FLAT
    assert ground.sim.count("GET", BLOB) == 2
    converges(ground)
