"""Where logins are stored and erased, and what of the file is left alone."""

from __future__ import annotations

import base64
import errno
import json
import os
import stat
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pinner import fsio
from pinner.errors import InputError, StoreError
from pinner.registry.authfile import Credential
from pinner.registry.credentials import CredentialStore
from pinner.registry.helpers import Finished, HelperFailure
from pinner.registry.keeping import Kept, LoginKeeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADA = Credential(user="ada", password="canary")
PAIR = base64.b64encode(b"ada:canary").decode()
HUB = "https://index.docker.io/v1/"


@dataclass
class Box:
    """A helper: keeps logins by server, and what it was asked."""

    kept: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    fails: str = ""

    def __call__(self, name: str, argument: str, stdin: bytes) -> Finished:
        text = stdin.decode()
        server = json.loads(text)["ServerURL"] if argument == "store" else text
        self.asked.append((argument, server))
        if self.fails == "missing":
            raise HelperFailure("is not installed")
        if self.fails:
            return Finished(status=1, output=b"no: canary")
        if argument == "store":
            self.kept[server] = text
        elif server not in self.kept:
            return Finished(status=1, output=b"credentials not found in native keychain")
        elif argument == "erase":
            del self.kept[server]
        return Finished(status=0, output=self.kept.get(server, "").encode())


class Bench:
    def __init__(self, home: Path, **environ: str) -> None:
        self.home = home
        self.environ = environ
        self.box = Box()
        self.file = home / ".docker/config.json"

    def write(self, document: object, mode: int = 0o600) -> None:
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(document if isinstance(document, str) else json.dumps(document))
        self.file.chmod(mode)

    @property
    def document(self) -> Any:
        return json.loads(self.file.read_bytes())

    @property
    def keeper(self) -> LoginKeeper:
        return LoginKeeper(environ=self.environ, home=self.home, run_helper=self.box)

    def found(self, registry: str, repository: str = "a/b") -> str | None:
        store = CredentialStore(
            environ=self.environ, home=self.home, run_helper=self.box, note=lambda _: None
        )
        found = store.find(registry, repository)
        return found.credential.password if found else None


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("registry", "key"), [("r.example:5000", "r.example:5000"), ("docker.io", HUB)]
)
def test_a_login_is_stored_found_and_erased(bench: Bench, registry: str, key: str) -> None:
    assert bench.keeper.store(registry, ADA) == Kept(file="~/.docker/config.json")
    assert bench.document == {"auths": {key: {"auth": PAIR}}}
    assert bench.found(registry) == "canary"
    assert bench.keeper.erase(registry) == Kept(file="~/.docker/config.json")
    assert bench.document == {"auths": {}}
    assert bench.keeper.erase(registry) is None


@pytest.mark.parametrize("mode", [None, 0o600, 0o644, 0o666])
def test_the_file_is_for_its_owner_alone(bench: Bench, mode: int | None) -> None:
    if mode is not None:
        bench.write({}, mode)
    before = os.umask(0)
    try:
        bench.keeper.store("r.example", ADA)
    finally:
        os.umask(before)
    assert stat.S_IMODE(bench.file.stat().st_mode) == 0o600
    assert [path.name for path in bench.file.parent.iterdir()] == ["config.json"]
    if mode is None:
        assert stat.S_IMODE(bench.file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("registry", "others"),
    [
        ("r.example", ["https://r.example", "http://r.example/v1/", "R.EXAMPLE", "r.example/v2/"]),
        ("docker.io", ["docker.io", "index.docker.io", "registry-1.docker.io"]),
    ],
)
def test_a_login_replaces_those_of_other_spellings(
    bench: Bench, registry: str, others: list[str]
) -> None:
    old = {"auth": base64.b64encode(b"old:old").decode()}
    kept = {"other.example": old, f"{registry}/org": old, f"{registry}:8443": old}
    bench.write({"auths": {**dict.fromkeys(others, old), **kept}})
    bench.keeper.store(registry, ADA)
    assert set(bench.document["auths"]) == {*kept, HUB if registry == "docker.io" else registry}
    assert bench.found(registry) == "canary"
    assert bench.found(registry, "org/app") == "old"


