"""`make release`: the files of a release, from a commit alone, and the same for everybody.

    dist/image_pinner-X-py3-none-any.whl    the wheel
    dist/image_pinner-X.tar.gz              the sdist
    dist/image_pinner-X.cdx.json            what an install brings (release/sbom.py)
    dist/image_pinner-X.requirements.txt    the same for `pip install --require-hashes`
    dist/SHA256SUMS                         their hashes, for `sha256sum --check`

The commit is exported and built twice, where as much differs as one machine allows: path, file
modes and times, umask, time zone, locale, hash seed. The wheel is built a third time, from the
sdist. Whatever differs ends the release.

SOURCE_DATE_EPOCH is not set: hatchling then writes one fixed date, so that the hashes are those of
the files alone, and a plain `pip wheel` of the same files comes to the same wheel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release import pins, sbom, wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from release.pins import Pin
    from release.wheel import Part

VALIDATE: Final = Path(__file__).with_name("validate.py")


class ReleaseError(Exception):
    """There is no release: why, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is released."""

    digest: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How one of the builds differs from the other."""

    folder: str
    mode: int
    umask: int
    environment: Mapping[str, str]


PLACES: Final = (
    Place(
        folder="one",
        mode=0o644,
        umask=0o022,
        environment={"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    ),
    Place(
        folder="another/far deeper",
        mode=0o600,
        umask=0o077,
        environment={"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
    ),
)


def release(root: Path, dist: Path, *, judge: Callable[[Path], None]) -> dict[str, str]:
    """Build HEAD of the checkout `root` into `dist`, which is replaced; the hash of each file.

    `judge` raises ReleaseError for a bill of materials that is not CycloneDX.

    Raises:
        ReleaseError: the checkout has changes, a build failed, two builds differ, or `judge` did.
        UnpinnedError: the pins do not cover what the wheel asks for.
        LicenceError: a licence is unknown or not admitted.
    """
    commit = clean_head(root)
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        work = Path(name)
        made = [build(export(root, work, place), place) for place in PLACES]
        same(*made)
        sdist, built = sorted(made[0].iterdir(), key=lambda file: file.suffix == ".whl")
        same_wheel(sdist, built, work / "from sdist")
        out = work / "dist"
        out.mkdir()
        for file in (sdist, built):
            shutil.copyfile(file, out / file.name)
        _describe(out, built, sdist, commit, pins.released(root))
        judge(next(out.glob("*.cdx.json")))
        sums = {file.name: _sha256(file) for file in sorted(out.iterdir())}
        lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
        (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
        shutil.rmtree(dist, ignore_errors=True)
        shutil.copytree(out, dist)
    return sums


def valid(bill: Path, *, python: Path) -> None:
    """Nothing, where the schema admits a bill of materials; `python` is one that has the schema.

    Raises:
        ReleaseError: it does not.
    """
    _run([str(python), str(VALIDATE), str(bill)], cwd=bill.parent)


def clean_head(root: Path) -> Commit:
    """The commit that is checked out.

    Raises:
        ReleaseError: the checkout has changes, or is none.
    """
    changes = _run(["git", "status", "--porcelain"], cwd=root)
    if changes:
        raise ReleaseError(f"commit or remove first:\n{changes.rstrip()}")
    digest, time = _run(
        ["git", "-c", "log.showSignature=false", "show", "--no-patch", "--format=%H %ct"], cwd=root
    ).split()
    return Commit(digest=digest, time=datetime.fromtimestamp(int(time), UTC))


def export(root: Path, work: Path, place: Place) -> Path:
    """The commit's files, and nothing else, in a folder of their own."""
    target = work / place.folder
    packed = work / "commit.tar"
    _run(["git", "archive", "--output", str(packed), "HEAD"], cwd=root)
    unpack(packed, target)
    for file in target.rglob("*"):
        if file.is_file():
            file.chmod(place.mode)
            os.utime(file, (place.mode, place.mode))
    return target


def unpack(archive: Path, target: Path) -> None:
    """Unpack by tar: Debian 12's Python has no extraction filters yet, and newer ones want them."""
    target.mkdir(parents=True)
    _run(["tar", "--extract", "--file", str(archive)], cwd=target)


def build(source: Path, place: Place, *targets: str) -> Path:
    """Build wheel and sdist, or only the `targets`, offline, with the pinned backend; where."""
    out = source.with_name(f"{source.name}.out")
    which = [part for target in targets for part in ("--target", target)]
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    _run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(out), *which],
        cwd=source,
        environment={**environment, **place.environment},
        umask=place.umask,
    )
    return out


def same(first: Path, second: Path) -> None:
    """Nothing, where two folders have the same files.

    Raises:
        ReleaseError: they have not.
    """
    one, other = ({file.name: _sha256(file) for file in out.iterdir()} for out in (first, second))
    if one != other:
        different = sorted(name for name, _ in one.items() ^ other.items())
        raise ReleaseError(
            f"two builds of one commit differ: {', '.join(dict.fromkeys(different))}"
        )


def same_wheel(sdist: Path, built: Path, work: Path) -> None:
    """Nothing, where the sdist builds into the wheel: it lacks nothing and adds nothing.

    Raises:
        ReleaseError: it does not.
    """
    unpack(sdist, work)
    (source,) = work.iterdir()
    (again,) = build(source, PLACES[0], "wheel").iterdir()
    if (again.name, _sha256(again)) != (built.name, _sha256(built)):
        raise ReleaseError(f"the sdist builds into another wheel: {again.name}")


def requirements(built: wheel.Wheel, sdist: str, parts: Sequence[Part]) -> str:
    """For `pip install --require-hashes`: the release, and what it needs without extras."""
    lines = [
        f"{built.name}=={built.version}",
        *(f"--hash=sha256:{h}" for h in (built.sha256, sdist)),
    ]
    needed = [str(part.pin) for part in parts if not part.optional]
    return "\n".join([" \\\n    ".join(lines), *needed]) + "\n"


def _describe(out: Path, file: Path, sdist: Path, commit: Commit, pinned: Sequence[Pin]) -> None:
    built = wheel.read(file)
    parts = wheel.parts(built, pinned)
    stem = sdist.name.removesuffix(".tar.gz")
    bill = sbom.render(built, parts, commit=commit.digest, time=commit.time)
    (out / f"{stem}.cdx.json").write_text(bill, encoding="utf-8")
    text = requirements(built, _sha256(sdist), parts)
    (out / f"{stem}.requirements.txt").write_text(text, encoding="utf-8")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    umask: int = -1,
) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=environment, umask=umask, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise ReleaseError(f"{' '.join(command)}: status {done.returncode}\n{said}")
    return done.stdout
