"""The registry client against real registries: what is asked, and what comes of it."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pinner.clock import SystemClock
from pinner.errors import AccessDenied, NotFound, RegistryError
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.oci.registryconfig import RegistryConfig
from pinner.registry.open import Surroundings, open_client
from support.layouts import INDEX, MANIFEST
from support.programs import free_port
from support.pushing import skopeo_inspect
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from integration.conftest import PushLayout
    from pinner.registry.client import RegistryClient
    from support.registries import Registry
    from support.tokenserver import Rules, TokenServer

pytestmark = pytest.mark.servers

STRANGER = ("mallory", "guessed")


class OpenTo(Protocol):
    """Opens a client that knows how to reach a registry; `auth` is its entry of `auths`."""

    def __call__(
        self,
        registry: Registry,
        *,
        auth: Mapping[str, str] | None = None,
        mirrors: Sequence[str] = (),
    ) -> RegistryClient: ...


def basic(user: str, password: str) -> dict[str, str]:
    """A login as docker stores it."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def notes() -> list[str]:
    """The lines that clients had for the user."""
    return []


@pytest.fixture
def open_to(home: Path, notes: list[str]) -> Iterator[OpenTo]:
    with ExitStack() as stack:

        def open_(
            registry: Registry,
            *,
            auth: Mapping[str, str] | None = None,
            mirrors: Sequence[str] = (),
        ) -> RegistryClient:
            if auth is None and registry.user:
                auth = basic(registry.user, registry.password)
            docker = home / ".docker"
            docker.mkdir(exist_ok=True)
            auths = {registry.address: auth} if auth else {}
            (docker / "config.json").write_text(json.dumps({"auths": auths}))
            config = RegistryConfig(
                host=registry.address, mirrors=tuple(mirrors), ca_file=registry.ca_file
            )
            around = Surroundings(
                configs=(config,),
                environ={"HOME": str(home)},
                home=home,
                clock=SystemClock(),
                note=notes.append,
            )
            return stack.enter_context(open_client(around))

        yield open_


@pytest.fixture(
    params=["plain_registry", "htpasswd_registry", "token_registry", "tls_registry"],
    ids=lambda name: name.removesuffix("_registry"),
)
def registry(request: pytest.FixtureRequest) -> Registry:
    found: Registry = request.getfixturevalue(request.param)
    return found


def reference(registry: Registry, repository_tag: str) -> Reference:
    return Reference.parse(f"{registry.address}/{repository_tag}")


def last_layer(raw: bytes) -> Descriptor:
    layer: dict[str, Any] = json.loads(raw)["layers"][-1]
    digest = Digest.parse(layer["digest"])
    return Descriptor(media_type=layer["mediaType"], digest=digest, size=layer["size"])


def test_a_tag_is_resolved_by_one_get(
    registry: Registry, open_to: OpenTo, push_layout: PushLayout
) -> None:
    push_layout(registry, "client/multi:1")
    client = open_to(registry)
    with registry.recording() as seen:
        raw = client.resolve(reference(registry, "client/multi:1"))
    assert raw.data.decode() == skopeo_inspect(registry, "client/multi:1", "--raw")
    assert (raw.media_type, raw.digest) == (INDEX, Digest.of(raw.data))
    assert seen.count("manifests", status=200) == 1
    assert client.counts["manifest"] == seen.count("manifests")


def test_head_says_the_digest_without_a_get(
    registry: Registry, open_to: OpenTo, push_layout: PushLayout
) -> None:
    push_layout(registry, "client/head:1")
    client = open_to(registry)
    with registry.recording() as seen:
        digest = client.head(reference(registry, "client/head:1"))
    raw = skopeo_inspect(registry, "client/head:1", "--raw").encode()
    assert digest == Digest.of(raw)
    assert seen.count("manifests") == 0


def test_manifests_and_blobs_by_digest(
    registry: Registry, open_to: OpenTo, push_layout: PushLayout
) -> None:
    push_layout(registry, "client/single:1", name="single")
    client = open_to(registry)
    asked = reference(registry, "client/single:1")
    tagged = client.resolve(asked)
    raw = client.manifest(asked.repository, tagged.digest)
    assert (raw.media_type, raw.data) == (MANIFEST, tagged.data)
    layer = last_layer(raw.data)
    with client.open_blob(asked.repository, layer) as stream:
        data = b"".join(bytes(chunk) for chunk in stream.chunks())
    assert layer.digest.matches(data)
    with client.open_blob(asked.repository, layer, start=10, end=30) as stream:
        assert (stream.start, stream.end, stream.ranged) == (10, 30, True)
        assert b"".join(bytes(chunk) for chunk in stream.chunks()) == data[10:30]


def test_tags_are_listed(registry: Registry, open_to: OpenTo, push_layout: PushLayout) -> None:
    for tag in ("1.0", "1.1", "latest"):
        push_layout(registry, f"client/tags:{tag}", name="single")
    tags = open_to(registry).tags(reference(registry, "client/tags").repository)
    assert sorted(tags) == ["1.0", "1.1", "latest"]


@pytest.mark.parametrize("missing", ["client/multi:absent", "client/absent:1"])
def test_what_is_not_there_is_not_found(
    registry: Registry, open_to: OpenTo, push_layout: PushLayout, missing: str
) -> None:
    push_layout(registry, "client/multi:1")
    with pytest.raises(NotFound):
        open_to(registry).resolve(reference(registry, missing))


