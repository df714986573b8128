"""Which part of the pull API a request target names (distribution-spec, "Endpoints").

    /v2/                              Ping
    /v2/<name>/manifests/<reference>  ManifestAt
    /v2/<name>/blobs/<digest>         BlobAt
    /v2/<name>/tags/list?n=&last=     TagList

A target is checked by the specification's grammar before anything is looked up, so that no path
of a request can become a path of the disk.
"""

from __future__ import annotations

import http
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.grammar import is_path, is_tag

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTENT: Final = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<last>[^/]+)")
_TAGS: Final = re.compile(r"/v2/(?P<name>.+)/tags/list")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_PARAMETERS_LIMIT: Final = 16


@dataclass(frozen=True, slots=True)
class Ping:
    """Is this a registry?"""


@dataclass(frozen=True, slots=True)
class ManifestAt:
    """The manifest of a tag or digest."""

    name: str
    reference: str | Digest


@dataclass(frozen=True, slots=True)
class BlobAt:
    """A blob."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags after `last`, at most `count` of them."""

    name: str
    count: int | None
    last: str


Route = Ping | ManifestAt | BlobAt | TagList


class Refused(Exception):  # noqa: N818 - what happened to the request
    """The target names nothing that is served.

    Attributes:
        status: 400 where no registry could answer, 404 where this one does not.
        code: the specification's error code.
        message: for a person; holds nothing of the request.
    """

    def __init__(self, status: http.HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def parse_target(target: str) -> Route:
    """The route that a request target names.

    Raises:
        Refused: it names none.
    """
    path, _, query = target.partition("?")
    # Some clients write the colon of a digest as %3A. No other escape can be part of a name, tag
    # or digest, so none is decoded: `..%2f` stays what it is and fails the grammar.
    path = path.replace("%3A", ":").replace("%3a", ":")
    if path in {"/v2", "/v2/"}:
        return Ping()
    if content := _CONTENT.fullmatch(path):
        name = _checked_name(content["name"])
        if content["kind"] == "blobs":
            return BlobAt(name, _checked_digest(content["last"]))
        return ManifestAt(name, _tag_or_digest(content["last"]))
    if tags := _TAGS.fullmatch(path):
        return _tag_list(_checked_name(tags["name"]), query)
    raise Refused(http.HTTPStatus.NOT_FOUND, "UNSUPPORTED", "this registry has no such endpoint")


def _checked_name(name: str) -> str:
    if not is_path(name):
        raise Refused(http.HTTPStatus.BAD_REQUEST, "NAME_INVALID", "invalid repository name")
    return name


def _checked_digest(text: str) -> Digest:
    try:
        return Digest.parse(text)
    except InvalidDigest:
        raise Refused(
            http.HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", "invalid or unsupported digest"
        ) from None


def _tag_or_digest(text: str) -> str | Digest:
    if ":" in text:
        return _checked_digest(text)
    if not is_tag(text):
        raise Refused(http.HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown")
    return text


def _tag_list(name: str, query: str) -> TagList:
    try:
        parameters = dict(parse_qsl(query, max_num_fields=_PARAMETERS_LIMIT))
    except ValueError:
        parameters = {"n": "too many parameters"}
    return TagList(name, _count(parameters), parameters.get("last", ""))


def _count(parameters: Mapping[str, str]) -> int | None:
    text = parameters.get("n")
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Refused(
            http.HTTPStatus.BAD_REQUEST, "PAGINATION_NUMBER_INVALID", "invalid number of tags"
        )
    return int(text)
