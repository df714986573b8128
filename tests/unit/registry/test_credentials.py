"""Where logins are looked for, and in which order (docs/credentials.md)."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import InputError
from pinner.registry.credentials import Credential, CredentialStore, Found
from pinner.registry.helpers import Finished, HelperFailure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REGISTRY = "r.example"


def auths(user: str, key: str = REGISTRY) -> dict[str, Any]:
    encoded = base64.b64encode(f"{user}:canary".encode()).decode()
    return {"auths": {key: {"auth": encoded}}}


@dataclass
class Helpers:
    """Answers for `docker-credential-NAME` by what is asked for; None is not found."""

    logins: Mapping[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    takes: float = 0

    def __call__(self, name: str, argument: str, stdin: bytes) -> Finished:
        assert argument == "get"
        key = (name.removeprefix("docker-credential-"), stdin.decode())
        self.asked.append(key)
        time.sleep(self.takes)
        if key[0] == "broken":
            raise HelperFailure("is not installed")
        user = self.logins.get(key)
        if user is None:
            return Finished(status=1, output=b"credentials not found in native keychain\n")
        return Finished(status=0, output=json.dumps({"Username": user, "Secret": "s"}).encode())


class Bench:
    def __init__(self, home: Path, helpers: Helpers | None = None, **environ: str) -> None:
        self.home = home
        self.environ = environ
        self.helpers = helpers or Helpers()
        self.notes: list[str] = []

    def write(self, path: str, document: object, mode: int = 0o600) -> Path:
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(document if isinstance(document, str) else json.dumps(document))
        target.chmod(mode)
        return target

    def store(self) -> CredentialStore:
        return CredentialStore(
            environ=self.environ, home=self.home, run_helper=self.helpers, note=self.notes.append
        )

    def find(self, registry: str = REGISTRY, repository: str = "org/repo") -> Found | None:
        return self.store().find(registry, repository)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def user_of(found: Found | None) -> str | None:
    return found.credential.user if found else None


def test_nothing_anywhere(bench: Bench) -> None:
    assert bench.find() is None


def test_the_order_of_places(bench: Bench) -> None:
    bench.environ |= {
        "DOCKER_AUTH_CONFIG": json.dumps(auths("variable")),
        "REGISTRY_AUTH_FILE": str(bench.write("ci/auth.json", auths("named"))),
        "DOCKER_CONFIG": str(bench.home / "docker"),
        "XDG_RUNTIME_DIR": str(bench.home / "run"),
        "XDG_CONFIG_HOME": str(bench.home / "xdg"),
    }
    bench.write("docker/config.json", auths("docker"))
    bench.write("run/containers/auth.json", auths("runtime"))
    bench.write("xdg/containers/auth.json", auths("containers"))
    bench.write(".dockercfg", auths("old")["auths"])
    found = []
    for place in (
        *("DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE"),
        *("docker/config.json", "run/containers/auth.json", "xdg/containers/auth.json"),
        ".dockercfg",
    ):
        login = bench.find()
        assert login is not None
        found.append((login.credential.user, login.source))
        if place.isupper():
            del bench.environ[place]
        else:
            (bench.home / place).unlink()
    assert found == [
        ("variable", "DOCKER_AUTH_CONFIG (auths: r.example)"),
        ("named", "~/ci/auth.json (auths: r.example)"),
        ("docker", "~/docker/config.json (auths: r.example)"),
        ("runtime", "~/run/containers/auth.json (auths: r.example)"),
        ("containers", "~/xdg/containers/auth.json (auths: r.example)"),
        ("old", "~/.dockercfg (auths: r.example)"),
    ]
    assert bench.find() is None


@pytest.mark.parametrize("path", [".docker/config.json", ".config/containers/auth.json"])
def test_default_places(bench: Bench, path: str) -> None:
    bench.write(path, auths("ada"))
    assert user_of(bench.find()) == "ada"


def test_DOCKER_CONFIG_is_read_instead_of_the_default(bench: Bench) -> None:
    bench.write(".docker/config.json", auths("ada"))
    bench.environ["DOCKER_CONFIG"] = str(bench.home / "elsewhere")
    assert bench.find() is None


def test_a_file_without_a_login_is_passed_over(bench: Bench) -> None:
    bench.write(".docker/config.json", {"auths": {REGISTRY: {}, "other.example": {"auth": "!"}}})
    bench.write(".config/containers/auth.json", auths("ada"))
    assert user_of(bench.find()) == "ada"


def test_a_namespace_of_a_later_place_does_not_beat_an_earlier_place(bench: Bench) -> None:
    bench.write(".docker/config.json", auths("docker"))
    bench.write(".config/containers/auth.json", auths("containers", f"{REGISTRY}/org/repo"))
    assert user_of(bench.find()) == "docker"


def test_REGISTRY_AUTH_FILE_must_be_there(bench: Bench) -> None:
    bench.environ["REGISTRY_AUTH_FILE"] = str(bench.home / "missing.json")
    with pytest.raises(InputError, match="is not there") as caught:
        bench.find()
    assert str(caught.value).startswith("~/missing.json: ")
    assert "REGISTRY_AUTH_FILE" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param("{", "is not JSON", id="A18-json"),
        pytest.param(None, "is not a regular file", id="A18-folder"),
    ],
)
def test_a_bad_file_is_named(bench: Bench, content: str | None, why: str) -> None:
    if content is None:
        (bench.home / ".docker/config.json").mkdir(parents=True)
    else:
        bench.write(".docker/config.json", content)
    with pytest.raises(InputError, match=why) as caught:
        bench.find()
    assert caught.value.where == "~/.docker/config.json"


def test_a_fifo_does_not_hang(bench: Bench) -> None:
    (bench.home / ".docker").mkdir()
    os.mkfifo(bench.home / ".docker/config.json")
    with pytest.raises(InputError, match="is not a regular file"):
        bench.find()


def test_places_behind_the_first_login_are_not_read(bench: Bench) -> None:
    bench.write(".docker/config.json", auths("ada"))
    bench.write(".config/containers/auth.json", "{")
    assert user_of(bench.find()) == "ada"


def test_each_file_is_read_once(bench: Bench) -> None:
    path = bench.write(".docker/config.json", auths("ada"))
    store = bench.store()
    store.find(REGISTRY, "a")
    path.write_text("{")
    assert user_of(store.find(REGISTRY, "b")) == "ada"


HELPED = {
    "credHelpers": {"ghcr.io": "gh"},
    "credsStore": "pass",
    **auths("file"),
}


def test_helper_then_store_then_auths(bench: Bench) -> None:
    bench.write(".docker/config.json", HELPED)
    bench.helpers.logins = {("gh", "ghcr.io"): "helped", ("pass", "quay.io"): "stored"}
    assert bench.find("ghcr.io") == Found(
        credential=Credential(user="helped", password="s"),
        source="~/.docker/config.json (credHelpers: ghcr.io → docker-credential-gh)",
    )
    assert bench.find("quay.io") == Found(
        credential=Credential(user="stored", password="s"),
        source="~/.docker/config.json (credsStore → docker-credential-pass)",
    )
    assert user_of(bench.find()) == "file"
    assert bench.helpers.asked == [("gh", "ghcr.io"), ("pass", "quay.io"), ("pass", REGISTRY)]


def test_docker_hub_is_asked_for_by_both_names(bench: Bench) -> None:
    bench.write(".docker/config.json", {"credsStore": "pass"})
    bench.helpers.logins = {("pass", "docker.io"): "ada"}
    assert user_of(bench.find("docker.io")) == "ada"
    assert bench.helpers.asked == [
        ("pass", "https://index.docker.io/v1/"),
        ("pass", "docker.io"),
    ]


def test_each_helper_is_asked_once_for_a_registry(bench: Bench) -> None:
    bench.write(".docker/config.json", {"credsStore": "pass"})
    bench.helpers.logins = {("pass", REGISTRY): "ada"}
    bench.helpers.takes = 0.01
    store = bench.store()
    arrived = threading.Barrier(8)

    def work(number: int) -> None:
        arrived.wait(timeout=60)
        store.find(REGISTRY, f"repository{number}")
        store.find("without.example", "a")

    workers = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert sorted(bench.helpers.asked) == [("pass", REGISTRY), ("pass", "without.example")]


def test_a_broken_helper_is_an_error_though_auths_has_a_login(bench: Bench) -> None:
    bench.write(".docker/config.json", {"credsStore": "broken", **auths("ada")})
    with pytest.raises(InputError, match="docker-credential-broken is not installed") as caught:
        bench.find()
    assert caught.value.where == "~/.docker/config.json"


@pytest.mark.parametrize(
    ("mode", "notes"),
    [
        pytest.param(0o600, 0, id="A18-private"),
        pytest.param(0o640, 0, id="A18-group"),
        pytest.param(0o644, 1, id="A18-world-readable"),
    ],
)
def test_a_file_that_everybody_can_read_is_noted_once(bench: Bench, mode: int, notes: int) -> None:
    bench.write(".docker/config.json", auths("ada"), mode)
    store = bench.store()
    store.find(REGISTRY, "a")
    store.find(REGISTRY, "b")
    assert (
        bench.notes
        == ["~/.docker/config.json holds logins and everybody can read it: chmod 600"] * notes
    )


def test_A18_a_readable_file_without_logins_is_not_noted(bench: Bench) -> None:
    bench.write(".docker/config.json", {"credsStore": "pass"}, 0o644)
    bench.helpers.logins = {("pass", REGISTRY): "ada"}
    bench.find()
    assert bench.notes == []


def test_A23_netrc_is_not_read(bench: Bench) -> None:
    netrc = f"machine {REGISTRY} login ada password canary\n"
    bench.environ["NETRC"] = str(bench.write("netrc", netrc))
    bench.write(".netrc", netrc)
    assert bench.find() is None


def test_a_control_character_in_a_key_is_not_shown(bench: Bench) -> None:
    bench.write(".docker/config.json", auths("ada", f"https://{REGISTRY}/\x1b[31m"))
    found = bench.find()
    assert found is not None
    assert "\x1b" not in found.source
