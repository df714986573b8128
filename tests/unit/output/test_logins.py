"""What login, logout and auth explain say, as the files of fixtures/output have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.output.logins import (
    explained_fields,
    login_fields,
    logout_fields,
    render_explained,
    render_login,
    render_logout,
)
from pinner.registry.authfile import Credential
from pinner.registry.endpoints import Endpoint
from pinner.registry.explain import Way
from pinner.registry.keeping import Kept
from pinner.registry.lookup import Found, Look, Lookup, Outcome
from pinner.registry.proxies import Proxy
from pinner.registry.tls import Material
from pinner.registry.urls import Origin
from support.golden import expected, pretty

CONFIG = "~/.docker/config.json"
FILE = Kept(file=CONFIG)
BOX = Kept(file=CONFIG, helper="docker-credential-box")
LEFT = Look(place="~/.dockercfg", outcome=Outcome.NOT_REACHED, why="not reached")
HELPED = "credHelpers: ghcr.io → docker-credential-gh"
FAILURE = InputError("docker-credential-gh is not installed", where=CONFIG)


def way(
    registry: str,
    lookup: Lookup,
    *,
    upstream: bool = True,
    plain: bool = False,
    proxy: Proxy | None = None,
    certificates: Material | None = None,
    system: tuple[tuple[str, str], ...] = (),
) -> Way:
    host, _, port = registry.partition(":")
    scheme = "http" if plain else "https"
    return Way(
        endpoint=Endpoint(
            origin=Origin(scheme=scheme, host=host, port=int(port or (80 if plain else 443))),
            registry=registry,
            upstream=upstream,
            sends_credentials=not plain,
        ),
        repository="acme/app",
        lookup=lookup,
        proxy=proxy,
        certificates=None if plain else certificates or Material(),
        system=system,
    )


def look(entry: str, outcome: Outcome, why: str, *, helper: bool = False) -> Look:
    return Look(place=CONFIG, entry=entry, outcome=outcome, why=why, helper=helper)


FOUND = Lookup(
    looks=(
        Look(place="DOCKER_AUTH_CONFIG", entry="auths", outcome=Outcome.NONE, why="empty"),
        look(HELPED, Outcome.FOUND, "helper answered: yes", helper=True),
        LEFT,
    ),
    found=Found(
        credential=Credential(user="ada\x1b[2J", password="canary"), source=f"{CONFIG} ({HELPED})"
    ),
)
TOKEN = Lookup(
    looks=(look("auths: m.example:5000", Outcome.FOUND, "holds a login"), LEFT),
    found=Found(
        credential=Credential(identity_token="canary"), source=f"{CONFIG} (auths: m.example:5000)"
    ),
)
EXPLAINED = {
    "explain-found": (way("ghcr.io", FOUND),),
    "explain-mirror": (
        way(
            "m.example:5000",
            TOKEN,
            upstream=False,
            proxy=Proxy(host="p.example", port=3128, authorization="canary", variable="ALL_PROXY"),
            certificates=Material(
                authorities=(Path("/etc/ca.pem"),),
                pairs=((Path("/etc/c.cert"), Path("/etc/c.key")),),
            ),
            system=(("SSL_CERT_FILE", "/ca\x1b.pem"),),
        ),
        way(
            "ghcr.io",
            Lookup(
                looks=(
                    look("auths", Outcome.NONE, "no key fits (of 2)"),
                    Look(place="~/.dockercfg", outcome=Outcome.MISSING, why="is not there"),
                )
            ),
        ),
    ),
    "explain-failed": (
        way(
            "ghcr.io",
            Lookup(
                looks=(look(HELPED, Outcome.FAILED, FAILURE.what, helper=True), LEFT),
                error=FAILURE,
            ),
        ),
    ),
    "explain-plain": (
        way(
            "r.example",
            Lookup(looks=(look(HELPED, Outcome.NOT_ASKED, "helper not asked"),), settled=False),
            plain=True,
        ),
    ),
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_explain(name: str) -> None:
    ways = EXPLAINED[name]
    text = render_explained(ways)
    document = pretty(explained_fields("ghcr.io/acme/app:latest", ways))
    assert "canary" not in text + document
    assert text == expected(f"{name}.txt", text)
    assert document == expected(f"{name}.json", document)


@pytest.mark.parametrize(
    ("name", "kept", "verified"),
    [("login-file", FILE, True), ("login-helper", BOX, True), ("login-unverified", FILE, False)],
)
def test_login(name: str, kept: Kept, *, verified: bool) -> None:
    text = render_login("r.example", kept, verified=verified)
    assert text == expected(f"{name}.txt", text)
    document = pretty(login_fields("r.example", "ada", kept, verified=verified))
    assert document == expected(f"{name}.json", document)


def test_logout() -> None:
    outcomes = [("r.example", FILE), ("ghcr.io", BOX), ("quay.io", None)]
    text = render_logout(outcomes)
    assert text == expected("logout.txt", text)
    document = pretty(logout_fields(outcomes, [("q.example", FAILURE)]))
    assert document == expected("logout.json", document)
