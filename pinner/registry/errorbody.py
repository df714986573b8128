"""What an error answer says, in one safe line.

Registries answer errors with the specification's JSON (distribution-spec, "Error Codes"), with
other JSON, plain text, HTML or XML (facts/registries.md 2.3). All of it is foreign text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from pinner.oci.mediatypes import without_parameters
from pinner.terminal import safe

LIMIT: Final = 64 * 1024
_SHOWN: Final = 500
_ERRORS_SHOWN: Final = 3
_MARKUP: Final = ("text/html", "application/xhtml+xml", "application/xml", "text/xml")
_KILO: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """The body of an error answer.

    Attributes:
        codes: the specification's codes (`MANIFEST_UNKNOWN`), in order; often none.
        text: what it says, safe to print and at most about 500 characters; "" if nothing.
        cause: its first error as docker words it, `manifest unknown: manifest unknown`; as safe.
        raw: the whole text as it came, for those who look for a number in it; never printed.
    """

    codes: tuple[str, ...] = ()
    text: str = ""
    cause: str = ""
    raw: str = ""


def read_error(content_type: str, data: bytes) -> ErrorBody:
    """What the first 64 KiB of an error answer say."""
    data = data[:LIMIT]
    raw = data.decode("utf-8", "replace")
    if not raw.strip():
        return ErrorBody()
    media_type = without_parameters(content_type)
    stripped = raw.lstrip()
    if stripped.startswith("{"):
        found = _from_json(raw)
        if found is not None:
            return found
    if media_type in _MARKUP or stripped.startswith("<"):
        return ErrorBody(text=f"{_named(media_type)}, {_size(len(data))}", raw=raw)
    return ErrorBody(text=safe(" ".join(raw.split()), limit=_SHOWN), raw=raw)


def _from_json(raw: str) -> ErrorBody | None:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    errors = document.get("errors")
    listed = errors if isinstance(errors, list) else []
    entries = [entry for entry in listed if isinstance(entry, dict)]
    if entries:
        codes = tuple(safe(code) for entry in entries if (code := _text(entry, "code")))
        said = [_said(entry) for entry in entries[:_ERRORS_SHOWN]]
        text = "; ".join(part for part in said if part)
        return ErrorBody(
            codes=codes,
            text=safe(text, limit=_SHOWN),
            cause=safe(_cause(entries[0]), limit=_SHOWN),
            raw=raw,
        )
    for key in ("details", "message", "error_description", "error"):
        if text := _text(document, key):
            return ErrorBody(text=safe(text, limit=_SHOWN), raw=raw)
    return None


def _said(entry: dict[str, Any]) -> str:
    code, message = _text(entry, "code"), _text(entry, "message")
    detail = entry.get("detail")
    text = ": ".join(part for part in (code, message) if part)
    return f"{text} ({detail})" if isinstance(detail, str) and detail else text


def _cause(entry: dict[str, Any]) -> str:
    code = _text(entry, "code").lower().replace("_", " ")
    return ": ".join(part for part in (code, _text(entry, "message")) if part)


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _named(media_type: str) -> str:
    return safe(media_type, limit=60) or "markup"


def _size(count: int) -> str:
    return f"{count} bytes" if count < _KILO else f"{round(count / _KILO)} KB"
