"""The ImagesLock: bytes as kbld writes them, and what pinner reads of it."""

from __future__ import annotations

import yaml
from hypothesis import given

from pinner.export.imgpkg import render_images_lock
from pinner.export.model import Wish
from pinner.lockfile import Lock
from pinner.oci.platform import Platform
from pinner.spec import Spec
from pinner.start.imgpkg import read_sightings
from support.files import LOCK, digest, pin
from support.projects import locks


def wish(lock: Lock = LOCK, platform: Platform | None = None) -> Wish:
    return Wish(spec=Spec(), lock=lock, platform=platform)


def test_the_whole_file() -> None:
    lock = Lock(
        images=(
            pin("web", "nginx", "1.27", "1", "2", "3"),
            pin("app", "ghcr.io/acme/app", None, "4", "5", "6"),
        )
    )
    rendered = render_images_lock(wish(lock))
    assert rendered.text == (
        "---\n"
        "apiVersion: imgpkg.carvel.dev/v1alpha1\n"
        "images:\n"
        "- annotations:\n"
        f'    kbld.carvel.dev/id: "ghcr.io/acme/app@{digest("4")}"\n'
        f'  image: "ghcr.io/acme/app@{digest("4")}"\n'
        "- annotations:\n"
        '    kbld.carvel.dev/id: "nginx:1.27"\n'
        f'  image: "index.docker.io/library/nginx@{digest("1")}"\n'
        "kind: ImagesLock\n"
    )
    assert rendered.names == ("app", "web")


def test_an_empty_lock() -> None:
    assert yaml.safe_load(render_images_lock(wish(Lock())).text) == {
        "apiVersion": "imgpkg.carvel.dev/v1alpha1",
        "kind": "ImagesLock",
    }


def test_a_platforms_manifests() -> None:
    text = render_images_lock(wish(platform=Platform.parse("linux/arm64"))).text
    images = yaml.safe_load(text)["images"]
    assert [one["image"].rpartition(":")[2][0] for one in images] == [*"bdf"]


def test_a_name_that_yaml_takes_for_a_number() -> None:
    text = render_images_lock(wish(Lock(images=(pin("a", "1", "2", "1", "2", "3"),)))).text
    assert yaml.safe_load(text)["images"][0]["annotations"]["kbld.carvel.dev/id"] == "1:2"


@given(locks())
def test_what_is_exported_is_imported(lock: Lock) -> None:
    rendered = render_images_lock(wish(lock))
    seen = {one.reference for one in read_sightings(rendered.text.encode(), "f")}
    assert {(one.repository, one.digest) for one in seen} == {
        (one.repository, one.digest) for one in lock.images
    }
    tags = {(one.repository, one.tag, one.digest) for one in lock.images if one.tag}
    assert {(one.repository, one.tag, one.digest) for one in seen if one.tag} == tags
