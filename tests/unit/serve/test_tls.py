"""TLS as a server speaks it: to good clients, to plain ones, to silent and to rude ones."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pinner.errors import InputError
from pinner.serve import tls
from pinner.serve.connection import Limits
from pinner.serve.tls import server_context
from support.dialing import (
    ASK,
    BIG,
    OK,
    SILENCE,
    all_wait,
    at_once,
    big_file,
    dial,
    everything,
    file_response,
    serving,
)
from support.programs import run
from support.tls import Authority
from support.waiting import await_that

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.serve.message import Request, Response, Sent
    from pinner.serve.server import Server
    from support.tls import Certified

pytestmark = pytest.mark.real_clock  # sockets wait in real time

ALERT = b"\x15"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certified(authority: Authority) -> Certified:
    return authority.issue("server")


@pytest.fixture
def context(certified: Certified) -> ssl.SSLContext:
    return server_context(certified.certificate, certified.key)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca_file))


def dial_tls(server: Server, client: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection on which an end without TLS's own goodbye is an error."""
    plain = dial(server)
    return client.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)


def test_requests_are_answered_one_after_the_other(
    authority: Authority, context: ssl.SSLContext
) -> None:
    with serving(tls=context) as server, dial_tls(server, trusting(authority)) as client:
        for _ in range(3):
            client.sendall(ASK)
            assert client.recv(1000).endswith(b"\r\n\r\nok")


def test_requests_in_one_record_are_all_answered(
    authority: Authority, context: ssl.SSLContext
) -> None:
    last = ASK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with serving(tls=context) as server, dial_tls(server, trusting(authority)) as client:
        client.sendall(ASK + ASK + last)
        assert everything(client).count(b"\r\n\r\nok") == 3


@pytest.mark.parametrize(("start", "length"), [(0, 0), (3, 1), (100, 600_000), (0, 1_048_576)])
def test_a_part_of_a_file_is_sent(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext, start: int, length: int
) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)) * 4096)
    sent: list[Sent] = []
    with (
        serving(
            lambda _: file_response(blob, start, length),
            tls=context,
            finished=lambda *told: sent.append(told[2]),
        ) as server,
        dial_tls(server, trusting(authority)) as client,
    ):
        client.sendall(ASK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        body = everything(client).partition(b"\r\n\r\n")[2]
    assert body == blob.read_bytes()[start : start + length]
    assert [(one.body, one.whole) for one in sent] == [(length, True)]


@pytest.mark.parametrize(
    ("version", "name"),
    [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")],
)
def test_newer_versions_are_spoken(
    authority: Authority, context: ssl.SSLContext, version: ssl.TLSVersion, name: str
) -> None:
    client_side = trusting(authority)
    client_side.minimum_version = client_side.maximum_version = version
    with serving(tls=context) as server, dial_tls(server, client_side) as client:
        assert client.version() == name


def test_nothing_older_nor_renegotiation_is_offered(context: ssl.SSLContext) -> None:
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.options & ssl.OP_NO_COMPRESSION


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "http/1.1"), (["h2"], None)])
def test_the_protocol_is_http_1(
    authority: Authority, context: ssl.SSLContext, offered: list[str], chosen: str | None
) -> None:
    client_side = trusting(authority)
    client_side.set_alpn_protocols(offered)
    with serving(tls=context) as server, dial_tls(server, client_side) as client:
        assert client.selected_alpn_protocol() == chosen


def test_plain_http_is_told_at_once_what_the_port_speaks(context: ssl.SSLContext) -> None:
    with serving(tls=context) as server, dial(server) as client:
        client.sendall(ASK)
        received = everything(client)
    assert received.startswith(b"HTTP/1.1 400")
    assert b"https" in received


@pytest.mark.parametrize(
    "sent", [b"\x16\x09\x09\x00\x05hello", b"\x16" * 400], ids=["version", "noise"]
)
def test_what_only_begins_like_tls_is_cut_at_once(context: ssl.SSLContext, sent: bytes) -> None:
    with serving(tls=context) as server, dial(server) as client:
        client.sendall(sent)
        with suppress(ConnectionResetError):
            assert everything(client)[:1] in {b"", ALERT}


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01\x02"])
def test_W07_a_handshake_that_does_not_come_is_cut(context: ssl.SSLContext, sent: bytes) -> None:
    with (
        serving(limits=Limits(patience=0.3, idle=600), tls=context) as server,
        dial(server) as client,
    ):
        client.sendall(sent)
        with suppress(ConnectionResetError):  # on a busy machine, before these bytes came
            assert everything(client) == b""  # within dial's patience


