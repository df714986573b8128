"""Connections: TLS, proxies, reuse, and being cut."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pinner.errors import ProtocolError, Unavailable
from pinner.oci.registryconfig import RegistryConfig
from pinner.registry.http11 import Timeouts
from pinner.registry.open import Tuning
from support.clients import IMPATIENT, Opened, opened, ref, store_login
from support.net import Answer, LoopbackServer, Then
from support.proxy import TunnelProxy
from support.registry_faults import changed, raw, redirect
from support.registry_sim import Login, RegistrySim
from support.tls import Authority, Certified
from support.waiting import PATIENCE, await_that

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "registry.test"


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as sim:
        sim.content.add_image("team/app", "stable")
        yield sim


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Opened]:
    with opened(tmp_path) as here:
        yield here


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


def serving(certified: Certified) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified.certificate, certified.key)
    return context


def resolve(here: Opened, host: str) -> None:
    here.client.resolve(ref(host, "team/app:stable"))


class TestReuse:
    def test_one_connection_for_one_thing_after_the_other(
        self, sim: RegistrySim, here: Opened
    ) -> None:
        for _ in range(5):
            resolve(here, sim.host)
        assert sim.connections == 1

    def test_H20_a_server_that_closes_each_time(self, sim: RegistrySim, here: Opened) -> None:
        sim.always("/", changed(then=Then.CLOSE))
        for _ in range(3):
            resolve(here, sim.host)
        assert sim.connections == 3
        assert here.clock.slept == 0

    def test_an_old_idle_connection_is_not_used_again(self, sim: RegistrySim, here: Opened) -> None:
        resolve(here, sim.host)
        here.clock.sleep(31)
        resolve(here, sim.host)
        assert sim.connections == 2

    def test_bytes_that_nobody_asked_for_end_the_connection(
        self, sim: RegistrySim, here: Opened
    ) -> None:
        smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 404 Gone\r\n\r\n"
        sim.script("/manifests/", raw(smuggled, Then.KEEP))
        resolve(here, sim.host)
        resolve(here, sim.host)
        assert sim.connections == 2


class TestAbort:
    @pytest.mark.parametrize("then", [Then.STALL], ids=["H27"])
    def test_whoever_waits_is_woken(self, sim: RegistrySim, tmp_path: Path, then: Then) -> None:
        sim.always("/manifests/", raw(b"HTTP/1.1 200 OK\r\n", then))
        patient = Tuning(timeouts=Timeouts(connect=600, answer=600, silence=600))
        failures: list[Unavailable] = []

        with opened(tmp_path, tuning=patient) as here:

            def work() -> None:
                with pytest.raises(Unavailable) as caught:
                    resolve(here, sim.host)
                failures.append(caught.value)

            threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            await_that(lambda: len(sim.requests) == len(threads))
            here.client.abort()
            for thread in threads:
                thread.join(PATIENCE)
        assert len(failures) == 4
        assert len(sim.requests) == 4, "nothing is asked again"

    def test_whoever_shakes_hands_is_woken(self, tmp_path: Path, authority: Authority) -> None:
        patient = Tuning(timeouts=Timeouts(connect=600, answer=600, silence=600))
        failures: list[Unavailable] = []
        with socket.create_server(("127.0.0.1", 0)) as silent:
            host = f"127.0.0.1:{silent.getsockname()[1]}"
            trusting = [RegistryConfig(host=host, ca_file=authority.ca_file)]
            with opened(tmp_path, tuning=patient, configs=trusting) as here:

                def work() -> None:
                    with pytest.raises(Unavailable) as caught:
                        resolve(here, host)
                    failures.append(caught.value)

                thread = threading.Thread(target=work, daemon=True)
                thread.start()
                accepted, _ = silent.accept()
                with accepted:
                    assert accepted.recv(1) == b"\x16", "a handshake has begun"
                    here.client.abort()
                    thread.join(PATIENCE)
                    assert len(failures) == 1

    def test_nothing_is_asked_afterwards(self, sim: RegistrySim, here: Opened) -> None:
        here.client.abort()
        with pytest.raises(Unavailable, match="stopped"):
            resolve(here, sim.host)
        assert sim.connections == 0


class TestTls:
    def open(self, tmp_path: Path, host: str, ca_file: Path | None) -> Any:
        return opened(tmp_path, configs=[RegistryConfig(host=host, ca_file=ca_file)])

    def test_with_a_trusted_certificate(self, tmp_path: Path, authority: Authority) -> None:
        with RegistrySim(tls=serving(authority.issue("good"))) as sim:
            image = sim.content.add_image("team/app", "stable", layers=[b"x" * 3_000_000])
            with self.open(tmp_path, sim.host, authority.ca_file) as here:
                raw_manifest = here.client.resolve(ref(sim.host, "team/app:stable"))
        assert str(raw_manifest.digest) == image.digest
        assert sim.connections == 1

    @pytest.mark.parametrize(
        ("names", "valid", "trusted", "why"),
        [
            pytest.param(["127.0.0.1"], (-9, -2), True, "has expired", id="H06-expired"),
            pytest.param(["127.0.0.1"], (2, 9), True, "is not valid yet", id="not-yet"),
            pytest.param(["other.test"], (-1, 9), True, "is for another name", id="H06-wrong-host"),
            pytest.param(["127.0.0.1"], (-1, 9), False, "does not trust", id="H06-unknown-issuer"),
        ],
    )
    def test_bad_certificates_are_final(
        self,
        tmp_path: Path,
        authority: Authority,
        names: list[str],
        valid: tuple[int, int],
        *,
        trusted: bool,
        why: str,
    ) -> None:
        certified = authority.issue("bad", names=names, valid=valid)
        stranger = Authority.create(tmp_path / "stranger", "stranger")
        ca_file = (authority if trusted else stranger).ca_file
        with (
            RegistrySim(tls=serving(certified)) as sim,
            self.open(tmp_path, sim.host, ca_file) as here,
            pytest.raises(Unavailable, match=why) as caught,
        ):
            resolve(here, sim.host)
        assert "127.0.0.1" in caught.value.what
        assert not caught.value.transient
        assert sim.connections == 1, "never asked again, and never over http"
        assert sim.requests == []

    def test_H06_self_signed(self, tmp_path: Path, authority: Authority) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*_self_signed(Authority.create(tmp_path / "self"), tmp_path))
        with (
            RegistrySim(tls=context) as sim,
            self.open(tmp_path, sim.host, authority.ca_file) as here,
            pytest.raises(Unavailable, match="self-signed"),
        ):
            resolve(here, sim.host)

    def test_T8_plain_http_where_tls_is_expected(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as plain:
            host = f"127.0.0.1:{plain.getsockname()[1]}"

            def answer() -> None:
                client, _ = plain.accept()
                with client:
                    client.recv(4096)
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            with (
                self.open(tmp_path, host, authority.ca_file) as here,
                pytest.raises(Unavailable, match="does not speak TLS") as caught,
            ):
                resolve(here, host)
            thread.join()
        assert "plain-http = true" in caught.value.mend[0]
        assert not caught.value.transient

    def test_H06_a_stalled_handshake(self, tmp_path: Path, authority: Authority) -> None:
        quick = Tuning(timeouts=Timeouts(connect=0.1, answer=0.1, silence=0.1))
        with socket.create_server(("127.0.0.1", 0)) as mute:
            host = f"127.0.0.1:{mute.getsockname()[1]}"
            config = RegistryConfig(host=host, ca_file=authority.ca_file)
            with (
                opened(tmp_path, configs=[config], tuning=quick) as here,
                pytest.raises(Unavailable, match="TLS handshake in time"),
            ):
                resolve(here, host)

    def test_a_handshake_that_is_cut_may_pass(self, tmp_path: Path, authority: Authority) -> None:
        with socket.create_server(("127.0.0.1", 0)) as rude:
            host = f"127.0.0.1:{rude.getsockname()[1]}"

            def hang_up() -> None:
                for _ in range(5):
                    rude.accept()[0].close()

            thread = threading.Thread(target=hang_up)
            thread.start()
            with (
                self.open(tmp_path, host, authority.ca_file) as here,
                pytest.raises(Unavailable, match=f"the TLS handshake with {host} failed") as caught,
            ):
                resolve(here, host)
            thread.join()
        assert caught.value.transient

    def test_a_handshake_that_is_refused_is_final(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        context = serving(authority.issue("good"))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.ca_file)
        with (
            RegistrySim(tls=context) as sim,
            self.open(tmp_path, sim.host, authority.ca_file) as here,
            pytest.raises(
                Unavailable, match=r"TLS handshake with .* failed: .*handshake"
            ) as caught,
        ):
            resolve(here, sim.host)
        assert not caught.value.transient
        assert sim.connections == 1

    def test_D03_https_does_not_lead_to_http(
        self, sim: RegistrySim, tmp_path: Path, authority: Authority
    ) -> None:
        away = Answer(status=307, headers=(("Location", f"{sim.url}/b"),))
        with (
            LoopbackServer(lambda _: away, tls=serving(authority.issue("good"))) as secure,
            self.open(tmp_path, secure.host, authority.ca_file) as here,
            pytest.raises(ProtocolError, match="https to http"),
        ):
            resolve(here, secure.host)
        assert sim.requests == []

    def test_D04_a_login_does_not_follow_from_http_to_https(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        login = Login(scheme="basic", user="me", password="canary")
        with (
            RegistrySim(login=login) as plain,
            LoopbackServer(
                lambda _: Answer(body=b"{}"), tls=serving(authority.issue("good"))
            ) as secure,
        ):
            store_login(tmp_path, plain.host, "me", "canary")
            plain.content.add_image("team/app", "stable")
            plain.always("/manifests/", redirect(f"{secure.url}/m"))
            with self.open(tmp_path, secure.host, authority.ca_file) as here:
                resolve(here, plain.host)
        assert "authorization" not in secure.requests[0].headers

    def test_a_large_body(self, tmp_path: Path, authority: Authority) -> None:
        data = b" " * 3_000_000
        with RegistrySim(tls=serving(authority.issue("good"))) as sim:
            sim.content.add_manifest("team/app", data, "application/json", ["stable"])
            sim.always("/", lambda r, a: Answer(body=data))
            with self.open(tmp_path, sim.host, authority.ca_file) as here:
                found = here.client.resolve(ref(sim.host, "team/app:stable"))
        assert found.data == data


class TestProxies:
    def test_http_goes_through_in_absolute_form(self, sim: RegistrySim, tmp_path: Path) -> None:
        def forward(request: Any) -> Answer:
            return Answer(body=b"{}")

        config = RegistryConfig(host=NAME, plain_http=True)
        with LoopbackServer(forward) as proxy:
            environ = {"http_proxy": f"http://me:pw@{proxy.host}"}
            with opened(tmp_path, configs=[config], environ=environ) as here:
                resolve(here, NAME)
        (request,) = proxy.requests
        assert request.target == f"http://{NAME}/v2/team/app/manifests/stable"
        assert request.headers["host"] == NAME
        pair = base64.b64encode(b"me:pw").decode()
        assert request.headers["proxy-authorization"] == f"Basic {pair}"

    def test_A24_https_goes_through_a_tunnel(self, tmp_path: Path, authority: Authority) -> None:
        certified = authority.issue("tunnelled", names=[NAME])
        config = RegistryConfig(host=NAME, ca_file=authority.ca_file)
        with RegistrySim(tls=serving(certified)) as sim:
            sim.content.add_image("team/app", "stable")
            with TunnelProxy(int(sim.host.rpartition(":")[2])) as proxy:
                environ = {"https_proxy": f"http://me:pw@{proxy.host}"}
                with opened(tmp_path, configs=[config], environ=environ) as here:
                    resolve(here, NAME)
                    resolve(here, NAME)
        (head,) = proxy.heads
        assert head.startswith(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n")
        assert "Proxy-Authorization: Basic " in head
        assert "Authorization" not in head.replace("Proxy-Authorization", "")
        assert not [r for r in sim.requests if "proxy-authorization" in r.headers]
        assert sim.connections == 1

    def test_loopback_needs_no_proxy(self, sim: RegistrySim, tmp_path: Path) -> None:
        with opened(tmp_path, environ={"http_proxy": "http://127.0.0.1:1"}) as here:
            resolve(here, sim.host)

    def test_H30_a_proxy_that_is_down_is_named(self, tmp_path: Path) -> None:
        config = RegistryConfig(host=NAME, plain_http=True)
        with socket.create_server(("127.0.0.1", 0)) as server:
            host = f"127.0.0.1:{server.getsockname()[1]}"
        with (
            opened(tmp_path, configs=[config], environ={"http_proxy": f"http://{host}"}) as here,
            pytest.raises(Unavailable, match=f"proxy {host}: no connection"),
        ):
            resolve(here, NAME)

    @pytest.mark.parametrize(
        ("answer", "why", "attempts"),
        [
            (b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", "wants a login", 1),
            (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "answered 403", 1),
            (b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", "answered 502", 5),
        ],
    )
    def test_H30_a_refused_tunnel(
        self, tmp_path: Path, answer: bytes, why: str, attempts: int
    ) -> None:
        with TunnelProxy(1, answer=answer) as proxy:
            environ = {"https_proxy": f"http://me:pw@{proxy.host}"}
            with (
                opened(tmp_path, environ=environ) as here,
                pytest.raises(Unavailable, match=why) as caught,
            ):
                resolve(here, NAME)
            assert f"proxy {proxy.host}" in caught.value.what
            assert "pw" not in str(caught.value)
            assert len(proxy.heads) == attempts


def test_H23_the_next_address_is_tried(
    sim: RegistrySim, here: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(sim.host.rpartition(":")[2])

    def both(host: str, *_: object, **__: object) -> list[Any]:
        assert host == "localhost"
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    resolve(here, f"localhost:{port}")
    assert len(sim.requests) == 1


@pytest.mark.parametrize("then", [Then.CLOSE, Then.RESET])
def test_a_used_connection_that_ends_is_replaced_at_once(
    sim: RegistrySim, here: Opened, then: Then
) -> None:
    resolve(here, sim.host)
    sim.script("/manifests/", raw(b"", then))
    resolve(here, sim.host)
    assert sim.connections == 2
    assert here.clock.slept == 0
    assert here.client.counts == {"manifest": 2}


def test_a_used_connection_that_is_silent_is_not_replaced(sim: RegistrySim, tmp_path: Path) -> None:
    with opened(tmp_path, tuning=IMPATIENT) as here:
        resolve(here, sim.host)
        sim.script("/manifests/", raw(b"", Then.STALL))
        resolve(here, sim.host)
    assert here.clock.slept > 0, "a server that is slow is not asked twice at once"


def _self_signed(authority: Authority, folder: Path) -> tuple[Path, Path]:
    key = folder / "self.key"
    key.write_bytes(authority._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return authority.ca_file, key
