"""Roots of Debian, made, upgraded and described by Debian's own programs.

archive = find_archive(home)         # where this machine's apt gets its packages
bootstrap(root, archive)             # without security updates, as debootstrap leaves it
upgrade(root, archive)               # with them
changed_versions(before, after)      # as dpkg-query tells it
named_fixes(root, before, after)     # as dpkg-parsechangelog tells it
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.programs import ProgramError, require, run, unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.summaries import Changes, Fixes

KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"

OLDER_LOG: Final = """\
pinner-tests (1.0-1+deb12u1) bookworm; urgency=medium

  * CVE-2025-20002: fixed long ago

 -- Ada <ada@x.example>  Mon, 05 May 2025 10:00:00 +0000
"""
NEWER_CVE: Final = "CVE-2026-10001"
NEWER_LOG: Final = f"""\
pinner-tests (1.0-1+deb12u2) bookworm-security; urgency=high

  * {NEWER_CVE}: the one that matters

 -- Ada <ada@x.example>  Mon, 25 May 2026 10:00:00 +0000

{OLDER_LOG}"""
"""Changelogs of two versions of a package of our own."""

_PROXIES: Final = ("http_proxy", "https_proxy", "no_proxy")
_PATIENCE: Final = 900
_ROOM: Final = 2_000_000_000
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_FIELDS: Final = ("Package", "Architecture", "Version", "source:Package", "source:Version")
_SLOW_DISK: Final = "etc/dpkg/dpkg.cfg.d/docker-apt-speedup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A Debian archive.

    Attributes:
        suite: `bookworm`.
        main: the URL of the suite.
        security: the URL of the suite's security updates.
    """

    suite: str
    main: str
    security: str

    @property
    def sources(self) -> str:
        """Both, as lines of sources.list."""
        return (
            f"deb {self.main} {self.suite} main\ndeb {self.security} {self.suite}-security main\n"
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Installed:
    """One package, as dpkg-query prints it."""

    name: str
    architecture: str
    version: str
    source: str
    source_version: str


@contextlib.contextmanager
def scratch(fallback: Path) -> Iterator[Path]:
    """An empty folder for roots: in memory where that will do, since dpkg waits for disks."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and not os.statvfs(memory).f_flag & (os.ST_NODEV | os.ST_NOEXEC)
    if not usable or shutil.disk_usage(memory).free < _ROOM:
        memory = fallback
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def find_archive(home: Path) -> Archive:
    """The suite that apt is set up for, together with its security updates; bookworm before others.

    Without one, or where no root can be made (not root, a program is missing), the test is skipped.
    """
    require("apt-get", "debootstrap", "dpkg-parsechangelog", "dpkg-query", "umoci")
    if os.geteuid() != 0:
        unavailable("not root, who alone can make a root")
    form = ("--format", "$(RELEASE) $(REPO_URI) $(COMPONENT)")
    listed = run("apt-get", "indextargets", *form, "Created-By: Packages", home=home)
    found: dict[str, str] = {}
    for release, url, component in map(str.split, listed.splitlines()):
        if component == "main":
            found.setdefault(release, url)
    suites = [suite for suite in found if f"{suite}-security" in found]
    if not suites:
        unavailable("apt has no suite of Debian with its security updates")
    suite = "bookworm" if "bookworm" in suites else suites[0]
    return Archive(suite=suite, main=found[suite], security=found[f"{suite}-security"])


def bootstrap(root: Path, archive: Archive) -> None:
    """A minimal root, without security updates and without debootstrap's leavings."""
    config = root / _SLOW_DISK  # as Docker's official images have it
    config.parent.mkdir(parents=True)
    config.write_text("force-unsafe-io\n")
    options = ("--variant=minbase", f"--keyring={KEYRING}")
    try:
        _run("debootstrap", *options, archive.suite, str(root), archive.main, home=root.parent)
    except ProgramError as error:
        unavailable(f"debootstrap made no root: {error}")
    _tidy(root)


def upgrade(root: Path, archive: Archive) -> None:
    """What `apt-get update && apt-get upgrade` in a Dockerfile does."""
    (root / "etc/apt/sources.list").write_text(archive.sources)
    resolver = root / "etc/resolv.conf"
    shutil.copy("/etc/resolv.conf", resolver)
    for words in (["update", "-qq"], ["dist-upgrade", "-qq", "-y"]):
        _run("chroot", str(root), "apt-get", *words, home=root.parent)
    resolver.unlink()
    _tidy(root)


def build(folder: Path, version: str, changelog: str) -> Path:
    """A package of our own, `pinner-tests`, with this changelog: the .deb file."""
    tree = folder / f"pinner-tests_{version}"
    documents = tree / "usr/share/doc/pinner-tests"
    documents.mkdir(parents=True)
    (documents / "changelog.Debian.gz").write_bytes(gzip.compress(changelog.encode(), mtime=0))
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"Package: pinner-tests\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: Ada <ada@x.example>\nDescription: has a changelog\n"
    )
    made = folder / f"pinner-tests_{version}_all.deb"
    _run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(made), home=folder)
    return made


