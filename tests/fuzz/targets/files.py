"""Our own files: images.toml, images.lock, and credential files that are edited in place."""

from __future__ import annotations

import contextlib
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.seeds import files
from fuzz.target import Target, refusing
from pinner.errors import FileProblems, InputError
from pinner.lockfile import dumps, loads
from pinner.lockfile.canonical import read_canonical
from pinner.oci.reference import Reference
from pinner.registry import authfile
from pinner.registry.authtext import with_entry, without_entries
from pinner.spec import parse_spec
from pinner.spec.edit import Addition, add_entry, remove_entry
from pinner.spec.mirrors import add_mirror
from pinner.store.extents import Extents
from pinner.update import seentext
from pinner.update.seentext import MalformedLog, NewerLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.spec import Spec

_BASE: Final = Path("/project")
_NEW: Final = Addition(name="zz-new", reference=Reference.parse("debian:12"))
_HOSTS: Final = ("docker.io", "registry.example:5000", "quay.io", "localhost")
_KEY: Final = "zz.example:5000"
_MIRROR: Final = "mirror.example/hub"
_ENTRY: Final = {"auth": "dXNlcjpwYXNzd29yZA=="}


def spec(data: bytes) -> None:
    """images.toml: read, added to, and taken from again."""
    with refusing(FileProblems):
        before = _spec(data)
        text = data.decode()
        with refusing(InputError):
            _edited(text, before)
        hosts = [config.host for config in before.registries[:2]]
        for host in ("docker.io", "zz.example:5000", *hosts):
            with refusing(InputError):
                _mirrored(text, before, host)
        for entry in before.entries[:3]:
            assert str(entry.reference).isprintable()
            with refusing(InputError):
                left = _spec(remove_entry(text, entry.name, path="images.toml").encode())
                assert _names(left) == [name for name in _names(before) if name != entry.name]


def _mirrored(text: str, before: Spec, host: str) -> None:
    """A mirror is put before a registry's others, and nothing else changes; again is nothing."""
    added = add_mirror(text, host, _MIRROR, path="images.toml")
    after = _spec(added.encode())
    assert after.entries == before.entries
    mirrors = {config.host.lower(): config.mirrors for config in before.registries}
    known = mirrors.get(host.lower(), ())
    mirrors[host.lower()] = known if _MIRROR in known else (_MIRROR, *known)
    assert {config.host.lower(): config.mirrors for config in after.registries} == mirrors
    assert add_mirror(added, host, _MIRROR, path="images.toml") == added


def _edited(text: str, before: Spec) -> None:
    added = add_entry(text, _NEW, path="images.toml")
    after = _spec(added.encode())
    assert sorted(_names(after)) == sorted([*_names(before), _NEW.name])
    assert after.registries == before.registries
    assert _spec(remove_entry(added, _NEW.name, path="images.toml").encode()) == before


def _spec(data: bytes) -> Spec:
    return parse_spec(data, path="images.toml", base=_BASE)


def _names(found: Spec) -> list[str]:
    return [entry.name for entry in found.entries]


def lock(data: bytes) -> None:
    """images.lock: what is read is written and read again the same; both readers agree."""
    with refusing(FileProblems):
        found = loads(data, path="images.lock")
        text = dumps(found)
        assert loads(text.encode(), path="images.lock") == found
        assert dumps(loads(text.encode(), path="images.lock")) == text
        assert read_canonical(text) == tomllib.loads(text)
    with contextlib.suppress(UnicodeDecodeError):
        fast = read_canonical(data.decode())
        assert fast is None or fast == tomllib.loads(data.decode())


def credentials(data: bytes) -> None:
    """docker's config.json and its like: read, and edited without touching another login."""
    for parse in (authfile.parse_config, authfile.parse_dockercfg):
        with refusing(InputError):
            _logins(parse(data, name="file"))
    with refusing(InputError):
        _logins(authfile.parse_environment(data.decode("utf-8", "replace"), name="file"))
    with refusing(InputError):
        before = authfile.parse_config(data, name="file")
        added = authfile.parse_config(with_entry(data, _KEY, _ENTRY, name="file"), name="file")
        assert dict(added.auths) == {**before.auths, _KEY: _ENTRY}
        assert (added.helpers, added.store) == (before.helpers, before.store)
        for key in (_KEY, *list(before.auths)[:2]):
            left = authfile.parse_config(without_entries(data, {key}, name="file"), name="file")
            assert dict(left.auths) == {k: v for k, v in before.auths.items() if k != key}
            assert (left.helpers, left.store) == (before.helpers, before.store)
    if _is_object(data):
        with refusing(InputError):
            again = without_entries(
                with_entry(data, _KEY, _ENTRY, name="file"), {_KEY}, name="file"
            )
            kept, made = json.loads(again), json.loads(data.removeprefix(b"\xef\xbb\xbf"))
            kept["auths"] = kept.get("auths") or {}
            made["auths"] = {k: v for k, v in (made.get("auths") or {}).items() if k != _KEY}
            assert kept == made


def state(data: bytes) -> None:
    """What pinner keeps for itself: the log of sightings, the journal of a download."""
    with refusing(MalformedLog, NewerLog):
        log = seentext.loads(data)
        text = seentext.dumps(log)
        assert seentext.dumps(seentext.loads(text)) == text
    extents = Extents.loads(data)
    assert list(Extents.loads(extents.dumps())) == list(extents)
    ends = [place for extent in extents for place in extent]
    assert ends == sorted(set(ends)), "extents overlap, touch or are empty"


