"""What a registry can do wrong, seen through one manifest request."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pinner.errors import ProtocolError, RateLimited, RegistryError, Unavailable
from pinner.registry.http11 import Timeouts
from pinner.registry.open import Tuning
from support.clients import IMPATIENT, Opened, opened, ref
from support.clock import FakeClock
from support.net import Answer, Request, Then
from support.registry_faults import (
    Fault,
    changed,
    cut,
    dropped,
    header,
    honest,
    instead,
    raw,
)
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.registry_content import SimImage

QUOTA = {"RateLimit_Limit": "100;w=21600", "RateLimit_Remaining": "0;w=21600"}


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as sim:
        yield sim


@pytest.fixture(autouse=True)
def image(sim: RegistrySim) -> SimImage:
    return sim.content.add_image("team/app", "stable")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Opened]:
    with opened(tmp_path) as here:
        yield here


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Opened]:
    """For servers that fall silent."""
    with opened(tmp_path, tuning=IMPATIENT) as here:
        yield here


def resolve(here: Opened, sim: RegistrySim) -> str:
    return str(here.client.resolve(ref(sim.host, "team/app:stable")).digest)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(dropped, id="H02-closed-without-answer"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-"), id="H02-closed-in-the-head"),
        pytest.param(raw(b"", Then.RESET), id="H03-reset"),
        pytest.param(cut(10), id="B02-cut"),
        pytest.param(cut(10, Then.RESET), id="H03-reset-in-the-body"),
        *(pytest.param(instead(code), id=f"H11-{code}") for code in (408, 500, 502, 503, 504)),
        pytest.param(instead(429), id="H11-429"),
    ],
)
def test_passing_failures_are_tried_again(
    sim: RegistrySim, image: SimImage, here: Opened, fault: Fault
) -> None:
    sim.script("/manifests/", fault)
    assert resolve(here, sim) == image.digest
    assert len(sim.requests) == 2
    assert here.clock.slept >= 0.5


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(raw(b"", Then.STALL), id="H04-no-answer"),
        pytest.param(cut(10, Then.STALL), id="H04-stall-in-the-body"),
    ],
)
def test_silence_is_tried_again(
    sim: RegistrySim, image: SimImage, hasty: Opened, fault: Fault
) -> None:
    test_passing_failures_are_tried_again(sim, image, hasty, fault)


@pytest.mark.parametrize(
    "fault",
    [
        *(pytest.param(instead(code), id=f"H11-{code}") for code in (400, 404, 405, 403, 501)),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), id="H07-garbage-status"),
        pytest.param(raw(b"\0" * 4096), id="H07-zeros"),
        pytest.param(header("X-Huge", "x" * 200_000), id="B22-huge-header"),
        pytest.param(changed(interim=10_000), id="B23-continue-flood"),
        pytest.param(header("Content-Length", "-1"), id="H08-negative-length"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            id="H08-two-lengths",
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), id="bad-chunk"
        ),
    ],
)
def test_lasting_failures_are_final(sim: RegistrySim, here: Opened, fault: Fault) -> None:
    sim.always("/manifests/", fault)
    with pytest.raises(RegistryError) as caught:
        resolve(here, sim)
    assert sim.host in str(caught.value)
    assert not caught.value.transient
    assert len(sim.requests) == 1


def test_H08_length_and_chunks_together(sim: RegistrySim, image: SimImage, here: Opened) -> None:
    data = sim.content.repository("team/app").manifests[image.digest][1]
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    sim.script("/manifests/", raw(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)))
    assert resolve(here, sim) == image.digest


def test_H11_five_attempts_and_no_more(sim: RegistrySim, here: Opened) -> None:
    sim.always("/manifests/", instead(503, b"try later"))
    with pytest.raises(Unavailable) as caught:
        resolve(here, sim)
    assert f"{sim.host} answered 503 service unavailable for" in caught.value.what
    assert caught.value.mend == ("try later",)
    assert len(sim.requests) == 5
    assert here.clock.slept == pytest.approx(0.5 + 1 + 2 + 4)


def test_H01_nobody_is_there(tmp_path: Path, sim: RegistrySim) -> None:
    host = sim.host
    sim.__exit__(None, None, None)
    with opened(tmp_path) as here, pytest.raises(Unavailable, match=f"no connection to {host}: "):
        here.client.resolve(ref(host, "team/app:stable"))


def test_H01_no_such_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    wrong = r"the name registry\.invalid was not found: Name or service not known"
    with opened(tmp_path) as here, pytest.raises(Unavailable, match=wrong):
        here.client.resolve(ref("registry.invalid", "team/app:stable"))


class TestRateLimits:
    @pytest.mark.parametrize(
        ("value", "slept"),
        [
            pytest.param("1", 1.5, id="H09-seconds"),
            pytest.param("120", 120.5, id="H09-minutes"),
            pytest.param("Mon, 21 Sep 2026 14:14:20 GMT", 60.5, id="H09-date"),
            pytest.param("-1", 0.5, id="H09-negative"),
            pytest.param("x", 0.5, id="H09-nonsense"),
        ],
    )
    def test_the_wait_that_is_asked_for(
        self, sim: RegistrySim, image: SimImage, here: Opened, value: str, slept: float
    ) -> None:
        sim.script("/manifests/", instead(429, Retry_After=value))
        assert resolve(here, sim) == image.digest
        assert here.clock.slept == pytest.approx(slept)

    def test_H09_a_day_is_not_waited_for(self, sim: RegistrySim, here: Opened) -> None:
        sim.script("/manifests/", instead(429, Retry_After="86400"))
        with pytest.raises(RateLimited, match="2026-09-22 14:13 UTC"):
            resolve(here, sim)
        with pytest.raises(RateLimited):
            resolve(here, sim)
        assert len(sim.requests) == 1

    def test_ghcr_writes_it_into_the_body(
        self, sim: RegistrySim, image: SimImage, here: Opened
    ) -> None:
        text = "toomanyrequests: retry-after: 63.373s, allowed: 44000/minute"
        data = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": text}]}).encode()
        sim.script("/manifests/", instead(429, data))
        assert resolve(here, sim) == image.digest
        assert here.clock.slept == pytest.approx(63.373 + 0.5)
        assert here.notes == [f"{sim.host} asks to slow down: waiting 63 s"]

    def test_503_with_retry_after_is_waited_for(
        self, sim: RegistrySim, image: SimImage, here: Opened
    ) -> None:
        sim.script("/manifests/", instead(503, Retry_After="20"))
        assert resolve(here, sim) == image.digest
        assert here.clock.slept == pytest.approx(20.5)

    def test_an_exhausted_quota_is_final_and_said(self, sim: RegistrySim, here: Opened) -> None:
        sim.always("/manifests/", instead(429, b"toomanyrequests: pull rate limit", **QUOTA))
        with pytest.raises(RateLimited, match="all of its 100 pulls in 6 h are used up") as caught:
            resolve(here, sim)
        assert caught.value.mend[0] == "toomanyrequests: pull rate limit"
        assert len(sim.requests) == 1

    def test_H10_sixteen_workers_do_not_storm(self, sim: RegistrySim, tmp_path: Path) -> None:
        sim.always("/manifests/", instead(429, Retry_After="1"))
        refused = []

        with opened(tmp_path, clock=FakeClock(jitter=0)) as here:

            def work() -> None:
                with pytest.raises(RateLimited) as caught:
                    resolve(here, sim)
                refused.append(caught.value)

            threads = [threading.Thread(target=work) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(refused) == 16
        assert len(sim.requests) <= 16 * 5


class TestErrorBodies:
    def test_H12_the_text_is_shown_safe(self, sim: RegistrySim, here: Opened) -> None:
        text = json.dumps({"errors": [{"code": "X", "message": "\x1b[2Jpwned" + "y" * 999}]})
        sim.always("/manifests/", instead(400, text.encode()))
        with pytest.raises(ProtocolError) as caught:
            resolve(here, sim)
        assert r"X: \x1b[2Jpwnedyyy" in str(caught.value)
        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < 800

    def test_H12_a_page_is_named_by_type_and_size(self, sim: RegistrySim, here: Opened) -> None:
        page = b"<html>" + b"x" * 12_000
        sim.always("/manifests/", instead(400, page, Content_Type="text/html"))
        with pytest.raises(ProtocolError) as caught:
            resolve(here, sim)
        assert caught.value.mend == ("text/html, 12 KB",)

    def test_H13_an_endless_body_is_read_to_64_KiB(self, sim: RegistrySim, here: Opened) -> None:
        head = b"HTTP/1.1 400 No\r\nContent-Length: 999999999999\r\n\r\n"
        sim.always("/manifests/", raw(head + b"a" * (64 << 10), Then.STALL))
        with pytest.raises(ProtocolError, match="400"):
            resolve(here, sim)

    @pytest.mark.parametrize("then", [Then.CLOSE, Then.RESET])
    def test_one_that_breaks_off_does_not_hide_the_status(
        self, sim: RegistrySim, here: Opened, then: Then
    ) -> None:
        sim.always("/manifests/", raw(b"HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\nab", then))
        with pytest.raises(ProtocolError, match="400"):
            resolve(here, sim)

    def test_one_that_falls_silent_does_not_hide_the_status(
        self, sim: RegistrySim, hasty: Opened
    ) -> None:
        self.test_one_that_breaks_off_does_not_hide_the_status(sim, hasty, Then.STALL)


class TestWarnings:
    def test_are_shown_once_each(self, sim: RegistrySim, here: Opened) -> None:
        sim.always("/manifests/", header("Warning", '299 - "going \x1b[1maway"'))
        for _ in range(3):
            resolve(here, sim)
        assert here.notes == [rf"{sim.host} warns: going \x1b[1maway"]

    def test_other_codes_are_not_shown(self, sim: RegistrySim, here: Opened) -> None:
        sim.script("/manifests/", header("Warning", '199 - "misc"'), header("Warning", "299"))
        resolve(here, sim)
        resolve(here, sim)
        assert here.notes == []

    def test_do_not_flood(self, sim: RegistrySim, here: Opened) -> None:
        def endless(request: Request, answer: Answer) -> Answer:
            return answer.with_header("Warning", f'299 - "{len(sim.requests)} {"x" * 9000}"')

        sim.always("/manifests/", endless)
        for _ in range(40):
            resolve(here, sim)
        assert len(here.notes) == 20
        assert max(map(len, here.notes)) < 600


def test_H22_requests_are_as_many_as_the_caller_makes(
    sim: RegistrySim, image: SimImage, here: Opened
) -> None:
    sim.always("/manifests/", changed(delay=0.02))
    threads = [threading.Thread(target=resolve, args=(here, sim)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert here.client.counts == {"manifest": 16}
    assert sim.connections <= 16


def test_H26_a_network_that_comes_back(sim: RegistrySim, image: SimImage, here: Opened) -> None:
    sim.script("/manifests/", dropped, dropped, dropped, dropped, honest)
    assert resolve(here, sim) == image.digest


def test_H04_a_dripping_head_is_cut(sim: RegistrySim, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5000

    def drip(request: Request, answer: Answer) -> Answer:
        return Answer(raw=head, drip=0.001, then=Then.STALL)

    sim.always("/manifests/", drip)
    patient = Tuning(timeouts=Timeouts(connect=120, answer=600, silence=600))
    with (
        opened(tmp_path, tuning=patient, clock=FakeClock(tick=1.0)) as here,
        pytest.raises(Unavailable, match=r"silent|in time"),
    ):
        resolve(here, sim)
