from __future__ import annotations

import os
import socket
import tempfile
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError
from pinner.serve.systemd import READY, notify, passed_listener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PID = 4711


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(60)
        yield receiver


def test_a_manager_at_a_path_is_told(manager: socket.socket) -> None:
    with tempfile.TemporaryDirectory() as short:
        manager.bind(f"{short}/socket")
        notify(READY, {"NOTIFY_SOCKET": f"{short}/socket"})
        assert manager.recv(100) == b"READY=1"


def test_a_manager_at_an_abstract_name_is_told(manager: socket.socket) -> None:
    name = f"pinner-tests-{os.getpid()}"
    manager.bind(f"\0{name}")
    notify(READY, {"NOTIFY_SOCKET": f"@{name}"})
    assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/socket", "vsock:2:1234", "@" + "x" * 200])
def test_a_manager_that_does_not_listen_is_no_failure(address: str) -> None:
    notify(READY, {"NOTIFY_SOCKET": address})


@pytest.fixture
def descriptor() -> Iterator[int]:
    """That of a listening socket, which whoever takes it closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield os.dup(listener.fileno())


def environ(count: str = "1", pid: int = PID) -> dict[str, str]:
    return {"LISTEN_PID": str(pid), "LISTEN_FDS": count}


def test_a_socket_that_was_passed_is_taken(descriptor: int) -> None:
    passed = passed_listener(environ(), pid=PID, first=descriptor)
    assert passed is not None
    with passed, socket.create_connection(passed.getsockname(), timeout=60):
        assert not os.get_inheritable(descriptor)


def test_a_socket_for_another_process_is_left_alone(descriptor: int) -> None:
    assert passed_listener(environ(pid=PID + 1), pid=PID, first=descriptor) is None
    assert passed_listener(environ("0"), pid=PID, first=descriptor) is None
    assert passed_listener({}, pid=PID, first=descriptor) is None
    os.close(descriptor)


def test_several_sockets_are_refused(descriptor: int) -> None:
    with pytest.raises(InputError, match="several"):
        passed_listener(environ("2"), pid=PID, first=descriptor)
    os.close(descriptor)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_what_does_not_listen_on_tcp_is_refused(family: socket.AddressFamily) -> None:
    passed = socket.socket(family).detach()
    with pytest.raises(InputError, match="does not listen on TCP"):
        passed_listener(environ(), pid=PID, first=passed)


def test_what_is_no_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    opened = os.open(tmp_path / "file", os.O_RDONLY)
    with pytest.raises(InputError, match="cannot be used"):
        passed_listener(environ(), pid=PID, first=opened)
    os.close(opened)
