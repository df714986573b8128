"""Whom TLS trusts and what it shows, by handshakes in memory."""

from __future__ import annotations

import hashlib
import ssl
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pinner.errors import InputError
from pinner.oci.registryconfig import RegistryConfig
from pinner.registry import tls
from pinner.registry.tls import TlsContexts, certificate_folders
from pinner.registry.urls import Url
from support.tls import Authority, Certified

LOOPBACK = "https://127.0.0.1:5000"


class Bench:
    """An authority, its server certificate, and a certs.d folder."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.create(folder / "authority")
        self.server = self.authority.issue(
            "server", names=("127.0.0.1", "registry.example", "registry-1.docker.io")
        )
        self.certs = folder / "certs.d"
        self.empty = folder / "empty"
        self.empty.mkdir()
        self.environ = {"SSL_CERT_DIR": str(self.empty)}
        self.configs: list[RegistryConfig] = []

    def contexts(self, *more: Path) -> TlsContexts:
        return TlsContexts(folders=(self.certs, *more), environ=self.environ, configs=self.configs)

    def host(self, name: str, *files: Path, folder: Path | None = None) -> Path:
        target = (folder or self.certs) / name
        target.mkdir(parents=True)
        for file in files:
            (target / file.name).write_bytes(file.read_bytes())
        return target

    def trusts(self, url: str, *, server: ssl.SSLContext | None = None) -> bool:
        origin = Url.parse(url).origin
        context = self.contexts().context_for(origin)
        try:
            shake_hands(context, server or self.accepting(), origin.host)
        except ssl.SSLError:
            return False
        return True

    def accepting(self, *, asks: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate, self.server.key)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority.ca_file)
        return context


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """A whole handshake without a socket; the client's end of it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
        if not waiting:
            return ours
    raise AssertionError("the handshake does not end")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_unknown_authority_is_not_trusted(bench: Bench) -> None:
    assert not bench.trusts(LOOPBACK)


def test_ca_file(bench: Bench) -> None:
    bench.configs = [RegistryConfig(host="127.0.0.1:5000", ca_file=bench.authority.ca_file)]
    assert bench.trusts(LOOPBACK)
    assert not bench.trusts("https://127.0.0.1:5001")


def test_ca_file_of_docker_hub_is_for_its_api(bench: Bench) -> None:
    bench.configs = [RegistryConfig(host="docker.io", ca_file=bench.authority.ca_file)]
    assert bench.trusts("https://registry-1.docker.io")


def test_certs_d(bench: Bench) -> None:
    bench.host("127.0.0.1:5000", bench.authority.ca_file)
    assert bench.trusts(LOOPBACK)
    assert not bench.trusts("https://127.0.0.1:5001")


@pytest.mark.parametrize("name", ["registry.example", "registry.example:443"])
def test_certs_d_of_the_standard_port(bench: Bench, name: str) -> None:
    bench.host(name, bench.authority.ca_file)
    assert bench.trusts("https://registry.example")
    assert bench.trusts("https://registry.example:443")
    assert not bench.trusts("https://registry.example:8443")


def test_certs_d_of_an_ipv6_address(bench: Bench) -> None:
    bench.server = bench.authority.issue("six", names=("::1",))
    bench.host("[::1]:5000", bench.authority.ca_file)
    assert bench.trusts("https://[::1]:5000")


def test_all_folders_of_certs_d_count(bench: Bench, tmp_path: Path) -> None:
    machines = tmp_path / "etc"
    bench.host("127.0.0.1:5000")
    bench.host("127.0.0.1:5000", bench.authority.ca_file, folder=machines)
    context = bench.contexts(machines).context_for(Url.parse(LOOPBACK).origin)
    shake_hands(context, bench.accepting(), "127.0.0.1")


def test_other_files_of_certs_d_are_not_read(bench: Bench) -> None:
    folder = bench.host("127.0.0.1:5000")
    (folder / "ca.pem").write_bytes(bench.authority.ca_file.read_bytes())
    (folder / "README").write_text("no certificate")
    assert not bench.trusts(LOOPBACK)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("127.0.0.1:5000", True),
        ("127.0.0.1", False),
        ("..", False),
        ("", False),
    ],
)
def test_has_certificates(bench: Bench, name: str, expected: bool) -> None:  # noqa: FBT001 - a row
    bench.host("127.0.0.1:5000")
    assert bench.contexts().has_certificates(name) == expected


