"""An override for a compose file: its services with the images that they shall run, pinned.

services:
  web:
    image: "nginx:1.27@sha256:…"

It is laid over the compose file (`docker compose -f compose.yaml -f FILE up`), as what `docker
compose config --lock-image-digests` writes. Only services whose image an entry of images.toml means
are in it; which one that is, is decided as `pinner rewrite` does. A name keeps its spelling.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.export.model import Rendered
from pinner.rewrite.compose import find_services
from pinner.rewrite.matching import Matcher, Refused
from pinner.rewrite.model import Skipped
from pinner.rewrite.page import Page
from pinner.rewrite.yamlspans import NotYaml
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.export.model import Wish
    from pinner.rewrite.matching import Wanted
    from pinner.rewrite.model import Occurrence

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)  # compose-spec.json
_SHOWN: Final = 80


def render_override(wish: Wish) -> Rendered:
    """The override, with services in the order of the compose file.

    Raises:
        InputError: there is no compose file, or it cannot be read.
    """
    if wish.compose is None:
        raise InputError("an override is for a compose file: name it by --compose FILE")
    matcher = Matcher(wish.spec, wish.lock, platform=wish.platform)
    lines: list[str] = []
    notes: list[str] = []
    names: dict[str, None] = {}
    try:
        services = find_services(Page(wish.compose))
    except NotYaml as error:
        raise InputError(f"the compose file cannot be read: {error}") from error
    for service in services:
        found = service.image
        if found is None:
            continue
        if not _NAME.fullmatch(service.name):
            raise InputError(f'"{safe(service.name, limit=_SHOWN)}" cannot be a service of compose')
        if isinstance(found, Skipped):
            notes.append(f"{service.name} is left out: {found.why}")
            continue
        match = matcher.match(found)
        if isinstance(match, Refused):
            notes.append(f"{service.name} is left out: {match.why}")
        elif not wish.names or match.name in wish.names:
            names[match.name] = None
            image = json.dumps(_image(found, match))
            lines.append(f"  {json.dumps(service.name)}:\n    image: {image}\n")
    text = f"services:\n{''.join(lines)}" if lines else "services: {}\n"
    return Rendered(text=text, names=tuple(names), notes=tuple(notes))


def _image(place: Occurrence, match: Wanted) -> str:
    """The reference, pinned, with the name as the file spells it."""
    name = place.reference.text.partition("@")[0]
    colon = name.rfind(":", name.rfind("/") + 1)
    tag = f":{match.tag}" if match.tag is not None else ""
    return f"{name if colon < 0 else name[:colon]}{tag}@{match.digest}"
