"""The servers of the tests work: what pinner shows on them later means something."""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from support import registries
from support.layouts import INDEX, MANIFEST
from support.programs import ProgramError
from support.pushing import skopeo_copy, skopeo_inspect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from pathlib import Path

    from integration.conftest import PushLayout
    from support.accesslog import Recording
    from support.registries import Registry
    from support.tls import Authority
    from support.tokenserver import Rules, TokenServer

pytestmark = pytest.mark.servers

ACCEPT = f"{INDEX}, {MANIFEST}"  # without it, an OCI manifest is not found


def get(
    registry: Registry, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, Message, bytes]:
    """Status, headers and body of one GET, with no client of ours in between."""
    context = ssl.create_default_context(cafile=str(registry.ca_file)) if registry.ca_file else None
    request = urllib.request.Request(
        f"{registry.url}{path}", headers={"Accept": ACCEPT, **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def platforms(raw_index: str | bytes) -> list[str]:
    """The platforms that an index lists."""
    listed: list[dict[str, Any]] = json.loads(raw_index)["manifests"]
    return ["/".join(entry["platform"].values()) for entry in listed]


@pytest.fixture(
    params=["plain_registry", "htpasswd_registry", "token_registry", "tls_registry"],
    ids=lambda name: name.removesuffix("_registry"),
)
def registry(request: pytest.FixtureRequest) -> Registry:
    found: Registry = request.getfixturevalue(request.param)
    return found


def test_skopeo_pushes_all_platforms_and_reads_them_back(
    registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(registry, "servers/multi:1")
    assert platforms(skopeo_inspect(registry, "servers/multi:1", "--raw")) == [
        "linux/amd64",
        "linux/arm64",
        "linux/arm/v7",
    ]


def test_requests_are_counted(plain_registry: Registry, push_layout: PushLayout) -> None:
    push_layout(plain_registry, "servers/counted:1")
    path = "/v2/servers/counted/manifests/1"
    with plain_registry.recording() as seen:
        for _ in range(3):
            get(plain_registry, path)
        get(plain_registry, "/v2/servers/counted/tags/list")
        get(plain_registry, "/v2/servers/absent/manifests/1")
    assert seen.counts() == {"GET manifests": 4, "GET tags": 1}
    assert seen.count("manifests", status=404) == 1


def test_blobs_come_in_ranges(slow_registry: Registry, layout: Path) -> None:
    skopeo_copy(
        slow_registry,
        f"oci:{layout}:large",
        f"docker://{slow_registry.address}/servers/large:1",
    )
    _, _, manifest = get(slow_registry, "/v2/servers/large/manifests/1")
    blob = json.loads(manifest)["layers"][1]
    with slow_registry.recording() as seen:
        status, headers, body = get(
            slow_registry, f"/v2/servers/large/blobs/{blob['digest']}", {"Range": "bytes=1000-1999"}
        )
    assert (status, len(body)) == (206, 1000)
    assert headers["Content-Range"] == f"bytes 1000-1999/{blob['size']}"
    assert [request.range for request in seen.requests] == ["bytes=1000-1999"]


def test_a_changed_blob_is_served_as_it_is(
    plain_registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(plain_registry, "servers/liar:1", name="large")
    _, _, manifest = get(plain_registry, "/v2/servers/liar/manifests/1")
    digest = json.loads(manifest)["layers"][1]["digest"]
    stored = plain_registry.blob(digest)
    honest = stored.read_bytes()
    try:
        stored.write_bytes(b"lie" + honest[3:])
        _, _, served = get(plain_registry, f"/v2/servers/liar/blobs/{digest}")
    finally:
        stored.write_bytes(honest)
    assert served[:3] == b"lie"


def test_htpasswd_refuses_strangers(htpasswd_registry: Registry) -> None:
    status, headers, _ = get(htpasswd_registry, "/v2/")
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Basic ")
    login = f"{htpasswd_registry.user}:{htpasswd_registry.password}".encode()
    basic = "Basic " + base64.b64encode(login).decode()
    assert get(htpasswd_registry, "/v2/", {"Authorization": basic})[0] == 200


def test_tokens_are_asked_for_and_accepted(
    token_registry: Registry, token_server: TokenServer, push_layout: PushLayout
) -> None:
    push_layout(token_registry, "servers/tokens:1")
    token_server.forget()
    skopeo_inspect(token_registry, "servers/tokens:1", "--raw")
    (asked,) = token_server.requests()
    assert asked.scopes == ("repository:servers/tokens:pull",)
    assert (asked.user, asked.status) == (token_registry.user, 200)


def token_for(server: TokenServer, repository: str, login: tuple[str, str] | None = None) -> str:
    query = f"service={server.service.replace(' ', '+')}&scope=repository:{repository}:pull"
    headers = {}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    request = urllib.request.Request(f"{server.realm}?{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        token: str = json.load(reply)["token"]
    return token


@pytest.mark.parametrize(("repository", "status"), [("public/app", 200), ("private/app", 401)])
def test_anonymous_tokens_open_only_what_is_public(
    token_registry: Registry,
    token_server: TokenServer,
    push_layout: PushLayout,
    repository: str,
    status: int,
) -> None:
    push_layout(token_registry, f"{repository}:1")
    headers = {"Authorization": f"Bearer {token_for(token_server, repository)}"}
    assert get(token_registry, f"/v2/{repository}/manifests/1", headers)[0] == status


def test_an_expired_token_is_refused(
    token_registry: Registry,
    token_server: TokenServer,
    token_rules: Rules,
    push_layout: PushLayout,
) -> None:
    push_layout(token_registry, "public/expired:1")
    token_rules.lifetime = 0
    headers = {"Authorization": f"Bearer {token_for(token_server, 'public/expired')}"}
    status, answered, _ = get(token_registry, "/v2/public/expired/manifests/1", headers)
    assert status == 401
    assert answered["WWW-Authenticate"].startswith(f'Bearer realm="{token_server.realm}"')


def test_wrong_credentials_get_no_token(token_server: TokenServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        token_for(token_server, "private/app", ("ada", "wrong"))
    caught.value.close()
    assert caught.value.code == 401


def test_tls_needs_the_authority(tls_registry: Registry) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{tls_registry.url}/v2/", timeout=60)
    assert get(tls_registry, "/v2/")[0] == 200


def test_tls_can_ask_for_a_client_certificate(
    tmp_path: Path, plain_registry: Registry, authority: Authority
) -> None:
    client = authority.issue("client", for_client=True)
    with registries.with_tls(tmp_path, plain_registry, authority, ask_client=True) as registry:
        assert get(registry, "/v2/")[0] == 400
        context = ssl.create_default_context(cafile=str(registry.ca_file))
        context.load_cert_chain(client.certificate, client.key)
        with urllib.request.urlopen(f"{registry.url}/v2/", timeout=60, context=context) as reply:
            assert reply.status == 200


def test_the_mirror_fetches_from_upstream_and_keeps(
    plain_registry: Registry, mirror_registry: Registry, push_layout: PushLayout
) -> None:
    push_layout(plain_registry, "servers/mirrored:1", name="single")
    _, headers, manifest = get(plain_registry, "/v2/servers/mirrored/manifests/1")
    blob = json.loads(manifest)["layers"][1]["digest"]

    def ask_mirror() -> Recording:
        path = f"manifests/{headers['Docker-Content-Digest']}"
        with plain_registry.recording() as upstream:
            assert get(mirror_registry, f"/v2/servers/mirrored/{path}")[2] == manifest
            assert get(mirror_registry, f"/v2/servers/mirrored/blobs/{blob}")[0] == 200
        return upstream

    first = ask_mirror()
    assert first.count("manifests") == 1
    assert first.count("blobs") >= 1
    # What it serves it stores beside, so only a later request finds it kept.
    deadline = time.monotonic() + 120
    while ask_mirror().requests:
        assert time.monotonic() < deadline, "the mirror keeps nothing"


def test_a_mirror_takes_no_push(mirror_registry: Registry, push_layout: PushLayout) -> None:
    with pytest.raises(ProgramError):
        push_layout(mirror_registry, "servers/refused:1")
