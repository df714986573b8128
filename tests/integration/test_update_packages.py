"""`pinner update` says what changed inside, for each kind of package, whatever images hold."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
import zstandard

from support import debian, rpms, tars
from support.gitrepos import Ground
from support.layouts import LayoutWriter, layer
from support.programs import require
from support.pushing import push_layout
from support.summaries import Changes, Fixes, told_by_json, told_by_summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

PLATFORMS: Final = ("linux/amd64", "linux/arm64")
GIB: Final = 1024**3
_NAME: Final = re.compile(r"\W+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Two images, and what an update from one to the other has to tell."""

    old: bytes
    new: bytes
    packages: Changes
    fixes: Fixes


def of_debian(folder: Path) -> Story:
    """A package that dpkg-deb made and dpkg installed."""
    require("dpkg", "dpkg-deb", "dpkg-query")
    layers = []
    found = []
    for version, log in (("1.0-1+deb12u1", debian.OLDER_LOG), ("1.0-1+deb12u2", debian.NEWER_LOG)):
        root = folder / f"root-{version}"
        debian.install(root, debian.build(folder, version, log))
        layers.append(debian.pack(root))
        found.append(debian.installed(root))
    return Story(
        old=layers[0],
        new=layers[1],
        packages=debian.changed_versions(*found),
        fixes={"pinner-tests": {debian.NEWER_CVE}},
    )


def apk_database(**versions: str) -> bytes:
    """`installed` as apk 2 writes it, with the lines about files."""
    paragraphs = [
        f"C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=\nP:{name}\nV:{version}\nA:x86_64\nS:1024\nI:4096\n"
        f"T:Of the tests\nU:https://{name}.example/\nL:MIT\no:{name}\nm:Ada <ada@x.example>\n"
        "t:1713000000\nc:6f3bd0b8b2c7\nD:so:libc.musl-x86_64.so.1\np:cmd:it=1\n"
        f"F:bin\nR:{name}\na:0:0:755\nZ:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=\n\n"
        for name, version in versions.items()
    ]
    return layer({"lib/apk/db/installed": "".join(paragraphs).encode()})


def of_alpine(_folder: Path) -> Story:
    return Story(
        old=apk_database(
            musl="1.2.5-r0", busybox="1.36.1-r28", zlib="1.3.1-r1", scanelf="1.3.7-r2"
        ),
        new=apk_database(
            musl="1.2.5-r0", busybox="1.36.1-r29", zlib="1.3.1-r0", apk_tools="2.14-r5"
        ),
        packages={
            "busybox": ("1.36.1-r28", "1.36.1-r29"),
            "zlib": ("1.3.1-r1", "1.3.1-r0"),
            "scanelf": ("1.3.7-r2", None),
            "apk_tools": (None, "2.14-r5"),
        },
        fixes={},
    )


