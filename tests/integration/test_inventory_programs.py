"""Package databases and version orders against the programs that they are of."""

from __future__ import annotations

import gzip
import random
import re
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from fuzz import orders
from pinner.inventory import dpkg, rpm
from pinner.inventory.difference import difference
from pinner.inventory.formats import Upgrade
from pinner.inventory.versions import debian, redhat
from support import rpms
from support.programs import clean_environment, require, run

if TYPE_CHECKING:
    from pinner.inventory.formats import Database, Files
    from pinner.inventory.versions import Key

pytestmark = pytest.mark.servers

PAIRS: Final = 2_000
SEED: Final = 20_261_127
CHANGELOGS: Final = 6
STATUS: Final = Path("/var/lib/dpkg/status")
RPMDB: Final = "var/lib/rpm/rpmdb.sqlite"
PIECES: Final = (
    *("0", "1", "00", "01", "10", "9", "09", "a", "b", "rc", "Z", "deb12u1", "el9", "+b1"),
    *("~", "~~", ".", "..", "+", "-", "-0", "~1"),
)
_DEBIAN: Final = re.compile(r"([0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]*(?<!-)")
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_COMPARE: Final = """
while read -r one other; do
    status=0
    dpkg --compare-versions "$one" lt "$other" || status=$?
    case $status in
        0) echo -1 ;;
        1) if dpkg --compare-versions "$one" gt "$other"; then echo 1; else echo 0; fi ;;
        *) echo refused ;;
    esac
done
"""
_RPM_COMPARE: Final = """
for line in io.lines("{path}") do
  local one, other = line:match("^(.*)\\t(.*)$")
  io.write(rpm.vercmp(one, other), "\\n")
end
"""


def changed(chance: random.Random, version: str, pieces: tuple[str, ...]) -> str:
    """The version with one piece more or a character less, behind its first character."""
    at = chance.randint(1, len(version))
    if chance.random() < 0.6:
        return version[:at] + chance.choice(pieces) + version[at:]
    return version[:at] + version[at + 1 :]


def pairs_of(
    seeds: list[str], pieces: tuple[str, ...], grammar: re.Pattern[str]
) -> list[tuple[str, str]]:
    """Pairs that are hard to tell apart, of real versions and of made ones."""
    chance = random.Random(SEED)
    pairs: list[tuple[str, str]] = []
    while len(pairs) < PAIRS:
        made = str(chance.randint(0, 12)) + "".join(chance.choices(pieces, k=chance.randint(0, 5)))
        epoch = chance.choice(["", "", "", "0:", "1:", "2:"])
        one = chance.choice(seeds) if chance.random() < 0.6 else epoch + made
        other = changed(chance, one, pieces) if chance.random() < 0.8 else chance.choice(seeds)
        if grammar.fullmatch(one) and grammar.fullmatch(other):
            pairs.append((one, other))
    return pairs


def order(one: Key, other: Key) -> int:
    return (one > other) - (one < other)


@pytest.fixture(scope="module")
def installed() -> list[str]:
    """The versions of this machine's own packages, and those that apt can install."""
    require("dpkg", "dpkg-query", "apt-cache")
    home = Path("/nonexistent")
    own = run("dpkg-query", "-W", "-f", "${Version}\n", home=home).split()
    listed = run("apt-cache", "dumpavail", home=home)
    offered = [line[9:] for line in listed.splitlines() if line.startswith("Version: ")]
    return sorted({*own, *offered[::20]})


