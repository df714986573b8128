"""Failures in docker's words: the table of facts/registries.md section 5."""

from __future__ import annotations

import pytest

from pinner.errors import (
    AccessDenied,
    IntegrityError,
    NotFound,
    PinnerError,
    RateLimited,
    RegistryError,
    Unavailable,
)
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.pull.words import in_dockers_words, verification_failed

PERHAPS = "it does not exist, or may require a login"
LIMIT = (
    "toomanyrequests: You have reached your pull rate limit. You may increase the limit by "
    "authenticating and upgrading: https://www.docker.com/increase-rate-limit"
)


def caused(error: RegistryError, cause: str) -> RegistryError:
    error.cause = cause
    return error


@pytest.mark.parametrize(
    ("error", "name", "what", "mend"),
    [
        pytest.param(
            caused(
                NotFound("x was not found", mend=("MANIFEST_UNKNOWN: manifest unknown", PERHAPS)),
                "manifest unknown: manifest unknown",
            ),
            "debian:nope",
            "manifest for debian:nope not found: manifest unknown: manifest unknown",
            (PERHAPS,),
            id="tag missing",
        ),
        pytest.param(
            NotFound("x was not found", mend=PERHAPS),
            "registry.example:5000/app:1",
            "manifest for registry.example:5000/app:1 not found",
            (PERHAPS,),
            id="tag missing, without a reason",
        ),
        pytest.param(
            caused(NotFound("x", mend=PERHAPS), "name unknown: repository name not known"),
            "registry.example/app:1",
            "repository registry.example/app not found: name unknown: repository name not known",
            (PERHAPS,),
            id="name unknown",
        ),
        pytest.param(
            NotFound("the tags of app were not found"),
            "app",
            "repository app not found",
            (),
            id="no tag list",
        ),
        pytest.param(
            caused(
                AccessDenied("r refused app: 403 forbidden", mend=("DENIED: no", PERHAPS)),
                "denied: no",
            ),
            "app:1",
            "pull access denied for app, repository does not exist or may require 'docker login': "
            "denied: no",
            ("r refused app: 403 forbidden",),
            id="denied",
        ),
        pytest.param(
            AccessDenied("r refused the login found in f", mend="renew the login"),
            "app:1",
            "pull access denied for app, repository does not exist or may require 'docker login'",
            ("r refused the login found in f", "renew the login"),
            id="a login was refused",
        ),
        pytest.param(
            caused(
                AccessDenied("r wants a login", mend="docker login r"),
                _NO := "no basic auth credentials",
            ),
            "app:1",
            _NO,
            ("r wants a login", "docker login r"),
            id="no login",
        ),
        pytest.param(
            caused(RateLimited("r answered 429", mend=(LIMIT.upper(), "wait")), LIMIT),
            "app:1",
            LIMIT,
            ("r answered 429", "wait"),
            id="rate limit",
        ),
        pytest.param(
            RateLimited("r answered 429"), "app:1", "r answered 429", (), id="429 without words"
        ),
        pytest.param(
            Unavailable("no connection"), "app:1", "no connection", (), id="docker has no words"
        ),
    ],
)
def test_words(error: PinnerError, name: str, what: str, mend: tuple[str, ...]) -> None:
    worded = in_dockers_words(error, Reference.parse(name))
    assert (worded.what, worded.mend) == (what, mend)
    assert type(worded) is type(error)


def test_other_bytes_than_the_digest_names() -> None:
    digest = Digest.of(b"x")
    error = IntegrityError("r sent other bytes", where="https://r/v2", mend="look")
    worded = verification_failed(error, "filesystem layer", digest)
    assert worded.what == f"filesystem layer verification failed for digest {digest}"
    assert worded.mend == ("https://r/v2: r sent other bytes", "look")
