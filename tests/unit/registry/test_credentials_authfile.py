"""What credential files say of a registry (A15, A16)."""

from __future__ import annotations

import base64
import json

import pytest

from pinner.errors import InputError
from pinner.registry.authfile import (
    AuthFile,
    Credential,
    parse_config,
    parse_dockercfg,
    parse_environment,
    server_names,
)


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def config(**keys: object) -> AuthFile:
    return parse_config(json.dumps(keys).encode(), name="config.json")


def matched(keys: list[str], registry: str, repository: str = "org/repo") -> str | None:
    """The key among `keys` whose login is found; each has the user `u`."""
    login = login_of(config(auths={key: auth("u:p") for key in keys}), registry, repository)
    return login[0] if login else None


def login_of(file: AuthFile, registry: str, repository: str) -> tuple[str, Credential] | None:
    """The closest key that has a login, and the login."""
    logins = file.logins(registry, repository)
    return next(((key, login) for key, login in logins if login is not None), None)


HUB = "https://index.docker.io/v1/"


@pytest.mark.parametrize(
    ("keys", "registry", "expected"),
    [
        pytest.param(["ghcr.io"], "ghcr.io", "ghcr.io", id="host"),
        pytest.param(["r.example:5000"], "r.example:5000", "r.example:5000", id="host-port"),
        pytest.param(["R.Example"], "r.example", "R.Example", id="case-of-key"),
        pytest.param(["r.example"], "R.Example", "r.example", id="case-of-registry"),
        pytest.param(["https://r.example"], "r.example", "https://r.example", id="A16-scheme"),
        pytest.param(
            ["https://r.example:5000/v1/"],
            "r.example:5000",
            "https://r.example:5000/v1/",
            id="A16-scheme-and-path",
        ),
        pytest.param(
            ["http://r.example/any/path"], "r.example", "http://r.example/any/path", id="A16-path"
        ),
        pytest.param(["r.example/v1/"], "r.example", "r.example/v1/", id="A16-path-alone"),
        pytest.param(["r.example/v2"], "r.example", "r.example/v2", id="A16-v2"),
        pytest.param(["r.example/"], "r.example", "r.example/", id="A16-slash"),
        pytest.param([HUB], "docker.io", HUB, id="A16-hub"),
        pytest.param(["index.docker.io"], "docker.io", "index.docker.io", id="A16-hub-index"),
        pytest.param(["docker.io"], "docker.io", "docker.io", id="A16-hub-name"),
        pytest.param(
            ["https://registry-1.docker.io"],
            "docker.io",
            "https://registry-1.docker.io",
            id="A16-hub-api",
        ),
        pytest.param(
            [f"{HUB}access-token", f"{HUB}refresh-token"], "docker.io", None, id="A16-hub-oauth"
        ),
        pytest.param(
            ["https://registry-1.docker.io", "docker.io"],
            "docker.io",
            "docker.io",
            id="exact-first",
        ),
        pytest.param(
            ["quay.io", "quay.io/org", "quay.io/org/repo"],
            "quay.io",
            "quay.io/org/repo",
            id="namespace-longest",
        ),
        pytest.param(["quay.io", "quay.io/org"], "quay.io", "quay.io/org", id="namespace"),
        pytest.param(["quay.io/other", "quay.io"], "quay.io", "quay.io", id="namespace-falls-back"),
        pytest.param(["quay.io/or"], "quay.io", None, id="namespace-prefix"),
        pytest.param(["quay.io/org/repo/more"], "quay.io", None, id="namespace-deeper"),
        pytest.param(["docker.io/org"], "docker.io", "docker.io/org", id="namespace-hub"),
        pytest.param(["index.docker.io/org"], "docker.io", "index.docker.io/org", id="hub-alias"),
        pytest.param(["gcr.io"], "gcr.io.evil.example", None, id="A15-suffix"),
        pytest.param(["gcr.io"], "evil-gcr.io", None, id="A15-prefix"),
        pytest.param(["gcr.io"], "eu.gcr.io", None, id="A15-subdomain"),
        pytest.param(["eu.gcr.io"], "gcr.io", None, id="A15-parent"),
        pytest.param(["gcr.io"], "gcr.io:8443", None, id="A15-port"),
        pytest.param(["gcr.io:8443"], "gcr.io", None, id="A15-port-of-key"),
        pytest.param(["https://gcr.io@evil.example/"], "gcr.io", None, id="A15-userinfo"),
        pytest.param(["*.gcr.io", ""], "eu.gcr.io", None, id="A15-pattern"),
    ],
)
def test_keys(keys: list[str], registry: str, expected: str | None) -> None:
    assert matched(keys, registry) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(auth("ada:secret"), Credential(user="ada", password="secret"), id="auth"),
        pytest.param(auth("ada:a:b"), Credential(user="ada", password="a:b"), id="first-colon"),
        pytest.param(auth("ada:s\0\0"), Credential(user="ada", password="s"), id="nul-padded"),
        pytest.param(auth("ada:ü"), Credential(user="ada", password="ü"), id="utf-8"),
        pytest.param(auth("ada:"), Credential(user="ada"), id="empty-password"),
        pytest.param({"auth": "dTpw\r\n"}, Credential(user="u", password="p"), id="line-break"),
        pytest.param(
            {"username": "ada", "password": "secret"},
            Credential(user="ada", password="secret"),
            id="user-and-password",
        ),
        pytest.param(
            {"username": "x", "password": "y", **auth("ada:secret")},
            Credential(user="ada", password="secret"),
            id="auth-before-user",
        ),
        pytest.param(
            {**auth("ada:"), "identitytoken": "t"},
            Credential(user="ada", identity_token="t"),
            id="identity-token",
        ),
        pytest.param(
            {"identitytoken": "t", "email": "a@b.example"},
            Credential(identity_token="t"),
            id="token-alone",
        ),
        pytest.param({"registrytoken": "t"}, Credential(registry_token="t"), id="registry-token"),
        pytest.param({}, None, id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param({"auth": "", "identitytoken": None}, None, id="empty-values"),
        pytest.param({"password": "secret"}, None, id="no-user"),
    ],
)
def test_entries(entry: object, expected: Credential | None) -> None:
    login = login_of(config(auths={"r.example": entry}), "r.example", "a")
    assert (login[1] if login else None) == expected


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        pytest.param({"auth": "canary"}, 'auth is not the base64 of "user:password"', id="base64"),
        pytest.param({"auth": "dTpw!"}, "is not the base64", id="other-characters"),
        pytest.param({"auth": "/////w=="}, "is not the base64", id="not-utf-8"),
        pytest.param(auth("canary"), "is not the base64", id="no-colon"),
        pytest.param(auth(":canary"), "is not the base64", id="no-user"),
        pytest.param({"auth": 1}, "auth is not a string", id="number"),
        pytest.param({"identitytoken": ["canary"]}, "identitytoken is not a string", id="list"),
    ],
)
def test_bad_entries(entry: dict[str, object], why: str) -> None:
    file = config(auths={"r.example": entry, "other.example": auth("u:p")})
    with pytest.raises(InputError, match=why) as caught:
        login_of(file, "r.example", "a")
    assert str(caught.value).startswith("config.json: auths: r.example: ")
    assert "canary" not in str(caught.value)
    assert login_of(file, "other.example", "a") is not None


