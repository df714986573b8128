"""What `pinner login`, `logout` and `auth explain` tell. No password and no token comes here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinner.output.tables import columns
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.errors import PinnerError
    from pinner.registry.explain import Way
    from pinner.registry.keeping import Kept
    from pinner.registry.lookup import Found, Lookup

_USER: Final = 160


def render_login(registry: str, kept: Kept, *, verified: bool) -> str:
    """Docker's words; where nothing was verified, that as well."""
    where = f"{kept.helper}, which {kept.file} names" if kept.helper else kept.file
    if verified:
        return f"Login Succeeded\nStored in {where}\n"
    return (
        "Login Succeeded\n"
        f"Stored in {where}; not verified, since {safe(registry)} asks for no login\n"
    )


def login_fields(registry: str, user: str, kept: Kept, *, verified: bool) -> dict[str, Any]:
    """The JSON document: who is logged in where, and who keeps it."""
    return {
        "registry": safe(registry),
        "user": safe(user, limit=_USER),
        "verified": verified,
        "stored": _kept_fields(kept),
    }


def render_logout(outcomes: Sequence[tuple[str, Kept | None]]) -> str:
    """A line of docker's for each registry."""
    lines = [
        f"Removing login credentials for {safe(registry)}"
        if kept
        else f"Not logged in to {safe(registry)}"
        for registry, kept in outcomes
    ]
    return "".join(f"{line}\n" for line in lines or ["Not logged in to any registry"])


def logout_fields(
    outcomes: Sequence[tuple[str, Kept | None]], failed: Sequence[tuple[str, PinnerError]]
) -> dict[str, Any]:
    """The JSON document: each registry, and where its login was."""
    from pinner.output.errors import error_fields  # noqa: PLC0415 - the text does without

    return {
        "registries": [
            {"registry": safe(registry), "removed": _kept_fields(kept) if kept else None}
            for registry, kept in outcomes
        ],
        "failed": [
            {"registry": safe(registry), "error": error_fields(error)} for registry, error in failed
        ],
    }


def _kept_fields(kept: Kept) -> dict[str, Any]:
    return {"file": kept.file, "helper": kept.helper or None}


def render_explained(ways: Sequence[Way]) -> str:
    """A paragraph for each place: whose login, then what was looked at, then the way there."""
    return "\n".join(map(_paragraph, ways))


def _paragraph(way: Way) -> str:
    endpoint = way.endpoint
    kind = "" if endpoint.upstream else " (mirror, by digest only)"
    looks = [(look.place, look.entry, look.why) for look in way.lookup.looks]
    facts = [
        ("asked at", str(endpoint.origin)),
        ("login goes", _goes(way)),
        ("proxy", _proxy(way)),
        ("certificates", _certificates(way)),
    ]
    head = f"{endpoint.registry}/{safe(way.repository)}{kind}: {_verdict(way.lookup)}\n"
    return head + _looks(looks) + columns(facts)


def _looks(looks: Sequence[tuple[str, str, str]]) -> str:
    rows = [(place, f"{entry}: {why}" if entry else why) for place, entry, why in looks]
    return columns([(f"{number}", *row) for number, row in enumerate(rows, 1)])


def _verdict(lookup: Lookup) -> str:
    if lookup.error is not None:
        return "the lookup fails, and so does what needs it"
    if not lookup.settled:
        return "a helper decides, and was not asked"
    if lookup.found is None:
        return "no login, asked anonymously"
    return f"{_who(lookup.found)}, from {lookup.found.source}"


def _who(found: Found) -> str:
    login = found.credential
    user = safe(login.user, limit=_USER)
    return f"{_kind(found)} of {user}" if user else _kind(found)


def _kind(found: Found) -> str:
    login = found.credential
    if login.registry_token:
        return "registry token"
    return "identity token" if login.identity_token else "password"


def _goes(way: Way) -> str:
    if not way.endpoint.sends_credentials:
        return "nowhere: plain http, which your own config.toml does not ask for"
    return "there, and to a token server on the same host or site"


def _proxy(way: Way) -> str:
    if way.proxy is None:
        return "none"
    login = ", with a login" if way.proxy.authorization else ""
    return f"{safe(way.proxy.host)}:{way.proxy.port} ({way.proxy.variable}{login})"


def _certificates(way: Way) -> str:
    if way.certificates is None:
        return "none: plain http"
    own = [f"{name}={safe(value)}" for name, value in way.system] or ["the system's"]
    own += [safe(str(file)) for file in way.certificates.authorities]
    shown = [f"shows {safe(str(file))}" for file, _ in way.certificates.pairs[:1]]
    return "; ".join([", ".join(own), *shown])


def explained_fields(reference: str, ways: Sequence[Way]) -> dict[str, Any]:
    """The JSON document: the same, by name."""
    return {"reference": safe(reference), "ways": list(map(_way_fields, ways))}


def _way_fields(way: Way) -> dict[str, Any]:
    from pinner.output.errors import error_fields  # noqa: PLC0415 - the text does without

    endpoint, lookup = way.endpoint, way.lookup
    found = lookup.found
    return {
        "registry": endpoint.registry,
        "repository": safe(way.repository),
        "mirror": not endpoint.upstream,
        "url": str(endpoint.origin),
        "sends_credentials": endpoint.sends_credentials,
        "settled": lookup.settled and lookup.error is None,
        "login": {
            "user": safe(found.credential.user, limit=_USER) or None,
            "kind": _kind(found),
            "source": found.source,
        }
        if found
        else None,
        "error": error_fields(lookup.error) if lookup.error else None,
        "looks": [
            {
                "place": look.place,
                "entry": look.entry or None,
                "outcome": look.outcome.value,
                "why": look.why,
                "helper": look.helper,
            }
            for look in lookup.looks
        ],
        "proxy": {
            "host": safe(way.proxy.host),
            "port": way.proxy.port,
            "variable": way.proxy.variable,
            "login": way.proxy.authorization is not None,
        }
        if way.proxy
        else None,
        "certificates": {
            "system": {name: safe(value) for name, value in way.system},
            "authorities": [safe(str(file)) for file in way.certificates.authorities],
            "shown": [safe(str(file)) for file, _ in way.certificates.pairs[:1]],
        }
        if way.certificates
        else None,
    }
