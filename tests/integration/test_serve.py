"""Real clients read from pinner's own server: curl, skopeo, podman."""

from __future__ import annotations

import hashlib
import json
import tempfile
from typing import TYPE_CHECKING

import pytest

from pinner.clock import SystemClock
from pinner.demo.publications import first_publications
from pinner.demo.registry import DemoRegistry, open_registry
from pinner.oci.manifest import Manifest, parse_manifest
from support.programs import find, run
from support.readers import umoci_unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers

PUBLISHED = {f"{one.repository}:{one.tag}": one.image for one in first_publications()}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRegistry]:
    folder = tmp_path_factory.mktemp("registry") / "store"
    with open_registry(folder, clock=SystemClock()) as registry:
        registry.publish(first_publications())
        yield registry


def curl(registry: DemoRegistry, home: Path, path: str, *options: str) -> str:
    return run("curl", "-sS", *options, f"http://{registry.host}{path}", home=home)


def test_W03_curl_sees_the_same_headers_by_HEAD_and_GET(
    registry: DemoRegistry, tmp_path: Path
) -> None:
    path = "/v2/debian/manifests/bookworm"
    by_head = curl(registry, tmp_path, path, "--head").splitlines()
    by_get = curl(registry, tmp_path, path, "--dump-header", "-", "-o", "/dev/null").splitlines()
    undated = [
        [line for line in lines if line and not line.startswith("Date:")]
        for lines in (by_head, by_get)
    ]
    assert undated[0] == undated[1]
    digest = PUBLISHED["debian:bookworm"].digest
    assert f"Docker-Content-Digest: {digest}" in by_head


def test_W04_curl_fetches_a_blob_in_parts(registry: DemoRegistry, tmp_path: Path) -> None:
    image = PUBLISHED["debian:bookworm"]
    digest, data = max(image.blobs.items(), key=lambda item: len(item[1]))
    path = f"/v2/debian/blobs/{digest}"
    middle = len(data) // 2
    for name, asked in (("a", f"0-{middle - 1}"), ("b", f"{middle}-")):
        status = curl(
            registry,
            tmp_path,
            path,
            *("--range", asked, "--output", str(tmp_path / name), "--write-out", "%{http_code}"),
        )
        assert status == "206"
    assert (tmp_path / "a").read_bytes() + (tmp_path / "b").read_bytes() == data


def test_W01_curl_cannot_push(registry: DemoRegistry, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x" * 3_000_000)
    for method in ("PUT", "POST", "PATCH", "DELETE"):
        status = curl(
            registry,
            tmp_path,
            "/v2/debian/manifests/bookworm",
            *("--request", method, "--data-binary", f"@{tmp_path / 'body'}"),
            *("--output", "/dev/null", "--write-out", "%{http_code}"),
        )
        assert status == "405"


@pytest.mark.parametrize(
    "path", ["/v2/../../etc/passwd", "/v2/..%2f..%2fetc/manifests/passwd", "/%2e%2e/etc/passwd"]
)
def test_W02_curl_cannot_climb(registry: DemoRegistry, tmp_path: Path, path: str) -> None:
    written = ("--output", "/dev/null", "--write-out", "%{http_code}")
    assert curl(registry, tmp_path, path, "--path-as-is", *written) in {"400", "404"}


def test_skopeo_lists_tags_and_inspects(registry: DemoRegistry, tmp_path: Path) -> None:
    listed = run(
        "skopeo",
        *("list-tags", "--tls-verify=false", f"docker://{registry.host}/redis"),
        home=tmp_path,
    )
    assert json.loads(listed)["Tags"] == ["7.2.5-alpine", "7.4.1-alpine", "8.0.0-alpine"]
    for name, image in PUBLISHED.items():
        raw = run(
            "skopeo",
            *("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/{name}"),
            home=tmp_path,
        )
        assert hashlib.sha256(raw.encode()).hexdigest() == image.digest.hex


@pytest.mark.parametrize("name", PUBLISHED)
def test_W06_skopeo_copies_every_platform_with_its_digests(
    registry: DemoRegistry, tmp_path: Path, name: str
) -> None:
    run(
        "skopeo",
        *("--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests"),
        *("--src-tls-verify=false", f"docker://{registry.host}/{name}", f"dir:{tmp_path / 'copy'}"),
        home=tmp_path,
    )
    copied = (tmp_path / "copy" / "manifest.json").read_bytes()
    assert hashlib.sha256(copied).hexdigest() == PUBLISHED[name].digest.hex


def test_umoci_unpacks_what_skopeo_copied(registry: DemoRegistry, tmp_path: Path) -> None:
    run(
        "skopeo",
        *("--insecure-policy", "--override-arch=amd64", "copy", "--quiet"),
        *("--src-tls-verify=false", f"docker://{registry.host}/team/app:stable"),
        f"oci:{tmp_path / 'layout'}:app",
        home=tmp_path,
    )
    root = umoci_unpack(tmp_path / "layout", "app", tmp_path / "bundle", home=tmp_path)
    assert (root / "srv/app/config.toml").read_text() == 'greeting = "hello"\n'
    if find("dpkg-query"):
        listed = run(
            "dpkg-query",
            *(f"--admindir={root / 'var/lib/dpkg'}", "--show", "--showformat"),
            "${Package} ${Version} ${Architecture}\n",
            home=tmp_path,
        )
        assert "perl-base 5.36.0-7+deb12u1 amd64" in listed.splitlines()


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """A podman with a storage of its own; its paths must be short."""
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:
        storage = (f"--root={folder}/storage", f"--runroot={folder}/run", "--storage-driver=vfs")

        def pull(reference: str) -> str:
            unchecked = ("--tls-verify=false", f"--signature-policy={policy}")
            arguments = ("pull", "--quiet", *unchecked, "--platform=linux/arm64", reference)
            return run("podman", *storage, *arguments, home=tmp_path).strip()

        yield pull


def test_podman_pulls_by_tag_and_by_digest(
    registry: DemoRegistry, podman: Callable[[str], str]
) -> None:
    arm64 = PUBLISHED["debian:bookworm"].images[1]
    parsed = parse_manifest(arm64.manifest)
    assert isinstance(parsed, Manifest)
    by_tag = podman(f"{registry.host}/debian:bookworm")
    by_digest = podman(f"{registry.host}/debian@{arm64.digest}")
    assert by_tag == by_digest == parsed.config.digest.hex
