"""Descriptors: what points to content (image-spec descriptor.md).

A descriptor's `urls` and `data` are deliberately not kept: layers come from the registry and are
verified there (design section 10; CVE-2020-15157), and embedded data saves nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """Media type, digest and size in bytes of some content, and what an index says of it.

    Attributes:
        platform: given by an index for an image; None elsewhere, and for attestations
            (`unknown/unknown`).
        annotations: as they came; foreign text, to be shown only through `terminal.safe`.
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    artifact_type: str = ""
