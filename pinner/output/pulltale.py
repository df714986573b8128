"""The lines of `docker pull`, told in its order while everything is fetched at once (no I/O).

Each reference has a block of lines. The first block's come as they happen; those of the next wait
until it has ended, so that the lines of several names read as if docker had pulled one after the
other:

    latest: Pulling from library/debian
    fbae14ffe1d7: Already exists            the store has it, or an earlier block has brought it
    27dbea96937d: Pulling fs layer
    27dbea96937d: Download complete         verified, and in the store
    27dbea96937d: Pull complete             the image is whole and has its name
    Digest: sha256:…
    Status: Downloaded newer image for debian:latest
    docker.io/library/debian:latest

Where bars show what is under way, `brief` leaves a layer only its last line.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.pull import Block


class LayerState(Enum):
    """Where a layer is, in docker's words."""

    EXISTS = "Already exists"
    PULLING = "Pulling fs layer"
    DOWNLOADED = "Download complete"
    COMPLETE = "Pull complete"


def default_tag_line() -> str:
    """What docker says before anything else, where no tag was given."""
    return "Using default tag: latest\n"


class PullTale:
    """What is to be told next. Not safe for threads; each method gives the lines that are due.

    Args:
        brief: tell of a layer only how it ended.
        begun: the first block's line on the default tag was told already.
    """

    def __init__(self, *, brief: bool = False, begun: bool = False) -> None:
        self._brief = brief
        self._begun = begun
        self._blocks: Sequence[Block] = ()
        self._owners: dict[Digest, int] = {}
        self._missing: dict[str, Digest] = {}
        self._at = 0
        self._states: dict[Digest, LayerState] = {}
        self._here: set[Digest] = set()
        self._ended: dict[str, bool] = {}
        self._failed_groups: set[str] = set()
        self._moved_groups: set[str] = set()

    @property
    def block(self) -> Block | None:
        """The one that is told of now; None before the first and after the last."""
        return self._blocks[self._at] if self._at < len(self._blocks) else None

    @property
    def layers(self) -> list[tuple[Descriptor, LayerState]]:
        """The layers of this block, as they stand."""
        block = self.block
        if block is None:
            return []
        return [
            (layer, self._states[layer.digest])
            for layer in block.layers
            if layer.digest in self._states
        ]

    def found(self, blocks: Sequence[Block]) -> str:
        """What there is to pull."""
        self._blocks = blocks
        for number, block in enumerate(blocks):
            for digest in block.missing:
                self._owners.setdefault(digest, number)
                self._missing[str(digest)] = digest
        return "".join(f"{line}\n" for line in (*self._open(), *self._go_on()))

    def downloaded(self, digest: str) -> str:
        """A blob is in the store."""
        found = self._missing.get(digest)
        if found is None:
            return ""
        self._here.add(found)
        if self._states.get(found) is not LayerState.PULLING:
            return ""
        self._states[found] = LayerState.DOWNLOADED
        return "" if self._brief else f"{_line(found, LayerState.DOWNLOADED)}\n"

    def ended(self, name: str, *, complete: bool) -> str:
        """A reference has its name in the store, or failed; the first word on it counts."""
        self._ended.setdefault(name, complete)
        return "".join(f"{line}\n" for line in self._go_on())

    def _go_on(self) -> Iterator[str]:
        """Close every block that has ended, and open the next."""
        while (block := self.block) is not None:
            complete = self._ended.get(block.target.name)
            if block.digest is None:
                complete = False
            if complete is None:
                return
            yield from self._close(block, complete=complete)
            self._at += 1
            self._states = {}
            yield from self._open()

    def _open(self) -> Iterator[str]:
        block = self.block
        if block is None:
            return
        target = block.target
        if target.defaulted and not (self._begun and self._at == 0):
            yield default_tag_line().rstrip()
        if not block.found:
            return
        reference = target.reference
        yield f"{reference.tag or reference}: Pulling from {reference.path}"
        if block.digest is None or block.missing <= self._brought_by_others(block):
            return  # of an image that is here, docker tells no layers
        for layer in block.layers:
            state = self._first_state(layer.digest, block)
            self._states[layer.digest] = state
            if self._brief:
                continue
            if state is LayerState.DOWNLOADED:
                yield _line(layer.digest, LayerState.PULLING)
            yield _line(layer.digest, state)

    def _brought_by_others(self, block: Block) -> set[Digest]:
        """What the block lacked, and an earlier one has brought."""
        return {one for one in block.missing & self._here if self._owners[one] != self._at}

    def _first_state(self, digest: Digest, block: Block) -> LayerState:
        if digest not in block.missing or digest in self._brought_by_others(block):
            return LayerState.EXISTS
        return LayerState.DOWNLOADED if digest in self._here else LayerState.PULLING

    def _close(self, block: Block, *, complete: bool) -> Iterator[str]:
        group = block.target.group
        if not complete:
            self._failed_groups.add(group)
        else:
            for layer, state in self.layers:
                if state is not LayerState.EXISTS:
                    yield _line(layer.digest, LayerState.COMPLETE)
                elif self._brief:
                    yield _line(layer.digest, state)
            yield f"Digest: {block.digest}"
            if not block.up_to_date:
                self._moved_groups.add(group)
            if not group:
                yield _status(block.target.reference.familiar(), moved=not block.up_to_date)
                yield str(block.target.given)
        if group and self._is_last(group) and group not in self._failed_groups:
            yield _status(group, moved=group in self._moved_groups)
            yield str(block.target.given)

    def _is_last(self, group: str) -> bool:
        return all(block.target.group != group for block in self._blocks[self._at + 1 :])


def _line(digest: Digest, state: LayerState) -> str:
    return f"{digest.short}: {state.value}"


def _status(name: str, *, moved: bool) -> str:
    what = "Downloaded newer image" if moved else "Image is up to date"
    return f"Status: {what} for {name}"
