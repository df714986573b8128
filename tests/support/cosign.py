"""Signatures as cosign keeps them in a registry, made and judged without pinner.

    shelf = Shelf(sim.content, "team/app")
    shelf.sign(digest, [signed(payload(digest), key)])        # the tag sha256-HEX.sig
    shelf.refer(digest, bundle(...))                          # a referrer of OCI 1.1
    judge(shelf, digest, key=key.public_key())                # "" or why cosign would refuse

Written from cosign's specs/SIGNATURE_SPEC.md and BUNDLE_SPEC.md. `judge` is no verifier to rely on:
it has the checks that tell the situations of section V of the fault catalogue apart.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.registry_content import OCI_CONFIG, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.registry_content import Content

PAYLOAD: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE: Final = "application/vnd.dsse.envelope.v1+json"
BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT: Final = "application/vnd.in-toto+json"
SIGNED_IMAGE: Final = "https://sigstore.dev/cosign/sign/v1"
_EMPTY: Final = "application/vnd.oci.empty.v1+json"
_SIGNATURE: Final = "dev.cosignproject.cosign/signature"
_CERTIFICATE: Final = "dev.sigstore.cosign/certificate"
_LOG: Final = "dev.sigstore.cosign/bundle"
_MOST: Final = 1000
_LARGEST: Final = 16 * 1024 * 1024
_NEVER: Final = "0001-01-01T00:00:00Z"

Key = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One layer of a signature's manifest.

    Attributes:
        size: what the descriptor says.
    """

    data: bytes
    annotations: dict[str, str] = field(default_factory=dict)
    media_type: str = PAYLOAD
    size: int = 0


def new_key() -> Key:
    """A key as `cosign generate-key-pair` makes it."""
    return ec.generate_private_key(ec.SECP256R1())


def payload(digest: str) -> bytes:
    """What is signed of an image: simple signing, as cosign writes it."""
    return _json(
        {
            "critical": {
                "identity": {"docker-reference": ""},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": None,
        }
    )


def signed(data: bytes, key: Key, **annotations: str) -> Signature:
    """A payload with its signature, and more annotations."""
    signature = base64.b64encode(key.sign(data, ec.ECDSA(hashes.SHA256()))).decode()
    return Signature(data=data, annotations={_SIGNATURE: signature, **annotations}, size=len(data))


def with_signature(signature: Signature, text: str) -> Signature:
    """The same with another text where the base64 stands."""
    return replace(signature, annotations={**signature.annotations, _SIGNATURE: text})


def sized(signature: Signature, size: int) -> Signature:
    """The same, said to have so many bytes."""
    return replace(signature, size=size)


def certified(
    data: bytes, key: Key, identity: str, *, days: int, logged: bytes | None = None
) -> Signature:
    """A payload signed without a key of one's own.

    Args:
        data: the payload.
        key: what was certified.
        identity: whom the certificate names.
        days: until it runs out; below 0: since.
        logged: what the log's entry is for, where there is one.
    """
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    ends = datetime.now(UTC) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=10))
        .not_valid_after(ends)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    annotations = {_CERTIFICATE: pem}
    if logged is not None:
        entry = {"spec": {"data": {"hash": {"value": hashlib.sha256(logged).hexdigest()}}}}
        body = base64.b64encode(_json(entry)).decode()
        annotations[_LOG] = _json({"Payload": {"body": body, "integratedTime": 1}}).decode()
    return signed(data, key, **annotations)


def attested(digest: str, key: Key, kind: str) -> Signature:
    """A signed in-toto statement of this kind about an image."""
    subject = [{"name": "", "digest": {"sha256": digest.partition(":")[2]}}]
    statement = _json({"predicateType": kind, "subject": subject, "predicate": {}})
    envelope = {
        "payloadType": STATEMENT,
        "payload": base64.b64encode(statement).decode(),
        "signatures": [
            {"sig": base64.b64encode(key.sign(_pae(statement), ec.ECDSA(hashes.SHA256()))).decode()}
        ],
    }
    data = _json(envelope)
    return Signature(data=data, media_type=ENVELOPE, size=len(data))


def bundled(envelope: Signature, checkpoint: str) -> Signature:
    """A sigstore bundle of an attestation, with a checkpoint of its log."""
    entry = {"inclusionProof": {"checkpoint": {"envelope": checkpoint}}}
    data = _json(
        {
            "mediaType": BUNDLE,
            "verificationMaterial": {"tlogEntries": [entry]},
            "dsseEnvelope": json.loads(envelope.data),
        }
    )
    return Signature(data=data, media_type=BUNDLE, size=len(data))


