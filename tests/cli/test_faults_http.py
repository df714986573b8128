"""Faults H: connections, framing, statuses, ranges and proxies that fail, met by lock and sync."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pinner.registry.http11 import Timeouts
from pinner.registry.open import Tuning
from pinner.registry.reply import MinimumRate
from support.clock import FakeClock
from support.ground import BASIC, BEARER, Ground
from support.net import Answer, LoopbackServer, Request, Then
from support.oracle import assert_sound, converges, survived
from support.programs import free_port
from support.registry_content import digest_of
from support.registry_faults import (
    Fault,
    body,
    changed,
    chunked,
    cut,
    dripping,
    dropped,
    flipped,
    header,
    instead,
    raw,
)
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.conftest import Abroad
    from support.tls import Authority

LAYER = bytes(range(256)) * 1024
DIGEST = digest_of(LAYER)
BLOB = f"/blobs/{DIGEST}"
RETRIES = 5
FLAT = 80 * 1024 * 1024
"""What a process may have at most while it meets an answer that is larger than this."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a fault is met: by which command, at which requests."""

    command: str
    path: str


SPOTS = [
    pytest.param(Spot("lock", "/manifests/"), id="manifest"),
    pytest.param(Spot("lock", "/token"), id="token"),
    pytest.param(Spot("sync", BLOB), id="blob"),
]
everywhere = pytest.mark.parametrize("spot", SPOTS)


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    """A registry that gives tokens to whoever asks."""
    with RegistrySim(login=replace(BEARER, user="", password="")) as sim:
        yield sim


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, impatient: None) -> FakeClock:
    """The clock of the runs that this test makes."""
    clock = FakeClock()
    monkeypatch.setattr("pinner.cli.main.SystemClock", lambda: clock)
    return clock


@pytest.fixture
def wanted(ground: Ground) -> Ground:
    """A project that wants app:stable of one layer."""
    ground.sim.content.add_image("app", "stable", layers=[LAYER])
    ground.want(app="app:stable")
    return ground


@pytest.fixture
def locked(wanted: Ground) -> Ground:
    """The same, locked."""
    assert wanted.run("lock").code == 0
    return wanted


def prepare(ground: Ground, spot: Spot) -> int:
    """Come to where the spot's command is next; how many such requests came before."""
    if spot.command == "sync":
        assert ground.run("lock").code == 0
    return ground.sim.count("GET", spot.path)


def both(one: Fault, other: Fault) -> Fault:
    """Two faults of one answer."""
    return lambda request, answer: other(request, one(request, answer))


def old(request: Request, answer: Answer) -> Answer:
    """The same as HTTP/1.0: no keep-alive, and the end of the connection ends the body."""
    kind = answer.header("Content-Type") or "text/plain"
    challenge = answer.header("WWW-Authenticate")
    lines = [f"HTTP/1.0 {answer.status} OK", f"Content-Type: {kind}"]
    lines += [f"WWW-Authenticate: {challenge}"] if challenge else []
    head = "\r\n".join([*lines, "", ""]).encode()
    return Answer(raw=head + answer.body, then=Then.CLOSE)


def framed(*lines: str) -> Fault:
    """The honest body under these lines of framing."""

    def frame(request: Request, answer: Answer) -> Answer:
        kind = f"Content-Type: {answer.header('Content-Type')}"
        head = "\r\n".join([f"HTTP/1.1 {answer.status} OK", kind, *lines, "", ""]).encode()
        size = b"%x\r\n" % len(answer.body)
        data = size + answer.body + b"\r\n0\r\n\r\n" if "chunked" in lines[-1] else answer.body
        return Answer(raw=head + data, then=Then.CLOSE)

    return frame


# Nobody answers.


def test_H01_refused_connections(wanted: Ground) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    wanted.spec.write_text(f'[images]\napp = "{nobody}/app:stable"\n')
    survived(wanted, "lock", code=3, says=[nobody, "refused"])


