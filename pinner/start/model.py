"""What was seen, and what images.toml shall say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One place that names an image.

    Attributes:
        reference: as it is written there.
        where: for people, `Dockerfile:1`; safe to print, on one line.
        name: what the place itself says that the entry is called; empty where it does not.
    """

    reference: Reference
    where: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One entry for images.toml.

    Attributes:
        name: of the entry; unique among the proposals.
        reference: with a tag, or with a digest where no tag is known; never with both.
        pins: the digests that places pin the tag to, each once, with where the first one is; the
            digest of a reference by digest is no pin.
        places: where it is seen, each once, in the order of the sightings.
        untagged: no place names a tag, so that `latest` is meant.
    """

    name: str
    reference: Reference
    pins: tuple[tuple[Digest, str], ...] = ()
    places: tuple[str, ...] = ()
    untagged: bool = False