def _is_object(data: bytes) -> bool:
    """Whether it is one without an entry that stands there twice, which `json` would not tell."""
    try:
        authfile.parse_config(data, name="file")
        return isinstance(json.loads(data), dict)
    except (InputError, ValueError):
        return False


def _logins(found: authfile.AuthFile) -> None:
    found.registries()
    for registry in _HOSTS:
        found.namespaces(registry)
        found.helper(registry)
        for repository in ("", "team/app"):
            with refusing(InputError):
                for _, login in found.logins(registry, repository):
                    assert login is None or "\0" not in login.user


def _spec_seeds() -> Iterator[bytes]:
    yield from files("specs/good/*.toml")
    yield from files("specs/bad/*.toml")
    yield b'[settings]\nplatforms = ["linux/arm64"]\n[images.app]\nimage = "node"\ntags = "x"\n'
    yield b'[registries."docker.io"]\nmirrors = []\n[registries."b.example"]\nmirrors = ["c.d/e"]\n'
    yield b'[registries]\ndocker.io.plain-http = false\n"B.example:5000".mirrors = [ # x\n "a.b",]'


def _lock_seeds() -> Iterator[bytes]:
    yield from files("locks/good/*.lock")
    yield from files("locks/bad/*.lock")
    (whole,) = files("locks/good/three.lock")
    yield whole.replace(b"\nrevision = 1\n", b"\nrevision = 2\n")


def _credential_seeds() -> Iterator[bytes]:
    yield b'{"auths": {"quay.io/team": {"auth": "dTpw"}, "https://index.docker.io/v1/": {}}}'
    yield b'{\n\t"auths": {\n\t\t"registry.example:5000": {\n\t\t\t"auth": "dTpw"\n\t\t}\n\t}\n}\n'
    yield b'{"credHelpers": {"gcr.io": "gcloud"}, "credsStore": "desktop", "HttpHeaders": {"a": 1}}'
    yield b'{"auths": {"a": {"username": "u", "password": "p", "identitytoken": "t"}}}'
    yield b'{"auths": {"a": {}, "b": {"auth": "dTpw"}, "c": {"auth": "dTpw"}}, "detachKeys": "x"}'
    yield b"\xef\xbb\xbf{}\r\n"


def _state_seeds() -> Iterator[bytes]:
    times = b'"first": 1790000000, "last": 1790086400, "registry": 1789990000, "pinned": true'
    seen = b'{"digest": "sha256:' + b"a" * 64 + b'", ' + times + b"}"
    yield b'{"version": 1, "tags": {"docker.io/library/debian:12": [' + seen + b"]}}"
    yield b"0 100\n200 300\n100 150\n"


_TOML: Final = (
    *(
        b"[images]\n",
        b"[images.a]\n",
        b"[settings]\n",
        b'[registries."a.example"]\n',
        b'mirrors = ["b.example"]\n',
        b"[[image]]",
    ),
    *(
        b"[image.platforms]\n",
        b'"""',
        b"'''",
        b"\\u0041",
        b"\r\n",
        b" = ",
        b"{ ",
        b" }",
        b"[",
        b"]",
    ),
    *(b'image = "debian"\n', b'version = ">=1"\n', b'tag = "12"\n', b"immutable = true\n", b"#"),
    *(b'platforms = ["linux/amd64"]\n', b'minimum-age = "3d"\n', b"1979-05-27", b"0x1F", b"1e9"),
    *(
        b"version = 1\n",
        b"revision = 1\n",
        b"sha256:" + b"a" * 64,
        b"a.b.",
        b"inf",
        b"\xef\xbb\xbf",
    ),
)

TARGETS: Final = (
    Target(
        name="spec",
        about="images.toml: read; an entry put in and taken out again leaves the same",
        run=spec,
        steady=110_000,
        seeds=_spec_seeds,
        tokens=_TOML,
    ),
    Target(
        name="lock",
        about="images.lock: read, written, read the same; the fast reader beside tomllib",
        run=lock,
        steady=130_000,
        seeds=_lock_seeds,
        tokens=_TOML,
    ),
    Target(
        name="credentials",
        about="config.json, auth.json: read; a login put in and taken out leaves the others",
        run=credentials,
        seeds=_credential_seeds,
        tokens=(
            *(b'"auths": {', b'"auth": "dTpw"', b'"credHelpers": {', b'"credsStore": "x"', b"null"),
            *(b'"https://index.docker.io/v1/": {}', b'"a/b/c": {', b"{}", b"[]", b",", b"\\u0000"),
            *(b'"identitytoken": "', b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n\t", b"1e999", b"NaN"),
            *(b"\\ud800", b'"zz.example:5000": {}', b"-", b"/v2/"),
        ),
    ),
    Target(
        name="state",
        about="the log of sightings, the journal of a download: read, written, read the same",
        run=state,
        seeds=_state_seeds,
        tokens=(
            *(b'"version": 1', b'"tags": {', b'"docker.io/a/b:1": [', b"null", b"-1", b"9" * 19),
            *(b'"digest": "sha256:' + b"b" * 64 + b'"', b'"first": 1', b'"last": 2', b"[]", b"{}"),
            *(b'"registry": 3', b'"pinned": false', b"0 5\n", b"5 9\n", b"\n", b" ", b","),
        ),
    ),
)
