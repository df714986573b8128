"""Real registries on loopback: docker-registry, alone or behind nginx.

Each is a context manager that yields a `Registry`: where it is, how to log in, whom to trust, and
`recording()` to count the requests that reach it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import ssl
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from support.accesslog import AccessLog, Recording
from support.programs import ProgramError, Running, free_port, listens, run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.tls import Authority
    from support.tokenserver import TokenServer

_ADDRESS = re.compile(r"listening on (127\.0\.0\.1:\d+)")
_BCRYPT_COST = "4"  # the cheapest: a registry checks it at each request
_PORT_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry that runs.

    Attributes:
        address: `127.0.0.1:port`, as references name it.
        user, password: a login that may pull and push; empty where everybody may.
        ca_file: trusts its certificate; None for plain http.
        storage: docker-registry's folder; `blob` finds a blob's file in it.
    """

    address: str
    log: AccessLog
    storage: Path
    user: str = ""
    password: str = ""
    ca_file: Path | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"{'https' if self.ca_file else 'http'}://{self.address}"

    def recording(self) -> AbstractContextManager[Recording]:
        """Record the requests that reach it within the block."""
        return self.log.recording()

    def blob(self, digest: str) -> Path:
        """The file in which docker-registry keeps a blob: change it to have a lying registry."""
        algorithm, _, encoded = digest.partition(":")
        blobs = self.storage / "docker/registry/v2/blobs"
        return blobs / algorithm / encoded[:2] / encoded / "data"


@contextlib.contextmanager
def plain(folder: Path) -> Iterator[Registry]:
    """A registry over http that everybody may use."""
    with _docker_registry(folder, {}) as registry:
        yield registry


@contextlib.contextmanager
def again_with_tls(folder: Path, other: Registry, authority: Authority) -> Iterator[Registry]:
    """docker-registry on the storage of another one, with a certificate of `authority`."""
    server = authority.issue("registry-itself")
    tls = {"certificate": str(server.certificate), "key": str(server.key)}
    with _docker_registry(folder, {}, storage=other.storage, tls=tls) as registry:
        yield replace(registry, ca_file=authority.ca_file)


@contextlib.contextmanager
def with_htpasswd(folder: Path, *, user: str, password: str) -> Iterator[Registry]:
    """A registry over http that asks for Basic credentials."""
    folder.mkdir(parents=True, exist_ok=True)
    passwords = folder / "htpasswd"
    line = run("htpasswd", "-nbB", "-C", _BCRYPT_COST, user, password, home=folder)
    passwords.write_text(line.strip() + "\n")
    auth = {"htpasswd": {"realm": "tests of pinner", "path": str(passwords)}}
    with _docker_registry(folder, {"auth": auth}, user=user, password=password) as registry:
        yield registry


@contextlib.contextmanager
def with_tokens(
    folder: Path, tokens: TokenServer, *, user: str, password: str
) -> Iterator[Registry]:
    """A registry over http that sends clients to `tokens` for a bearer token."""
    auth = {
        "token": {
            "realm": tokens.realm,
            "service": tokens.service,
            "issuer": tokens.issuer,
            "rootcertbundle": str(tokens.certificates),
        }
    }
    with _docker_registry(folder, {"auth": auth}, user=user, password=password) as registry:
        yield registry


@contextlib.contextmanager
def pull_through(folder: Path, upstream: Registry) -> Iterator[Registry]:
    """A registry that fetches from `upstream` what it is asked for, and keeps it: a mirror."""
    with _docker_registry(folder, {"proxy": {"remoteurl": upstream.url}}) as registry:
        yield registry


@contextlib.contextmanager
def with_tls(
    folder: Path, upstream: Registry, authority: Authority, *, ask_client: bool = False
) -> Iterator[Registry]:
    """`upstream` behind nginx with a certificate of `authority`.

    With `ask_client`, clients need a certificate of that authority as well.
    """
    server = authority.issue("registry")
    lines = [f"ssl_certificate {server.certificate};", f"ssl_certificate_key {server.key};"]
    if ask_client:
        lines += [f"ssl_client_certificate {authority.ca_file};", "ssl_verify_client on;"]
    with _nginx(folder, upstream, lines, authority.ca_file) as registry:
        yield registry


