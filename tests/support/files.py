"""Projects whose files name images: images.toml, images.lock, and digests that can be told apart.

ENTRIES                                    what `write_project` writes, unless told otherwise
digest("1")                                sha256:1111…
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.lockfile import Lock, LockedImage, dumps
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository

if TYPE_CHECKING:
    from pathlib import Path

AMD64: Final = Platform.parse("linux/amd64")
ARM64: Final = Platform.parse("linux/arm64")
SPEC: Final = """\
[settings]
platforms = ["linux/amd64", "linux/arm64"]

[images]
node = { image = "node", version = ">=22,<23" }
python = "python:3.12-slim"
redis = "redis"
"""


def digest(character: str) -> Digest:
    """A digest of one hexadecimal digit, repeated."""
    return Digest("sha256", character * 64)


def pin(name: str, image: str, tag: str | None, index: str, amd64: str, arm64: str) -> LockedImage:
    """A pin for two platforms; digests by their digit."""
    return LockedImage(
        name=name,
        repository=Repository.parse(image),
        tag=tag,
        digest=digest(index),
        platforms={AMD64: digest(amd64), ARM64: digest(arm64)},
    )


LOCK: Final = Lock(
    images=(
        pin("node", "node", "22.12.0", "1", "a", "b"),
        pin("python", "python", "3.12-slim", "2", "c", "d"),
        pin("redis", "redis", "latest", "3", "e", "f"),
    )
)
PREVIOUS: Final = Lock(
    images=(
        pin("node", "node", "22.11.0", "7", "8", "9"),
        pin("python", "python", "3.12-slim", "4", "5", "6"),
    )
)


def write_project(folder: Path, *, spec: str = SPEC, lock: Lock = LOCK) -> None:
    """Write images.toml and images.lock."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images.toml").write_text(spec)
    (folder / "images.lock").write_text(dumps(lock))
