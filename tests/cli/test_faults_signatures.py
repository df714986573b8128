"""Faults V: signatures that lack, lie or overflow, which pinner neither asks for nor heeds.

Each situation is made as cosign makes it, and judged: what cosign would refuse is refused for the
reason that its row names. To pinner all of them are one: the digests of images.lock decide, so
lock, store and mirror come to what they would without any signature, and nobody is asked for one.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from support import cosign
from support.cosign import Shelf, judge, new_key, payload, signed
from support.ground import Ground
from support.oracle import converges, survived, tree
from support.registry_faults import instead
from support.registry_sim import RegistrySim
from support.registry_uploads import Uploads
from support.serving import pinner_serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.cosign import PublicKey
    from support.registry_content import SimImage
    from support.registry_faults import Fault

NAME: Final = "team/app"
AMD64: Final = ("--platform", "linux/amd64")
IDENTITY: Final = "https://example.com"
CLAIMS: Final = re.compile(r"(?i)signature|signed|sigstore|cosign(?!\.simplesigning)|attest")
"""What would say something of signatures; the media type that `pull -a` leaves out does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What there is of signatures, and how one would look for them.

    Attributes:
        key: of whom they should be; or
        identity: whom they should name.
        hidden: how the registry answers whoever asks for one.
    """

    key: PublicKey | None = None
    identity: str = ""
    hidden: Fault | None = None


def unsigned(shelf: Shelf, image: SimImage) -> Made:
    return Made(key=new_key().public_key())


def of_another_key(shelf: Shelf, image: SimImage) -> Made:
    shelf.sign(image.digest, [signed(payload(image.digest), new_key())])
    return Made(key=new_key().public_key())


def of_another_digest(shelf: Shelf, image: SimImage) -> Made:
    key = new_key()
    shelf.sign(image.digest, [signed(payload("sha256:" + "1" * 64), key)])
    return Made(key=key.public_key())


def changed_since(shelf: Shelf, image: SimImage) -> Made:
    key = new_key()
    was = signed(payload("sha256:" + "1" * 64), key)
    shelf.sign(
        image.digest, [cosign.Signature(data=payload(image.digest), annotations=was.annotations)]
    )
    return Made(key=key.public_key())


def not_base64(shelf: Shelf, image: SimImage) -> Made:
    key = new_key()
    one = signed(payload(image.digest), key)
    shelf.sign(image.digest, [cosign.with_signature(one, "\x1b[31m…not base64")])
    return Made(key=key.public_key())


def one_good_of_a_hundred(shelf: Shelf, image: SimImage) -> Made:
    key, stranger = new_key(), new_key()
    others = [signed(payload(image.digest) + b" " * number, stranger) for number in range(99)]
    shelf.sign(image.digest, [*others[:50], signed(payload(image.digest), key), *others[50:]])
    return Made(key=key.public_key())


def a_thousand_and_one(shelf: Shelf, image: SimImage) -> Made:
    key = new_key()
    one = signed(payload(image.digest), key)
    shelf.sign(image.digest, [one] * 1001)
    return Made(key=key.public_key())


def huge(shelf: Shelf, image: SimImage) -> Made:
    key = new_key()
    one = signed(payload(image.digest), key)
    size = 200 * 1024 * 1024
    shelf.sign(image.digest, [cosign.sized(one, size)])
    return Made(key=key.public_key())


def of_another_kind(shelf: Shelf, image: SimImage) -> Made:
    key = new_key()
    kind = "https://slsa.dev/provenance/v1"
    shelf.sign(image.digest, [cosign.attested(image.digest, key, kind)], suffix="att")
    return Made(key=key.public_key())


def logged_elsewhere(shelf: Shelf, image: SimImage) -> Made:
    data = payload(image.digest)
    one = cosign.certified(data, new_key(), IDENTITY, days=5, logged=b"another artifact")
    shelf.sign(image.digest, [one])
    return Made(identity=IDENTITY)


def a_like_identity(shelf: Shelf, image: SimImage) -> Made:
    one = cosign.certified(payload(image.digest), new_key(), f"{IDENTITY}.evil", days=5)
    shelf.sign(image.digest, [one])
    return Made(identity=IDENTITY)


def run_out(shelf: Shelf, image: SimImage) -> Made:
    one = cosign.certified(payload(image.digest), new_key(), IDENTITY, days=-5)
    shelf.sign(image.digest, [one])
    return Made(identity=IDENTITY)


def of_a_sibling(shelf: Shelf, image: SimImage) -> Made:
    """Of one platform's manifest; what the tag names is the index, and has none."""
    key = new_key()
    shelf.sign(image.blobs[0], [signed(payload(image.blobs[0]), key)])
    assert judge(shelf, image.blobs[0], key=key.public_key()) == ""
    return Made(key=key.public_key())


