from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from pinner.errors import (
    AccessDenied,
    IntegrityError,
    NotFound,
    ProtocolError,
)
from pinner.oci.digest import Digest
from pinner.oci.mediatypes import ACCEPT
from pinner.oci.registryconfig import RegistryConfig
from support.clients import Opened, opened, ref
from support.registry_content import OCI_MANIFEST, SimImage, digest_of
from support.registry_faults import (
    Fault,
    body,
    changed,
    chunked,
    close_delimited,
    flipped,
    gzip_encoded,
    header,
    instead,
)
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = "sha256:" + "0" * 64


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    with RegistrySim() as sim:
        yield sim


@pytest.fixture
def image(sim: RegistrySim) -> SimImage:
    return sim.content.add_image("team/app", "stable")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Opened]:
    with opened(tmp_path) as here:
        yield here


def test_a_tag_is_resolved_by_one_get(sim: RegistrySim, image: SimImage, here: Opened) -> None:
    raw = here.client.resolve(ref(sim.host, "team/app:stable"))
    assert (str(raw.digest), raw.media_type) == (image.digest, OCI_MANIFEST)
    assert raw.last_modified == 1_794_391_200.0
    assert [(r.method, r.target) for r in sim.requests] == [
        ("GET", "/v2/team/app/manifests/stable")
    ]
    assert here.client.counts == {"manifest": 1}


def test_M33_all_four_types_are_accepted_and_nothing_is_encoded(
    sim: RegistrySim, image: SimImage, here: Opened
) -> None:
    here.client.resolve(ref(sim.host, "team/app:stable"))
    headers = sim.requests[0].headers
    assert headers["accept"] == ACCEPT
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("pinner/")
    assert headers["host"] == sim.host
    assert not {"authorization", "cookie", "range"} & set(headers)


def test_no_tag_means_latest(sim: RegistrySim, here: Opened) -> None:
    image = sim.content.add_image("team/app", "latest")
    assert str(here.client.resolve(ref(sim.host, "team/app")).digest) == image.digest


def test_a_digest_is_asked_for_by_digest(sim: RegistrySim, image: SimImage, here: Opened) -> None:
    reference = ref(sim.host, f"team/app:stable@{image.digest}")
    assert str(here.client.resolve(reference).digest) == image.digest
    assert sim.requests[0].target == f"/v2/team/app/manifests/{image.digest}"


def test_head_states_the_digest(sim: RegistrySim, image: SimImage, here: Opened) -> None:
    assert str(here.client.head(ref(sim.host, "team/app:stable"))) == image.digest
    assert [r.method for r in sim.requests] == ["HEAD"]
    assert here.client.counts == {"head": 1}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(instead(405), id="405"),
        pytest.param(instead(404), id="404"),
        pytest.param(instead(403), id="403"),
        pytest.param(header("Docker-Content-Digest", None), id="no-header"),
        pytest.param(header("Docker-Content-Digest", "sha256:short"), id="bad-header"),
    ],
)
def test_head_says_nothing_where_the_registry_does_not(
    sim: RegistrySim, image: SimImage, here: Opened, fault: Fault
) -> None:
    sim.script("/manifests/", fault)
    assert here.client.head(ref(sim.host, "team/app:stable")) is None
    assert len(sim.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(chunked, id="chunked"),
        pytest.param(close_delimited, id="close-delimited"),
        pytest.param(changed(interim=3), id="100-continue"),
        pytest.param(header("Docker-Content-Digest", None), id="no-digest-header"),
        pytest.param(header("Content-Type", OCI_MANIFEST + "; charset=utf-8"), id="M08"),
    ],
)
def test_harmless_oddities(sim: RegistrySim, image: SimImage, here: Opened, fault: Fault) -> None:
    sim.script("/manifests/", fault)
    raw = here.client.resolve(ref(sim.host, "team/app:stable"))
    assert (str(raw.digest), raw.media_type) == (image.digest, OCI_MANIFEST)


