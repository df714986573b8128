"""What each command says of its result, as the files of fixtures/output have it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pinner.archive import ArchivePlan, Image, plan_archive
from pinner.errors import IntegrityError, NotFound
from pinner.freshness import Kind, Stale
from pinner.lockfile import Lock
from pinner.oci.platform import Platform
from pinner.oci.runconfig import RunConfig, Step
from pinner.outcome import Failed
from pinner.output.archive import archive_fields, render_archive
from pinner.output.check import check_fields, render_check
from pinner.output.images import (
    Columns,
    NamedImage,
    images_fields,
    render_image_ids,
    render_images,
)
from pinner.output.inspect import Inspected, inspect_fields, render_inspect
from pinner.output.lock import lock_fields, render_lock
from pinner.output.naming import render_rm, render_tag, rm_fields, tag_fields
from pinner.output.prune import prune_fields, render_prune
from pinner.output.sync import render_sync, sync_fields
from pinner.output.verify import render_repair, render_verify, repair_fields, verify_fields
from pinner.resolve import Added, Changed, Kept, LockResult, Removed
from pinner.store.names import NamedDescriptor, member
from pinner.store.naming import NoSuchName, Tagged
from pinner.store.prune import Pruned, PrunedBlob
from pinner.store.sweeping import StalePartial
from pinner.store.verify import Fault, Finding, Report
from pinner.sync import Synced, SyncResult
from pinner.sync.repair import Broken, Repair, Unmended
from pinner.sync.result import Amount
from support.archiving import Built, built, index_over
from support.golden import expected, pretty
from support.outcomes import AMD64, ARM64, descriptor, digest, locked, stored

MB = 1_000_000
NOW = 1_795_514_400.0  # 2026-11-24T10:00:00Z
GONE = NotFound(
    "docker.io/library/postgres@sha256:0f9e is gone from the registry",
    where="https://registry-1.docker.io",
    mend="its tag 16 now names sha256:ddee",
)

NODE = locked("node", "22-alpine", 0xB6)
REDIS = locked("redis", "latest", 0x99)
APP = locked("app", None, 0xA1, AMD64, repository="registry.example:5000/team/app")
MANY = [Platform.parse(f"linux/{name}") for name in ("386", "amd64", "arm64", "ppc64le", "s390x")]

FIRST = LockResult(
    lock=Lock(images=(NODE, REDIS, APP)),
    outcomes=tuple(Added(name=image.name, image=image) for image in (NODE, REDIS, APP)),
)
LOCKS: dict[str, tuple[LockResult, list[str]]] = {
    "lock-first": (FIRST, ["images.lock"]),
    "lock-added": (FIRST, ["images.toml", "images.lock"]),
    "lock-changed": (
        LockResult(
            lock=Lock(images=(NODE, REDIS)),
            outcomes=(
                Changed(name="node", before=locked("node", "22.11.0", 0xC0), image=NODE),
                Changed(name="redis", before=locked("redis", "latest", 0x99, AMD64), image=REDIS),
                Changed(
                    name="web",
                    before=locked("web", "1", 0x11, repository="nginx"),
                    image=locked("web", "1", 0x22, repository="caddy"),
                ),
                Kept(name="app", image=APP),
                Removed(name="old", before=locked("old", "3", 0x33)),
            ),
        ),
        ["images.lock"],
    ),
    "lock-same": (
        LockResult(lock=Lock(images=(NODE,)), outcomes=(Kept(name="node", image=NODE),)),
        [],
    ),
    "lock-many-platforms": (
        LockResult(
            lock=Lock(images=(locked("node", "22", 0xB6, *MANY),)),
            outcomes=(Added(name="node", image=locked("node", "22", 0xB6, *MANY)),),
        ),
        ["images.lock"],
    ),
    "lock-failed": (
        LockResult(
            lock=None,
            outcomes=(
                Added(name="node", image=NODE),
                Failed(name="postgres", error=GONE),
                Removed(name="old", before=locked("old", "3", 0x33)),
            ),
        ),
        [],
    ),
    "lock-empty": (LockResult(lock=Lock(images=()), outcomes=()), ["images.lock"]),
}


@pytest.mark.parametrize("name", LOCKS)
def test_lock(name: str) -> None:
    result, wrote = LOCKS[name]
    text = render_lock(result, requests=len(result.outcomes), seconds=0.61, wrote=wrote)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(lock_fields(result, requests=len(result.outcomes), wrote=wrote))
    assert fields == expected(f"{name}.json", fields)


CHECKS: dict[str, tuple[Stale, ...] | None] = {
    "check-fresh": (),
    "check-unlocked": None,
    "check-stale": (
        Stale(name="node", kind=Kind.VERSION, what='node does not satisfy version ">=23"'),
        Stale(name="node", kind=Kind.PLATFORMS, what="node lacks linux/arm64"),
        Stale(name="old", kind=Kind.EXTRA, what="old is locked, but not in images.toml"),
    ),
    "check-one": (Stale(name="app", kind=Kind.MISSING, what="app is not locked"),),
}


@pytest.mark.parametrize("name", CHECKS)
def test_check(name: str) -> None:
    text = render_check(CHECKS[name], images=4)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(check_fields(CHECKS[name], images=4))
    assert fields == expected(f"{name}.json", fields)


def synced(name: str, number: int, *, before: bool = False) -> Synced:
    return Synced(
        name=name,
        reference=f"docker.io/library/{name}:1",
        digest=digest(number),
        platforms=(AMD64,),
        size=45 * MB,
        complete_before=before,
    )


SYNCS: dict[str, SyncResult] = {
    "sync-fetched": SyncResult(
        outcomes=tuple(synced(name, 1) for name in ("node", "python", "redis", "postgres")),
        fetched=Amount(blobs=41, size=262_400_000),
        shared=Amount(blobs=3, size=31 * MB),
    ),
    "sync-one": SyncResult(
        outcomes=(synced("node", 1),), fetched=Amount(blobs=1, size=999), shared=Amount()
    ),
    "sync-complete": SyncResult(
        outcomes=tuple(synced(name, 1, before=True) for name in ("node", "python")),
        fetched=Amount(),
        shared=Amount(blobs=44, size=293 * MB),
    ),
    "sync-complete-one": SyncResult(
        outcomes=(synced("node", 1, before=True),), fetched=Amount(), shared=Amount()
    ),
    "sync-named-only": SyncResult(
        outcomes=(synced("node", 1),), fetched=Amount(), shared=Amount(blobs=4, size=45 * MB)
    ),
    "sync-failed": SyncResult(
        outcomes=(synced("node", 1), Failed(name="postgres", error=GONE)),
        fetched=Amount(blobs=4, size=45 * MB),
        shared=Amount(),
        warnings=("node: the registry dropped the index sha256:1111",),
    ),
    "sync-all-failed": SyncResult(
        outcomes=(Failed(name="postgres", error=GONE),), fetched=Amount(), shared=Amount()
    ),
    "sync-nothing": SyncResult(outcomes=(), fetched=Amount(), shared=Amount()),
}


@pytest.mark.parametrize("name", SYNCS)
def test_sync(name: str) -> None:
    text = render_sync(SYNCS[name], requests=0, seconds=2.71)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(sync_fields(SYNCS[name], requests=0))
    assert fields == expected(f"{name}.json", fields)


BASE = descriptor(0x50, 29_100_000)
HOSTILE = "\x1b]52;c;eA==\x07\u202e"


def named(name: str, number: int, manifests: Any) -> NamedImage:
    return NamedImage(name=name, digest=digest(number), manifests=manifests)


IMAGES: dict[str, list[NamedImage]] = {
    "images-none": [],
    "images-some": [
        named(
            "docker.io/library/python:3.12-slim",
            0x1A,
            (
                stored(0x10, BASE, descriptor(0x51, 16 * MB)),
                stored(0x20, descriptor(0x52, 28 * MB), platform=ARM64, complete=False),
            ),
        ),
        named("registry.example:5000/team/app:stable", 0xA1, (stored(0x30, BASE),)),
        named(
            "docker.io/library/many:1", 0x4A, tuple(stored(0x60, BASE, platform=p) for p in MANY)
        ),
        named("docker.io/library/broken:1", 0xB0, IntegrityError("has other bytes")),
        named(f"foreign {HOSTILE}", 0xF0, (stored(0x70, platform=None),)),
    ],
}


@pytest.mark.parametrize("name", IMAGES)
def test_images(name: str) -> None:
    text = render_images(IMAGES[name], store="/cache/pinner/store", now=NOW)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(images_fields(IMAGES[name], store="/cache/pinner/store"))
    assert fields == expected(f"{name}.json", fields)


def test_images_with_digests_and_whole_ids() -> None:
    shape = Columns(digests=True, truncate=False)
    text = render_images(IMAGES["images-some"], store="/s", now=NOW, shape=shape)
    assert text == expected("images-wide.txt", text)


def test_images_quiet() -> None:
    text = render_image_ids([*IMAGES["images-some"], *IMAGES["images-some"]])
    assert text == expected("images-quiet.txt", text)


PRUNED: dict[str, Pruned] = {
    "prune-all": Pruned(
        names=(
            NamedDescriptor(name=f"foreign {HOSTILE}", descriptor=descriptor(0xF0, 1)),
            NamedDescriptor(
                name=f"docker.io/library/app@{digest(2)}",
                descriptor=member(descriptor(2, 1), digest(1)),
            ),
        ),
        blobs=(
            PrunedBlob(digest=digest(3), size=45 * MB),
            PrunedBlob(digest=digest(4), size=1500),
        ),
        partials=(StalePartial(name="put-0123", size=20),),
        leased=1,
    ),
    "prune-blob": Pruned(
        names=(), blobs=(PrunedBlob(digest=digest(3), size=45 * MB),), partials=()
    ),
    "prune-nothing": Pruned(names=(), blobs=(), partials=()),
    "prune-leased": Pruned(names=(), blobs=(), partials=(), leased=3),
}


@pytest.mark.parametrize("name", PRUNED)
def test_prune(name: str) -> None:
    text = render_prune(PRUNED[name], dry_run=False) + render_prune(PRUNED[name], dry_run=True)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(prune_fields(PRUNED[name], dry_run=False))
    assert fields == expected(f"{name}.json", fields)


TAGGED = Tagged(
    source="docker.io/library/app:1",
    target="registry.example:5000/app:stable",
    descriptor=descriptor(0xA1, 1),
    replaced=None,
)
TAGS = {"tag-new": TAGGED, "tag-moved": replace(TAGGED, replaced=descriptor(0xB1, 1))}


@pytest.mark.parametrize("name", TAGS)
def test_tag(name: str) -> None:
    text = render_tag(TAGS[name])
    assert text == expected(f"{name}.txt", text)
    fields = pretty(tag_fields(TAGS[name]))
    assert fields == expected(f"{name}.json", fields)


GONE_NAMES = {"rm-some": PRUNED["prune-all"].names, "rm-none": ()}


@pytest.mark.parametrize("name", GONE_NAMES)
def test_rm(name: str) -> None:
    text = render_rm(GONE_NAMES[name])
    assert text == expected(f"{name}.txt", text)
    fields = pretty(rm_fields(GONE_NAMES[name], [NoSuchName(HOSTILE)]))
    assert fields == expected(f"{name}.json", fields)


LABELS = {"org.opencontainers.image.version": "12.8", f"o{HOSTILE}": f"a\nb{HOSTILE}"}
RUN = RunConfig(
    author="somebody",
    user="1000",
    working_dir="/srv",
    entrypoint=("/entry point",),
    cmd=("serve", f"--name={HOSTILE}"),
    env=("PATH=/bin", f"SECRET={HOSTILE}"),
    ports=("80/tcp",),
    volumes=("/data",),
    stop_signal="SIGQUIT",
    healthcheck=("CMD", "true"),
    run_shell=("/bin/bash", "-c"),
    on_build=("RUN true",),
    diff_ids=(str(digest(0x77)),),
    history=(
        Step(created="2026-11-15T10:00:00Z", created_by="COPY a /a", comment="buildkit"),
        Step(created_by="CMD x", empty=True),
    ),
)
INSPECTED: dict[str, Inspected] = {
    "inspect-run": Inspected(
        name="app",
        reference="docker.io/library/app:latest",
        digest=digest(0x10),
        locked=False,
        platforms=((AMD64, digest(0x10), stored(0x10, BASE, run=RUN)),),
    ),
    "inspect-locked": Inspected(
        name="debian",
        reference="docker.io/library/debian:bookworm",
        digest=digest(0x1A),
        locked=True,
        platforms=(
            (AMD64, digest(0x10), stored(0x10, BASE, descriptor(0x51, 16 * MB), labels=LABELS)),
            (ARM64, digest(0x20), None),
        ),
    ),
    "inspect-stored": Inspected(
        name="app:stable",
        reference="docker.io/library/app:stable",
        digest=digest(0x30),
        locked=False,
        platforms=(
            (None, digest(0x30), stored(0x30, complete=False, created="1970-01-01T00:00:00Z")),
        ),
    ),
}


@pytest.mark.parametrize("name", INSPECTED)
def test_inspect(name: str) -> None:
    text = render_inspect(INSPECTED[name], now=NOW)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(inspect_fields(INSPECTED[name]))
    assert fields == expected(f"{name}.json", fields)


@pytest.mark.parametrize(
    "created", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-99-99", "1970-01-01T00:00:00Z"]
)
def test_what_is_no_date_is_not_shown(created: str) -> None:
    image = Inspected(
        name="x",
        reference="x",
        digest=digest(1),
        locked=False,
        platforms=((AMD64, digest(2), stored(2, created=created)),),
    )
    assert "created" not in render_inspect(image, now=NOW)


def finding(fault: Fault, what: str, *images: str) -> Finding:
    return Finding(fault=fault, what=what, path=Path("/store/blobs/x"), images=images)


REPORTS: dict[str, Report] = {
    "verify-sound": Report(blobs=44, size=293 * MB, images=4, findings=()),
    "verify-bad": Report(
        blobs=44,
        size=293 * MB,
        images=4,
        findings=(
            finding(
                Fault.CORRUPT,
                f"blob {digest(0x11)} has other bytes than its digest names",
                "docker.io/library/node:22",
                f"foreign {HOSTILE}",
            ),
            finding(Fault.CORRUPT, f"blob {digest(0x12)} has other bytes than its digest names"),
            finding(Fault.MISSING, f"blob {digest(0x13)} is missing", "docker.io/library/app:1"),
        ),
    ),
    "verify-unneeded": Report(
        blobs=1, size=1, images=0, findings=(finding(Fault.CORRUPT, "blob x has other bytes"),)
    ),
    "verify-stray": Report(
        blobs=1, size=1, images=1, findings=(finding(Fault.STRAY, "x is not named as a blob"),)
    ),
}


def broken(number: int, *images: str, is_corrupt: bool = True) -> Broken:
    return Broken(
        descriptor=descriptor(number, MB), is_corrupt=is_corrupt, repositories=(), images=images
    )


REPAIRS: dict[str, Repair] = {
    "repair-sound": Repair(mended=(), failed=(), report=REPORTS["verify-sound"]),
    "repair-all": Repair(
        mended=(
            broken(0x11, "docker.io/library/node:22", f"foreign {HOSTILE}"),
            broken(0x12, is_corrupt=False),
        ),
        failed=(),
        report=REPORTS["verify-sound"],
    ),
    "repair-some": Repair(
        mended=(broken(0x14, "docker.io/library/node:22"),),
        failed=(Unmended(broken=broken(0x13, "docker.io/library/app:1"), error=GONE),),
        report=REPORTS["verify-bad"],
    ),
    "repair-unneeded": Repair(mended=(), failed=(), report=REPORTS["verify-unneeded"]),
}


@pytest.mark.parametrize("name", REPAIRS)
def test_repair(name: str) -> None:
    text = render_repair(REPAIRS[name], seconds=1.2)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(repair_fields(REPAIRS[name]))
    assert fields == expected(f"{name}.json", fields)


@pytest.mark.parametrize("name", REPORTS)
def test_verify(name: str) -> None:
    text = render_verify(REPORTS[name], seconds=1.2)
    assert text == expected(f"{name}.txt", text)
    fields = pretty(verify_fields(REPORTS[name]))
    assert fields == expected(f"{name}.json", fields)


@pytest.mark.parametrize(
    "text",
    [
        render_images(IMAGES["images-some"], store=f"/tmp/{HOSTILE}", now=NOW),
        render_inspect(INSPECTED["inspect-locked"], now=NOW),
        render_inspect(INSPECTED["inspect-run"], now=NOW),
        render_verify(REPORTS["verify-bad"], seconds=1),
        render_repair(REPAIRS["repair-all"], seconds=1),
        render_prune(PRUNED["prune-all"], dry_run=False),
        render_rm(GONE_NAMES["rm-some"]),
    ],
    ids=["images", "inspect", "run", "verify", "repair", "prune", "rm"],
)
def test_O01_nothing_foreign_reaches_the_terminal_raw(text: str) -> None:
    assert "\\x1b]52" in text
    assert text.replace("\n", "").isprintable()


def archived(*images: tuple[str, tuple[Built, ...]]) -> ArchivePlan:
    return plan_archive(
        [
            Image(
                asked=name.rpartition("/")[2],
                name=name,
                members=tuple(image.member for image in found),
                index=index_over(*(image.entry for image in found)) if len(found) > 1 else None,
            )
            for name, found in images
        ]
    )


FOR_AMD64 = built("linux/amd64", b"shared", b"amd64")
PACKED = built("linux/arm64", b"packed", media_type="application/vnd.oci.image.layer.v1.tar+zstd")
ARCHIVES = {
    "archive-one": archived(("docker.io/library/app:1", (FOR_AMD64,))),
    "archive-several": archived(
        ("docker.io/library/app:1", (FOR_AMD64, built("linux/arm64", b"shared", b"arm64"))),
        ("registry.example/packed:2", (PACKED,)),
        ("registry.example/chart:3", (built("linux/amd64", b"chart", config=b"{}"),)),
    ),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archive(name: str) -> None:
    plan = ARCHIVES[name]
    text = render_archive(plan, wrote="images.tar")
    assert text == expected(f"{name}.txt", text)
    fields = pretty(archive_fields(plan, wrote="images.tar", left=[]))
    assert fields == expected(f"{name}.json", fields)
