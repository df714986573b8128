"""How a server is left: what is under way may finish, for a while, and nothing is kept in line."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pinner.clock import SystemClock
from pinner.serve.connection import Limits
from pinner.serve.server import Server, open_listener
from support.dialing import (
    ASK,
    BIG,
    OK,
    PATIENT,
    SILENCE,
    all_wait,
    ask,
    at_once,
    big_file,
    dial,
    everything,
    file_response,
    serving,
)
from support.waiting import await_that

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pinner.serve.message import Request, Response, Sent

pytestmark = pytest.mark.real_clock  # sockets wait in real time


def when_it_is_being_left(server: Server, act: Callable[[], object]) -> threading.Thread:
    """Act from a thread of its own, as soon as the server waits for answers under way."""

    def wait_and_act() -> None:
        await_that(lambda: server._listener.fileno() == -1)
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def send_the_signal() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


def test_leaving_closes_idle_connections_at_once() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        with dial(server) as client:
            client.sendall(ASK)
            assert client.recv(1000).endswith(b"ok")
            await_that(partial(all_wait, server))
            with at_once(server):
                stack.close()
            assert everything(client) == b""


def test_leaving_lets_an_answer_under_way_finish() -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        asked.set()
        assert go.wait(SILENCE)
        return OK

    answers: list[tuple[int, bytes]] = []
    with serving(slow) as server:
        client = threading.Thread(target=lambda: answers.append(ask(server)))
        client.start()
        assert asked.wait(SILENCE)
        when_it_is_being_left(server, go.set)
    client.join(SILENCE)
    assert answers == [(200, b"ok")]


def test_a_file_under_way_is_sent_to_its_end(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    with ExitStack() as stack:
        limits = replace(PATIENT, linger=0.1)
        server = stack.enter_context(serving(lambda _: file_response(blob, 0, BIG), limits))
        with dial(server) as client:
            client.sendall(ASK)
            received = [client.recv(10)]
            reading = when_it_is_being_left(server, lambda: received.append(everything(client)))
            stack.close()
            reading.join(SILENCE)
    assert len(b"".join(received).partition(b"\r\n\r\n")[2]) == BIG


def test_leaving_cuts_what_outlasts_the_grace(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    limits = Limits(patience=600, grace=0.1)
    with ExitStack() as stack:
        server = stack.enter_context(serving(lambda _: file_response(blob, 0, BIG), limits))
        with dial(server) as client:
            client.sendall(ASK)
            client.recv(10)
            stack.close()
            assert len(everything(client)) < BIG


def test_while_answers_finish_new_clients_are_refused_not_kept_in_line() -> None:
    asked, go = threading.Event(), threading.Event()
    codes: list[int] = []

    def slow(_: Request) -> Response:
        asked.set()
        assert go.wait(2 * SILENCE)
        return OK

    def knock(port: int) -> None:
        until = time.monotonic() + SILENCE
        while errno.ECONNREFUSED not in codes and time.monotonic() < until:
            with socket.socket() as late:
                late.settimeout(0.5)
                codes.append(late.connect_ex(("127.0.0.1", port)))
            time.sleep(0.02)
        go.set()

    with serving(slow, PATIENT) as server, dial(server) as client:
        client.sendall(ASK)
        assert asked.wait(SILENCE)
        knocking = threading.Thread(target=knock, args=(int(server.authority.split(":")[1]),))
        knocking.start()
    knocking.join(2 * SILENCE)
    assert errno.ECONNREFUSED in codes


@pytest.fixture
def on_signal() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Sets what SIGUSR1 does, until the test ends."""
    before = signal.getsignal(signal.SIGUSR1)

    def choose(act: Callable[[], object]) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: act())

    yield choose
    signal.signal(signal.SIGUSR1, before)


def test_a_second_signal_ends_the_grace(
    tmp_path: Path, on_signal: Callable[[Callable[[], object]], None]
) -> None:
    blob = big_file(tmp_path)
    with ExitStack() as stack:
        server = stack.enter_context(serving(lambda _: file_response(blob, 0, BIG), PATIENT))
        on_signal(server.cut)
        with dial(server) as client:
            client.sendall(ASK)
            client.recv(10)
            when_it_is_being_left(server, send_the_signal)
            with at_once(server):
                stack.close()
            assert len(everything(client)) < BIG


class CountingListener(socket.socket):
    accepts = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.accepts += 1
        return super().accept()


def test_to_end_a_grace_before_it_begins_keeps_nobody_busy() -> None:
    listener = CountingListener(fileno=open_listener().detach())
    with Server(listener, lambda _: OK, clock=SystemClock(), limits=PATIENT) as server:
        assert ask(server) == (200, b"ok")
        server.cut()
        before = listener.accepts
        time.sleep(0.3)
        assert listener.accepts - before < 3  # a waker that nobody empties would spin
        assert ask(server) == (200, b"ok")


def test_an_interruption_ends_the_grace(
    tmp_path: Path, on_signal: Callable[[Callable[[], object]], None]
) -> None:
    blob = big_file(tmp_path)
    finished: list[Sent] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    on_signal(interrupt)
    with (  # noqa: PT012 - raised on leaving the server
        ExitStack() as clients,
        pytest.raises(KeyboardInterrupt),
        serving(
            lambda _: file_response(blob, 0, BIG),
            PATIENT,
            finished=lambda *told: finished.append(told[2]),
        ) as server,
    ):
        client = clients.enter_context(dial(server))
        client.sendall(ASK)
        client.recv(10)
        when_it_is_being_left(server, send_the_signal)
    assert [sent.whole for sent in finished] == [False]


def test_after_leaving_nothing_listens() -> None:
    with serving() as server:
        authority = server.authority
    host, _, port = authority.rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=SILENCE)
