"""A listener hears of every byte of a blob, and when a blob and an image are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.archive import Image, plan_archive, write_archive
from pinner.output.tally import State, Tally
from pinner.progress import NullProgress
from pinner.terminal import safe
from support.archiving import built, put
from support.storing import noise, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.progress import BlobPlan, ImagePlan

SHARED = noise(1, 2_500_000)
ONE, TWO = built("linux/amd64", SHARED, b"one"), built("linux/amd64", SHARED, b"two" * 1000)


class Listener(NullProgress):
    """What the display would show, and the order of what ended."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.moved: dict[str, int] = {}
        self.ended: list[str] = []

    def plan(self, images: tuple[ImagePlan, ...], blobs: tuple[BlobPlan, ...]) -> None:
        self.tally.plan(images, blobs)

    def advance(self, digest: str, count: int) -> None:
        self.moved[digest] = self.moved.get(digest, 0) + count
        self.tally.advance(digest, count)

    def blob_done(self, digest: str) -> None:
        self.tally.blob_done(digest)

    def image_done(self, name: str) -> None:
        row = self.tally.image_ended(name, State.DONE)
        assert row is not None
        assert (row.done, row.blobs_done) == (row.size, row.blobs)
        self.ended.append(name)


def test_what_is_written_is_told(tmp_path: Path) -> None:
    images = [
        Image(asked=name, name=f"docker.io/library/{name}:1", members=(image.member,))
        for name, image in (("one", ONE), ("two", TWO))
    ]
    plan, listener, wrote = plan_archive(images), Listener(), list[int]()
    with open_store(tmp_path / "store") as store, (tmp_path / "out.tar").open("wb") as out:
        put(store, ONE)
        put(store, TWO)
        write_archive(
            plan, store, out.fileno(), "out.tar", jobs=2, progress=listener, wrote=wrote.append
        )
    assert listener.moved == {str(blob.digest): blob.size for blob in plan.blobs if blob.size}
    total = listener.tally.total()
    assert (total.done, total.images_done) == (total.size, 2)
    assert sum(wrote) == total.size == sum(blob.size for blob in plan.blobs)
    assert sorted(listener.ended) == ["one", "two"]


def test_a_name_that_another_tool_gave_is_shown_safely(tmp_path: Path) -> None:
    image = Image(asked="\x1b[2Jone", name="\x1b[2Jone", members=(ONE.member,))
    listener = Listener()
    with open_store(tmp_path / "store") as store, (tmp_path / "out.tar").open("wb") as out:
        put(store, ONE)
        write_archive(
            plan_archive([image]), store, out.fileno(), "out.tar", jobs=1, progress=listener
        )
    assert listener.ended == [safe("\x1b[2Jone")]
    assert "\x1b" not in listener.ended[0]
