"""Fakes around the authenticator: logins that are there, token servers that answer by script."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from pinner.registry.credentials import Credential, Found
from pinner.registry.endpoints import Endpoint
from pinner.registry.exchange import TokenReply
from pinner.registry.urls import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.registry.exchange import TokenRequest

ADA = Credential(user="ada", password="canary-password")


def endpoint(url: str = "https://registry.example", *, sends_credentials: bool = True) -> Endpoint:
    """The registry at `url`."""
    origin = Url.parse(url).origin
    return Endpoint(origin=origin, registry=origin.authority, sends_credentials=sends_credentials)


@dataclass
class Logins:
    """Logins by registry; counts how often somebody asked."""

    by_registry: Mapping[str, Credential] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def find(self, registry: str, repository: str) -> Found | None:
        self.asked.append((registry, repository))
        credential = self.by_registry.get(registry)
        source = f"~/.docker/config.json (auths: {registry})"
        return Found(credential=credential, source=source) if credential else None


def token_reply(token: object = "t", **more: object) -> TokenReply:
    """An answer with a token and further keys."""
    body = json.dumps({"token": token, **more}).encode()
    return TokenReply(status=200, content_type="application/json", body=body)


def refusal(status: int, details: str = "no") -> TokenReply:
    """An answer without a token."""
    body = json.dumps({"details": details}).encode()
    return TokenReply(status=status, content_type="application/json", body=body)


@dataclass
class TokenServer:
    """Answers as `answer` says, by default with t1, t2, …; records every request."""

    answer: Callable[[TokenRequest], TokenReply] | None = None
    requests: list[TokenRequest] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: TokenRequest) -> TokenReply:
        with self.lock:
            self.requests.append(request)
            number = len(self.requests)
        return self.answer(request) if self.answer else token_reply(f"t{number}")


def query(request: TokenRequest) -> dict[str, str]:
    """The query of a request; every key but `scope`, whose values are joined, is there once."""
    values = parse_qs(request.url.target.partition("?")[2], strict_parsing=True)
    assert all(len(value) == 1 for key, value in values.items() if key != "scope")
    return {key: " ".join(value) for key, value in values.items()}