class Shelf:
    """Where the signatures of one repository's images are."""

    def __init__(self, content: Content, name: str) -> None:
        self.content = content
        self.name = name

    def sign(self, digest: str, signatures: Sequence[Signature], suffix: str = "sig") -> str:
        """Push signatures as `cosign sign` did up to version 2; the tag.

        The config has an image's type, and names no platform.
        """
        described = [self._layer(one) for one in signatures]
        config = _json(
            {
                "architecture": "",
                "created": _NEVER,
                "history": [{"created": _NEVER}] * len(signatures),
                "os": "",
                "rootfs": {"type": "layers", "diff_ids": [one["digest"] for one in described]},
                "config": {},
            }
        )
        tag = f"{digest.replace(':', '-')}.{suffix}"
        self._push({"config": self._blob(OCI_CONFIG, config), "layers": described}, tag)
        return tag

    def refer(self, digest: str, bundle: Signature) -> None:
        """Push a bundle as cosign does since version 3: a referrer of the image."""
        media_type, data = self.content.repository(self.name).manifests[digest]
        self._push(
            {
                "artifactType": bundle.media_type,
                "config": self._blob(_EMPTY, b"{}"),
                "layers": [self._layer(bundle)],
                "subject": {"mediaType": media_type, "digest": digest, "size": len(data)},
            }
        )

    def layers(self, digest: str) -> Iterator[dict[str, Any]]:
        """The signatures of an image, as their manifests describe them."""
        held = self.content.repository(self.name)
        for tag in (f"{digest.replace(':', '-')}.{suffix}" for suffix in ("sig", "att")):
            if tag in held.tags:
                yield from json.loads(held.manifests[held.tags[tag]][1])["layers"]
        for _, data in held.manifests.values():
            document = json.loads(data)
            if document.get("subject", {}).get("digest") == digest:
                yield from document["layers"]

    def read(self, described: dict[str, Any]) -> bytes:
        """The bytes of a signature's layer."""
        return self.content.repository(self.name).blobs[described["digest"]]

    def _layer(self, one: Signature) -> dict[str, Any]:
        return self._blob(one.media_type, one.data) | {
            "size": one.size,
            "annotations": one.annotations,
        }

    def _blob(self, media_type: str, data: bytes) -> dict[str, Any]:
        digest = self.content.add_blob(self.name, data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def _push(self, document: dict[str, Any], *tags: str) -> None:
        whole = _json({"schemaVersion": 2, "mediaType": OCI_MANIFEST, **document})
        self.content.add_manifest(self.name, whole, OCI_MANIFEST, tags)


def judge(shelf: Shelf, digest: str, *, key: PublicKey | None = None, identity: str = "") -> str:
    """Why no signature of an image is good; "" where one is.

    Args:
        shelf: where they are.
        digest: of the image, as images.lock has it.
        key: of whom it has to be.
        identity: whom a certificate has to name, if there is no key.
    """
    layers = list(shelf.layers(digest))
    if len(layers) > _MOST or any(layer["size"] > _LARGEST for layer in layers):
        return "too many or too large"
    reasons = [_judge_one(shelf, layer, digest, key, identity) for layer in layers]
    return min(reasons, key=bool, default="no signature")


def _judge_one(
    shelf: Shelf, layer: dict[str, Any], digest: str, key: PublicKey | None, identity: str
) -> str:
    data = shelf.read(layer)
    checks: dict[str, Callable[[], str]] = {
        PAYLOAD: lambda: _judge_payload(data, layer["annotations"], digest, key, identity),
        ENVELOPE: lambda: _judge_envelope(json.loads(data), digest, key),
        BUNDLE: lambda: _judge_bundle(json.loads(data), digest, key),
    }
    try:
        return checks[layer["mediaType"]]()
    except InvalidSignature:
        return "not signed with this key"
    except ValueError:
        return "malformed"


def _judge_payload(
    data: bytes, annotations: dict[str, str], digest: str, key: PublicKey | None, identity: str
) -> str:
    if key is None:
        certificate = x509.load_pem_x509_certificate(annotations[_CERTIFICATE].encode())
        if certificate.not_valid_after_utc < datetime.now(UTC):
            return "the certificate ran out"
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if names.get_values_for_type(x509.UniformResourceIdentifier) != [identity]:
            return "another identity"
        found = certificate.public_key()
        assert isinstance(found, ec.EllipticCurvePublicKey)
        key = found
    signature = base64.b64decode(annotations[_SIGNATURE], validate=True)
    key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    if _LOG in annotations:
        body = json.loads(base64.b64decode(json.loads(annotations[_LOG])["Payload"]["body"]))
        if body["spec"]["data"]["hash"]["value"] != hashlib.sha256(data).hexdigest():
            return "the log's entry is another artifact's"
    named = json.loads(data)["critical"]["image"]["docker-manifest-digest"]
    return "" if named == digest else f"signature is for {named}"


def _judge_envelope(envelope: dict[str, Any], digest: str, key: PublicKey | None) -> str:
    assert key is not None
    statement = base64.b64decode(envelope["payload"])
    for one in envelope["signatures"]:
        key.verify(base64.b64decode(one["sig"]), _pae(statement), ec.ECDSA(hashes.SHA256()))
    document = json.loads(statement)
    if document["predicateType"] != SIGNED_IMAGE:
        return "an attestation of another kind"
    subjects = [f"sha256:{subject['digest']['sha256']}" for subject in document["subject"]]
    return "" if subjects == [digest] else "an attestation of another image"


def _judge_bundle(bundle: dict[str, Any], digest: str, key: PublicKey | None) -> str:
    for entry in bundle["verificationMaterial"]["tlogEntries"]:
        _origin, size, *_rest = entry["inclusionProof"]["checkpoint"]["envelope"].split("\n")
        int(size)
    return _judge_envelope(bundle["dsseEnvelope"], digest, key)


def _pae(statement: bytes) -> bytes:
    """What DSSE signs."""
    return b"DSSEv1 %d %s %d %s" % (
        len(STATEMENT),
        STATEMENT.encode(),
        len(statement),
        statement,
    )


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
