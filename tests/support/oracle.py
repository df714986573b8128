"""The oracle of the fault catalogue (docs/faults.md): what holds however a command ended.

    survived(ground, "sync", code=4, says=["sha256:", ground.sim.host])
    converges(ground)                          # once the fault is gone: as if it had never been

`survived` runs the command and asserts, of every ending alike:

1. it ends soon, with a documented exit code, the expected one, and without a traceback;
2. stderr says what failed and where, and `--json` says so in one document;
3. images.toml and images.lock are byte for byte what they were, unless it succeeded;
4. every file in blobs/ hashes to its name, and index.json names complete images only;
5. no planted secret is in the output, in a file, or in a request to a host that it is not for;
6. nothing outside of project and store was touched;
7. memory stays below 256 MiB (of processes);
8. no control character is in the output.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from support.ground import PAIR, Ground, Ran

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.net import Request

DOCUMENTED: Final = frozenset({0, 1, 2, 3, 4, 5, 130, 141, 143})
_SECRETS: Final = ("canary", PAIR.rstrip("="), "Bearer token-")
_SOON: Final = 60.0  # half of what runs in this process wait for a silent server
_MEMORY: Final = 256 * 1024 * 1024
_CONTROL: Final = re.compile(
    r"[^\n -~\u00a0-\ud7ff\ue000-\uffff]|[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
_STORE_ENTRIES: Final = frozenset({"oci-layout", "index.json", "blobs", "ingest", ".pinner"})
_MANIFEST_KINDS: Final = ("manifest.v1+json", "manifest.v2+json")
_OWN: Final = frozenset({"images.toml", "images.lock"})
_NAMING: Final = ("images.lock", "index.json")
"""The files that name the registry."""

_Outcome = dict[str, bytes]
_FAULTLESS: Final[dict[tuple[bytes, str], _Outcome]] = {}
_INDEX_KINDS: Final = ("image.index.v1+json", "manifest.list.v2+json")


def survived(
    ground: Ground,
    *argv: str,
    code: int,
    says: Sequence[str] = (),
    lasting: bool = True,
    writes: Sequence[str] = (),
    sound: bool = True,
) -> Ran:
    """Run a command, assert all of the above, and return how it ended.

    Args:
        ground: where.
        argv: the command.
        code: the expected exit code.
        says: what stderr (for 1, stdout too) has to say, by word: what failed, and where.
        lasting: the fault meets every run alike, so that a second one with `--json` tells the
            same.
        writes: files of the project, by name, that it is to write besides images.toml and
            images.lock, if it succeeds.
        sound: nothing was planted in the store that has to stay there for the user to see.
    """
    ran = _judged(ground, argv, code, writes, sound=sound)
    said = ran.err + (ran.out if code == 1 else "")  # a no is an answer, not a failure
    for words in says:
        assert words in said, f"{words!r} is not in:\n{ran.out}{ran.err}"
    if code:
        assert said.strip(), "a failure without a word"
    if code and lasting:
        again = _judged(ground, (*argv, "--json"), code, writes, sound=sound)
        _assert_document_of_failure(json.loads(again.out))
    return ran


def converges(ground: Ground) -> None:
    """Assert that lock and sync, run again without the fault, give what a faultless run gives."""
    ground.sim.heal()
    _lock_and_sync(ground)
    assert _outcome(ground) == _faultless(ground)


def _faultless(ground: Ground) -> _Outcome:
    """What lock and sync come to on this ground if nothing ever went wrong; found out once."""
    key = (_anonymous(ground, ground.spec.read_bytes()), ground.sim.content.fingerprint())
    if key not in _FAULTLESS:
        honest = Ground(ground.folder / "honest", ground.home, ground.sim, environ=ground.environ)
        shutil.copy(ground.spec, honest.spec)
        _lock_and_sync(honest)
        _FAULTLESS[key] = _outcome(honest)
    return _FAULTLESS[key]


def _lock_and_sync(ground: Ground) -> None:
    for command in ("lock", "sync"):
        ran = ground.run(command)
        assert ran.code == 0, ran.err


def _outcome(ground: Ground) -> _Outcome:
    files = {"images.lock": ground.lockfile.read_bytes(), **tree(ground.store)}
    return {
        name: _anonymous(ground, data) if name in _NAMING else data for name, data in files.items()
    }


def _anonymous(ground: Ground, data: bytes) -> bytes:
    """The registry's port is another one in each test."""
    return data.replace(ground.sim.host.encode(), b"REGISTRY")


def tree(store: Path) -> dict[str, bytes]:
    """All that a store holds, but for its own notes; the order of names does not count."""
    files = {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and ".pinner" not in path.parts
    }
    files["index.json"] = "\n".join(sorted(map(json.dumps, _index(store)))).encode()
    return files


