"""Faults T at the command line: what lies in a store, or beside it, that pinner did not put there.

What a killed process, a failing disk and a power cut leave is met below, and in the campaign.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pinner.store.partial import JOURNAL_SUFFIX
from support.oracle import assert_sound, converges, survived
from support.registry_content import digest_of
from support.registry_faults import body, instead
from support.registry_sim import RegistrySim
from support.registry_uploads import Uploads
from support.serving import pinner_serve
from support.tmpfs import tmpfs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.ground import Ground

LAYER: Final = b"layer" * 1000
STRANGER: Final = 65534
MIB: Final = 1024 * 1024


def offer(ground: Ground, *tags: str) -> None:
    """Let the registry have the index app:stable of two platforms, and under these tags another."""
    content = ground.sim.content
    for tag, layer in (("stable", LAYER), *((tag, tag.encode() * 1000) for tag in tags)):
        images = {
            f"linux/{architecture}": content.add_image(
                "app", layers=[layer, architecture.encode()], architecture=architecture
            )
            for architecture in ("amd64", "arm64")
        }
        content.add_index("app", tag, images=images)


@pytest.fixture
def locked(ground: Ground) -> Ground:
    """A locked image, whose store is empty."""
    offer(ground)
    ground.want(app="app:stable")
    assert ground.run("lock").code == 0
    return ground


@pytest.fixture
def synced(locked: Ground) -> Ground:
    """The same, with the image in the store."""
    assert locked.run("sync").code == 0
    locked.sim.requests.clear()
    return locked


def blob(ground: Ground, data: bytes = LAYER) -> Path:
    """Where the store has it."""
    return ground.store / "blobs/sha256" / digest_of(data).removeprefix("sha256:")


def manifest(ground: Ground) -> Path:
    """Where the store has the manifest of its platform."""
    (platform,) = (
        row
        for row in json.loads(ground.run("inspect", "app", "--json").out)["platforms"]
        if row["stored"]
    )
    digest: str = platform["digest"]
    return ground.store / "blobs/sha256" / digest.removeprefix("sha256:")


def spoil(path: Path) -> bytes:
    """Other bytes, as many, under the same name and in the same file; what there were."""
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data[::-1])
    path.chmod(0o444)
    return data


def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: to mount, or to be somebody else")


# What is not what it should be, found by whoever opens it


def in_place_of(name: str, make: Callable[[Path, Path], None]) -> Callable[[Ground], None]:
    """Something else where the store has this file or folder, which is kept aside."""

    def plant(ground: Ground) -> None:
        path = ground.store / name.replace("LAYER", blob(ground).name)
        aside = ground.folder / "aside"
        path.rename(aside)
        make(path, aside)

    return plant


def text(data: str) -> Callable[[Path, Path], None]:
    def write(path: Path, _aside: Path) -> None:
        path.write_text(data)

    return write


def link(path: Path, aside: Path) -> None:
    path.symlink_to(aside)


def folder(path: Path, aside: Path) -> None:
    path.mkdir()


def fifo(path: Path, aside: Path) -> None:
    os.mkfifo(path)


def writable_by_all(name: str) -> Callable[[Ground], None]:
    return lambda ground: (ground.store / name).chmod(0o777)


LAYER_FILE: Final = "blobs/sha256/LAYER"


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        pytest.param(in_place_of(LAYER_FILE, folder), "not a regular file", id="T12-folder"),
        pytest.param(in_place_of(LAYER_FILE, fifo), "not a regular file", id="T12-FIFO"),
        pytest.param(in_place_of(LAYER_FILE, link), "not a regular file", id="T30"),
        pytest.param(in_place_of("index.json", text("")), "index.json", id="T15-empty"),
        pytest.param(in_place_of("index.json", text('{"man')), "index.json", id="T15-cut"),
        pytest.param(in_place_of("index.json", text("[]")), "index.json", id="T15-invalid"),
        pytest.param(in_place_of("index.json", fifo), "index.json", id="T36-index"),
        pytest.param(in_place_of("index.json", link), "index.json", id="T30-index"),
        pytest.param(in_place_of("oci-layout", text("{")), "oci-layout", id="T16-damaged"),
        pytest.param(
            in_place_of("oci-layout", text('{"imageLayoutVersion": "9.9.9"}')),
            "9.9.9",
            id="T16-version",
        ),
        pytest.param(in_place_of("blobs", link), "blobs", id="T31-blobs"),
        pytest.param(in_place_of("blobs/sha256", link), "sha256", id="T31-sha256"),
        pytest.param(writable_by_all(""), "can be written by everybody", id="T34"),
        pytest.param(writable_by_all("blobs"), "can be written by everybody", id="T34-blobs"),
    ],
)
def test_a_store_that_is_not_what_it_should_be(
    synced: Ground, plant: Callable[[Ground], None], says: str
) -> None:
    """It is left as it is, for its user to see; nothing behind a link is touched."""
    plant(synced)
    before = shape(synced.store)
    survived(synced, "sync", code=5, says=[str(synced.store), says], sound=False)
    assert synced.sim.requests == []
    assert shape(synced.store) == before
    shutil.rmtree(synced.store)
    converges(synced)


def shape(store: Path) -> dict[str, int]:
    """The mode and kind of everything in a store, its own notes aside."""
    paths = [path for path in store.rglob("*") if ".pinner" not in path.parts]
    return {str(path.relative_to(store)): path.lstat().st_mode for path in paths}


@pytest.mark.parametrize("name", ["index.json", "oci-layout"], ids=["T15-missing", "T16-missing"])
def test_a_file_of_the_layout_that_is_missing_is_made(synced: Ground, name: str) -> None:
    (synced.store / name).unlink()
    survived(synced, "sync", code=0, sound=False)
    assert synced.sim.requests == []
    converges(synced)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(".pinner/lock", id="T33-lock"),
        pytest.param(f"ingest/{digest_of(LAYER).replace(':', '-')}", id="T32-partial"),
    ],
)
def test_a_link_where_pinner_writes_is_not_followed(locked: Ground, name: str) -> None:
    locked.sim.always(f"/blobs/{digest_of(LAYER)}", instead(404))
    survived(locked, "sync", code=3)
    locked.sim.heal()
    place = locked.store / name
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(locked.target)
    survived(locked, "sync", code=5, says=[str(place), "symbolic link"])
    assert locked.target.read_text() == "what a planted link points to\n"
    place.unlink()
    converges(locked)


def test_T38_a_name_that_leads_out_is_only_text(synced: Ground) -> None:
    index = synced.store / "index.json"
    honest = index.read_bytes()
    document = json.loads(honest)
    names = ["../../bystander/target", "/etc/passwd", "x/../../y:1", "\x1b[31m"]
    for name in names:
        annotations = {
            "org.opencontainers.image.ref.name": name,
            "io.containerd.image.name": name,
        }
        document["manifests"].append({**document["manifests"][0], "annotations": annotations})
    index.write_text(json.dumps(document))
    for command in ("images", "verify", "prune", "sync"):
        survived(synced, command, code=0)
    assert synced.run("export", "--all", "-o", "all.tar").code in {0, 2}
    survived(synced, "rm", *names, code=0)
    assert json.loads(index.read_bytes())["manifests"] == json.loads(honest)["manifests"]
    converges(synced)


# T23: renames do not leave a file system


def test_T23_a_store_on_a_file_system_of_its_own(locked: Ground) -> None:
    """Whatever was put together elsewhere could not be renamed into it."""
    as_root()
    elsewhere = locked.folder / "tmp"
    locked.process = True
    locked.environ["TMPDIR"] = str(elsewhere)
    with tmpfs(locked.store, 16 * MIB), tmpfs(elsewhere, 16 * MIB):
        for command in (("sync",), ("verify", "--repair"), ("prune",), ("sync", "--offline")):
            survived(locked, *command, code=0)
        assert locked.run("export", "-o", "app.tar").code == 0
        converges(locked)
        assert list(elsewhere.iterdir()) == []


def test_T23_every_rename_stays_where_it_is(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one folder, or within the store; by whichever call."""
    moves: list[tuple[Path, Path]] = []

    def place(name: str | Path, folder: int | None) -> Path:
        if str(name).startswith("/proc/self/fd/"):  # a file without a name, and its folder
            return Path(name).readlink().parent
        above = Path.cwd() if folder is None else Path(f"/proc/self/fd/{folder}").readlink()
        return (above / name).parent

    def watched(honest: Callable[..., None]) -> Callable[..., None]:
        def move(name: str, new: str, **folders: int) -> None:
            source, target = folders.get("src_dir_fd"), folders.get("dst_dir_fd")
            moves.append((place(name, source), place(new, target)))
            honest(name, new, **folders)

        return move

    for call in ("rename", "replace", "link"):
        monkeypatch.setattr(os, call, watched(getattr(os, call)))
    offer(ground)
    ground.want(app="app:stable")
    for command in (("lock",), ("sync",), ("export", "-o", "app.tar"), ("rewrite",)):
        assert ground.run(*command).code == 0
    spoil(blob(ground))
    assert ground.run("verify", "--repair").code == 0
    within = [
        (source, target)
        for source, target in moves
        if source == target
        or (source.is_relative_to(ground.store) and target.is_relative_to(ground.store))
    ]
    assert within == moves
    targets = {target for _, target in moves}
    assert {ground.project, ground.store, ground.store / "blobs/sha256"} <= targets


