"""What images.toml says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pinner.oci.reference import Reference

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Repository
    from pinner.oci.registryconfig import RegistryConfig
    from pinner.tagpolicy import TagWish


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecEntry:
    """One named image that is wished for.

    Attributes:
        tag: the tag to lock, `latest` where the entry names none; None where the wish alone says
            which, and where there is a digest alone.
        digest: given by hand: locked as it is and never updated.
        wish: which tags a pin may have; None for `tag` and no other. Where there is both, `tag` is
            locked first, and an update may move the pin to what the wish admits. A wish excludes a
            digest.
        platforms: what to lock, from the entry or else from `[settings]`; None for every platform
            that the tag offers.
        minimum_age: how old an image must be before an update takes it.
        immutable: whether a moved tag is an alarm.
        line: where images.toml has it, counted from 1.
    """

    name: str
    repository: Repository
    tag: str | None = None
    digest: Digest | None = None
    wish: TagWish | None = None
    platforms: tuple[Platform, ...] | None = None
    minimum_age: timedelta = timedelta(0)
    immutable: bool = False
    line: int = 1

    @property
    def reference(self) -> Reference:
        """The wish as a reference, as far as one can say it: a version is not in it."""
        return Reference(self.repository, self.tag, self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A whole images.toml.

    Attributes:
        entries: in the order of the file; names are unique.
        platforms: those of `[settings]`; None where it names none.
        minimum_age: that of `[settings]`; zero where it names none.
        registries: how to reach some registries; hosts are unique.
    """

    entries: tuple[SpecEntry, ...] = ()
    platforms: tuple[Platform, ...] | None = None
    minimum_age: timedelta = timedelta(0)
    registries: tuple[RegistryConfig, ...] = ()
