"""What `pinner pull` answers, as the files of fixtures/output have it."""

from __future__ import annotations

import pytest

from pinner.errors import NotFound
from pinner.oci.reference import Reference
from pinner.outcome import Failed
from pinner.output.pull import pull_fields, render_names
from pinner.pull import Pulled, PullResult, Skipped
from pinner.sync.result import Amount
from support.golden import expected, pretty
from support.outcomes import AMD64, ARM64, descriptor, digest

MB = 1_000_000
BASE, OWN = descriptor(0xB0, 29 * MB), descriptor(0x01, 3 * MB)


def pulled(name: str, *, up_to_date: bool = False) -> Pulled:
    return Pulled(
        name=name,
        reference=f"docker.io/library/{name}",
        digest=digest(0xF0),
        platforms={AMD64: digest(0xA1), ARM64: digest(0xA2)},
        layers=(BASE, OWN),
        fetched=frozenset() if up_to_date else frozenset({OWN.digest, digest(0xC0)}),
        size=32 * MB,
        up_to_date=up_to_date,
    )


RESULTS = {
    "pull-several": PullResult(
        outcomes=(
            pulled("debian:bookworm"),
            pulled("alpine:3.20", up_to_date=True),
            Failed(name="nope:1", error=NotFound("manifest for nope:1 not found", mend="look")),
            Skipped(name="app:sha256-ab.sig", reason="unsupported media type x/y"),
        ),
        pulled=tuple(map(Reference.parse, ("debian:bookworm", "alpine:3.20", "app"))),
        fetched=Amount(blobs=2, size=3 * MB),
        shared=Amount(blobs=4, size=61 * MB),
        warnings=("a warning",),
    ),
    "pull-none": PullResult(outcomes=(), pulled=(), fetched=Amount(), shared=Amount()),
}


@pytest.mark.parametrize("name", RESULTS)
def test_pull(name: str) -> None:
    text = render_names(RESULTS[name])
    assert text == expected(f"{name}.txt", text)
    fields = pretty(pull_fields(RESULTS[name], requests=7))
    assert fields == expected(f"{name}.json", fields)
