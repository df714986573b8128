"""Logins of pinner, docker and podman at real registries: each reads what the others store."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pinner.registry.authfile import Credential
from pinner.registry.helpers import ProcessRunner
from pinner.registry.keeping import LoginKeeper
from support.dockerd import client
from support.programs import require
from support.users import User

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.dockerd import Dockerd
    from support.registries import Registry
    from support.tokenserver import Rules, TokenServer

# What asks at a terminal is a process.
pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("measured")]


@pytest.fixture
def user(tmp_path: Path, docker_daemon: Dockerd) -> Iterator[User]:
    """A user of the daemon whose programs never say the registry's password."""
    user = User(tmp_path / "user", environ={"DOCKER_HOST": docker_daemon.host})
    yield user
    assert not [text for text in user.said if "open sesame" in text]


@pytest.fixture(params=["htpasswd_registry", "token_registry"], ids=["basic", "bearer"])
def registry(request: pytest.FixtureRequest) -> Registry:
    found: Registry = request.getfixturevalue(request.param)
    return found


def log_in(user: User, registry: Registry, *more: str, code: int = 0) -> Any:
    argv = ["login", registry.address, "-u", registry.user, "--password-stdin", *more]
    return user.pinner(*argv, stdin=f"{registry.password}\n", code=code)


def docker(user: User, *argv: str, stdin: str = "", code: int = 0) -> str:
    ran = user.run(client(), *argv, stdin=stdin)
    assert ran.code == code, f"docker {' '.join(argv)}: {ran.code}\n{ran.out}{ran.err}"
    return ran.out + ran.err


def docker_log_in(user: User, registry: Registry) -> str:
    argv = ("login", registry.address, "-u", registry.user, "--password-stdin")
    return docker(user, *argv, stdin=registry.password)


def lock(user: User, image: str, code: int = 0) -> str:
    (user.folder / "images.toml").write_text(f'[images]\napp = "{image}"\n')
    (user.folder / "images.lock").unlink(missing_ok=True)
    return user.pinner("lock", code=code).err