def test_H01_a_refused_token_server(wanted: Ground) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    wanted.sim.always("/manifests/", header("WWW-Authenticate", f'Bearer realm="http://{nobody}/"'))
    wanted.sim.always("/manifests/", changed(status=401))
    survived(wanted, "lock", code=3, says=[nobody, "refused"])
    converges(wanted)


def test_H01_a_registry_that_is_gone_by_now(ground: Ground, tmp_path: Path) -> None:
    with RegistrySim() as other:
        other.content.add_image("app", "stable", layers=[LAYER])
        ground.spec.write_text(f'[images]\napp = "{other.host}/app:stable"\n')
        survived(ground, "lock", code=0)
    survived(ground, "sync", code=3, says=[other.host, "refused"])
    assert_sound(ground.store)


def test_H01_an_unknown_name(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    ground.spec.write_text('[images]\napp = "registry.example/app:stable"\n')
    survived(ground, "lock", code=3, says=["registry.example"])


# Connections that break.


@everywhere
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(dropped, id="H02"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-"), id="H02-in-the-head"),
        pytest.param(raw(b"", Then.RESET), id="H03-instead"),
        pytest.param(cut(9, Then.RESET), id="H03-in-the-body"),
        pytest.param(cut(9), id="H03-closed-in-the-body"),
    ],
)
def test_connections_that_break(wanted: Ground, spot: Spot, fault: Fault) -> None:
    before = prepare(wanted, spot)
    wanted.sim.always(spot.path, fault)
    survived(wanted, spot.command, code=3, says=[wanted.sim.host], lasting=False)
    assert RETRIES <= wanted.sim.count("GET", spot.path) - before <= 2 * RETRIES
    converges(wanted)


@everywhere
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(dropped, id="H26-H02"),
        pytest.param(cut(9, Then.RESET), id="H26-H03"),
        pytest.param(instead(503), id="H26-H11"),
    ],
)
def test_a_network_that_comes_back(wanted: Ground, spot: Spot, fault: Fault) -> None:
    before = prepare(wanted, spot)
    wanted.sim.script(spot.path, *[fault] * 3)
    survived(wanted, spot.command, code=0)
    assert wanted.sim.count("GET", spot.path) - before >= 4
    converges(wanted)


HASTY = Tuning(timeouts=Timeouts(connect=0.1, answer=0.1, silence=0.1))


@everywhere
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(raw(b"", Then.STALL), id="H04-no-answer"),
        pytest.param(cut(0, Then.STALL), id="H04-after-the-head"),
        pytest.param(cut(9, Then.STALL), id="H04-in-the-body"),
    ],
)
def test_silence(wanted: Ground, spot: Spot, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(wanted, spot)
    wanted.sim.always(spot.path, fault)
    with monkeypatch.context() as patch:
        patch.setattr("pinner.registry.open.Tuning", lambda: HASTY)
        survived(wanted, spot.command, code=3, says=[wanted.sim.host], lasting=False)
    converges(wanted)


class PassingClock(FakeClock):
    """Time passes as it does; sleeping takes none."""

    def monotonic(self) -> float:
        return super().monotonic() + time.monotonic()


@everywhere
def test_H05_a_drip_is_too_slow(
    wanted: Ground, spot: Spot, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(wanted, spot)
    # The floor is far above a drip, and far below what loopback does under any load.
    rate = MinimumRate(floor=10_000, window=0.05)
    wanted.sim.always(spot.path, dripping(0.002))
    with monkeypatch.context() as patch:
        patch.setattr("pinner.cli.main.SystemClock", PassingClock)
        patch.setattr("pinner.registry.open.Tuning", lambda: Tuning(rate=rate))
        says = [wanted.sim.host, "which is too slow"]
        survived(wanted, spot.command, code=3, says=says, lasting=False)
    converges(wanted)


# What is no HTTP, or hardly.


@everywhere
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), id="H07-another-protocol"),
        pytest.param(raw(b"\x16\x03\x01\x02\x00" * 9 + b"\r\n\r\n"), id="H07-bytes"),
        pytest.param(raw(b"HTTP/1.1 2x0 OK\r\n\r\n"), id="H07-status"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"), id="H07-header"),
        pytest.param(raw(b"HTTP/1.1 200 \x1b[2J\r\nA: \x00\r\n\r\n"), id="H07-escape"),
        pytest.param(header("X-Long", "x" * 200_000), id="H07-B22-200-KB"),
        pytest.param(changed(interim=10_000), id="B23"),
        pytest.param(framed("Content-Length: 5", "Content-Length: 6"), id="H08-two-lengths"),
        pytest.param(framed("Content-Length: -1"), id="H08-negative"),
        pytest.param(framed("Content-Length: 0x10"), id="H08-hexadecimal"),
        pytest.param(framed("Content-Length: " + "9" * 30), id="H08-30-digits"),
        pytest.param(framed("Transfer-Encoding: gzip, chunked"), id="H08-encoded-and-chunked"),
    ],
)
def test_what_is_not_http(wanted: Ground, spot: Spot, fault: Fault) -> None:
    prepare(wanted, spot)
    wanted.sim.always(spot.path, fault)
    survived(wanted, spot.command, code=3, says=[wanted.sim.host], lasting=False)
    converges(wanted)


