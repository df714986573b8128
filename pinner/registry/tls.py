"""Whom TLS trusts, and which certificate it shows: a context for each host.

Trusted are the system's authorities, on Linux those of SSL_CERT_FILE and SSL_CERT_DIR instead, as
everywhere with OpenSSL. For one host, those of its `ca-file` and of its folders in certs.d come on
top, as docker and podman read them:

    certs.d/HOST[:PORT]/*.crt              authorities
    certs.d/HOST[:PORT]/NAME.cert, .key    a certificate to show, and its key; both or neither

On macOS the system's authorities are in the keychain, which `truststore` asks. On Linux they are
files, which it would read anew for each connection (20 ms) while every other handshake of the host
waits; there OpenSSL reads them, once.
"""

from __future__ import annotations

import re
import ssl
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.fsio import read_limited
from pinner.oci.grammar import is_registry
from pinner.registry.endpoints import API_HOSTS, config_of
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.oci.registryconfig import RegistryConfig
    from pinner.registry.urls import Origin

_PORT: Final = 443
_LIMIT: Final = 4 * 1024 * 1024
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]", re.ASCII)
# Where distributions keep their authorities, for an OpenSSL that was built to look elsewhere.
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def certificate_folders(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """The certs.d folders of docker and podman, the user's own before the machine's."""
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    etc = Path("/etc")
    return tuple(
        base / tool / "certs.d" for base in (config, etc) for tool in ("docker", "containers")
    )


class TlsContexts:
    """Makes the context for each host, once; safe for threads."""

    def __init__(
        self,
        *,
        folders: Sequence[Path],
        environ: Mapping[str, str],
        configs: Sequence[RegistryConfig],
    ) -> None:
        """Read nothing yet.

        Args:
            folders: those of certs.d.
            environ: for SSL_CERT_FILE and SSL_CERT_DIR.
            configs: for `ca_file`.
        """
        self._folders = folders
        self._environ = environ
        self._configs = configs
        self._lock = threading.Lock()
        self._contexts: dict[Origin, ssl.SSLContext] = {}
        self._shared: dict[Material, ssl.SSLContext] = {}

    def has_certificates(self, registry: str) -> bool:
        """Whether certs.d has a folder for `host[:port]`, even an empty one."""
        return bool(self._of_host((registry,)))

    def context_for(self, origin: Origin) -> ssl.SSLContext:
        """The context for connections to an origin; hosts without certificates share one.

        Raises:
            InputError: a certificate or key that cannot be read; names the file.
        """
        with self._lock:
            context = self._contexts.get(origin)
            if context is None:
                material = self.material_for(origin)
                if material not in self._shared:
                    self._shared[material] = _context(material, self._environ)
                context = self._contexts[origin] = self._shared[material]
            return context

    def material_for(self, origin: Origin) -> Material:
        """What an origin has of its own, beside the system's authorities; only names are read.

        Raises:
            InputError: a folder that cannot be read, or a certificate without its key.
        """
        names = _names(origin)
        files = [file for folder in self._of_host(names) for file in _listed(folder)]
        configured = (config_of(name, self._configs).ca_file for name in names)
        return Material(
            authorities=(
                *(file for file in configured if file is not None),
                *(file for file in files if file.suffix == ".crt"),
            ),
            pairs=_pairs(files),
        )

    def _of_host(self, names: Sequence[str]) -> list[Path]:
        found = (folder / name for folder in self._folders for name in names if is_registry(name))
        return [path for path in found if _is_folder(path)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a host has of its own.

    Attributes:
        authorities: files of certificates that are trusted for it.
        pairs: certificates to show, and their keys; the first is used.
    """

    authorities: tuple[Path, ...] = ()
    pairs: tuple[tuple[Path, Path], ...] = ()


def _names(origin: Origin) -> tuple[str, ...]:
    """The names under which a host's certificates are kept."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    names = (f"{host}:{origin.port}",)
    if origin.port != _PORT:
        return names
    return (host, *names, *(registry for registry, api in API_HOSTS.items() if api == host))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # certs.d may be closed to all but root; podman goes on as well
        return False


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=safe(str(folder))) from error


def _pairs(files: Sequence[Path]) -> tuple[tuple[Path, Path], ...]:
    """Certificates and their keys.

    Raises:
        InputError: one without the other.
    """
    there = set(files)
    for file in files:
        other = {".cert": ".key", ".key": ".cert"}.get(file.suffix)
        if other is not None and file.with_suffix(other) not in there:
            raise InputError(
                f"{safe(file.with_suffix(other).name)} is missing beside it",
                where=safe(str(file)),
                mend="a certificate of an authority ends in .crt",
            )
    return tuple((file, file.with_suffix(".key")) for file in files if file.suffix == ".cert")


def _context(material: Material, environ: Mapping[str, str]) -> ssl.SSLContext:
    context = _for_keychain(environ) if sys.platform == "darwin" else _for_files(environ)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for file in material.authorities:
        _trust(context, file)
    for certificate, key in material.pairs[:1]:  # OpenSSL holds one of a kind
        _show(context, certificate, key)
    return context


def _for_keychain(environ: Mapping[str, str]) -> ssl.SSLContext:
    import truststore  # noqa: PLC0415 - takes 30 ms, and only macOS needs it

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if file := environ.get("SSL_CERT_FILE"):
        _trust(context, Path(file))
    return context


def _for_files(environ: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    built_in = ssl.get_default_verify_paths()
    folder = environ.get("SSL_CERT_DIR") or built_in.openssl_capath
    context.load_verify_locations(capath=folder)
    if file := environ.get("SSL_CERT_FILE"):
        _trust(context, Path(file))
        return context
    bundles = (built_in.openssl_cafile, *(() if _holds_certificates(folder) else _BUNDLES))
    for bundle in filter(Path.is_file, map(Path, bundles)):
        context.load_verify_locations(cafile=bundle)
        break
    return context


def _holds_certificates(folders: str) -> bool:
    """Whether a folder, or one of several joined by colons, has files that OpenSSL looks for."""
    paths = map(Path, folders.split(":"))
    return any(
        _HASHED.fullmatch(file.name) for path in paths if path.is_dir() for file in path.iterdir()
    )


def _trust(context: ssl.SSLContext, file: Path) -> None:
    where = safe(str(file))
    try:
        text = read_limited(file, _LIMIT).decode("ascii", "replace")
    except FileNotFoundError:
        raise InputError("is not there, though a certificate should be", where=where) from None
    blocks = _PEM.findall(text)
    if not blocks:
        raise InputError("has no certificate in PEM form", where=where)
    try:
        context.load_verify_locations(cadata="\n".join(blocks))
    except ssl.SSLError as error:
        raise InputError(
            f"has a certificate that cannot be read: {_said(error)}", where=where
        ) from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # Without a password of ours, OpenSSL would ask for an encrypted key's on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be used with {safe(key.name)}: {_said(error)}", where=safe(str(certificate))
        ) from error


def _said(error: Exception) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return safe((reason or str(error)).lower().replace("_", " "))
