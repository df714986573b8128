"""`pinner pull` on a registry that can be told to misbehave."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.oracle import survived
from support.registry_content import OCI_INDEX, OCI_MANIFEST, digest_of
from support.registry_faults import cut, flipped, header, instead

if TYPE_CHECKING:
    from support.ground import Ground
    from support.registry_content import SimImage

DIGEST = "sha256:" + "ab" * 32
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
AMD64 = ("--platform", "linux/amd64")


@pytest.fixture
def app(ground: Ground) -> str:
    """The index app:stable, of two platforms."""
    add_index(ground)
    return f"{ground.sim.host}/app"


def add_index(ground: Ground, name: str = "app", tag: str = "stable") -> SimImage:
    images = {
        f"linux/{architecture}": ground.sim.content.add_image(
            name, layers=[b"base", f"{tag} {architecture}".encode()], architecture=architecture
        )
        for architecture in ("amd64", "arm64")
    }
    return ground.sim.content.add_index(name, tag, images=images)


def counts(ground: Ground) -> dict[str, int]:
    return {
        f"{method} {kind}": count
        for method in ("HEAD", "GET")
        for kind in ("manifests", "blobs", "tags")
        if (count := ground.sim.count(method, f"/{kind}/"))
    }


def test_pulling_twice(ground: Ground, app: str) -> None:
    first = survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    assert first.err == ""
    assert first.out.splitlines()[-2:] == [
        f"Status: Downloaded newer image for {app}:stable",
        f"{app}:stable",
    ]
    assert counts(ground) == {"GET manifests": 2, "GET blobs": 3}
    again = survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    assert f"Status: Image is up to date for {app}:stable" in again.out
    assert counts(ground) == {"HEAD manifests": 1, "GET manifests": 2, "GET blobs": 3}


def test_the_store_option(ground: Ground, app: str) -> None:
    assert ground.run("pull", f"{app}:stable", *AMD64, "--store", "elsewhere").code == 0
    assert (ground.project / "elsewhere/index.json").exists()
    assert not ground.store.exists()


def test_json_is_one_document_and_all_of_stdout(ground: Ground, app: str) -> None:
    ran = ground.run("pull", "--json", f"{app}:stable", f"{app}:nope", *AMD64)
    document = json.loads(ran.out)
    assert (ran.code, ran.err) == (3, "")
    assert [image["outcome"] for image in document["images"]] == ["pulled", "failed"]
    assert [layer["outcome"] for layer in document["images"][0]["layers"]] == ["pulled", "pulled"]
    assert document["images"][1]["error"]["what"].startswith(f"manifest for {app}:nope not found")
    assert not document["complete"]


def test_quiet_prints_what_could_be_pulled(ground: Ground, app: str) -> None:
    ran = survived(ground, "pull", "-q", f"{app}:nope", f"{app}:stable", *AMD64, code=3)
    assert ran.out == f"{app}:stable\n"
    assert ran.err.splitlines()[0] == (
        f"error: manifest for {app}:nope not found: manifest unknown: manifest unknown"
    )


def test_an_error_among_several_says_whose_it_is(ground: Ground, app: str) -> None:
    ran = survived(
        ground, "pull", f"{app}:stable", f"{app}@{DIGEST}", "--platform", "linux/s390x", code=3
    )
    first, _, second, *_ = ran.err.splitlines()
    assert first == (
        f"error: {app}:stable: no matching manifest for linux/s390x in the manifest list entries"
    )
    assert second.startswith(f"error: manifest for {app}@{DIGEST} not found")


def test_a_layer_that_several_lack_fails_each_by_its_name(ground: Ground, app: str) -> None:
    add_index(ground, tag="next")
    ground.sim.always(f"/blobs/{digest_of(b'base')}", instead(404))
    ran = survived(ground, "pull", f"{app}:stable", f"{app}:next", *AMD64, code=3)
    errors = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert [line.split(": ")[1] for line in errors] == [f"{app}:stable", f"{app}:next"]


def test_one_bad_name_and_nothing_is_pulled(ground: Ground, app: str) -> None:
    ran = survived(ground, "pull", f"{app}:stable", "UPPER", *AMD64, code=2)
    assert (ran.out, counts(ground)) == ("", {})


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        pytest.param(
            instead(
                429,
                b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate '
                b'limit."}]}',
                Retry_After="99999",
            ),
            "asks to wait",
            id="a long wait",
        ),
        pytest.param(
            instead(
                429,
                b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate '
                b'limit."}]}',
                ratelimit_limit="100;w=21600",
                ratelimit_remaining="0;w=21600",
            ),
            "toomanyrequests: You have reached your pull rate limit.",
            id="the quota is used up",
        ),
        pytest.param(
            instead(
                403,
                b'{"errors":[{"code":"DENIED","message":"requested access to the resource '
                b'is denied"}]}',
            ),
            "repository does not exist or may require 'docker login': denied: requested access to "
            "the resource is denied",
            id="denied",
        ),
        pytest.param(
            instead(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}'),
            "app not found: name unknown: no such repository",
            id="no repository",
        ),
        pytest.param(instead(404), "app:stable not found\n", id="404 without a word"),
        pytest.param(
            instead(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"\\u001b[2Jgone"}]}'),
            r"not found: manifest unknown: \x1b[2Jgone",
            id="a word that moves the cursor",
        ),
    ],
)
def test_refusals(ground: Ground, app: str, fault: Any, what: str) -> None:
    ground.sim.always("/manifests/", fault)
    ran = survived(ground, "pull", f"{app}:stable", *AMD64, code=3)
    assert what in ran.err
    assert ran.out == ""


def test_a_429_is_waited_for(ground: Ground, app: str) -> None:
    ground.sim.script("/manifests/", instead(429, Retry_After="2"))
    survived(ground, "pull", f"{app}:stable", *AMD64, code=0)


def test_schema1(ground: Ground, app: str) -> None:
    ground.sim.always("/manifests/", instead(200, b'{"schemaVersion": 1}', Content_Type=SCHEMA1))
    ran = survived(ground, "pull", f"{app}:stable", *AMD64, code=4)
    assert ran.out == "stable: Pulling from app\n"
    assert f"Suggest the author of {app}:stable to upgrade" in ran.err


def test_a_head_that_is_refused(ground: Ground, app: str) -> None:
    survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    ground.sim.script("/manifests/", instead(405))
    ran = survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    assert "Image is up to date" in ran.out


def test_a_head_without_a_digest(ground: Ground, app: str) -> None:
    survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    ground.sim.script("/manifests/", header("Docker-Content-Digest", None))
    ran = survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    assert "Image is up to date" in ran.out


def test_a_tag_that_moves_between_head_and_get(ground: Ground, app: str) -> None:
    """The HEAD tells of an image that is gone when it is asked for by its digest."""
    survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    new = add_index(ground, tag="next")
    ground.sim.content.repository("app").tags["stable"] = new.digest
    ground.sim.script("/manifests/", header("Docker-Content-Digest", DIGEST))
    ran = survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    assert f"Digest: {new.digest}" in ran.out


def test_a_manifest_with_other_bytes(ground: Ground, app: str) -> None:
    digest = ground.sim.content.repository("app").tags["stable"]
    ground.sim.always(f"/manifests/{digest}", flipped)
    ran = survived(ground, "pull", f"{app}@{digest}", *AMD64, code=4)
    assert ran.err.startswith(f"error: manifest verification failed for digest {digest}\n")


def test_a_layer_with_other_bytes(ground: Ground, app: str) -> None:
    image = ground.sim.content.add_image("app", "lone", layers=[b"base"])
    layer = image.blobs[1]
    ground.sim.always(f"/blobs/{layer}", flipped)
    ran = survived(ground, "pull", f"{app}:lone", *AMD64, code=4)
    warning, error, *_ = ran.err.splitlines()
    assert warning.endswith("fetched again")
    assert error == f"error: filesystem layer verification failed for digest {layer}"
    assert "Status" not in ran.out


def test_a_layer_that_breaks_off_is_continued(ground: Ground, app: str) -> None:
    layer = ground.sim.content.add_image("app", "long", layers=[b"x" * 300_000]).blobs[1]
    ground.sim.script(f"/blobs/{layer}", cut(200_000))
    survived(ground, "pull", f"{app}:long", *AMD64, code=0)
    assert ground.sim.count("GET", f"/blobs/{layer}") == 2


def test_all_tags_leave_out_what_is_no_image(ground: Ground, app: str) -> None:
    config = {"mediaType": "application/vnd.example", "digest": DIGEST, "size": 2}
    data = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    ).encode()
    ground.sim.content.add_manifest("app", data, OCI_MANIFEST, ["sha256-ab.sig"])
    ran = survived(ground, "pull", "-a", app, *AMD64, code=0)
    assert ran.err == (
        f"warning: {app}:sha256-ab.sig is no image, left out: "
        "unsupported media type application/vnd.example\n"
    )
    assert ran.out.splitlines()[-2:] == [f"Status: Downloaded newer image for {app}", app]


def test_an_index_that_calls_an_artifact_an_image(ground: Ground, app: str) -> None:
    config = {"mediaType": "application/vnd.\x1bexample", "digest": DIGEST, "size": 2}
    data = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    ).encode()
    digest = ground.sim.content.add_manifest("app", data, OCI_MANIFEST)
    member = {
        "mediaType": OCI_MANIFEST,
        "digest": digest,
        "size": len(data),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [member]}
    ground.sim.content.add_manifest("app", json.dumps(index).encode(), OCI_INDEX, ["lies"])
    ran = survived(ground, "pull", f"{app}:lies", *AMD64, code=4)
    assert ran.err.startswith(r"error: unsupported media type application/vnd.\x1bexample")


def test_an_index_that_says_another_platform_than_the_config(ground: Ground, app: str) -> None:
    image = ground.sim.content.add_image("app", architecture="arm64")
    ground.sim.content.add_index("app", "lies", images={"linux/amd64": image})
    ran = survived(ground, "pull", f"{app}:lies", *AMD64, code=0)
    assert ran.err == f"warning: {app}:lies: wanted for linux/amd64, its config says linux/arm64\n"


def test_a_tag_list_that_fails(ground: Ground, app: str) -> None:
    ground.sim.always("/tags/", instead(404))
    ran = survived(ground, "pull", "-a", app, *AMD64, code=3)
    assert ran.err.startswith(f"error: repository {app} not found\n")


def test_a_tag_that_fails_among_all(ground: Ground, app: str) -> None:
    add_index(ground, tag="broken")
    ground.sim.always("/manifests/broken", instead(404))
    ran = survived(ground, "pull", "-a", app, *AMD64, code=3)
    assert f"manifest for {app}:broken not found" in ran.err
    assert "stable: Pulling from app" in ran.out
    assert "Status" not in ran.out  # it would speak of all of them
    assert survived(ground, "pull", "-a", "-q", app, *AMD64, code=3).out == ""


def test_the_projects_mirrors_are_asked_for_digests(ground: Ground, app: str) -> None:
    ground.spec.write_text(f'[images]\n[registries."{ground.sim.host}"]\nmirrors = ["127.0.0.1:9"]')
    ran = survived(ground, "pull", f"{app}:stable", *AMD64, code=0)
    assert ground.sim.count("HEAD", "/manifests/stable") == 1
    assert ground.sim.count("GET", "/manifests/stable") == 0
    assert "mirror 127.0.0.1:9" in ran.err


def test_an_images_toml_with_a_mistake_stops_it(ground: Ground, app: str) -> None:
    ground.spec.write_text("[images]\napp = 3\n")
    ran = survived(ground, "pull", f"{app}:stable", *AMD64, code=2)
    assert ran.err.startswith("error: images.toml:2")


def test_no_project_is_needed(ground: Ground, app: str) -> None:
    assert not ground.spec.exists()
    survived(ground, "pull", f"{app}:stable", *AMD64, code=0)


def test_a_store_that_is_no_store(ground: Ground, app: str) -> None:
    ground.store.write_text("a file")
    assert ground.run("pull", f"{app}:stable", *AMD64).code == 5


def test_the_default_tag_is_told_before_anything_is_done(ground: Ground, app: str) -> None:
    ground.store.write_text("a file")
    ran = ground.run("pull", app, *AMD64)
    assert (ran.code, ran.out) == (5, "Using default tag: latest\n")


def test_connections_are_between_1_and_64(ground: Ground, app: str) -> None:
    ran = survived(ground, "pull", app, "--max-concurrent-downloads", "65", code=2)
    assert "--max-concurrent-downloads" in ran.err


def test_who_leaves_stdout_is_noticed(ground: Ground, app: str) -> None:
    ground.process = True
    process = ground.start("pull", f"{app}:stable", *AMD64, stdout=-1, stderr=-1)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(120) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
