from __future__ import annotations

import base64
import gzip
import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from pinner.demo.archive import Program
from pinner.demo.packages import Change, Package, alpine_root, debian_root
from pinner.demo.roots import ALPINE, DEBIAN, DEBIAN_UPDATED

if TYPE_CHECKING:
    from pinner.demo.archive import Tree

CHANGES = (
    Change("2.0-1", "bookworm-security", "Fri, 26 Sep 2025 20:59:22 +0200", ("CVE-2025-1: fixed",)),
    Change("1.0-1", "bookworm", "Tue, 05 Aug 2025 09:09:41 +0200", ("First.", "Release.")),
)
TOOL = Package(
    name="tool",
    version="2.0-1",
    source="tools",
    summary="does it",
    program="usr/bin/tool",
    size=2048,
    changes=CHANGES,
)
BARE = Package(name="bare", version="1:3", summary="plain", program="usr/lib/bare")


def text(tree: Tree, path: str) -> str:
    content = tree[path]
    assert isinstance(content, bytes)
    return content.decode()


def stanzas(status: str) -> list[dict[str, str]]:
    return [
        dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))
        for stanza in status.split("\n\n")
    ]


def test_dpkg_status() -> None:
    tree = debian_root([TOOL, BARE], architecture="arm64", release="12.11")
    tool, bare = stanzas(text(tree, "var/lib/dpkg/status"))
    assert (tool["Package"], tool["Version"], tool["Source"]) == ("tool", "2.0-1", "tools")
    assert (tool["Architecture"], tool["Installed-Size"]) == ("arm64", "2")
    assert (bare["Package"], bare["Version"]) == ("bare", "1:3")
    assert "Source" not in bare


def test_a_debian_root_carries_changelogs_and_files() -> None:
    tree = debian_root([TOOL, BARE], architecture="amd64", release="12.11")
    log = tree["usr/share/doc/tool/changelog.Debian.gz"]
    assert isinstance(log, bytes)
    assert gzip.decompress(log).decode() == (
        "tools (2.0-1) bookworm-security; urgency=medium\n\n  * CVE-2025-1: fixed\n\n"
        " -- Demo Maintainers <demo@registry.example>  Fri, 26 Sep 2025 20:59:22 +0200\n\n"
        "tools (1.0-1) bookworm; urgency=medium\n\n  * First.\n  * Release.\n\n"
        " -- Demo Maintainers <demo@registry.example>  Tue, 05 Aug 2025 09:09:41 +0200\n"
    )
    assert "usr/share/doc/bare/changelog.Debian.gz" not in tree
    program = tree["usr/bin/tool"]
    assert isinstance(program, Program)
    assert len(program.data) == 2048
    assert text(tree, "var/lib/dpkg/info/tool.list") == "/.\n/usr/bin/tool\n"


def test_apk_database() -> None:
    tree = alpine_root([TOOL, BARE], architecture="arm64", release="3.20.3")
    database = text(tree, "lib/apk/db/installed")
    assert database.endswith("\n\n")
    paragraphs = [
        dict(line.split(":", 1) for line in paragraph.splitlines())
        for paragraph in database.removesuffix("\n\n").split("\n\n")
    ]
    tool, bare = paragraphs
    assert (tool["P"], tool["V"], tool["A"], tool["o"]) == ("tool", "2.0-1", "aarch64", "tools")
    assert (tool["F"], tool["R"]) == ("usr/bin", "tool")
    program = tree["usr/bin/tool"]
    assert isinstance(program, Program)
    assert base64.b64decode(tool["Z"].removeprefix("Q1")) == hashlib.sha1(program.data).digest()  # noqa: S324 - apk's format
    assert bare["o"] == "bare"
    assert text(tree, "etc/apk/world") == "tool\nbare\n"


@pytest.mark.parametrize("package", DEBIAN_UPDATED, ids=lambda package: package.name)
def test_a_debian_package_has_its_newest_changes_version(package: Package) -> None:
    if package.changes:
        assert package.version == package.changes[0].version


def test_the_update_moves_packages_and_names_cves() -> None:
    moved = {
        after.name: after.changes[0].lines
        for before, after in zip(DEBIAN, DEBIAN_UPDATED, strict=True)
        if before != after
    }
    assert set(moved) == {"libc6", "libssl3", "openssl", "perl-base"}
    assert all(re.match(r"CVE-\d{4}-\d+: ", line) for lines in moved.values() for line in lines)


def test_names_are_unique() -> None:
    for packages in (DEBIAN, ALPINE):
        assert len({package.name for package in packages}) == len(packages)
