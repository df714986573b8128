"""Slow, silent and many clients (W07): what they cost is bounded, and others are served."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pinner.serve.connection import Limits
from pinner.serve.message import Response
from support.dialing import (
    ASK,
    BIG,
    OK,
    SILENCE,
    all_wait,
    ask,
    big_file,
    dial,
    everything,
    file_response,
    serving,
)
from support.waiting import await_that

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from pinner.serve.message import Request, Sent

pytestmark = pytest.mark.real_clock  # sockets wait in real time


def clients_threads() -> int:
    return sum(thread.name == "serve client" for thread in threading.enumerate())


def trickle(client: socket.socket, data: bytes) -> None:
    until = time.monotonic() + SILENCE
    while time.monotonic() < until:
        client.sendall(data)
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        pytest.param(b"G", Limits(idle=600, patience=0.3), id="head"),
        pytest.param(b"\r\n", Limits(idle=0.3, patience=600), id="empty-lines"),
    ],
)
def test_W07_what_trickles_in_is_cut(data: bytes, limits: Limits) -> None:
    with (
        serving(limits=limits) as server,
        dial(server) as client,
        pytest.raises(ConnectionError),
    ):
        trickle(client, data)


def test_W07_a_head_that_stops_halfway_behind_a_request_is_cut_early() -> None:
    with serving(limits=Limits(idle=600, patience=0.3)) as server, dial(server) as client:
        client.sendall(ASK + ASK[:10])
        assert everything(client).endswith(b"ok")  # within dial's patience


def test_W07_an_idle_connection_is_closed() -> None:
    with serving(limits=Limits(idle=0.2)) as server, dial(server) as client:
        assert everything(client) == b""


def test_W07_a_client_that_takes_nothing_is_cut(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    finished: list[Sent] = []
    told = threading.Event()

    def note(_: Request, __: Response, sent: Sent) -> None:
        finished.append(sent)
        told.set()

    limits = Limits(patience=0.3, grace=0)
    with (
        serving(lambda _: file_response(blob, 0, BIG), limits, finished=note) as server,
        dial(server) as client,
    ):
        client.sendall(ASK)
        assert told.wait(SILENCE)
        _, _, body = everything(client).partition(b"\r\n\r\n")
    assert not finished[0].whole
    assert len(body) == finished[0].body < BIG


def test_W07_a_client_that_takes_no_manifest_is_cut() -> None:
    data = bytes(32 * 1024 * 1024)
    response = Response(status=200, headers=(("Content-Length", str(len(data))),), body=data)
    finished: list[Sent] = []
    told = threading.Event()

    def note(_: Request, __: Response, sent: Sent) -> None:
        finished.append(sent)
        told.set()

    with (
        serving(lambda _: response, Limits(patience=0.2, grace=0), finished=note) as server,
        dial(server) as client,
    ):
        client.sendall(ASK)
        assert told.wait(SILENCE)
    assert not finished[0].whole


def test_W07_200_clients_that_want_nothing_keep_nobody_out(tmp_path: Path) -> None:
    blob = big_file(tmp_path)

    def answer(request: Request) -> Response:
        return file_response(blob, 0, BIG) if request.target == "/big" else OK

    openings = (b"", ASK[:20], b"\r\n", ASK.replace(b"/", b"/big", 1))
    before = clients_threads()
    with serving(answer, Limits(grace=0)) as server, ExitStack() as clients:
        for number in range(200):
            client = clients.enter_context(dial(server))
            client.sendall(openings[number % len(openings)])
        assert ask(server) == (200, b"ok")
        assert clients_threads() - before <= 201


def test_W07_the_connection_that_waits_longest_makes_room() -> None:
    with serving(limits=Limits(connections=2)) as server, ExitStack() as clients:
        first, second = (clients.enter_context(dial(server)) for _ in range(2))
        for client in (second, first):  # the first to come is the last to be answered
            client.sendall(ASK)
            assert client.recv(1000).endswith(b"ok")
            await_that(partial(all_wait, server))
        assert ask(server) == (200, b"ok")
        assert everything(second) == b""
        first.sendall(ASK)
        assert first.recv(1000).endswith(b"ok")


def test_W07_clients_without_a_head_make_room_as_well() -> None:
    before = clients_threads()
    with serving(limits=Limits(connections=4)) as server, ExitStack() as clients:
        for _ in range(40):
            clients.enter_context(dial(server)).sendall(ASK[:20])
        assert ask(server) == (200, b"ok")
        await_that(lambda: clients_threads() - before <= 4)


def test_W07_where_all_are_being_answered_a_client_is_told_to_come_back() -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        asked.set()
        assert go.wait(SILENCE)
        return OK

    with serving(slow, Limits(connections=1)) as server, dial(server) as first:
        first.sendall(ASK)
        assert asked.wait(SILENCE)
        with dial(server) as second:
            received = everything(second)
        go.set()
        assert first.recv(1000).endswith(b"ok")
    assert received.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 1" in received


def test_W07_without_a_thread_left_a_client_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def fail_for_clients(thread: threading.Thread) -> None:
        if thread.name == "serve client":
            raise RuntimeError("can't start new thread")
        start(thread)

    with serving() as server:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail_for_clients)
            with dial(server) as client:
                assert everything(client).startswith(b"HTTP/1.1 503")
        assert ask(server) == (200, b"ok")
