"""The registry's rules: a request in, a response out (distribution-spec, "Pull").

Read-only: whatever is not GET or HEAD is refused with 405. Errors have the specification's JSON
body and repeat nothing of the request. Manifests go out under the media type that they are stored
with, whatever the client accepts; the digest header is computed, never remembered.
"""

from __future__ import annotations

import dataclasses
import http
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from pinner.errors import PinnerError
from pinner.oci.mediatypes import OCI_INDEX
from pinner.serve.message import FileSlice, Request, Response
from pinner.serve.paging import next_link, page_of
from pinner.serve.ranges import Unsatisfiable, parse_range
from pinner.serve.routes import (
    BlobAt,
    Catalog,
    ManifestAt,
    Ping,
    Referrers,
    Refused,
    Route,
    TagList,
    Window,
    parse_target,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinner.oci.descriptor import Descriptor
    from pinner.serve.content import Content

_READS: Final = ("GET", "HEAD")
_JSON: Final = "application/json"
# Clients need not read an index of more than 4 MiB (distribution-spec, "Listing Referrers").
_REFERRERS_PAGE: Final = 256
_API_VERSION: Final = ("Docker-Distribution-Api-Version", "registry/2.0")
_NO_SNIFFING: Final = ("X-Content-Type-Options", "nosniff")


class App:
    """A read-only registry over `content`."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def handle(self, request: Request) -> Response:
        """The answer to one request; never raises for what a client or the content did."""
        if request.method not in _READS:
            return error_response(
                http.HTTPStatus.METHOD_NOT_ALLOWED,
                "UNSUPPORTED",
                "this registry is read-only",
                ("Allow", ", ".join(_READS)),
            )
        try:
            response = self._answer(parse_target(request.target), request)
        except Refused as refused:
            response = error_response(refused.status, refused.code, refused.message)
        except PinnerError:
            # What broke, and where on this machine, is no business of a client.
            response = error_response(
                http.HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN", "the store failed"
            )
        return for_method(response, request)

    def _answer(self, route: Route, request: Request) -> Response:
        match route:
            case Ping():
                return _json_response({})
            case TagList():
                return self._tags(route)
            case ManifestAt():
                return self._manifest(route)
            case BlobAt():
                return self._blob(route, request)
            case Referrers():
                return self._referrers(route)
            case Catalog():
                return self._catalog(route)

    def _tags(self, route: TagList) -> Response:
        tags = self._content.tags(route.name)
        if tags is None:
            raise _unknown_name()
        path, namespace = route.name.path, route.name.namespace
        page, *link = _page(tags, route.window, f"/v2/{path}/tags/list", {"ns": namespace})
        return _json_response({"name": path, "tags": page}, *link)

    def _catalog(self, route: Catalog) -> Response:
        names = self._content.repositories(route.namespace)
        page, *link = _page(names, route.window, "/v2/_catalog", {"ns": route.namespace})
        return _json_response({"repositories": page}, *link)

    def _referrers(self, route: Referrers) -> Response:
        """An index, be it empty, of what refers to the subject (distribution-spec, W08)."""
        found = self._content.referrers(route.name, route.subject)
        if found is None:
            raise _unknown_name()
        wanted = route.artifact_type
        by_digest = {str(item.digest): item for item in found if wanted in {"", item.artifact_type}}
        page, *link = _page(
            by_digest,
            Window(_REFERRERS_PAGE, route.last),
            f"/v2/{route.name.path}/referrers/{route.subject}",
            {"artifactType": wanted, "ns": route.name.namespace},
        )
        index = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [_descriptor_document(by_digest[digest]) for digest in page],
        }
        applied = [("OCI-Filters-Applied", "artifactType")] if wanted else []
        return _json_response(index, *applied, *link, media_type=OCI_INDEX)

    def _manifest(self, route: ManifestAt) -> Response:
        raw = self._content.manifest(route.name, route.reference)
        if raw is None:
            if self._content.tags(route.name) is None:
                raise _unknown_name()
            raise Refused(http.HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown")
        headers = [
            _API_VERSION,
            ("Content-Type", raw.media_type),
            ("Content-Length", str(len(raw.data))),
            ("Docker-Content-Digest", str(raw.digest)),
            _NO_SNIFFING,
        ]
        if raw.last_modified is not None:
            headers.append(("Last-Modified", formatdate(raw.last_modified, usegmt=True)))
        return Response(status=http.HTTPStatus.OK, headers=tuple(headers), body=raw.data)

    def _blob(self, route: BlobAt, request: Request) -> Response:
        blob = self._content.blob(route.name, route.digest)
        if blob is None:
            raise Refused(http.HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to repository")
        try:
            part = parse_range(_range_header(request), blob.size)
        except Unsatisfiable:
            return error_response(
                http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                "SIZE_INVALID",
                "the range lies outside the blob",
                ("Content-Range", f"bytes */{blob.size}"),
            )
        length = part.length if part else blob.size
        headers = (
            _API_VERSION,
            ("Content-Type", "application/octet-stream"),
            ("Content-Length", str(length)),
            ("Docker-Content-Digest", str(route.digest)),
            ("Accept-Ranges", "bytes"),
            *([("Content-Range", part.content_range)] if part else []),
        )
        return Response(
            status=http.HTTPStatus.PARTIAL_CONTENT if part else http.HTTPStatus.OK,
            headers=headers,
            body=FileSlice(path=blob.path, start=part.start if part else 0, length=length),
        )


def for_method(response: Response, request: Request) -> Response:
    """The response, without its body where only the head was asked for."""
    return dataclasses.replace(response, body=b"") if request.method == "HEAD" else response


def error_response(
    status: http.HTTPStatus, code: str, message: str, *headers: tuple[str, str]
) -> Response:
    """A refusal with the specification's JSON body."""
    errors = {"errors": [{"code": code, "message": message}]}
    return _json_response(errors, *headers, status=status)


def _page(
    items: Iterable[str], window: Window, path: str, parameters: Mapping[str, str]
) -> tuple[list[str], *tuple[tuple[str, str], ...]]:
    """A page of a list, and the header that leads to the next one, if there is one."""
    page, more = page_of(items, window)
    if not more:
        return (page,)
    count = {} if window.count is None else {"n": str(window.count)}
    return page, next_link(path, {**count, "last": page[-1], **parameters})


def _descriptor_document(descriptor: Descriptor) -> dict[str, object]:
    document: dict[str, object] = {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }
    if descriptor.artifact_type:
        document["artifactType"] = descriptor.artifact_type
    if descriptor.annotations:
        document["annotations"] = dict(descriptor.annotations)
    return document


def _json_response(
    value: object,
    *headers: tuple[str, str],
    status: http.HTTPStatus = http.HTTPStatus.OK,
    media_type: str = _JSON,
) -> Response:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(
        status=status,
        headers=(
            _API_VERSION,
            ("Content-Type", media_type),
            ("Content-Length", str(len(body))),
            _NO_SNIFFING,
            *headers,
        ),
        body=body,
    )


def _unknown_name() -> Refused:
    return Refused(http.HTTPStatus.NOT_FOUND, "NAME_UNKNOWN", "repository name not known")


def _range_header(request: Request) -> str:
    # Ranges are defined for GET alone. No validator is ever sent, so none can match in If-Range,
    # which means the whole (RFC 9110 13.1.5).
    if request.method != "GET" or "if-range" in request.headers:
        return ""
    return request.headers.get("range", "")