@everywhere
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(framed("Content-Length: 5", "Transfer-Encoding: chunked"), id="H08-both"),
        pytest.param(changed(then=Then.CLOSE), id="H20"),
        pytest.param(old, id="H21"),
        pytest.param(chunked, id="H08-chunked"),
    ],
)
def test_odd_and_honest_framing(wanted: Ground, spot: Spot, fault: Fault) -> None:
    before = prepare(wanted, spot)
    wanted.sim.always(spot.path, fault)
    survived(wanted, spot.command, code=0)
    assert wanted.sim.count("GET", spot.path) - before == (2 if spot.path == "/manifests/" else 1)
    converges(wanted)


# TLS.


@pytest.mark.parametrize(
    ("names", "valid", "trusted", "says"),
    [
        pytest.param(["127.0.0.1"], (-9, -2), True, "has expired", id="H06-expired"),
        pytest.param(["127.0.0.1"], (2, 9), True, "is not valid yet", id="H06-not-yet"),
        pytest.param(["other.test"], (-1, 9), True, "for another name", id="H06-wrong-host"),
        pytest.param(["127.0.0.1"], (-1, 9), False, "does not trust", id="H06-unknown-issuer"),
    ],
)
def test_certificates_that_are_not_good(
    ground: Ground,
    authority: Authority,
    tmp_path: Path,
    names: list[str],
    valid: tuple[int, int],
    says: str,
    *,
    trusted: bool,
) -> None:
    issued = authority.issue("bad", names=names, valid=valid)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    trust = authority.ca_file if trusted else type(authority).create(tmp_path / "else").ca_file
    with RegistrySim(tls=context) as server:
        ground.strangers.append(server)
        ground.want_at(server.host, trust)
        survived(ground, "lock", code=3, says=[server.host, says])
        assert not server.requests
        assert server.connections == 2, "one for each run"


