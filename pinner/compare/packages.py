"""Which packages differ between pairs of images, by the best way that is open for each pair.

    layers that the store has            they hold changelogs too, and cost nothing
    SPDX attestations on both sides      from the store, or fetched: a few MB
    layers that have to be fetched       those that differ, then the others where these do not do

Each way takes the pairs that are left; what none can tell becomes a note, never a failure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final, Protocol

from pinner.compare.attestations import STATEMENT_LIMIT, find_statement
from pinner.compare.fetching import Want
from pinner.errors import PinnerError
from pinner.inventory.model import PackageChanges
from pinner.terminal import safe
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pinner.compare.fetching import Fetcher
    from pinner.compare.reading import ImageReader, Side
    from pinner.oci.descriptor import Descriptor
    from pinner.store.layout import Store

_AT_ONCE: Final = 2  # each reading takes a processor and its memory
_ATTESTED: Final = "packages as the publisher attests them (SPDX), which names no changelogs"
_MEGABYTE: Final = 1_000_000
_TENTH: Final = _MEGABYTE // 10


class Inventory(Protocol):
    """Reads packages; what cannot be read is told in the notes of the answer."""

    def of_layers(
        self, before: Sequence[Descriptor], after: Sequence[Descriptor], store: Store
    ) -> PackageChanges:
        """What differs, from the layers of two images, the lowest first.

        The store may lack layers that both images begin with; notes tell where they were needed.
        """
        ...

    def of_statements(self, before: bytes, after: bytes) -> PackageChanges | None:
        """What differs, from SPDX statements; None where one of them cannot be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two images to compare; no two pairs are equal.

    Attributes:
        name: the entry's, for whoever watches a download.
    """

    name: str
    old: Side
    new: Side

    @property
    def layers(self) -> tuple[Want, ...]:
        """The layers of both sides."""
        return self._above(0)

    @property
    def differing(self) -> tuple[Want, ...]:
        """The layers of both sides above those that both begin with."""
        both = zip(self.old.layers, self.new.layers, strict=False)
        return self._above(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both)))

    def _above(self, lowest: int) -> tuple[Want, ...]:
        return tuple(
            Want(name=self.name, repository=side.repository, descriptor=layer)
            for side in (self.old, self.new)
            for layer in side.manifest.layers[lowest:]
        )


Told = PackageChanges | str
"""The packages that differ, or a note that says why that is not known."""


class PackageComparison:
    """Compares the packages of pairs.

    Args:
        store: where layers and statements are; None where there is none yet.
        reader: for the manifests of attestations.
        inventory: reads packages.
        fetcher: None where nothing may be downloaded.
    """

    def __init__(
        self,
        store: Store | None,
        reader: ImageReader,
        inventory: Inventory,
        fetcher: Fetcher | None = None,
    ) -> None:
        self._store = store
        self._reader = reader
        self._inventory = inventory
        self._fetcher = fetcher

    def compare(self, pairs: Sequence[Pair]) -> list[Told]:
        """What differs for each pair, in their order.

        Raises:
            StoreError: the disk failed while something was fetched.
        """
        told: dict[Pair, Told] = {
            pair: PackageChanges() for pair in pairs if pair.old.layers == pair.new.layers
        }
        ways = [self._by_stored_layers, self._by_statements]
        if self._fetcher is not None:
            fetcher = self._fetcher
            ways += [
                lambda pairs: self._by_fetched_layers(pairs, fetcher, lambda pair: pair.differing),
                lambda pairs: self._by_fetched_layers(pairs, fetcher, lambda pair: pair.layers),
            ]
        for way in ways:
            told |= way([pair for pair in pairs if pair not in told])
        return [told[pair] if pair in told else self._not_here(pair) for pair in pairs]

    def _by_stored_layers(self, pairs: Sequence[Pair]) -> dict[Pair, Told]:
        return self._read_layers([pair for pair in pairs if not self._missing(pair.differing)])

    def _by_statements(self, pairs: Sequence[Pair]) -> dict[Pair, Told]:
        found = self._statements(pairs)
        if self._fetcher is not None:
            self._fetcher.fetch(want for wants in found.values() for want in wants)
        ready = {pair: wants for pair, wants in found.items() if not self._missing(wants)}

        def compare(pair: Pair) -> PackageChanges | None:
            found = self._inventory.of_statements(*map(self._statement_data, ready[pair]))
            if found is None:
                return None
            return replace(found, notes=(_ATTESTED, *found.notes))

        return _each(compare, list(ready))

    def _by_fetched_layers(
        self,
        pairs: Sequence[Pair],
        fetcher: Fetcher,
        needed: Callable[[Pair], tuple[Want, ...]],
    ) -> dict[Pair, Told]:
        failed = fetcher.fetch(want for pair in pairs for want in needed(pair))
        told: dict[Pair, Told] = {}
        for pair in pairs:
            digests = (want.descriptor.digest for want in needed(pair))
            error = next((failed[digest] for digest in digests if digest in failed), None)
            if error is not None:
                told[pair] = _failed(error)
        return told | self._read_layers([pair for pair in pairs if pair not in told])

    def _read_layers(self, pairs: Sequence[Pair]) -> dict[Pair, Told]:
        """What layers tell; nothing of a pair where a layer that is missing may be needed."""
        store = self._store
        if store is None:
            return {}

        def compare(pair: Pair) -> PackageChanges | None:
            found = self._inventory.of_layers(
                pair.old.manifest.layers, pair.new.manifest.layers, store
            )
            return None if found.notes and self._missing(pair.layers) else found

        return _each(compare, pairs)

    def _statements(self, pairs: Sequence[Pair]) -> dict[Pair, tuple[Want, Want]]:
        """The statements about both sides, for the pairs that have them."""
        sides = [(pair.name, side) for pair in pairs for side in (pair.old, pair.new)]
        jobs = self._fetcher.jobs if self._fetcher else 1
        answers = map_concurrently(lambda one: [self._statement(*one)], sides, jobs=jobs)
        wants = [None if isinstance(answer, PinnerError) else answer[0] for answer in answers]
        return {
            pair: (before, after)
            for pair, before, after in zip(pairs, wants[::2], wants[1::2], strict=True)
            if before is not None and after is not None
        }

    def _statement(self, name: str, side: Side) -> Want | None:
        """The SPDX statement about an image, where its index and manifest are at hand.

        Raises:
            PinnerError: the attestation cannot be had; the layers may tell.
        """
        if side.index is None:
            return None
        found = find_statement(
            side.index,
            side.digest,
            lambda digest: self._reader.manifest(
                side.repository, digest, ask=self._fetcher is not None
            ),
        )
        if found is None:
            return None
        return Want(name=name, repository=side.repository, descriptor=found)

    def _statement_data(self, want: Want) -> bytes:
        assert self._store is not None  # noqa: S101 - it has the statement
        return self._store.read(want.descriptor.digest, STATEMENT_LIMIT)

    def _missing(self, wants: Iterable[Want]) -> tuple[Want, ...]:
        store = self._store
        return tuple(want for want in wants if store is None or not want.is_in(store))

    def _not_here(self, pair: Pair) -> str:
        sizes = {
            want.descriptor.digest: want.descriptor.size for want in self._missing(pair.layers)
        }
        # Below a tenth of a megabyte the number says nothing more.
        megabytes = max(sum(sizes.values()), _TENTH) / _MEGABYTE
        return (
            f"packages not compared: layers are not in the store "
            f"(--fetch downloads up to {megabytes:.1f} MB)"
        )


def _each(
    compare: Callable[[Pair], PackageChanges | None], pairs: Sequence[Pair]
) -> dict[Pair, Told]:
    """What `compare` tells of each pair; those that it knows nothing of are left out."""
    answers = map_concurrently(lambda pair: [compare(pair)], pairs, jobs=_AT_ONCE)
    told: dict[Pair, Told] = {}
    for pair, answer in zip(pairs, answers, strict=True):
        if isinstance(answer, PinnerError):
            told[pair] = _failed(answer)
        elif answer[0] is not None:
            told[pair] = answer[0]
    return told


def _failed(error: PinnerError) -> str:
    return f"packages not compared: {safe(error.what)}"
