"""From an answer to a manifest: bytes, their digest, and what the headers say of them.

The digest is computed from the bytes. `Docker-Content-Digest` is a hint that many registries leave
out and some get wrong (registries.md 2.1, 3); it is only used where there are no bytes (HEAD).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import IntegrityError, ProtocolError
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.oci.mediatypes import without_parameters
from pinner.oci.sources import RawManifest
from pinner.registry.dates import http_date
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.registry.reply import Reply

_MARKUP = frozenset({"text/html", "application/xhtml+xml"})


def read_manifest(reply: Reply, wanted: Digest | None) -> RawManifest:
    """The manifest that an answer (200) carries; closes it.

    Args:
        reply: to a GET.
        wanted: what its bytes must hash to; None for a tag, where any bytes will do.

    Raises:
        IntegrityError: more than 4 MiB, other bytes than `wanted`, or encoded on the way.
        ProtocolError: a web page.
        Unavailable: the body broke off.
    """
    with reply:
        host = reply.url.origin.authority
        media_type = without_parameters(reply.headers.get("content-type", ""))
        if media_type in _MARKUP:
            raise ProtocolError(
                f"{host} answered with a web page ({media_type}) instead of a manifest",
                where=str(reply.url),
                mend="a proxy, or a network that wants a login in the browser, may be in between",
            )
        data = reply.read(MANIFEST_LIMIT + 1)
        if len(data) > MANIFEST_LIMIT:
            raise IntegrityError(f"{host} sent a manifest of more than 4 MiB", where=str(reply.url))
        digest = Digest.of(data) if wanted is None else _checked(data, wanted, reply)
        encoding = content_encoding(reply)
        if encoding and wanted is None:
            raise IntegrityError(
                f"{host} sent the manifest encoded ({encoding}), so its digest cannot be known",
                where=str(reply.url),
            )
        return RawManifest(
            media_type=media_type,
            digest=digest,
            data=data,
            last_modified=last_modified(reply),
        )


def stated_digest(reply: Reply) -> Digest | None:
    """What `Docker-Content-Digest` says, if it is there and is a digest."""
    try:
        return Digest.parse(reply.headers.get("docker-content-digest", "").strip())
    except InvalidDigest:
        return None


def last_modified(reply: Reply) -> float | None:
    """What `Last-Modified` says, in seconds since the epoch, if it is there and is a date."""
    return http_date(reply.headers.get("last-modified", ""))


def content_encoding(reply: Reply) -> str:
    """How somebody encoded the body although nobody asked for that; "" where nobody did."""
    value = reply.headers.get("content-encoding", "").strip().lower()
    return "" if value == "identity" else safe(value, limit=40)


def _checked(data: bytes, wanted: Digest, reply: Reply) -> Digest:
    hasher = wanted.hasher()
    hasher.update(data)
    found = Digest(wanted.algorithm, hasher.hexdigest())
    if found == wanted:
        return wanted
    encoding = content_encoding(reply)
    how = f", encoded on the way ({encoding})" if encoding else ""
    raise IntegrityError(
        f"{reply.url.origin.authority} sent other bytes than were asked for{how}: "
        f"they hash to {found}, not to {wanted}",
        where=str(reply.url),
    )
