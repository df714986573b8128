"""Which part of the pull API a request target names (distribution-spec, "Endpoints").

    /v2/                                        Ping
    /v2/<name>/manifests/<reference>            ManifestAt
    /v2/<name>/blobs/<digest>                   BlobAt
    /v2/<name>/tags/list?n=&last=               TagList
    /v2/<name>/referrers/<digest>?artifactType= Referrers
    /v2/_catalog?n=&last=                       Catalog

Each of them takes `?ns=`, the registry that a mirror is asked for. A target is checked by the
specification's grammar before anything is looked up, so that no path of a request can become a
path of the disk.
"""

from __future__ import annotations

import http
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.grammar import fold_registry, is_path, is_registry, is_tag
from pinner.serve.names import Name

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTENT: Final = re.compile(
    r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|referrers)/(?P<last>[^/]+)"
)
_TAGS: Final = re.compile(r"/v2/(?P<name>.+)/tags/list")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_PARAMETERS_LIMIT: Final = 16


@dataclass(frozen=True, slots=True)
class Window:
    """A page of a list: what comes after `last`, at most `count` items; None for all."""

    count: int | None = None
    last: str = ""


@dataclass(frozen=True, slots=True)
class Ping:
    """Is this a registry?"""


@dataclass(frozen=True, slots=True)
class ManifestAt:
    """The manifest of a tag or digest."""

    name: Name
    reference: str | Digest


@dataclass(frozen=True, slots=True)
class BlobAt:
    """A blob."""

    name: Name
    digest: Digest


@dataclass(frozen=True, slots=True)
class TagList:
    """A page of a repository's tags."""

    name: Name
    window: Window


@dataclass(frozen=True, slots=True)
class Referrers:
    """What refers to a manifest, of one artifact type where one is given."""

    name: Name
    subject: Digest
    artifact_type: str
    last: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """A page of the repositories, of one registry where one is given."""

    namespace: str
    window: Window


Route = Ping | ManifestAt | BlobAt | TagList | Referrers | Catalog


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
    if path == "/v2/_catalog":
        parameters = _parameters(query)
        return Catalog(_namespace(parameters), _window(parameters))
    if content := _CONTENT.fullmatch(path):
        parameters = _parameters(query)
        name = _checked_name(content["name"], parameters)
        if content["kind"] == "blobs":
            return BlobAt(name, _checked_digest(content["last"]))
        if content["kind"] == "manifests":
            return ManifestAt(name, _tag_or_digest(content["last"]))
        subject = _checked_digest(content["last"])
        wanted = parameters.get("artifactType", "")
        return Referrers(name, subject, wanted, parameters.get("last", ""))
    if tags := _TAGS.fullmatch(path):
        parameters = _parameters(query)
        return TagList(_checked_name(tags["name"], parameters), _window(parameters))
    raise Refused(http.HTTPStatus.NOT_FOUND, "UNSUPPORTED", "this registry has no such endpoint")


def _checked_name(path: str, parameters: Mapping[str, str]) -> Name:
    if not is_path(path):
        raise _invalid_name()
    return Name(path, _namespace(parameters))


def _namespace(parameters: Mapping[str, str]) -> str:
    text = parameters.get("ns", "")
    if text and not is_registry(text):
        raise _invalid_name()
    return fold_registry(text)


def _invalid_name() -> Refused:
    return Refused(http.HTTPStatus.BAD_REQUEST, "NAME_INVALID", "invalid repository name")


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


def _parameters(query: str) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(query, max_num_fields=_PARAMETERS_LIMIT))
    except ValueError:
        raise Refused(http.HTTPStatus.BAD_REQUEST, "UNSUPPORTED", "too many parameters") from None


def _window(parameters: Mapping[str, str]) -> Window:
    text = parameters.get("n")
    if text is not None and not _NUMBER.fullmatch(text):
        raise Refused(
            http.HTTPStatus.BAD_REQUEST, "PAGINATION_NUMBER_INVALID", "invalid number of results"
        )
    return Window(None if text is None else int(text), parameters.get("last", ""))
