"""What is there and what is missing, before anything is sent: images, then blobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pinner.errors import PinnerError, StoreError
from pinner.mirror.look import look
from pinner.mirror.plan import contradictions, wanted_blobs
from pinner.mirror.tree import TreeGatherer
from pinner.sync.offline import OfflineSource
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pinner.mirror.look import Seen, Wish
    from pinner.mirror.record import Record
    from pinner.mirror.tree import ImageTree
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository
    from pinner.oci.sinks import Sink
    from pinner.oci.sources import ManifestSource
    from pinner.store.layout import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a run begins with.

    Attributes:
        trees: the images that the target lacks, or whose tags it lacks.
        there: a repository of the target that has a blob of theirs, where one is known.
    """

    trees: tuple[ImageTree, ...]
    there: dict[Digest, Repository]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyor:
    """Asks the target what it has, and gathers what it lacks.

    `hold` keeps what it is given from being pruned; whether it is here is asked afterwards.
    """

    store: Store
    open_source: Callable[[], ManifestSource]
    open_sink: Callable[[], Sink]
    hold: Callable[[Iterable[Digest]], None]
    jobs: int
    record: Record

    def survey(self, wishes: Sequence[Wish]) -> Survey:
        """Look for every image; those that are complete are noted as done."""
        seen = list(self._each(lambda wish: look(self.open_sink(), wish), wishes))
        for wish, found in seen:
            if found.is_complete:
                self.record.done(wish, manifests=0)
        left = [(wish, found) for wish, found in seen if not found.is_complete]
        if not left:
            return Survey(trees=(), there={})
        trees = self._gathered(left)
        there: dict[Digest, Repository] = {}
        for wish, found in seen:
            if found.has_all:
                there.update(dict.fromkeys(self._known_blobs(wish), wish.repository))
        there.update(self._probed(trees, there))
        return Survey(
            trees=tuple(tree for tree in trees if tree.name not in self.record.outcomes),
            there=there,
        )

    def _gathered(self, left: Sequence[tuple[Wish, Seen]]) -> list[ImageTree]:
        gatherer = TreeGatherer(self.store, self.open_source, self.hold)
        complete = {wish.name for wish, found in left if found.has_all}

        def gather(wish: Wish) -> ImageTree:
            return gatherer.gather(wish, tag_only=wish.name in complete)

        trees = [tree for _, tree in self._each(gather, [wish for wish, _ in left])]
        for failure in contradictions(trees):
            self.record.fail(failure.name, failure.error)
        kept = [tree for tree in trees if tree.name not in self.record.outcomes]
        self.hold(blob.digest for tree in kept for blob in tree.blobs)
        return kept

    def _known_blobs(self, wish: Wish) -> list[Digest]:
        """The blobs of an image that is there, as far as the store knows it."""
        try:
            tree = TreeGatherer(self.store, OfflineSource, _hold_nothing).gather(wish)
        except PinnerError:
            return []
        return [blob.digest for blob in tree.blobs]

    def _probed(
        self, trees: Sequence[ImageTree], known: dict[Digest, Repository]
    ) -> dict[Digest, Repository]:
        """The first repository of the target that has a blob, for each blob that one has."""
        unknown = [
            (descriptor, users)
            for digest, (descriptor, users) in wanted_blobs(trees).items()
            if digest not in known
        ]

        def ask(item: tuple[Descriptor, list[ImageTree]]) -> list[Repository]:
            descriptor, users = item
            sink = self.open_sink()
            repositories = dict.fromkeys(tree.wish.repository for tree in users)
            first = next((r for r in repositories if sink.has_blob(r, descriptor)), None)
            return [] if first is None else [first]

        answers = map_concurrently(ask, unknown, jobs=self.jobs)
        there: dict[Digest, Repository] = {}
        for (descriptor, users), answer in zip(unknown, answers, strict=True):
            if isinstance(answer, PinnerError):
                for tree in users:
                    self.record.fail(tree.name, answer)
            elif answer:
                there[descriptor.digest] = answer[0]
        return there

    def _each(
        self, function: Callable[[Wish], T], wishes: Iterable[Wish]
    ) -> Iterator[tuple[Wish, T]]:
        """Each wish with what `function` makes of it; failures are noted and left out."""
        items = list(wishes)
        answers = map_concurrently(function, items, jobs=self.jobs)
        for wish, answer in zip(items, answers, strict=True):
            if isinstance(answer, StoreError):
                raise answer
            if isinstance(answer, PinnerError):
                self.record.fail(wish.name, answer)
            else:
                yield wish, answer


def _hold_nothing(_: Iterable[Digest]) -> None:
    """What is only counted need not stay."""
