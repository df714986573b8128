"""Failures of a pull in docker's words, with ours below them (pure).

docker's texts are those of moby's distribution package (facts/registries.md section 5). An error
keeps its class, so that its exit code does not depend on how it is worded. What docker has no words
for keeps pinner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.errors import AccessDenied, IntegrityError, NotFound, PinnerError, RateLimited
from pinner.oci.manifest import MalformedManifest, NoSuchPlatform

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Reference

_NO_LOGIN: Final = "no basic auth credentials"
_NAME_UNKNOWN: Final = "name unknown"
_OR_LOGIN: Final = "does not exist, or may require a login"


def in_dockers_words(error: PinnerError, reference: Reference) -> PinnerError:
    """A failure to find what a reference, or the tags of a repository, names.

    Args:
        error: from the registry, or anything else that went wrong.
        reference: what was asked for; without tag and digest, the list of tags.
    """
    match error:
        case NotFound():
            lone = reference.tag is None and reference.digest is None
            if lone or error.cause.startswith(_NAME_UNKNOWN):
                what = f"repository {reference.repository.familiar()} not found"
            else:
                what = f"manifest for {reference.familiar()} not found"
            return _worded(error, _caused(what, error.cause))
        case AccessDenied() if error.cause == _NO_LOGIN:
            return _worded(error, _NO_LOGIN, error.what)
        case AccessDenied():
            name = reference.repository.familiar()
            what = (
                f"pull access denied for {name}, "
                "repository does not exist or may require 'docker login'"
            )
            return _worded(error, _caused(what, error.cause), error.what)
        case RateLimited() if error.cause:
            return _worded(error, error.cause, error.what)
        case _:
            return error


def verification_failed(error: IntegrityError, what: str, digest: Digest) -> IntegrityError:
    """`what` (a manifest, an image config, a filesystem layer) came with other bytes."""
    below = f"{error.where}: {error.what}" if error.where else error.what
    return IntegrityError(
        f"{what} verification failed for digest {digest}", mend=(below, *error.mend)
    )


def no_matching_manifest(error: NoSuchPlatform, platform: Platform) -> NoSuchPlatform:
    """An index has no image for a platform; the mend lists what there is."""
    return NoSuchPlatform(
        f"no matching manifest for {platform} in the manifest list entries", mend=error.mend
    )


def other_platform(reference: Reference, wanted: Platform, offered: Platform) -> NoSuchPlatform:
    """A lone image is for another platform; docker warns, and takes it."""
    return NoSuchPlatform(
        f"image with reference {reference.familiar()} was found but its platform ({offered}) "
        f"does not match the specified platform ({wanted})",
        mend=f"--platform {offered} takes it as it is",
    )


def unsupported(media_type: str) -> MalformedManifest:
    """What a reference names is an artifact: a chart, a signature, an attestation."""
    return MalformedManifest(
        f"unsupported media type {media_type}",
        mend="it is an artifact and no container image; its own tool fetches it",
    )


def schema1_removed(reference: Reference) -> MalformedManifest:
    """What a reference names has docker's first format."""
    return MalformedManifest(
        "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been "
        f"removed. Suggest the author of {reference.familiar()} to upgrade the image to the OCI "
        "Format or Docker Image manifest v2, schema 2. More information at "
        "https://docs.docker.com/go/deprecated-image-specs/"
    )


def _caused(what: str, cause: str) -> str:
    return f"{what}: {cause}" if cause else what


def _worded(error: PinnerError, what: str, *below: str) -> PinnerError:
    """The same failure with docker's head; lines that repeat it are left out."""
    lines = (*below, *error.mend)
    kept = [line for line in dict.fromkeys(lines) if not _repeats(line, what)]
    return type(error)(what, mend=tuple(kept))


def _repeats(line: str, what: str) -> bool:
    said = line.lower().replace("_", " ")
    return said in what.lower() or (said.endswith(_OR_LOGIN) and "docker login" in what)
