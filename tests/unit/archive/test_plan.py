"""What an archive names, what goes along, and that it depends on nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.archive import ArchivePlan, Image, plan_archive
from pinner.archive.plan import File, StoredBlob
from pinner.errors import InputError
from pinner.oci import mediatypes
from support.archiving import ATTESTATION, Built, built, index_over

if TYPE_CHECKING:
    from pinner.oci.manifest import Index
    from pinner.oci.sources import RawManifest

AMD64 = built("linux/amd64", b"shared", b"amd64")
ARM64 = built("linux/arm64", b"shared", b"arm64")
OTHER = built("linux/amd64", b"shared", b"other")
BOTH = index_over(AMD64.entry, ARM64.entry)
ATTESTED = index_over(AMD64.entry, ARM64.entry, ATTESTATION)
TAG = "docker.io/library/app:1"
NAMES = {
    "org.opencontainers.image.ref.name": TAG,
    "io.containerd.image.name": TAG,
}


def image(*found: Built, name: str = TAG, index: tuple[RawManifest, Index] | None = None) -> Image:
    return Image(asked=name, name=name, members=tuple(each.member for each in found), index=index)


def document(plan: ArchivePlan, name: str) -> Any:
    (file,) = [entry for entry in plan.entries if isinstance(entry, File) and entry.name == name]
    return json.loads(file.data)


def named(plan: ArchivePlan) -> list[tuple[str, str]]:
    """Names and digests of index.json."""
    return [
        (entry["annotations"]["org.opencontainers.image.ref.name"], entry["digest"])
        for entry in document(plan, "index.json")["manifests"]
    ]


def test_a_lone_manifest_is_named_as_it_is() -> None:
    plan = plan_archive([image(AMD64)])
    assert document(plan, "oci-layout") == {"imageLayoutVersion": "1.0.0"}
    assert document(plan, "index.json") == {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_INDEX,
        "manifests": [
            {
                "mediaType": mediatypes.OCI_MANIFEST,
                "digest": str(AMD64.digest),
                "size": len(AMD64.raw.data),
                "annotations": NAMES,
            }
        ],
    }


def test_an_index_of_which_everything_goes_along_is_named_itself() -> None:
    assert named(plan_archive([image(AMD64, ARM64, index=BOTH)])) == [(TAG, str(BOTH[0].digest))]


@pytest.mark.parametrize("index", [BOTH, ATTESTED], ids=["a platform", "an attestation too"])
def test_of_an_index_that_lacks_something_one_platform_is_named(
    index: tuple[RawManifest, Index],
) -> None:
    plan = plan_archive([image(ARM64, index=index)])
    assert named(plan) == [(TAG, str(ARM64.digest))]
    assert index[0].digest in {blob.digest for blob in plan.blobs}


def test_several_platforms_of_an_index_that_lacks_something_get_an_index_of_their_own() -> None:
    plan = plan_archive([image(ARM64, AMD64, index=ATTESTED)])
    ((name, digest),) = named(plan)
    made = document(plan, f"blobs/{digest.replace(':', '/')}")
    assert name == TAG
    assert made == {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_INDEX,
        "manifests": [AMD64.entry, ARM64.entry],
    }
    assert ATTESTED[0].digest in {blob.digest for blob in plan.blobs}


def test_an_index_that_was_never_here_leaves_its_manifests() -> None:
    ((_, digest),) = named(plan_archive([image(AMD64, ARM64)]))
    assert digest == named(plan_archive([image(AMD64, ARM64, index=ATTESTED)]))[0][1]


def test_a_name_by_digest_stands_for_what_has_the_digest() -> None:
    repository = "docker.io/library/app"
    name = f"{repository}@{ATTESTED[0].digest}"
    assert named(plan_archive([image(AMD64, ARM64, name=name, index=ATTESTED)])) == sorted(
        (f"{repository}@{found.digest}", str(found.digest)) for found in (AMD64, ARM64)
    )
    whole = f"{repository}@{BOTH[0].digest}"
    assert named(plan_archive([image(AMD64, ARM64, name=whole, index=BOTH)])) == [
        (whole, str(BOTH[0].digest))
    ]


def test_docker_gets_paths_and_full_tags() -> None:
    plan = plan_archive([image(AMD64)])
    config, *layers = AMD64.member.manifest.blobs()
    assert document(plan, "manifest.json") == [
        {
            "Config": f"blobs/sha256/{config.digest.hex}",
            "RepoTags": [TAG],
            "Layers": [f"blobs/sha256/{layer.digest.hex}" for layer in layers],
        }
    ]


def test_docker_gets_one_image_with_all_of_its_tags() -> None:
    plan = plan_archive([image(AMD64), image(AMD64, name="docker.io/library/alias:2")])
    (only,) = document(plan, "manifest.json")
    assert only["RepoTags"] == ["docker.io/library/alias:2", TAG]
    assert len(named(plan)) == 2


def test_docker_tells_of_images_by_their_tags_and_of_those_without_at_last() -> None:
    names = [
        f"docker.io/library/app@{AMD64.digest}",
        "docker.io/library/b:1",
        "docker.io/library/a:1",
    ]
    found = zip((AMD64, ARM64, OTHER), names, strict=True)
    plan = plan_archive([image(each, name=name) for each, name in found])
    tags = [entry["RepoTags"] for entry in document(plan, "manifest.json")]
    assert tags == [["docker.io/library/a:1"], ["docker.io/library/b:1"], None]


@pytest.mark.parametrize("name", [f"docker.io/library/app@{AMD64.digest}", "app", "ünïcode: name"])
def test_what_has_no_tag_has_none_for_docker(name: str) -> None:
    (only,) = document(plan_archive([image(AMD64, name=name)]), "manifest.json")
    assert only["RepoTags"] is None


def test_docker_gets_the_first_platform() -> None:
    for found in ((AMD64, ARM64), (ARM64, AMD64)):
        (only,) = document(plan_archive([image(*found, index=BOTH)]), "manifest.json")
        assert only["Config"].endswith(found[0].member.manifest.config.digest.hex)


def test_docker_gets_no_artifact() -> None:
    chart = built("linux/amd64", b"chart", config=b"{}")
    plan = plan_archive([image(chart)])
    assert [entry.name for entry in plan.entries[-2:]] == ["index.json", "oci-layout"]
    assert plan.images[0].image.docker is None
    beside = plan_archive([image(chart), image(OTHER, name="docker.io/library/other:1")])
    assert [entry["RepoTags"] for entry in document(beside, "manifest.json")] == [
        ["docker.io/library/other:1"]
    ]


def test_another_tools_name_is_not_given_to_containerd() -> None:
    (entry,) = document(plan_archive([image(AMD64, name="app")]), "index.json")["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "app"}


def test_blobs_are_there_once_and_sorted_before_the_names() -> None:
    plan = plan_archive([image(AMD64), image(OTHER, name="docker.io/library/other:1")])
    names = [entry.name for entry in plan.entries]
    assert names == [*sorted(names[:-3]), "index.json", "manifest.json", "oci-layout"]
    assert len(names) == len(set(names)) == 2 * 2 + 3 + 3
    assert plan.blobs == tuple(e for e in plan.entries if isinstance(e, StoredBlob))


@given(st.permutations([AMD64, ARM64, OTHER]), st.data())
def test_whatever_order_they_are_named_in_the_archive_is_the_same(
    found: list[Built], data: st.DataObject
) -> None:
    images = [image(each, name=f"registry.example/{each.digest.hex[:9]}:1") for each in found]
    images += [image(AMD64, ARM64, index=ATTESTED)] * 2
    shuffled = data.draw(st.permutations(images))
    assert plan_archive(shuffled) == plan_archive(images)


def test_two_images_cannot_have_one_name() -> None:
    with pytest.raises(InputError, match="are different images"):
        plan_archive([image(AMD64), image(OTHER)])
