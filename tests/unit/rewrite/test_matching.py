"""Which entry a place means, and what it should say: the rules of design section 9, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import Lock
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.rewrite.located import Located
from pinner.rewrite.matching import Matcher, Refused, Unmatched, Wanted
from pinner.rewrite.model import Occurrence
from pinner.spec import parse_spec
from support.files import AMD64, ARM64, LOCK, PREVIOUS, SPEC, digest, pin

if TYPE_CHECKING:
    from pinner.spec import Spec


def spec(text: str = SPEC) -> Spec:
    return parse_spec(text.encode(), path="images.toml", base=Path("/nowhere"))


def matcher(text: str = SPEC, lock: Lock = LOCK, **options: Any) -> Matcher:
    return Matcher(spec(text), lock, **{"previous": lambda: PREVIOUS, **options})


def place(text: str, *, entry: str = "", platform: Platform | None = None) -> Occurrence:
    return Occurrence(reference=Located.made(text), line=1, entry=entry, platform=platform)


def wanted(found: Wanted | Refused) -> Wanted:
    assert isinstance(found, Wanted), found
    return found


def refused(found: Wanted | Refused) -> Refused:
    assert isinstance(found, Refused), found
    return found


D = {character: f"sha256:{character * 64}" for character in "0123456789abcdef"}
NODE_AND_MORE = """\
[settings]
platforms = ["linux/amd64", "linux/arm64"]
[images]
node = { image = "node", version = ">=22,<23" }
any = { image = "node", version = ">=20" }
"""


@pytest.mark.parametrize(
    ("text", "name", "tag", "index"),
    [
        pytest.param("python:3.12-slim", "python", "3.12-slim", "2", id="the-entrys-tag"),
        pytest.param("node:22.12.0", "node", "22.12.0", "1", id="the-pins-tag"),
        pytest.param("node:22.11.0", "node", "22.12.0", "1", id="a-tag-that-the-wish-admits"),
        pytest.param("redis", "redis", "latest", "3", id="no-tag-is-latest"),
        pytest.param("docker.io/library/redis", "redis", "latest", "3", id="another-spelling"),
        pytest.param(f"node:22.11.0@{D['7']}", "node", "22.12.0", "1", id="tag-and-digest"),
        pytest.param(f"node@{D['1']}", "node", None, "1", id="the-pins-digest-alone"),
        pytest.param(f"node@{D['7']}", "node", None, "1", id="the-previous-pins-digest-alone"),
        pytest.param(f"node:9@{D['1']}", "node", "22.12.0", "1", id="digest-behind-a-foreign-tag"),
        pytest.param(
            f"node:9@{D['7']}", "node", "22.12.0", "1", id="previous-digest-behind-a-foreign-tag"
        ),
    ],
)
def test_what_a_place_should_say(text: str, name: str, tag: str | None, index: str) -> None:
    found = wanted(matcher().match(place(text)))
    assert (found.name, found.tag, found.digest) == (name, tag, digest(index))
    assert found.platform is None
    assert not found.note


@pytest.mark.parametrize(
    ("text", "kind", "mend"),
    [
        pytest.param("debian", Unmatched.NO_ENTRY, "`pinner add debian`", id="another-image"),
        pytest.param("node:21.0.0", Unmatched.NO_ENTRY, "`pinner add node:21.0.0`", id="no-tag"),
        pytest.param("ghcr.io/x/redis", Unmatched.NO_ENTRY, "ghcr.io/x/redis", id="registry"),
        pytest.param(f"debian@{D['0']}", Unmatched.NO_ENTRY, "debian@sha256:0", id="digest"),
        pytest.param(f"node@{D['0']}", Unmatched.UNKNOWN_DIGEST, "# pinner: node", id="unknown"),
    ],
)
def test_what_nothing_says(text: str, kind: Unmatched, mend: str) -> None:
    found = refused(matcher().match(place(text)))
    assert found.kind is kind
    assert mend in found.mend


def test_a_digest_that_no_lock_has_is_named() -> None:
    found = refused(matcher().match(place(f"node@{D['0']}")))
    assert found.why == "node@000000000000 has a digest that images.lock does not have"


@pytest.mark.parametrize(
    ("text", "platform", "character"),
    [
        pytest.param(f"node:22.12.0@{D['b']}", ARM64, "b", id="of-the-lock"),
        pytest.param(f"node:22.11.0@{D['9']}", ARM64, "b", id="of-the-previous-lock"),
        pytest.param(f"node:22.11.0@{D['8']}", AMD64, "a", id="another-of-the-previous-lock"),
        pytest.param(f"node@{D['9']}", ARM64, "b", id="a-digest-alone"),
        pytest.param(f"node:22.12.0@{D['1']}", None, "1", id="an-index-of-the-lock"),
        pytest.param(f"node:22.11.0@{D['7']}", None, "1", id="an-index-of-the-previous-lock"),
    ],
)
def test_the_kind_of_digest_is_kept(text: str, platform: Platform | None, character: str) -> None:
    found = wanted(matcher().match(place(text)))
    assert (found.platform, found.digest) == (platform, digest(character))
    assert not found.note


def test_a_switch_that_cannot_be_excluded_is_said() -> None:
    found = wanted(matcher().match(place(f"node:22.11.0@{D['0']}")))
    assert (found.platform, found.digest) == (None, digest("1"))
    assert found.note.startswith("000000000000 is in no lockfile: if it was one platform's")


def test_a_platform_that_is_not_locked_any_more_is_no_switch_to_the_index() -> None:
    only = LOCK.images[0]
    lock = Lock(
        images=(
            type(only)(
                name="node",
                repository=only.repository,
                tag=only.tag,
                digest=only.digest,
                platforms={AMD64: digest("a")},
            ),
        )
    )
    text = SPEC.replace(', "linux/arm64"', "")
    found = refused(matcher(text, lock).match(place(f"node:22.11.0@{D['9']}")))
    assert found.kind is Unmatched.NO_PLATFORM
    assert found.why == "images.lock has node for linux/amd64, not for linux/arm64"


@pytest.mark.parametrize(
    ("asked", "own", "character"),
    [
        pytest.param(None, ARM64, "1", id="what-the-place-asks-for-alone-chooses-nothing"),
        pytest.param(AMD64, None, "a", id="what-the-user-asks-for"),
        pytest.param(AMD64, ARM64, "b", id="then-the-places-own-comes-first"),
    ],
)
def test_a_platform_is_chosen_where_the_user_asks(
    asked: Platform | None, own: Platform | None, character: str
) -> None:
    found = wanted(matcher(platform=asked).match(place("node:22.12.0", platform=own)))
    assert found.digest == digest(character)


def test_a_platform_that_the_pin_lacks_is_refused() -> None:
    found = refused(matcher(platform=Platform.parse("linux/s390x")).match(place("redis")))
    assert found.kind is Unmatched.NO_PLATFORM


BOTH = Lock(images=(*LOCK.images[:1], pin("any", "node", "24.0.0", "0", "0", "0")))


def test_a_tie_is_reported_with_its_names() -> None:
    found = refused(matcher(NODE_AND_MORE, BOTH).match(place("node:22.11.0")))
    assert found.kind is Unmatched.TIE
    assert found.why == "node:22.11.0 is what any and node of images.toml admit"
    assert "# pinner: any" in found.mend


def test_entries_that_agree_are_no_tie() -> None:
    lock = Lock(images=(LOCK.images[0], pin("any", "node", "22.12.0", "1", "a", "b")))
    found = wanted(matcher(NODE_AND_MORE, lock).match(place("node:22.11.0")))
    assert (found.name, found.digest) == ("any", digest("1"))


@pytest.mark.parametrize(
    ("text", "entry", "tag"),
    [
        pytest.param("node:22.11.0", "any", "24.0.0", id="decides-a-tie"),
        pytest.param("node:22.11.0", "node", "22.12.0", id="decides-a-tie-otherwise"),
        pytest.param("node:lts", "node", "22.12.0", id="allows-another-tag"),
        pytest.param(f"node@{D['0']}", "node", None, id="allows-an-unknown-digest"),
    ],
)
def test_a_comment_names_the_entry(text: str, entry: str, tag: str | None) -> None:
    found = wanted(matcher(NODE_AND_MORE, BOTH).match(place(text, entry=entry)))
    assert (found.name, found.tag) == (entry, tag)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        pytest.param("nod", "names no entry of images.toml", id="none"),
        pytest.param("python", "names an entry of python, not of node:22.11.0", id="other"),
    ],
)
def test_a_comment_that_names_no_entry_of_the_repository(entry: str, why: str) -> None:
    found = refused(matcher().match(place("node:22.11.0", entry=entry)))
    assert found.kind is Unmatched.NO_SUCH_NAME
    assert found.why.endswith(why)
    assert found.mend == "its repository has node"


@pytest.mark.parametrize(
    ("lock", "why"),
    [
        pytest.param(Lock(), "python is not locked", id="not-locked"),
        pytest.param(
            Lock(images=(pin("python", "evil.example/python", "3.12-slim", "2", "c", "d"),)),
            "python is evil.example/python in images.lock, not what images.toml says",
            id="an-injected-lock",
        ),
        pytest.param(
            Lock(images=(pin("python", "python", "3.11-slim", "2", "c", "d"),)),
            "python in images.lock does not satisfy images.toml",
            id="another-tag",
        ),
    ],
)
def test_a_pin_that_does_not_satisfy_the_spec_is_not_written(lock: Lock, why: str) -> None:
    found = refused(matcher(lock=lock).match(place("python:3.12-slim")))
    assert (found.kind, found.why) == (Unmatched.NOT_LOCKED, why)
    assert found.mend == "run `pinner lock`"


def test_a_place_that_says_what_a_stale_pin_says_is_as_locked() -> None:
    lock = Lock(images=(pin("python", "python", "3.11-slim", "2", "c", "d"),))
    assert wanted(matcher(lock=lock).match(place(f"python:3.11-slim@{D['2']}"))).settled


def test_an_entry_by_digest_alone_takes_its_digest_behind_any_tag() -> None:
    text = f'[images]\nnode = "node@{D["1"]}"\n'
    lock = Lock(images=(pin("node", "node", None, "1", "a", "b"),))
    found = matcher(text, lock)
    assert wanted(found.match(place(f"node:lts@{D['1']}"))).settled
    assert refused(found.match(place("node:lts"))).kind is Unmatched.NO_ENTRY


def test_the_previous_lock_is_read_only_where_a_digest_is_not_in_the_lock() -> None:
    asked = 0

    def previous() -> Lock:
        nonlocal asked
        asked += 1
        return PREVIOUS

    found = matcher(previous=previous)
    for text in ("redis", "node:22.11.0", f"node:22.12.0@{D['1']}", f"node:22.12.0@{D['b']}"):
        found.match(place(text))
    assert asked == 0
    for text in (f"node:22.11.0@{D['9']}", f"python:3.12-slim@{D['4']}"):
        found.match(place(text))
    assert asked == 1


def test_it_knows_repositories() -> None:
    assert matcher().knows(Repository.parse("docker.io/library/node"))
    assert not matcher().knows(Repository.parse("ghcr.io/node"))