def test_P04_debian_versions_sort_as_dpkg_sorts_them(tmp_path: Path, installed: list[str]) -> None:
    pairs = pairs_of(installed, PIECES, _DEBIAN)
    done = subprocess.run(
        ["sh", "-c", _COMPARE],
        input="".join(f"{one} {other}\n" for one, other in pairs),
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    said = [int(line) for line in done.stdout.split()]
    assert len(said) == len(pairs)
    wrong = [
        (pair, by_dpkg)
        for pair, by_dpkg in zip(pairs, said, strict=True)
        if order(debian.key(pair[0]), debian.key(pair[1])) != by_dpkg
    ]
    assert wrong == []
    assert {-1, 0, 1} == set(said)
    # The judge that fuzzing asks instead (tests/fuzz/orders.py) says what dpkg says.
    assert [orders.dpkg(*pair) for pair in pairs] == said


def test_P04_real_debian_versions_sort_as_in_dpkg(tmp_path: Path, installed: list[str]) -> None:
    chance = random.Random(SEED)
    ordered = sorted(chance.sample(installed, min(200, len(installed))), key=debian.key)
    for lower, higher in pairwise(ordered):
        run("dpkg", "--compare-versions", lower, "le", higher, home=tmp_path)


def test_P04_rpm_versions_sort_as_rpm_sorts_them(tmp_path: Path) -> None:
    require("rpm")
    seeds = ["5.1.8-6.el9", "1:3.0.7-25.el9_3", "2025b-1.el9", "1.0~rc1-1", "1.0^git1-1", "10xyz"]
    pairs = pairs_of(seeds, (*PIECES, "^", "^^", "_", "^git1"), re.compile(r"\S+"))
    listed, script = tmp_path / "pairs", tmp_path / "compare.lua"
    listed.write_text("".join(f"{one}\t{other}\n" for one, other in pairs))
    script.write_text(_RPM_COMPARE.replace("{path}", str(listed)))
    said = run("rpm", "--eval", f'%{{lua: dofile("{script}")}}', home=tmp_path).split()
    assert len(said) == len(pairs)
    wrong = [
        (pair, by_rpm)
        for pair, by_rpm in zip(pairs, map(int, said), strict=True)
        if order(redhat.key(pair[0]), redhat.key(pair[1])) != by_rpm
    ]
    assert wrong == []
    single = [(at, pair) for at, pair in enumerate(pairs) if not set(":-") & set("".join(pair))]
    assert len(single) > PAIRS // 20
    assert [orders.rpm(*pair) for _, pair in single] == [int(said[at]) for at, _ in single]


def test_what_dpkg_query_says_of_this_machine(tmp_path: Path) -> None:
    require("dpkg-query")
    form = "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package}"
    said = run("dpkg-query", "-W", "-f", f"{form} ${{source:Version}}\n", home=tmp_path)
    database = dpkg.packages({"var/lib/dpkg/status": STATUS.read_bytes()})
    assert database.notes == ()
    assert {
        f"{each.name} {each.version} {each.architecture} {each.source} {each.source_version}"
        for each in database.packages
    } == {
        line.partition(" ")[2]
        for line in said.splitlines()
        if line.split()[0] in {"installed", "triggers-pending", "triggers-awaited"}
    }


def test_fixes_are_what_dpkg_finds_in_changelogs(tmp_path: Path) -> None:
    """Of packages of this machine: upgrades from the tenth entry's version to the installed one."""
    require("dpkg-parsechangelog")
    database = dpkg.packages({"var/lib/dpkg/status": STATUS.read_bytes()})
    looked_at = 0
    for package in database.packages:
        path = Path(f"/usr/share/doc/{package.name}/changelog.Debian.gz")
        if not path.is_file() or looked_at == CHANGELOGS:
            continue
        log = tmp_path / package.name
        log.write_bytes(gzip.decompress(path.read_bytes()))
        parse = ("dpkg-parsechangelog", "--format", "rfc822", "-l", str(log))
        versions = run(*parse, "-S", "Version", "-n", "10", home=tmp_path).split()
        said = run(*parse, "-S", "Changes", "--since", versions[-1], home=tmp_path)
        if not _CVE.search(said):
            continue
        looked_at += 1
        upgrade = Upgrade(replace(package, source_version=versions[-1]), package)
        fixes = dpkg.fixes([upgrade], [package], {str(path)[1:]: path.read_bytes()})
        assert {fix.cve for fix in fixes.found[package]} == set(_CVE.findall(said)), package.name
    if not looked_at:
        pytest.skip("this machine has no changelogs that name CVEs")


def test_what_rpm_says_of_two_databases(tmp_path: Path) -> None:
    require("rpm", "rpmbuild")
    read: list[Database] = []
    files: Files = {}
    for name, specs in {"older": rpms.OLDER, "newer": rpms.NEWER}.items():
        files = {RPMDB: rpms.database(tmp_path / name, specs)}
        read.append(rpm.packages(files))
        assert read[-1].notes == ()
        assert {
            (each.name, each.version, each.architecture, f"{each.source}-{each.source_version}")
            for each in read[-1].packages
        } == {
            (*line.split(" ")[:3], line.split(" ")[3].removesuffix(".src.rpm"))
            for line in rpms.query(tmp_path / name)
        }
    older, newer = read
    changes = difference(older, newer, files)
    assert [(each.name, [fix.cve for fix in each.fixes]) for each in changes.changes] == [
        ("kernel-core", []),
        ("openssl-libs", ["CVE-2023-3446", "CVE-2023-3817"]),
        ("tzdata", []),
    ]
