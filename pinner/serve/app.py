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
from pinner.serve.message import FileSlice, Request, Response
from pinner.serve.ranges import Unsatisfiable, parse_range
from pinner.serve.routes import BlobAt, ManifestAt, Ping, Refused, Route, TagList, parse_target

if TYPE_CHECKING:
    from pinner.serve.content import Content

_READS: Final = ("GET", "HEAD")
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
        return dataclasses.replace(response, body=b"") if request.method == "HEAD" else response

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

    def _tags(self, route: TagList) -> Response:
        tags = self._content.tags(route.name)
        if tags is None:
            raise _unknown_name()
        page, more = tag_page(tags, count=route.count, last=route.last)
        link = (
            f'</v2/{route.name}/tags/list?n={route.count}&last={page[-1]}>; rel="next"'
            if more
            else ""
        )
        body = {"name": route.name, "tags": page}
        return _json_response(body, *([("Link", link)] if link else []))

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


def tag_page(tags: tuple[str, ...], *, count: int | None, last: str) -> tuple[list[str], bool]:
    """The tags after `last` in lexical order, at most `count`, and whether more follow.

    `last` need not be a tag that (still) exists. The order is the specification's: alphanumeric,
    without regard to case; tags that differ in case alone have a fixed order too.
    """

    def key(tag: str) -> tuple[str, str]:
        return tag.lower(), tag

    ordered = sorted(tags, key=key)
    rest = [tag for tag in ordered if key(tag) > key(last)] if last else ordered
    page = rest if count is None else rest[:count]
    return page, bool(page) and len(page) < len(rest)


def error_response(
    status: http.HTTPStatus, code: str, message: str, *headers: tuple[str, str]
) -> Response:
    """A refusal with the specification's JSON body."""
    errors = {"errors": [{"code": code, "message": message}]}
    return _json_response(errors, *headers, status=status)


def _json_response(
    value: object, *headers: tuple[str, str], status: http.HTTPStatus = http.HTTPStatus.OK
) -> Response:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(
        status=status,
        headers=(
            _API_VERSION,
            ("Content-Type", "application/json"),
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
