"""What registries say of each pin: served, gone, moved, or no answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinner.check.remote import RemoteImage, ask_registries
from pinner.errors import NotFound, Unavailable
from pinner.lockfile import Lock
from pinner.oci.sources import RawManifest
from pinner.spec import parse_spec
from support.files import AMD64, ARM64, LOCK, SPEC, digest

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference, Repository
    from pinner.spec import Spec


class Scripted:
    """A registry that serves what it is given; whatever else is asked for is gone.

    Attributes:
        served: digests, and what each tag names, by `repository:tag`.
        silent: HEAD is not answered.
        down: nothing is.
    """

    def __init__(
        self, *digests: str, silent: bool = False, down: bool = False, **tags: str
    ) -> None:
        self.digests = {digest(one) for one in digests}
        self.tags = {name: digest(one) for name, one in tags.items()}
        self.silent = silent
        self.down = down
        self.asked: list[str] = []

    def head(self, reference: Reference) -> Digest | None:
        self._ask("HEAD", reference.tag or str(reference.digest))
        return None if self.silent else self._answer(reference)

    def resolve(self, reference: Reference) -> RawManifest:
        self._ask("GET", str(reference.tag))
        return self._manifest(self._answer(reference))

    def manifest(self, _: Repository, wanted: Digest) -> RawManifest:
        self._ask("GET", str(wanted))
        return self._manifest(wanted if wanted in self.digests else None)

    def _answer(self, reference: Reference) -> Digest | None:
        if reference.digest is None:
            return self.tags.get(reference.path.rpartition("/")[2])
        return reference.digest if reference.digest in self.digests else None

    def _manifest(self, found: Digest | None) -> RawManifest:
        if found is None:
            raise NotFound("is not there")
        return RawManifest(media_type="", digest=found, data=b"")

    def _ask(self, method: str, what: str) -> None:
        if self.down:
            raise Unavailable("does not answer")
        self.asked.append(f"{method} {what}")


NODE = Lock(images=LOCK.images[:1])


def spec(text: str = SPEC) -> Spec:
    return parse_spec(text.encode(), path="images.toml", base=Path("/nowhere"))


def ask(source: Scripted, *, text: str = SPEC) -> RemoteImage:
    (found,) = ask_registries(spec(text), NODE, source, jobs=2)
    return found


def test_all_is_served_and_nothing_moved() -> None:
    source = Scripted("1", "a", "b", node="1")
    found = ask(source)
    assert (found.gone, found.moved, found.error, found.exit_code) == ((), False, None, 0)
    heads = [f"HEAD sha256:{one * 64}" for one in "1ab"]
    assert sorted(source.asked) == sorted([*heads, "HEAD 22.12.0"])


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize(
    ("served", "gone"),
    [
        pytest.param("ab", [digest("1")], id="the-index"),
        pytest.param("1a", [NODE.images[0].platforms[ARM64]], id="a-platform"),
        pytest.param("", [digest("1"), digest("a"), digest("b")], id="everything"),
    ],
)
def test_what_is_gone(served: str, gone: list[Digest], *, silent: bool) -> None:
    found = ask(Scripted(*served, silent=silent, node="1"))
    assert (list(found.gone), found.exit_code) == (gone, 1)


@pytest.mark.parametrize("silent", [True, False])
def test_L27_a_tag_that_moved(*, silent: bool) -> None:
    found = ask(Scripted("1", "a", "b", node="2", silent=silent))
    assert (found.moved, found.tag_digest, found.exit_code) == (True, digest("2"), 1)


def test_a_tag_that_is_gone() -> None:
    found = ask(Scripted("1", "a", "b"))
    assert (found.moved, found.tag_gone, found.tag_digest, found.exit_code) == (True, True, None, 1)


def test_L27_a_registry_that_is_down_is_no_answer() -> None:
    found = ask(Scripted(down=True))
    assert isinstance(found.error, Unavailable)
    assert (found.gone, found.moved, found.exit_code) == ((), False, 3)


def test_a_registry_that_states_another_digest_is_asked_for_the_bytes() -> None:
    source = Scripted("1", "a", "b", node="1")
    source.head = lambda reference: digest("0") if reference.digest else digest("1")  # type: ignore[method-assign]
    found = ask(source)
    assert (found.gone, found.exit_code) == ((), 0)
    assert len(source.asked) == 3


def test_the_tag_of_a_digest_by_hand_is_not_asked_for() -> None:
    text = SPEC.replace('{ image = "node", version = ">=22,<23" }', f'"node:22.12.0@{digest("1")}"')
    found = ask(Scripted("1", "a", "b", node="2"), text=text)
    assert not found.moved


def test_what_several_entries_share_is_asked_for_once() -> None:
    twice = type(NODE.images[0])(
        name="again",
        repository=NODE.images[0].repository,
        tag="22.12.0",
        digest=digest("1"),
        platforms={AMD64: digest("a")},
    )
    source = Scripted("1", "a", "b", node="1")
    found = ask_registries(spec(), Lock(images=(*NODE.images, twice)), source, jobs=1)
    assert [one.exit_code for one in found] == [0, 0]
    assert len(source.asked) == 4