def test_M01_other_bytes_than_the_digest(sim: RegistrySim, image: SimImage, here: Opened) -> None:
    sim.always("/manifests/", flipped)
    reference = ref(sim.host, "team/app")
    with pytest.raises(IntegrityError) as caught:
        here.client.manifest(reference.repository, Digest.parse(image.digest))
    right = sim.content.repository("team/app").manifests[image.digest][1]
    wrong = bytes([right[0] ^ 1]) + right[1:]
    assert image.digest in caught.value.what
    assert digest_of(wrong) in caught.value.what
    assert sim.host in caught.value.what
    assert len(sim.requests) == 1


def test_M02_a_right_digest_header_saves_no_wrong_body(
    sim: RegistrySim, image: SimImage, here: Opened
) -> None:
    sim.always("/manifests/", flipped)
    with pytest.raises(IntegrityError):
        here.client.resolve(ref(sim.host, f"team/app@{image.digest}"))


def test_M02_a_wrong_digest_header_harms_no_right_body(
    sim: RegistrySim, image: SimImage, here: Opened
) -> None:
    sim.always("/manifests/", header("Docker-Content-Digest", OTHER))
    assert str(here.client.resolve(ref(sim.host, "team/app:stable")).digest) == image.digest
    (note,) = here.notes
    assert "states digest 000000000000" in note
    assert f"hash to {image.digest[7:19]}" in note


def test_M04_the_bytes_of_the_get_win_over_the_head(
    sim: RegistrySim, image: SimImage, here: Opened
) -> None:
    sim.script("/manifests/", header("Docker-Content-Digest", OTHER))
    reference = ref(sim.host, "team/app:stable")
    assert str(here.client.head(reference)) == OTHER
    assert str(here.client.resolve(reference).digest) == image.digest


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)], ids=["M17-4MiB", "M17-over"])
@pytest.mark.parametrize("framing", [changed(), chunked], ids=["length", "chunked"])
def test_manifest_size(
    sim: RegistrySim, here: Opened, framing: Fault, *, extra: int, fits: bool
) -> None:
    data = b" " * (4 * 1024 * 1024 + extra)
    sim.content.add_manifest("team/big", data, OCI_MANIFEST, ["1"])
    sim.always("/manifests/", framing)
    reference = ref(sim.host, "team/big:1")
    if fits:
        assert here.client.resolve(reference).data == data
    else:
        with pytest.raises(IntegrityError, match="more than 4 MiB"):
            here.client.resolve(reference)


def test_M32_a_captive_portal_is_named(sim: RegistrySim, here: Opened) -> None:
    sim.always("", instead(200, b"<html>log in</html>", Content_Type="text/html; charset=utf-8"))
    with pytest.raises(ProtocolError, match=r"web page \(text/html\)") as caught:
        here.client.resolve(ref(sim.host, "team/app:stable"))
    assert sim.host in caught.value.what


@pytest.mark.parametrize("by_digest", [False, True], ids=["B21-tag-encoded", "B21-digest-encoded"])
def test_encoded_manifests_are_never_decoded(
    sim: RegistrySim, image: SimImage, here: Opened, *, by_digest: bool
) -> None:
    sim.always("/manifests/", gzip_encoded)
    rest = f"team/app@{image.digest}" if by_digest else "team/app:stable"
    with pytest.raises(IntegrityError, match=r"encoded.*\(gzip\)"):
        here.client.resolve(ref(sim.host, rest))


def test_B21_a_bomb_on_a_manifest_stays_small(sim: RegistrySim, here: Opened) -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))
    sim.always("", instead(200, bomb, Content_Type=OCI_MANIFEST, Content_Encoding="gzip"))
    with pytest.raises(IntegrityError, match="encoded"):
        here.client.resolve(ref(sim.host, "team/app:1"))


