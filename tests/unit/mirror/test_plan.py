"""What is uploaded, mounted, or left: each blob once, whoever wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import NotFound
from pinner.mirror.look import Wish, without_ambiguous_tags
from pinner.mirror.plan import BlobWork, contradictions, plan_mirror
from pinner.mirror.push import BlobMoved
from pinner.mirror.tree import ImageTree
from pinner.mirror.work import Board
from pinner.oci.reference import Repository
from pinner.sync.result import Amount
from support.outcomes import descriptor, locked

if TYPE_CHECKING:
    from pinner.oci.descriptor import Descriptor

A, B, C = (Repository("m.example", name) for name in "abc")
BASE, SMALL, LARGE = descriptor(1, 500), descriptor(2, 10), descriptor(3, 9000)


def tree(name: str, repository: Repository, *blobs: Descriptor) -> ImageTree:
    image = locked(name, "1", 0x70, repository=f"r.example/{name}")
    wish = Wish(image=image, repository=repository, digests=(image.digest,), tag="1")
    return ImageTree(wish=wish, manifests=(), blobs=blobs, names={})


def ways(work: BlobWork) -> tuple[Repository | None, tuple[Repository, ...]]:
    return work.upload_to, work.mount_into


def test_a_blob_that_is_nowhere_is_uploaded_once_and_mounted() -> None:
    plan = plan_mirror([tree("a", A, BASE), tree("b", B, BASE), tree("c", C, BASE)], {})
    (work,) = plan.blobs
    assert ways(work) == (A, (B, C))
    assert work.images == ("a", "b", "c")
    assert [str(source) for source in work.sources] == ["r.example/a", "r.example/b", "r.example/c"]
    assert plan.uploads == Amount(blobs=1, size=500)
    assert plan.mounts == Amount(blobs=2, size=1000)
    assert plan.present == Amount()


def test_a_blob_that_one_has_is_mounted_into_the_others() -> None:
    plan = plan_mirror([tree("a", A, BASE), tree("b", B, BASE)], {BASE.digest: B})
    (work,) = plan.blobs
    assert (ways(work), work.there) == ((None, (A,)), B)
    assert plan.present == Amount(blobs=1, size=500)


def test_a_blob_that_only_a_stranger_has_is_mounted() -> None:
    plan = plan_mirror([tree("a", A, BASE)], {BASE.digest: C})
    (work,) = plan.blobs
    assert ways(work) == (None, (A,))
    assert plan.present == Amount()


def test_a_blob_that_is_where_it_is_wanted_is_left() -> None:
    plan = plan_mirror([tree("a", A, BASE), tree("a2", A, BASE)], {BASE.digest: A})
    assert plan.blobs == ()
    assert plan.present == Amount(blobs=1, size=500)


def test_uploads_come_first_and_the_largest_before_others() -> None:
    extra = descriptor(4, 20_000)
    plan = plan_mirror([tree("a", A, SMALL, extra, LARGE, BASE)], {extra.digest: B})
    assert [work.descriptor.size for work in plan.blobs] == [9000, 500, 10, 20_000]


def test_who_gives_a_blob_another_size_is_left_out() -> None:
    liar = descriptor(1, 501)
    (failed,) = contradictions([tree("a", A, BASE), tree("b", B, liar)])
    assert failed.name == "b"


def test_a_tag_of_two_digests_is_written_for_neither() -> None:
    one, two = (locked(name, "1", n, repository="r.example/x") for name, n in (("a", 1), ("b", 3)))
    other = locked("c", "2", 5, repository="r.example/x")
    wishes = [
        Wish(image=image, repository=A, digests=(image.digest,), tag=image.tag)
        for image in (one, two, other)
    ]
    kept, lines = without_ambiguous_tags(wishes)
    assert [wish.tag for wish in kept] == [None, None, "2"]
    assert lines == [
        "a and b are locked to different digests of m.example/a:1: that tag is not written"
    ]


# The board.


def work_on(blob: Descriptor, *trees: ImageTree) -> BlobWork:
    return BlobWork(
        descriptor=blob,
        sources=(),
        images=tuple(t.name for t in trees),
        upload_to=trees[0].wish.repository,
        mount_into=tuple(t.wish.repository for t in trees[1:]),
    )


def test_an_image_is_due_when_its_last_blob_is_there() -> None:
    a, b = tree("a", A, BASE, SMALL), tree("b", B, BASE)
    base, small = work_on(BASE, a, b), work_on(SMALL, a)
    board = Board([a, b], [base, small])
    assert [board.take(), board.take()] == [base, small]
    assert board.done(BlobMoved(work=base)) == []
    assert board.take() is b
    board.done(None)
    board.done(BlobMoved(work=small))
    assert board.take() is a
    board.done(None)
    assert board.take() is None


def test_an_image_without_blobs_is_due_at_once_and_before_blobs() -> None:
    a, b = tree("a", A), tree("b", B, BASE)
    board = Board([a, b], [work_on(BASE, b)])
    assert board.take() is a


def test_a_blob_that_failed_in_one_repository_fails_its_images_alone() -> None:
    a, b = tree("a", A, BASE), tree("b", B, BASE)
    work = work_on(BASE, a, b)
    board = Board([a, b], [work])
    board.take()
    error = NotFound("gone")
    (refused,) = board.done(BlobMoved(work=work, failed={A: error}))
    assert (refused.tree, refused.error) == (a, error)
    assert board.take() is b


def test_what_is_lacking_keeps_its_images_back() -> None:
    a, b = tree("a", A, BASE), tree("b", B, BASE)
    work = work_on(BASE, a, b)
    board = Board([a, b], [work])
    board.take()
    assert board.done(BlobMoved(work=work, lacking=(B,))) == []
    assert board.take() is a
    board.done(None)
    assert board.take() is None


def test_a_stopped_board_gives_nothing() -> None:
    a = tree("a", A, BASE)
    board = Board([a], [work_on(BASE, a)])
    board.stop()
    assert board.take() is None
