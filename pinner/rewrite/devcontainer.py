"""devcontainer.json: `image`, where nothing is built and no compose file is named.

Features are no images. `${localEnv:NAME:default}` is filled in by the editor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.rewrite.jsonspans import NotJson, read_json, read_string
from pinner.rewrite.model import Reason, Skipped
from pinner.rewrite.yamlsearch import FILLED_IN, VARIABLE
from pinner.rewrite.yamlspans import Mapping, Scalar
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.rewrite.model import Found
    from pinner.rewrite.page import Page

_ELSEWHERE: Final = frozenset({"build", "dockerFile", "dockerComposeFile"})


def find_images(page: Page) -> tuple[Found, ...]:
    """What a devcontainer.json names."""
    try:
        root = read_json(page.source)
    except NotJson as error:
        line, why = page.line(error.offset), safe(str(error), limit=200)
        return (Skipped(text="", line=line, reason=Reason.UNSUPPORTED, why=why),)
    if not isinstance(root, Mapping) or _ELSEWHERE & root.values.keys():
        return ()
    if "image" in root.doubled:
        key = root.doubled["image"]
        why = 'the key "image" is there twice'
        written = page.source[key.start : key.end]
        return (page.skip(written, Reason.UNSUPPORTED, why, "leave one of them out"),)
    image = root.values.get("image")
    if not isinstance(image, Scalar) or not image.style:
        return ()
    text = read_string(page.source, image)
    if VARIABLE.search(text.text):
        return (page.skip(text, Reason.TEMPLATE, FILLED_IN),)
    return (page.place(text),) if text.text else ()
