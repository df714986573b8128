"""rpm databases, made by rpm itself: tiny packages are built and noted as installed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.programs import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DATE: Final = "Mon Aug 25 2025"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One package to build.

    Attributes:
        source: the spec file's name; the package is a subpackage where it has another name.
        changes: (version as the entry names it, text), the newest first.
    """

    name: str
    version: str
    release: str
    epoch: int | None = None
    source: str = ""
    changes: Sequence[tuple[str, str]] = ()

    def text(self) -> str:
        """The spec file."""
        source = self.source or self.name
        epoch = f"Epoch: {self.epoch}\n" if self.epoch is not None else ""
        flag = f"-n {self.name}"
        sub = f"%package {flag}\nSummary: Part\n%description {flag}\nPart.\n" if self.source else ""
        log = "\n".join(f"* {_DATE} Ada <ada@x.example> - {v}\n- {t}\n" for v, t in self.changes)
        return (
            f"Name: {source}\nVersion: {self.version}\nRelease: {self.release}\n{epoch}"
            "Summary: Demo\nLicense: MIT\nBuildArch: noarch\n"
            f"%description\nDemo.\n{sub}%files {flag}\n%changelog\n{log}"
        )


def database(folder: Path, specs: Sequence[Spec]) -> bytes:
    """An `rpmdb.sqlite` in which these packages are installed."""
    path = folder / "db"
    path.mkdir(parents=True)
    backend = ("--dbpath", str(path), "--define", "_db_backend sqlite")
    run("rpm", *backend, "--initdb", home=folder)
    for number, spec in enumerate(specs):
        built = folder / f"build{number}"
        built.mkdir()
        (built / "it.spec").write_text(spec.text())
        topdir = ("--define", f"_topdir {built}")
        run("rpmbuild", *topdir, "--quiet", "-bb", str(built / "it.spec"), home=folder)
        for package in sorted(built.glob(f"RPMS/noarch/{spec.name}-{spec.version}-*.rpm")):
            install = ("-i", "--justdb", "--nodeps", "--force", "--nosignature")
            run("rpm", *backend, *install, str(package), home=folder)
    return (path / "rpmdb.sqlite").read_bytes()


def query(folder: Path) -> set[str]:
    """What rpm itself says is installed: name, version, architecture and source package."""
    form = "%{NAME} %{EVR} %{ARCH} %{SOURCERPM}\n"
    said = run("rpm", "--dbpath", str(folder / "db"), "-qa", "--qf", form, home=folder)
    return set(said.splitlines())


_BASH: Final = (("5.1.8-6", "Fix CVE-2022-3715"),)
_OPENSSL: Final = (
    ("1:3.0.7-25", "Fix CVE-2023-3446 and CVE-2023-3817"),
    ("1:3.0.7-24", "Fix CVE-2023-2975"),
)
OLDER: Final = (
    Spec(name="bash", version="5.1.8", release="6.el9", changes=_BASH),
    Spec(
        name="openssl-libs",
        source="openssl",
        version="3.0.7",
        release="24.el9",
        epoch=1,
        changes=_OPENSSL[1:],
    ),
    Spec(name="kernel-core", version="5.14.0", release="362.el9"),
    Spec(name="kernel-core", version="5.14.0", release="427.el9"),
)
"""What the fixtures/inventory/older.sqlite.gz has installed; the names are those of Enterprise
Linux 9."""
NEWER: Final = (
    Spec(name="bash", version="5.1.8", release="6.el9", changes=_BASH),
    Spec(
        name="openssl-libs",
        source="openssl",
        version="3.0.7",
        release="25.el9_3",
        epoch=1,
        changes=_OPENSSL,
    ),
    Spec(name="kernel-core", version="5.14.0", release="427.el9"),
    Spec(name="kernel-core", version="5.14.0", release="503.el9"),
    Spec(name="tzdata", version="2025b", release="1.el9"),
)
"""The same of newer.sqlite.gz, after an upgrade."""

INT32, STRING, STRINGS = 4, 6, 8
"""Types of a header's entries."""


def header(*entries: tuple[int, int, bytes, int]) -> bytes:
    """As rpm's manual describes it; an entry is (tag, type, data, count)."""
    index, data = b"", b""
    for tag, kind, value, count in entries:
        index += struct.pack(">IIII", tag, kind, len(data), count)
        data += value
    return struct.pack(">II", len(entries), len(data)) + index + data