def test_W07_others_shake_hands_while_200_clients_do_not(
    authority: Authority, context: ssl.SSLContext
) -> None:
    with serving(tls=context) as server, ExitStack() as clients:
        for number in range(200):
            client = clients.enter_context(dial(server))
            if number % 2:
                client.sendall(b"\x16\x03\x01")
        with dial_tls(server, trusting(authority)) as client:
            client.sendall(ASK)
            assert client.recv(1000).endswith(b"ok")


def test_W07_who_does_not_shake_hands_makes_room(
    authority: Authority, context: ssl.SSLContext
) -> None:
    with serving(limits=Limits(connections=2), tls=context) as server, ExitStack() as clients:
        for _ in range(5):
            clients.enter_context(dial(server))
        with dial_tls(server, trusting(authority)) as client:
            client.sendall(ASK)
            assert client.recv(1000).endswith(b"ok")


def test_W07_where_all_are_being_answered_a_client_is_closed_on(
    authority: Authority, context: ssl.SSLContext
) -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        asked.set()
        assert go.wait(SILENCE)
        return OK

    with (
        serving(slow, Limits(connections=1), tls=context) as server,
        dial_tls(server, trusting(authority)) as first,
    ):
        first.sendall(ASK)
        assert asked.wait(SILENCE)
        with dial(server) as second:
            assert everything(second) == b""
        go.set()
        assert first.recv(1000).endswith(b"ok")


def test_W07_a_client_that_takes_nothing_is_cut(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext
) -> None:
    blob = big_file(tmp_path)
    sent: list[Sent] = []
    told = threading.Event()

    def note(_: Request, __: Response, what: Sent) -> None:
        sent.append(what)
        told.set()

    with (
        serving(
            lambda _: file_response(blob, 0, BIG),
            Limits(grace=0),
            tls=context,
            finished=note,
        ) as server,
        dial_tls(server, trusting(authority)) as client,
    ):
        (connection,) = server._connections
        connection._channel._patience = 0.3  # from now on: the handshake may take its time
        client.sendall(ASK)
        assert told.wait(SILENCE)
    assert not sent[0].whole
    assert 0 < sent[0].body < BIG


def test_W07_a_client_that_stops_within_a_piece_is_cut(
    tmp_path: Path,
    authority: Authority,
    context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pinner.serve.tls._PIECE", BIG)  # the kernel alone keeps the time then
    blob = big_file(tmp_path)
    told: queue.SimpleQueue[Sent] = queue.SimpleQueue()
    with (
        serving(
            lambda _: file_response(blob, 0, BIG),
            Limits(grace=0),
            tls=context,
            finished=lambda *what: told.put(what[2]),
        ) as server,
        dial_tls(server, trusting(authority)) as client,
    ):
        (connection,) = server._connections
        connection._channel._patience = 0.3  # from now on: the handshake may take its time
        client.sendall(ASK)
        assert not told.get(timeout=60).whole


@pytest.mark.parametrize("why", ["idle", "left", "room"])
def test_a_connection_that_is_closed_says_goodbye(
    authority: Authority, context: ssl.SSLContext, why: str
) -> None:
    limits = Limits(idle=0.3 if why == "idle" else 600, grace=600, connections=1)
    with ExitStack() as stack:
        server = stack.enter_context(serving(limits=limits, tls=context))
        with dial_tls(server, trusting(authority)) as client:
            if why != "idle":  # which it may become before it has asked
                client.sendall(ASK)
                assert client.recv(1000).endswith(b"ok")
                await_that(partial(all_wait, server))
            if why == "left":
                stack.close()
            elif why == "room":
                stack.enter_context(dial(server))
            assert client.recv(1000) == b""  # without the goodbye, an SSLEOFError


def test_a_client_that_says_goodbye_is_answered_with_one(
    authority: Authority, context: ssl.SSLContext
) -> None:
    with serving(tls=context) as server, dial_tls(server, trusting(authority)) as client:
        client.sendall(ASK)
        assert client.recv(1000).endswith(b"ok")
        assert client.unwrap().recv(1000) == b""


def test_leaving_cuts_a_handshake(context: ssl.SSLContext) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(tls=context))
        with dial(server) as client:
            client.sendall(b"\x16\x03\x01")
            await_that(lambda: bool(server._connections))
            with at_once(server):
                stack.close()
            assert everything(client)[:1] in {b"", ALERT}


