"""A scripted registry on a loopback socket, which commits faults on demand.

    with RegistrySim() as sim:
        image = sim.content.add_image("team/app", "stable", layers=[b"x" * 100])
        sim.script("/blobs/", instead(503), cut(10))     # the first two blob requests
        sim.always("/manifests/", gzip_encoded)
        ...                                              # f"{sim.host}/team/app:stable"
        assert sim.count("GET", "/blobs/") == 3

A fault (`support.registry_faults`, or a lambda) turns the honest answer into the one that is given.
`login` makes the registry ask for Basic credentials or Bearer tokens, which it gives out itself at
`/token`. Requests are recorded with their headers in `sim.requests`.
"""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qs, urlsplit

from support.net import Answer, LoopbackServer, Request
from support.registry_content import Content, error

if TYPE_CHECKING:
    import ssl

    from support.gate import Gate
    from support.registry_faults import Fault

TOKEN_PATH: Final = "/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What the registry asks for.

    Attributes:
        scheme: `basic` or `bearer`.
        user: with `password`, who may come in; empty: anybody (bearer only).
    """

    scheme: str = "bearer"
    user: str = ""
    password: str = ""

    def admits(self, authorization: str | None) -> bool:
        """Whether this header carries the right user and password, if any are wanted."""
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return not self.user or authorization == f"Basic {pair}"


class RegistrySim:
    """A registry; a context manager that runs it.

    Attributes:
        content: what it holds; may be filled before and while it runs.
        login: what it asks for; may be changed while it runs.
    """

    def __init__(
        self,
        *,
        login: Login | None = None,
        tls: ssl.SSLContext | None = None,
        name: str = "",
        content: Content | None = None,
    ) -> None:
        """A registry without content.

        Args:
            login: what it asks for; None for nothing.
            tls: speak https.
            name: what references call it, where a proxy leads to it.
            content: what it holds; `registry_uploads.Uploads` takes more.
        """
        self.content = content or Content()
        self.login = login
        self._name = name
        self._server = LoopbackServer(self._answer, tls=tls, intake=self._limit)
        self._lock = threading.Lock()
        self._scripts: list[tuple[str, list[Fault]]] = []
        self._standing: list[tuple[str, Fault]] = []
        self._tokens: dict[str, frozenset[str]] = {}
        self._limits: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, or its name, as references write it."""
        return self._name or self._server.host

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or https."""
        return f"https://{self._name}" if self._name else self._server.url

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        return self._server.requests

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._server.connections

    @property
    def gate(self) -> Gate:
        """What passes of bodies that are paced; see `support.gate`."""
        return self._server.gate

    @property
    def is_idle(self) -> bool:
        """Whether every connection that was accepted is over."""
        return self._server.ended == self._server.connections

    def script(self, path: str, *faults: Fault) -> None:
        """The next requests whose target contains `path` meet these faults, one each."""
        with self._lock:
            self._scripts.append((path, list(faults)))

    def always(self, path: str, fault: Fault) -> None:
        """Every request whose target contains `path` meets this fault, after the scripts."""
        with self._lock:
            self._standing.append((path, fault))

    def read_only(self, path: str, *counts: int) -> None:
        """Of the next bodies sent to a target with `path` only so many bytes are read, in turn."""
        with self._lock:
            self._limits += [(path, count) for count in counts]

    def _limit(self, target: str) -> int | None:
        with self._lock:
            for number, (path, count) in enumerate(self._limits):
                if path in target:
                    del self._limits[number]
                    return count
        return None

    def heal(self) -> None:
        """From now on everything is answered honestly."""
        with self._lock:
            self._scripts.clear()
            self._standing.clear()

    def expire_tokens(self) -> None:
        """From now on no token that was given out is good any more."""
        with self._lock:
            self._tokens.clear()

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests of this method whose target contains `path`."""
        return [r for r in self.requests if r.method == method and path in r.target]

    def count(self, method: str, path: str) -> int:
        """How many such requests came."""
        return len(self.asked(method, path))

    def _answer(self, request: Request) -> Answer:
        answer = self._admitted(request)
        with self._lock:
            fault = next(
                (
                    faults.pop(0)
                    for path, faults in self._scripts
                    if path in request.target and faults
                ),
                None,
            )
            standing = [f for path, f in self._standing if path in request.target]
        if fault is not None:
            return fault(request, answer)
        for lasting in standing:
            answer = lasting(request, answer)
        return answer

    def _admitted(self, request: Request) -> Answer:
        if self.login is None:
            return self.content.answer(request)
        if request.path == TOKEN_PATH:
            return self._token(request, self.login)
        sent = request.headers.get("authorization")
        if self.login.scheme == "basic":
            if self.login.admits(sent):
                return self.content.answer(request)
            challenge = 'Basic realm="sim"'
        else:
            scope = _scope(request)
            with self._lock:
                granted = self._tokens.get(sent or "", frozenset())
            if scope in granted:
                return self.content.answer(_without_foreign_mount(request, granted))
            challenge = f'Bearer realm="{self.url}{TOKEN_PATH}",service="sim",scope="{scope}"'
        denied = error(401, "UNAUTHORIZED", "authentication required")
        return denied.with_header("WWW-Authenticate", challenge)

    def _token(self, request: Request, login: Login) -> Answer:
        if request.method != "GET":
            return error(405, "UNSUPPORTED", "tokens are given for GET")
        if not login.admits(request.headers.get("authorization")):
            return error(401, "UNAUTHORIZED", "incorrect username or password")
        scopes = parse_qs(urlsplit(request.target).query).get("scope", [""])
        with self._lock:
            token = f"token-{len(self.requests)}"
            asked = " ".join(scopes).split()
            reading = [scope.removesuffix(",push") for scope in asked]
            self._tokens[f"Bearer {token}"] = frozenset({*asked, *reading, ""})
        body = json.dumps({"token": token, "expires_in": 300}).encode()
        return Answer(headers=(("Content-Type", "application/json"),), body=body)


def _scope(request: Request) -> str:
    """The access that a request needs: `repository:NAME:pull`, or nothing for `/v2/`."""
    actions = "pull" if request.method in {"GET", "HEAD"} else "pull,push"
    for kind in ("/manifests/", "/blobs/", "/tags/"):
        name, found, _ = request.path.removeprefix("/v2/").rpartition(kind)
        if found:
            return f"repository:{name}:{actions}"
    return ""


def _without_foreign_mount(request: Request, granted: frozenset[str]) -> Request:
    """The request without its mount, where the token may not read the other repository."""
    source = parse_qs(urlsplit(request.target).query).get("from", [""])[0]
    if not source or f"repository:{source}:pull" in granted:
        return request
    return replace(request, target=request.path)
