"""Which files an include names; the wildcards are GitLab's (docs: include:local)."""

from __future__ import annotations

import pytest

from pinner.files.included import included

ROOT = "/project"
FILES = ["a.yml", "ci/b.yml", "ci/c.yaml", "ci/deep/d.yml", "other/e.yml", "ci/[x].yml"]


def named(*patterns: str) -> list[str]:
    paths = [f"{ROOT}/{file}" for file in FILES]
    found = included(patterns, [*paths, "/elsewhere/ci/b.yml"], root=ROOT)
    return [path.removeprefix(f"{ROOT}/") for path in found]


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("ci/b.yml", ["ci/b.yml"]),
        ("/ci/b.yml", ["ci/b.yml"]),
        ("ci/*.yml", ["ci/b.yml", "ci/[x].yml"]),
        ("*.yml", ["a.yml"]),
        ("ci/**/*.yml", ["ci/b.yml", "ci/deep/d.yml", "ci/[x].yml"]),
        ("ci/**.yml", ["ci/b.yml", "ci/deep/d.yml", "ci/[x].yml"]),
        ("**/d.yml", ["ci/deep/d.yml"]),
        ("ci/?.yaml", ["ci/c.yaml"]),
        ("ci/[x].yml", ["ci/[x].yml"]),
        ("../elsewhere/ci/b.yml", []),
        ("ci", []),
        ("", []),
    ],
)
def test_what_a_pattern_names(pattern: str, files: list[str]) -> None:
    assert named(pattern) == files


def test_a_file_that_several_patterns_name_comes_once() -> None:
    assert named("a.yml", "*.yml", "**/a.yml") == ["a.yml"]


def test_many_wildcards_take_no_time() -> None:
    pattern = "/".join(["**"] * 100 + ["*a" * 60 + "b"])
    assert list(included([pattern] * 300, [f"{ROOT}/{'a' * 200}"] * 50, root=ROOT)) == []
