"""How a server is left: what is under way may finish, for a while, and nothing is kept in line."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from pinner.clock import SystemClock
from pinner.serve.connection import Limits
from pinner.serve.server import Server, open_listener
from support.dialing import (
    ASK,
    BIG,
    OK,
    QUICK,
    ask,
    big_file,
    dial,
    everything,
    file_response,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pinner.serve.message import Request, Response, Sent

pytestmark = pytest.mark.real_clock  # sockets wait in real time

PATIENT = Limits(patience=60, grace=60)


def test_leaving_closes_idle_connections_at_once() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(limits=Limits(grace=30)))
        with dial(server) as client:
            client.sendall(ASK)
            assert client.recv(1000).endswith(b"ok")
            began = time.monotonic()
            stack.close()
            assert time.monotonic() - began < 5
            assert everything(client) == b""


def test_leaving_lets_an_answer_under_way_finish() -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        asked.set()
        assert go.wait(5)
        return OK

    answers: list[tuple[int, bytes]] = []
    with serving(slow) as server:
        client = threading.Thread(target=lambda: answers.append(ask(server)))
        client.start()
        assert asked.wait(5)
        threading.Timer(0.2, go.set).start()
    client.join(5)
    assert answers == [(200, b"ok")]


def test_a_file_under_way_is_sent_to_its_end(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    with ExitStack() as stack:
        server = stack.enter_context(serving(lambda _: file_response(blob, 0, BIG), PATIENT))
        with dial(server) as client:
            client.sendall(ASK)
            received = [client.recv(10)]
            reading = threading.Timer(0.2, lambda: received.append(everything(client)))
            reading.start()
            stack.close()
            reading.join(5)
    assert len(b"".join(received).partition(b"\r\n\r\n")[2]) == BIG


def test_leaving_cuts_what_outlasts_the_grace(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    limits = Limits(patience=60, grace=0.1)
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
        go.wait(20)
        return OK

    def knock(port: int) -> None:
        deadline = time.monotonic() + 3
        while errno.ECONNREFUSED not in codes and time.monotonic() < deadline:
            with socket.socket() as late:
                late.settimeout(0.5)
                codes.append(late.connect_ex(("127.0.0.1", port)))
            time.sleep(0.02)
        go.set()

    with serving(slow, PATIENT) as server, dial(server) as client:
        client.sendall(ASK)
        assert asked.wait(5)
        knocking = threading.Thread(target=knock, args=(int(server.authority.split(":")[1]),))
        knocking.start()
    knocking.join(5)
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
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            began = time.monotonic()
            stack.close()
            assert time.monotonic() - began < 20
            assert len(everything(client)) < BIG


class CountingListener(socket.socket):
    accepts = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.accepts += 1
        return super().accept()


def test_to_end_a_grace_before_it_begins_keeps_nobody_busy() -> None:
    listener = CountingListener(fileno=open_listener().detach())
    with Server(listener, lambda _: OK, clock=SystemClock(), limits=QUICK) as server:
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
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    assert [sent.whole for sent in finished] == [False]


def test_after_leaving_nothing_listens() -> None:
    with serving() as server:
        authority = server.authority
    host, _, port = authority.rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
