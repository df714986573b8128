"""Secrets that a bug's message may quote never reach the output."""

from __future__ import annotations

import pytest

from pinner.output.redact import redact

CANARY = "s3cr3t-c4n4ry"


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{CANARY}@r.example/v2/",
        f"GET https://cdn.example/blob?X-Amz-Signature={CANARY}&x=1 failed",
        f"https://cdn.example/blob#{CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"{{'authorization': 'Bearer {CANARY}'}}",
        f"{{'authorization': 'Basic {CANARY}'}}",
        f"[(b'Authorization', b'Basic {CANARY}')]",
        f"Headers({{'cookie': '{CANARY}'}})",
        f'{{"identitytoken": "{CANARY}"}}',
        f"password={CANARY}",
        f"{{'auth': '{CANARY}'}}",
    ],
)
def test_A20_secrets_are_taken_out(text: str) -> None:
    assert CANARY not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://r.example/v2/library/debian/manifests/bookworm: 503",
        "KeyError: 'sha256:0f9e8d7c6b5a'",
        "/home/user@host/images.toml",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text
