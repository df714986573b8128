from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from pinner.clock import SystemClock
from pinner.errors import InputError
from pinner.serve.connection import Limits
from pinner.serve.server import Server, open_listener
from support.dialing import ASK, BIG, OK, ask, big_file, dial, everything, file_response, serving

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.serve.message import Sent

pytestmark = pytest.mark.real_clock  # sockets wait in real time


def test_it_answers() -> None:
    with serving() as server:
        assert ask(server) == (200, b"ok")


def test_a_part_of_a_file_is_sent(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)) * 4096)
    with serving(lambda _: file_response(blob, 100, 600_000)) as server:
        assert ask(server) == (200, blob.read_bytes()[100:600_100])


def test_an_empty_file_is_sent(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.touch()
    with serving(lambda _: file_response(blob, 0, 0)) as server:
        assert ask(server) == (200, b"")


def test_a_file_that_was_removed_since_it_was_looked_up_is_gone_and_no_failure(
    tmp_path: Path,
) -> None:
    with serving(lambda _: file_response(tmp_path / "pruned", 0, 10)) as server:
        status, body = ask(server)
    assert status == 404
    assert b"BLOB_UNKNOWN" in body


@pytest.mark.parametrize("kind", ["folder", "link", "short"])
def test_W05_a_file_that_is_not_what_it_was_is_a_500(tmp_path: Path, kind: str) -> None:
    blob = tmp_path / "blob"
    if kind == "folder":
        blob.mkdir()
    elif kind == "link":
        (tmp_path / "other").write_bytes(b"0123456789")
        blob.symlink_to(tmp_path / "other")
    elif kind == "short":
        blob.write_bytes(b"01234")
    with serving(lambda _: file_response(blob, 0, 10)) as server:
        status, body = ask(server)
    assert status == 500
    assert str(tmp_path).encode() not in body


def test_W05_a_file_that_shrinks_while_it_is_sent_cuts_the_connection(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    sent: list[Sent] = []
    with (
        serving(
            lambda _: file_response(blob, 0, BIG),
            Limits(idle=600),  # a connection that is kept would be an error of `everything`
            finished=lambda *told: sent.append(told[2]),
        ) as server,
        dial(server) as client,
    ):
        client.sendall(ASK)
        received = len(client.recv(1000))
        with blob.open("r+b") as file:
            file.truncate(1_000_000)
        received += len(everything(client))
    assert received < BIG
    assert [one.whole for one in sent] == [False]


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", pytest.param("::1", marks=needs_ipv6)])
def test_W09_loopback_is_listened_on(host: str) -> None:
    with open_listener(host) as listener:
        assert listener.getsockname()[1] > 0


@needs_ipv6
def test_an_ipv6_authority_is_bracketed() -> None:
    with Server(open_listener("::1"), lambda _: OK, clock=SystemClock()) as server:
        assert server.authority.startswith("[::1]:")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"])
def test_W09_other_addresses_need_to_be_asked_for(host: str) -> None:
    with pytest.raises(InputError, match="other machines"):
        open_listener(host)


def test_W09_all_addresses_when_asked_for() -> None:
    with open_listener("0.0.0.0", remote=True) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize("host", ["", "example.org", "127.0.0.1/8", "\x1b[31m"])
def test_a_name_is_no_address(host: str) -> None:
    with pytest.raises(InputError, match="cannot listen") as refused:
        open_listener(host)
    assert "\x1b" not in str(refused.value)


def test_a_port_in_use() -> None:
    with open_listener() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match="in use") as refused:
            open_listener("127.0.0.1", port)
    assert "another port" in str(refused.value)