def test_docker_pulls_with_a_login_of_pinner(
    user: User, docker_daemon: Dockerd, registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(registry, "logins/ours:1", name="single")
    image = f"{registry.address}/logins/ours:1"
    assert "Downloaded" not in docker(user, "pull", image, code=1)
    ran = log_in(user, registry)
    assert ran.out.splitlines()[0] == "Login Succeeded"
    assert "Status: Downloaded newer image" in docker(user, "pull", image)
    docker_daemon.forget()
    said = docker(user, "logout", registry.address)
    assert said == f"Removing login credentials for {registry.address}\n"
    assert "Downloaded" not in docker(user, "pull", image, code=1)


def test_pinner_locks_with_a_login_of_docker(
    user: User, registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(registry, "logins/theirs:1", name="single")
    image = f"{registry.address}/logins/theirs:1"
    assert f"pinner login {registry.address}" in lock(user, image, code=3)
    docker_log_in(user, registry)
    lock(user, image)
    ran = user.pinner("logout", registry.address)
    assert ran.out == f"Removing login credentials for {registry.address}\n"
    lock(user, image, code=3)
    assert user.pinner("logout", registry.address).out == f"Not logged in to {registry.address}\n"


def test_the_file_is_the_one_that_docker_writes(
    tmp_path: Path, htpasswd_registry: Registry, plain_registry: Registry
) -> None:
    open_to_all = replace(plain_registry, user="ada", password="p")
    ours, theirs = User(tmp_path / "ours"), User(tmp_path / "theirs")
    steps: list[tuple[Any, Any]] = [
        (log_in, docker_log_in),
        (
            lambda user, at: user.pinner("logout", at.address),
            lambda user, at: docker(user, "logout", at.address),
        ),
    ]
    files = []
    # docker sorts its keys: the registries are taken in the order of their addresses.
    both = sorted((htpasswd_registry, open_to_all), key=lambda each: each.address)
    for ours_does, theirs_does in steps:
        for registry in both:
            ours_does(ours, registry)
            theirs_does(theirs, registry)
            files.append((ours.config.read_bytes(), theirs.config.read_bytes()))
    assert [mine for mine, _ in files] == [dockers for _, dockers in files]
    assert ours.config.stat().st_mode == theirs.config.stat().st_mode


def test_docker_reads_what_pinner_gave_a_helper_and_the_other_way_round(
    user: User, htpasswd_registry: Registry, push_layout: PushLayout, docker_daemon: Dockerd
) -> None:
    push_layout(htpasswd_registry, "logins/helped:1", name="single")
    image = f"{htpasswd_registry.address}/logins/helped:1"
    user.install("box")
    user.configure({"credsStore": "box"})
    ran = log_in(user, htpasswd_registry)
    assert "docker-credential-box" in ran.out
    assert user.configured() == {"auths": {htpasswd_registry.address: {}}, "credsStore": "box"}
    assert "Downloaded" in docker(user, "pull", image)
    docker_daemon.forget()
    docker(user, "logout", htpasswd_registry.address)
    lock(user, image, code=3)
    docker_log_in(user, htpasswd_registry)
    lock(user, image)
    user.pinner("logout", htpasswd_registry.address)
    assert user.configured() == {"auths": {}, "credsStore": "box"}
    docker(user, "pull", image, code=1)


def test_podman_reads_what_pinner_stores_where_both_look(
    user: User, htpasswd_registry: Registry
) -> None:
    require("podman")
    file = user.folder / "auth.json"
    user.environ["REGISTRY_AUTH_FILE"] = str(file)
    log_in(user, htpasswd_registry)
    assert not user.config.exists()
    ran = user.run("podman", "login", "--get-login", htpasswd_registry.address)
    assert (ran.code, ran.out) == (0, f"{htpasswd_registry.user}\n"), ran.err
    ran = user.run("podman", "logout", htpasswd_registry.address)
    assert ran.code == 0, ran.err
    assert json.loads(file.read_bytes())["auths"] == {}


def test_podman_knows_docker_hub_by_dockers_key(user: User) -> None:
    require("podman")
    file = user.folder / "auth.json"
    file.write_text('{"auths": {"docker.io": {"auth": "b2xkOm9sZA=="}}}')
    user.environ["REGISTRY_AUTH_FILE"] = str(file)
    runner = ProcessRunner(environ=user.environment())
    keeper = LoginKeeper(environ=user.environment(), home=user.home, run_helper=runner)
    keeper.store("docker.io", Credential(user="ada", password="p"))
    ran = user.run("podman", "login", "--get-login", "docker.io")
    assert (ran.code, ran.out) == (0, "ada\n"), ran.err


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_a_wrong_password_is_refused_and_nothing_is_stored(
    user: User, registry: Registry, more: list[str]
) -> None:
    ran = user.pinner(
        *("login", registry.address, "-u", registry.user, "--password-stdin", *more),
        stdin="open sesame: no",
        code=3,
    )
    said = json.loads(ran.out)["error"] if more else None
    text = "\n".join([said["what"], *said["mend"]]) if said else ran.err
    assert f"{registry.address} refused the login of {registry.user}" in text
    assert "answered 401: " in text
    assert "nothing was stored" in text
    assert not user.config.exists()


def test_a_registry_without_logins_takes_any_and_pinner_says_so(
    user: User, plain_registry: Registry
) -> None:
    argv = ["login", plain_registry.address, "-u", "eve", "--password-stdin"]
    ran = user.pinner(*argv, stdin="whatever")
    assert ran.out.startswith("Login Succeeded\n")
    assert "not verified" in ran.out
    document = json.loads(user.pinner(*argv, "--json", stdin="whatever").out)
    assert document["verified"] is False


def test_a_token_is_asked_for_no_repository_and_no_refresh_token(
    user: User, token_registry: Registry, token_server: TokenServer, token_rules: Rules
) -> None:
    token_rules.accounts["bob"] = "open sesame: bob"
    token_server.forget()
    argv = ["login", token_registry.address, "-u", "bob", "--password-stdin"]
    user.pinner(*argv, stdin="open sesame: bob\n")
    (asked,) = token_server.requests()
    assert (asked.user, asked.grant, asked.scopes) == ("bob", "basic", ())
    (entry,) = user.configured()["auths"].values()
    assert list(entry) == ["auth"]


def test_two_logins_at_once_both_survive(
    user: User, htpasswd_registry: Registry, token_registry: Registry, plain_registry: Registry
) -> None:
    registries = [htpasswd_registry, token_registry, plain_registry]
    for _ in range(3):
        user.config.unlink(missing_ok=True)
        running = [
            user.start_pinner("login", at.address, "-u", at.user or "x", "--password-stdin")
            for at in registries
        ]
        for process, at in zip(running, registries, strict=True):
            out, err = process.communicate(at.password or "x", timeout=60)
            assert process.returncode == 0, err
            user.said += [out, err]
        assert set(user.configured()["auths"]) == {at.address for at in registries}


def test_tls_needs_the_authority_before_a_password_is_sent(
    user: User, tls_registry: Registry
) -> None:
    folder = user.home / ".config/docker/certs.d" / tls_registry.address
    folder.mkdir(parents=True)
    argv = ["login", tls_registry.address, "-u", "eve", "--password-stdin"]
    assert "certificate" in user.pinner(*argv, stdin="x", code=3).err
    assert tls_registry.ca_file is not None
    (folder / "ca.crt").write_bytes(tls_registry.ca_file.read_bytes())
    assert "Login Succeeded" in user.pinner(*argv, stdin="x").out


class Terminal:
    """pinner on a terminal of its own: what it shows, and what is typed."""

    def __init__(self, user: User, *argv: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(user.folder)
            program = [sys.executable, "-P", "-m", "pinner", *argv]
            os.execve(sys.executable, program, user.environment())  # noqa: S606 - there is no shell
        self.shown = ""

    def until(self, pattern: str) -> None:
        end = time.monotonic() + 120
        while not re.search(pattern, self.shown):
            if not select.select([self.fd], [], [], max(end - time.monotonic(), 0))[0]:
                raise AssertionError(f"no {pattern!r} in {self.shown!r}")
            try:
                self.shown += os.read(self.fd, 4096).decode()
            except OSError:  # the other end is closed
                break

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def ended(self) -> int:
        self.until(r"\Z.")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_a_terminal_is_asked_and_the_password_is_not_shown(
    user: User, htpasswd_registry: Registry
) -> None:
    terminal = Terminal(user, "login", htpasswd_registry.address)
    terminal.until("Username for .*: ")
    terminal.type(f"{htpasswd_registry.user}\n")
    terminal.until("Password: ")
    terminal.type(f"{htpasswd_registry.password}\n")
    assert terminal.ended() == 0, terminal.shown
    assert "Login Succeeded" in terminal.shown
    assert "sesame" not in terminal.shown


def test_ctrl_c_at_the_password_ends_it_and_nothing_is_stored(
    user: User, htpasswd_registry: Registry
) -> None:
    terminal = Terminal(user, "login", htpasswd_registry.address, "-u", "ada")
    terminal.until("Password: ")
    terminal.type("\x03")
    assert terminal.ended() == 130, terminal.shown
    assert not user.config.exists()


@pytest.mark.parametrize("argv", [[], ["-u", "ada"]], ids=["user", "password"])
def test_without_a_terminal_the_option_is_named(user: User, argv: list[str]) -> None:
    err = user.pinner("login", "r.example", *argv, stdin="open sesame", code=2).err
    assert "there is no terminal to ask for a" in err
    assert ("--password-stdin" if argv else "--username") in err
