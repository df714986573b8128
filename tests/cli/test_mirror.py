"""`pinner mirror` from one scripted registry into another, with every request looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pinner.cli.mirror import NAMINGS
from pinner.mirror import Naming
from pinner.store.layout import Store
from pinner.store.prune import PruneWish, prune
from support.clients import store_login
from support.ground import BASIC, BEARER, PAIR, PASSWORD, USER
from support.net import Answer, LoopbackServer, Request, Then
from support.registry_content import OCI_INDEX, digest_of, error
from support.registry_faults import header, instead
from support.registry_sim import RegistrySim
from support.registry_uploads import Uploads
from support.waiting import await_that

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from ssl import SSLContext

    from cli.conftest import Abroad
    from support.ground import Ground, Ran
    from support.tls import Authority

BASE = b"base" * 5_000
SESSIONS = "/blobs/uploads/"


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
def target(uploads: Uploads) -> Iterator[RegistrySim]:
    with RegistrySim(content=uploads) as sim:
        yield sim


@pytest.fixture
def locked(ground: Ground) -> Ground:
    """Two locked images of two platforms each, all of which share a layer."""
    content = ground.sim.content
    for name in ("app", "web"):
        images = {
            f"linux/{architecture}": content.add_image(
                f"team/{name}",
                layers=[BASE, f"{name} {architecture}".encode() * 100],
                architecture=architecture,
            )
            for architecture in ("amd64", "arm64")
        }
        content.add_index(f"team/{name}", "stable", images=images)
    ground.want(app="team/app:stable", web="team/web:stable")
    assert ground.run("lock").code == 0
    ground.sim.requests.clear()
    return ground


def folder(ground: Ground) -> str:
    """What the target's repositories begin with for the registry of the images."""
    return ground.sim.host.replace(":", "_")


def repository(ground: Ground, name: str, prefix: str = "m/") -> str:
    return f"{prefix}{folder(ground)}/team/{name}"


def mirror(ground: Ground, target: RegistrySim, *options: str, code: int = 0) -> Ran:
    ran = ground.run("mirror", f"{target.host}/m", *options)
    assert ran.code == code, (ran.code, ran.out, ran.err)
    return ran


def document(ran: Ran) -> Any:
    return json.loads(ran.out)


def sent(target: RegistrySim) -> list[str]:
    """The methods of the requests that ask for a change."""
    return [request.method for request in target.requests if request.method not in {"GET", "HEAD"}]


