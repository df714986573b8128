"""Credential helpers, faked and real (A17)."""

from __future__ import annotations

import json
import os
import select
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError
from pinner.registry.credentials import Credential
from pinner.registry.helpers import Finished, HelperFailure, ProcessRunner, ask_helper

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.registry.helpers import Runner

SOURCE = "~/.docker/config.json"
WAITS = 120


def answers(output: object, status: int = 0) -> Runner:
    data = output if isinstance(output, bytes) else json.dumps(output).encode()
    return lambda name, argument, stdin: Finished(status=status, output=data)


def ask(run: Runner, suffix: str = "test") -> Credential | None:
    return ask_helper(suffix, "r.example", source=SOURCE, run=run)


def login(user: object, secret: object) -> dict[str, object]:
    return {"ServerURL": "r.example", "Username": user, "Secret": secret}


def test_what_is_run() -> None:
    ran: list[tuple[str, str, bytes]] = []

    def run(name: str, argument: str, stdin: bytes) -> Finished:
        ran.append((name, argument, stdin))
        return Finished(status=0, output=json.dumps(login("ada", "s")).encode())

    ask(run, "osxkeychain")
    assert ran == [("docker-credential-osxkeychain", "get", b"r.example")]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(login("ada", "s"), Credential(user="ada", password="s"), id="password"),
        pytest.param(login("<token>", "s"), Credential(identity_token="s"), id="identity-token"),
        pytest.param(login("", "s"), Credential(identity_token="s"), id="no-user"),
        pytest.param(login("ada", ""), None, id="no-secret"),
        pytest.param({}, None, id="empty-object"),
    ],
)
def test_answers(output: object, expected: Credential | None) -> None:
    assert ask(answers(output)) == expected


@pytest.mark.parametrize(
    "output", [b"credentials not found in native keychain\n", b"Credentials not found"]
)
def test_not_found_is_no_error(output: bytes) -> None:
    assert ask(answers(output, status=1)) is None