def test_erasing_takes_every_spelling_and_dockers_tokens(bench: Bench) -> None:
    mine = ["docker.io", HUB, f"{HUB}access-token", f"{HUB}refresh-token", "http://docker.io/"]
    bench.write({"auths": {key: {"auth": PAIR} for key in (*mine, "r.example", "docker.io/org")}})
    bench.keeper.erase("docker.io")
    assert list(bench.document["auths"]) == ["r.example", "docker.io/org"]
    assert bench.keeper.namespaces("docker.io") == ("docker.io/org",)
    bench.keeper.erase("docker.io", namespaces=True)
    assert list(bench.document["auths"]) == ["r.example"]


@pytest.mark.parametrize(
    "config",
    [
        {"credsStore": "box"},
        {"credHelpers": {"r.example": "box"}, "credsStore": "other"},
        {"credsStore": "box", "auths": {"r.example": {"auth": PAIR}}},
    ],
    ids=["credsStore", "credHelpers", "after-plain-text"],
)
def test_a_helper_keeps_the_login_and_the_file_no_secret(
    bench: Bench, config: dict[str, Any]
) -> None:
    bench.write(config)
    kept = bench.keeper.store("r.example", ADA)
    assert kept == Kept(file="~/.docker/config.json", helper="docker-credential-box")
    assert bench.document == {**config, "auths": {"r.example": {}}}
    assert json.loads(bench.box.kept["r.example"]) == {
        "ServerURL": "r.example",
        "Username": "ada",
        "Secret": "canary",
    }
    assert bench.found("r.example") == "canary"
    assert bench.keeper.erase("r.example") == kept
    assert bench.document["auths"] == {}
    assert bench.box.kept == {}
    assert bench.keeper.erase("r.example") is None


def test_a_helper_that_is_turned_off_keeps_nothing(bench: Bench) -> None:
    bench.write({"credHelpers": {"r.example": ""}, "credsStore": "box"})
    assert bench.keeper.store("r.example", ADA).helper == ""
    assert bench.box.asked == []
    assert bench.found("r.example") == "canary"


def test_a_helper_is_asked_for_docker_hub_by_its_names(bench: Bench) -> None:
    bench.write({"credsStore": "box"})
    bench.keeper.store("docker.io", ADA)
    assert bench.box.asked == [("store", HUB)]
    bench.keeper.erase("docker.io")
    assert bench.box.asked[1:] == [("erase", HUB), ("erase", "docker.io")]


@pytest.mark.parametrize("fails", ["status", "missing"])
@pytest.mark.parametrize("action", ["store", "erase"])
def test_A17_a_helper_that_fails_leaves_the_file_and_its_words_unsaid(
    bench: Bench, fails: str, action: str
) -> None:
    bench.write({"credsStore": "box", "auths": {"r.example": {}}})
    before = bench.file.read_bytes()
    bench.box.fails = fails
    keeper = bench.keeper
    act = (
        partial(keeper.store, "r.example", ADA)
        if action == "store"
        else partial(keeper.erase, "r.example")
    )
    with pytest.raises(InputError, match="docker-credential-box") as caught:
        act()
    assert "canary" not in str(caught.value)
    assert bench.file.read_bytes() == before


def test_A17_a_helpers_name_is_checked_before_it_gets_a_password(bench: Bench) -> None:
    bench.write({"credsStore": "../evil"})
    with pytest.raises(InputError, match="is not a helper's name"):
        bench.keeper.store("r.example", ADA)
    assert bench.box.asked == []


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"auths": 1}', '{"auths": {"r.example": 1}}', "[" * 100_000, "\0"],
    ids=["open", "list", "auths", "entry", "nested", "nul"],
)
def test_A18_a_file_that_cannot_be_read_is_not_written(bench: Bench, text: str) -> None:
    bench.write(text)
    with pytest.raises(InputError):
        bench.keeper.store("r.example", ADA)
    with pytest.raises(InputError):
        bench.keeper.erase("r.example")
    assert bench.file.read_text() == text


