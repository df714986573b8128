"""buildah reads rewritten Dockerfiles as it read them before (openshift/imagebuilder).

It parses the whole file, then looks for the base image of the first stage that is needed, which is
not there, and pulling is off: so the run ends without a request. Where its parser refuses a form
that BuildKit takes, it must refuse both files alike.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support import programs
from support.dockerfiles import all_cases

if TYPE_CHECKING:
    from pathlib import Path

    from support.dockerfiles import Case

pytestmark = pytest.mark.servers

_STEP = re.compile(r"^(?:\[\d+/\d+\] )?STEP \d+/\d+: (FROM .*)$", re.MULTILINE)
_ERROR = re.compile(r"^Error: (.*)$", re.MULTILINE)
_DIGEST = re.compile(r"@sha(256|512):[0-9a-f]+")
_ADDED_TAG = re.compile(r":latest(?![\w.-])")
# Of a reference with tag and digest it names one in its message; the step has both.
_UNKNOWN = re.compile(r"\S+: image not known")
_FETCHED = re.compile(rb"^add\b.*(://|@)", re.IGNORECASE | re.MULTILINE)


def rewritten() -> list[Any]:
    """Cases that change; without those that have buildah download something."""
    return [
        pytest.param(case, id=case.name)
        for case in all_cases()
        if case.before != case.expected and not _FETCHED.search(case.before)
    ]


def read_by_buildah(data: bytes, folder: Path) -> tuple[list[str], list[str]]:
    """The base images that buildah looks for, and why it ends."""
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_bytes(data)
    places = ["--root", str(folder / "root"), "--runroot", str(folder / "run")]
    done = subprocess.run(
        [
            *(programs.find("buildah") or "buildah", *places, "--storage-driver", "vfs", "build"),
            *("--isolation", "chroot", "--pull-never", "--jobs", "1", str(folder)),
        ],
        env=programs.clean_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    errors = [_UNKNOWN.sub("image not known", error) for error in _ERROR.findall(said)]
    return _STEP.findall(said), errors


def without_pins(texts: list[str]) -> list[str]:
    return [_ADDED_TAG.sub("", _DIGEST.sub("", text)) for text in texts]


@pytest.mark.parametrize("case", rewritten())
def test_buildah_reads_both_alike(case: Case, tmp_path: Path) -> None:
    programs.require("buildah")
    bases, errors = read_by_buildah(case.before, tmp_path / "same")
    bases_after, errors_after = read_by_buildah(case.expected, tmp_path / "same")
    assert without_pins(bases_after) == without_pins(bases)
    assert without_pins(errors_after) == without_pins(errors)
    assert bases or errors


def test_buildah_sees_the_digest(tmp_path: Path) -> None:
    programs.require("buildah")
    digest = f"sha256:{'a' * 64}"
    bases, errors = read_by_buildah(f"ARG T=3@{digest}\nFROM a:$T\n".encode(), tmp_path)
    assert bases == [f"FROM a:3@{digest}"]
    assert errors == ["creating build container: image not known"]