def test_H06_https_where_http_is_spoken(
    ground: Ground, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pinner.registry.open.Tuning", lambda: HASTY)
    with RegistrySim() as server:
        ground.want_at(server.host, authority.ca_file)
        survived(ground, "lock", code=3, says=[server.host], lasting=False)
        assert not server.count("GET", "")


def test_H06_a_handshake_that_stalls(
    ground: Ground, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pinner.registry.open.Tuning", lambda: HASTY)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        ground.want_at(host, authority.ca_file)
        survived(ground, "lock", code=3, says=[host], lasting=False)


# Statuses.


@pytest.mark.parametrize(
    ("stated", "least", "most"),
    [
        pytest.param("1", 1, 3, id="H09-1"),
        pytest.param("Mon, 21 Sep 2026 14:14:20 GMT", 60, 62, id="H09-date"),
        pytest.param("Mon, 21 Sep 2026 10:00:00 GMT", 0, 2, id="H09-past"),
        pytest.param("-1", 0.1, 3, id="H09-negative"),
        pytest.param("x", 0.1, 3, id="H09-nonsense"),
        pytest.param(None, 0.1, 3, id="H09-absent"),
    ],
)
@everywhere
def test_a_server_that_asks_to_slow_down(
    wanted: Ground, clock: FakeClock, spot: Spot, stated: str | None, least: float, most: float
) -> None:
    prepare(wanted, spot)
    slept = clock.slept
    headers = {"Retry_After": stated} if stated else {}
    wanted.sim.script(spot.path, instead(429, b"", **headers))
    survived(wanted, spot.command, code=0)
    assert least <= clock.slept - slept <= most
    converges(wanted)


@everywhere
def test_H09_a_server_that_asks_for_a_day(wanted: Ground, clock: FakeClock, spot: Spot) -> None:
    before = prepare(wanted, spot)
    wanted.sim.always(spot.path, instead(429, Retry_After="86400"))
    says = [wanted.sim.host, "asks to wait 1440 min, until 2026-09-2"]
    survived(wanted, spot.command, code=3, says=says, lasting=False)
    assert wanted.sim.count("GET", spot.path) - before == 1
    assert clock.slept < 10
    converges(wanted)


@pytest.mark.parametrize("stated", [{}, {"Retry_After": "2"}], ids=["H10-unstated", "H10-stated"])
def test_a_storm_of_429(ground: Ground, clock: FakeClock, stated: dict[str, str]) -> None:
    layers = [b"layer %d" % number for number in range(40)]
    ground.sim.content.add_image("app", "stable", layers=layers)
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    before = ground.sim.count("GET", "/blobs/")
    ground.sim.always("/blobs/", instead(429, b"", **stated))
    survived(ground, "sync", "--jobs", "16", code=3, says=["429", ground.sim.host], lasting=False)
    assert ground.sim.count("GET", "/blobs/") - before <= 41 * RETRIES
    converges(ground)


@everywhere
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504], ids=lambda code: f"H11-{code}")
def test_statuses_that_may_pass(wanted: Ground, clock: FakeClock, spot: Spot, status: int) -> None:
    before = prepare(wanted, spot)
    wanted.sim.always(spot.path, instead(status))
    survived(wanted, spot.command, code=3, says=[wanted.sim.host, str(status)], lasting=False)
    assert wanted.sim.count("GET", spot.path) - before == RETRIES
    assert clock.slept > 5, "ever longer"
    converges(wanted)


@everywhere
@pytest.mark.parametrize("status", [204, 400, 404, 405, 451, 501], ids=lambda code: f"H11-{code}")
def test_statuses_that_will_not_pass(wanted: Ground, spot: Spot, status: int) -> None:
    before = prepare(wanted, spot)
    wanted.sim.always(spot.path, instead(status))
    survived(wanted, spot.command, code=3, says=[wanted.sim.host], lasting=False)
    asked = wanted.sim.count("GET", spot.path) - before
    assert asked == 1 or spot.path == "/token", "token servers are asked in two ways"
    converges(wanted)


MANY = json.dumps({"errors": [{"code": f"C{n}", "message": "m" * 300} for n in range(99)]})


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        pytest.param(
            "application/json",
            '{"errors":[{"code":"DENIED","message":"\\u001b[2J no\\r\\nerror: forged"}]}',
            r"DENIED: \x1b[2J no\r\nerror: forged",
            id="H12-json",
        ),
        pytest.param("application/json", MANY, "C0: mmm", id="H12-many"),
        pytest.param("application/json", '{"errors":[{"code":1},2,null]}', "", id="H12-odd"),
        pytest.param("text/html", "<html>" + "x" * 12_000, "text/html, 12 KB", id="H12-html"),
        pytest.param("text/plain", "no\x1b]8;;x\x07", r"no\x1b]8;;x\x07", id="H12-text"),
        pytest.param("text/plain", "\ufffe\u202e\u2028", "", id="H12-bidi"),
        pytest.param("text/\x1b[31m", "<x", "", id="H12-type"),
    ],
)
@everywhere
def test_what_errors_say(wanted: Ground, spot: Spot, kind: str, text: str, says: str) -> None:
    prepare(wanted, spot)
    wanted.sim.always(spot.path, instead(400, text.encode(), Content_Type=kind))
    ran = survived(wanted, spot.command, code=3, says=[wanted.sim.host, says])
    assert max(len(line) for line in ran.err.splitlines()) < 700
    assert "\nerror: forged" not in ran.err
    converges(wanted)


