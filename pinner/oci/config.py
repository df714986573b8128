"""Image configs: what an image says of itself (image-spec config.md, docker's schema 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import IntegrityError
from pinner.oci import strictjson
from pinner.oci.fields import Field
from pinner.oci.manifest import LAYER_LIMIT
from pinner.oci.strictjson import MalformedJson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform

CONFIG_LIMIT: Final = 8 * 1024 * 1024


class MalformedConfig(IntegrityError):  # noqa: N818 - a kind of document
    """A config that is not an image's, or not as the specification has it."""

    code = "malformed-config"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What a config says of its image; all of it is the publisher's claim.

    Attributes:
        platform: what the image was built for; a manifest without an index has no other.
        created: as it was written, usually RFC 3339; empty where left out.
        labels: foreign text, to be shown only through `terminal.safe`.
        diff_ids: the digests of the unpacked layers, the lowest first.
    """

    platform: Platform
    created: str
    labels: Mapping[str, str]
    diff_ids: tuple[Digest, ...]


def parse_config(data: bytes) -> ImageConfig:
    """The config whose bytes the caller has checked by digest.

    Raises:
        MalformedConfig: larger than 8 MiB, not strict JSON, or without a platform, as the configs
            of artifacts are.
    """
    try:
        document = Field(strictjson.loads(data, CONFIG_LIMIT))
        return ImageConfig(
            platform=document.platform(),
            created=document["created"].text(default=""),
            labels=document["config"]["Labels"].texts(),
            diff_ids=tuple(
                diff_id.digest()
                for diff_id in document["rootfs"]["diff_ids"].items(limit=LAYER_LIMIT)
            ),
        )
    except MalformedJson as error:
        raise MalformedConfig(f"image config: {error.what}") from error
