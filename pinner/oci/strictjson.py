"""JSON from outside, read strictly: one text has one meaning, and no text costs too much.

The standard parser takes UTF-16, byte order marks, duplicate keys, NaN and 1e999, and is stopped by
deep nesting or long numbers with errors of its own. Here all of these are `MalformedJson`. Numbers
are integers: nothing that pinner reads has fractions.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, NoReturn

from pinner.errors import IntegrityError
from pinner.terminal import safe

SIZE_LIMIT: Final = 2**63
_DIGITS: Final = 20  # of 2**64, with a sign
_SHOWN: Final = 80


class MalformedJson(IntegrityError):  # noqa: N818 - a kind of document
    """Bytes that are not the JSON document that they should be."""

    code = "malformed-json"


def loads(data: bytes, limit: int) -> Any:
    """The value of a JSON document of at most `limit` bytes.

    Raises:
        MalformedJson: larger; not UTF-8, or with a byte order mark; a duplicate key; a number that
            is not an integer of at most 20 characters; nested too deeply; not JSON.
    """
    if len(data) > limit:
        raise MalformedJson(f"it has {len(data)} bytes, more than {limit}")
    if data.startswith(b"\xef\xbb\xbf"):
        raise MalformedJson("it starts with a byte order mark")
    try:
        return DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedJson(f"it is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise MalformedJson(f"it is not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise MalformedJson("it is nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise MalformedJson(f'the key "{safe(twice, limit=_SHOWN)}" is there twice')
    return value


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        _not_an_integer(text)
    return int(text)


def _not_an_integer(text: str) -> NoReturn:
    raise MalformedJson(f"{safe(text, limit=_SHOWN)} is not an integer of up to 20 digits")


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_not_an_integer,
    parse_constant=_not_an_integer,
)
"""Decodes text as strictly; its errors are the standard library's. Made once: it takes as long as a
small document."""