@pytest.mark.parametrize(
    ("keys", "registry", "expected"),
    [
        pytest.param({}, "ghcr.io", None, id="none"),
        pytest.param({"credsStore": "pass"}, "ghcr.io", ("credsStore", "pass"), id="store"),
        pytest.param(
            {"credHelpers": {"ghcr.io": "gh"}, "credsStore": "pass"},
            "ghcr.io",
            ("credHelpers: ghcr.io", "gh"),
            id="helper-before-store",
        ),
        pytest.param(
            {"credHelpers": {"ghcr.io": "gh"}, "credsStore": "pass"},
            "quay.io",
            ("credsStore", "pass"),
            id="store-for-others",
        ),
        pytest.param(
            {"credHelpers": {"ghcr.io": ""}, "credsStore": "pass"}, "ghcr.io", None, id="turned-off"
        ),
        pytest.param(
            {"credHelpers": {HUB: "gh"}}, "docker.io", (f"credHelpers: {HUB}", "gh"), id="A16-hub"
        ),
        pytest.param({"credHelpers": {"gcr.io": "g"}}, "eu.gcr.io", None, id="A15-subdomain"),
        pytest.param({"credHelpers": {"quay.io/org": "g"}}, "quay.io", None, id="no-namespaces"),
    ],
)
def test_helpers(keys: dict[str, object], registry: str, expected: tuple[str, str] | None) -> None:
    assert config(**keys).helper(registry) == expected