@contextlib.contextmanager
def limited(folder: Path, upstream: Registry, *, rate: str) -> Iterator[Registry]:
    """`upstream` behind nginx that sends `rate` bytes a second (`2m`) on each connection."""
    with _nginx(folder, upstream, [f"limit_rate {rate};"], None) as registry:
        yield registry


@contextlib.contextmanager
def _docker_registry(
    folder: Path,
    more: dict[str, Any],
    *,
    user: str = "",
    password: str = "",
    storage: Path | None = None,
    tls: Mapping[str, str] | None = None,
) -> Iterator[Registry]:
    storage = storage or folder / "storage"
    for new in (folder, storage):
        new.mkdir(parents=True, exist_ok=True)
    config = {
        "version": "0.1",
        "log": {"level": "info"},  # it says its address at this level
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": True},
        },
        "http": {
            "addr": "127.0.0.1:0",
            "secret": "shared by nobody",
            "relativeurls": True,
            **({"tls": dict(tls)} if tls else {}),
        },
        **more,
    }
    path = folder / "config.yml"
    path.write_text(json.dumps(config))  # JSON is YAML
    argv = ("docker-registry", "serve", str(path))
    with serving(*argv, folder=folder, ready=lambda server: bool(_address(server))) as server:
        address = _address(server)
        log = AccessLog(server.stdout, f"http://{address}", lambda: None)
        yield Registry(address=address, log=log, storage=storage, user=user, password=password)


def _address(server: Running) -> str:
    found = _ADDRESS.search(server.stderr.read_text(errors="replace"))
    return found[1] if found else ""


@contextlib.contextmanager
def _nginx(
    folder: Path, upstream: Registry, lines: list[str], ca_file: Path | None
) -> Iterator[Registry]:
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        for attempt in range(_PORT_ATTEMPTS):
            port = free_port()
            config = folder / "nginx.conf"
            config.write_text(_nginx_config(folder, port, upstream, lines, tls=ca_file is not None))
            argv = ("nginx", "-p", str(folder), "-c", str(config), "-e", "stderr")
            try:
                stack.enter_context(
                    serving(*argv, folder=folder, ready=partial(_is_up, folder, port))
                )
            except ProgramError as error:
                if attempt == _PORT_ATTEMPTS - 1 or "Address already in use" not in str(error):
                    raise
            else:
                break
        log = AccessLog(
            folder / "access.log",
            f"{'https' if ca_file else 'http'}://127.0.0.1:{port}",
            lambda: ssl.create_default_context(cafile=str(ca_file)) if ca_file else None,
        )
        yield Registry(
            address=f"127.0.0.1:{port}",
            log=log,
            storage=upstream.storage,
            user=upstream.user,
            password=upstream.password,
            ca_file=ca_file,
        )


def _is_up(folder: Path, port: int, _: Running) -> bool:
    # nginx writes its pid once the port is its own; until then somebody else may listen there.
    return (folder / "nginx.pid").exists() and listens(port)


def _nginx_config(
    folder: Path, port: int, upstream: Registry, lines: list[str], *, tls: bool
) -> str:
    temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    return "\n".join(
        [
            "user root;" if os.geteuid() == 0 else "",  # nobody cannot enter the tests' folders
            f"daemon off; worker_processes 1; pid {folder}/nginx.pid;",
            "events { worker_connections 512; }",
            "http {",
            *(f"{name}_temp_path {folder}/{name}_temp;" for name in temporary),
            """log_format seen '$remote_addr - - [$time_local] "$request" $status'""",
            """ ' $body_bytes_sent "-" "$http_user_agent" "$http_range"'""",
            """ ' $msec $request_time';""",
            f"access_log {folder}/access.log seen;",
            "client_max_body_size 0;",
            f"server {{ listen 127.0.0.1:{port}{' ssl' if tls else ''};",
            *lines,
            f"location / {{ proxy_pass {upstream.url};",
            "proxy_http_version 1.1;",
            "proxy_request_buffering off;",
            "proxy_set_header Host $http_host;",
            "proxy_set_header X-Forwarded-Proto $scheme;",
            "} } }",
            "",
        ]
    )
