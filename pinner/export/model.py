"""What is exported, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.errors import InputError

if TYPE_CHECKING:
    from pinner.lockfile import Lock, LockedImage
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.spec import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be exported.

    Attributes:
        spec: says which entry a reference means.
        lock: says the digests.
        names: the entries to take; empty for all.
        platform: whose manifests to name; None for what the tags name.
        compose: the compose file that an override is for; None where none is given.
    """

    spec: Spec
    lock: Lock
    names: frozenset[str] = frozenset()
    platform: Platform | None = None
    compose: bytes | None = None

    @property
    def images(self) -> tuple[LockedImage, ...]:
        """The chosen pins, by name."""
        return tuple(
            image for image in self.lock.images if not self.names or image.name in self.names
        )

    def digest_of(self, image: LockedImage) -> Digest:
        """The digest that is exported of a pin.

        Raises:
            InputError: it is not locked for the platform.
        """
        if self.platform is None:
            return image.digest
        for locked, digest in image.platforms.items():
            if self.platform.matches(locked):
                return digest
        raise InputError(
            f"{image.name} is not locked for {self.platform}, only for "
            f"{', '.join(map(str, image.platforms))}",
            where="images.lock",
            mend=f"add {self.platform} to its platforms in images.toml and run `pinner lock`",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What an export comes to.

    Attributes:
        text: the file, with its last line feed.
        names: the entries that are in it.
        notes: what is not in it and why, a sentence each, safe to print.
    """

    text: str
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
