"""Laws of `check` and `rewrite` over whole projects: whatever the files name, and however."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from pinner.check import judge
from pinner.files import Status, Tree, apply_plans, plan_tree, plan_unpinning
from pinner.spec import parse_spec
from support.files import LOCK, PREVIOUS, SPEC, digest

_SPEC: Final = parse_spec(SPEC.encode(), path="images.toml", base=Path("/"))
_NAMES: Final = ["node:22.12.0", "python:3.12-slim", "docker.io/library/redis:latest"]
_OTHER_NAMES: Final = ["node:22.11.0", "redis", "debian:12", "$UNSET", "scratch", "node:21"]
_LINES: Final = ["", "# a comment", "RUN a \\\n  b", "COPY --from=0 a b", "# pinner: ignore"]

_digests = st.sampled_from([f"@{digest(one)}" for one in "0123456789abcdef"])
_ends = st.sampled_from(["\n", "\r\n"])


def dockerfiles(names: list[str], digests: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Dockerfiles whose FROM lines take names and digests from here."""
    base = st.tuples(st.sampled_from(names), digests).map(lambda pair: f"FROM {''.join(pair)}")
    lines = st.lists(base | st.sampled_from(_LINES), max_size=6)
    text = st.tuples(lines, _ends).map(lambda pair: pair[1].join([*pair[0], ""]))
    return text.map(str.encode)


_anything = dockerfiles([*_NAMES, *_OTHER_NAMES], st.just("") | _digests)
_trees = st.lists(_anything, min_size=1, max_size=3)


class _Project:
    """A folder with Dockerfiles, planned and written as the commands do."""

    def __init__(self, folder: str, files: list[bytes]) -> None:
        self.folder = Path(folder)
        self.paths = [self.folder / f"{number}.dockerfile" for number in range(len(files))]
        for path, data in zip(self.paths, files, strict=True):
            path.write_bytes(data)

    def plan(self) -> Tree:
        return plan_tree(self.folder, _SPEC, LOCK, previous=lambda: PREVIOUS)

    def unpin(self) -> None:
        apply_plans(plan_unpinning(self.folder, _SPEC))

    def contents(self) -> list[bytes]:
        return [path.read_bytes() for path in self.paths]


@given(_trees)
def test_after_rewriting_nothing_that_is_known_is_wrong(files: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = _Project(folder, files)
        before = project.plan()
        apply_plans(before)
        after = project.plan()
        counts = judge(_SPEC, LOCK, after, lenient=True).counts
        assert not counts[Status.UNPINNED]
        assert not counts[Status.STALE]
        assert judge(_SPEC, LOCK, after, lenient=True).exit_code == 0
        assert len(after.places) == len(before.places)


@given(_trees)
def test_rewriting_twice_writes_nothing(files: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = _Project(folder, files)
        apply_plans(project.plan())
        assert not any(file.changes for file in project.plan().files)


@given(_trees)
def test_where_a_line_is_told_to_change_and_nowhere_else_it_changes(files: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = _Project(folder, files)
        told = set(apply_plans(project.plan()))
        changed = {
            f"{path.name}:{number}"
            for path, old, new in zip(project.paths, files, project.contents(), strict=True)
            for number, (a, b) in enumerate(
                zip(old.split(b"\n"), new.split(b"\n"), strict=True), start=1
            )
            if a != b
        }
        assert changed == told


@given(st.lists(dockerfiles(_NAMES, st.just("")), min_size=1, max_size=3))
def test_unpinning_restores_the_bytes_of_what_had_its_tag_and_no_digest(
    files: list[bytes],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = _Project(folder, files)
        apply_plans(project.plan())
        project.unpin()
        assert project.contents() == files