@everywhere
def test_H13_an_error_without_end(wanted: Ground, spot: Spot) -> None:
    prepare(wanted, spot)
    wanted.process = True
    wanted.sim.always(spot.path, both(instead(400, b"e" * (96 << 20)), chunked))
    ran = survived(wanted, spot.command, code=3, says=[wanted.sim.host, "eee"], lasting=False)
    assert len(ran.err) < 2000
    assert ran.memory < FLAT
    wanted.process = False
    converges(wanted)


# Ranges: the first answer breaks off, what comes next is no continuation.


def whole(request: Request, answer: Answer) -> Answer:
    """All of the layer, whatever part of it was asked for."""
    return replace(answer, status=200, body=LAYER).with_header("Content-Range", None)


def other_range(change: str) -> Fault:
    """A 206 whose Content-Range is another one."""

    def shift(request: Request, answer: Answer) -> Answer:
        if answer.status != 206:
            return answer
        return answer.with_header("Content-Range", change)

    return shift


def multipart(request: Request, answer: Answer) -> Answer:
    """A 206 of several parts."""
    if answer.status != 206:
        return answer
    kind = "multipart/byteranges; boundary=x"
    return Answer(status=206, headers=(("Content-Type", kind),), body=b"--x\r\n\r\n" + answer.body)


def unsatisfiable(request: Request, answer: Answer) -> Answer:
    """416 for every range."""
    return Answer(status=416, body=b"no") if "range" in request.headers else answer


def changed_meanwhile(request: Request, answer: Answer) -> Answer:
    """Other bytes for every range."""
    return flipped(request, answer) if answer.status == 206 else answer


@pytest.mark.parametrize(
    ("fault", "anew"),
    [
        pytest.param(whole, 0, id="H14"),
        pytest.param(both(whole, chunked), 0, id="H14-chunked"),
        pytest.param(other_range("bytes 0-99/262144"), 1, id="H15-another"),
        pytest.param(other_range("bytes 100001-262143/262144"), 1, id="H15-start"),
        pytest.param(other_range("bytes 100000-262143/262145"), 1, id="H15-total"),
        pytest.param(other_range("items 100000-262143/262144"), 1, id="H15-unit"),
        pytest.param(other_range("bytes 262143-100000/262144"), 1, id="H15-backwards"),
        pytest.param(other_range("nonsense"), 1, id="H15-nonsense"),
        pytest.param(lambda r, a: a.with_header("Content-Range", None), 1, id="H15-missing"),
        pytest.param(unsatisfiable, 1, id="H16"),
        pytest.param(changed_meanwhile, 1, id="H17"),
        pytest.param(multipart, 1, id="H18"),
    ],
)
def test_a_broken_blob_that_is_not_continued(locked: Ground, fault: Fault, anew: int) -> None:
    """The whole blob is asked for, unless that is what came."""
    locked.sim.script(BLOB, cut(100_000))
    locked.sim.always(BLOB, fault)
    survived(locked, "sync", code=0)
    cut_off, continued, *further = locked.sim.asked("GET", BLOB)
    assert "range" not in cut_off.headers
    assert continued.headers["range"] == "bytes=100000-262143"
    assert ["range" in request.headers for request in further] == [False] * anew
    converges(locked)


def test_H17_content_that_changed_for_good(locked: Ground) -> None:
    locked.sim.script(BLOB, cut(100_000))
    locked.sim.always(BLOB, flipped)
    survived(locked, "sync", code=4, says=[DIGEST, locked.sim.host])
    assert locked.sim.count("GET", BLOB) <= 12
    converges(locked)


