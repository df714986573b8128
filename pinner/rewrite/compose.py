"""Compose files (compose-spec): services and what they mount, variables filled in.

services:
  web:
    image: ${WEB_IMAGE:-nginx:1.27}     not where `build` is there: then it names the output
    build:
      dockerfile_inline: FROM …         read as a Dockerfile
      additional_contexts:
        base: docker-image://alpine:3
    volumes:
      - {type: image, source: alpine:3}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.oci.platform import InvalidPlatform, Platform
from pinner.rewrite.dockerfile import find_images as find_in_dockerfile
from pinner.rewrite.interpolation import CannotInterpolate, Interpolated, interpolate
from pinner.rewrite.model import Reason
from pinner.rewrite.yamlsearch import FILLED_IN, TEMPLATE, Search, search
from pinner.rewrite.yamlspans import read_documents

if TYPE_CHECKING:
    from pinner.rewrite.located import Located
    from pinner.rewrite.model import Found
    from pinner.rewrite.page import Page
    from pinner.rewrite.yamlspans import Node

_SCHEME: Final = "docker-image://"
_LONGEST_INLINE: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, and the image that it runs.

    Attributes:
        image: what `image` names; None where there is none, or where it names what is built.
    """

    name: str
    image: Found | None


def find_services(page: Page) -> tuple[Service, ...]:
    """The services of a compose file, in its order.

    Raises:
        NotYaml: it cannot be read.
    """
    services: dict[str, Service] = {}
    for root in read_documents(page.data):
        looking = Search(page)
        for name, service in looking.items(looking.get(root, "services")):
            own = Search(page)
            if not _is_built(own, service):
                platform = _platform(own.plain(own.get(service, "platform")))
                _image(own, own.get(service, "image"), platform=platform)
            services[name] = Service(name=name, image=next(iter(own.found()), None))
    return tuple(services.values())


def find_images(page: Page) -> tuple[Found, ...]:
    """What a compose file names."""
    return search(page, _document)


def _document(looking: Search, root: Node) -> None:
    for _, service in looking.items(looking.get(root, "services")):
        if not _is_built(looking, service):
            platform = _platform(looking.plain(looking.get(service, "platform")))
            _image(looking, looking.get(service, "image"), platform=platform)
        else:
            _build(looking, looking.get(service, "build"))
        for volume in looking.elements(looking.get(service, "volumes")):
            if looking.plain(looking.get(volume, "type")) == "image":
                _image(looking, looking.get(volume, "source"))


def _is_built(looking: Search, service: Node) -> bool:
    build = looking.get(service, "build")
    return build is not None and looking.plain(build) not in {"null", "~"}


def _build(looking: Search, build: Node | None) -> None:
    inline = looking.get(build, "dockerfile_inline")
    text = looking.text(inline, limit=_LONGEST_INLINE)
    if inline is not None and text is not None:
        _dockerfile(looking, inline, text)
    contexts = looking.get(build, "additional_contexts")
    for _, context in looking.items(contexts):
        _image(looking, context, scheme=_SCHEME)
    for context in looking.elements(contexts):
        name, equals, _ = looking.plain(context).partition("=")
        _image(looking, context, scheme=f"{name}{equals}{_SCHEME}")


def _image(
    looking: Search, node: Node | None, *, scheme: str = "", platform: Platform | None = None
) -> None:
    text = looking.text(node)
    if node is None or text is None or "$" not in text.text or TEMPLATE.search(text.text):
        looking.image(node, scheme=scheme, template=TEMPLATE, platform=platform)
    elif text.text.startswith(scheme):
        written = text[len(scheme) :].strip("\n \t")
        told = _interpolated(looking, node, written)
        if told is not None and told.unset:
            why = f"{told.unset[0]} has no default here, so only who runs it knows its value"
            mend = f"write ${{{told.unset[0]}:-…}} or add `# pinner: ignore`"
            looking.skip(node, written, Reason.NO_DEFAULT, why, mend)
        elif told is not None and told.text.text:
            looking.place(node, told.text, written=written, platform=platform)


def _interpolated(looking: Search, node: Node, written: Located) -> Interpolated | None:
    try:
        return interpolate(written)
    except CannotInterpolate as error:
        reason = Reason.NO_DEFAULT if "demands" in str(error) else Reason.UNSUPPORTED
        looking.skip(node, written, reason, str(error))
        return None


def _dockerfile(looking: Search, node: Node, text: Located) -> None:
    """A Dockerfile within; compose fills in its own variables first, unknown ones with nothing."""
    if "{{" in text.text:
        looking.skip(node, text[:0], Reason.TEMPLATE, FILLED_IN)
        return
    told = _interpolated(looking, node, text)
    if told is None:
        return
    for number, found in enumerate(find_in_dockerfile(told.text, looking.page)):
        looking.add(node.start + number, found)


def _platform(text: str) -> Platform | None:
    try:
        return Platform.parse(text) if text else None
    except InvalidPlatform:
        return None
