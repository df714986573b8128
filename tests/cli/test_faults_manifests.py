"""Faults M: manifests and indexes that are not what they should be, met by lock and sync."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support import documents
from support.net import Answer, LoopbackServer, Request
from support.oracle import converges, survived
from support.registry_content import OCI_INDEX, OCI_MANIFEST
from support.registry_faults import body, flipped, header, honest, instead
from support.tables import params

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.ground import Ground
    from support.registry_content import Content, SimImage

DIGEST = "sha256:" + "ab" * 32
KINDS = {
    "index": OCI_INDEX,
    "manifest": OCI_MANIFEST,
    "list": "application/vnd.docker.distribution.manifest.list.v2+json",
    "image": "application/vnd.docker.distribution.manifest.v2+json",
}
CONFIG = json.dumps({"mediaType": "x", "size": 2, "digest": DIGEST})
MIB = 1024 * 1024


@pytest.fixture
def content(ground: Ground) -> Content:
    return ground.sim.content


@pytest.fixture
def image(ground: Ground, content: Content) -> SimImage:
    """The index app:stable, of two platforms, wanted by the project."""
    ground.want(app="app:stable")
    images = {
        f"linux/{architecture}": content.add_image("app", architecture=architecture)
        for architecture in ("amd64", "arm64")
    }
    return content.add_index("app", "stable", images=images)


def mend(ground: Ground) -> None:
    """Let the registry have an honest image under the tag, and come to the same as ever."""
    ground.sim.content.add_image("app", "stable")
    ground.want(app="app:stable")
    converges(ground)


@pytest.fixture
def locked(ground: Ground, image: SimImage) -> SimImage:
    """The same, locked."""
    survived(ground, "lock", code=0)
    return image


@pytest.mark.parametrize("row", params("manifests/refused.toml"))
def test_refused_documents_are_not_locked(
    ground: Ground, content: Content, row: dict[str, Any]
) -> None:
    """M05 to M11, M13, M26, M30 and M32 at the moment of resolving a tag."""
    data = row["body"].replace("CONFIG", CONFIG).replace("DIGEST", DIGEST).encode()
    kind = KINDS.get(row["type"], row["type"])
    content.add_image("app", "stable")
    ground.want(app="app:stable")
    code = 3 if row["type"] == "text/html" else 4  # a web page is the network's, not the image's
    ground.sim.always("/manifests/", instead(200, data, Content_Type=kind))
    survived(ground, "lock", code=code, says=[ground.sim.host])
    converges(ground)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"[" * 100_000, id="M12-nested-lists"),
        pytest.param(b'{"a":' * 100_000, id="M12-nested-objects"),
        pytest.param(b'{"schemaVersion":' + b"9" * 5000 + b"}", id="M11-5000-digits"),
        pytest.param(b'{"schemaVersion":1e999}', id="M11-infinity"),
        pytest.param('{"schemaVersion":2}'.encode("utf-16"), id="M14-utf-16"),
        pytest.param(b'\xef\xbb\xbf{"schemaVersion":2}', id="M14-byte-order-mark"),
        pytest.param(b'{"schemaVersion":"\xff"}', id="M15-not-utf-8"),
        pytest.param(b"", id="M09-empty"),
    ],
)
def test_what_is_not_strict_json_is_not_locked(
    ground: Ground, content: Content, data: bytes
) -> None:
    documents.put(content, "app", data, "stable")
    ground.want(app="app:stable")
    ground.process = len(data) > 10_000  # where memory could grow, it is measured
    survived(ground, "lock", code=4, says=[ground.sim.host])
    mend(ground)


@pytest.mark.parametrize("surplus", [0, 1])
def test_M17_four_mebibytes_are_the_most(ground: Ground, content: Content, surplus: int) -> None:
    document = json.dumps(documents.manifest(content, "app")).encode()
    documents.put(content, "app", document.ljust(4 * MIB + surplus), "stable")
    ground.want(app="app:stable")
    says = ["more than 4 MiB", ground.sim.host] if surplus else []
    survived(ground, "lock", code=4 if surplus else 0, says=says)
    (mend if surplus else converges)(ground)


def test_M17_five_mebibytes_for_a_locked_digest(ground: Ground, locked: SimImage) -> None:
    ground.process = True
    ground.sim.always("/manifests/", body(lambda data: data.ljust(5 * MIB)))
    survived(ground, "sync", code=4, says=["more than 4 MiB", ground.sim.host])
    converges(ground)


@pytest.mark.parametrize("count", [100_000, 513])
def test_M18_an_index_without_end(ground: Ground, content: Content, count: int) -> None:
    ground.process = True
    document = json.dumps(documents.index()).replace("[]", f"[{','.join(['{}'] * count)}]")
    documents.put(content, "app", json.loads(document), "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=4, says=[ground.sim.host])
    mend(ground)


def test_M18_an_image_of_5000_layers(ground: Ground, content: Content) -> None:
    ground.process = True
    document = documents.manifest(content, "app")
    documents.put(content, "app", document | {"layers": document["layers"] * 5000}, "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=4, says=[ground.sim.host])
    mend(ground)


def test_M02_M04_the_bytes_count_and_not_what_a_header_says(
    ground: Ground, image: SimImage
) -> None:
    ground.sim.always("/manifests/", header("Docker-Content-Digest", DIGEST))
    ran = survived(ground, "lock", code=0)
    assert "the bytes count" in ran.err
    assert image.digest in ground.lockfile.read_text()
    survived(ground, "sync", code=0)
    converges(ground)


def test_M01_M02_other_bytes_than_the_locked_digest(ground: Ground, locked: SimImage) -> None:
    ground.sim.always("/manifests/", flipped)  # the right Docker-Content-Digest, a wrong body
    survived(ground, "sync", code=4, says=[locked.digest, ground.sim.host])
    converges(ground)


def test_M03_a_tag_that_moves_meanwhile_is_asked_for_once(
    ground: Ground, content: Content, image: SimImage
) -> None:
    ground.want(app="app:stable", twin="app:stable")
    moved = content.add_image("app", layers=[b"moved"])
    manifest = content.repository("app").manifests[moved.digest][1]
    ground.sim.script(
        "/manifests/stable", honest, instead(200, manifest, Content_Type=OCI_MANIFEST)
    )
    survived(ground, "lock", code=0)
    assert ground.lockfile.read_text().count(f'digest = "{image.digest}"') == 2
    assert ground.sim.count("GET", "/manifests/stable") == 1
    converges(ground)


def test_M08_parameters_of_a_media_type_do_not_matter(ground: Ground, image: SimImage) -> None:
    ground.sim.always("/manifests/stable", header("Content-Type", f"{OCI_INDEX}; charset=utf-8"))
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    converges(ground)


def test_M16_O01_annotations_cannot_speak_to_the_terminal(ground: Ground, content: Content) -> None:
    hostile = "\ud800 \x1b]52;c;Y2FuYXJ5\x07 \u202e \x9b2J \r\n::error::forged"
    labels = {"org.opencontainers.image.version": hostile}
    image = {**documents.AMD64, "created": hostile, "config": {"Labels": labels}}
    config = documents.blob(
        content, "app", json.dumps(image).encode(), "application/vnd.oci.image.config.v1+json"
    )
    document = documents.manifest(content, "app", config=config, annotations={"a": hostile})
    documents.put(content, "app", document, "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=0)
    for command in (("inspect", "app"), ("inspect", "app", "--json"), ("images",), ("verify",)):
        survived(ground, *command, code=0)
    converges(ground)


@pytest.mark.parametrize(("depth", "code"), [(1, 0), (2, 4)])
def test_M19_an_index_in_an_index_and_no_deeper(
    ground: Ground, content: Content, depth: int, code: int
) -> None:
    member = documents.put(content, "app", documents.manifest(content, "app"))
    for _ in range(depth):
        member = documents.put(content, "app", documents.index(member))
    documents.put(content, "app", documents.index(member), "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=code, says=[ground.sim.host] if code else [])
    if not code:
        survived(ground, "sync", code=0)
    (mend if code else converges)(ground)


@pytest.fixture
def elsewhere(ground: Ground) -> Iterator[LoopbackServer]:
    """A server that nobody shall ask."""

    def answer(request: Request) -> Answer:
        return Answer(body=b"layer")

    with LoopbackServer(answer) as server:
        ground.strangers.append(server)
        yield server


@pytest.mark.parametrize("served", [True, False])
def test_M20_the_urls_of_a_foreign_layer_are_never_asked(
    ground: Ground, content: Content, elsewhere: LoopbackServer, *, served: bool
) -> None:
    layer = documents.blob(content, "app", b"layer") | {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "urls": [f"{elsewhere.url}/layer"],
    }
    documents.put(
        content, "app", documents.manifest(content, "app", ()) | {"layers": [layer]}, "stable"
    )
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    if not served:
        ground.sim.always(layer["digest"], instead(404))
    says = [] if served else [layer["digest"], "app"]
    survived(ground, "sync", code=0 if served else 3, says=says)
    assert not elsewhere.requests
    converges(ground)


def test_M21_attestations_are_no_platforms(ground: Ground, content: Content) -> None:
    image = documents.put(content, "app", documents.manifest(content, "app"))
    unknown = {"os": "unknown", "architecture": "unknown"}
    statement = documents.put(
        content, "app", documents.manifest(content, "app", [b"{}"]), platform=unknown
    )
    nowhere = {key: value for key, value in statement.items() if key != "platform"}
    documents.put(content, "app", documents.index(statement, image, nowhere), "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    assert ground.lockfile.read_text().count("linux/amd64") == 1
    assert "unknown" not in ground.lockfile.read_text()
    survived(ground, "sync", code=0)
    converges(ground)


def test_M21_nothing_but_attestations_is_no_image(ground: Ground, content: Content) -> None:
    unknown = {"os": "unknown", "architecture": "unknown"}
    member = documents.put(content, "app", documents.manifest(content, "app"), platform=unknown)
    documents.put(content, "app", documents.index(member), "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=2, says=["app:stable", "without images"])
    mend(ground)


def test_M22_of_two_images_for_one_platform_the_first_is_locked(
    ground: Ground, content: Content
) -> None:
    one, two = (
        documents.put(content, "app", documents.manifest(content, "app", [layer]))
        for layer in (b"one", b"two")
    )
    documents.put(content, "app", documents.index(one, two), "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    assert f'"linux/amd64" = "{one["digest"]}"' in ground.lockfile.read_text()
    survived(ground, "sync", code=0)
    converges(ground)


def test_M23_a_platform_that_is_not_offered(ground: Ground, image: SimImage) -> None:
    ground.want('[settings]\nplatforms = ["linux/riscv64"]', app="app:stable")
    survived(
        ground, "lock", code=2, says=["app:stable", "linux/riscv64", "linux/amd64, linux/arm64"]
    )
    mend(ground)


def test_M24_a_lone_image_for_another_platform(ground: Ground, content: Content) -> None:
    content.add_image("app", "stable", architecture="arm64")
    ground.want('[settings]\nplatforms = ["linux/amd64"]', app="app:stable")
    survived(ground, "lock", code=2, says=["app:stable", "linux/arm64", "linux/amd64"])
    mend(ground)


def test_M25_a_config_that_contradicts_its_index_is_told(ground: Ground, content: Content) -> None:
    arm = documents.config(content, "app", {"os": "linux", "architecture": "arm64"})
    member = documents.put(content, "app", documents.manifest(content, "app", config=arm))
    documents.put(content, "app", documents.index(member), "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    says = ["warning: app: wanted for linux/amd64, its config says linux/arm64"]
    survived(ground, "sync", code=0, says=says)
    converges(ground)


@pytest.mark.parametrize(
    ("layers", "fields", "blobs"),
    [
        pytest.param([], {}, 1, id="M27-no-layers"),
        pytest.param([b"same", b"same"], {}, 2, id="M28-one-layer-twice"),
        pytest.param([b"", b""], {}, 1, id="B07-an-empty-layer"),
        pytest.param([b"real"], {"data": "ZmFrZQ=="}, 2, id="M29-data-that-lies"),
        pytest.param([b"real"], {"data": "!"}, 2, id="M29-data-that-is-none"),
        pytest.param([b"real"], {"mediaType": "application/wasm"}, 2, id="M31-wasm"),
        pytest.param([b"real"], {"mediaType": "x/y+zstd+encrypted"}, 2, id="M31-encrypted"),
    ],
)
def test_odd_layers_are_stored_as_they_are(
    ground: Ground, content: Content, layers: list[bytes], fields: dict[str, Any], blobs: int
) -> None:
    document = documents.manifest(content, "app", layers)
    document["layers"] = [layer | fields for layer in document["layers"]]
    documents.put(content, "app", document, "stable")
    ground.want(app="app:stable")
    survived(ground, "lock", code=0)
    before = len(ground.sim.requests)
    survived(ground, "sync", code=0)
    asked = [request for request in ground.sim.requests[before:] if "/blobs/" in request.target]
    assert len(asked) == blobs
    converges(ground)


def test_M30_one_blob_with_two_sizes_in_two_images(ground: Ground, content: Content) -> None:
    document = documents.manifest(content, "app")
    documents.put(content, "app", document, "stable")
    layer = document["layers"][0] | {"size": 4711}
    documents.put(content, "app", document | {"layers": [layer]}, "liar")
    ground.want(app="app:stable", liar="app:liar")
    survived(ground, "lock", code=0)
    survived(ground, "sync", code=4, says=["app:liar", layer["digest"], "4711"], lasting=False)
    ran = survived(ground, "sync", "app", code=0)
    assert "1 image" in ran.out or "the image" in ran.out


def test_M33_every_kind_of_manifest_is_accepted_in_every_request(
    ground: Ground, locked: SimImage
) -> None:
    survived(ground, "sync", code=0)
    for request in ground.sim.asked("GET", "/manifests/"):
        assert all(kind in request.headers["accept"] for kind in KINDS.values())
        assert request.headers["accept-encoding"] == "identity"
    converges(ground)