def no_more_than_the_beginning(request: Request, answer: Answer) -> Answer:
    """The first 200,000 bytes, and nothing of what comes then."""
    fault = instead(503) if answer.status == 206 else cut(200_000)
    return fault(request, answer)


def spoiled(data: bytes, at: int) -> bytes:
    """One bit of a file is wrong."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:50_000], id="H19-shorter"),
        pytest.param(lambda data: b"", id="H19-empty"),
        pytest.param(lambda data: spoiled(data, 7), id="H19-other-bytes"),
        pytest.param(lambda data: data + bytes(999), id="H19-longer"),
        pytest.param(lambda data: data, id="H16-as-it-was"),
    ],
)
def test_what_an_earlier_run_left(locked: Ground, spoil: Any) -> None:
    locked.sim.always(BLOB, no_more_than_the_beginning)
    survived(locked, "sync", code=3, says=[DIGEST], lasting=False)
    (partial,) = (p for p in locked.store.glob("ingest/*") if p.stat().st_size > 100_000)
    partial.write_bytes(spoil(partial.read_bytes()))
    locked.sim.heal()
    survived(locked, "sync", code=0)
    converges(locked)


# Many at once.


@pytest.mark.parametrize("jobs", [1, 4], ids=lambda jobs: f"H22-{jobs}")
def test_connections_are_no_more_than_asked_for(ground: Ground, jobs: int) -> None:
    layers = [b"layer %d" % number for number in range(40)]
    ground.sim.content.add_image("app", "stable", layers=layers)
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    before = ground.sim.connections
    survived(ground, "sync", "--jobs", str(jobs), code=0)
    assert ground.sim.connections - before <= jobs + 1, "and one for what is asked first"
    converges(ground)


def test_H23_another_address_of_the_same_name(
    wanted: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = wanted.sim.port
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", free_port(), 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    wanted.spec.write_text(f'[images]\napp = "localhost:{port}/app:stable"\n')
    survived(wanted, "lock", code=0)
    survived(wanted, "sync", code=0)
    converges(wanted)


class JumpingClock(FakeClock):
    """The wall clock jumps a year back and forth; what is monotonic does not."""

    _turns = 0

    def now(self) -> float:
        self._turns += 1
        return super().now() + (31_536_000 if self._turns % 2 else -31_536_000)


@everywhere
def test_H24_a_clock_that_jumps(
    wanted: Ground, monkeypatch: pytest.MonkeyPatch, spot: Spot
) -> None:
    clock = JumpingClock()
    monkeypatch.setattr("pinner.cli.main.SystemClock", lambda: clock)
    prepare(wanted, spot)
    wanted.sim.script(spot.path, dropped, instead(429, Retry_After="3"), instead(502))
    survived(wanted, spot.command, code=0)
    assert clock.slept < 20
    converges(wanted)


def test_H25_one_of_fifty_layers(ground: Ground) -> None:
    layers = [b"layer %d" % number for number in range(50)]
    image = ground.sim.content.add_image("app", "stable", layers=layers)
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    missing = f"/blobs/{image.blobs[7]}"
    ground.sim.always(missing, instead(404))
    survived(ground, "sync", code=3, says=["app", image.blobs[7], ground.sim.host])
    ground.sim.heal()
    before = ground.sim.count("GET", "/blobs/")
    survived(ground, "sync", code=0)
    targets = {request.target for request in ground.sim.asked("GET", "/blobs/")[before:]}
    assert targets == {f"/v2/app{missing}"}, "twice, since a token is wanted"
    converges(ground)


# Endings from outside.


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="H27-SIGINT"),
        pytest.param(signal.SIGTERM, 143, id="H27-SIGTERM"),
    ],
)
def test_signals(ground: Ground, number: signal.Signals, code: int) -> None:
    big = LAYER * 12
    blob = f"/blobs/{digest_of(big)}"
    ground.sim.content.add_image("app", "stable", layers=[big])
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    ground.sim.always(blob, cut(2 << 20, Then.STALL))
    process = ground.start("sync", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_the_journal(ground)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert b"Traceback" not in out + err
    assert_sound(ground.store)
    ground.sim.heal()
    survived(ground, "sync", code=0)
    assert "range" in ground.sim.asked("GET", blob)[-1].headers, "what was here is kept"
    converges(ground)


def wait_for_the_journal(ground: Ground) -> None:
    """Return once the first mebibyte of the layer is safe from a kill."""
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size for path in ground.store.glob("ingest/*.extents")):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_H28_a_reader_that_leaves(locked: Ground) -> None:
    reader, writer = socket.socketpair()
    with reader, writer:
        process = locked.start("sync", stdout=writer, stderr=subprocess.PIPE)
        reader.close()
        _, err = process.communicate(timeout=120)
    assert process.returncode in {0, 141}
    assert b"Traceback" not in err
    assert b"Broken" not in err
    assert_sound(locked.store)
    converges(locked)


# Mirrors and proxies.


@pytest.fixture
def mirrored(ground: Ground) -> Iterator[tuple[Ground, RegistrySim]]:
    """A project whose registry, which the user logged in to, has a mirror."""
    ground.sim.login = BASIC
    ground.sim.content.add_image("app", "stable", layers=[LAYER])
    with RegistrySim() as mirror:
        mirror.content.add_image("app", "stable", layers=[LAYER])
        ground.strangers.append(mirror)
        ground.want(
            f'[registries."{ground.sim.host}"]\nmirrors = ["{mirror.host}"]', app="app:stable"
        )
        ground.log_in()
        survived(ground, "lock", code=0)
        assert not mirror.count("GET", "/manifests/"), "what a tag means is for the registry to say"
        yield ground, mirror


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(instead(404), id="H29-404"),
        pytest.param(instead(500), id="H29-500"),
        pytest.param(instead(401, WWW_Authenticate='Basic realm="x"'), id="H29-401"),
        pytest.param(instead(403), id="H29-403"),
        pytest.param(flipped, id="H29-wrong-bytes"),
        pytest.param(body(lambda data: data[:-1]), id="H29-wrong-length"),
        pytest.param(instead(200, b"<html>", Content_Type="text/html"), id="H29-a-page"),
        pytest.param(dropped, id="H29-dropped"),
        pytest.param(instead(307, Location="http://169.254.169.254/"), id="H29-D05"),
        pytest.param(instead(429, Retry_After="86400"), id="H29-a-day"),
    ],
)
@pytest.mark.parametrize("path", ["/manifests/", BLOB], ids=["manifest", "blob"])
def test_mirrors_that_fail(mirrored: tuple[Ground, RegistrySim], path: str, fault: Fault) -> None:
    ground, mirror = mirrored
    mirror.always(path, fault)
    survived(ground, "sync", code=0, says=[mirror.host])
    assert mirror.count("GET", path)
    converges(ground)


def test_H29_a_mirror_that_serves(mirrored: tuple[Ground, RegistrySim]) -> None:
    ground, mirror = mirrored
    before = len(ground.sim.requests)
    survived(ground, "sync", code=0)
    assert len(ground.sim.requests) == before
    assert mirror.count("GET", BLOB) == 1
    converges(ground)


@pytest.mark.parametrize(
    "answer", [None, b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 407 Login\r\n\r\n", b"x\r\n\r\n"]
)
def test_H30_a_proxy_that_does_not_serve(abroad: Abroad, answer: bytes | None) -> None:
    ground = abroad.ground
    ground.want(app="app:stable")
    with LoopbackServer(lambda _: Answer(raw=answer, then=Then.CLOSE)) as proxy:
        host = proxy.host if answer else f"127.0.0.1:{free_port()}"
        ground.environ["HTTPS_PROXY"] = f"http://ada:canary-password@{host}"
        survived(ground, "lock", code=3, says=[f"proxy {host}"], lasting=False)