def hidden(status: int) -> Callable[[Shelf, SimImage], Made]:
    def make(shelf: Shelf, image: SimImage) -> Made:
        key = new_key()
        shelf.sign(image.digest, [signed(payload(image.digest), key)])
        shelf.refer(image.digest, good_bundle(image, key))
        return Made(key=key.public_key(), hidden=instead(status))

    return make


def good_bundle(image: SimImage, key: cosign.Key) -> cosign.Signature:
    envelope = cosign.attested(image.digest, key, cosign.SIGNED_IMAGE)
    return cosign.bundled(envelope, "log.example\n12\nroot\n")


def bad_checkpoint(shelf: Shelf, image: SimImage) -> Made:
    key = new_key()
    envelope = cosign.attested(image.digest, key, cosign.SIGNED_IMAGE)
    shelf.refer(image.digest, cosign.bundled(envelope, "log.example\ntwelve\nroot\n"))
    return Made(key=key.public_key())


SITUATIONS: Final = {
    "V01": (unsigned, "no signature"),
    "V02": (of_another_key, "not signed with this key"),
    "V03": (of_another_digest, "signature is for sha256:" + "1" * 64),
    "V04": (changed_since, "not signed with this key"),
    "V05": (not_base64, "malformed"),
    "V06": (one_good_of_a_hundred, ""),
    "V07-layers": (a_thousand_and_one, "too many or too large"),
    "V07-payload": (huge, "too many or too large"),
    "V08": (of_another_kind, "an attestation of another kind"),
    "V09": (logged_elsewhere, "the log's entry is another artifact's"),
    "V10": (a_like_identity, "another identity"),
    "V11": (run_out, "the certificate ran out"),
    "V12": (of_a_sibling, "no signature"),
    "V13-404": (hidden(404), ""),
    "V13-500": (hidden(500), ""),
    "V14": (bad_checkpoint, "malformed"),
}


def offer(sim: RegistrySim) -> SimImage:
    """The index app:1.1.0 of two platforms, and an older one; `blobs` are its manifests."""
    content = sim.content
    for version in ("1.0.0", "1.1.0"):
        images = {
            f"linux/{architecture}": content.add_image(
                NAME, layers=[f"{version} {architecture}".encode()], architecture=architecture
            )
            for architecture in ("amd64", "arm64")
        }
        index = content.add_index(NAME, version, images=images)
    made = tuple(image.digest for image in images.values())
    return type(index)(digest=index.digest, size=index.size, blobs=made)


def want(ground: Ground) -> None:
    """The image by its tag, and by whatever version is the newest."""
    newest = f'[images.newest]\nimage = "{ground.sim.host}/{NAME}"\nversion = ">=1"'
    ground.want(newest, app=f"{NAME}:1.1.0")


def come_to(ground: Ground) -> dict[str, bytes]:
    """Lockfile and store, wherever the registry was."""
    files = {"images.lock": ground.lockfile.read_bytes(), **tree(ground.store)}
    host = ground.sim.host.encode()
    return {name: data.replace(host, b"REGISTRY") for name, data in files.items()}


@pytest.fixture
def bare(tmp_path: Path, home: Path, impatient: None) -> Iterator[Ground]:
    """The same image in a registry that has no signature at all, locked and synced."""
    with RegistrySim() as sim:
        offer(sim)
        ground = Ground(tmp_path / "bare", home, sim)
        want(ground)
        assert [ground.run(command).code for command in ("lock", "sync")] == [0, 0]
        yield ground


@pytest.fixture
def target() -> Iterator[RegistrySim]:
    """What is mirrored into."""
    with RegistrySim(content=Uploads()) as sim:
        yield sim