def test_T23_a_folder_of_the_store_that_is_a_mount(locked: Ground) -> None:
    """Somebody moved `ingest` to another disk: the kernel renames nothing from there."""
    as_root()
    locked.sim.always("/blobs/", instead(404))
    survived(locked, "sync", code=3)
    locked.sim.heal()
    with tmpfs(locked.store / "ingest", 16 * MIB):
        survived(locked, "sync", code=5, says=[str(locked.store), "lies on another file system"])
        assert not blob(locked).exists()
    converges(locked)


def test_T23_a_rename_that_the_kernel_refuses(
    locked: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        survived(locked, "sync", code=5, says=[str(locked.store), "lies on another file system"])
    converges(locked)


# T26: names that differ in case alone


def test_T26_no_name_of_a_file_depends_on_its_case(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every name that was ever opened, made or renamed in the store is its own folded form."""
    seen: defaultdict[str, set[str]] = defaultdict(set)

    def watched(call: str) -> Callable[..., Any]:
        honest = getattr(os, call)

        def named(*args: Any, **folders: Any) -> Any:
            for key, name in zip(("src_dir_fd", "dst_dir_fd"), args, strict=False):
                fd = folders.get(key, folders.get("dir_fd"))
                if fd is not None and isinstance(name, str):
                    seen[str(Path(f"/proc/self/fd/{fd}").readlink())].add(name)
            return honest(*args, **folders)

        return named

    for call in ("open", "rename", "mkdir", "unlink"):
        monkeypatch.setattr(os, call, watched(call))
    offer(ground, "Stable", "STABLE")
    host = ground.sim.host
    ground.want(app="app:stable", upper="app:STABLE", mixed="app:Stable")
    for command in (
        *(("lock",), ("sync",), ("verify", "--repair"), ("pull", "-a", f"{host}/app")),
        *(
            ("tag", f"{host}/app:{tag}", f"team/app:{to}")
            for tag, to in (("stable", "X"), ("Stable", "x"))
        ),
        *(("prune",), ("sync",)),
    ):
        ran = ground.run(*command)
        assert ran.code == 0, ran
    names = {name for found in seen.values() for name in found}
    assert len(names) > 20
    assert {name for name in names if name != name.casefold()} == set()
    assert {path.name for path in ground.store.rglob("*")} <= names | {"index.json", "oci-layout"}


def test_T26_tags_that_differ_in_case_alone_are_images_of_their_own(ground: Ground) -> None:
    """Each keeps its name, its blobs, and its own end, as nothing of them names a file."""
    offer(ground, "Stable", "STABLE")
    ground.want(app="app:stable", upper="app:STABLE", mixed="app:Stable")
    for command in ("lock", "sync"):
        survived(ground, command, code=0)
    rows = json.loads(ground.run("images", "--json").out)["images"]
    assert {row["tag"] for row in rows} == {"stable", "Stable", "STABLE"}
    assert len({row["digest"] for row in rows}) == 3
    survived(ground, "rm", f"{ground.sim.host}/app:Stable", code=0)
    survived(ground, "prune", code=0)
    rows = json.loads(ground.run("images", "--json").out)["images"]
    assert {row["tag"] for row in rows} == {"stable", "STABLE"}
    survived(ground, "verify", code=0)
    converges(ground)


# T27: two stores with one file


@pytest.fixture
def twin(synced: Ground) -> Path:
    """Another store, whose blobs are the same files: `cp -al`."""
    other = synced.folder / "twin"
    shutil.copytree(synced.store, other, copy_function=os.link)
    assert (other / "blobs/sha256" / blob(synced).name).samefile(blob(synced))
    return other


def test_T25_T27_damage_in_one_is_found_and_mended_in_each(synced: Ground, twin: Path) -> None:
    """The file is one, so both have the damage; what mends writes another file."""
    other = twin / "blobs/sha256" / blob(synced).name
    data = spoil(other)
    for store in ((), ("--store", str(twin))):
        ran = synced.run("verify", *store)
        assert (ran.code, digest_of(LAYER) in ran.out) == (1, True)
    bad = other.read_bytes()
    survived(synced, "verify", "--repair", code=0)
    assert (blob(synced).read_bytes(), other.read_bytes()) == (data, bad)
    assert synced.run("verify", "--store", str(twin)).code == 1
    assert synced.run("verify", "--repair", "--store", str(twin)).code == 0
    assert other.read_bytes() == data
    assert_sound(twin)
    converges(synced)


def test_T27_what_one_drops_the_other_keeps(synced: Ground, twin: Path) -> None:
    def archive(name: str) -> bytes:
        assert synced.run("export", "-o", name, "--store", str(twin)).code == 0
        return (synced.project / name).read_bytes()

    before = archive("before.tar")
    survived(synced, "rm", f"{synced.sim.host}/app:stable", code=0)
    (synced.project / "images.lock").rename(synced.project / "kept.lock")
    survived(synced, "prune", code=0)
    assert not blob(synced).exists()
    (synced.project / "kept.lock").rename(synced.project / "images.lock")
    assert synced.run("verify", "--store", str(twin)).code == 0
    assert archive("after.tar") == before
    converges(synced)


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(body(lambda data: data[::-1]), id="other bytes"),
        pytest.param(instead(200, b""), id="no bytes"),
    ],
)
def test_T27_a_partial_that_both_have_is_not_written_to(locked: Ground, lie: Any) -> None:
    """One store goes on with it, and has the blob; the other must not write into that file."""
    twin = locked.folder / "twin"
    locked.sim.script(f"/blobs/{digest_of(LAYER)}", instead(404))
    survived(locked, "sync", code=3, lasting=False)
    partial = locked.store / "ingest" / digest_of(LAYER).replace(":", "-")
    partial.parent.mkdir(exist_ok=True)
    partial.write_bytes(LAYER[:100])
    partial.with_name(partial.name + JOURNAL_SUFFIX).write_text("0 100\n")
    shutil.copytree(locked.store, twin, copy_function=os.link)
    for _ in range(2):  # where the first would be continued, the second would be whole
        assert locked.run("sync").code == 0
    assert blob(locked).read_bytes() == LAYER
    locked.sim.always(f"/blobs/{digest_of(LAYER)}", lie)
    assert locked.run("sync", "--store", str(twin)).code in {3, 4}
    assert blob(locked).read_bytes() == LAYER
    survived(locked, "verify", code=0)
    locked.sim.heal()
    assert locked.run("sync", "--store", str(twin)).code == 0
    assert_sound(twin)
    converges(locked)


# T35: right names, wrong bytes


@pytest.fixture
def planted(synced: Ground) -> Ground:
    """Another user put a layer there, of the right name and size."""
    as_root()
    path = blob(synced)
    path.unlink()
    path.write_bytes(LAYER[::-1])
    os.chown(path, STRANGER, STRANGER)
    path.chmod(0o444)
    return synced


def test_T35_a_blob_of_another_user_is_found_on_first_use(planted: Ground) -> None:
    for _ in range(2):
        ran = planted.run("sync", "--offline")
        assert (ran.code, f"the store lacks blob {digest_of(LAYER)}" in ran.err) == (1, True), ran
    ran = planted.run("verify")
    assert (ran.code, digest_of(LAYER) in ran.out) == (1, True)
    assert planted.run("export", "-o", "app.tar").code != 0
    assert not (planted.project / "app.tar").exists()
    survived(planted, "sync", code=0)
    assert planted.sim.count("GET", f"/blobs/{digest_of(LAYER)}") == 1
    assert (blob(planted).read_bytes(), blob(planted).stat().st_uid) == (LAYER, os.geteuid())
    converges(planted)


def test_T35_its_bytes_may_be_right_for_now(synced: Ground) -> None:
    """Whose file it is can change it later, and so it is replaced."""
    as_root()
    os.chown(blob(synced), STRANGER, STRANGER)
    ran = synced.run("verify")
    assert (ran.code, "belongs to another user" in ran.out) == (1, True), ran.out
    survived(synced, "verify", "--repair", code=0)
    assert blob(synced).stat().st_uid == os.geteuid()
    assert synced.sim.count("GET", "/blobs/") == 1
    converges(synced)


def test_T10_T35_a_layer_of_our_own_with_other_bytes(synced: Ground) -> None:
    """`sync` believes its size, as docs/store.md says; whoever hands it on, or hashes, finds it."""
    spoil(blob(synced))
    assert [synced.run(*command).code for command in (("sync",), ("sync", "--offline"))] == [0, 0]
    assert synced.sim.requests == []
    ran = synced.run("export", "-o", "app.tar")
    assert (ran.code, "is corrupt in the store" in ran.err) == (4, True)
    with served(synced) as ask:
        assert ask(digest_of(LAYER)) == 500
    with RegistrySim(content=(taken := Uploads())) as target:
        ran = synced.run("mirror", f"{target.host}/m", "--no-write", "--platform", "linux/amd64")
        assert (ran.code, "not those of its digest" in ran.err) == (4, True), ran.err
        assert not any(held.tags for held in taken.repositories.values())
        assert not any(digest_of(LAYER) in held.blobs for held in taken.repositories.values())
    ran = synced.run("verify")
    assert (ran.code, digest_of(LAYER) in ran.out) == (1, True)
    survived(synced, "sync", code=0)  # verify noted it, and so it is fetched
    assert blob(synced).read_bytes() == LAYER
    converges(synced)


def test_T11_T35_a_blob_of_our_own_with_another_size(synced: Ground) -> None:
    path = blob(synced)
    path.chmod(0o644)
    path.write_bytes(b"short")
    survived(synced, "sync", code=0)
    assert synced.sim.count("GET", "/blobs/") == 1
    converges(synced)


def test_T10_T35_a_manifest_with_other_bytes(synced: Ground) -> None:
    """Manifests are hashed whenever they are read."""
    path = manifest(synced)
    data = spoil(path)
    for command in ("sync", "export"):
        ran = synced.run(command)
        assert (ran.code, f"{path.name} is corrupt in the store" in ran.err) == (4, True), ran
    assert synced.run("verify").code == 1
    survived(synced, "sync", code=0)
    assert (path.read_bytes(), synced.sim.count("GET", "/manifests/")) == (data, 1)
    converges(synced)


@contextlib.contextmanager
def served(ground: Ground) -> Iterator[Callable[[str], int]]:
    """`pinner serve` of the store: the status that a blob is answered with."""
    name = f"{ground.sim.host.replace(':', '_')}/app"
    with pinner_serve(ground.folder) as server:
        yield lambda digest: server.ask(f"/v2/{name}/blobs/{digest}").status