def test_a_folder_that_is_closed_to_us_is_passed_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", closed)
    assert not bench.contexts().has_certificates("127.0.0.1:5000")


def test_a_folder_that_cannot_be_listed_is_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bench.host("127.0.0.1:5000")

    def closed(path: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(InputError, match="cannot be read: Permission denied") as caught:
        bench.trusts(LOOPBACK)
    assert caught.value.where == str(folder)


@pytest.mark.skipif(sys.platform == "darwin", reason="the keychain has them")
@pytest.mark.parametrize("place", ["built-in", "elsewhere"])
def test_the_systems_bundle(bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    bundle = str(bench.authority.ca_file)
    built_in = ssl.get_default_verify_paths()._replace(
        openssl_cafile=bundle if place == "built-in" else "/no/such/file",
        openssl_capath=str(bench.empty),
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: built_in)
    monkeypatch.setattr(tls, "_BUNDLES", (bundle,) if place == "elsewhere" else ())
    bench.environ = {}
    assert bench.trusts(LOOPBACK)


@pytest.mark.skipif(sys.platform == "darwin", reason="the keychain has them")
def test_a_machine_without_authorities_trusts_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_in = ssl.get_default_verify_paths()._replace(openssl_cafile="/no/such/file")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: built_in)
    monkeypatch.setattr(tls, "_BUNDLES", ())
    assert not bench.trusts(LOOPBACK)


def test_SSL_CERT_FILE(bench: Bench) -> None:
    bench.environ["SSL_CERT_FILE"] = str(bench.authority.ca_file)
    assert bench.trusts(LOOPBACK)


@pytest.mark.skipif(sys.platform == "darwin", reason="the keychain does not know such folders")
def test_SSL_CERT_DIR(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / f"{name_hash(bench.authority.ca_file)}.0").symlink_to(bench.authority.ca_file)
    bench.environ["SSL_CERT_DIR"] = f"{bench.empty}:{folder}"
    assert bench.trusts(LOOPBACK)


def name_hash(certificate: Path) -> str:
    """The name under which OpenSSL looks for an authority in a folder: SHA-1 of its subject."""
    subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
    attribute = next(iter(subject))
    value = str(attribute.value).lower().encode()
    oid = bytes.fromhex("0603550403")
    text = b"\x0c" + bytes([len(value)]) + value
    sequence = b"\x30" + bytes([len(oid + text)]) + oid + text
    digest = hashlib.sha1(b"\x31" + bytes([len(sequence)]) + sequence).digest()  # noqa: S324 - OpenSSL's choice
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


@pytest.mark.parametrize("by", ["ca-file", "SSL_CERT_FILE"])
def test_what_macOS_uses_trusts_the_same_files(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not bench.trusts(LOOPBACK)
    if by == "ca-file":
        bench.configs = [RegistryConfig(host="127.0.0.1:5000", ca_file=bench.authority.ca_file)]
    else:
        bench.environ["SSL_CERT_FILE"] = str(bench.authority.ca_file)
    assert bench.trusts(LOOPBACK)


def test_a_wrong_name_is_refused(bench: Bench) -> None:
    bench.configs = [RegistryConfig(host="other.example", ca_file=bench.authority.ca_file)]
    assert not bench.trusts("https://other.example")


def test_T8_old_protocols_are_refused(bench: Bench) -> None:
    context = bench.contexts().context_for(Url.parse(LOOPBACK).origin)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_http_1_is_asked_for(bench: Bench) -> None:
    bench.host("127.0.0.1:5000", bench.authority.ca_file)
    server = bench.accepting()
    server.set_alpn_protocols(["h2", "http/1.1"])
    context = bench.contexts().context_for(Url.parse(LOOPBACK).origin)
    ours = shake_hands(context, server, "127.0.0.1")
    assert ours.selected_alpn_protocol() == "http/1.1"


def client_pair(bench: Bench) -> Certified:
    return bench.authority.issue("client", for_client=True)


def test_a_client_certificate_is_shown(bench: Bench) -> None:
    client = client_pair(bench)
    bench.host("127.0.0.1:5000", bench.authority.ca_file, client.certificate, client.key)
    server = bench.accepting(asks=True)
    server.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.3 tells the client only afterwards
    assert bench.trusts(LOOPBACK, server=server)


def test_without_a_client_certificate_a_server_that_asks_refuses(bench: Bench) -> None:
    bench.host("127.0.0.1:5000", bench.authority.ca_file)
    server = bench.accepting(asks=True)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not bench.trusts(LOOPBACK, server=server)


@pytest.mark.parametrize(("there", "missing"), [(".cert", ".key"), (".key", ".cert")])
def test_half_a_pair_is_an_error(bench: Bench, there: str, missing: str) -> None:
    client = client_pair(bench)
    file = client.certificate.with_suffix(there)
    folder = bench.host("127.0.0.1:5000", file)
    with pytest.raises(InputError, match=rf"client\{missing} is missing beside it") as caught:
        bench.trusts(LOOPBACK)
    assert caught.value.where == str(folder / file.name)


def test_a_key_of_another_certificate_is_an_error(bench: Bench) -> None:
    client = client_pair(bench)
    folder = bench.host("127.0.0.1:5000", client.certificate)
    (folder / "client.key").write_bytes(bench.server.key.read_bytes())
    with pytest.raises(InputError, match=r"cannot be used with client\.key: key values mismatch"):
        bench.trusts(LOOPBACK)


def test_an_encrypted_key_is_an_error_and_asks_nobody(bench: Bench) -> None:
    client = client_pair(bench)
    folder = bench.host("127.0.0.1:5000", client.certificate)
    key = load_pem_private_key(client.key.read_bytes(), password=None)
    (folder / "client.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    with pytest.raises(InputError, match=r"cannot be used with client\.key") as caught:
        bench.trusts(LOOPBACK)
    assert caught.value.where == str(folder / "client.cert")


BROKEN = "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param("no certificate", "has no certificate in PEM form", id="text"),
        pytest.param("", "has no certificate in PEM form", id="empty"),
        pytest.param(BROKEN, "has a certificate that cannot be read", id="broken"),
        pytest.param(None, "is not there", id="missing"),
    ],
)
@pytest.mark.parametrize("by", ["ca-file", "SSL_CERT_FILE"])
def test_a_bad_authority_is_named(
    bench: Bench, tmp_path: Path, content: str | None, why: str, by: str
) -> None:
    file = tmp_path / "bad.pem"
    if content is not None:
        file.write_text(content)
    if by == "ca-file":
        bench.configs = [RegistryConfig(host="127.0.0.1:5000", ca_file=file)]
    else:
        bench.environ["SSL_CERT_FILE"] = str(file)
    with pytest.raises(InputError, match=why) as caught:
        bench.trusts(LOOPBACK)
    assert caught.value.where == str(file)


def test_a_bundle_with_remarks_in_any_encoding(bench: Bench, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other", "other").ca_file.read_bytes()
    bundle = tmp_path / "bundle.pem"
    remark = "# Autorité\r\n".encode("latin-1")
    bundle.write_bytes(remark + other + remark + bench.authority.ca_file.read_bytes())
    bench.configs = [RegistryConfig(host="127.0.0.1:5000", ca_file=bundle)]
    assert bench.trusts(LOOPBACK)


def test_contexts_are_made_once_and_shared_where_hosts_have_nothing_of_their_own(
    bench: Bench,
) -> None:
    folder = bench.host("127.0.0.1:5000", bench.authority.ca_file)
    contexts = bench.contexts()
    plain, other, own = (
        contexts.context_for(Url.parse(url).origin)
        for url in ("https://one.example", "https://two.example:8443", LOOPBACK)
    )
    assert plain is other
    assert own is not plain
    (folder / "later.crt").write_text("not read any more")
    assert contexts.context_for(Url.parse(LOOPBACK).origin) is own


def test_folders(tmp_path: Path) -> None:
    assert certificate_folders({}, tmp_path) == (
        tmp_path / ".config/docker/certs.d",
        tmp_path / ".config/containers/certs.d",
        Path("/etc/docker/certs.d"),
        Path("/etc/containers/certs.d"),
    )
    assert certificate_folders({"XDG_CONFIG_HOME": "/x"}, tmp_path)[0] == Path("/x/docker/certs.d")