def test_everything_arrives_as_it_was(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    ran = mirror(locked, target)
    assert ran.out.startswith(f"Mirrored 2 images to {target.host}/m: ")
    for name in ("app", "web"):
        origin = locked.sim.content.repositories[f"team/{name}"]
        copy = uploads.repositories[repository(locked, name)]
        assert (copy.manifests, copy.tags, copy.blobs) == (
            origin.manifests,
            origin.tags,
            origin.blobs,
        )


def test_each_blob_is_uploaded_once_and_mounted_elsewhere(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    result = document(mirror(locked, target, "--json"))
    assert sorted(uploads.uploaded) == sorted(set(uploads.uploaded))
    # Of each image two configs and two layers, and the layer that all share.
    assert (result["uploaded"]["blobs"], result["mounted"]["blobs"]) == (9, 1)
    assert target.count("POST", "mount=") == 1
    assert target.count("PUT", "/blobs/") == 9


def test_members_go_before_their_index_and_everything_after_its_blobs(
    locked: Ground, target: RegistrySim
) -> None:
    mirror(locked, target)
    for name in ("app", "web"):
        own = [r for r in target.requests if f"/{name}/" in r.target and r.method == "PUT"]
        kinds = ["blob" if SESSIONS in r.target else r.target.rpartition("/")[2] for r in own]
        manifests = kinds[-3:]
        assert [kind[:7] for kind in manifests] == ["sha256:", "sha256:", "stable"]
        assert set(kinds[:-3]) == {"blob"}


def test_a_second_run_asks_one_head_an_image(locked: Ground, target: RegistrySim) -> None:
    mirror(locked, target)
    target.requests.clear()
    locked.sim.requests.clear()
    ran = mirror(locked, target)
    assert ran.out == f"{target.host}/m holds all 2 images (2 requests)\n"
    assert [request.method for request in target.requests] == ["HEAD", "HEAD"]
    assert locked.sim.requests == []


def test_a_store_without_a_thing_is_enough_where_the_target_has_all(
    locked: Ground, target: RegistrySim
) -> None:
    mirror(locked, target)
    locked.sim.requests.clear()
    mirror(locked, target, "--store", "another")
    assert locked.sim.requests == []


def test_what_the_store_has_is_not_downloaded(locked: Ground, target: RegistrySim) -> None:
    assert locked.run("sync", "--all-platforms").code == 0
    locked.sim.requests.clear()
    result = document(mirror(locked, target, "--json"))
    assert (result["fetched"]["blobs"], locked.sim.requests) == (0, [])


def test_what_the_target_has_is_not_downloaded(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    uploads.add_blob(repository(locked, "web"), BASE)
    result = document(mirror(locked, target, "--json"))
    assert digest_of(BASE) not in uploads.uploaded
    assert locked.sim.count("GET", digest_of(BASE)) == 0
    assert (result["present"]["blobs"], result["mounted"]["blobs"]) == (1, 1)


def test_what_it_downloads_the_store_keeps_by_name(locked: Ground, target: RegistrySim) -> None:
    mirror(locked, target)
    named = json.loads((locked.store / "index.json").read_bytes())["manifests"]
    # Of each image the tag's index, and the manifest of each locked platform.
    names = [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in named]
    assert sorted(name.partition("/team/")[2].partition("@")[0] for name in names) == [
        *("app", "app", "app:stable"),
        *("web", "web", "web:stable"),
    ]
    locked.sim.requests.clear()
    synced = locked.run("sync", "--all-platforms", "--offline", "--json")
    assert {image["outcome"] for image in document(synced)["images"]} == {"present"}


def test_a_blob_that_was_denied_to_be_mounted_is_downloaded_and_uploaded(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    uploads.mounts = False
    uploads.add_blob(repository(locked, "app"), BASE)
    mirror(locked, target)
    copy = uploads.repositories[repository(locked, "web")]
    assert copy.blobs.keys() >= {digest_of(BASE)}
    assert uploads.uploaded.count(digest_of(BASE)) == 1
    assert copy.tags.keys() == {"stable"}


def test_a_registry_that_mounts_nothing_is_not_sent_what_it_has(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    uploads.mounts = False
    for name in ("app", "web"):
        uploads.add_blob(repository(locked, name), BASE)
    mirror(locked, target)
    assert digest_of(BASE) not in uploads.uploaded
    assert uploads.repositories[repository(locked, "web")].tags.keys() == {"stable"}


def test_what_images_that_are_there_have_is_mounted_unasked(
    locked: Ground, target: RegistrySim
) -> None:
    mirror(locked, target, "app")
    target.requests.clear()
    mirror(locked, target)
    base = digest_of(BASE)
    assert target.count("HEAD", base) == 0
    assert target.count("POST", f"mount={base.replace(':', '%3A')}") == 1


def test_a_tag_that_was_moved_there_is_moved_back(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    mirror(locked, target)
    held = uploads.repositories[repository(locked, "app")]
    was = held.tags["stable"]
    uploads.add_image(repository(locked, "app"), "stable", layers=[b"somebody else's"])
    target.requests.clear()
    mirror(locked, target)
    assert held.tags["stable"] == was
    assert sent(target) == ["PUT"]


def test_a_blob_that_the_registry_denies_in_the_end_is_uploaded_again(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    mirror(locked, target)
    uploads.uploaded.clear()
    lost = digest_of(b"app amd64" * 100)
    # It says to have the blob, and then knows nothing of it.
    held = uploads.repositories[repository(locked, "app")]
    held.manifests.clear()
    held.tags.clear()
    uploads.blind.add(lost)
    mirror(locked, target)
    assert lost in uploads.uploaded
    assert held.tags.keys() == {"stable"}


def test_a_registry_that_denies_a_blob_for_ever_fails_the_image(
    locked: Ground, target: RegistrySim
) -> None:
    unknown = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"no blob"}]}'
    target.always("/app/manifests/", lambda r, a: instead(404, unknown)(r, a) if r.body else a)
    ran = mirror(locked, target, "--json", code=3)
    outcomes = {image["name"]: image["outcome"] for image in document(ran)["images"]}
    assert outcomes == {"app": "failed", "web": "mirrored"}
    assert target.count("PUT", "/app/manifests/") <= 6


def test_one_bad_image_does_not_stop_the_others(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    before = locked.spec.read_bytes()
    target.always("/app/blobs/uploads/", instead(403, b'{"errors":[{"code":"DENIED"}]}'))
    ran = mirror(locked, target, "--json", code=3)
    result = document(ran)
    assert {image["name"]: image["outcome"] for image in result["images"]} == {
        "app": "failed",
        "web": "mirrored",
    }
    assert "denied" in result["images"][0]["error"]["code"]
    assert uploads.repositories[repository(locked, "web")].tags.keys() == {"stable"}
    # The mirror lacks an image of that registry, so it is not written down yet.
    assert (result["mirrors"], result["wrote"], locked.spec.read_bytes()) == ({}, [], before)


def test_a_source_that_lacks_an_image_fails_that_image(locked: Ground, target: RegistrySim) -> None:
    locked.sim.always("/team/app/", instead(404))
    ran = mirror(locked, target, code=3)
    assert f"Mirrored 1 of 2 images to {target.host}/m" in ran.out
    assert "error: app" in ran.err


@pytest.mark.parametrize("late", ["web arm64", "web amd64"])
def test_an_image_arrives_while_another_is_still_downloaded(
    locked: Ground, target: RegistrySim, late: str
) -> None:
    """One blob of web comes when the target has the whole of app, tag and all."""
    arrived: list[bool] = []
    tag = f"/{repository(locked, 'app')}/manifests/stable"

    def when_app_is_there(_: Request, answer: Answer) -> Answer:
        await_that(lambda: target.count("PUT", tag) == 1)
        arrived.append(True)
        return answer

    gone = digest_of(late.encode() * 100)
    locked.sim.always(f"/blobs/{gone}", when_app_is_there)
    result = document(mirror(locked, target, "--json", "--jobs", "2"))
    assert arrived == [True]
    assert [image["outcome"] for image in result["images"]] == ["mirrored", "mirrored"]
    assert (result["fetched"]["blobs"], result["uploaded"]["blobs"]) == (9, 9)
    web = [r.target for r in target.requests if "/team/web/" in r.target and r.method == "PUT"]
    assert web[-1].endswith("/stable")
    assert "/manifests/" not in "".join(web[:-3])


def outcomes(ran: Ran) -> dict[str, str]:
    return {image["name"]: image["outcome"] for image in document(ran)["images"]}


def test_a_blob_that_cannot_be_had_fails_the_images_that_need_it(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    gone = digest_of(b"app arm64" * 100)
    locked.sim.always(f"/blobs/{gone}", instead(404))
    ran = mirror(locked, target, "--json", code=3)
    assert outcomes(ran) == {"app": "failed", "web": "mirrored"}
    assert document(ran)["images"][0]["error"]["code"] == "not-found"
    assert uploads.repository(repository(locked, "app")).manifests == {}
    locked.sim.heal()
    assert outcomes(mirror(locked, target, "--json")) == {"app": "mirrored", "web": "present"}


class PruningUploads(Uploads):
    """A target that prunes the store of whoever asks it, as another process may at any time."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def answer(self, request: Request) -> Answer:
        if self.root.exists():
            with Store.open(self.root, create=False) as store:
                prune(store, PruneWish(partials_older_than=0), now=2.0**40)
        return super().answer(request)


def test_T19_a_prune_at_every_request_takes_nothing(locked: Ground) -> None:
    """What has no name in the store yet is leased until everything was sent."""
    with RegistrySim(content=PruningUploads(locked.store)) as target:
        mirror(locked, target)
    blobs = [request.path for request in locked.sim.requests if "/blobs/" in request.path]
    assert len(blobs) == len(set(blobs)), "nothing was fetched twice"
    assert locked.run("verify").code == 0
    assert locked.run("sync", "--all-platforms", "--offline").code == 0


def test_what_it_names_below_an_index_goes_with_the_index(
    locked: Ground, target: RegistrySim
) -> None:
    mirror(locked, target)
    host = locked.sim.host
    assert locked.run("rm", f"{host}/team/app:stable", f"{host}/team/web:stable").code == 0
    assert locked.run("prune").code == 0
    assert json.loads((locked.store / "index.json").read_bytes())["manifests"] == []


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        pytest.param("/app/manifests/", "PUT", 403, "denied", id="a-manifest"),
        pytest.param("/app/manifests/", "HEAD", 503, "unavailable", id="a-look"),
        pytest.param("/app/blobs/sha256", "HEAD", 503, "unavailable", id="a-blob"),
    ],
)
def test_what_the_target_refuses_of_one_image_leaves_the_others(
    locked: Ground, target: RegistrySim, path: str, method: str, status: int, code: str
) -> None:
    target.always(path, lambda r, a: instead(status)(r, a) if r.method == method else a)
    # Each with blobs of its own: a blob that both need is looked for at both.
    locked.want(app="team/app:stable", alone="team/alone:stable")
    locked.sim.content.add_image("team/alone", "stable", layers=[b"alone"])
    assert locked.run("lock").code == 0
    ran = mirror(locked, target, "--json", code=3)
    assert outcomes(ran) == {"alone": "mirrored", "app": "failed"}
    (failed,) = [image for image in document(ran)["images"] if image["name"] == "app"]
    assert failed["error"]["code"] == code


def test_a_name_that_would_be_too_long_fails_its_image(locked: Ground, target: RegistrySim) -> None:
    ran = locked.run("mirror", f"{target.host}/{'x' * 240}", "--json")
    assert (ran.code, outcomes(ran)) == (2, {"app": "failed", "web": "failed"})
    assert target.requests == []


def test_a_store_that_fails_ends_the_run(locked: Ground, target: RegistrySim) -> None:
    assert locked.run("sync", "--all-platforms").code == 0
    blob = locked.store / "blobs/sha256" / digest_of(BASE)[7:]
    blob.unlink()
    blob.mkdir()
    ran = mirror(locked, target, code=5)
    assert "is not a regular file" in ran.err
    assert "mirrors" not in locked.spec.read_text()


def test_a_corrupt_blob_is_refused_by_the_registry(locked: Ground, target: RegistrySim) -> None:
    assert locked.run("sync", "--all-platforms").code == 0
    blob = locked.store / "blobs/sha256" / digest_of(BASE)[7:]
    blob.chmod(0o644)
    blob.write_bytes(b"x" * len(BASE))
    ran = mirror(locked, target, code=4)
    assert "pinner verify --repair" in ran.err


def test_a_dry_run_sends_nothing(locked: Ground, target: RegistrySim) -> None:
    before = locked.spec.read_bytes()
    ran = mirror(locked, target, "--dry-run")
    assert sent(target) == []
    assert locked.sim.count("GET", "/blobs/") == 0
    assert f"{target.host}/{repository(locked, 'app')}:stable" in ran.out
    assert f"Would mirror 2 images to {target.host}/m: " in ran.out
    assert "in 9 blobs to upload" in ran.out
    assert locked.spec.read_bytes() == before
    real = document(mirror(locked, target, "--json"))
    assert real["uploaded"]["blobs"] == 9


def test_no_tags(locked: Ground, target: RegistrySim, uploads: Uploads) -> None:
    mirror(locked, target, "--no-tags")
    copy = uploads.repositories[repository(locked, "app")]
    assert (len(copy.manifests), copy.tags) == (3, {})
    target.requests.clear()
    mirror(locked, target, "--no-tags")
    assert [request.method for request in target.requests] == ["HEAD", "HEAD"]


def test_a_tag_that_is_missing_alone_costs_one_manifest(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    mirror(locked, target, "--no-tags")
    target.requests.clear()
    mirror(locked, target)
    assert sent(target) == ["PUT", "PUT"]
    assert uploads.repositories[repository(locked, "app")].tags.keys() == {"stable"}


def test_some_platforms_go_by_digest_and_without_the_index(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    mirror(locked, target, "--platform", "linux/arm64")
    copy = uploads.repositories[repository(locked, "app")]
    assert (len(copy.manifests), copy.tags) == (1, {})
    target.requests.clear()
    ran = mirror(locked, target, "--platform", "linux/arm64")
    assert [request.method for request in target.requests] == ["HEAD", "HEAD"]
    assert "holds all 2 images" in ran.out


def test_a_platform_that_is_not_locked_is_a_failure(locked: Ground, target: RegistrySim) -> None:
    ran = mirror(locked, target, "--platform", "linux/s390x", code=2)
    assert "not locked for linux/s390x" in ran.err
    assert target.requests == []


def test_by_path_alone(locked: Ground, target: RegistrySim, uploads: Uploads) -> None:
    mirror(locked, target, "--naming", "path")
    assert uploads.repositories.keys() == {"m/team/app", "m/team/web"}
    assert f'mirrors = ["{target.host}/m"]' in locked.spec.read_text()


def test_the_names_of_namings_are_those_of_the_use_case() -> None:
    assert tuple(naming.value for naming in Naming) == NAMINGS


def test_only_the_named_entries(locked: Ground, target: RegistrySim, uploads: Uploads) -> None:
    mirror(locked, target, "web")
    assert uploads.repositories.keys() == {repository(locked, "web")}


def test_two_digests_of_one_tag_leave_it_alone(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    locked.sim.content.add_image("team/app", "stable", layers=[b"newer"])
    locked.want(app="team/app:stable", web="team/web:stable", later="team/app:stable")
    assert locked.run("lock").code == 0
    ran = mirror(locked, target)
    assert "app and later are locked to different digests" in ran.err
    copy = uploads.repositories[repository(locked, "app")]
    assert (len(copy.manifests), copy.tags) == (4, {})


def test_an_image_of_the_target_itself_is_not_copied(locked: Ground) -> None:
    ran = locked.run("mirror", locked.sim.host, "--json")
    assert {image["outcome"] for image in document(ran)["images"]} == {"skipped"}
    assert (ran.code, document(ran)["wrote"], locked.sim.requests) == (0, [], [])


@pytest.mark.parametrize(
    "target",
    [
        "https://registry.example",
        "team",
        "registry.example/",
        "registry.example/A",
        "u:p@r.example",
    ],
)
def test_what_is_no_target(locked: Ground, target: str) -> None:
    ran = locked.run("mirror", target)
    assert ran.code == 2
    assert "u:p" not in ran.err


# What becomes of images.toml, and what `sync` makes of it.


def test_the_mirror_is_written_down_and_the_lock_stays_fresh(
    locked: Ground, target: RegistrySim
) -> None:
    before = locked.spec.read_text()
    ran = mirror(locked, target)
    assert ran.out.endswith("Wrote images.toml. Next: pinner sync\n")
    table = f'[registries."{locked.sim.host}"]\nmirrors = ["{target.host}/m/{folder(locked)}"]\n'
    assert locked.spec.read_text() == f"{before}\n{table}"
    assert locked.run("lock", "--check").code == 0


def test_sync_goes_on_without_the_registry(locked: Ground, target: RegistrySim) -> None:
    mirror(locked, target)
    locked.sim.always("", instead(503))
    locked.sim.requests.clear()
    ran = locked.run("sync", "--all-platforms", "--store", str(locked.folder / "runner"))
    assert (ran.code, locked.sim.requests) == (0, [])


def test_sync_of_single_platforms_asks_the_registry_for_the_index_alone(
    locked: Ground, target: RegistrySim
) -> None:
    mirror(locked, target, "--platform", "linux/amd64")
    locked.sim.requests.clear()
    runner = ("--platform", "linux/amd64", "--store", str(locked.folder / "runner"))
    assert locked.run("sync", *runner).code == 0
    assert sorted(r.target.rpartition("/")[0] for r in locked.sim.requests) == [
        "/v2/team/app/manifests",
        "/v2/team/web/manifests",
    ]


def test_nothing_is_written_where_that_is_not_wanted(locked: Ground, target: RegistrySim) -> None:
    before = locked.spec.read_bytes()
    ran = mirror(locked, target, "--no-write")
    assert locked.spec.read_bytes() == before
    assert ran.out.endswith(
        f'For images.toml:\n[registries."{locked.sim.host}"]\n'
        f'mirrors = ["{target.host}/m/{folder(locked)}"]\n'
    )


def test_a_file_that_cannot_be_edited_is_said_before_anything_is_sent(
    locked: Ground, target: RegistrySim
) -> None:
    text = locked.spec.read_text()
    locked.spec.write_text(f'registries = {{ "{locked.sim.host}" = {{}} }}\n{text}')
    ran = mirror(locked, target, code=2)
    assert "cannot be edited in place" in ran.err
    assert target.requests == []
    mirror(locked, target, "--no-write")


def test_a_stale_lock_is_refused(locked: Ground, target: RegistrySim) -> None:
    locked.want(app="team/app:stable")
    ran = mirror(locked, target, code=1)
    assert "pinner mirror --frozen" in ran.err
    assert target.requests == []
    mirror(locked, target, "--frozen")


def test_mirrors_of_the_users_own_are_said_to_count_more(
    locked: Ground, target: RegistrySim
) -> None:
    config = locked.home / ".config/pinner/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[registries."{locked.sim.host}"]\nmirrors = []\n')
    assert "your config.toml names other mirrors" in mirror(locked, target).err


# Credentials.


def test_the_login_goes_to_the_target_alone(locked: Ground, uploads: Uploads) -> None:
    def elsewhere(request: Request) -> Answer:
        return Answer(status=201)

    with (
        RegistrySim(content=uploads, login=BASIC) as target,
        LoopbackServer(elsewhere) as storage,
    ):
        store_login(locked.home, target.host, USER, PASSWORD)
        lure = header("Location", f"{storage.url}/x")
        target.always(SESSIONS, lambda r, a: lure(r, a) if a.status == 202 else a)
        ran = locked.run("mirror", target.host)
        assert storage.requests
        assert not [r for r in storage.requests if "authorization" in r.headers]
        assert not [r for r in locked.sim.requests if "authorization" in r.headers]
        assert [r for r in target.requests if "authorization" in r.headers]
    assert PASSWORD not in ran.out + ran.err


def test_a_location_without_tls_on_the_same_host_is_asked_over_tls(
    locked: Ground, uploads: Uploads, authority: Authority, secured: SSLContext
) -> None:
    """As a registry behind a proxy says it that does not know of the proxy's TLS."""

    def plain(request: Request, answer: Answer) -> Answer:
        location = answer.header("Location")
        return answer.with_header("Location", location and f"http://127.0.0.1{location}")

    with RegistrySim(content=uploads, tls=secured) as target:
        target.always(SESSIONS, plain)
        table = f'[registries."{target.host}"]\nca-file = "{authority.ca_file}"\n'
        locked.spec.write_text(f"{locked.spec.read_text()}\n{table}")
        mirror(locked, target)
    assert len(uploads.uploaded) == 9


def test_a_login_that_is_missing_is_said_with_the_mend(locked: Ground, uploads: Uploads) -> None:
    with RegistrySim(content=uploads, login=BASIC) as target:
        ran = mirror(locked, target, code=3)
    assert f"pinner login {target.host}" in ran.err


# Large blobs, and runs that are not the first.


def test_memory_does_not_grow_with_a_blob(
    ground: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    large = bytes(96_000_000)
    ground.sim.content.add_image("team/app", "stable", layers=[large])
    ground.want(app="team/app:stable")
    ground.process = True
    assert ground.run("lock").code == 0
    assert ground.run("sync").code == 0
    ran = mirror(ground, target)
    assert digest_of(large) in uploads.uploaded
    assert 0 < ran.memory < len(large)


def test_members_that_are_not_locked_and_attestations_go_along(
    ground: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    content = ground.sim.content
    images = {
        "linux/amd64": content.add_image("team/app", layers=[b"amd64"]),
        "linux/s390x": content.add_image("team/app", layers=[b"s390x"], architecture="s390x"),
        "unknown/unknown": content.add_image("team/app", layers=[b"statement"], os="unknown"),
    }
    content.add_index("team/app", "stable", images=images)
    ground.want(app="team/app:stable", web="team/app:stable")
    ground.spec.write_text(f'settings.platforms = ["linux/amd64"]\n{ground.spec.read_text()}')
    assert ground.run("lock").code == 0
    mirror(ground, target)
    origin, copy = content.repositories["team/app"], uploads.repositories[repository(ground, "app")]
    assert (copy.manifests, copy.blobs) == (origin.manifests, origin.blobs)


def test_an_index_in_an_index_goes_along(
    ground: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    content = ground.sim.content
    image = content.add_image("team/app", layers=[b"amd64"])
    inner = content.add_index("team/app", images={"linux/amd64": image})
    outer = (
        b'{"schemaVersion":2,"mediaType":"%b","manifests":[{"mediaType":"%b","digest":"%b","size":%d}]}'
        % (OCI_INDEX.encode(), OCI_INDEX.encode(), inner.digest.encode(), inner.size)
    )
    content.add_manifest("team/app", outer, OCI_INDEX, ["stable"])
    ground.want(app="team/app:stable")
    assert ground.run("lock").code == 0
    mirror(ground, target)
    copy = uploads.repositories[repository(ground, "app")]
    assert copy.manifests == content.repositories["team/app"].manifests


def test_an_index_that_the_registry_dropped_leaves_single_platforms(
    locked: Ground, target: RegistrySim, uploads: Uploads
) -> None:
    held = locked.sim.content.repositories["team/app"]
    del held.manifests[held.tags["stable"]]
    ran = mirror(locked, target, "app", code=3)
    assert "--platform" in ran.err
    mirror(locked, target, "app", "--platform", "linux/amd64")


def test_a_mirror_is_not_asked_for_what_it_is_about_to_get(
    locked: Ground, target: RegistrySim
) -> None:
    mirror(locked, target, "app")
    target.requests.clear()
    ran = mirror(locked, target, "web", "--store", str(locked.folder / "another"))
    assert not [request for request in target.requests if request.method == "GET"]
    assert "next source" not in ran.err


def test_a_target_behind_a_proxy_and_tls_gets_everything_through_the_tunnel(
    abroad: Abroad, uploads: Uploads, secured: SSLContext
) -> None:
    ground = abroad.ground
    ground.sim.content.add_image("app", "stable", layers=[BASE])
    with RegistrySim(content=uploads, tls=secured, name="other.example", login=BEARER) as target:
        abroad.ports["other.example"] = target.port
        ground.configure_docker({"auths": {"other.example": {"auth": PAIR}}})
        ground.want(app="app:stable")
        assert ground.run("lock").code == 0
        mirror(ground, target)
    assert uploads.repositories["m/registry.example/app"].tags.keys() == {"stable"}
    assert not [r for r in ground.sim.requests if "authorization" in r.headers]


def test_a_refusal_before_the_body_is_read_is_heard_over_tls(
    locked: Ground, uploads: Uploads, authority: Authority, secured: SSLContext
) -> None:
    large = bytes(20_000_000)
    locked.sim.content.add_image("team/app", "large", layers=[large])
    with RegistrySim(content=uploads, tls=secured) as target:
        table = f'[registries."{target.host}"]\nca-file = "{authority.ca_file}"\n'
        locked.want(table, app="team/app:large")
        assert locked.run("lock").code == 0
        full = error(403, "DENIED", "quota exceeded")
        target.read_only(digest_of(large).partition(":")[2], 0)
        target.always(
            digest_of(large)[7:],
            lambda r, a: replace(full, then=Then.STALL) if r.method == "PUT" else a,
        )
        ran = mirror(locked, target, code=3)
    assert "quota exceeded" in ran.err


@pytest.mark.parametrize("user_wide", [False, True])
def test_a_login_goes_over_plain_http_only_if_the_user_says_so(
    locked: Ground, *, user_wide: bool
) -> None:
    def basic(request: Request) -> Answer:
        return Answer(status=401, headers=(("WWW-Authenticate", 'Basic realm="m"'),))

    table = '[registries."mirror.example"]\nplain-http = true\n'
    locked.configure_docker({"auths": {"mirror.example": {"auth": PAIR}}})
    if user_wide:
        config = locked.home / ".config/pinner/config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(table)
    else:
        locked.spec.write_text(f"{locked.spec.read_text()}\n{table}")
    with LoopbackServer(basic) as proxy:
        locked.environ |= {"http_proxy": proxy.url, "no_proxy": "127.0.0.1"}
        ran = locked.run("mirror", "mirror.example")
        asked = [request for request in proxy.requests if "mirror.example" in request.target]
    assert asked
    assert any("authorization" in request.headers for request in asked) is user_wide
    assert ran.code == (3 if user_wide else 2)
    assert PASSWORD not in ran.out + ran.err
