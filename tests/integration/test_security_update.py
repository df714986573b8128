"""A real security update: Debian as released, and with what its security archive has today."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from support import debian
from support.layouts import LayoutWriter
from support.programs import run
from support.pushing import push_layout
from support.summaries import Changes, Fixes, told_by_json, told_by_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.registries import Registry
    from support.workspace import Workspace

pytestmark = pytest.mark.servers

PLATFORMS: Final = ("linux/amd64", "linux/arm64")
OLD, NEW = "2026-05-05T00:00:00Z", "2026-05-26T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Images to push, and what Debian's own programs say of them.

    Attributes:
        layout: has the image `old`, and twice its newer files: `rebuilt` as one new layer,
            `patched` as another layer on the old one.
        packages: all that differ.
        fixes: what the changelogs name.
    """

    layout: Path
    packages: Changes
    fixes: Fixes


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with debian.scratch(tmp_path_factory.mktemp("roots")) as folder:
        yield folder


@pytest.fixture(scope="session")
def images(scratch: Path) -> Images:
    """Made anew from the archive; a package of our own differs on days when nothing else does."""
    archive = debian.find_archive(scratch)
    root, layout, bundle = scratch / "root", scratch / "layout", scratch / "bundle"
    debian.bootstrap(root, archive)
    debian.install(root, debian.build(scratch, "1.0-1+deb12u1", debian.OLDER_LOG))
    before = debian.installed(root)
    base = debian.pack(root)
    shutil.rmtree(root)

    writer = LayoutWriter(layout)
    writer.name("base", writer.image(PLATFORMS[0], [base]))
    run("umoci", "unpack", "--image", f"{layout}:base", str(bundle), home=scratch)
    root = bundle / "rootfs"
    debian.upgrade(root, archive)
    debian.install(root, debian.build(scratch, "1.0-1+deb12u2", debian.NEWER_LOG))
    after = debian.installed(root)
    run("umoci", "repack", "--image", f"{layout}:above", str(bundle), home=scratch)
    above = top_layer(layout, "above")

    add(writer, "old", [base], OLD)
    add(writer, "patched", [base, above], NEW)
    add(writer, "rebuilt", [debian.pack(root)], NEW)
    told = Images(
        layout=layout,
        packages=debian.changed_versions(before, after),
        fixes=debian.named_fixes(root, before, after),
    )
    shutil.rmtree(bundle)
    return told


def top_layer(layout: Path, name: str) -> bytes:
    """The last layer of an image that umoci put into a layout."""

    def blob(digest: str) -> bytes:
        return (layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()

    entries = json.loads((layout / "index.json").read_bytes())["manifests"]
    (named,) = [entry for entry in entries if name in entry.get("annotations", {}).values()]
    return blob(json.loads(blob(named["digest"]))["layers"][-1]["digest"])


def add(writer: LayoutWriter, name: str, layers: Sequence[bytes], created: str) -> None:
    """An image of these layers, for both platforms."""
    of_platforms = [writer.image(platform, layers, created=created) for platform in PLATFORMS]
    writer.name(name, writer.index(of_platforms))


@pytest.mark.parametrize(("kind", "kept"), [("rebuilt", 0), ("patched", 1)])
def test_the_update_names_what_dpkg_says_and_no_more(
    images: Images, plain_registry: Registry, workspace: Workspace, kind: str, kept: int
) -> None:
    repository = f"security/{kind}/debian:bookworm"
    push_layout(plain_registry, images.layout, "old", repository)
    workspace.want(debian=f"{plain_registry.address}/{repository}")
    workspace.pinner("lock")
    workspace.pinner("sync")
    push_layout(plain_registry, images.layout, kind, repository)

    (change,) = workspace.document("update", "--fetch", "--summary", "body.md")["changes"]
    body = (workspace.folder / "body.md").read_text()
    assert told_by_json(change) == (images.packages, images.fixes)
    assert told_by_summary(body) == (images.packages, images.fixes)
    named = set().union(*images.fixes.values())
    assert set(change["packages"]["cves"]) == named
    assert f" {len(named)} CVE" in body.splitlines()[0]
    assert debian.NEWER_CVE in named
    assert (change["notes"], change["packages"]["notes"]) == ([], [])
    assert (change["kept_layers"], sorted(change["after"]["platforms"])) == (kept, [*PLATFORMS])
