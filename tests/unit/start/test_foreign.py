"""Lockfiles of other tools, in the shapes that these tools write; and what is no such file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.errors import InputError
from pinner.start.foreign import FOREIGN, foreign_of

FIXTURES = Path(__file__).parents[3] / "fixtures" / "imports"
ONE, TWO, THREE, FOUR = (f"@sha256:{one * 64}" for one in "1234")

EXPECTED = {
    "docker-lock.json": (
        "docker-lock",
        [
            (f"docker.io/library/busybox:latest{ONE}", "f: Dockerfile"),
            (f"docker.io/library/busybox:latest{ONE}", "f: docker-compose.yml"),
            (f"ghcr.io/acme/app{TWO}", "f: docker-compose.yml"),
            ("docker.io/library/redis:7", "f: pod.yml"),
        ],
    ),
    "sources.json": (
        "npins",
        [
            (f"docker.io/library/ubuntu:latest{ONE}", "f: ubuntu"),
            (f"docker.io/nginx/nginx:1.27{TWO}", "f: web"),
        ],
    ),
    "images.yml": (
        "imgpkg",
        [
            (f"docker.io/library/nginx:1.14.2{ONE}", "f: nginx:1.14.2"),
            (f"docker.io/envoyproxy/envoy:v1.19.1{TWO}", "f: web"),
            (f"registry.example/bundles/all{THREE}", "f: redis:7"),
            (f"quay.io/a/b{FOUR}", "f: quay.io/a/b"),
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_lockfile_pins(name: str) -> None:
    tool, expected = EXPECTED[name]
    data = (FIXTURES / name).read_bytes()
    foreign = foreign_of(data)
    assert foreign is not None
    assert foreign.name == tool
    assert [(str(one.reference), one.where) for one in foreign.read(data, "f")] == expected


def refused(tool: str, data: bytes) -> InputError:
    """How the tool's reader refuses it."""
    reader = next(one for one in FOREIGN if one.name == tool)
    with pytest.raises(InputError) as caught:
        reader.read(data, "f")
    assert caught.value.exit_code == 2
    assert caught.value.where == "f"
    assert str(caught.value).replace("\n", "").isprintable()
    return caught.value


def docker_lock(**changes: Any) -> bytes:
    item = {"name": "a", "tag": "1", "digest": "1" * 64, **changes}
    return json.dumps({"dockerfiles": {"Dockerfile": [item]}}).encode()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (docker_lock(digest="sha256:" + "1" * 64), "invalid digest"),
        (docker_lock(digest="1" * 63), "64 digits, not 63"),
        (docker_lock(digest="../../../etc/passwd"), "invalid digest"),
        (docker_lock(name="a/B"), "lowercase"),
        (docker_lock(name="a:1"), '"a:1" has a tag or digest'),
        (docker_lock(name=None), "dockerfiles.Dockerfile[0].name is missing"),
        (docker_lock(name=7), "name is not text"),
        (docker_lock(tag="a b"), '"a b" is not a tag'),
        (docker_lock(size=1), "size is not a key of an image"),
        (b'{"dockerfiles": {}, "x\\u001b": 1}', "is not a key of docker-lock.json"),
        (b'{"dockerfiles": []}', "dockerfiles is not an object"),
        (b'{"dockerfiles": {"a": {}}}', "dockerfiles.a is not a list"),
        (b'{"dockerfiles": {"a": [1]}}', "dockerfiles.a[0] is not an object"),
        (b'{"dockerfiles": {"a": []}, "dockerfiles": {}}', "is there twice"),
        (b'["dockerfiles"]', "is not an object"),
        (b'{"dockerfiles": ', "is not JSON"),
        (b'{"dockerfiles": ' + b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_docker_lock_refuses(data: bytes, what: str) -> None:
    assert what in refused("docker-lock", data).what


def sources(**changes: Any) -> bytes:
    pin = {"type": "Container", "image_name": "a", "image_tag": "1", **changes}
    return json.dumps({"pins": {"x": pin}, "version": 8}).encode()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'{"pins": {}, "version": 9}', "version is 9, and pinner knows up to 8"),
        (b'{"pins": {}, "version": "8"}', "version is '8', which is not a size"),
        (b'{"pins": {}}', "version is None"),
        (b'{"pins": [], "version": 8}', "pins is not an object"),
        (b'{"pins": {"a": 1}, "version": 8}', "pins.a is not an object"),
        (sources(image_digest="1" * 64), "invalid digest"),
        (sources(image_name="a@b"), "invalid reference format"),
        (sources(image_tag=None), "pins.x.image_tag is missing"),
    ],
)
def test_npins_refuses(data: bytes, what: str) -> None:
    assert what in refused("npins", data).what


HEAD = b"apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (HEAD + b"images:\n- image: nginx:v1\n", "nginx:v1 has no digest"),
        (HEAD + b"another-key: invalid\n", '"another-key" is not a key of the document'),
        (HEAD + b"images:\n- {image: a, size: 1}\n", '"size" is not a key of an image'),
        (HEAD + b"images:\n- 1\n", "an image is not a mapping"),
        (HEAD + b"images: {}\n", "images is not a list"),
        (HEAD + b"images:\n- {image: [a]}\n", '"image" is missing or is not text'),
        (HEAD + b"kind: ImagesLock\n", "a key twice"),
        (HEAD + b"---\n" + HEAD, "has 2 documents"),
        (HEAD.replace(b"v1alpha1", b"v1"), 'has apiVersion "imgpkg.carvel.dev/v1"'),
        (HEAD.replace(b"ImagesLock", b"BundleLock"), 'is of kind "BundleLock", not ImagesLock'),
        (HEAD.replace(b"ImagesLock", b'"\\e[2J"'), 'is of kind "\\x1b[2J"'),
        (b"", "has 0 documents"),
        (b"- a\n", "the document is not a mapping"),
        (b"kind: ImagesLock\n", '"apiVersion" is missing'),
        (b"a: [", "is not YAML"),
        (b"[" * 200, "is not YAML"),
    ],
)
def test_imgpkg_refuses(data: bytes, what: str) -> None:
    assert what in refused("imgpkg", data).what


@pytest.mark.parametrize("data", [b"FROM a:1\n", b"", b"services:\n", b"{}", b"\xff\xfe"])
def test_other_files_are_of_no_tool(data: bytes) -> None:
    assert foreign_of(data) is None


@given(st.sampled_from(sorted(EXPECTED)), st.binary(max_size=8), st.data())
def test_a_damaged_lockfile_is_read_or_refused(
    name: str, noise: bytes, data: st.DataObject
) -> None:
    whole = (FIXTURES / name).read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 8)))
    damaged = whole[:start] + noise + whole[end:]
    for foreign in FOREIGN:
        try:
            seen = foreign.read(damaged, "f")
        except InputError:
            continue
        assert all(one.where.isprintable() for one in seen)