@pytest.mark.parametrize(("make", "verdict"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_the_digest_decides_whatever_is_signed(
    ground: Ground,
    bare: Ground,
    target: RegistrySim,
    make: Callable[[Shelf, SimImage], Made],
    verdict: str,
) -> None:
    image = offer(ground.sim)
    shelf = Shelf(ground.sim.content, NAME)
    made = make(shelf, image)
    assert judge(shelf, image.digest, key=made.key, identity=made.identity) == verdict
    if made.hidden is not None:
        for path in ("/manifests/sha256-", "/referrers/"):
            ground.sim.always(path, made.hidden)
    want(ground)
    said = [
        survived(ground, *argv.split(), code=0)
        for argv in ("lock", "lock --check", "sync", "check --remote", "verify")
    ]
    assert come_to(ground) == come_to(bare)
    # These write elsewhere too: what they saw, and what they mirror.
    mirror = ("mirror", f"{target.host}/m", "--no-write", "--store", "mirrored")
    said += [ground.run(*argv) for argv in (("outdated",), ("update",), mirror)]
    assert {ran.code for ran in said} == {0}
    assert not CLAIMS.search("".join(ran.out + ran.err for ran in said))
    assert asked_for_signatures(ground.sim) == []
    assert tags_at(target) == {"1.1.0"}
    assert not kept(ground) & signatures(shelf)
    converges(ground)


@pytest.mark.parametrize(("make", "verdict"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_all_tags_are_pulled_but_for_signatures(
    ground: Ground, make: Callable[[Shelf, SimImage], Made], verdict: str
) -> None:
    """`pull -a` meets them among the tags: it reads their manifests, since it cannot know."""
    image = offer(ground.sim)
    shelf = Shelf(ground.sim.content, NAME)
    made = make(shelf, image)
    tags = [tag for tag in ground.sim.content.repository(NAME).tags if tag.startswith("sha256-")]
    if made.hidden is not None:
        ground.sim.always("/manifests/sha256-", made.hidden)
    # A tag that the registry lists and does not have is told, as any other would be.
    ran = survived(
        ground,
        *("pull", "-a", f"{ground.sim.host}/{NAME}", *AMD64),
        code=3 if made.hidden is not None else 0,
        says=tags,
    )
    assert (ran.err.count("unsupported media type"), bool(ran.err)) == (
        0 if made.hidden is not None else len(tags),
        bool(tags),
    )
    names = {line.split()[1] for line in ground.run("images").out.splitlines()[1:-1]}
    assert names == {"1.0.0", "1.1.0"}
    blobs = [request.path for request in ground.sim.asked("GET", "/blobs/")]
    assert not [path for path in blobs if path.rpartition("/")[2] in signatures(shelf)]
    assert not kept(ground) & signatures(shelf)


def test_a_good_signature_is_of_the_digest_that_is_locked(ground: Ground) -> None:
    """So that `cosign verify NAME@DIGEST` of what images.lock says holds for what is synced."""
    image = offer(ground.sim)
    shelf, key = Shelf(ground.sim.content, NAME), new_key()
    shelf.sign(image.digest, [signed(payload(image.digest), key)])
    want(ground)
    survived(ground, "lock", code=0)
    locked = set(re.findall(r'^digest = "([^"]+)"', ground.lockfile.read_text(), re.MULTILINE))
    assert [judge(shelf, digest, key=key.public_key()) for digest in locked] == [""]


def test_what_is_served_has_no_signatures(ground: Ground) -> None:
    image = offer(ground.sim)
    shelf, key = Shelf(ground.sim.content, NAME), new_key()
    tag = shelf.sign(image.digest, [signed(payload(image.digest), key)])
    shelf.refer(image.digest, good_bundle(image, key))
    want(ground)
    for command in ("lock", "sync"):
        survived(ground, command, code=0)
    name = f"/v2/{ground.sim.host.replace(':', '_')}/{NAME}"
    with pinner_serve(ground.folder) as server:
        assert server.ask(f"{name}/tags/list").document["tags"] == ["1.1.0"]
        assert server.ask(f"{name}/manifests/{tag}").status == 404
        assert server.ask(f"{name}/referrers/{image.digest}").document["manifests"] == []


def asked_for_signatures(sim: RegistrySim) -> list[str]:
    """The requests that whoever looks for signatures makes."""
    return [r.target for r in sim.requests if "/referrers/" in r.target or "sha256-" in r.target]


def tags_at(target: RegistrySim) -> set[str]:
    (held,) = target.content.repositories.values()
    return set(held.tags)


def signatures(shelf: Shelf) -> set[str]:
    """The digests of everything that was pushed beside the images."""
    held = shelf.content.repository(shelf.name)
    documents = {
        digest: base64.b64encode(data)
        for digest, (_, data) in held.manifests.items()
        if b"cosign" in data or b"sigstore" in data or b"dsse" in data
    }
    layers = {
        digest
        for digest, data in held.blobs.items()
        if b"cosign" in data or b"dsse" in data or b"payloadType" in data
    }
    return documents.keys() | layers


def kept(ground: Ground) -> set[str]:
    """The digests of all that the store has."""
    return {f"sha256:{path.name}" for path in ground.store.glob("blobs/sha256/*")}