@pytest.mark.parametrize("name", ["htpasswd_registry", "token_registry"])
@pytest.mark.parametrize("auth", [basic(*STRANGER), {}], ids=["wrong", "none"])
def test_strangers_are_denied(
    request: pytest.FixtureRequest,
    open_to: OpenTo,
    push_layout: PushLayout,
    name: str,
    auth: Mapping[str, str],
) -> None:
    registry: Registry = request.getfixturevalue(name)
    push_layout(registry, "client/private:1")
    client = open_to(registry, auth=auth)
    with registry.recording() as seen, pytest.raises(AccessDenied) as caught:
        client.resolve(reference(registry, "client/private:1"))
    assert STRANGER[1] not in str(caught.value)
    assert len(seen.requests) <= 3


def test_public_repositories_need_no_login(
    token_registry: Registry, open_to: OpenTo, push_layout: PushLayout
) -> None:
    push_layout(token_registry, "public/client:1")
    client = open_to(token_registry, auth={})
    assert client.resolve(reference(token_registry, "public/client:1")).media_type == INDEX


def test_workers_share_one_token(
    token_registry: Registry, token_server: TokenServer, open_to: OpenTo, push_layout: PushLayout
) -> None:
    push_layout(token_registry, "client/shared:1")
    client = open_to(token_registry)
    asked = reference(token_registry, "client/shared:1")
    token_server.forget()
    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(lambda _: client.resolve(asked).digest, range(8)))
    assert len(digests) == 1
    (request,) = token_server.requests()
    assert request.scopes == ("repository:client/shared:pull",)
    assert request.user == token_registry.user


def test_an_expired_token_is_renewed_once(
    token_registry: Registry,
    token_server: TokenServer,
    token_rules: Rules,
    open_to: OpenTo,
    push_layout: PushLayout,
) -> None:
    push_layout(token_registry, "client/expired:1")
    client = open_to(token_registry)
    token_server.forget()
    asked = reference(token_registry, "client/expired:1")
    token_rules.lifetime = 6  # long enough to be used once, on a busy machine too
    client.resolve(asked)
    token_rules.lifetime = 300
    time.sleep(6.1)
    for _ in range(2):
        client.resolve(asked)
    assert len(token_server.requests()) == 2


def test_tokens_that_are_always_refused_end_in_an_error(
    token_registry: Registry,
    token_server: TokenServer,
    token_rules: Rules,
    open_to: OpenTo,
    push_layout: PushLayout,
) -> None:
    push_layout(token_registry, "client/refused:1")
    client = open_to(token_registry)
    token_server.forget()
    token_rules.lifetime = 0
    with pytest.raises(AccessDenied):
        client.resolve(reference(token_registry, "client/refused:1"))
    assert len(token_server.requests()) <= 3


def test_an_identity_token_is_exchanged(
    token_registry: Registry, token_server: TokenServer, open_to: OpenTo, push_layout: PushLayout
) -> None:
    push_layout(token_registry, "client/identity:1")
    identity = token_server.refresh_token(token_registry.user)
    client = open_to(token_registry, auth={"identitytoken": identity})
    token_server.forget()
    client.resolve(reference(token_registry, "client/identity:1"))
    (request,) = token_server.requests()
    assert (request.method, request.grant) == ("POST", "refresh_token")


@pytest.mark.parametrize("fields", [("token",), ("access_token",)], ids=lambda names: names[0])
def test_either_name_of_the_token_is_read(
    token_registry: Registry,
    token_rules: Rules,
    open_to: OpenTo,
    push_layout: PushLayout,
    fields: tuple[str, ...],
) -> None:
    push_layout(token_registry, "client/names:1")
    token_rules.fields = fields
    token_rules.expires_in = None
    client = open_to(token_registry)
    assert client.resolve(reference(token_registry, "client/names:1")).media_type == INDEX


def test_an_unknown_authority_is_refused(
    tls_registry: Registry, open_to: OpenTo, tmp_path: Path
) -> None:
    other = Authority.create(tmp_path / "other")
    with pytest.raises(RegistryError, match="certificate"):
        open_to(replace(tls_registry, ca_file=other.ca_file)).resolve(
            reference(tls_registry, "client/multi:1")
        )


def test_mirrors_serve_digests_and_never_tags(
    plain_registry: Registry, mirror_registry: Registry, open_to: OpenTo, push_layout: PushLayout
) -> None:
    push_layout(plain_registry, "client/mirrored:1")
    client = open_to(plain_registry, mirrors=[mirror_registry.address])
    asked = reference(plain_registry, "client/mirrored:1")
    with mirror_registry.recording() as seen:
        tagged = client.resolve(asked)
    assert seen.requests == ()
    with mirror_registry.recording() as seen:
        assert client.manifest(asked.repository, tagged.digest).data == tagged.data
    assert seen.count("manifests", status=200) == 1


def test_a_dead_mirror_is_left_aloud(
    plain_registry: Registry, open_to: OpenTo, push_layout: PushLayout, notes: list[str]
) -> None:
    push_layout(plain_registry, "client/deserted:1")
    dead = f"127.0.0.1:{free_port()}"
    client = open_to(plain_registry, mirrors=[dead])
    asked = reference(plain_registry, "client/deserted:1")
    tagged = client.resolve(asked)
    assert client.manifest(asked.repository, tagged.digest).data == tagged.data
    assert [note for note in notes if dead in note]
