"""Real git repositories in temporary folders, made by git itself."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY: Final = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@test.example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@test.example",
}


def environment(**more: str) -> dict[str, str]:
    """What git needs and nothing of the machine's or the user's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "GIT_CONFIG_NOSYSTEM": "1",
        **more,
    }


@dataclass(frozen=True, slots=True)
class Ground:
    """A repository's folder, and a user who works in it."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *options: str) -> Ground:
        folder.mkdir(parents=True, exist_ok=True)
        ground = cls(folder.resolve())
        ground.git("init", "--quiet", "--initial-branch=main", *options)
        return ground

    def git(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """What git prints, without the last line feed."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment(**IDENTITY, **(env or {})),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes], message: str = "a change") -> str:
        """Commit these files, and answer with the commit's id."""
        self.write(files)
        self.git("--literal-pathspecs", "add", "--force", "--", *files)
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def state(self) -> dict[str, object]:
        """All that must stay as it is where nothing may be touched."""
        files = {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.folder).parts
        }
        index = Path(self.git("rev-parse", "--path-format=absolute", "--git-path", "index"))
        return {
            "files": files,
            "index": index.read_bytes() if index.exists() else None,
            "head": self.git("rev-parse", "--symbolic-full-name", "HEAD"),
            "commit": self.git("rev-parse", "HEAD"),
        }