def install(root: Path, package: Path) -> None:
    """Install a .deb without maintainer scripts; an empty folder becomes a root."""
    (root / "var/lib/dpkg").mkdir(parents=True, exist_ok=True)
    # This machine's settings count: its log, and whether it does without documentation.
    options = (f"--root={root}", "--log=/dev/null", "--path-include=/usr/share/doc/*")
    _run("dpkg", *options, "--install", str(package), home=package.parent)


def installed(root: Path) -> set[Installed]:
    """The packages of a root."""
    form = "${db:Status-Status}" + "".join(f"\t${{{field}}}" for field in _FIELDS) + "\n"
    options = (f"--admindir={root}/var/lib/dpkg", "-W", "-f", form)
    lines = _run("dpkg-query", *options, home=root.parent).splitlines()
    rows = [line.split("\t") for line in lines]
    return {
        Installed(name=name, architecture=kind, version=version, source=source, source_version=of)
        for status, name, kind, version, source, of in rows
        if status == "installed"
    }


def changed_versions(before: set[Installed], after: set[Installed]) -> Changes:
    """All packages that differ."""
    return {
        name: (old.version if old else None, new.version if new else None)
        for name, (old, new) in _differing(before, after).items()
    }


def named_fixes(root: Path, before: set[Installed], after: set[Installed]) -> Fixes:
    """The CVE ids in the newer entries of the changelogs in `root`, which has `after` installed.

    A package whose folder has no changelog has its source's: that of another package of it.
    """
    found: Fixes = {}
    for name, (old, new) in _differing(before, after).items():
        if old is None or new is None:
            continue
        kin = sorted(other.name for other in after if _source(other) == _source(new))
        folders = [root / "usr/share/doc" / each for each in (name, *kin)]
        logs = next(filter(None, map(_changelogs, folders)))
        if named := {cve for log in logs for cve in _newer(log, old.source_version, root.parent)}:
            found[name] = named
    return found


def _differing(
    before: set[Installed], after: set[Installed]
) -> dict[str, tuple[Installed | None, Installed | None]]:
    """What only one of two sets has, by name; no name has several architectures here."""
    olds = {package.name: package for package in before - after}
    news = {package.name: package for package in after - before}
    return {name: (olds.get(name), news.get(name)) for name in sorted({*olds, *news})}


def _source(package: Installed) -> tuple[str, str]:
    return package.source, package.source_version


def pack(root: Path) -> bytes:
    """The root as one gzipped layer."""
    made = root.parent / f"{root.name}.tar.gz"
    options = ("--sort=name", "--numeric-owner", "--use-compress-program=gzip -1")
    _run("tar", "-C", str(root), *options, "-cf", str(made), ".", home=root.parent)
    data = made.read_bytes()
    made.unlink()
    return data


def _changelogs(folder: Path) -> Sequence[Path]:
    found = sorted(folder.glob("changelog.Debian*.gz"))
    return found or sorted(folder.glob("changelog.gz"))


def _newer(log: Path, since: str, home: Path) -> set[str]:
    text = home / "changelog"
    text.write_bytes(gzip.decompress(log.read_bytes()))
    options = ("--format", "rfc822", "-l", str(text), "-S", "Changes", "--since", since)
    return set(_CVE.findall(_run("dpkg-parsechangelog", *options, home=home)))


def _tidy(root: Path) -> None:
    """Leave out what no image keeps: downloads, and logs."""
    _run("chroot", str(root), "apt-get", "clean", home=root.parent)
    for folder in ("var/lib/apt/lists", "var/log"):
        for path in (root / folder).iterdir():
            if path.is_dir() and folder == "var/lib/apt/lists":
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()


def _run(*argv: str, home: Path) -> str:
    proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
    settings = {**proxies, "DEBIAN_FRONTEND": "noninteractive"}
    return run(*argv, home=home, environment=settings, timeout=_PATIENCE)