def test_what_helpers_are_asked_for() -> None:
    assert server_names("docker.io") == (HUB, "docker.io")
    assert server_names("ghcr.io") == ("ghcr.io",)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"{", "is not JSON \\(line 1\\)", id="A18-json"),
        pytest.param(b"{\n\n]", "is not JSON \\(line 3\\)", id="A18-line"),
        pytest.param(b"\0", "is not JSON", id="A18-nul"),
        pytest.param(b"\xff\xfe\xfd", "is not JSON", id="A18-bytes"),
        pytest.param(b"[" * 100_000, "is not JSON", id="A18-nested"),
        pytest.param(b"[]", "the document is not an object", id="A18-list"),
        pytest.param(b'{"auths": []}', "auths is not an object", id="A18-auths"),
        pytest.param(b'{"auths": {"a": "canary"}}', "auths: a is not an object", id="A18-entry"),
        pytest.param(b'{"credHelpers": "x"}', "credHelpers is not an object", id="A18-helpers"),
        pytest.param(
            b'{"credHelpers": {"a": 1}}', "credHelpers: a is not a string", id="A18-helper"
        ),
        pytest.param(b'{"credsStore": {}}', "credsStore is not a string", id="A18-store"),
    ],
)
def test_bad_files(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        parse_config(data, name="~/.docker/config.json")
    assert caught.value.where == "~/.docker/config.json"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b" \n", b"{}", b'\xef\xbb\xbf{"auths":{}}'])
def test_files_without_logins(data: bytes) -> None:
    assert parse_config(data, name="config.json") == AuthFile(name="config.json")


def test_other_keys_of_a_file_are_passed_over() -> None:
    file = config(auths=None, HttpHeaders={"X": 1.5}, proxies={}, credsStore=None)
    assert file == AuthFile(name="config.json")


def test_dockercfg_has_the_entries_at_its_top() -> None:
    data = json.dumps({HUB: {**auth("u:p"), "email": "a@b.example"}}).encode()
    file = parse_dockercfg(data, name="~/.dockercfg")
    expected = (HUB, Credential(user="u", password="p"))
    assert login_of(file, "docker.io", "library/debian") == expected


def test_the_environment_variable() -> None:
    text = json.dumps({"auths": {"r.example": auth("u:p")}})
    file = parse_environment(text, name="DOCKER_AUTH_CONFIG")
    assert login_of(file, "r.example", "a") == ("r.example", Credential(user="u", password="p"))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"auths": {}, "credsStore": "pass"}, id="unknown-field"),
        pytest.param({"auths": {"r.example": {}}}, id="entry-without-auth"),
        pytest.param({"auths": {"r.example": {**auth("u:p"), "x": 1}}}, id="unknown-in-entry"),
    ],
)
def test_the_environment_variable_is_read_strictly(document: dict[str, object]) -> None:
    with pytest.raises(InputError, match="holds more or less than logins"):
        parse_environment(json.dumps(document), name="DOCKER_AUTH_CONFIG")


def test_the_environment_variable_is_one_document() -> None:
    with pytest.raises(InputError, match="is not JSON"):
        parse_environment('{"auths": {}} {}', name="DOCKER_AUTH_CONFIG")


def test_A20_representations_hide_secrets() -> None:
    file = config(auths={"r.example": auth("ada:canary")})
    credential = Credential(
        user="ada", password="canary", identity_token="canary", registry_token="canary"
    )
    assert "canary" not in repr(credential)
    assert auth("ada:canary")["auth"] not in repr(file)
