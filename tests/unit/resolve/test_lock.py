"""Resolving: which entries are asked for, what is kept, and what a failure leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError, NotFound
from pinner.lockfile import Lock, dumps
from pinner.oci.memory import MemorySource
from pinner.oci.platform import Platform
from pinner.outcome import Failed
from pinner.resolve import Changed, Kept, LockResult, lock_images
from pinner.spec import parse_spec
from support.images import Image, attested, image, index, push

if TYPE_CHECKING:
    from pinner.errors import PinnerError
    from pinner.lockfile import LockedImage

AMD64 = Platform.parse("linux/amd64")
ARM64 = Platform.parse("linux/arm64")


@pytest.fixture
def registry() -> MemorySource:
    return MemorySource()


def lock(
    spec: str, registry: MemorySource | None, previous: Lock | None = None, *, jobs: int = 4
) -> LockResult:
    def open_registry() -> MemorySource:
        assert registry is not None, "the registry was opened"
        return registry

    parsed = parse_spec(spec.encode(), path="images.toml", base=Path())
    return lock_images(parsed, previous, open_registry, jobs=jobs)


def whole(result: LockResult) -> Lock:
    assert result.lock is not None, result.outcomes
    return result.lock


def only(result: LockResult) -> LockedImage:
    (locked,) = whole(result).images
    return locked


def failure(result: LockResult) -> PinnerError:
    assert result.lock is None
    (error,) = [outcome.error for outcome in result.outcomes if isinstance(outcome, Failed)]
    return error


def test_a_new_entry_is_one_manifest_request(registry: MemorySource) -> None:
    raw = push(registry, "debian:bookworm", index("linux/amd64", "linux/arm64"))
    locked = only(lock('[images]\ndebian = "debian:bookworm"', registry))
    assert (locked.tag, locked.digest) == ("bookworm", raw.digest)
    assert set(locked.platforms) == {AMD64, ARM64}
    assert dict(registry.counts) == {"manifest": 1}


def test_what_is_locked_and_satisfies_the_spec_asks_nothing(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", index("linux/amd64"))
    spec = '[images]\ndebian = "debian:bookworm"'
    first = whole(lock(spec, registry))
    second = lock(spec, None, first)
    assert second.outcomes == (Kept(name="debian", image=first.images[0]),)
    assert not second.changed


def test_a_tag_that_moved_does_not_move_its_pin(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", index("linux/amd64"))
    spec = '[images]\ndebian = "debian:bookworm"'
    first = whole(lock(spec, registry))
    push(registry, "debian:bookworm", index(image("linux/amd64", created="2026-02-02T00:00:00Z")))
    assert whole(lock(spec, registry, first)) == first


def test_a_hundred_new_entries_are_a_hundred_manifest_requests(registry: MemorySource) -> None:
    lines = ["[images]"]
    for number in range(100):
        push(registry, f"team/app{number}:1", index("linux/amd64"))
        lines.append(f'app{number} = "team/app{number}:1"')
    whole(lock("\n".join(lines), registry))
    assert dict(registry.counts) == {"manifest": 100}


def test_entries_of_one_reference_share_one_request(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", index("linux/amd64"))
    whole(lock('[images]\na = "debian:bookworm"\nb = "debian:bookworm"', registry))
    assert registry.counts["manifest"] == 1


def test_a_changed_wish_of_platforms_keeps_the_pin(registry: MemorySource) -> None:
    old = push(registry, "debian:bookworm", index("linux/amd64", "linux/arm64"))
    first = whole(lock('[images]\ndebian = "debian:bookworm"', registry))
    push(registry, "debian:bookworm", index(image("linux/amd64", created="2026-02-02T00:00:00Z")))
    spec = '[settings]\nplatforms = ["linux/arm64"]\n[images]\ndebian = "debian:bookworm"'
    locked = only(lock(spec, registry, first))
    assert locked.digest == old.digest
    assert set(locked.platforms) == {ARM64}


def test_a_pin_that_is_gone_says_how_to_lock_anew(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", index("linux/amd64", "linux/arm64"))
    first = whole(lock('[images]\ndebian = "debian:bookworm"', registry))
    spec = '[settings]\nplatforms = ["linux/arm64"]\n[images]\ndebian = "debian:bookworm"'
    error = failure(lock(spec, MemorySource(), first))
    assert isinstance(error, NotFound)
    assert "take its table out of images.lock" in str(error)


def test_another_tag_is_resolved(registry: MemorySource) -> None:
    push(registry, "node:20", index("linux/amd64"))
    new = push(registry, "node:22", index(image("linux/amd64", created="2026-02-02T00:00:00Z")))
    first = whole(lock('[images]\nnode = "node:20"', registry))
    (outcome,) = lock('[images]\nnode = "node:22"', registry, first).outcomes
    assert isinstance(outcome, Changed)
    assert outcome.image.digest == new.digest


def test_a_version_takes_the_newest_tag_of_its_variant(registry: MemorySource) -> None:
    for tag in ("22.9.0-alpine", "22.11.0-alpine", "22-alpine", "23.1.0-alpine", "22.12.0"):
        push(registry, f"node:{tag}", index("linux/amd64"))
    spec = '[images]\nnode = { image = "node", version = ">=22,<23", variant = "alpine" }'
    assert only(lock(spec, registry)).tag == "22.11.0-alpine"
    assert dict(registry.counts) == {"tags": 1, "manifest": 1}


def test_a_version_that_no_tag_satisfies_is_an_error(registry: MemorySource) -> None:
    push(registry, "node:20.1.0", index("linux/amd64"))
    error = failure(lock('[images]\nnode = { image = "node", version = ">=22" }', registry))
    assert isinstance(error, InputError)
    assert "none of the 1 tags of node" in str(error)


def test_an_entry_with_a_digest_is_locked_as_it_is(registry: MemorySource) -> None:
    old = push(registry, "debian:bookworm", index("linux/amd64"))
    push(registry, "debian:bookworm", index(image("linux/amd64", created="2026-02-02T00:00:00Z")))
    locked = only(lock(f'[images]\ndebian = "debian:bookworm@{old.digest}"', registry))
    assert (locked.tag, locked.digest) == ("bookworm", old.digest)


def test_one_failure_leaves_no_lock_but_every_outcome(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", index("linux/amd64"))
    result = lock('[images]\ngone = "gone:1"\ndebian = "debian:bookworm"', registry)
    assert result.lock is None
    assert [type(outcome).__name__ for outcome in result.outcomes] == ["Failed", "Added"]


def test_what_the_spec_no_longer_names_is_removed(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", index("linux/amd64"))
    first = whole(lock('[images]\na = "debian:bookworm"\nb = "debian:bookworm"', registry))
    result = lock('[images]\na = "debian:bookworm"', None, first)
    assert [type(outcome).__name__ for outcome in result.outcomes] == ["Kept", "Removed"]
    assert [locked.name for locked in whole(result).images] == ["a"]


@pytest.mark.parametrize(
    ("pushed", "platforms", "message"),
    [
        pytest.param(
            index("linux/amd64", "linux/arm64"),
            ["linux/s390x"],
            "linux/amd64, linux/arm64",
            id="M23 an index lists what there is",
        ),
        pytest.param(
            image("linux/amd64"),
            ["linux/s390x"],
            "is one image for linux/amd64",
            id="M24 a single manifest says what it is for",
        ),
    ],
)
def test_a_platform_that_is_not_there(
    registry: MemorySource, pushed: Image, platforms: list[str], message: str
) -> None:
    push(registry, "debian:bookworm", pushed)
    spec = f"[settings]\nplatforms = {platforms}\n[images]\ndebian = 'debian:bookworm'"
    error = failure(lock(spec, registry))
    assert error.exit_code == 2
    assert message in str(error)


def test_M21_attestations_are_no_platforms(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", attested("linux/amd64"))
    assert set(only(lock('[images]\ndebian = "debian:bookworm"', registry)).platforms) == {AMD64}


def test_M24_a_single_manifest_takes_its_platform_from_its_config(registry: MemorySource) -> None:
    raw = push(registry, "debian:bookworm", image("linux/arm64"))
    locked = only(lock('[images]\ndebian = "debian:bookworm"', registry))
    assert dict(locked.platforms) == {ARM64: raw.digest}


def test_an_index_without_images_is_refused(registry: MemorySource) -> None:
    push(registry, "debian:bookworm", index())
    assert "index without images" in str(
        failure(lock('[images]\ndebian = "debian:bookworm"', registry))
    )


def test_L16_the_order_of_answers_leaves_no_trace(registry: MemorySource) -> None:
    lines = ["[images]"]
    for number in range(20):
        push(registry, f"team/app{number}:1", index("linux/amd64", "linux/arm64"))
        lines.append(f'app{number} = "team/app{number}:1"')
    texts = {dumps(whole(lock("\n".join(lines), registry, jobs=jobs))) for jobs in (1, 2, 8, 16)}
    assert len(texts) == 1