def test_leaving_cuts_a_file_that_nobody_takes(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext
) -> None:
    blob = big_file(tmp_path)
    told: queue.SimpleQueue[Sent] = queue.SimpleQueue()
    with ExitStack() as stack:
        server = stack.enter_context(
            serving(
                lambda _: file_response(blob, 0, BIG),
                Limits(patience=600, grace=0),
                tls=context,
                finished=lambda *what: told.put(what[2]),
            )
        )
        with dial_tls(server, trusting(authority)) as client:
            client.sendall(ASK)
            assert client.recv(10)  # the file is under way
            stack.close()
            assert not told.get(timeout=60).whole


def test_a_file_that_shrinks_is_never_a_whole_blob(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext
) -> None:
    blob = big_file(tmp_path)
    with (
        serving(lambda _: file_response(blob, 0, BIG), tls=context) as server,
        dial_tls(server, trusting(authority)) as client,
    ):
        client.sendall(ASK)
        received = len(client.recv(1000))
        with blob.open("r+b") as file:
            file.truncate(1_000_000)
        received += len(everything(client))
    assert received < BIG


def test_many_files_at_once_are_each_sent_whole(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext
) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)) * 8192)
    client_side = trusting(authority)
    last = ASK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    bodies: list[bytes] = []

    def read(server: Server) -> None:
        with dial_tls(server, client_side) as client:
            client.sendall(last)
            bodies.append(everything(client).partition(b"\r\n\r\n")[2])

    size = blob.stat().st_size
    with serving(lambda _: file_response(blob, 0, size), tls=context) as server:
        threads = [threading.Thread(target=read, args=(server,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SILENCE)
    assert bodies == [blob.read_bytes()] * 16


def test_a_client_that_resets_hurts_nobody(authority: Authority, context: ssl.SSLContext) -> None:
    with serving(tls=context) as server:
        for sent in (b"", b"\x16\x03"):
            client = dial(server)
            client.sendall(sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        with dial_tls(server, trusting(authority)) as client:
            client.sendall(ASK)
            assert client.recv(1000).endswith(b"ok")


def test_one_file_may_hold_both(certified: Certified, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certified.key.read_bytes() + certified.certificate.read_bytes())
    assert server_context(both, both).cert_store_stats()


@pytest.mark.parametrize("which", ["certificate", "key"])
@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("missing", "No such file"),
        ("folder", "directory"),
        ("empty", "holds no"),
        ("noise", "holds no"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    certified: Certified, tmp_path: Path, which: str, state: str, said: str
) -> None:
    bad = tmp_path / "bad.pem"
    if state == "folder":
        bad.mkdir()
    elif state != "missing":
        bad.write_bytes(b"" if state == "empty" else b"\x00\xff\x1b[31m" * 99)
    files = {"certificate": certified.certificate, "key": certified.key, which: bad}
    with pytest.raises(InputError, match=said) as refused:
        server_context(files["certificate"], files["key"])
    assert refused.value.where == str(bad)
    assert refused.value.mend


def test_a_pair_that_goes_just_when_it_is_read_is_an_error_like_another(
    certified: Certified, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tls, "_check_readable", lambda _: None)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        server_context(tmp_path / "gone.pem", certified.key)


def test_the_two_files_in_the_wrong_order(certified: Certified) -> None:
    with pytest.raises(InputError, match="no certificate") as refused:
        server_context(certified.key, certified.certificate)
    assert refused.value.where == str(certified.key)


def test_a_key_of_another_certificate(authority: Authority, certified: Certified) -> None:
    other = authority.issue("other")
    with pytest.raises(InputError, match="is not that of the certificate") as refused:
        server_context(certified.certificate, other.key)
    assert refused.value.where == str(other.key)


def test_an_encrypted_key_is_refused_without_asking(certified: Certified, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(certified.key.read_bytes(), password=None)
    encrypted = tmp_path / "encrypted.pem"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(InputError, match="encrypted") as refused:
        server_context(certified.certificate, encrypted)
    assert refused.value.where == str(encrypted)
    assert "openssl pkey" in str(refused.value)


def test_a_key_of_another_kind_than_the_certificate(certified: Certified, tmp_path: Path) -> None:
    other = tmp_path / "rsa.pem"
    other.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(InputError, match="is not that of the certificate"):
        server_context(certified.certificate, other)


def test_a_key_that_is_too_small(tmp_path: Path) -> None:
    crt, key = tmp_path / "small.crt", tmp_path / "small.key"
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:512", "-nodes", "-subj", "/CN=localhost"),
        *("-keyout", str(key), "-out", str(crt)),
        home=tmp_path,
    )
    with pytest.raises(InputError, match="key too small") as refused:
        server_context(crt, key)
    assert refused.value.where == str(crt)


def test_a_path_is_shown_without_its_control_characters(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        server_context(tmp_path / "\x1b[31m", tmp_path / "key")
    assert "\x1b" not in str(refused.value)