@pytest.mark.parametrize(
    ("run", "why"),
    [
        pytest.param(answers(b"canary", status=1), "failed with status 1", id="A17-status"),
        pytest.param(answers(b"canary"), "with a JSON object", id="A17-not-json"),
        pytest.param(answers(b"[" * 100_000), "with a JSON object", id="A17-nested"),
        pytest.param(answers(b'["canary"]'), "with a JSON object", id="A17-list"),
        pytest.param(answers(login(1, "canary")), "with Username and Secret", id="A17-user"),
        pytest.param(answers(login("a", ["canary"])), "with Username and Secret", id="A17-secret"),
    ],
)
def test_failures(run: Runner, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        ask(run)
    text = str(caught.value)
    assert text.startswith("~/.docker/config.json: docker-credential-test ")
    assert "canary" not in text


@pytest.mark.parametrize(
    "suffix",
    ["", "../evil", "a/b", "a b", ".", "..", "a\n", "a;b", "$(x)", "-x", "x-", "é", "x" * 65],
)
def test_A17_bad_names_are_not_run(suffix: str) -> None:
    def run(name: str, argument: str, stdin: bytes) -> Finished:
        raise AssertionError(f"{name} was run")

    with pytest.raises(InputError, match="is not a helper's name"):
        ask(run, suffix)


@pytest.mark.parametrize(
    "suffix", ["osxkeychain", "ecr-login", "gcloud", "desktop.exe", "a", "x_y"]
)
def test_good_names(suffix: str) -> None:
    assert ask(answers(login("ada", "s")), suffix) is not None


class Programs:
    """Real helpers: shell scripts on a PATH of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, body: str, *, mode: int = 0o755) -> None:
        path = self.folder / "docker-credential-test"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(mode)

    def runner(self, *, timeout: float = WAITS, **environ: str) -> ProcessRunner:
        path = f"{self.folder}{os.pathsep}{os.defpath}"
        return ProcessRunner(environ={"PATH": path, **environ}, timeout=timeout)

    def run(self, *, timeout: float = WAITS, stdin: bytes = b"r.example") -> Finished:
        return self.runner(timeout=timeout)("docker-credential-test", "get", stdin)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def test_a_program_gets_the_server_and_answers(programs: Programs) -> None:
    programs.write("""read -r server; printf '{"Username":"%s","Secret":"%s"}' "$1" "$server" """)
    found = ask(programs.runner())
    assert found == Credential(user="get", password="r.example")


def test_a_program_has_the_given_environment_and_no_other(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTSIDE", "canary")
    programs.write('printf \'{"Username":"u","Secret":"%s%s"}\' "$INSIDE" "$OUTSIDE"')
    found = ask(programs.runner(INSIDE="inside"))
    assert found == Credential(user="u", password="inside")


def test_status_and_output(programs: Programs) -> None:
    programs.write("echo out; echo err >&2; exit 3")
    assert programs.run() == Finished(status=3, output=b"out\n")


def test_a_program_that_reads_nothing(programs: Programs) -> None:
    programs.write("exec <&-; echo done")
    assert programs.run(stdin=b"x" * 60_000).output == b"done\n"


def test_A17_a_missing_program(programs: Programs) -> None:
    with pytest.raises(HelperFailure, match="is not installed"):
        programs.run()


def test_A17_a_program_of_the_working_folder_is_not_run(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.write("echo evil")
    monkeypatch.chdir(programs.folder)
    runner = ProcessRunner(environ={"PATH": os.defpath.removeprefix(":")})
    with pytest.raises(HelperFailure, match="is not installed"):
        runner("docker-credential-test", "get", b"")


def test_A17_a_program_that_cannot_start(programs: Programs) -> None:
    (programs.folder / "docker-credential-test").write_text("#!/no/such/interpreter\n")
    (programs.folder / "docker-credential-test").chmod(0o755)
    with pytest.raises(HelperFailure, match="cannot be started: No such file"):
        programs.run()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param("echo >&9; sleep 600", r"did not answer within 0\.3 s", id="silent"),
        pytest.param(
            "exec >&-; echo >&9; sleep 600", r"did not end within 0\.3 s", id="closed-output"
        ),
        pytest.param(
            "echo >&9; while :; do echo x; sleep 0.01; done",
            r"did not answer within 0\.3 s",
            id="drip",
        ),
        pytest.param(
            "sleep 600 & echo >&9; wait", r"did not answer within 0\.3 s", id="with-a-child"
        ),
        pytest.param("echo >&9; cat /dev/zero", "more than 256 KiB", id="endless"),
    ],
)
def test_A17_a_program_that_goes_on_is_killed_with_all_that_it_started(
    programs: Programs, body: str, why: str
) -> None:
    fifo = programs.folder / "open-while-alive"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(reader, select.POLLIN)

    begun: list[float] = []

    def since_it_went_on() -> float:
        """Seconds, from the moment at which the program has come so far."""
        if not begun:  # the deadline is reckoned before anything is awaited
            begun.append(0)
            return 0
        if begun == [0]:
            ((_, events),) = poll.poll(WAITS * 1000)
            assert events & select.POLLIN
            assert os.read(reader, 9) == b"\n"
            begun.append(time.monotonic())
        return time.monotonic() - begun[-1]

    timeout = 0.3 if "within" in why else WAITS
    runner = replace(programs.runner(), timeout=timeout, monotonic=since_it_went_on)
    try:
        programs.write(f"exec 9>{fifo}; {body}")
        with pytest.raises(HelperFailure, match=why):
            runner("docker-credential-test", "get", b"r.example")
        ((_, events),) = poll.poll(WAITS * 1000)
        assert events & select.POLLHUP
    finally:
        os.close(reader)


def test_A20_representations_hide_secrets() -> None:
    runner = ProcessRunner(environ={"TOKEN": "canary"})
    assert "canary" not in repr(runner) + repr(Finished(status=0, output=b"canary"))
