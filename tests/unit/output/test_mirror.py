"""What `pinner mirror` says of its result, as the files of fixtures/output have it."""

from __future__ import annotations

import pytest

from pinner.errors import AccessDenied
from pinner.mirror import Mirrored, MirrorResult, Skipped
from pinner.oci.reference import Repository
from pinner.outcome import Failed
from pinner.output.mirror import mirror_fields, render_mirror
from pinner.sync.result import Amount
from support.golden import expected, pretty
from support.outcomes import digest

MB = 1_000_000
TARGET = "registry.example/mirror"


def mirrored(name: str, number: int, *, manifests: int = 3, tag: str | None = "1") -> Mirrored:
    return Mirrored(
        name=name,
        source=Repository.parse(name),
        repository=Repository.parse(f"{TARGET}/docker.io/library/{name}"),
        tag=tag,
        digests=(digest(number),),
        manifests=manifests,
        complete_before=not manifests,
    )


DENIED = AccessDenied("registry.example refused blob sha256:0f9e", mend="denied: quota exceeded")
MIRRORS = {"docker.io": f"{TARGET}/docker.io"}
RESULTS = {
    "mirror-first": MirrorResult(
        outcomes=(mirrored("node", 1), mirrored("redis", 2, manifests=1)),
        uploaded=Amount(blobs=11, size=262 * MB),
        mounted=Amount(blobs=2, size=31 * MB),
        present=Amount(blobs=1, size=5 * MB),
        fetched=Amount(blobs=4, size=30 * MB),
        mirrors=MIRRORS,
    ),
    "mirror-same": MirrorResult(
        outcomes=(mirrored("node", 1, manifests=0), mirrored("redis", 2, manifests=0)),
        mirrors=MIRRORS,
    ),
    "mirror-one-same": MirrorResult(outcomes=(mirrored("node", 1, manifests=0),), mirrors=MIRRORS),
    "mirror-failed": MirrorResult(
        outcomes=(
            mirrored("node", 1),
            Failed(name="redis", error=DENIED),
            Skipped(name="web", reason="it comes from registry.example itself"),
        ),
        uploaded=Amount(blobs=1, size=500),
        warnings=("a and b are locked to different digests of x:1: that tag is not written",),
    ),
    "mirror-all-failed": MirrorResult(outcomes=(Failed(name="redis", error=DENIED),)),
    "mirror-dry-run": MirrorResult(
        outcomes=(
            mirrored("node", 1),
            mirrored("redis", 2, manifests=1, tag=None),
            mirrored("web", 3, manifests=0),
        ),
        uploaded=Amount(blobs=11, size=262 * MB),
        mounted=Amount(blobs=2, size=31 * MB),
        mirrors=MIRRORS,
        dry_run=True,
    ),
    "mirror-nothing": MirrorResult(outcomes=()),
}


@pytest.mark.parametrize("name", RESULTS)
def test_mirror(name: str) -> None:
    result = RESULTS[name]
    wrote = ["images.toml"] if name == "mirror-first" else []
    text = render_mirror(result, target=TARGET, requests=214, seconds=9.2, wrote=wrote)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(mirror_fields(result, target=TARGET, requests=214, wrote=wrote))
    assert fields == expected(f"{name}.json", fields)


def test_what_is_not_written_is_printed() -> None:
    lines = '[registries."docker.io"]\nmirrors = ["registry.example/mirror/docker.io"]\n'
    text = render_mirror(
        RESULTS["mirror-first"], target=TARGET, requests=1, seconds=0, by_hand=lines
    )
    assert text.endswith(f"For images.toml:\n{lines}")
