"""A token server as registries name it in their challenge: signs what it grants, records requests.

Both of distribution's protocols: GET (spec/auth/token) with Basic or without credentials, and POST
(spec/auth/oauth) with a password or a refresh token. The JWT is signed with ES256, its certificate
in `x5c`, so that a registry's `rootcertbundle` verifies it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SKEW = 60  # seconds after its end for which a registry still accepts a token
_COORDINATE = 32  # bytes of each half of an ES256 signature


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAsked:
    """One request to the token server.

    Attributes:
        user: who asked with good credentials; empty for anonymous.
        grant: `basic`, `anonymous`, `password` or `refresh_token`.
        status: what was answered.
    """

    method: str
    scopes: tuple[str, ...]
    service: str
    user: str
    grant: str
    status: int


@dataclass(slots=True, kw_only=True)
class Rules:
    """What the server grants and how it answers; a test may change it meanwhile.

    Attributes:
        accounts: user names and passwords; who is in may do everything.
        public: prefixes of repositories that anybody may pull.
        expires_in: the lifetime in seconds that is stated; None leaves it out.
        lifetime: the seconds for which registries accept a token, whatever is stated; 0: never.
        fields: the names under which the token is given.
        post: whether POST is answered; many registries say 404 or 405.
    """

    accounts: dict[str, str] = field(default_factory=dict)
    public: tuple[str, ...] = ("public/",)
    expires_in: int | None = 300
    lifetime: int = 300
    fields: tuple[str, ...] = ("token", "access_token")
    post: bool = True


class TokenServer:
    """Answers under `realm`; `certificates` is the bundle that a registry trusts."""

    def __init__(self, folder: Path, *, service: str, issuer: str, rules: Rules) -> None:
        authority = Authority.create(folder, "token server of the tests")
        signer = authority.issue("signer")
        self.certificates = authority.ca_file
        self.service = service
        self.issuer = issuer
        self.rules = rules
        self.realm = ""
        self._chain = _x5c(signer.certificate)
        key = load_pem_private_key(signer.key.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self._asked: list[TokenAsked] = []
        self._refresh: dict[str, str] = {}
        self._lock = threading.Lock()

    def requests(self) -> tuple[TokenAsked, ...]:
        """Every request so far, in the order in which they were answered."""
        with self._lock:
            return tuple(self._asked)

    def forget(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._asked.clear()

    def refresh_token(self, user: str) -> str:
        """A refresh token for `user`, as `docker login` would have stored it."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._refresh[token] = user
        return token

    def answer(
        self, method: str, fields: Mapping[str, list[str]], authorization: str
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON document for one request, which is recorded."""
        user, grant = self._identify(method, fields, authorization)
        scopes = tuple(s for value in fields.get("scope", []) for s in value.split())
        service = next(iter(fields.get("service", [])), "")
        status, document = HTTPStatus.OK, {}
        if method == "POST" and not self.rules.post:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        elif user is None:
            status = HTTPStatus.UNAUTHORIZED
            document = {"details": "incorrect username or password"}
        else:
            wants_refresh = fields.get("offline_token") == ["true"] or fields.get(
                "access_type"
            ) == ["offline"]
            document = self._document(user, scopes, with_refresh=bool(user) and wants_refresh)
        with self._lock:
            self._asked.append(
                TokenAsked(
                    method=method,
                    scopes=scopes,
                    service=service,
                    user=user or "",
                    grant=grant,
                    status=status,
                )
            )
        return status, document

    def _identify(
        self, method: str, fields: Mapping[str, list[str]], authorization: str
    ) -> tuple[str | None, str]:
        """Who asks (empty: anonymous; None: wrong credentials) and by which grant."""
        if method == "POST":
            grant = next(iter(fields.get("grant_type", [])), "")
            if grant == "refresh_token":
                token = next(iter(fields.get("refresh_token", [])), "")
                with self._lock:
                    return self._refresh.get(token), grant
            user = next(iter(fields.get("username", [])), "")
            password = next(iter(fields.get("password", [])), "")
            return self._checked(user, password), grant
        if not authorization:
            return "", "anonymous"
        try:
            decoded = base64.b64decode(authorization.removeprefix("Basic "), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None, "basic"
        user, _, password = decoded.partition(":")
        return self._checked(user, password), "basic"

    def _checked(self, user: str, password: str) -> str | None:
        return user if user and self.rules.accounts.get(user) == password else None

    def _document(
        self, user: str, scopes: tuple[str, ...], *, with_refresh: bool
    ) -> dict[str, Any]:
        token = self._signed(user, [a for a in map(self._granted(user), scopes) if a["actions"]])
        document: dict[str, Any] = dict.fromkeys(self.rules.fields, token)
        if self.rules.expires_in is not None:
            document["expires_in"] = self.rules.expires_in
        if with_refresh:
            document["refresh_token"] = self.refresh_token(user)
        return document

    def _granted(self, user: str) -> Any:
        def granted(scope: str) -> dict[str, Any]:
            kind, name, actions = scope.split(":", 2)
            wanted = actions.split(",")
            if not user:
                public = name.startswith(self.rules.public)
                wanted = [a for a in wanted if a == "pull" and public]
            return {"type": kind, "name": name, "actions": wanted}

        return granted

    def _signed(self, user: str, access: list[dict[str, Any]]) -> str:
        expires = int(time.time()) + self.rules.lifetime - _SKEW
        claims = {
            "iss": self.issuer,
            "sub": user,
            "aud": self.service,
            "nbf": expires - 1000,
            "iat": expires - 1000,
            "exp": expires,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        head = {"typ": "JWT", "alg": "ES256", "x5c": self._chain}
        signed = f"{_b64(json.dumps(head).encode())}.{_b64(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_b64(r.to_bytes(_COORDINATE, 'big') + s.to_bytes(_COORDINATE, 'big'))}"


@contextlib.contextmanager
def token_server(
    folder: Path,
    *,
    rules: Rules,
    service: str = "registry of the tests",
    issuer: str = "token server of the tests",
) -> Iterator[TokenServer]:
    """A running token server; `realm` is where it answers."""
    server = TokenServer(folder, service=service, issuer=issuer, rules=rules)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply("GET", parse_qs(urlsplit(self.path).query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._reply("POST", parse_qs(body.decode()))

        def _reply(self, method: str, fields: Mapping[str, list[str]]) -> None:
            status, document = server.answer(method, fields, self.headers.get("Authorization", ""))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.realm = f"http://127.0.0.1:{http.server_address[1]}/token"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _x5c(path: Path) -> list[str]:
    """The JOSE header's certificate chain: standard base64 of DER, the signer first."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]
