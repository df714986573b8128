"""Which files are Dockerfiles, by their names.

Dockerfile  dockerfile  Containerfile  api.Dockerfile  Dockerfile.dev  Dockerfile-arm64

Not the file that says what a build leaves out (`Dockerfile.dockerignore`), nor code and texts about
Dockerfiles (`dockerfile_parser.go`, `Dockerfile.md`).
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(
    r"(?:.*\.)?(?:docker|container)file|(?:docker|container)file[._-](?P<more>.*)", re.IGNORECASE
)
_OTHERS: Final = re.compile(
    r"(?:.*\.)?(?:dockerignore|containerignore|adoc|c|css|go|html|java|js|json|jsx|lock|md|patch|php"
    r"|pl|ps1|py|rb|rs|rst|sh|sum|toml|ts|tsx|txt|xml|yaml|yml)",
    re.IGNORECASE,
)


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name, without its folders, is a Dockerfile."""
    found = _NAME.fullmatch(name)
    return found is not None and not _OTHERS.fullmatch(found["more"] or "")
