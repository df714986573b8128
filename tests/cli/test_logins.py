"""`pinner login`, `logout` and `auth explain`, with registries and helpers of every manner."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from support.ground import BASIC, BEARER, PASSWORD, USER
from support.net import Answer, LoopbackServer, Request
from support.registry_faults import Fault, header, instead, raw, redirect
from support.registry_sim import RegistrySim
from support.users import User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Abroad

PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture(params=[BASIC, BEARER], ids=["basic", "bearer"])
def sim(request: pytest.FixtureRequest) -> Iterator[RegistrySim]:
    """A registry that knows one login."""
    with RegistrySim(login=request.param) as sim:
        yield sim


@pytest.fixture
def user(tmp_path: Path, impatient: None) -> Iterator[User]:
    """Somebody whose programs never say the password, however it is written."""
    user = User(tmp_path / "user", here=True)
    yield user
    said = "".join(user.said)
    for secret in (PASSWORD, PASSWORD[:8], PAIR, PAIR[4:-4], "canary"):
        assert secret not in said


def log_in(user: User, host: str, *more: str, password: str = PASSWORD, code: int = 0) -> Any:
    argv = ["login", host, "--username", USER, "--password-stdin", *more]
    return user.pinner(*argv, stdin=password, code=code)


def echo(status: int, shape: Callable[[str], bytes], **headers: str) -> Fault:
    """An answer that repeats what it was sent, once it was sent a login."""

    def fault(request: Request, answer: Answer) -> Answer:
        sent = request.headers.get("authorization") or ""
        if not sent:
            return answer
        password = base64.b64decode(sent.removeprefix("Basic ")).decode().partition(":")[2]
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return Answer(status=status, body=shape(password), headers=named)

    return fault


def test_a_login_is_tried_and_stored(user: User, sim: RegistrySim) -> None:
    ran = log_in(user, sim.host)
    assert ran.out == "Login Succeeded\nStored in ~/.docker/config.json\n"
    assert "WARNING! Your password will be stored unencrypted in ~/.docker/config.json." in ran.err
    assert user.configured() == {"auths": {sim.host: {"auth": PAIR}}}


def test_its_document(user: User, sim: RegistrySim) -> None:
    assert json.loads(log_in(user, sim.host, "--json", "-q").out) == {
        "schema": 1,
        "command": "login",
        "registry": sim.host,
        "user": USER,
        "verified": True,
        "stored": {"file": "~/.docker/config.json", "helper": None},
    }


@pytest.mark.parametrize("spelled", ["http://{}", "https://{}/", "https://{}/v1/", "{}/"])
def test_a_registry_may_be_named_by_its_url(user: User, sim: RegistrySim, spelled: str) -> None:
    log_in(user, spelled.format(sim.host))
    assert list(user.configured()["auths"]) == [sim.host]


@pytest.mark.parametrize(
    ("piped", "password"),
    [
        pytest.param(f"{PASSWORD}\n", PASSWORD, id="LF"),
        pytest.param(f"{PASSWORD}\r\n", PASSWORD, id="CRLF"),
        pytest.param(f"{PASSWORD}\n\n", f"{PASSWORD}\n", id="one-line-end-alone"),
        pytest.param(f" {PASSWORD} ", f" {PASSWORD} ", id="spaces"),
        pytest.param('{\n "key": "canary"\n}\n', '{\n "key": "canary"\n}', id="a-document"),
        pytest.param("canary:ü", "canary:ü", id="a-colon-and-an-umlaut"),
    ],
)
def test_what_is_piped(user: User, piped: str, password: str) -> None:
    with RegistrySim() as sim:
        log_in(user, sim.host, password=piped)
        pair = base64.b64decode(user.configured()["auths"][sim.host]["auth"]).decode()
    assert pair == f"{USER}:{password}"


@pytest.mark.parametrize(
    ("argv", "stdin", "says"),
    [
        (["-u", "", "--password-stdin"], "canary", "the user name is empty"),
        (["-u", "a:b", "--password-stdin"], "canary", "neither colons nor control characters"),
        (["-u", "a\x1b[m", "--password-stdin"], "canary", "neither colons nor control"),
        (["-u", "<token>", "--password-stdin"], "canary", "stands for an identity token"),
        (["-u", "a", "--password-stdin"], "", "the password is empty"),
        (["-u", "a", "--password-stdin"], "\r\n", "the password is empty"),
        (["-u", "a", "-p", ""], "", "the password is empty"),
        (["-u", "a", "--password-stdin"], "canary\0", "the password has control characters"),
        (["-u", "a", "--password-stdin"], "canary" * 3000, "longer than 16 KiB"),
        (["-u", "a", "-p", "canary", "--password-stdin"], "", "are mutually exclusive"),
        (["--password-stdin"], "canary", "Must provide --username with --password-stdin"),
    ],
)
def test_what_is_no_login(
    user: User, sim: RegistrySim, argv: list[str], stdin: str, says: str
) -> None:
    assert says in user.pinner("login", sim.host, *argv, stdin=stdin, code=2).err
    assert not sim.requests
    assert not user.config.exists()


@pytest.mark.parametrize(
    "name",
    ["ghcr.io/canary-org", "localhos", "ada:canary@r.example", "r.example:0", "", "a b", "-"],
)
def test_what_is_no_registry(user: User, name: str) -> None:
    argv = ["-u", "a", "--password-stdin", "--", name]
    err = user.pinner("login", *argv, stdin="x", code=2).err
    user.said[:] = [text.replace("canary-org", "") for text in user.said]
    assert "registry" in err


def test_a_password_on_the_command_line_is_warned_of(user: User, sim: RegistrySim) -> None:
    ran = user.pinner("login", sim.host, "-u", USER, "-p", PASSWORD)
    assert ran.err.startswith("WARNING! Using --password via the CLI is insecure. Use --pass")
    assert user.configured()["auths"][sim.host] == {"auth": PAIR}


@pytest.mark.parametrize("more", [[], ["--json"], ["--debug"]], ids=["text", "json", "debug"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(echo(401, str.encode), 3, id="401"),
        pytest.param(echo(403, lambda secret: f"no: {secret}".encode()), 3, id="403"),
        pytest.param(echo(500, str.encode), 3, id="500"),
        pytest.param(echo(429, str.encode, Retry_After="9999"), 3, id="429"),
        pytest.param(
            echo(
                401,
                lambda secret: json.dumps({"errors": [{"code": "X", "message": secret}]}).encode(),
            ),
            3,
            id="json",
        ),
        pytest.param(
            echo(403, lambda secret: base64.b64encode(f"{USER}:{secret}".encode())), 3, id="pair"
        ),
        pytest.param(
            echo(302, str.encode, Location=f"http://10.0.0.1/{PASSWORD}"), 3, id="redirect"
        ),
        pytest.param(echo(302, str.encode, Location=f"http://[{PASSWORD}/"), 3, id="no-url"),
        pytest.param(echo(404, str.encode), 3, id="404"),
        pytest.param(echo(418, str.encode), 3, id="418"),
        pytest.param(echo(200, str.encode, Warning=f'299 - "{PASSWORD}"'), None, id="warning"),
    ],
)
def test_A20_a_server_that_repeats_the_password_is_not_quoted(
    user: User, sim: RegistrySim, fault: Fault, code: int | None, more: list[str]
) -> None:
    sim.always("/token" if sim.login is BEARER else "/v2/", fault)
    if code is None and sim.login is BEARER:
        code = 3  # no token is in it
    ran = log_in(user, sim.host, *more, code=code or 0)
    assert "unexpected" not in ran.err
    assert user.config.exists() == (not code)


def test_A13_what_a_registry_says_of_a_wrong_password_is_said(user: User, sim: RegistrySim) -> None:
    refused = instead(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"wrong, really"}]}')
    sim.always("/token", refused)
    sim.script("/v2/", lambda _, answer: answer, refused)
    err = log_in(user, sim.host, password="not it", code=3).err
    assert f"{sim.host} refused the login of {USER}" in err
    assert "answered 401: UNAUTHORIZED: wrong, really" in err
    assert not user.config.exists()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(instead(404), "is not a registry", id="404"),
        pytest.param(instead(200, b"<html>", Content_Type="text/html"), None, id="M32-portal"),
        pytest.param(redirect("http://127.0.0.1:1/v2/"), "refused|connect", id="redirect-nowhere"),
        pytest.param(header("www-authenticate", "Negotiate"), "of a kind that pinner", id="kind"),
        pytest.param(header("www-authenticate", None), "does not say which login", id="none"),
        pytest.param(header("www-authenticate", 'Bearer realm="'), "cannot be read", id="open"),
        pytest.param(
            header("www-authenticate", 'Bearer realm="http://10.0.0.1/t"'),
            "its token server is not asked",
            id="A02-private",
        ),
        pytest.param(raw(b"\0\0\0"), "", id="no-http"),
    ],
)
def test_before_a_login_is_sent(
    user: User, sim: RegistrySim, fault: Fault, says: str | None
) -> None:
    sim.always("/v2/", fault)
    ran = log_in(user, sim.host, code=0 if says is None else 3)
    assert not [request for request in sim.requests if request.headers.get("authorization")]
    assert user.config.exists() == (says is None)
    if says is None:
        assert "not verified" in ran.out
    else:
        assert any(words in ran.err for words in says.split("|"))


def test_D11_where_a_registry_redirects_to_gets_no_login(user: User, sim: RegistrySim) -> None:
    with RegistrySim(login=BASIC) as stranger:
        sim.always("/v2/", redirect(f"{stranger.url}/v2/"))
        err = log_in(user, sim.host, code=3).err
        assert "where no login is sent" in err
        assert not [
            request for request in stranger.requests if request.headers.get("authorization")
        ]
    assert not user.config.exists()


def test_S20_no_password_goes_over_plain_http(user: User, abroad: Abroad) -> None:
    sim = abroad.ground.sim
    user.environ = dict(abroad.ground.environ)
    config = user.home / ".config/pinner/config.toml"
    config.parent.mkdir(parents=True)
    assert sim.host == "registry.example"
    sim.login = BASIC
    log_in(user, sim.host)
    assert user.configured()["auths"] == {sim.host: {"auth": PAIR}}
    # What a repository says is no reason: images.toml is not read.
    (user.folder / "images.toml").write_text('[registries."registry.example"]\nplain-http = true\n')
    log_in(user, sim.host)
    assert all(head.startswith("CONNECT") for head in abroad.proxy.heads)


def test_A06_a_token_server_that_is_a_stranger_gets_no_login(user: User, abroad: Abroad) -> None:
    sim = abroad.ground.sim
    user.environ = dict(abroad.ground.environ)
    sim.login = BEARER
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return Answer(body=b'{"token":"t"}')

    with LoopbackServer(answer) as stranger:
        abroad.ports["other.example"] = stranger.port
        realm = 'Bearer realm="https://other.example/token",service="sim"'
        sim.always("/v2/", header("www-authenticate", realm))
        err = log_in(user, sim.host, code=3).err
    assert "is not given the login" in err
    assert not asked
    assert not user.config.exists()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("cat; cat >&2; exit 1", id="echoes-and-fails"),
        pytest.param("cat /dev/zero", id="endless"),
        pytest.param("echo canary >&2; exit 3", id="stderr"),
    ],
)
def test_A17_a_helper_that_fails(user: User, sim: RegistrySim, body: str) -> None:
    user.install("bad", body)
    user.configure({"credsStore": "bad"})
    err = log_in(user, sim.host, code=2).err
    assert "docker-credential-bad" in err
    assert user.configured() == {"credsStore": "bad"}


def test_A17_a_helper_that_says_what_it_gets_is_not_heard(user: User, sim: RegistrySim) -> None:
    user.install("loud", 'tee /dev/stderr; echo "canary"; echo canary >&2')
    user.configure({"credsStore": "loud"})
    log_in(user, sim.host)
    assert user.configured()["auths"] == {sim.host: {}}
    user.pinner("auth", "explain", f"{sim.host}/a", code=2)
    user.pinner("auth", "explain", f"{sim.host}/a", "--json", "--debug", code=2)
    user.pinner("logout", sim.host)


def test_a_helper_that_is_honest(user: User, sim: RegistrySim) -> None:
    user.install("box")
    user.configure({"credHelpers": {sim.host: "box"}, "HttpHeaders": {"X": "1"}})
    ran = log_in(user, sim.host)
    assert ran.err == ""
    assert user.asked("box") == ["store"]
    assert f"credHelpers: {sim.host} → docker-credential-box: helper answered: yes" in (
        user.pinner("auth", "explain", f"{sim.host}/team/app").out
    )
    asked = user.asked("box")
    user.pinner("auth", "explain", f"{sim.host}/team/app", "--no-helpers")
    assert user.asked("box") == asked
    assert user.pinner("logout", sim.host).out == f"Removing login credentials for {sim.host}\n"
    assert user.pinner("logout", sim.host).out == f"Not logged in to {sim.host}\n"


def test_a_broken_file_is_found_before_a_password_is_sent(user: User, sim: RegistrySim) -> None:
    user.configure("{")
    assert "~/.docker/config.json: is not JSON" in log_in(user, sim.host, code=2).err
    assert not sim.requests


def test_logins_elsewhere_are_said(user: User, sim: RegistrySim) -> None:
    other = user.home / ".config/containers/auth.json"
    other.parent.mkdir(parents=True)
    other.write_text(json.dumps({"auths": {sim.host: {"auth": PAIR}}}))
    other.chmod(0o600)
    user.environ["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {sim.host: {"auth": PAIR}}})
    first = f"warning: DOCKER_AUTH_CONFIG has a login for {sim.host} as well, which comes first"
    assert first in log_in(user, sim.host).err
    del user.environ["DOCKER_AUTH_CONFIG"]
    assert "comes first" not in log_in(user, sim.host).err
    left = f"is still found in ~/.config/containers/auth.json (auths: {sim.host})"
    assert left in user.pinner("logout", sim.host).err


def test_logout_of_all_and_of_parts(user: User) -> None:
    entry = {"auth": PAIR}
    user.configure({"auths": {"q.example": entry, "q.example/org": entry, "https://r.example": {}}})
    ran = user.pinner("logout", "q.example")
    assert "the login for q.example/org is left" in ran.err
    assert user.pinner("logout", "--all").out.splitlines() == [
        "Removing login credentials for q.example",
        "Removing login credentials for r.example",
    ]
    assert user.configured() == {"auths": {}}
    assert user.pinner("logout", "--all").out == "Not logged in to any registry\n"
    assert user.pinner("logout").out == "Not logged in to docker.io\n"
    assert "takes no registry" in user.pinner("logout", "--all", "q.example", code=2).err


def test_PINNER_ANONYMOUS_asks_without_a_login(user: User, sim: RegistrySim) -> None:
    sim.login = BEARER
    sim.content.add_image("app", "1", layers=[b"x"])
    log_in(user, sim.host)
    (user.folder / "images.toml").write_text(f'[images]\napp = "{sim.host}/app:1"\n')
    user.environ["PINNER_ANONYMOUS"] = sim.host
    before = len(sim.requests)
    user.pinner("lock", code=3)
    sent = [request.headers.get("authorization") or "" for request in sim.requests[before:]]
    assert sent
    assert not [text for text in sent if text.startswith("Basic")]
    del user.environ["PINNER_ANONYMOUS"]
    user.pinner("lock")


def test_a_way_through_mirror_and_proxy_is_explained(user: User) -> None:
    user.configure({"auths": {"m.example": {"auth": PAIR}}})
    authority = user.folder / "ca.pem"
    authority.write_text("not read")
    (user.folder / "images.toml").write_text(
        '[images]\n[registries."r.example"]\nmirrors = ["m.example/team"]\n'
        'ca-file = "ca.pem"\nplain-http = false\n[registries."p.example"]\nplain-http = true\n'
    )
    folder = user.home / ".config/docker/certs.d/m.example"
    folder.mkdir(parents=True)
    for name in ("a.crt", "c.cert", "c.key"):
        (folder / name).touch()
    user.environ |= {"HTTPS_PROXY": "http://me:canary@proxy.example:3128", "NO_PROXY": "r.example"}
    document = json.loads(user.pinner("auth", "explain", "r.example/app:1", "--json").out)
    mirror, registry = document["ways"]
    assert (mirror["registry"], mirror["repository"], mirror["mirror"]) == (
        *("m.example", "team/app"),
        True,
    )
    assert mirror["login"]["user"] == USER
    assert mirror["proxy"] == {
        "host": "proxy.example",
        "port": 3128,
        "variable": "HTTPS_PROXY",
        "login": True,
    }
    assert mirror["certificates"] == {
        "system": {},
        "authorities": [str(folder / "a.crt")],
        "shown": [str(folder / "c.cert")],
    }
    assert (registry["login"], registry["proxy"]) == (None, None)
    assert registry["certificates"]["authorities"] == [str(authority)]
    plain = user.pinner("auth", "explain", "p.example/app").out
    assert "login goes    nowhere: plain http" in plain
    assert "canary" not in json.dumps(document)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pinner auth ex", ["explain"]),
        ("pinner logi", ["login"]),
        ("pinner logout ", ["q.example", "r.example"]),
        ("pinner login r", ["r.example"]),
    ],
)
def test_completion(user: User, words: str, expected: list[str]) -> None:
    user.configure({"auths": {"q.example": {}, "r.example": {}}})
    typed = words.split(" ")
    user.environ |= {
        "_PINNER_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(typed) - 1),
    }
    shown = [line.split(",", 1)[1] for line in user.pinner().out.splitlines()]
    assert shown == expected
