"""The user's settings and credential helpers; the files of a store; what the worker answers."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from fuzz.target import Target, printable, refusing, spliced
from pinner import settings
from pinner.errors import FileProblems, InputError, StoreError
from pinner.inventory import exchange
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.registryconfig import RegistryConfig
from pinner.oci.strictjson import MalformedJson
from pinner.registry.helpers import Finished, ask_helper, erase_from_helper, store_in_helper
from pinner.store import durability, leases, names, opening
from pinner.store.names import NamedDescriptor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.registry.authfile import Credential
    from pinner.settings import Settings
    from pinner.store.fs import Folder

_HOME: Final = Path("/home/ada")
_DIGEST: Final = Digest("sha256", "a" * 64)
_NEW: Final = NamedDescriptor(
    name="docker.io/library/debian:12",
    descriptor=Descriptor(
        media_type="application/vnd.oci.image.index.v1+json", digest=_DIGEST, size=5
    ),
)


def config(data: bytes) -> None:
    """config.toml: read; a project's file never widens trust, and never beats the user's."""
    with refusing(FileProblems):
        found = settings._parse(
            data, path=_HOME / "config.toml", home=str(_HOME), default_store=_HOME / "store"
        )
        assert found.store.is_absolute()
        assert 1 <= found.jobs <= settings.MOST_JOBS
        assert all(own.user_wide for own in found.registries)
        hosts = [own.host.lower() for own in found.registries]
        assert len(set(hosts)) == len(hosts)
        assert found.with_project(()) == found.registries
        _merged(found)


def _merged(found: Settings) -> None:
    theirs = [
        RegistryConfig(host=host, plain_http=True, mirrors=("evil.example",))
        for host in ("other.example", *(own.host.upper() for own in found.registries[:3]))
    ]
    merged = {one.host.lower(): one for one in found.with_project(theirs)}
    assert not merged["other.example"].user_wide
    for own in found.registries:
        stated = {name for host, name in found.stated if host == own.host.lower()}
        one = merged[own.host.lower()]
        assert one.plain_http == own.plain_http or "plain_http" not in stated
        assert one.mirrors == own.mirrors or "mirrors" not in stated
        assert not (one.plain_http and one.user_wide) or "plain_http" in stated


def helpers(data: bytes) -> None:
    """What a credential helper prints: a login or none, and in no message anything of it."""
    status, output = spliced(data, 3)
    run = _Helper(Finished(status=status, output=output))
    with refusing(InputError):
        found = ask_helper("x", "registry.example", source="config.json", run=run)
        if found is not None:
            assert found.password or found.identity_token
            _stored(found)
    with refusing(InputError):
        assert erase_from_helper("x", "registry.example", source="config.json", run=run) in {
            True,
            False,
        }
    _says_nothing_of(run)
    with refusing(InputError):
        suffix = output.decode("utf-8", "replace")
        ask_helper(suffix, "registry.example", source="config.json", run=run)
        assert "/" not in suffix
        assert run.name == f"docker-credential-{suffix}"


def _stored(found: Credential) -> None:
    """A login that a helper was given is the one that it gives back."""
    if not found.user:
        return
    keeper = _Helper(Finished(status=0, output=b""))
    store_in_helper("x", "registry.example", found, source="config.json", run=keeper)
    back = _Helper(Finished(status=0, output=keeper.stdin))
    assert ask_helper("x", "registry.example", source="config.json", run=back) == found


def _says_nothing_of(run: _Helper) -> None:
    """The message is the same as for another output of the same kind."""
    other = _Helper(Finished(status=run.finished.status, output=b"\0"))
    told = []
    for one in (run, other):
        try:
            ask_helper("x", "registry.example", source="config.json", run=one)
        except InputError as error:
            told.append(str(error))
    known = {
        "config.json: docker-credential-x did not answer with Username and Secret",
        *told[-1:],
    }
    assert set(told) <= known, told


class _Helper:
    def __init__(self, finished: Finished) -> None:
        self.finished = finished
        self.name = ""
        self.stdin = b""

    def __call__(self, name: str, argument: str, stdin: bytes) -> Finished:
        assert argument in {"get", "store", "erase"}
        self.name, self.stdin = name, stdin
        return self.finished


class _Folder:
    """A folder with one file, whatever it is called."""

    path = Path("/store")

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, name: str, limit: int) -> bytes:
        if len(self._data) > limit:
            raise StoreError(f"is larger than {limit} bytes", where=name)
        return self._data


def layout(data: bytes) -> None:
    """index.json: names are put in and taken out, and nothing of other tools is lost."""
    with refusing(StoreError):
        assert opening._has_layout(cast("Folder", _Folder(data)))
        assert json.loads(data)["imageLayoutVersion"] == "1.0.0"
    with refusing(MalformedJson):
        document = names.loads(data)
        printable(*names.malformed(document))
        assert names.loads(names.dumps(document)) == document
        _named(document)


def _named(document: dict[str, object]) -> None:
    before = names.named(document)
    entries = cast("list[object]", document["manifests"] or [])
    assert len(names.roots(document)) + len(names.malformed(document)) == len(entries)
    after = names.merged(document, [_NEW])
    assert names.merged(after, [_NEW]) == after
    named = {one.name: one.descriptor.digest for one in names.named(after)}
    assert named[_NEW.name] == _DIGEST
    assert [one.name for one in names.named(after)].count(_NEW.name) == 1
    others = [one for one in before if one.name != _NEW.name]
    assert [one for one in names.named(after) if one.name != _NEW.name] == others
    assert {key: value for key, value in after.items() if key != "manifests"} == {
        key: value for key, value in document.items() if key != "manifests"
    }
    left = names.without(after, {_NEW.name})
    assert left == names.without(document, {_NEW.name})
    assert names.loads(names.dumps(left)) == left
    # Another name of the same image is put in by hand as well.
    for one in before[:3]:
        assert names.named(names.merged(left, [one]))


def notes(data: bytes) -> None:
    """Leases and notes of blobs: lines of digests. A file that was cut never names another blob."""
    folder = cast("Folder", _Folder(data))
    held, noted = leases._read(folder, "x"), durability._read(folder, "x")
    assert held == noted
    lines = data.split(b"\n")
    for digest in held:
        assert str(digest).encode() in lines
    again = durability._lines(sorted(held))
    assert durability._read(cast("Folder", _Folder(again)), "x") == held
    for cut in {len(data) // 2, max(0, len(data) - 1), len(data) - len(lines[-1])}:
        assert leases._read(cast("Folder", _Folder(data[:cut])), "x") <= held | _torn(data, cut)


def _torn(data: bytes, cut: int) -> set[Digest]:
    """A whole digest that something foreign stands right behind, where it was cut off."""
    with contextlib.suppress(InvalidDigest, UnicodeDecodeError):
        return {Digest.parse(data[:cut].rpartition(b"\n")[2].decode("ascii"))}
    return set()


def worker(data: bytes) -> None:
    """What passes between pinner and the process that reads layers: read, written, the same."""
    with refusing(MalformedJson):
        answer = exchange.load_answer(data)
        printable(*answer.notes)
        again = exchange.load_answer(exchange.dump_answer(answer))
        # Notes are cut and made printable as they are read: what was long is cut once more.
        assert replace(again, notes=answer.notes) == answer
    with refusing(MalformedJson):
        request = exchange.load_request(data)
        assert exchange.load_request(exchange.dump_request(request)) == request


def _config_seeds() -> Iterator[bytes]:
    yield b'store = "/srv/images"\njobs = 16\n[registries."a.example:5000"]\nplain-http = true\n'
    yield b'store = "~/x"\n[registries."docker.io"]\nmirrors = ["mirror.example/hub"]\n'
    yield b'jobs = 0\nstore = "x"\nother = 1\n[registries."a b"]\nca-file = "ca.pem"\n'
    yield b'[registries]\n"A.example".plain-http = false\n"a.example".ca-file = "/x"\n'


def _helper_seeds() -> Iterator[bytes]:
    yield b'\0{"ServerURL": "x", "Username": "ada", "Secret": "top-secret"}'
    yield b'\0{"Username": "<token>", "Secret": "refresh"}\n'
    yield b'\0{"Username": 1, "Secret": null}'
    yield b"\1credentials not found in native keychain\n"
    yield b"\2panic: \x1b[2J"
    yield b"\0ecr-login"


def _layout_seeds() -> Iterator[bytes]:
    yield names.EMPTY_INDEX
    yield b'{"imageLayoutVersion": "1.0.0"}'
    yield b'{"imageLayoutVersion": "2.0.0\\u001b"}'
    theirs = {"schemaVersion": 2, "x": [1], "manifests": None}
    mine = names.merged(theirs, [_NEW])
    yield names.dumps(theirs)
    yield names.dumps(mine)
    marked = names.member(_NEW.descriptor, Digest("sha256", "b" * 64))
    member = NamedDescriptor(name=f"docker.io/library/debian@{_DIGEST}", descriptor=marked)
    yield names.dumps(names.merged(mine, [member]))
    entry = cast("list[object]", mine["manifests"])[0]
    yield names.dumps({**mine, "manifests": [entry, {}, entry]})
    broken = {"digest": "sha256:1", "annotations": {names.REF_NAME: _NEW.name}}
    yield names.dumps({"schemaVersion": 2, "manifests": [broken, {}, {"annotations": None}]})


def _note_seeds() -> Iterator[bytes]:
    one, two = (str(Digest("sha256", letter * 64)).encode() for letter in "ab")
    yield b"\n" + one + b"\n" + two + b"\n"
    yield one + b"\n" + two[:30] + b"\n\n" + one.upper() + b"\r\n" + b"sha512:" + b"c" * 128
    yield two + b"0\n" + two + b" \n"


def _worker_seeds() -> Iterator[bytes]:
    yield b'{"changes": [], "notes": ["a layer is missing"]}'
    yield (
        b'{"changes": [{"ecosystem": "deb", "name": "libc6", "architecture": "amd64", "before": "1"'
        b', "after": "2", "direction": "upgraded", "changelog": "read", "fixes": [{"cve": '
        b'"CVE-2025-1234", "urgency": "high"}]}], "notes": []}'
    )
    layer = b'{"digest": "sha256:' + b"a" * 64 + b'", "mediaType": "x", "size": 1, "path": "/b"}'
    yield b'{"cpu": 10, "before": [' + layer + b'], "after": []}'


_JSON: Final = (
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b": ",
    b"null",
    b'"',
    b"\\u001b",
    b"-1",
    b"1e9",
    b"{}",
)

TARGETS: Final = (
    Target(
        name="settings",
        about="config.toml: read; a project's file widens no trust and beats nothing that is said",
        run=config,
        seeds=_config_seeds,
        tokens=(
            *(b'store = "', b"jobs = 8\n", b'[registries."a.example"]\n', b"plain-http = true\n"),
            *(b'mirrors = ["b.example/x"]\n', b'ca-file = "x.pem"\n', b"[registries]\n", b"\n"),
            *(b"~/", b'"""', b"\\u0000", b"[[", b"]]", b".", b"= ", b"{", b"}", b"#", b"docker.io"),
        ),
    ),
    Target(
        name="helpers",
        about="credential helpers: what they print is a login or none, and is in no message",
        run=helpers,
        seeds=_helper_seeds,
        tokens=(*_JSON, b'"Username": "', b'"Secret": "', b"<token>", b"credentials not found"),
    ),
    Target(
        name="layout",
        about="index.json, oci-layout: names put in and taken out, nothing of others is lost",
        run=layout,
        seeds=_layout_seeds,
        tokens=(
            *_JSON,
            *(b'"schemaVersion": 2', b'"manifests": [', b'"annotations": {', b'"size": 1'),
            *(f'"{names.REF_NAME}": "'.encode(), f'"{names.CONTAINERD_NAME}": "'.encode()),
            *(b'"pinner.member-of": "', b'"digest": "sha256:' + b"a" * 64 + b'"'),
            *(b'"imageLayoutVersion": "1.0.0"', _NEW.name.encode(), b'"mediaType": "x"'),
        ),
    ),
    Target(
        name="notes",
        about="leases, notes of unsynced blobs: lines of digests; a cut file names no other blob",
        run=notes,
        seeds=_note_seeds,
        tokens=(b"sha256:", b"sha512:", b"\n", b"\r", b"a" * 64, b"\x0b", b"\xe2\x80\xa8", b" "),
    ),
    Target(
        name="worker",
        about="between pinner and its process for layers: read, written, read the same",
        run=worker,
        seeds=_worker_seeds,
        tokens=(
            *_JSON,
            *(b'"changes": [', b'"notes": [', b'"fixes": [', b'"ecosystem": "rpm"', b'"cpu": 1'),
            *(b'"before": [', b'"direction": "added"', b'"cve": "CVE-2025-1234"', b'"path": "'),
        ),
    ),
)
