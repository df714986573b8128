"""What a command line of `pinner pull` names (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import InputError
from pinner.oci.platform import InvalidPlatform, Platform
from pinner.oci.reference import Reference
from pinner.pull.model import Wish

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse_wishes(names: Sequence[str], *, all_tags: bool) -> tuple[Wish, ...]:
    """What is to be pulled; a name that is given twice is meant once.

    Raises:
        InvalidReference: a name that is no reference; nothing of the line is pulled then.
        InputError: a tag or digest beside `--all-tags`.
    """
    wishes: dict[str, Wish] = {}
    for name in names:
        given = Reference.parse(name)
        if all_tags and (given.tag is not None or given.digest is not None):
            raise InputError(
                "tag can't be used with --all-tags/-a",
                mend=f"write {given.repository.familiar()} alone for all of its tags",
            )
        wishes.setdefault(str(given.tag_or_latest()), Wish(given=given, all_tags=all_tags))
    return tuple(wishes.values())


def parse_platforms(
    given: Sequence[str], default: str | None, host: Platform
) -> tuple[Platform, ...]:
    """The platforms to pull, each once.

    Args:
        given: `--platform`, as often as it was given.
        default: the environment's DOCKER_DEFAULT_PLATFORM; empty counts as absent.
        host: taken where neither says anything; completes a lone `arm64` or `linux`, as docker's
            client has it.

    Raises:
        InvalidPlatform: in docker's words.
    """
    texts = list(given) or ([default] if default else [])
    try:
        found = [Platform.parse(text, host=host) for text in texts]
    except InvalidPlatform as error:
        where = () if given else ("it stands in DOCKER_DEFAULT_PLATFORM",)
        raise InvalidPlatform(
            f"{error.what}: invalid argument", mend=(*error.mend, *where)
        ) from error
    return tuple(dict.fromkeys(found)) or (host,)
