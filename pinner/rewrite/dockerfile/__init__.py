"""Dockerfiles, read as BuildKit reads them (frontend/dockerfile: parser, instructions, shell).

file -> instructions (continuations, comments, heredocs) -> arguments and flags -> stages -> found

A form that BuildKit refuses is reported, never guessed at. Everything works on `Located` text, so
that what is found can be edited where it stands.
"""

from pinner.rewrite.dockerfile.find import find_images
from pinner.rewrite.dockerfile.names import is_dockerfile

__all__ = ["find_images", "is_dockerfile"]