def test_A18_a_huge_file_is_not_read(bench: Bench) -> None:
    bench.write(" " * (4 * 1024 * 1024) + "{}")
    with pytest.raises(InputError, match="is larger than 4 MiB"):
        bench.keeper.store("r.example", ADA)


def test_A18_a_fifo_is_not_waited_for(bench: Bench) -> None:
    bench.file.parent.mkdir()
    os.mkfifo(bench.file)
    with pytest.raises(InputError, match="is not a regular file"):
        bench.keeper.store("r.example", ADA)


@pytest.mark.parametrize("there", [True, False], ids=["there", "dangling"])
def test_a_link_is_followed_and_stays(bench: Bench, tmp_path: Path, there: bool) -> None:  # noqa: FBT001
    target = tmp_path / "dotfiles/config.json"
    target.parent.mkdir()
    if there:
        target.write_text('{"x": 1}')
    bench.file.parent.mkdir()
    bench.file.symlink_to(target)
    bench.keeper.store("r.example", ADA)
    assert bench.file.is_symlink()
    assert json.loads(target.read_bytes())["auths"] == {"r.example": {"auth": PAIR}}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_full_disk_leaves_the_file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write({"auths": {}})
    before = bench.file.read_bytes()

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        bench.keeper.store("r.example", ADA)
    assert bench.file.read_bytes() == before
    assert [path.name for path in bench.file.parent.iterdir()] == ["config.json"]


def test_a_folder_that_cannot_be_made(bench: Bench) -> None:
    (bench.home / ".docker").write_text("a file")
    with pytest.raises((StoreError, InputError)):
        bench.keeper.store("r.example", ADA)


def test_a_read_only_folder(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write({})
    honest = os.open

    def read_only(path: Any, flags: int, *more: Any) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system")
        return honest(path, flags, *more)

    monkeypatch.setattr(os, "open", read_only)  # root writes to folders whatever their mode
    with pytest.raises(StoreError, match="Read-only file system"):
        bench.keeper.store("r.example", ADA)
    assert bench.document == {}


def test_REGISTRY_AUTH_FILE_is_written_where_it_is_set(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "podman/auth.json"
    bench.environ["REGISTRY_AUTH_FILE"] = str(file)
    assert bench.keeper.store("r.example", ADA).file == "~/podman/auth.json"
    assert json.loads(file.read_bytes()) == {"auths": {"r.example": {"auth": PAIR}}}
    assert not bench.file.exists()
    assert bench.found("r.example") == "canary"


def test_sixteen_logins_at_once_all_survive(bench: Bench) -> None:
    bench.write({"auths": {}})
    hosts = [f"r{number}.example" for number in range(16)]
    threads = [threading.Thread(target=bench.keeper.store, args=(host, ADA)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(bench.document["auths"]) == set(hosts)


def meddling(bench: Bench, times: int) -> Callable[..., None]:
    """`write_atomic`, before which another program without a lock writes so many times."""
    honest = fsio.write_atomic
    left = iter(range(times))

    def write(*args: Any, **settings: Any) -> None:
        if (number := next(left, None)) is not None:
            bench.write({"auths": {f"docker{number}.example": {}}})
        honest(*args, **settings)

    return write


def test_a_change_of_docker_meanwhile_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write({"auths": {}})
    monkeypatch.setattr("pinner.registry.keeping.write_atomic", meddling(bench, 2))
    bench.keeper.store("r.example", ADA)
    assert list(bench.document["auths"]) == ["docker1.example", "r.example"]


def test_a_file_that_changes_all_the_time_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write({"auths": {}})
    monkeypatch.setattr("pinner.registry.keeping.write_atomic", meddling(bench, 99))
    with pytest.raises(StoreError, match="was changed by someone else"):
        bench.keeper.store("r.example", ADA)
    assert list(bench.document["auths"]) == ["docker4.example"]


def test_the_registries_of_the_file(bench: Bench) -> None:
    bench.write({"auths": {key: {} for key in (HUB, "docker.io", "R.example/org", "r.example")}})
    assert bench.keeper.registries() == ("docker.io", "r.example")
