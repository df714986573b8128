"""A BuildKit source policy (moby/buildkit sourcepolicy/pb/policy.proto, as JSON).

{"rules": [{"action": "CONVERT",
            "selector": {"identifier": "docker-image://docker.io/library/alpine:latest"},
            "updates": {"identifier": "docker-image://docker.io/library/alpine:latest@sha256:…"}}]}

buildx reads it from the file that EXPERIMENTAL_BUILDKIT_SOURCE_POLICY names, buildctl from
`--source-policy-file`. BuildKit compares with the whole name: registry and `library/` written out,
`latest` where no tag is given. So:

- an entry by digest alone has no rule: what names it is pinned already;
- a reference that has a digest is none of a rule's: what a file pins, stays;
- of several rules for one name the first would win, so there is only one.

The selector's match type is left at its default, since old BuildKits convert nothing by EXACT; a
name has none of the characters that are wildcards to it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.export.model import Rendered
from pinner.oci.reference import Reference

if TYPE_CHECKING:
    from pinner.export.model import Wish
    from pinner.lockfile import LockedImage

_SCHEME: Final = "docker-image://"


def render_policy(wish: Wish) -> Rendered:
    """The policy: one rule for each tag, by name.

    Raises:
        InputError: two entries lock one tag to different digests, or an image is not locked for
            the platform.
    """
    rules: dict[str, tuple[str, LockedImage]] = {}
    notes: list[str] = []
    for image in wish.images:
        digest = wish.digest_of(image)
        if image.tag is None:
            notes.append(f"{image.name} has no tag: what names its digest needs no rule")
            continue
        source = Reference(image.repository, image.tag)
        target = f"{_SCHEME}{source.with_digest(digest)}"
        known = rules.setdefault(f"{_SCHEME}{source}", (target, image))
        if known[0] != target:
            raise InputError(
                f"{known[1].name} and {image.name} lock {source.familiar()} to different digests, "
                "and a policy can have only one",
                where="images.lock",
                mend=f"name the entries to export: `pinner export {image.name} …`",
            )
    document = {
        "rules": [
            {
                "action": "CONVERT",
                "selector": {"identifier": source},
                "updates": {"identifier": rules[source][0]},
            }
            for source in sorted(rules)
        ]
    }
    names = tuple(image.name for image in wish.images if image.tag is not None)
    return Rendered(text=json.dumps(document, indent=2) + "\n", names=names, notes=tuple(notes))