def of_rpm(folder: Path) -> Story:
    """Packages that rpmbuild made and rpm installed."""
    require("rpm", "rpmbuild")
    databases, installed = [], []
    for name, specs in (("older", rpms.OLDER), ("newer", rpms.NEWER)):
        databases.append(layer({"var/lib/rpm/rpmdb.sqlite": rpms.database(folder / name, specs)}))
        said = [line.split(" ") for line in rpms.query(folder / name)]
        installed.append({(package, version) for package, version, *_ in said})
    older, newer = installed
    gone, come = dict(older - newer), dict(newer - older)
    return Story(
        old=databases[0],
        new=databases[1],
        packages={name: (gone.get(name), come.get(name)) for name in {*gone, *come}},
        fixes={"openssl-libs": {"CVE-2023-3446", "CVE-2023-3817"}},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """An entry `app` of a project in a git repository, locked before its tag moved."""

    registry: Registry
    workspace: Workspace
    repository: str
    layout: Path

    def publish(self, name: str, *layers: bytes, created: str, unpacks: bool = True) -> None:
        """Let the tag name an image of these layers for both platforms."""
        writer = LayoutWriter(self.layout / name)
        images = [
            writer.image(platform, layers, created=created, unpacks=unpacks)
            for platform in PLATFORMS
        ]
        writer.name("it", writer.index(images))
        push_layout(self.registry, writer.folder, "it", f"{self.repository}:1")

    def lock(self, old: bytes) -> None:
        """Pin the image of this layer, and commit that."""
        self.publish("old", old, created="2026-05-05T00:00:00Z")
        self.workspace.want(app=f"{self.registry.address}/{self.repository}:1")
        self.workspace.pinner("lock")
        git = Ground.make(self.workspace.folder)
        git.git("add", "images.toml", "images.lock")
        git.git("commit", "--quiet", "--message", "Pin")

    def update(self, new: bytes, *options: str, unpacks: bool = True) -> tuple[Any, str]:
        """Let the tag move to an image of this layer, and update: what JSON and summary tell."""
        self.publish("new", new, created="2026-05-26T00:00:00Z", unpacks=unpacks)
        document = self.workspace.document("update", "--summary", "body.md", *options)
        assert document["wrote"] == ["images.lock"]
        (change,) = document["changes"]
        return change, (self.workspace.folder / "body.md").read_text()


@pytest.fixture
def play(
    plain_registry: Registry,
    workspace: Workspace,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Play:
    return Play(
        registry=plain_registry,
        workspace=workspace,
        repository=f"inside/{_NAME.sub('-', request.node.name).strip('-').lower()}",
        layout=tmp_path / "layout",
    )


@pytest.mark.parametrize("of", [of_debian, of_alpine, of_rpm])
def test_an_update_names_what_the_package_manager_says(
    play: Play, tmp_path: Path, of: Callable[[Path], Story]
) -> None:
    if of is of_debian and os.geteuid() != 0:
        pytest.skip("dpkg installs as root alone")
    story = of(tmp_path)
    play.lock(story.old)
    play.workspace.pinner("sync")
    change, body = play.update(story.new, "--fetch")
    assert told_by_json(change) == (story.packages, story.fixes)
    assert told_by_summary(body) == (story.packages, story.fixes)
    assert (change["notes"], change["packages"]["notes"]) == ([], [])

    Ground(play.workspace.folder).git("commit", "--quiet", "--all", "--message", "Update")
    assert play.workspace.document("diff", "HEAD~1")["images"] == [change]


@pytest.mark.parametrize("before", ["lock", "sync"])
def test_without_fetch_the_summary_says_that_packages_are_unknown(play: Play, before: str) -> None:
    story = of_alpine(play.layout)
    play.lock(story.old)
    play.workspace.pinner(before)
    change, body = play.update(story.new)
    assert change["packages"] is None
    (note,) = change["notes"]
    assert note.startswith("packages not compared: layers are not in the store (--fetch downloads")
    assert "<b>app</b> 1: packages not compared" in body
    assert "busybox" not in body
    assert change["old"]["created"] == "2026-05-05T00:00:00Z"


def test_once_both_are_synced_nothing_is_fetched(play: Play) -> None:
    story = of_alpine(play.layout)
    play.lock(story.old)
    play.workspace.pinner("sync")
    locked = play.workspace.locked()
    play.update(story.new)
    play.workspace.pinner("sync")
    (play.workspace.folder / "images.lock").write_bytes(locked)
    with play.registry.recording() as seen:
        (change,) = play.workspace.document("update")["changes"]
    assert told_by_json(change)[0] == story.packages
    assert seen.counts() == {"HEAD manifests": 1, "GET manifests": 1}


def test_packages_that_are_not_wanted_are_not_fetched(play: Play) -> None:
    story = of_alpine(play.layout)
    play.lock(story.old)
    with play.registry.recording() as seen:
        change, body = play.update(story.new, "--no-packages", "--fetch")
    layers = {one["digest"] for side in ("old", "new") for one in change[side]["layers"]}
    asked = [request.wanted for request in seen.requests if request.kind == "GET blobs"]
    assert not layers & {digest for digest in layers for wanted in asked if digest in wanted}
    assert (change["packages"], change["notes"]) == (None, [])
    assert "packages not compared" not in body


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def bomb(_data: bytes) -> bytes:
    """256 MiB in 25 kB; test_hostile_layers has the one that meets the cap, which takes longer."""
    zeros = zstandard.ZstdCompressor().compress(bytes(256 * 1024**2))
    return zstandard.compress(tars.header(b"x", size=10 * GIB)) + zeros


@pytest.mark.parametrize(
    ("damage", "what"),
    [(cut, "its gzip data ends early"), (bomb, "it expands more than 1200 times")],
)
def test_a_hostile_layer_leaves_the_update_done_with_a_note(
    play: Play, damage: Callable[[bytes], bytes], what: str
) -> None:
    story = of_alpine(play.layout)
    play.lock(story.old)
    change, body = play.update(damage(story.new), "--fetch", unpacks=False)
    (note,) = change["packages"]["notes"]
    assert note.startswith("packages not read: ")
    assert what in note
    assert "<b>app</b> 1: no package known to differ" in body
    assert change["after"]["digest"].encode() in play.workspace.locked()
