"""References: which image, in which registry (distribution/reference, `ParseNormalizedNamed`).

    debian:bookworm  ->  docker.io/library/debian:bookworm

Values are canonical however they were made: the names that Docker Hub goes by (index.docker.io,
registry-1.docker.io, registry.hub.docker.com) are docker.io, and its lone names are `library/`'s.
So two spellings of one repository are equal, have one key in a lockfile and one credential. docker
itself folds only index.docker.io.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.grammar import (
    DEFAULT_REGISTRY,
    IMAGE_ID,
    OFFICIAL,
    fold_registry,
    is_path,
    is_registry,
    is_tag,
    qualify_path,
    split_domain,
)
from pinner.oci.parts import InvalidReference, split_normalized
from pinner.terminal import safe

__all__ = [
    "DEFAULT_REGISTRY",
    "LATEST",
    "InvalidReference",
    "Reference",
    "Repository",
    "is_tag",
    "parse_registry",
]

LATEST: Final = "latest"


def parse_registry(text: str) -> str:
    """The registry that `host[:port]` names, with the aliases of docker.io folded.

    Raises:
        InvalidReference: not a host, a port outside 1 to 65535, or a name such as `registry`, which
            is no host at the beginning of a reference: `registry:443` is.
    """
    if not is_registry(text):
        raise InvalidReference(
            f'"{safe(text, limit=160)}" is not a registry',
            mend='write its host with a dot or a port: "registry.example", "registry:5000"',
        )
    return fold_registry(text)


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """A repository of one registry.

    Attributes:
        registry: `host[:port]`; `docker.io` for Docker Hub.
        path: the name within the registry, `library/debian`; safe in a URL's path.
    """

    registry: str
    path: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "registry", parse_registry(self.registry))
        object.__setattr__(self, "path", qualify_path(self.registry, self.path))
        if not is_path(self.path):
            raise InvalidReference(f'"{safe(self.path, limit=160)}" is not a repository')

    @classmethod
    def parse(cls, text: str) -> Repository:
        """The repository that `text` names, by docker's rules for short names.

        Raises:
            InvalidReference: no repository, or one with a tag or digest.
        """
        reference = Reference.parse(text)
        if reference.tag is not None or reference.digest is not None:
            raise InvalidReference(
                f'"{safe(text, limit=160)}" has a tag or digest where a repository is wanted'
            )
        return reference.repository

    def familiar(self) -> str:
        """The shortest name that means this repository: `debian` for docker.io/library/debian."""
        if self.registry == DEFAULT_REGISTRY:
            for name in (self.path.removeprefix(OFFICIAL), self.path):
                if _means(name, self):
                    return name
        return str(self)

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository, with a tag, a digest, both or neither.

    Where both are there, the digest says which image it is and the tag is a remark.
    """

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    def __post_init__(self) -> None:
        if self.tag is not None and not is_tag(self.tag):
            raise InvalidReference(f'"{safe(self.tag, limit=160)}" is not a tag')

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The reference that `text` means, as docker understands it.

        Raises:
            InvalidReference: with docker's message and the mend. A user or password in `text` is
                not repeated.
        """
        parts = split_normalized(text)
        try:
            digest = Digest.parse(parts.digest) if parts.digest else None
        except InvalidDigest as error:
            raise InvalidReference(
                f'{error.what}, in "{safe(text, limit=240)}"', mend=error.mend
            ) from error
        return cls(Repository(parts.domain, parts.path), parts.tag or None, digest)

    @property
    def registry(self) -> str:
        """The registry's `host[:port]`."""
        return self.repository.registry

    @property
    def path(self) -> str:
        """The repository's name within its registry."""
        return self.repository.path

    def with_tag(self, tag: str | None) -> Reference:
        """The same with another tag, or none."""
        return replace(self, tag=tag)

    def with_digest(self, digest: Digest | None) -> Reference:
        """The same with another digest, or none."""
        return replace(self, digest=digest)

    def tag_or_latest(self) -> Reference:
        """The same, with the tag `latest` if it has neither tag nor digest."""
        return self.with_tag(LATEST) if self.tag is None and self.digest is None else self

    def familiar(self) -> str:
        """The short form that people write: `debian:bookworm`; it parses to the same value."""
        return self.repository.familiar() + self._suffix()

    def __str__(self) -> str:
        return f"{self.repository}{self._suffix()}"

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        return tag + (f"@{self.digest}" if self.digest is not None else "")


def _means(name: str, repository: Repository) -> bool:
    """Whether docker's rules read `name` as this repository.

    docker drops the registry without asking: docker.io/localhost/x becomes localhost/x, another
    registry's.
    """
    return not IMAGE_ID.fullmatch(name) and split_domain(name) == (
        repository.registry,
        repository.path,
    )
