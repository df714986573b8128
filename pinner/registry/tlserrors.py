"""What a failed TLS handshake means, in the user's words."""

from __future__ import annotations

import ssl
from typing import Final

from pinner.errors import Unavailable
from pinner.terminal import safe

# OpenSSL's X509_V_ERR_* numbers (openssl-verification-options(1)).
_EXPIRED: Final = 10
_NOT_YET_VALID: Final = 9
_SELF_SIGNED: Final = frozenset({18, 19})
_UNKNOWN_ISSUER: Final = frozenset({2, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})


def tls_failure(error: Exception, *, host: str, peer: str) -> Unavailable:
    """The failure of a handshake with `peer`, which was to prove that it is `host`.

    Only what may go away by itself is transient: certificates and plain-http servers are not.
    """
    if isinstance(error, TimeoutError):
        return Unavailable(f"{peer} did not finish the TLS handshake in time")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _lasting(_certificate_fault(error, host))
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return _lasting(
            Unavailable(
                f"{peer} does not speak TLS",
                mend=f'for a registry that speaks plain http: [registries."{peer}"] '
                "plain-http = true",
            )
        )
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    said = safe((reason or str(error) or type(error).__name__).lower().replace("_", " "))
    failure = Unavailable(f"the TLS handshake with {peer} failed: {said}")
    alert = isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
    return _lasting(failure) if alert else failure


def _certificate_fault(error: ssl.SSLCertVerificationError, host: str) -> Unavailable:
    code = error.verify_code
    if code == _EXPIRED:
        return Unavailable(f"the TLS certificate of {host} has expired")
    if code == _NOT_YET_VALID:
        return Unavailable(
            f"the TLS certificate of {host} is not valid yet", mend="is the clock right?"
        )
    if code in _WRONG_NAME:
        return Unavailable(f"the TLS certificate that {host} shows is for another name")
    mend = f'to trust its authority: [registries."{host}"] ca-file = "…", or certs.d'
    if code in _SELF_SIGNED:
        return Unavailable(
            f"the TLS certificate of {host} is self-signed or its authority is", mend=mend
        )
    if code in _UNKNOWN_ISSUER:
        return Unavailable(
            f"the TLS certificate of {host} comes from an authority that this machine "
            "does not trust",
            mend=mend,
        )
    said = safe(error.verify_message or str(error))
    return Unavailable(f"the TLS certificate of {host} was refused: {said}")


def _lasting(failure: Unavailable) -> Unavailable:
    failure.transient = False
    return failure