def assert_sound(store: Path) -> None:
    """Assert that nothing in a store is visible that is not what its name promises."""
    if not store.exists():
        return
    assert {path.name for path in store.iterdir()} <= _STORE_ENTRIES
    for path in store.glob("blobs/*/*"):
        assert stat.S_ISREG(path.lstat().st_mode), path
        data = path.read_bytes()
        assert hashlib.new(path.parent.name, data).hexdigest() == path.name, path
    for entry in _index(store):
        _assert_complete(store, entry)


def _judged(
    ground: Ground, argv: Sequence[str], code: int, writes: Sequence[str], *, sound: bool
) -> Ran:
    before = _snapshot(ground)
    ran = ground.run(*argv)
    shown = f"pinner {' '.join(argv)}: {ran.code}\n{ran.out}{ran.err}"
    assert ran.code in DOCUMENTED, shown
    assert ran.code == code, shown
    assert ran.seconds < _SOON, shown
    assert ran.memory < _MEMORY, shown
    assert "Traceback" not in ran.err, shown
    assert not _CONTROL.search(ran.out + ran.err), ascii(shown)
    for secret in _SECRETS:
        assert secret not in ran.out + ran.err, shown
    after = _snapshot(ground)
    own = {f"project/{name}" for name in _OWN | {*writes}} if ran.code == 0 else set()
    changed = {path for path in before | after if before.get(path) != after.get(path)} - own
    assert not changed, shown
    _assert_secrets_are_kept(ground)
    if sound:
        assert_sound(ground.store)
    return ran


def _snapshot(ground: Ground) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file on the ground, the store's aside, and at home."""
    found = {}
    aside = {str(ground.store), str(ground.folder / "honest")}
    for root, above in ((ground.folder, ground.folder), (ground.home, ground.home.parent)):
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if f"{folder}/{name}" not in aside]
            for name in (*folders, *files):
                if (place := f"{folder}/{name}") not in aside:
                    found[place.removeprefix(f"{above}/")] = _state(Path(place))
    return found


def _state(path: Path) -> tuple[int, bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return mode, str(path.readlink()).encode()
    return mode, path.read_bytes() if stat.S_ISREG(mode) else b""


def _assert_secrets_are_kept(ground: Ground) -> None:
    for folder in (ground.project, ground.store):
        for path in folder.rglob("*"):
            # What the user has written into images.toml is there.
            if path.is_file() and not path.is_symlink() and path != ground.spec:
                assert not _tells(path.read_bytes().decode("latin-1")), path
    for server in ground.strangers:
        for request in server.requests:
            assert not _tells(_written(request)), request
            assert "authorization" not in request.headers, request
    if not ground.knows_login:
        for request in ground.sim.requests:
            assert PAIR not in _written(request), request


def _tells(text: str) -> bool:
    return any(secret in text for secret in _SECRETS)


def _written(request: Request) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    return f"{request.target}\n{headers}\n{request.body.decode('latin-1')}"


def _assert_document_of_failure(document: dict[str, Any]) -> None:
    errors = [document["error"]] if "error" in document else []
    asked = document.get("remote", ())
    if document.get("fresh") is False or any(image["moved"] for image in asked):
        return  # an answer, not a failure
    errors += [image["error"] for image in asked if image["error"]]
    errors += [image["error"] for image in document.get("images", ()) if "error" in image]
    assert errors, document
    for error in errors:
        assert error["code"], error
        assert error["what"], error
        assert {"where", "mend"} <= error.keys(), error


def _index(store: Path) -> list[dict[str, Any]]:
    path = store / "index.json"
    entries: list[dict[str, Any]] = (
        json.loads(path.read_bytes())["manifests"] if path.exists() else []
    )
    return entries


def _assert_complete(store: Path, descriptor: dict[str, Any]) -> None:
    """Assert that a descriptor's blob is there, with all that it needs; an index may be sparse."""
    data = _blob(store, descriptor).read_bytes()
    assert len(data) == descriptor["size"], descriptor
    if descriptor["mediaType"].endswith(_INDEX_KINDS):
        here = [m for m in json.loads(data)["manifests"] if _blob(store, m).exists()]
        assert here, descriptor
        for member in here:
            _assert_complete(store, member)
    elif descriptor["mediaType"].endswith(_MANIFEST_KINDS):
        document = json.loads(data)
        for blob in (document["config"], *document["layers"]):
            assert _blob(store, blob).stat().st_size == blob["size"], blob


def _blob(store: Path, descriptor: dict[str, Any]) -> Path:
    digest: str = descriptor["digest"]
    algorithm, _, encoded = digest.partition(":")
    return store / "blobs" / algorithm / encoded
