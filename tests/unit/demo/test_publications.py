from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.demo.publications import PLATFORMS, Publication, first_publications, rebuilt_debian
from pinner.oci.manifest import Index, Manifest, parse_manifest, select
from pinner.oci.mediatypes import DOCKER_LIST

if TYPE_CHECKING:
    from pinner.oci.platform import Platform

FIRST = {f"{one.repository}:{one.tag}": one for one in first_publications()}


def index_of(publication: Publication) -> Index:
    parsed = parse_manifest(publication.image.manifest)
    assert isinstance(parsed, Index)
    return parsed


def layers_of(name: str, platform: Platform) -> list[str]:
    wanted = select(index_of(FIRST[name]), platform).digest
    (image,) = [one for one in FIRST[name].image.images if one.digest == wanted]
    parsed = parse_manifest(image.manifest)
    assert isinstance(parsed, Manifest)
    return [str(layer.digest) for layer in parsed.layers]


def test_every_image_is_for_both_platforms() -> None:
    for publication in (*FIRST.values(), rebuilt_debian()):
        assert index_of(publication).platforms() == PLATFORMS


def test_the_app_stands_on_debians_layer() -> None:
    for platform in PLATFORMS:
        assert layers_of("team/app:stable", platform)[:1] == layers_of("debian:bookworm", platform)


def test_redis_stands_on_alpines_layer() -> None:
    tags = [name for name in FIRST if name.startswith("redis:")]
    assert len(tags) == 3
    for tag in tags:
        base = layers_of("alpine:3.20", PLATFORMS[0])
        assert layers_of(tag, PLATFORMS[0])[:1] == base


def test_alpine_has_dockers_media_types() -> None:
    assert FIRST["alpine:3.20"].image.manifest.media_type == DOCKER_LIST


def test_the_app_has_an_attestation_for_each_platform() -> None:
    held = FIRST["team/app:stable"].image.images
    assert [image.platform for image in held] == [*PLATFORMS, None, None]


def test_the_rebuilt_debian_is_another_image_under_the_same_tag() -> None:
    before, after = FIRST["debian:bookworm"], rebuilt_debian()
    assert (after.repository, after.tag) == (before.repository, before.tag)
    assert after.image.digest != before.image.digest


def test_it_is_small_enough_to_be_quick() -> None:
    everything = {
        digest: data
        for publication in (*FIRST.values(), rebuilt_debian())
        for digest, data in publication.image.everything().items()
    }
    assert sum(map(len, everything.values())) < 2_000_000


def test_digests_are_the_same_on_every_machine() -> None:
    # The documentation shows them. A change of the demo's content changes them on purpose.
    assert {name: one.image.digest.short for name, one in FIRST.items()} == {
        "debian:bookworm": "0841bd331466",
        "alpine:3.20": "b02e8d206cf1",
        "redis:7.2.5-alpine": "6d0b2a516675",
        "redis:7.4.1-alpine": "ea770c1be915",
        "redis:8.0.0-alpine": "5ce721cd9c76",
        "team/app:stable": "7fd0e5f51ae2",
    }
    assert rebuilt_debian().image.digest.short == "87bb0faf114c"