def test_not_found_names_what_and_where(sim: RegistrySim, image: SimImage, here: Opened) -> None:
    with pytest.raises(NotFound) as caught:
        here.client.resolve(ref(sim.host, "team/app:none"))
    assert f"{sim.host}/team/app:none was not found on {sim.host}" in caught.value.what
    assert caught.value.mend == (
        "MANIFEST_UNKNOWN: manifest unknown",
        "it does not exist, or may require a login",
    )
    assert len(sim.requests) == 1


@pytest.mark.parametrize("status", [401, 403], ids=["401", "A13-403"])
def test_denied(sim: RegistrySim, image: SimImage, here: Opened, status: int) -> None:
    sim.always("/manifests/", instead(status))
    with pytest.raises(AccessDenied, match=f"{sim.host} refused .*team/app:stable: {status} "):
        here.client.resolve(ref(sim.host, "team/app:stable"))
    assert sim.count("GET", "/manifests/") == 1


class TestMirrors:
    @pytest.fixture
    def mirror(self) -> Iterator[RegistrySim]:
        with RegistrySim() as mirror:
            yield mirror

    @pytest.fixture
    def here(self, tmp_path: Path, sim: RegistrySim, mirror: RegistrySim) -> Iterator[Opened]:
        config = RegistryConfig(host=sim.host, mirrors=(f"{mirror.host}/cache",))
        with opened(tmp_path, configs=[config]) as here:
            yield here

    def test_serve_digests(
        self, sim: RegistrySim, mirror: RegistrySim, image: SimImage, here: Opened
    ) -> None:
        mirror.content.add_image("cache/team/app")
        here.client.resolve(ref(sim.host, f"team/app@{image.digest}"))
        assert mirror.count("GET", "/v2/cache/team/app/manifests/sha256:") == 1
        assert sim.requests == []

    def test_do_not_say_how_old_a_manifest_is(
        self, sim: RegistrySim, mirror: RegistrySim, image: SimImage, here: Opened
    ) -> None:
        mirror.content.add_image("cache/team/app")
        mirror.always("/v2/", header("Last-Modified", "Wed, 11 Nov 2026 10:00:00 GMT"))
        raw = here.client.resolve(ref(sim.host, f"team/app@{image.digest}"))
        assert (len(mirror.requests), raw.last_modified) == (1, None)

    def test_are_never_asked_for_tags(
        self, sim: RegistrySim, mirror: RegistrySim, image: SimImage, here: Opened
    ) -> None:
        reference = ref(sim.host, "team/app:stable")
        here.client.resolve(reference)
        here.client.head(reference)
        here.client.tags(reference.repository)
        assert mirror.requests == []

    @pytest.mark.parametrize(
        ("fault", "asked"),
        [
            pytest.param(instead(500), 2, id="H29-500"),
            pytest.param(instead(403), 1, id="H29-403"),
            pytest.param(flipped, 1, id="H29-wrong-bytes"),
            pytest.param(body(lambda _: b"<html>"), 1, id="H29-a-page"),
        ],
    )
    def test_that_fail_are_left_and_named(
        self,
        sim: RegistrySim,
        mirror: RegistrySim,
        image: SimImage,
        here: Opened,
        fault: Fault,
        asked: int,
    ) -> None:
        mirror.content.add_image("cache/team/app")
        mirror.always("", fault)
        reference = ref(sim.host, f"team/app@{image.digest}")
        for _ in range(3):
            assert str(here.client.resolve(reference).digest) == image.digest
        assert len(mirror.requests) == asked
        assert len(here.notes) == 1
        assert here.notes[0].startswith(f"mirror {mirror.host}: ")

    def test_H29_that_lack_one_thing_are_asked_for_the_next(
        self, sim: RegistrySim, mirror: RegistrySim, image: SimImage, here: Opened
    ) -> None:
        reference = ref(sim.host, f"team/app@{image.digest}")
        for _ in range(2):
            here.client.resolve(reference)
        assert len(mirror.requests) == 2
        assert len(here.notes) == 1
